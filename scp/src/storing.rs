//! From a data set that has arrived to the answer to its C-STORE-RQ.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use dimse::{Response, Status, StoreRequest, brief};
use domain::Refusal;
use tokio::sync::oneshot;

use crate::answers::Answer;
use crate::association::Association;
use crate::fault::StoreFault;
use crate::reception::Received;
use crate::status::status;

/// Told by the intake what became of an instance.
type Outcome = oneshot::Receiver<Result<(), Refusal>>;

impl Association {
    /// Begins to publish what was received, at once; the answer is ready when it is durable. To a message that nobody could store it
    /// may be ready a moment later, and so are the answers behind it; by then nothing of the data set is held any more.
    pub(crate) fn publish<'a>(
        &'a self,
        context_id: u8,
        request: StoreRequest,
        received: Result<Received, StoreFault>,
    ) -> impl Future<Output = Answer> + Send + 'a {
        let begun = received.map(|received| self.begin(received));
        async move {
            let stored = match begun {
                Ok(outcome) => ended(outcome).await.map_err(StoreFault::from),
                Err(fault) => Err(fault),
            };
            let response = match &stored {
                Ok(()) => self.stored(&request),
                Err(fault) => self.refuse(&request, fault),
            };
            if stored.is_err_and(|fault| fault.is_of_the_message()) {
                self.pauses.after_faulty().await;
            }
            Answer::new(context_id, response)
        }
    }

    fn begin(&self, received: Received) -> Outcome {
        let Received { part, identity, bytes } = received;
        tracing::debug!(sop_instance = %identity.sop_instance, bytes, "received");
        let (tell, outcome) = oneshot::channel();
        let membership = Arc::clone(&self.membership);
        let stored = move |outcome| {
            // First, so that who has its answer and comes again finds its place free.
            drop(membership);
            // Nobody waits any more when the association was aborted or the node was told to stop at once.
            drop(tell.send(outcome));
        };
        part.publish(identity, Box::new(stored));
        outcome
    }

    fn stored(&self, request: &StoreRequest) -> Response {
        self.progress.stored.fetch_add(1, Ordering::Relaxed);
        self.membership.counters.instances_stored.fetch_add(1, Ordering::Relaxed);
        Response::to_store(request, Status::SUCCESS, "")
    }

    /// The answer to a request that nothing is stored for.
    pub(crate) fn refuse(&self, request: &StoreRequest, fault: &StoreFault) -> Response {
        let (status, comment) = status(fault);
        self.progress.refused.fetch_add(1, Ordering::Relaxed);
        self.membership.counters.instances_refused.fetch_add(1, Ordering::Relaxed);
        let sop_instance = brief(&request.sop_instance);
        tracing::warn!(?sop_instance, %status, reason = %fault, "not stored");
        Response::to_store(request, status, comment)
    }
}

async fn ended(outcome: Outcome) -> Result<(), Refusal> {
    let silent = |_| Err(Refusal::ProcessingFailure("the intake gave no answer".into()));
    outcome.await.unwrap_or_else(silent)
}
