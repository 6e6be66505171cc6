//! Errors as statuses: the one place where it is decided what a sender is told (PS3.4 Table B.2-1, PS3.7 Annex C).

use dimse::Status;
use domain::Refusal;

use crate::fault::StoreFault;

/// Status and Error Comment for a fault. Comments are our own words: no attribute values, no paths.
pub(crate) fn status(fault: &StoreFault) -> (Status, &'static str) {
    match fault {
        StoreFault::OtherSopClass(_) => {
            (Status::SOP_CLASS_NOT_SUPPORTED, "SOP Class is not that of the presentation context")
        }
        StoreFault::CommandUid(_) => (Status::CANNOT_UNDERSTAND, "malformed UID in the command"),
        StoreFault::NoDataSet => (Status::CANNOT_UNDERSTAND, "no data set"),
        StoreFault::Unreadable(_) => (Status::CANNOT_UNDERSTAND, "data set cannot be read"),
        StoreFault::DataSetUid(_) => {
            (Status::CANNOT_UNDERSTAND, "missing or malformed UID in the data set")
        }
        StoreFault::Mismatch(_) => (
            Status::DATA_SET_DOES_NOT_MATCH_SOP_CLASS,
            "SOP Class or Instance UID of command and data set differ",
        ),
        StoreFault::TooLong(_) => {
            (Status::OUT_OF_RESOURCES, "instance is longer than is allowed here")
        }
        StoreFault::OverShare => {
            (Status::OUT_OF_RESOURCES, "more than is allowed in a minute, try again later")
        }
        StoreFault::Refused(Refusal::OutOfResources(_)) => {
            (Status::OUT_OF_RESOURCES, "no room, try again later")
        }
        StoreFault::Refused(Refusal::ProcessingFailure(_)) => {
            (Status::PROCESSING_FAILURE, "storing failed, try again later")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_has_its_status_and_a_short_comment() {
        let text = || "/secret/path".to_owned();
        let table = [
            (StoreFault::OtherSopClass(text()), 0x0122),
            (StoreFault::CommandUid("x"), 0xC000),
            (StoreFault::NoDataSet, 0xC000),
            (StoreFault::Unreadable(text()), 0xC000),
            (StoreFault::DataSetUid("x"), 0xC000),
            (StoreFault::Mismatch("x"), 0xA900),
            (StoreFault::TooLong(1), 0xA700),
            (StoreFault::OverShare, 0xA700),
            (StoreFault::Refused(Refusal::OutOfResources(text())), 0xA700),
            (StoreFault::Refused(Refusal::ProcessingFailure(text())), 0x0110),
        ];
        for (fault, code) in table {
            let (status, comment) = status(&fault);
            assert_eq!(status, Status(code), "{fault}");
            assert!(comment.len() <= 64 && !comment.contains("secret"), "{comment}");
        }
    }
}
