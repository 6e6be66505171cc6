//! How many files the process may have open: sockets, instances on their way in, the ledger.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// More than all limits of ours together need.
const WANTED: u64 = 65_536;

/// Takes as many as the system lets us have. Most let a process begin with 1,024, which 64 associations with 16 operations each
/// use up; then nobody gets in, and what comes is refused.
pub(crate) fn take_what_is_allowed() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.map_or(WANTED, |maximum| maximum.min(WANTED));
    if current.is_none_or(|current| current >= wanted) {
        return;
    }
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum }) {
        tracing::warn!(?current, %error, "no more files may be open");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_what_the_limits_allow() {
        take_what_is_allowed();
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        let wanted = maximum.unwrap_or(WANTED).min(WANTED);
        assert!(current.is_none_or(|current| current >= wanted), "{current:?} of {maximum:?}");
    }
}
