//! One transport connection from its first byte to its end: the acceptor's side of PS3.8 §9.2 around the established
//! Association (states Sta2, Sta3 and Sta13).

use std::future::poll_fn;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dimse::{
    Abort, AssociateRequest, Connection, ConnectionError, IdentityItem, Incoming, Negotiated, Pdu,
    ProtocolError, Rejection, RejectionReason, Transport, encode_release_response, negotiate,
};
use domain::{AssociationId, InstanceOrigin, Intake, Limits};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, sleep, timeout_at};
use tracing::Instrument;
use tracing::field::Empty;
use trust::ServerConfig;

use crate::admission::{Admission, Titles, Visitor, Welcome};
use crate::association::{Association, Ended, Membership, Places, Progress};
use crate::commitment::Service;
use crate::doors::Entered;
use crate::handshake::{Secured, TLS_HANDSHAKE, Unsecured, secure};
use crate::identify::{Identified, Identifying};
use crate::pause::Pauses;
use crate::peers::{PeerState, Peers};
use crate::storage;
use crate::{ScpCounters, ScpSettings};

/// How long a peer has to take note of our last word when the node stops.
const LAST_WORD_LIMIT: Duration = Duration::from_secs(1);
/// Longest ARTIM, so that time cannot overflow.
const ARTIM_MAX: Duration = Duration::from_secs(86_400);

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) settings: Arc<ScpSettings>,
    pub(crate) intake: Arc<dyn Intake>,
    pub(crate) counters: Arc<ScpCounters>,
    /// A permit for each Association that may be open.
    pub(crate) places: Arc<Semaphore>,
    pub(crate) peers: Peers,
    pub(crate) identifying: Identifying,
    /// Storage commitment.
    pub(crate) commitment: Service,
    /// For those who break the protocol.
    pub(crate) pauses: Arc<Pauses>,
    pub(crate) next_id: AtomicU64,
    pub(crate) stopping: watch::Receiver<bool>,
}

/// A connection before its Association: Sta2.
struct Arrived {
    id: AssociationId,
    address: SocketAddr,
    visitor: Visitor,
    /// When ARTIM expires: for the TLS handshake and A-ASSOCIATE-RQ together.
    until: Instant,
}

/// What was agreed with a peer that is let in.
struct Admitted {
    negotiated: Negotiated,
    titles: Titles,
    limits: Limits,
    peer: Option<Arc<PeerState>>,
    places: Places,
}

/// What ends our side of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LastWord {
    /// It is closed without a word.
    Nothing,
    /// A PDU.
    Pdu([u8; 10]),
    /// A PDU to a peer that broke the protocol, or is not who it says it is, after a pause.
    Late([u8; 10]),
}

/// Attends to a connection until it is closed.
pub(crate) async fn attend(entered: Entered, shared: Arc<Shared>) {
    let id = AssociationId(shared.next_id.fetch_add(1, Ordering::Relaxed));
    let Entered { stream, address, tls } = entered;
    let address = SocketAddr::new(address.ip().to_canonical(), address.port());
    let span =
        tracing::info_span!("association", id = id.0, peer = %address, tls = Empty, cert = Empty);
    let visitor = Visitor { address: address.ip(), certificate: None };
    let now = Instant::now();
    let limit = shared.settings.limits.artim_timeout.min(ARTIM_MAX);
    let until = now.checked_add(limit).unwrap_or(now);
    let arrived = Arrived { id, address, visitor, until };
    match tls {
        None => shared.converse(stream, arrived).instrument(span).await,
        Some(tls) => shared.secure(stream, tls, arrived).instrument(span).await,
    }
}

impl Shared {
    /// Secures a connection before a word is said.
    async fn secure(&self, stream: TcpStream, tls: Arc<ServerConfig>, mut arrived: Arrived) {
        let secured = tokio::select! {
            secured = secure(stream, tls, arrived.until) => secured,
            () = self.stopped() => return,
        };
        match secured {
            Ok(Secured { stream, certificate, terms }) => {
                let span = tracing::Span::current();
                span.record("tls", terms);
                if let Some(certificate) = &certificate {
                    let name = certificate.names.first();
                    span.record("cert", name.map_or("without a name", String::as_str));
                }
                arrived.visitor.certificate = certificate;
                self.converse(stream, arrived).await;
            }
            // Port scans and health checks come and go like this.
            Err(reason @ Unsecured::Silent) => tracing::debug!(%reason, "no association"),
            Err(reason) => {
                self.counters.handshakes_failed.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(%reason, "no association");
            }
        }
    }

    async fn converse<S: Transport>(&self, stream: S, arrived: Arrived) {
        let mut connection = Connection::new(stream, self.settings.limits.pdu_length_max);
        let last_word = self.talk(&mut connection, arrived).await;
        self.part(connection, last_word).await;
    }

