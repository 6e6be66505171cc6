//! The data sets of storage commitment (PS3.4 Tables J.3-1 and J.3-2) as values, both ways.
//!
//! Optional attributes such as Retrieve AE Title and Storage Media File-Set ID are neither written nor looked at.

use dataset::{DataSet, Encoding, End, ReadLimits, Vr, tags};
use domain::{
    CommitmentRefusal, CommitmentReport, CommitmentRequest, FailureReason, InstanceReference,
    Limits, SopClassUid, SopInstanceUid, Tag, TransactionUid, TransferSyntaxUid,
};
use thiserror::Error;

use crate::{NormalizedRequest, NormalizedService, Status, uids};

/// Action Type ID: request storage commitment.
pub const REQUEST_STORAGE_COMMITMENT: u16 = 1;
/// Event Type ID: everything is kept.
pub const COMMITMENT_SUCCESSFUL: u16 = 1;
/// Event Type ID: the request was looked at, and some of it is not kept.
pub const COMMITMENT_FAILURES_EXIST: u16 = 2;

/// Bytes of an item with two UIDs of 64 characters and their headers, with lengths or delimiters, and some to spare.
const REFERENCE_BYTES_MAX: usize = 200;
/// Bytes of everything else.
const OTHER_BYTES_MAX: usize = 64 * 1024;
/// Longest value of interest: a UID.
const VALUE_BYTES_MAX: usize = 64;
/// Behind every attribute.
const NO_TAG: Tag = Tag::new(0xFFFF, 0xFFFF);

/// Why a data set is no request and no report.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CommitmentError {
    /// The request names another SOP class than that of storage commitment.
    #[error("the SOP Class is not Storage Commitment Push Model")]
    OtherSopClass,
    /// The request names another instance than the one that there is.
    #[error("the SOP Instance is not that of Storage Commitment Push Model")]
    OtherSopInstance,
    /// N-ACTION with another Action Type ID than 1.
    #[error("there is no such action")]
    NoSuchAction,
    /// N-EVENT-REPORT with another Event Type ID than 1 and 2.
    #[error("there is no such event type")]
    NoSuchEventType,
    /// It cannot be parsed.
    #[error("the data set cannot be read: {0}")]
    Unreadable(String),
    /// A mandatory attribute is absent or empty.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A value that cannot be.
    #[error("{0} has a value that cannot be")]
    Malformed(&'static str),
    /// More references, or more bytes, than are taken.
    #[error("more than {0} references")]
    TooMany(usize),
}

impl CommitmentError {
    /// The status that it is answered with (PS3.7 Annex C).
    #[must_use]
    pub fn status(&self) -> Status {
        match self {
            Self::OtherSopClass => Status::NO_SUCH_SOP_CLASS,
            Self::OtherSopInstance => Status::NO_SUCH_SOP_INSTANCE,
            Self::NoSuchAction => Status::NO_SUCH_ACTION,
            Self::NoSuchEventType => Status::NO_SUCH_EVENT_TYPE,
            Self::Unreadable(_) | Self::Malformed(_) => Status::INVALID_ARGUMENT_VALUE,
            Self::Missing(_) => Status::MISSING_ATTRIBUTE,
            Self::TooMany(_) => Status::RESOURCE_LIMITATION,
        }
    }
}

/// Whether a message is for storage commitment, and one that there is. Its data set may follow later.
///
/// # Errors
/// [`CommitmentError`], with the status that the message is answered with.
pub fn check_commitment_message(request: &NormalizedRequest) -> Result<(), CommitmentError> {
    if request.sop_class != uids::STORAGE_COMMITMENT {
        return Err(CommitmentError::OtherSopClass);
    }
    if request.sop_instance != uids::STORAGE_COMMITMENT_INSTANCE {
        return Err(CommitmentError::OtherSopInstance);
    }
    match (request.service, request.type_id) {
        (NormalizedService::Action, Some(REQUEST_STORAGE_COMMITMENT))
        | (
            NormalizedService::EventReport,
            Some(COMMITMENT_SUCCESSFUL | COMMITMENT_FAILURES_EXIST),
        ) if request.has_data_set => Ok(()),
        (NormalizedService::Action, Some(REQUEST_STORAGE_COMMITMENT))
        | (
            NormalizedService::EventReport,
            Some(COMMITMENT_SUCCESSFUL | COMMITMENT_FAILURES_EXIST),
        ) => Err(CommitmentError::Missing("the data set")),
        (NormalizedService::Action, Some(_) | None) => Err(CommitmentError::NoSuchAction),
        (NormalizedService::EventReport, Some(_) | None) => Err(CommitmentError::NoSuchEventType),
    }
}

