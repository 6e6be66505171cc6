//! Signals that ask the program to stop, and the way out when work does not end in time.

use tokio::signal::unix::{SignalKind, signal as unix_signal};

/// Waits for SIGTERM or SIGINT.
pub(crate) async fn signal() {
    let (Ok(mut term), Ok(mut int)) =
        (unix_signal(SignalKind::terminate()), unix_signal(SignalKind::interrupt()))
    else {
        tracing::error!("signals cannot be watched; only SIGKILL stops this program");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
}

/// Ends the process at once, in order: everything acknowledged is on stable storage.
#[expect(clippy::exit, reason = "inference threads cannot be interrupted, and need not end well")]
pub(crate) fn leave() -> ! {
    std::process::exit(0)
}
