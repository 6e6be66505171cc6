//! The one place that reads the clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use domain::Moment;

/// Now.
#[expect(clippy::disallowed_methods, reason = "the node is the room that reads the clock")]
pub(crate) fn now() -> Moment {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    Moment::from_unix_millis(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
}
