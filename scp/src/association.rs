//! An established Association (PS3.8 state Sta6): messages in, responses out, until it ends.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use dimse::{
    Abort, AcceptedContext, Command, Connection, ConnectionError, FragmentKind, Incoming,
    MessageEvent, MessageReader, NormalizedRequest, PDataWriter, Pdu, Pieces, ProtocolError,
    Response, StoreRequest, Transport, encode_commitment_report, uids,
};
use domain::{AssociationId, InstanceOrigin, Intake, Limits, Parting, TransferSyntaxUid};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Instant, sleep, timeout};

use crate::ScpCounters;
use crate::answers::{Answer, Answers};
use crate::commitment::{NormalizedMessage, Reports, Service};
use crate::fault::StoreFault;
use crate::pace::Pace;
use crate::pause::Pauses;
use crate::peers::PeerState;
use crate::reception::{Received, Reception, announced};

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

/// Held while an Association is open: of all, and of those of its peer.
pub(crate) type Places = (OwnedSemaphorePermit, Option<OwnedSemaphorePermit>);

/// Says that an Association has ended when the last who works for it is gone: the task, or a publication that it no
/// longer waits for. Its places are free then: each publication has a file open.
pub(crate) struct Membership {
    id: AssociationId,
    intake: Arc<dyn Intake>,
    pub(crate) counters: Arc<ScpCounters>,
    was_released: AtomicBool,
    _places: Places,
}

impl Membership {
    /// Counts an Association in.
    pub(crate) fn new(
        id: AssociationId,
        intake: &Arc<dyn Intake>,
        counters: &Arc<ScpCounters>,
        places: Places,
    ) -> Self {
        counters.associations_accepted.fetch_add(1, Ordering::Relaxed);
        counters.associations_open.fetch_add(1, Ordering::Relaxed);
        let was_released = AtomicBool::new(false);
        let (intake, counters) = (Arc::clone(intake), Arc::clone(counters));
        Self { id, intake, counters, was_released, _places: places }
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.counters.associations_open.fetch_sub(1, Ordering::Relaxed);
        let was_released = self.was_released.load(Ordering::Acquire);
        let parting = if was_released { Parting::Released } else { Parting::Aborted };
        self.intake.association_closed(self.id, parting);
    }
}

/// What an Association works with.
pub(crate) struct Association {
    pub(crate) origin: InstanceOrigin,
    pub(crate) contexts: BTreeMap<u8, AcceptedContext>,
    pub(crate) peer_pdu_length_max: u32,
    /// Operations that the peer may have outstanding.
    pub(crate) operations_max: usize,
    /// The node's, narrowed to what the peer may.
    pub(crate) limits: Limits,
    pub(crate) peer: Option<Arc<PeerState>>,
    pub(crate) membership: Arc<Membership>,
    pub(crate) commitment: Service,
    pub(crate) pauses: Arc<Pauses>,
    pub(crate) stopping: watch::Receiver<bool>,
    pub(crate) progress: Progress,
}

/// How far an Association came.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    pub(crate) stored: AtomicU64,
    pub(crate) refused: AtomicU64,
}

/// A message whose data set has not ended.
struct Pending {
    context_id: u8,
    message: Arriving,
}

enum Arriving {
    Store(StoreRequest, Reception),
    /// It is not stored; its data set is thrown away.
    Refused(StoreRequest, StoreFault),
    Normalized(NormalizedMessage),
    /// Its answer is known; its data set is thrown away.
    Answered(Response),
    /// It answers a report of ours; its data set is thrown away.
    Response(Response),
}

/// What changes as messages come.
struct State<'a> {
    messages: MessageReader,
    pending: Option<Pending>,
    answers: Answers<'a>,
    reports: Reports,
}

/// What is to be done about what came.
enum Step {
    Wait,
    Answer(u8, Response),
    Publish(u8, StoreRequest, Result<Received, StoreFault>),
    Commitment(u8, NormalizedMessage),
    /// The peer answered a report.
    Told(Response),
    /// The peer gave us time to report.
    Report,
    Release,
    End(Ended),
}

impl Association {
    /// Serves the peer until the Association ends.
    pub(crate) async fn run<S: Transport>(&self, connection: &mut Connection<S>) -> Ended {
        let mut state = State {
            messages: MessageReader::new(),
            pending: None,
            answers: Answers::new(self.operations_max),
            reports: Reports::default(),
        };
        let ended = self.serve(connection, &mut state).await.unwrap_or_else(Ended::Failed);
        if matches!(ended, Ended::Released) {
            self.membership.was_released.store(true, Ordering::Release);
        }
        if let Some(commitments) = &self.commitment.commitments {
            state.reports.end(commitments).await;
        }
        ended
    }

