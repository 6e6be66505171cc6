//! How much a peer may send a minute: a pure machine that fills up with time.
//!
//! A minute's amount may come at once; after that only what has grown again.

use std::time::Duration;

use domain::Allowance;

/// What is left of each amount.
#[derive(Debug)]
pub(crate) struct Budget {
    instances: Option<Bucket>,
    bytes: Option<Bucket>,
}

impl Budget {
    /// Full buckets at `now`, a time since any fixed point.
    pub(crate) fn new(allowance: &Allowance, now: Duration) -> Self {
        let bucket = |per_minute: Option<u64>| per_minute.map(|amount| Bucket::new(amount, now));
        Self {
            instances: bucket(allowance.instances_per_minute_max),
            bytes: bucket(allowance.bytes_per_minute_max),
        }
    }

    /// Whether one more instance may come now; it is counted when it may.
    pub(crate) fn begin_instance(&mut self, now: Duration) -> bool {
        let enough = |bucket: &mut Option<Bucket>, least: i128| {
            bucket.as_mut().is_none_or(|bucket| bucket.level_at(now) >= least)
        };
        // The length is not known before; a bucket that is not in debt lets one instance through whole.
        let may = enough(&mut self.bytes, 1) && enough(&mut self.instances, SHARES);
        if let (true, Some(instances)) = (may, &mut self.instances) {
            instances.spend(1);
        }
        may
    }

    /// Counts bytes that came.
    pub(crate) fn spend_bytes(&mut self, count: u64) {
        if let Some(bytes) = &mut self.bytes {
            bytes.spend(count);
        }
    }
}

/// Shares of one instance or byte: as many as a minute has milliseconds, so that what grows in one is a whole number.
const SHARES: i128 = 60_000;

/// One amount, in shares: at most a minute's, perhaps in debt.
#[derive(Debug)]
struct Bucket {
    per_minute: u64,
    level: i128,
    filled_at_ms: u128,
}

impl Bucket {
    fn new(per_minute: u64, now: Duration) -> Self {
        let level = i128::from(per_minute).saturating_mul(SHARES);
        Self { per_minute, level, filled_at_ms: now.as_millis() }
    }

    fn level_at(&mut self, now: Duration) -> i128 {
        let passed_ms = now.as_millis().saturating_sub(self.filled_at_ms);
        let passed_ms = i128::try_from(passed_ms).unwrap_or(i128::MAX);
        let grown = passed_ms.saturating_mul(i128::from(self.per_minute));
        let most = i128::from(self.per_minute).saturating_mul(SHARES);
        self.level = self.level.saturating_add(grown).min(most);
        self.filled_at_ms = now.as_millis();
        self.level
    }

    fn spend(&mut self, count: u64) {
        self.level = self.level.saturating_sub(i128::from(count).saturating_mul(SHARES));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn without_bounds_everything_may_come() {
        let mut budget = Budget::new(&Allowance::default(), at(0));
        budget.spend_bytes(u64::MAX);
        assert!((0..10_000).all(|_| budget.begin_instance(at(0))));
    }

    #[test]
    fn a_minutes_instances_at_once_and_then_one_each_time_one_has_grown() {
        let allowance = Allowance { instances_per_minute_max: Some(6), ..Allowance::default() };
        let mut budget = Budget::new(&allowance, at(100));
        assert!((0..6).all(|_| budget.begin_instance(at(100))));
        assert!(!budget.begin_instance(at(100)));
        assert!(!budget.begin_instance(at(109)));
        assert!(budget.begin_instance(at(110)));
        assert!(!budget.begin_instance(at(110)));
        assert!((0..6).all(|_| budget.begin_instance(at(10_000))));
        assert!(!budget.begin_instance(at(10_000)), "no more than a minute's is kept");
    }

    #[test]
    fn bytes_are_known_afterwards_and_are_paid_back() {
        let allowance = Allowance { bytes_per_minute_max: Some(600), ..Allowance::default() };
        let mut budget = Budget::new(&allowance, at(0));
        assert!(budget.begin_instance(at(0)));
        budget.spend_bytes(1_200);
        assert!(!budget.begin_instance(at(59)));
        assert!(budget.begin_instance(at(61)));
    }
}
