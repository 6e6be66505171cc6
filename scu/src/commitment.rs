//! Storage commitment over Associations that we request (PS3.4 Annex J): as SCU we ask and may hear the report at once,
//! as SCP we give the report that we owe.

use std::time::Duration;

use dimse::{
    Category, Command, CommitmentError, ConnectionError, FragmentKind, NormalizedRequest,
    NormalizedService, PDataWriter, ProposedContext, REQUEST_STORAGE_COMMITMENT, Response,
    RoleSelection, Roles, Status, UserInformation, check_commitment_message, commitment_bytes_max,
    commitment_status, decode_commitment_report, encode_commitment_report,
    encode_commitment_request, event_type_id, uids,
};
use domain::{CommitmentRefusal, CommitmentReport, CommitmentRequest, Limits};
use tokio::time::timeout;

use crate::requestor::{Message, Requestor, answering};
use crate::{Route, ScuError, Timeouts};

/// The only presentation context.
const CONTEXT_ID: u8 = 1;

/// Takes a report, or says why not.
pub type OnReport<'a> = dyn FnMut(&CommitmentReport) -> Result<(), CommitmentRefusal> + Send + 'a;

/// What a destination said to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requested {
    /// It will report.
    Taken,
    /// It will not.
    Refused {
        /// The status.
        status: u16,
        /// Error Comment, perhaps empty.
        comment: String,
    },
}

/// Asks a destination to commit to instances. A report that comes over the same Association, until `wait` passes without
/// one, goes to `on_report`; later it comes to whoever listens under our title.
///
/// # Errors
/// [`ScuError::CommitmentNotAccepted`]; [`ScuError`] when the connection or the Association fails before the request is
/// answered.
pub async fn request_commitment<'a>(
    to: impl Into<Route<'a>>,
    request: &CommitmentRequest,
    (wait, timeouts): (Duration, &Timeouts),
    limits: &Limits,
    on_report: &mut OnReport<'_>,
) -> Result<Requested, ScuError> {
    let requestor = Requestor::open(to.into(), vec![context()], timeouts).await?;
    let mut asking = Asking { requestor, limits, on_report, io: timeouts.io, is_reported: false };
    let requested = match asking.ask(request).await {
        Ok(requested) => requested,
        Err(error) => return Err(asking.fail(error).await),
    };
    let waited = match requested {
        Requested::Taken => {
            // What begins in time may end; who goes on with other things is not listened to for ever.
            let limit = wait.saturating_add(timeouts.io);
            let waited = timeout(limit, asking.await_report(wait)).await;
            waited.unwrap_or_else(|_| Err(ConnectionError::TimedOut(limit).into()))
        }
        Requested::Refused { .. } => Ok(()),
    };
    match waited {
        Ok(()) => asking.requestor.release().await,
        Err(error) => {
            // The request was taken; its report may come over another Association.
            tracing::debug!(%error, "the association ended before a report came over it");
            asking.requestor.abort(&error).await;
        }
    }
    Ok(requested)
}

/// Tells a peer what we keep of what it asked for, over an Association of its own, on which we are SCP.
///
/// # Errors
/// [`ScuError::CommitmentNotAccepted`], [`ScuError::ReportNotTaken`]; [`ScuError`] when the connection or the Association
/// fails.
pub async fn report_commitment<'a>(
    to: impl Into<Route<'a>>,
    report: &CommitmentReport,
    timeouts: &Timeouts,
) -> Result<(), ScuError> {
    let sop_class = uids::STORAGE_COMMITMENT.to_owned();
    let role = RoleSelection { sop_class, roles: Roles::SCP };
    let user = UserInformation { roles: vec![role], ..Requestor::user() };
    let mut requestor = Requestor::open_as(to.into(), vec![context()], user, timeouts).await?;
    // A peer that says nothing of roles may still take the report; it answers it in any case.
    let is_scp = requestor.roles(uids::STORAGE_COMMITMENT).is_none_or(|roles| roles.scp);
    if !requestor.accepts(CONTEXT_ID) || !is_scp {
        requestor.release().await;
        return Err(ScuError::CommitmentNotAccepted);
    }
    match tell(&mut requestor, report).await {
        Ok(response) => {
            requestor.release().await;
            match response.status.category() {
                Category::Success | Category::Warning => Ok(()),
                Category::Failure | Category::Cancel | Category::Pending => {
                    let Response { status, comment, .. } = response;
                    Err(ScuError::ReportNotTaken { status, comment })
                }
            }
        }
        Err(error) => {
            requestor.abort(&error).await;
            Err(error)
        }
    }
}

async fn tell(requestor: &mut Requestor, report: &CommitmentReport) -> Result<Response, ScuError> {
    let syntax = requestor.transfer_syntax(CONTEXT_ID).unwrap_or_default();
    let data_set = encode_commitment_report(report, syntax);
    let service = NormalizedService::EventReport;
    let message_id = send(requestor, service, event_type_id(report), &data_set).await?;
    requestor.response(message_id).await
}

fn context() -> ProposedContext {
    let syntaxes = [uids::EXPLICIT_VR_LITTLE_ENDIAN, uids::IMPLICIT_VR_LITTLE_ENDIAN];
    ProposedContext {
        id: CONTEXT_ID,
        abstract_syntax: uids::STORAGE_COMMITMENT.to_owned(),
        transfer_syntaxes: syntaxes.map(str::to_owned).to_vec(),
    }
}

