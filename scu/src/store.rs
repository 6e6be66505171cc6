//! C-STORE (PS3.4 Annex B, PS3.7 §9.1.1): instances to a destination, in order; as many unanswered at a time as it agrees
//! to, answered in any order.

use std::collections::BTreeMap;
use std::path::PathBuf;

use dimse::{
    Category, Command, ConnectionError, FragmentKind, OperationsWindow, PDataWriter, ProtocolError,
    Response, StoreRequest, UserInformation,
};
use domain::InstanceIdentity;

use crate::contexts::{Contexts, batch};
use crate::file::DataSetFile;
use crate::requestor::Requestor;
use crate::{Route, ScuError, Timeouts};

/// Bytes that are sent in one write: several PDUs where the peer takes only short ones.
const WRITE_BYTES: usize = 128 * 1024;

/// Operations that we have outstanding at most: enough that a receiver that flushes need not wait for us.
const OPERATIONS_MAX: u16 = 16;

/// An instance to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// What it is.
    pub identity: InstanceIdentity,
    /// The DICOM file (PS3.10) that holds it.
    pub path: PathBuf,
}

/// What the destination said to an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Stored: status 0000.
    Stored,
    /// Stored, with this warning status.
    StoredWithWarning(u16),
    /// Not stored.
    Refused {
        /// The status.
        status: u16,
        /// Error Comment, perhaps empty.
        comment: String,
    },
    /// The destination takes no such SOP class in this transfer syntax; nothing was sent.
    NotAccepted,
}

/// Sends instances in order over one Association; over several, one after another, only where they need more than 128
/// presentation contexts. `progress` hears of each outcome, with the index of its instance, as soon as it is known.
///
/// Files are read with plain blocking calls on the caller's task.
///
/// # Errors
/// [`ScuError`] when the connection or the Association fails, or a file cannot be read. What `progress` has not heard
/// of is then not known to be stored.
pub async fn store<'a>(
    to: impl Into<Route<'a>>,
    instances: &[Outgoing],
    timeouts: &Timeouts,
    progress: &mut (dyn FnMut(usize, &Outcome) + Send),
) -> Result<Vec<Outcome>, ScuError> {
    let route = to.into();
    let mut outcomes = Vec::with_capacity(instances.len());
    while let Some(rest) = instances.get(outcomes.len()..).filter(|rest| !rest.is_empty()) {
        let (contexts, count) = batch(rest);
        let window = OperationsWindow { invoked: OPERATIONS_MAX, performed: 1 };
        let user = UserInformation { operations_window: Some(window), ..Requestor::user() };
        let mut requestor = Requestor::open_as(route, contexts.proposed(), user, timeouts).await?;
        let first = outcomes.len();
        let mut tell = |index: usize, outcome: &Outcome| {
            progress(first.saturating_add(index), outcome);
        };
        let batch = rest.get(..count).unwrap_or(rest);
        match store_batch(&mut requestor, batch, &contexts, &mut tell).await {
            Ok(stored) => outcomes.extend(stored),
            Err(error) => {
                requestor.abort(&error).await;
                return Err(error);
            }
        }
        requestor.release().await;
    }
    Ok(outcomes)
}

/// The instances of one Association; as many are outstanding as was agreed.
async fn store_batch(
    requestor: &mut Requestor,
    instances: &[Outgoing],
    contexts: &Contexts,
    progress: &mut (dyn FnMut(usize, &Outcome) + Send),
) -> Result<Vec<Outcome>, ScuError> {
    let mut outcomes = BTreeMap::new();
    let mut outstanding = BTreeMap::new();
    for (index, instance) in instances.iter().enumerate() {
        let context_id = contexts.id(&instance.identity).filter(|id| requestor.accepts(*id));
        let Some(context_id) = context_id else {
            progress(index, &Outcome::NotAccepted);
            outcomes.insert(index, Outcome::NotAccepted);
            continue;
        };
        let data_set = DataSetFile::open(instance)?;
        let message_id = send(requestor, &instance.identity, context_id, data_set).await?;
        outstanding.insert(message_id, index);
        while outstanding.len() >= requestor.operations_max() {
            take_one(requestor, &mut outstanding, &mut outcomes, progress).await?;
        }
    }
    while !outstanding.is_empty() {
        take_one(requestor, &mut outstanding, &mut outcomes, progress).await?;
    }
    Ok(outcomes.into_values().collect())
}

