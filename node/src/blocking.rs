//! Work that waits for the disk, off the network's threads.

use std::panic;

/// Runs it on a thread that may wait. Its panic is the caller's.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(reason) => panic::resume_unwind(reason),
            // Only the end of the runtime cancels such work, and with it the caller.
            Err(_) => std::future::pending().await,
        },
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[tokio::test]
    async fn it_runs_elsewhere_and_its_panic_comes_back() {
        let here = thread::current().id();
        assert_ne!(blocking(|| thread::current().id()).await, here);
        let fails = tokio::spawn(blocking(|| panic!("on purpose")));
        assert!(fails.await.unwrap_err().is_panic());
    }
}