    /// Sta2: waits for A-ASSOCIATE-RQ, answers it, and serves the Association if there is one.
    async fn talk<S: Transport>(
        &self,
        connection: &mut Connection<S>,
        arrived: Arrived,
    ) -> LastWord {
        let request = tokio::select! {
            request = self.request(connection, arrived.until) => request,
            () = self.stopped() => return LastWord::Nothing,
        };
        let admitted = match request {
            Ok(request) => self.admit(&arrived, request).await,
            Err(error) => return no_request(&error),
        };
        match admitted {
            Ok(admitted) => self.associate(connection, admitted, arrived).await,
            Err(rejection) => {
                self.counters.associations_rejected.fetch_add(1, Ordering::Relaxed);
                refusal(&rejection)
            }
        }
    }

    async fn request<S: Transport>(
        &self,
        connection: &mut Connection<S>,
        until: Instant,
    ) -> Result<AssociateRequest, ConnectionError> {
        let limit = self.settings.limits.artim_timeout;
        let incoming = timeout_at(until, connection.next(limit)).await;
        match incoming.map_err(|_| ConnectionError::TimedOut(limit))?? {
            Incoming::Pdu(Pdu::AssociateRequest(request)) => Ok(request),
            // AA-2: whoever gives up before it began wants no answer.
            Incoming::Pdu(Pdu::Abort(_)) => Err(ConnectionError::Closed),
            Incoming::Pdu(pdu) => Err(ProtocolError::UnexpectedPdu(pdu.name()).into()),
            Incoming::Fragment { .. } => Err(ProtocolError::UnexpectedPdu("P-DATA-TF").into()),
        }
    }

    /// Sta3: yes or no.
    async fn admit(
        &self,
        arrived: &Arrived,
        mut request: AssociateRequest,
    ) -> Result<Admitted, Rejection> {
        let welcome = Welcome::of(&self.settings, &arrived.visitor, &request);
        let proposed = request.contexts.len();
        let rule = welcome.as_ref().ok().and_then(|welcome| welcome.peer);
        let rule = rule.and_then(|index| self.settings.peers.0.get(index));
        let rule = rule.map(|rule| rule.name.as_str());
        let admitted = self.judge(&welcome, &mut request, arrived.until).await;
        let (calling, called) = (&request.calling, &request.called);
        // SH has 16 characters; a stranger may send far more.
        let implementation = request.user.implementation_version_name.chars().take(16);
        let implementation: String = implementation.collect();
        match &admitted {
            Ok((admitted, user)) => {
                let accepted = admitted.negotiated.contexts.len();
                tracing::info!(
                    ?calling,
                    ?called,
                    ?implementation,
                    accepted,
                    proposed,
                    rule,
                    user,
                    "accepted"
                );
            }
            Err(reason) => {
                tracing::info!(?calling, ?called, ?implementation, rule, %reason, "rejected");
            }
        }
        Ok(admitted?.0)
    }

    /// The terms, the user, whose identity is checked by `until`, and a place.
    async fn judge(
        &self,
        welcome: &Result<Welcome<'_>, RejectionReason>,
        request: &mut AssociateRequest,
        until: Instant,
    ) -> Result<(Admitted, Option<String>), Rejection> {
        let commitment = self.commitment.roles();
        let admission = Admission { settings: &self.settings, commitment, welcome };
        let mut negotiated = negotiate(request, &admission)?;
        // Nobody needs them any more, and who waits for its identity to be checked may have sent many.
        request.contexts = vec![];
        self.room(&negotiated)?;
        let Welcome { titles, peer, allowance } = welcome.clone()?;
        let peer = peer.and_then(|index| self.peers.get(index)).cloned();
        // Nothing is checked for whom there is no place; nor does a stranger hold one meanwhile.
        drop(self.places(peer.as_deref())?);
        let identity = request.user.claim();
        let identified = self.identifying.user(identity, &allowance.identity, until).await?;
        let places = self.places(peer.as_deref())?;
        let Identified { user, response } = identified.unwrap_or_default();
        let response = response.map(|response| Box::new(IdentityItem::Response(response)));
        negotiated.accept.user.identity = response;
        let mut limits = self.settings.limits.clone();
        let bytes_max = allowance.instance_bytes_max.unwrap_or(u64::MAX);
        limits.instance_bytes_max = limits.instance_bytes_max.min(bytes_max);
        Ok((Admitted { negotiated, titles, limits, peer, places }, user))
    }

    /// Who may store is told before it sends that there is no room; who may not is let in.
    fn room(&self, negotiated: &Negotiated) -> Result<(), RejectionReason> {
        let mut contexts = negotiated.contexts.values();
        if !contexts.any(|context| storage::is_storage(&context.abstract_syntax)) {
            return Ok(());
        }
        self.intake.room().map_err(|refusal| {
            tracing::warn!(%refusal, "no association for storage now");
            RejectionReason::LocalLimitExceeded
        })
    }