    async fn serve<'a, S: Transport>(
        &'a self,
        connection: &mut Connection<S>,
        state: &mut State<'a>,
    ) -> Result<Ended, ConnectionError> {
        let mut counted = 0;
        let mut pace = Pace::new(self.limits.idle_timeout, self.limits.slow_bytes_min);
        let started = Instant::now();
        loop {
            match self.next(connection, state).await? {
                Step::Wait => {}
                Step::Answer(context_id, response) => {
                    state.answers.push(std::future::ready(Answer::new(context_id, response)));
                }
                Step::Publish(context_id, request, received) => {
                    state.answers.push(self.publish(context_id, request, received));
                }
                Step::Commitment(context_id, message) => {
                    state.answers.push(self.commit(context_id, message));
                }
                Step::Told(response) => {
                    if let Some(commitments) = &self.commitment.commitments {
                        state.reports.on_response(&response, commitments).await;
                    }
                }
                Step::Report => self.report(connection, &mut state.reports).await?,
                Step::Release => {
                    while !state.answers.is_empty() {
                        state.answers.wait().await;
                        self.send_answers(connection, state).await?;
                    }
                    return Ok(Ended::Released);
                }
                Step::End(ended) => return Ok(ended),
            }
            self.send_answers(connection, state).await?;
            self.count_bytes(connection.bytes_read(), &mut counted);
            if state.messages.is_idle() {
                pace.rest();
            } else {
                let moves_on = pace.on_bytes(connection.bytes_read(), started.elapsed());
                moves_on.map_err(|_| ConnectionError::TooSlow(self.limits.idle_timeout))?;
            }
        }
    }

    /// Waits for what comes first: bytes, an answer that is ready, time to report, or the end of the node. Bytes are read on
    /// while answers are outstanding, up to the number of operations that was agreed.
    async fn next<'a, S: Transport>(
        &'a self,
        connection: &mut Connection<S>,
        state: &mut State<'a>,
    ) -> Result<Step, ConnectionError> {
        let limit = self.limits.idle_timeout;
        let State { messages, pending, answers, reports } = state;
        let (is_idle, is_answered) = (messages.is_idle(), answers.is_empty());
        if !is_idle && is_answered {
            let incoming = connection.next(limit).await?;
            return Ok(self.on_incoming(incoming, messages, pending, reports)?);
        }
        let mut stopping = self.stopping.clone();
        let begins_no_more = is_idle && *stopping.borrow();
        let may_read = !answers.is_full() && !begins_no_more;
        tokio::select! {
            biased;
            _ = stopping.wait_for(|stopping| *stopping), if is_idle && is_answered => {
                Ok(Step::End(Ended::Stopping))
            }
            () = answers.wait(), if !is_answered => Ok(Step::Wait),
            incoming = connection.next(limit), if may_read => {
                Ok(self.on_incoming(incoming?, messages, pending, reports)?)
            }
            () = sleep(reports.pause()), if is_idle && is_answered && reports.are_owed() => {
                Ok(Step::Report)
            }
        }
    }

    fn on_incoming(
        &self,
        incoming: Incoming<'_>,
        messages: &mut MessageReader,
        pending: &mut Option<Pending>,
        reports: &mut Reports,
    ) -> Result<Step, ProtocolError> {
        let event = match incoming {
            Incoming::Fragment { fragment, bytes, ends } => {
                messages.on_fragment(fragment, bytes, ends)?
            }
            Incoming::Pdu(Pdu::ReleaseRequest) if messages.is_idle() => return Ok(Step::Release),
            Incoming::Pdu(Pdu::Abort(abort)) => return Ok(Step::End(Ended::AbortedByPeer(abort))),
            Incoming::Pdu(pdu) => return Err(ProtocolError::UnexpectedPdu(pdu.name())),
        };
        match event {
            None => Ok(Step::Wait),
            Some(MessageEvent::Command { context_id, command }) => {
                let has_data_set = command.has_data_set();
                let Some(message) = self.on_command(context_id, command, reports)? else {
                    return Ok(Step::Wait);
                };
                if has_data_set {
                    *pending = Some(Pending { context_id, message });
                    return Ok(Step::Wait);
                }
                Ok(finish(Pending { context_id, message }))
            }
            Some(MessageEvent::DataSet { bytes, is_end }) => {
                if let Some(peer) = &self.peer {
                    peer.sent(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
                }
                Ok(on_data_set(bytes, is_end, pending))
            }
        }
    }

    /// What a command begins; `None` when it begins nothing.
    fn on_command(
        &self,
        context_id: u8,
        command: Command,
        reports: &mut Reports,
    ) -> Result<Option<Arriving>, ProtocolError> {
        let context = self.contexts.get(&context_id);
        let context = context.ok_or(ProtocolError::UnknownContext(context_id))?;
        if !matches!(command, Command::Response(_)) {
            reports.on_request();
        }
        Ok(Some(match command {
            Command::EchoRequest { message_id } => {
                let is_there = context.abstract_syntax == uids::VERIFICATION;
                Arriving::Answered(Response::to_echo(message_id, is_there))
            }
            Command::OtherRequest(request) => Arriving::Answered(Response::to_other(&request)),
            Command::StoreRequest(request) => self.on_store(request, context),
            Command::NormalizedRequest(request) => self.on_normalized(request, context),
            Command::CancelRequest => return Ok(None),
            Command::Response(response) if reports.awaits(&response) => {
                Arriving::Response(response)
            }
            Command::Response(_) => {
                return Err(ProtocolError::Fragments("a response came without a request"));
            }
        }))
    }

    fn on_store(&self, request: StoreRequest, context: &AcceptedContext) -> Arriving {
        let transfer_syntax = TransferSyntaxUid::parse(&context.transfer_syntax)
            .map_err(|_| StoreFault::CommandUid("transfer syntax"));
        let announced = transfer_syntax
            .and_then(|syntax| announced(&request, &context.abstract_syntax, &syntax));
        match announced {
            Ok(_) if self.peer.as_ref().is_some_and(|peer| !peer.may_send()) => {
                Arriving::Refused(request, StoreFault::OverShare)
            }
            Ok(announced) => {
                let intake = self.membership.intake.as_ref();
                let reception = Reception::begin(announced, &self.origin, intake, &self.limits);
                Arriving::Store(request, reception)
            }
            Err(fault) => Arriving::Refused(request, fault),
        }
    }

    fn on_normalized(&self, request: NormalizedRequest, context: &AcceptedContext) -> Arriving {
        let begun = self.commitment.begin(request, &context.abstract_syntax, &self.limits);
        begun.map_or_else(Arriving::Answered, Arriving::Normalized)
    }

    /// Hands a message about storage commitment to the node.
    fn commit(
        &self,
        context_id: u8,
        message: NormalizedMessage,
    ) -> impl Future<Output = Answer> + Send + use<> {
        let context = self.contexts.get(&context_id);
        let syntax = context.map(|context| context.transfer_syntax.clone()).unwrap_or_default();
        message.end(context_id, syntax, self.origin.clone(), self.limits.clone())
    }

    /// Sends the report that is owed longest over this association.
    async fn report<S: Transport>(
        &self,
        connection: &mut Connection<S>,
        reports: &mut Reports,
    ) -> Result<(), ConnectionError> {
        let Some(commitments) = &self.commitment.commitments else { return Ok(()) };
        let Some(outgoing) = reports.next(commitments).await else { return Ok(()) };
        let context = self.contexts.get(&outgoing.context_id);
        let syntax = context.map(|context| context.transfer_syntax.as_str()).unwrap_or_default();
        let data_set = encode_commitment_report(&outgoing.report, syntax);
        let writer = PDataWriter::new(outgoing.context_id, self.peer_pdu_length_max);
        let mut command = Vec::new();
        writer.put(&mut command, FragmentKind::Command, &outgoing.command.encode());
        let limit = self.write_limit();
        let sent = timeout(limit, async {
            connection.send(&command, limit).await?;
            for stretch in writer.stretches(FragmentKind::DataSet, &data_set) {
                connection.send(&stretch, limit).await?;
            }
            Ok(())
        });
        sent.await.unwrap_or(Err(ConnectionError::TimedOut(limit)))
    }

    /// Sends all answers that are ready in one write.
    async fn send_answers<S: Transport>(
        &self,
        connection: &mut Connection<S>,
        state: &mut State<'_>,
    ) -> Result<(), ConnectionError> {
        let answers = state.answers.take();
        if answers.is_empty() {
            return Ok(());
        }
        let mut pdus = Vec::new();
        for Answer { context_id, response, owed } in answers {
            let writer = PDataWriter::new(context_id, self.peer_pdu_length_max);
            writer.put(&mut pdus, FragmentKind::Command, &Command::Response(response).encode());
            owed.into_iter().for_each(|request| state.reports.owe(context_id, request));
        }
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

fn on_data_set(bytes: Pieces<'_>, is_end: bool, pending: &mut Option<Pending>) -> Step {
    match pending.as_mut().map(|pending| &mut pending.message) {
        Some(Arriving::Store(_, reception)) => reception.on_bytes(bytes),
        Some(Arriving::Normalized(message)) => {
            bytes.iter().for_each(|piece| message.on_bytes(piece))
        }
        Some(Arriving::Refused(..) | Arriving::Answered(_) | Arriving::Response(_)) | None => {}
    }
    if !is_end {
        return Step::Wait;
    }
    // The message reader lets no data set through without its command.
    pending.take().map_or(Step::Wait, finish)
}

/// A message is complete.
fn finish(Pending { context_id, message }: Pending) -> Step {
    match message {
        Arriving::Store(request, reception) => Step::Publish(context_id, request, reception.end()),
        Arriving::Refused(request, fault) => Step::Publish(context_id, request, Err(fault)),
        Arriving::Normalized(message) => Step::Commitment(context_id, message),
        Arriving::Answered(response) => Step::Answer(context_id, response),
        Arriving::Response(response) => Step::Told(response),
    }
}