/// Status and Error Comment for a request or a report of storage commitment that the node does not take.
#[must_use]
pub fn commitment_status(refusal: &CommitmentRefusal) -> (Status, &'static str) {
    match refusal {
        CommitmentRefusal::UnknownTransaction => {
            (Status::INVALID_ARGUMENT_VALUE, "nothing was asked under this Transaction UID")
        }
        CommitmentRefusal::NotAsked(_) => {
            (Status::NOT_AUTHORIZED, "this was asked of another AE title")
        }
        CommitmentRefusal::ResourceLimitation(_) => {
            (Status::RESOURCE_LIMITATION, "too many open requests, try again later")
        }
        CommitmentRefusal::ProcessingFailure(_) => {
            (Status::PROCESSING_FAILURE, "recording failed, try again later")
        }
    }
}

/// Longest data set of a request or a report that can have no more references than are taken, in bytes.
#[must_use]
pub fn commitment_bytes_max(limits: &Limits) -> usize {
    limits
        .commitment_references_max
        .saturating_mul(REFERENCE_BYTES_MAX)
        .saturating_add(OTHER_BYTES_MAX)
}

/// Whether a transfer syntax is one that these data sets are read and written in.
#[must_use]
pub fn is_commitment_syntax(transfer_syntax: &str) -> bool {
    [uids::IMPLICIT_VR_LITTLE_ENDIAN, uids::EXPLICIT_VR_LITTLE_ENDIAN].contains(&transfer_syntax)
}

/// Action information.
///
/// # Errors
/// [`CommitmentError`].
pub fn decode_commitment_request(
    bytes: &[u8],
    transfer_syntax: &str,
    limits: &Limits,
) -> Result<CommitmentRequest, CommitmentError> {
    let data_set = read(bytes, transfer_syntax, limits)?;
    let transaction = transaction(&data_set)?;
    let references = references(&data_set, limits)?;
    if references.is_empty() {
        return Err(CommitmentError::Missing("Referenced SOP Sequence"));
    }
    Ok(CommitmentRequest { transaction, references })
}

/// Event information, of either Event Type ID.
///
/// # Errors
/// [`CommitmentError`].
pub fn decode_commitment_report(
    bytes: &[u8],
    transfer_syntax: &str,
    limits: &Limits,
) -> Result<CommitmentReport, CommitmentError> {
    let data_set = read(bytes, transfer_syntax, limits)?;
    let transaction = transaction(&data_set)?;
    let failed = data_set.items(tags::FAILED_SOP_SEQUENCE);
    check_count(failed, limits)?;
    Ok(CommitmentReport {
        transaction,
        committed: references(&data_set, limits)?,
        failed: failed.iter().map(failure).collect::<Result<_, _>>()?,
    })
}

/// Action information as bytes.
#[must_use]
pub fn encode_commitment_request(request: &CommitmentRequest, transfer_syntax: &str) -> Vec<u8> {
    let mut data_set = DataSet::new();
    data_set.put_uid(tags::TRANSACTION_UID, request.transaction.as_str());
    let items = request.references.iter().map(item).collect();
    data_set.put_items(tags::REFERENCED_SOP_SEQUENCE, items);
    encode(&data_set, transfer_syntax)
}