/// Takes the next response, whichever request it answers.
async fn take_one(
    requestor: &mut Requestor,
    outstanding: &mut BTreeMap<u16, usize>,
    outcomes: &mut BTreeMap<usize, Outcome>,
    progress: &mut (dyn FnMut(usize, &Outcome) + Send),
) -> Result<(), ScuError> {
    let response = requestor.next_response().await?;
    let wrong = ProtocolError::Fragments("a response to another request came");
    let index = outstanding.remove(&response.message_id);
    let index = index.ok_or_else(|| ConnectionError::from(wrong))?;
    let outcome = outcome(response);
    progress(index, &outcome);
    outcomes.insert(index, outcome);
    Ok(())
}

/// One C-STORE, whatever the data set is read from.
pub(crate) async fn send_data_set(
    requestor: &mut Requestor,
    identity: &InstanceIdentity,
    context_id: u8,
    data_set: DataSetFile<'_>,
) -> Result<Outcome, ScuError> {
    let message_id = send(requestor, identity, context_id, data_set).await?;
    Ok(outcome(requestor.response(message_id).await?))
}

/// Sends a C-STORE-RQ with its data set; gives its Message ID.
async fn send(
    requestor: &mut Requestor,
    identity: &InstanceIdentity,
    context_id: u8,
    mut data_set: DataSetFile<'_>,
) -> Result<u16, ScuError> {
    let message_id = requestor.next_message_id();
    let request = StoreRequest {
        message_id,
        sop_class: identity.sop_class.to_string(),
        sop_instance: identity.sop_instance.to_string(),
        has_data_set: true,
    };
    let writer = PDataWriter::new(context_id, requestor.peer_pdu_length_max());
    let mut pdus = Vec::new();
    writer.put(&mut pdus, FragmentKind::Command, &Command::StoreRequest(request).encode());
    // The first write has the command and the beginning of the data set.
    while put_data_set(&writer, &mut data_set, &mut pdus)? {
        requestor.send(&pdus).await?;
        pdus.clear();
    }
    requestor.send(&pdus).await?;
    Ok(message_id)
}

/// Appends PDUs with the next bytes of the data set, up to one write; true when there are more.
fn put_data_set(
    writer: &PDataWriter,
    data_set: &mut DataSetFile<'_>,
    pdus: &mut Vec<u8>,
) -> Result<bool, ScuError> {
    loop {
        let count = usize::try_from(data_set.left()).unwrap_or(usize::MAX);
        let count = count.min(writer.fragment_bytes());
        let is_last = u64::try_from(count).is_ok_and(|count| count == data_set.left());
        pdus.extend_from_slice(&writer.header(FragmentKind::DataSet, count, is_last));
        data_set.read(pdus, count)?;
        if is_last {
            return Ok(false);
        }
        if pdus.len() >= WRITE_BYTES {
            return Ok(true);
        }
    }
}

fn outcome(response: Response) -> Outcome {
    let status = response.status;
    match status.category() {
        Category::Success => Outcome::Stored,
        Category::Warning => Outcome::StoredWithWarning(status.0),
        Category::Failure | Category::Cancel | Category::Pending => {
            Outcome::Refused { status: status.0, comment: response.comment }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dimse::Status;

    #[test]
    fn statuses_as_outcomes() {
        let request = StoreRequest {
            message_id: 1,
            sop_class: "1.2".into(),
            sop_instance: "1.3".into(),
            has_data_set: true,
        };
        let of = |status| outcome(Response::to_store(&request, Status(status), "why"));
        assert_eq!(of(0x0000), Outcome::Stored);
        assert_eq!(of(0xB006), Outcome::StoredWithWarning(0xB006));
        let refused = |status| Outcome::Refused { status, comment: "why".into() };
        assert_eq!(of(0xA700), refused(0xA700));
        assert_eq!(of(0xFF00), refused(0xFF00));
        assert_eq!(of(0x4711), refused(0x4711));
    }
}
