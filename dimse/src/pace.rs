//! Whether a peer that has begun a PDU sends the rest of it at any pace at all: a pure machine.
//!
//! A limit on silence alone is met by a byte now and then, for ever. The time that counts is the time that we waited:
//! what our own disk or a full processor takes is not the peer's.

use std::time::Duration;

/// Least bytes of a PDU in the time that one silence may take. A line of 9,600 baud brings more in two minutes.
const BYTES_MIN: usize = 64 * 1024;

/// The machine: one per connection.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    waited: Duration,
    bytes: usize,
}

impl Pace {
    /// A PDU has ended, or none has begun: nobody owes us bytes.
    pub(crate) fn on_pdu_end(&mut self) {
        *self = Self::default();
    }

    /// Bytes of a PDU came after we had waited for them. `false`: they come too slowly to be a PDU ever.
    pub(crate) fn on_bytes(&mut self, count: usize, waited: Duration, limit: Duration) -> bool {
        self.waited = self.waited.saturating_add(waited);
        self.bytes = self.bytes.saturating_add(count);
        let (is_over, is_enough) = (self.waited > limit, self.bytes >= BYTES_MIN);
        if is_enough {
            *self = Self::default();
        }
        is_enough || !is_over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(120);

    #[test]
    fn a_byte_now_and_then_is_too_slow() {
        let mut pace = Pace::default();
        let second = Duration::from_secs(1);
        for _ in 0..120 {
            assert!(pace.on_bytes(1, second, LIMIT));
        }
        assert!(!pace.on_bytes(1, second, LIMIT));
    }

    #[test]
    fn a_slow_line_is_not() {
        let mut pace = Pace::default();
        for _ in 0..10_000 {
            assert!(pace.on_bytes(960, Duration::from_secs(1), LIMIT));
        }
    }

    #[test]
    fn each_pdu_has_its_own_time() {
        let mut pace = Pace::default();
        for _ in 0..1_000 {
            assert!(pace.on_bytes(100, LIMIT / 2, LIMIT));
            pace.on_pdu_end();
        }
    }
}