/// Sends a request about the one instance of the SOP class; gives its Message ID.
async fn send(
    requestor: &mut Requestor,
    service: NormalizedService,
    type_id: u16,
    data_set: &[u8],
) -> Result<u16, ScuError> {
    let message_id = requestor.next_message_id();
    let command = Command::NormalizedRequest(NormalizedRequest {
        service,
        message_id,
        sop_class: uids::STORAGE_COMMITMENT.to_owned(),
        sop_instance: uids::STORAGE_COMMITMENT_INSTANCE.to_owned(),
        type_id: Some(type_id),
        has_data_set: true,
    });
    let writer = PDataWriter::new(CONTEXT_ID, requestor.peer_pdu_length_max());
    let mut pdus = Vec::new();
    writer.put(&mut pdus, FragmentKind::Command, &command.encode());
    requestor.send(&pdus).await?;
    for stretch in writer.stretches(FragmentKind::DataSet, data_set) {
        requestor.send(&stretch).await?;
    }
    Ok(message_id)
}

/// An Association over which a destination is asked.
struct Asking<'a, 'b> {
    requestor: Requestor,
    limits: &'a Limits,
    on_report: &'a mut OnReport<'b>,
    io: Duration,
    is_reported: bool,
}

impl Asking<'_, '_> {
    async fn ask(&mut self, request: &CommitmentRequest) -> Result<Requested, ScuError> {
        if !self.requestor.accepts(CONTEXT_ID) {
            return Err(ScuError::CommitmentNotAccepted);
        }
        let syntax = self.requestor.transfer_syntax(CONTEXT_ID).unwrap_or_default();
        let data_set = encode_commitment_request(request, syntax);
        let (service, action) = (NormalizedService::Action, REQUEST_STORAGE_COMMITMENT);
        let message_id = send(&mut self.requestor, service, action, &data_set).await?;
        let limit = self.io;
        let answered = timeout(limit, self.await_answer(message_id)).await;
        answered.map_err(|_| ConnectionError::TimedOut(limit))?
    }

    async fn await_answer(&mut self, message_id: u16) -> Result<Requested, ScuError> {
        loop {
            let message = self.message(self.io).await?;
            // The report may be quicker than the response.
            if let Command::NormalizedRequest(asked) = message.command {
                self.answer(&asked, message.context_id, &message.data_set).await?;
            } else {
                return Ok(requested(answering(message.command, message_id)?));
            }
        }
    }

    /// Waits until a report came; what else comes meanwhile is answered, too.
    async fn await_report(&mut self, wait: Duration) -> Result<(), ScuError> {
        while !self.is_reported {
            let message = match self.message(wait).await {
                Ok(message) => message,
                Err(ScuError::Connection(ConnectionError::TimedOut(_)))
                    if self.requestor.is_between_messages() =>
                {
                    return Ok(());
                }
                Err(error) => return Err(error),
            };
            let Message { context_id, command, data_set } = message;
            if let Command::NormalizedRequest(asked) = command {
                self.answer(&asked, context_id, &data_set).await?;
            } else {
                // No response is due any more: none has this Message ID.
                answering(command, 0)?;
            }
        }
        Ok(())
    }

    async fn message(&mut self, limit: Duration) -> Result<Message, ScuError> {
        // One byte more than is taken shows that there is more.
        let most = commitment_bytes_max(self.limits).saturating_add(1);
        self.requestor.message(limit, most).await
    }

    async fn answer(
        &mut self,
        request: &NormalizedRequest,
        context_id: u8,
        data_set: &[u8],
    ) -> Result<(), ScuError> {
        let syntax = self.requestor.transfer_syntax(context_id).unwrap_or_default();
        let (status, comment) = match report(request, data_set, syntax, self.limits) {
            Ok(report) => {
                self.is_reported = true;
                match (self.on_report)(&report) {
                    Ok(()) => (Status::SUCCESS, String::new()),
                    Err(refusal) => {
                        let (status, comment) = commitment_status(&refusal);
                        (status, comment.to_owned())
                    }
                }
            }
            Err(error) => (error.status(), error.to_string()),
        };
        let response = Response::to_normalized(request, status, &comment);
        let mut pdus = Vec::new();
        let writer = PDataWriter::new(context_id, self.requestor.peer_pdu_length_max());
        writer.put(&mut pdus, FragmentKind::Command, &Command::Response(response).encode());
        self.requestor.send(&pdus).await
    }

    /// Ends the Association after an error before the request was answered.
    async fn fail(self, error: ScuError) -> ScuError {
        if matches!(error, ScuError::CommitmentNotAccepted) {
            self.requestor.release().await;
        } else {
            self.requestor.abort(&error).await;
        }
        error
    }
}

fn requested(response: Response) -> Requested {
    match response.status.category() {
        Category::Success | Category::Warning => Requested::Taken,
        Category::Failure | Category::Cancel | Category::Pending => {
            Requested::Refused { status: response.status.0, comment: response.comment }
        }
    }
}

/// The report in a message of the acceptor, which is SCP here and may send nothing else.
fn report(
    request: &NormalizedRequest,
    data_set: &[u8],
    syntax: &str,
    limits: &Limits,
) -> Result<CommitmentReport, CommitmentError> {
    check_commitment_message(request)?;
    match request.service {
        NormalizedService::EventReport => decode_commitment_report(data_set, syntax, limits),
        NormalizedService::Action => Err(CommitmentError::NoSuchAction),
    }
}
