//! An established Association (PS3.8 state Sta6): messages in, responses out, until it ends.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dimse::{
    Abort, AcceptedContext, Command, Connection, ConnectionError, FragmentKind, Incoming,
    MessageEvent, MessageReader, PDataWriter, Pdu, ProtocolError, Response, Status, StoreRequest,
    Transport,
};
use domain::{AssociationId, InstanceOrigin, Intake, Limits, Refusal, TransferSyntaxUid};
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use crate::ScpCounters;
use crate::fault::StoreFault;
use crate::pace::Pace;
use crate::peers::PeerState;
use crate::reception::{Received, Reception, announced};
use crate::status::status;

/// How an Association ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// The peer asked for release.
    Released,
    /// The peer aborted.
    AbortedByPeer(Abort),
    /// The peer broke the protocol, fell silent or vanished.
    Failed(ConnectionError),
    /// We stop.
    Stopping,
}

/// Says that an Association has ended when the last who works for it is gone: the task, or a publication that it no
/// longer waits for.
pub(crate) struct Membership {
    id: AssociationId,
    intake: Arc<dyn Intake>,
    counters: Arc<ScpCounters>,
}

impl Membership {
    /// Counts an Association in.
    pub(crate) fn new(
        id: AssociationId,
        intake: &Arc<dyn Intake>,
        counters: &Arc<ScpCounters>,
    ) -> Self {
        counters.associations_accepted.fetch_add(1, Ordering::Relaxed);
        counters.associations_open.fetch_add(1, Ordering::Relaxed);
        Self { id, intake: Arc::clone(intake), counters: Arc::clone(counters) }
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.counters.associations_open.fetch_sub(1, Ordering::Relaxed);
        self.intake.association_closed(self.id);
    }
}

/// What an Association works with.
pub(crate) struct Association {
    pub(crate) origin: InstanceOrigin,
    pub(crate) contexts: BTreeMap<u8, AcceptedContext>,
    pub(crate) peer_pdu_length_max: u32,
    /// The node's, narrowed to what the peer may.
    pub(crate) limits: Limits,
    pub(crate) peer: Option<Arc<PeerState>>,
    pub(crate) membership: Arc<Membership>,
    pub(crate) stopping: watch::Receiver<bool>,
    pub(crate) progress: Progress,
}

/// How far an Association came.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    pub(crate) stored: AtomicU64,
    pub(crate) refused: AtomicU64,
}

/// A request whose data set has not ended.
struct Pending {
    context_id: u8,
    request: Request,
}

enum Request {
    Store(StoreRequest, Reception),
    /// Its answer is known; its data set is thrown away.
    Answered(Response),
}

/// What is to be done about what came.
enum Step {
    Wait,
    Answer(u8, Response),
    Publish(u8, StoreRequest, Result<Received, StoreFault>),
    End(Ended),
}

impl Association {
    /// Serves the peer until the Association ends.
    pub(crate) async fn run<S: Transport>(&self, connection: &mut Connection<S>) -> Ended {
        self.serve(connection).await.unwrap_or_else(Ended::Failed)
    }

    async fn serve<S: Transport>(
        &self,
        connection: &mut Connection<S>,
    ) -> Result<Ended, ConnectionError> {
        let mut messages = MessageReader::new();
        let mut pending = None;
        let mut counted = 0;
        let mut pace = Pace::new(self.limits.idle_timeout, self.limits.slow_bytes_min);
        let started = Instant::now();
        loop {
            let incoming = if messages.is_idle() {
                let mut stopping = self.stopping.clone();
                tokio::select! {
                    biased;
                    _ = stopping.wait_for(|stopping| *stopping) => return Ok(Ended::Stopping),
                    incoming = connection.next(self.limits.idle_timeout) => incoming?,
                }
            } else {
                connection.next(self.limits.idle_timeout).await?
            };
            match self.on_incoming(incoming, &mut messages, &mut pending)? {
                Step::Wait => {}
                Step::Answer(context_id, response) => {
                    self.answer(connection, context_id, response).await?;
                }
                Step::Publish(context_id, request, received) => {
                    let response = self.publish(&request, received).await;
                    self.answer(connection, context_id, response).await?;
                }
                Step::End(ended) => return Ok(ended),
            }
            self.count_bytes(connection.bytes_read(), &mut counted);
            if messages.is_idle() {
                pace.rest();
            } else {
                let moves_on = pace.on_bytes(connection.bytes_read(), started.elapsed());
                moves_on.map_err(|_| ConnectionError::TooSlow(self.limits.idle_timeout))?;
            }
        }
    }

    fn on_incoming(
        &self,
        incoming: Incoming<'_>,
        messages: &mut MessageReader,
        pending: &mut Option<Pending>,
    ) -> Result<Step, ProtocolError> {
        let event = match incoming {
            Incoming::Fragment { fragment, bytes, ends } => {
                messages.on_fragment(fragment, bytes, ends)?
            }
            Incoming::Pdu(Pdu::ReleaseRequest) if messages.is_idle() => {
                return Ok(Step::End(Ended::Released));
            }
            Incoming::Pdu(Pdu::Abort(abort)) => return Ok(Step::End(Ended::AbortedByPeer(abort))),
            Incoming::Pdu(pdu) => return Err(ProtocolError::UnexpectedPdu(pdu.name())),
        };
        match event {
            None => Ok(Step::Wait),
            Some(MessageEvent::Command { context_id, command }) => {
                self.on_command(context_id, command, pending)
            }
            Some(MessageEvent::DataSet { bytes, is_end }) => {
                Ok(on_data_set(bytes, is_end, pending))
            }
        }
    }

