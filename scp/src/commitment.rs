//! Storage commitment as an acceptor (PS3.4 Annex J): requests of peers are taken and reported on, reports of those whom we
//! asked are taken. What is kept, and what was asked, only the node knows.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use dimse::{
    Command, CommitmentError, NormalizedRequest, NormalizedService, Response, Status,
    check_commitment_message, commitment_bytes_max, commitment_status, decode_commitment_report,
    decode_commitment_request, uids,
};
use domain::{
    CommitmentRefusal, CommitmentReport, CommitmentRoles, Commitments, InstanceOrigin, Limits,
    RequestId, SharedCommitments,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use crate::answers::Answer;

/// How many of the longest data sets about storage commitment are held at a time, by all associations together.
const LONGEST_MAX: usize = 8;

/// What is held is counted in blocks of so many bytes.
const BLOCK_BYTES: usize = 1024;

/// What an association needs for storage commitment.
#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) commitments: Option<SharedCommitments>,
    /// A permit for each block that may be held.
    in_hand: Arc<Semaphore>,
}

/// A request or a report while its data set arrives.
pub(crate) struct NormalizedMessage {
    request: NormalizedRequest,
    commitments: SharedCommitments,
    data_set: Vec<u8>,
    bytes_max: usize,
    /// Permits for the blocks that the data set takes; `None` when there are no more, and nothing is held.
    held: Option<OwnedSemaphorePermit>,
    in_hand: Arc<Semaphore>,
    began: Instant,
    /// How long the data set may take in all: who sends it in drops does not hold memory for longer.
    within: Duration,
}

impl Service {
    /// With room for data sets as long as `limits` allow.
    pub(crate) fn new(commitments: Option<SharedCommitments>, limits: &Limits) -> Self {
        let blocks = commitment_bytes_max(limits).saturating_add(1).div_ceil(BLOCK_BYTES);
        let blocks = blocks.saturating_mul(LONGEST_MAX).min(Semaphore::MAX_PERMITS);
        Self { commitments, in_hand: Arc::new(Semaphore::new(blocks)) }
    }

    /// What peers may do.
    pub(crate) fn roles(&self) -> CommitmentRoles {
        self.commitments.as_ref().map(|commitments| commitments.roles()).unwrap_or_default()
    }

    /// Takes a command; the answer to it where its data set is of no interest.
    pub(crate) fn begin(
        &self,
        request: NormalizedRequest,
        abstract_syntax: &str,
        limits: &Limits,
    ) -> Result<NormalizedMessage, Response> {
        let refuse = |status, comment: &str| {
            tracing::warn!(%status, reason = comment, "not taken");
            Err(Response::to_normalized(&request, status, comment))
        };
        let may = match request.service {
            NormalizedService::Action => self.roles().may_ask,
            NormalizedService::EventReport => self.roles().may_report,
        };
        let commitments = self.commitments.as_ref().filter(|_| may);
        let (Some(commitments), uids::STORAGE_COMMITMENT) = (commitments, abstract_syntax) else {
            return refuse(
                Status::UNRECOGNIZED_OPERATION,
                "not an operation of this SOP Class here",
            );
        };
        if let Err(error) = check_commitment_message(&request) {
            return refuse(error.status(), &error.to_string());
        }
        Ok(NormalizedMessage {
            request,
            commitments: Arc::clone(commitments),
            data_set: Vec::new(),
            bytes_max: commitment_bytes_max(limits),
            held: Arc::clone(&self.in_hand).try_acquire_many_owned(0).ok(),
            in_hand: Arc::clone(&self.in_hand),
            began: Instant::now(),
            within: limits.idle_timeout,
        })
    }
}

impl NormalizedMessage {
    /// Takes bytes of the data set. What is longer than is taken is not held: one byte too many shows it.
    pub(crate) fn on_bytes(&mut self, bytes: &[u8]) {
        if self.held.is_none() {
            return;
        }
        let most = self.bytes_max.saturating_add(1);
        let room = most.saturating_sub(self.data_set.len());
        self.data_set.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        if self.began.elapsed() > self.within || !self.has_room() {
            (self.data_set, self.held) = (Vec::new(), None);
        }
    }

    /// Whether there are permits for all that is held.
    fn has_room(&mut self) -> bool {
        let Some(held) = &mut self.held else { return false };
        let more = self.data_set.len().div_ceil(BLOCK_BYTES).saturating_sub(held.num_permits());
        let more = u32::try_from(more).ok();
        let more =
            more.and_then(|more| Arc::clone(&self.in_hand).try_acquire_many_owned(more).ok());
        more.map(|more| held.merge(more)).is_some()
    }

    /// The data set is complete: hands the message to the node, and gives the answer when that is on stable storage.
    pub(crate) async fn end(
        self,
        context_id: u8,
        transfer_syntax: String,
        origin: InstanceOrigin,
        limits: Limits,
    ) -> Answer {
        let request = self.request.clone();
        let span = tracing::Span::current();
        let taken =
            spawn_blocking(move || span.in_scope(|| self.take(&transfer_syntax, &origin, &limits)));
        let taken = taken.await;
        let taken = taken.unwrap_or_else(|error| {
            tracing::error!(%error, "storage commitment failed by a bug");
            Err((Status::PROCESSING_FAILURE, String::new()))
        });
        match taken {
            Ok(owed) => {
                let response = Response::to_normalized(&request, Status::SUCCESS, "");
                Answer { owed, ..Answer::new(context_id, response) }
            }
            Err((status, comment)) => {
                Answer::new(context_id, Response::to_normalized(&request, status, &comment))
            }
        }
    }