/// Event information as bytes; [`event_type_id`] goes with it.
#[must_use]
pub fn encode_commitment_report(report: &CommitmentReport, transfer_syntax: &str) -> Vec<u8> {
    let mut data_set = DataSet::new();
    data_set.put_uid(tags::TRANSACTION_UID, report.transaction.as_str());
    if !report.failed.is_empty() {
        let failed = |(reference, reason): &(InstanceReference, FailureReason)| {
            let mut item = item(reference);
            item.put_u16s(tags::FAILURE_REASON, &[reason.0]);
            item
        };
        let items = report.failed.iter().map(failed).collect();
        data_set.put_items(tags::FAILED_SOP_SEQUENCE, items);
    }
    if !report.committed.is_empty() {
        let items = report.committed.iter().map(item).collect();
        data_set.put_items(tags::REFERENCED_SOP_SEQUENCE, items);
    }
    encode(&data_set, transfer_syntax)
}

/// The Event Type ID of a report.
#[must_use]
pub fn event_type_id(report: &CommitmentReport) -> u16 {
    if report.failed.is_empty() { COMMITMENT_SUCCESSFUL } else { COMMITMENT_FAILURES_EXIST }
}

fn encode(data_set: &DataSet, transfer_syntax: &str) -> Vec<u8> {
    if transfer_syntax == uids::IMPLICIT_VR_LITTLE_ENDIAN {
        dataset::encode_implicit(data_set)
    } else {
        dataset::encode(data_set)
    }
}

fn read(bytes: &[u8], transfer_syntax: &str, limits: &Limits) -> Result<DataSet, CommitmentError> {
    let read_limits = ReadLimits {
        bytes_max: commitment_bytes_max(limits),
        depth_max: limits.sequence_depth_max,
        elements_max: commitment_bytes_max(limits),
        value_bytes_max: VALUE_BYTES_MAX,
    };
    if bytes.len() > read_limits.bytes_max {
        return Err(CommitmentError::TooMany(limits.commitment_references_max));
    }
    let unreadable = |reason: String| CommitmentError::Unreadable(reason);
    let syntax = TransferSyntaxUid::parse(transfer_syntax);
    let syntax = syntax.map_err(|error| unreadable(error.to_string()))?;
    let read = dataset::read_prefix(bytes, Encoding::of(&syntax), NO_TAG, &read_limits);
    let prefix = read.map_err(|error| unreadable(error.to_string()))?;
    match prefix.end {
        End::Exhausted | End::Stopped { .. } => Ok(prefix.data_set),
        End::Cut | End::AtLimit => Err(unreadable("it ends within an element".into())),
    }
}

fn transaction(data_set: &DataSet) -> Result<TransactionUid, CommitmentError> {
    const NAME: &str = "Transaction UID";
    let text = data_set.text(tags::TRANSACTION_UID).ok_or(CommitmentError::Missing(NAME))?;
    TransactionUid::parse(&text).map_err(|_| CommitmentError::Malformed(NAME))
}

fn references(
    data_set: &DataSet,
    limits: &Limits,
) -> Result<Vec<InstanceReference>, CommitmentError> {
    let items = data_set.items(tags::REFERENCED_SOP_SEQUENCE);
    check_count(items, limits)?;
    items.iter().map(reference).collect()
}

fn check_count(items: &[DataSet], limits: &Limits) -> Result<(), CommitmentError> {
    let most = limits.commitment_references_max;
    if items.len() > most { Err(CommitmentError::TooMany(most)) } else { Ok(()) }
}

fn reference(item: &DataSet) -> Result<InstanceReference, CommitmentError> {
    const CLASS: &str = "Referenced SOP Class UID";
    const INSTANCE: &str = "Referenced SOP Instance UID";
    let text = |tag, name| item.text(tag).ok_or(CommitmentError::Missing(name));
    let class = text(tags::REFERENCED_SOP_CLASS_UID, CLASS)?;
    let instance = text(tags::REFERENCED_SOP_INSTANCE_UID, INSTANCE)?;
    Ok(InstanceReference {
        sop_class: SopClassUid::parse(&class).map_err(|_| CommitmentError::Malformed(CLASS))?,
        sop_instance: SopInstanceUid::parse(&instance)
            .map_err(|_| CommitmentError::Malformed(INSTANCE))?,
    })
}

/// An item of Failed SOP Sequence. A failure without a reason is a processing failure.
fn failure(item: &DataSet) -> Result<(InstanceReference, FailureReason), CommitmentError> {
    let reason = item.int(tags::FAILURE_REASON).and_then(|reason| u16::try_from(reason).ok());
    let reason = reason.map_or(FailureReason::PROCESSING_FAILURE, FailureReason);
    Ok((reference(item)?, reason))
}

