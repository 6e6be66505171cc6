//! What takes long to make, and everybody asks for.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::task::{JoinError, spawn_blocking};
use tokio::time::Instant;

/// How long a value is good for.
const FRESH: Duration = Duration::from_secs(1);

/// A value that is made once a second at most, and by one thread at a time, however many ask for it.
#[derive(Debug)]
pub(super) struct Latest<T>(Arc<Mutex<Option<(Instant, T)>>>);

impl<T> Clone for Latest<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for Latest<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T: Clone + Send + 'static> Latest<T> {
    /// The last value, or a new one where that is old.
    pub(super) async fn get(
        &self,
        make: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        let mut last = Arc::clone(&self.0).lock_owned().await;
        if let Some((made_at, value)) = &*last
            && made_at.elapsed() < FRESH
        {
            return Ok(value.clone());
        }
        // The lock goes along: who asked may leave, and the next must not begin before this one ends.
        let making = move || {
            let value = make();
            *last = Some((Instant::now(), value.clone()));
            value
        };
        spawn_blocking(making).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;
    use tokio::time::timeout;

    const MOMENT: Duration = Duration::from_millis(50);

    #[tokio::test]
    async fn who_asks_together_gets_the_same() {
        let (latest, made) = (Latest::default(), Arc::new(AtomicUsize::new(0)));
        for _ in 0..100 {
            let made = Arc::clone(&made);
            assert_eq!(latest.get(move || made.fetch_add(1, Ordering::SeqCst)).await.unwrap(), 0);
        }
    }

    #[tokio::test]
    async fn what_is_old_is_made_again() {
        let latest = Latest::default();
        assert_eq!(latest.get(|| 1).await.unwrap(), 1);
        tokio::time::sleep(FRESH).await;
        assert_eq!(latest.get(|| 2).await.unwrap(), 2);
    }

    #[tokio::test]
    async fn who_leaves_lets_nobody_begin_before_the_end() {
        let latest = Latest::default();
        let slow = || {
            thread::sleep(MOMENT * 4);
            1
        };
        assert!(timeout(MOMENT, latest.get(slow)).await.is_err());
        assert_eq!(latest.get(|| 2).await.unwrap(), 1);
    }
}
