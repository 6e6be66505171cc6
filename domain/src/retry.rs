//! When to try again.

use std::time::Duration;

/// Exponential back-off with a ceiling and an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// Pause after the first failure.
    pub first: Duration,
    /// Longest pause.
    pub longest: Duration,
    /// Attempts in all, at least 1; after the last one there is no further try.
    pub attempts_max: u32,
}

impl Backoff {
    /// The pause after `attempts` failures (1 or more): doubled each time, at most [`Backoff::longest`];
    /// `None` when the attempts are used up.
    #[must_use]
    pub fn pause_after(&self, attempts: u32) -> Option<Duration> {
        if attempts >= self.attempts_max {
            return None;
        }
        let doublings = attempts.saturating_sub(1).min(31);
        Some(self.first.saturating_mul(1 << doublings).min(self.longest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_to_the_ceiling_and_ends() {
        let seconds = Duration::from_secs;
        let backoff = Backoff { first: seconds(5), longest: seconds(60), attempts_max: 7 };
        let pauses: Vec<_> = (1..=7).map(|n| backoff.pause_after(n)).collect();
        let want = [5, 10, 20, 40, 60, 60].map(|s| Some(seconds(s)));
        assert_eq!(pauses[..6], want);
        assert_eq!(pauses[6], None);
    }
}