    fn take(
        &self,
        transfer_syntax: &str,
        origin: &InstanceOrigin,
        limits: &Limits,
    ) -> Result<Option<RequestId>, (Status, String)> {
        let unreadable = |error: CommitmentError| {
            tracing::warn!(reason = %error, "not taken");
            (error.status(), error.to_string())
        };
        let refused = |refusal: CommitmentRefusal| {
            tracing::warn!(reason = %refusal, "not taken");
            let (status, comment) = commitment_status(&refusal);
            (status, comment.to_owned())
        };
        if self.held.is_none() {
            tracing::warn!("not taken: too many at a time, or too slow");
            let comment = "too many at a time or too slow, try again later";
            return Err((Status::RESOURCE_LIMITATION, comment.to_owned()));
        }
        match self.request.service {
            NormalizedService::Action => {
                let request = decode_commitment_request(&self.data_set, transfer_syntax, limits);
                let request = request.map_err(unreadable)?;
                self.commitments.ask(origin, &request).map(Some).map_err(refused)
            }
            NormalizedService::EventReport => {
                let report = decode_commitment_report(&self.data_set, transfer_syntax, limits);
                let report = report.map_err(unreadable)?;
                self.commitments.reported(origin, &report).map(|()| None).map_err(refused)
            }
        }
    }
}

/// A report that was sent over the association and is not answered.
struct Telling {
    message_id: u16,
    request: RequestId,
    report: CommitmentReport,
}

/// A peer that asked for storage commitment and says nothing more for this long, but keeps its association, gets the report
/// over it. One that is quicker to release it gets the report over another.
const REPORT_AFTER: Duration = Duration::from_secs(1);

/// The reports that are owed over an association.
#[derive(Default)]
pub(crate) struct Reports {
    owed: VecDeque<(u8, RequestId)>,
    telling: Option<Telling>,
    message_id: u16,
    /// The peer answered a report and said nothing else since.
    is_listening: bool,
}

/// A report to send.
pub(crate) struct Outgoing {
    pub(crate) context_id: u8,
    pub(crate) command: Command,
    pub(crate) report: CommitmentReport,
}

impl Reports {
    /// A request was answered: a report is owed on its presentation context.
    pub(crate) fn owe(&mut self, context_id: u8, request: RequestId) {
        if self.owed.iter().all(|(_, owed)| *owed != request) {
            self.owed.push_back((context_id, request));
        }
    }

    /// How long a peer has to be silent before it is told the next report.
    pub(crate) fn pause(&self) -> Duration {
        if self.is_listening { Duration::ZERO } else { REPORT_AFTER }
    }

    /// The peer has something else to say.
    pub(crate) fn on_request(&mut self) {
        self.is_listening = false;
    }

    /// A report could be sent.
    pub(crate) fn are_owed(&self) -> bool {
        self.telling.is_none() && !self.owed.is_empty()
    }

    /// The next report, if it is still owed.
    pub(crate) async fn next(&mut self, commitments: &SharedCommitments) -> Option<Outgoing> {
        let (context_id, request) = self.owed.pop_front()?;
        let asked = Arc::clone(commitments);
        let report = spawn_blocking(move || asked.report(request)).await.ok().flatten()?;
        self.message_id = self.message_id.wrapping_add(1);
        let message_id = self.message_id;
        let command = Command::NormalizedRequest(NormalizedRequest {
            service: NormalizedService::EventReport,
            message_id,
            sop_class: uids::STORAGE_COMMITMENT.to_owned(),
            sop_instance: uids::STORAGE_COMMITMENT_INSTANCE.to_owned(),
            type_id: Some(dimse::event_type_id(&report)),
            has_data_set: true,
        });
        self.telling = Some(Telling { message_id, request, report: report.clone() });
        Some(Outgoing { context_id, command, report })
    }

    /// Whether this response answers the report that was sent last.
    pub(crate) fn awaits(&self, response: &Response) -> bool {
        let is_it = |telling: &Telling| telling.message_id == response.message_id;
        response.is_to(NormalizedService::EventReport) && self.telling.as_ref().is_some_and(is_it)
    }

    /// The peer answered the report that was sent last.
    pub(crate) async fn on_response(
        &mut self,
        response: &Response,
        commitments: &SharedCommitments,
    ) {
        let Some(Telling { request, report, .. }) = self.telling.take() else { return };
        self.is_listening = true;
        let commitments = Arc::clone(commitments);
        let is_taken = response.status == Status::SUCCESS;
        if !is_taken {
            tracing::warn!(status = %response.status, comment = ?response.comment, "report not taken");
        }
        let tell = move || {
            if is_taken { commitments.told(request, &report) } else { commitments.left(request) }
        };
        log_panic(spawn_blocking(tell).await);
    }

    /// The association has ended: what is still owed goes another way.
    pub(crate) async fn end(self, commitments: &SharedCommitments) {
        let telling = self.telling.map(|telling| telling.request);
        let owed: Vec<_> = telling.into_iter().chain(self.owed.into_iter().map(|o| o.1)).collect();
        if owed.is_empty() {
            return;
        }
        let commitments: Arc<dyn Commitments> = Arc::clone(commitments);
        let leave = move || owed.into_iter().for_each(|request| commitments.left(request));
        log_panic(spawn_blocking(leave).await);
    }
}

fn log_panic<T>(joined: Result<T, tokio::task::JoinError>) {
    if let Err(error) = joined {
        tracing::error!(%error, "storage commitment failed by a bug");
    }
}