    fn on_command(
        &self,
        context_id: u8,
        command: Command,
        pending: &mut Option<Pending>,
    ) -> Result<Step, ProtocolError> {
        let context = self.contexts.get(&context_id);
        let context = context.ok_or(ProtocolError::UnknownContext(context_id))?;
        let has_data_set = command.has_data_set();
        let request = match command {
            Command::EchoRequest { message_id } => Request::Answered(Response::to_echo(message_id)),
            Command::OtherRequest(request) => Request::Answered(Response::to_other(&request)),
            Command::StoreRequest(request) => self.on_store(request, context),
            Command::CancelRequest => return Ok(Step::Wait),
            Command::Response(_) => {
                return Err(ProtocolError::Fragments("a response came without a request"));
            }
        };
        match request {
            Request::Answered(response) if !has_data_set => Ok(Step::Answer(context_id, response)),
            Request::Answered(_) | Request::Store(..) => {
                *pending = Some(Pending { context_id, request });
                Ok(Step::Wait)
            }
        }
    }

    fn on_store(&self, request: StoreRequest, context: &AcceptedContext) -> Request {
        let transfer_syntax = TransferSyntaxUid::parse(&context.transfer_syntax)
            .map_err(|_| StoreFault::CommandUid("transfer syntax"));
        let announced = transfer_syntax
            .and_then(|syntax| announced(&request, &context.abstract_syntax, &syntax));
        match announced {
            Ok(_) if self.peer.as_ref().is_some_and(|peer| !peer.may_send()) => {
                Request::Answered(self.refuse(&request, &StoreFault::OverShare))
            }
            Ok(announced) => {
                let intake = self.membership.intake.as_ref();
                let reception = Reception::begin(announced, &self.origin, intake, &self.limits);
                Request::Store(request, reception)
            }
            Err(fault) => Request::Answered(self.refuse(&request, &fault)),
        }
    }

    /// Publishes what was received, waits until it is durable, and gives the answer.
    async fn publish(
        &self,
        request: &StoreRequest,
        received: Result<Received, StoreFault>,
    ) -> Response {
        let published = match received {
            Ok(received) => self.store(received).await.map_err(StoreFault::from),
            Err(fault) => Err(fault),
        };
        match published {
            Ok(()) => {
                self.progress.stored.fetch_add(1, Ordering::Relaxed);
                self.membership.counters.instances_stored.fetch_add(1, Ordering::Relaxed);
                Response::to_store(request, Status::SUCCESS, "")
            }
            Err(fault) => self.refuse(request, &fault),
        }
    }

    async fn store(&self, received: Received) -> Result<(), Refusal> {
        let Received { part, identity, bytes } = received;
        if let Some(peer) = &self.peer {
            peer.sent(bytes);
        }
        tracing::debug!(sop_instance = %identity.sop_instance, bytes, "received");
        let (answer, answered) = oneshot::channel();
        let membership = Arc::clone(&self.membership);
        let stored = move |outcome| {
            // Nobody waits any more when the node was told to stop at once.
            drop(answer.send(outcome));
            drop(membership);
        };
        part.publish(identity, Box::new(stored));
        let silent = |_| Err(Refusal::ProcessingFailure("the intake gave no answer".into()));
        answered.await.unwrap_or_else(silent)
    }

    fn refuse(&self, request: &StoreRequest, fault: &StoreFault) -> Response {
        let (status, comment) = status(fault);
        self.progress.refused.fetch_add(1, Ordering::Relaxed);
        self.membership.counters.instances_refused.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(sop_instance = ?request.sop_instance, %status, reason = %fault, "not stored");
        Response::to_store(request, status, comment)
    }

    async fn answer<S: Transport>(
        &self,
        connection: &mut Connection<S>,
        context_id: u8,
        response: Response,
    ) -> Result<(), ConnectionError> {
        let command = Command::Response(response).encode();
        let mut pdus = Vec::new();
        let writer = PDataWriter::new(context_id, self.peer_pdu_length_max);
        writer.put(&mut pdus, FragmentKind::Command, &command);
        connection.send(&pdus, self.write_limit()).await
    }

    fn write_limit(&self) -> Duration {
        self.limits.idle_timeout
    }

    fn count_bytes(&self, read: u64, counted: &mut u64) {
        if read != *counted {
            let new = read.saturating_sub(*counted);
            self.membership.counters.bytes_received.fetch_add(new, Ordering::Relaxed);
            *counted = read;
        }
    }
}

fn on_data_set(bytes: &[u8], is_end: bool, pending: &mut Option<Pending>) -> Step {
    if let Some(Pending { request: Request::Store(_, reception), .. }) = pending {
        reception.on_bytes(bytes);
    }
    if !is_end {
        return Step::Wait;
    }
    match pending.take() {
        Some(Pending { context_id, request: Request::Store(request, reception) }) => {
            Step::Publish(context_id, request, reception.end())
        }
        Some(Pending { context_id, request: Request::Answered(response) }) => {
            Step::Answer(context_id, response)
        }
        // The message reader lets no data set through without its command.
        None => Step::Wait,
    }
}