fn item(reference: &InstanceReference) -> DataSet {
    let mut item = DataSet::new();
    item.put_text(tags::REFERENCED_SOP_CLASS_UID, Vr::UI, reference.sop_class.as_str());
    item.put_text(tags::REFERENCED_SOP_INSTANCE_UID, Vr::UI, reference.sop_instance.as_str());
    item
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYNTAXES: [&str; 2] = [uids::IMPLICIT_VR_LITTLE_ENDIAN, uids::EXPLICIT_VR_LITTLE_ENDIAN];

    fn reference(number: usize) -> InstanceReference {
        InstanceReference {
            sop_class: SopClassUid::parse("1.2.840.10008.5.1.4.1.1.2").unwrap(),
            sop_instance: SopInstanceUid::parse(&format!("1.2.3.{number}")).unwrap(),
        }
    }

    fn request(references: usize) -> CommitmentRequest {
        let transaction = TransactionUid::parse("2.25.7").unwrap();
        CommitmentRequest { transaction, references: (0..references).map(reference).collect() }
    }

    #[test]
    fn a_report_as_bytes() {
        let transaction = TransactionUid::parse("2.25.7").unwrap();
        let failed = vec![(reference(1), FailureReason::NO_SUCH_OBJECT_INSTANCE)];
        let report = CommitmentReport { transaction, committed: vec![], failed };
        let want = [
            b"\x08\0\x95\x11UI\x06\0".as_slice(), // Transaction UID
            b"2.25.7",
            b"\x08\0\x98\x11SQ\0\0\x44\0\0\0", // Failed SOP Sequence: 68 bytes
            b"\xFE\xFF\x00\xE0\x3C\0\0\0",     // an item of 60
            b"\x08\0\x50\x11UI\x1A\x001.2.840.10008.5.1.4.1.1.2\0",
            b"\x08\0\x55\x11UI\x08\x001.2.3.1\0",
            b"\x08\0\x97\x11US\x02\0\x12\x01", // Failure Reason: 0112
        ];
        assert_eq!(encode_commitment_report(&report, SYNTAXES[1]), want.concat());
        assert_eq!(event_type_id(&report), COMMITMENT_FAILURES_EXIST);
    }

    #[test]
    fn messages_and_their_statuses() {
        let (class, instance) = (uids::STORAGE_COMMITMENT, uids::STORAGE_COMMITMENT_INSTANCE);
        let (action, event) = (NormalizedService::Action, NormalizedService::EventReport);
        let table = [
            (action, class, instance, Some(1), true, None),
            (event, class, instance, Some(1), true, None),
            (event, class, instance, Some(2), true, None),
            (action, uids::VERIFICATION, instance, Some(1), true, Some(0x0118)),
            (event, "", "", None, true, Some(0x0118)),
            (action, class, "1.2.3", Some(1), true, Some(0x0112)),
            (action, class, instance, Some(2), true, Some(0x0123)),
            (action, class, instance, None, false, Some(0x0123)),
            (event, class, instance, Some(3), true, Some(0x0113)),
            (event, class, instance, Some(0), false, Some(0x0113)),
            (action, class, instance, Some(1), false, Some(0x0120)),
        ];
        for (service, sop_class, sop_instance, type_id, has_data_set, want) in table {
            let (sop_class, sop_instance) = (sop_class.to_owned(), sop_instance.to_owned());
            let request = NormalizedRequest {
                service,
                message_id: 1,
                sop_class,
                sop_instance,
                type_id,
                has_data_set,
            };
            let status = check_commitment_message(&request).err().map(|e| e.status().0);
            assert_eq!(status, want, "{request:?}");
        }
    }

    #[test]
    fn each_refusal_of_storage_commitment_has_its_status() {
        let text = || "/secret/path".to_owned();
        let table = [
            (CommitmentRefusal::UnknownTransaction, 0x0115),
            (CommitmentRefusal::NotAsked(text()), 0x0124),
            (CommitmentRefusal::ResourceLimitation(text()), 0x0213),
            (CommitmentRefusal::ProcessingFailure(text()), 0x0110),
        ];
        for (refusal, code) in table {
            let (status, comment) = commitment_status(&refusal);
            assert_eq!(status, Status(code), "{refusal}");
            assert!(comment.len() <= 64 && !comment.contains("secret"), "{comment}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let limits = Limits::default();
        let transaction = TransactionUid::parse("2.25.7").unwrap();
        for syntax in SYNTAXES {
            let request = request(3);
            let bytes = encode_commitment_request(&request, syntax);
            assert_eq!(decode_commitment_request(&bytes, syntax, &limits), Ok(request));
            for (committed, failed) in [(2, 0), (0, 2), (1, 1), (0, 0)] {
                let failed = (0..failed).map(|n| (reference(n), FailureReason(0x0110)));
                let report = CommitmentReport {
                    transaction: transaction.clone(),
                    committed: (0..committed).map(reference).collect(),
                    failed: failed.collect(),
                };
                let bytes = encode_commitment_report(&report, syntax);
                assert_eq!(decode_commitment_report(&bytes, syntax, &limits), Ok(report));
            }
        }
    }

    #[test]
    fn what_is_no_request_is_told_with_its_status() {
        let limits = Limits { commitment_references_max: 2, ..Limits::default() };
        let status = |data_set: &DataSet| {
            let bytes = dataset::encode(data_set);
            decode_commitment_request(&bytes, SYNTAXES[1], &limits).map_err(|e| e.status().0)
        };
        let mut data_set = DataSet::new();
        assert_eq!(status(&data_set), Err(0x0120), "no transaction");
        data_set.put_text(tags::TRANSACTION_UID, Vr::UI, "x");
        assert_eq!(status(&data_set), Err(0x0115), "no UID");
        data_set.put_uid(tags::TRANSACTION_UID, "2.25.7");
        assert_eq!(status(&data_set), Err(0x0120), "no references");
        data_set.put_items(tags::REFERENCED_SOP_SEQUENCE, vec![DataSet::new()]);
        assert_eq!(status(&data_set), Err(0x0120), "an empty reference");
        let items = |count| (0..count).map(|n| item(&reference(n))).collect();
        data_set.put_items(tags::REFERENCED_SOP_SEQUENCE, items(2));
        assert_eq!(status(&data_set), Ok(request(2)));
        data_set.put_items(tags::REFERENCED_SOP_SEQUENCE, items(3));
        assert_eq!(status(&data_set), Err(0x0213), "one too many");
        let noise = decode_commitment_request(b"noise", SYNTAXES[1], &limits).unwrap_err();
        assert_eq!(noise.status().0, 0x0115);
    }

    #[test]
    fn as_many_references_as_are_taken_fit_and_more_bytes_do_not() {
        let limits = Limits { commitment_references_max: 100, ..Limits::default() };
        let longest = "1".repeat(64);
        let longest = InstanceReference {
            sop_class: SopClassUid::parse(&longest).unwrap(),
            sop_instance: SopInstanceUid::parse(&longest).unwrap(),
        };
        let request = CommitmentRequest { references: vec![longest; 100], ..request(0) };
        let bytes = encode_commitment_request(&request, SYNTAXES[1]);
        assert!(bytes.len() <= commitment_bytes_max(&limits));
        assert_eq!(decode_commitment_request(&bytes, SYNTAXES[1], &limits), Ok(request));
        let long = vec![0; commitment_bytes_max(&limits) + 1];
        let error = decode_commitment_report(&long, SYNTAXES[1], &limits).unwrap_err();
        assert_eq!(error, CommitmentError::TooMany(100));
    }

    #[test]
    fn a_failure_without_a_reason_is_a_failure() {
        let mut data_set = DataSet::new();
        data_set.put_uid(tags::TRANSACTION_UID, "2.25.7");
        data_set.put_items(tags::FAILED_SOP_SEQUENCE, vec![item(&reference(1))]);
        let bytes = dataset::encode_implicit(&data_set);
        let report = decode_commitment_report(&bytes, SYNTAXES[0], &Limits::default()).unwrap();
        assert_eq!(report.failed, [(reference(1), FailureReason::PROCESSING_FAILURE)]);
    }
}
