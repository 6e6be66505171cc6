//! One transport connection from its first byte to its end: the acceptor's side of PS3.8 §9.2 around the established
//! Association (states Sta2, Sta3 and Sta13).

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dimse::{
    Abort, AssociateRequest, Connection, ConnectionError, Incoming, Negotiated, Pdu, ProtocolError,
    Rejection, RejectionReason, Transport, encode_release_response, negotiate,
};
use domain::{AssociationId, InstanceOrigin, Intake};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};
use tracing::Instrument;

use crate::admission::{Admission, Titles};
use crate::association::{Association, Ended, Membership, Progress};
use crate::commitment::Service;
use crate::{ScpCounters, ScpSettings};

/// How long a peer has to take note of our last word when the node stops.
const LAST_WORD_LIMIT: Duration = Duration::from_secs(1);

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) settings: Arc<ScpSettings>,
    pub(crate) intake: Arc<dyn Intake>,
    pub(crate) counters: Arc<ScpCounters>,
    /// A permit for each Association that may be open.
    pub(crate) places: Arc<Semaphore>,
    /// Storage commitment.
    pub(crate) commitment: Service,
    pub(crate) next_id: AtomicU64,
    pub(crate) stopping: watch::Receiver<bool>,
}

/// What was agreed with a peer that is let in.
struct Admitted {
    negotiated: Negotiated,
    titles: Titles,
    place: OwnedSemaphorePermit,
}

/// The PDU that ends our side of a connection; `None` to close it without a word.
type LastWord = Option<[u8; 10]>;

/// Attends to a connection from `peer` (`ip:port`) until it is closed.
pub(crate) async fn attend<S: Transport>(stream: S, peer: String, shared: Arc<Shared>) {
    let id = AssociationId(shared.next_id.fetch_add(1, Ordering::Relaxed));
    let span = tracing::info_span!("association", id = id.0, peer);
    let attending = async {
        let mut connection = Connection::new(stream, shared.settings.limits.pdu_length_max);
        let last_word = shared.talk(&mut connection, id, peer).await;
        shared.part(connection, last_word).await;
    };
    attending.instrument(span).await;
}

impl Shared {
    /// Sta2: waits for A-ASSOCIATE-RQ, answers it, and serves the Association if there is one.
    async fn talk<S: Transport>(
        &self,
        connection: &mut Connection<S>,
        id: AssociationId,
        peer: String,
    ) -> LastWord {
        let request = tokio::select! {
            request = self.request(connection) => request,
            () = self.stopped() => return None,
        };
        let admitted = match request {
            Ok(request) => self.admit(&request),
            Err(error) => return no_request(&error),
        };
        match admitted {
            Ok(admitted) => self.associate(connection, admitted, id, peer).await,
            Err(rejection) => {
                self.counters.associations_rejected.fetch_add(1, Ordering::Relaxed);
                Some(rejection.encode())
            }
        }
    }

    async fn request<S: Transport>(
        &self,
        connection: &mut Connection<S>,
    ) -> Result<AssociateRequest, ConnectionError> {
        let limit = self.settings.limits.artim_timeout;
        let incoming = timeout(limit, connection.next(limit)).await;
        match incoming.map_err(|_| ConnectionError::TimedOut(limit))?? {
            Incoming::Pdu(Pdu::AssociateRequest(request)) => Ok(request),
            Incoming::Pdu(pdu) => Err(ProtocolError::UnexpectedPdu(pdu.name()).into()),
            Incoming::Fragment { .. } => Err(ProtocolError::UnexpectedPdu("P-DATA-TF").into()),
        }
    }

    /// Sta3: yes or no.
    fn admit(&self, request: &AssociateRequest) -> Result<Admitted, Rejection> {
        let commitment = self.commitment.roles();
        let admission = Admission { settings: &self.settings, commitment };
        let admitted = negotiate(request, &admission).and_then(|negotiated| {
            let titles = admission.titles(request)?;
            let place = Arc::clone(&self.places).try_acquire_owned();
            let place = place.map_err(|_| RejectionReason::LocalLimitExceeded)?;
            Ok(Admitted { negotiated, titles, place })
        });
        let (calling, called) = (&request.calling, &request.called);
        let implementation = &request.user.implementation_version_name;
        match &admitted {
            Ok(admitted) => {
                let (accepted, proposed) =
                    (admitted.negotiated.contexts.len(), request.contexts.len());
                tracing::info!(?calling, ?called, ?implementation, accepted, proposed, "accepted");
            }
            Err(reason) => tracing::info!(?calling, ?called, ?implementation, %reason, "rejected"),
        }
        admitted
    }

