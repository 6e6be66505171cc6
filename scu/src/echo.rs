//! C-ECHO (PS3.4 Annex A, PS3.7 §9.1.5).

use dimse::{Command, FragmentKind, PDataWriter, ProposedContext, Response, Status, uids};

use crate::requestor::Requestor;
use crate::{Route, ScuError, Timeouts};

/// The only presentation context.
const CONTEXT_ID: u8 = 1;

/// Asks a destination whether it is there, over an Association of its own.
///
/// # Errors
/// [`ScuError`] for anything but success.
pub async fn echo<'a>(to: impl Into<Route<'a>>, timeouts: &Timeouts) -> Result<(), ScuError> {
    let syntaxes = [uids::IMPLICIT_VR_LITTLE_ENDIAN, uids::EXPLICIT_VR_LITTLE_ENDIAN];
    let context = ProposedContext {
        id: CONTEXT_ID,
        abstract_syntax: uids::VERIFICATION.to_owned(),
        transfer_syntaxes: syntaxes.map(str::to_owned).to_vec(),
    };
    let mut requestor = Requestor::open(to.into(), vec![context], timeouts).await?;
    if !requestor.accepts(CONTEXT_ID) {
        requestor.release().await;
        return Err(ScuError::VerificationNotAccepted);
    }
    match verify(&mut requestor).await {
        Ok(response) => {
            requestor.release().await;
            judge(&response)
        }
        Err(error) => {
            requestor.abort(&error).await;
            Err(error)
        }
    }
}

async fn verify(requestor: &mut Requestor) -> Result<Response, ScuError> {
    let message_id = requestor.next_message_id();
    let command = Command::EchoRequest { message_id }.encode();
    let mut pdus = Vec::new();
    let writer = PDataWriter::new(CONTEXT_ID, requestor.peer_pdu_length_max());
    writer.put(&mut pdus, FragmentKind::Command, &command);
    requestor.send(&pdus).await?;
    requestor.response(message_id).await
}

fn judge(response: &Response) -> Result<(), ScuError> {
    if response.status == Status::SUCCESS { Ok(()) } else { Err(ScuError::Echo(response.status)) }
}
