//! Time for the checks of certificates and tokens, handed in by who reads the clock.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use domain::Moment;
use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;

/// Says what time it is.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Moment + Send + Sync>);

impl Clock {
    /// A clock that asks `now`.
    #[must_use]
    pub fn new(now: impl Fn() -> Moment + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Moment {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        let since_epoch = Duration::from_millis(self.now().unix_millis());
        Some(UnixTime::since_unix_epoch(since_epoch))
    }
}