    /// Sta6, from A-ASSOCIATE-AC on. The place is free again when this returns.
    async fn associate<S: Transport>(
        &self,
        connection: &mut Connection<S>,
        admitted: Admitted,
        id: AssociationId,
        peer: String,
    ) -> LastWord {
        let Admitted { negotiated, titles, place: _place } = admitted;
        let Titles { called, calling } = titles;
        let association = Association {
            origin: InstanceOrigin { calling, called, peer, association: id },
            contexts: negotiated.contexts,
            peer_pdu_length_max: negotiated.peer_pdu_length_max,
            operations_max: usize::from(negotiated.operations_max),
            commitment: self.commitment.clone(),
            limits: self.settings.limits.clone(),
            membership: Arc::new(Membership::new(id, &self.intake, &self.counters)),
            stopping: self.stopping.clone(),
            progress: Progress::default(),
        };
        let accept = negotiated.accept.encode();
        let limit = self.settings.limits.artim_timeout;
        let ended = match connection.send(&accept, limit).await {
            Ok(()) => caught(association.run(connection)).await,
            Err(error) => Some(Ended::Failed(error)),
        };
        if !matches!(ended, Some(Ended::Released)) {
            self.counters.associations_aborted.fetch_add(1, Ordering::Relaxed);
        }
        last_word(ended, &association.progress)
    }

    /// Sta13: says the last word, and waits until the peer closes, at most ARTIM.
    async fn part<S: Transport>(&self, connection: Connection<S>, last_word: LastWord) {
        let Some(pdu) = last_word else { return };
        tokio::select! {
            () = connection.send_last(&pdu, self.settings.limits.artim_timeout) => {}
            () = async { self.stopped().await; sleep(LAST_WORD_LIMIT).await } => {}
        }
    }

    async fn stopped(&self) {
        // An error means that whoever could tell us to stop is gone: also a reason to.
        drop(self.stopping.clone().wait_for(|stopping| *stopping).await);
    }
}

/// A connection without A-ASSOCIATE-RQ. PS3.8 has AA-1, A-ABORT of the service-user, for a wrong PDU in Sta2, and
/// AA-2, closing the connection, when ARTIM expires.
fn no_request(error: &ConnectionError) -> LastWord {
    match error {
        ConnectionError::Protocol(reason) => {
            tracing::warn!(%reason, "no association request");
            Some(Abort::SERVICE_USER.encode())
        }
        // Port scans and health checks come and go like this.
        ConnectionError::Closed | ConnectionError::TimedOut(_) | ConnectionError::Io(_) => {
            tracing::debug!(reason = %error, "no association request");
            None
        }
    }
}

fn last_word(ended: Option<Ended>, progress: &Progress) -> LastWord {
    let stored = progress.stored.load(Ordering::Relaxed);
    let refused = progress.refused.load(Ordering::Relaxed);
    match ended {
        Some(Ended::Released) => {
            tracing::info!(stored, refused, "released");
            Some(encode_release_response())
        }
        Some(Ended::AbortedByPeer(reason)) => {
            tracing::warn!(stored, refused, %reason, "aborted by the peer");
            None
        }
        Some(Ended::Failed(reason)) => {
            tracing::warn!(stored, refused, %reason, "aborted");
            reason.abort().map(Abort::encode)
        }
        Some(Ended::Stopping) => {
            tracing::info!(stored, refused, "aborted: the node stops");
            Some(Abort::SERVICE_USER.encode())
        }
        None => {
            tracing::error!(stored, refused, "aborted: a bug of ours");
            Some(Abort::SERVICE_PROVIDER.encode())
        }
    }
}

/// The outcome of `work`; `None` when it panicked. A panic costs its Association, not the node.
async fn caught<T>(work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    // What the work had borrowed is not looked at after a panic, but for the connection, which is then only closed.
    let poll = |context: &mut std::task::Context<'_>| match catch_unwind(AssertUnwindSafe(|| {
        work.as_mut().poll(context)
    })) {
        Ok(polled) => polled.map(Some),
        Err(_) => std::task::Poll::Ready(None),
    };
    poll_fn(poll).await
}
