//! Whether a message moves on: a pure machine against peers that send byte by byte and hold their place for ever.

use std::time::Duration;

/// Bytes of a message that is under way must be `bytes_min` in each `window`.
#[derive(Debug)]
pub(crate) struct Pace {
    window: Duration,
    bytes_min: u64,
    /// When the window began, and how many bytes had come by then; `None` between messages.
    began: Option<(Duration, u64)>,
}

/// Fewer bytes came than have to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooSlow;

impl Pace {
    pub(crate) fn new(window: Duration, bytes_min: u64) -> Self {
        Self { window, bytes_min, began: None }
    }

    /// Between two messages: nothing has to come.
    pub(crate) fn rest(&mut self) {
        self.began = None;
    }

    /// Within a message `total` bytes have come since the connection began; `now` is a time since any fixed point.
    pub(crate) fn on_bytes(&mut self, total: u64, now: Duration) -> Result<(), TooSlow> {
        let (since, before) = *self.began.get_or_insert((now, total));
        if now.saturating_sub(since) < self.window {
            return Ok(());
        }
        self.began = Some((now, total));
        if total.saturating_sub(before) < self.bytes_min { Err(TooSlow) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_message_that_drips_is_too_slow_and_one_that_flows_is_not() {
        let mut pace = Pace::new(at(10), 1_000);
        assert_eq!(pace.on_bytes(0, at(0)), Ok(()));
        assert_eq!(pace.on_bytes(5, at(9)), Ok(()));
        assert_eq!(pace.on_bytes(999, at(10)), Err(TooSlow));
        let mut pace = Pace::new(at(10), 1_000);
        for second in 0..1_000 {
            assert_eq!(pace.on_bytes(second * 100, at(second)), Ok(()), "{second}");
        }
    }

    #[test]
    fn between_messages_nothing_has_to_come() {
        let mut pace = Pace::new(at(10), 1_000);
        assert_eq!(pace.on_bytes(10, at(0)), Ok(()));
        pace.rest();
        assert_eq!(pace.on_bytes(11, at(100)), Ok(()));
        assert_eq!(pace.on_bytes(12, at(109)), Ok(()));
    }
}
