//! The listener: a task for each connection, until shutdown.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use domain::Intake;
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};

use crate::commitment::Service;
use crate::connection::{Shared, attend};
use crate::doors::Entered;
use crate::identify::Identifying;
use crate::pause::{PAUSED_MAX, Pauses};
use crate::peers::Peers;
use crate::{Doors, ScpCounters, ScpSettings};

/// Pause after the system could not give us a connection: too many open files pass.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Connections beyond [`domain::Limits::associations_max`] that are attended to, so that they can be rejected in
/// order. Those beyond that wait in the system's queue until one ends.
const UNDECIDED_CONNECTIONS_MAX: usize = 256;
// Those that are made to wait leave room for those that ask to come in.
const _: () = assert!(PAUSED_MAX <= UNDECIDED_CONNECTIONS_MAX / 2);

/// Serves association-requestors at these doors until `shutdown`, then lets Associations end: those between two messages at once,
/// the others with their message, all within [`domain::Limits::shutdown_grace`].
///
/// When this returns, each accepted Association was reported closed to `intake`, but for those whose last publication
/// `intake` has not answered.
pub async fn serve(
    doors: impl Into<Doors>,
    settings: Arc<ScpSettings>,
    intake: Arc<dyn Intake>,
    counters: Arc<ScpCounters>,
    shutdown: impl Future<Output = ()> + Send,
) {
    let grace = settings.limits.shutdown_grace;
    let (stop, stopping) = watch::channel(false);
    let places = Arc::new(Semaphore::new(settings.limits.associations_max));
    let next_id = AtomicU64::new(1);
    let peers = Peers::new(&settings.peers);
    let identifying = Identifying::new(settings.identities.clone());
    let doors = doors.into();
    let commitment = Service::new(intake.commitments(), &settings.limits);
    let pauses = Arc::new(Pauses::new(stopping.clone()));
    let shared = Arc::new(Shared {
        settings,
        intake,
        counters,
        places,
        peers,
        identifying,
        commitment,
        pauses,
        next_id,
        stopping,
    });

    let mut tasks = JoinSet::new();
    tokio::select! {
        () = shutdown => {}
        () = accept(&doors, &shared, &mut tasks) => {}
    }
    drop(doors);
    stop.send_replace(true);
    let ending = async { while tasks.join_next().await.is_some() {} };
    if timeout(grace, ending).await.is_err() {
        tracing::warn!(associations = tasks.len(), "the grace is over, associations are cut");
        tasks.shutdown().await;
    }
}

/// Accepts connections; never returns.
async fn accept(doors: &Doors, shared: &Arc<Shared>, tasks: &mut JoinSet<()>) {
    let associations_max = shared.settings.limits.associations_max;
    let connections_max = associations_max.saturating_add(UNDECIDED_CONNECTIONS_MAX);
    loop {
        tokio::select! {
            Some(ended) = tasks.join_next() => note(ended),
            entered = doors.next(), if tasks.len() < connections_max => match entered {
                Ok(entered) => begin(entered, shared, tasks),
                Err(error) => {
                    tracing::error!(%error, "a connection cannot be accepted");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
}

fn begin(entered: Entered, shared: &Arc<Shared>, tasks: &mut JoinSet<()>) {
    // Each response is one small write that the peer waits for.
    if let Err(error) = entered.stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY cannot be set");
    }
    tasks.spawn(attend(entered, Arc::clone(shared)));
}

fn note(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a connection's task failed");
    }
}