    fn places(&self, peer: Option<&PeerState>) -> Result<Places, RejectionReason> {
        const NONE_LEFT: RejectionReason = RejectionReason::LocalLimitExceeded;
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| NONE_LEFT)?;
        let own = peer.map(PeerState::place).transpose().map_err(|_| NONE_LEFT)?;
        Ok((place, own.flatten()))
    }

    /// Sta6, from A-ASSOCIATE-AC on. The places are free again when this returns and what it began to publish is published.
    async fn associate<S: Transport>(
        &self,
        connection: &mut Connection<S>,
        admitted: Admitted,
        arrived: Arrived,
    ) -> LastWord {
        let Admitted { negotiated, titles, limits, peer, places } = admitted;
        let Titles { called, calling } = titles;
        let (id, address) = (arrived.id, arrived.address.to_string());
        let association = Association {
            origin: InstanceOrigin { calling, called, peer: address, association: id },
            contexts: negotiated.contexts,
            peer_pdu_length_max: negotiated.peer_pdu_length_max,
            operations_max: usize::from(negotiated.operations_max),
            commitment: self.commitment.clone(),
            pauses: Arc::clone(&self.pauses),
            limits,
            peer,
            membership: Arc::new(Membership::new(id, &self.intake, &self.counters, places)),
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
    ///
    /// Whoever has to wait for its A-ABORT holds no place of an Association by then, and costs a socket and a small buffer; it
    /// is only counted among the connections that may be open at all, of which [`Pauses`] takes no more than a part.
    async fn part<S: Transport>(&self, mut connection: Connection<S>, last_word: LastWord) {
        let pdu = match last_word {
            LastWord::Nothing => return,
            LastWord::Pdu(pdu) => pdu,
            LastWord::Late(pdu) => {
                connection.forget();
                self.pauses.after_offence().await;
                pdu
            }
        };
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

/// A-ASSOCIATE-RJ; later for a wrong identity, so that passcodes cannot be tried as fast as they are checked.
fn refusal(rejection: &Rejection) -> LastWord {
    let pdu = rejection.encode();
    if *rejection == RejectionReason::UserIdentityRefused.into() {
        LastWord::Late(pdu)
    } else {
        LastWord::Pdu(pdu)
    }
}

/// A connection without A-ASSOCIATE-RQ. PS3.8 has AA-1, A-ABORT of the service-user, for a wrong PDU in Sta2, and
/// AA-2, closing the connection, for A-ABORT and when ARTIM expires.
fn no_request(error: &ConnectionError) -> LastWord {
    match error {
        ConnectionError::Protocol(ProtocolError::UnrecognizedPdu(TLS_HANDSHAKE)) => {
            let reason = "a peer with TLS on the plain port; it has to use the secure port";
            tracing::warn!(reason, "no association");
            LastWord::Nothing
        }
        ConnectionError::Protocol(reason) => {
            tracing::warn!(%reason, "no association request");
            LastWord::Late(Abort::SERVICE_USER.encode())
        }
        // Port scans and health checks come and go like this.
        ConnectionError::Closed
        | ConnectionError::TimedOut(_)
        | ConnectionError::TooSlow(_)
        | ConnectionError::Io(_) => {
            tracing::debug!(reason = %error, "no association request");
            LastWord::Nothing
        }
    }
}

fn last_word(ended: Option<Ended>, progress: &Progress) -> LastWord {
    let stored = progress.stored.load(Ordering::Relaxed);
    let refused = progress.refused.load(Ordering::Relaxed);
    match ended {
        Some(Ended::Released) => {
            tracing::info!(stored, refused, "released");
            LastWord::Pdu(encode_release_response())
        }
        Some(Ended::AbortedByPeer(reason)) => {
            tracing::warn!(stored, refused, %reason, "aborted by the peer");
            LastWord::Nothing
        }
        Some(Ended::Failed(reason)) => {
            tracing::warn!(stored, refused, %reason, "aborted");
            match (&reason, reason.abort().map(Abort::encode)) {
                (ConnectionError::Protocol(_), Some(pdu)) => LastWord::Late(pdu),
                (_, pdu) => pdu.map_or(LastWord::Nothing, LastWord::Pdu),
            }
        }
        Some(Ended::Stopping) => {
            tracing::info!(stored, refused, "aborted: the node stops");
            LastWord::Pdu(Abort::SERVICE_USER.encode())
        }
        None => {
            tracing::error!(stored, refused, "aborted: a bug of ours");
            LastWord::Pdu(Abort::SERVICE_PROVIDER.encode())
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

#[cfg(test)]
mod tests;
