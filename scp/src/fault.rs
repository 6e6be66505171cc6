//! Why an instance that was sent is not stored.

use domain::Refusal;
use thiserror::Error;

/// A reason; its text is for the log and has no attribute values but UIDs. `status` has the text for the peer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum StoreFault {
    /// The Affected SOP Class is not the one of the presentation context.
    #[error("the Affected SOP Class {0} is not the one of the presentation context")]
    OtherSopClass(String),
    /// A UID of the command is none.
    #[error("the {0} of the command is no UID")]
    CommandUid(&'static str),
    /// The command announces no data set.
    #[error("no data set follows the command")]
    NoDataSet,
    /// The data set cannot be parsed.
    #[error("the data set cannot be read: {0}")]
    Unreadable(String),
    /// The data set lacks a UID, or it is none.
    #[error("the {0} of the data set is missing or no UID")]
    DataSetUid(&'static str),
    /// A UID of the data set is not the one of the command.
    #[error("the {0} of the data set is not the one of the command")]
    Mismatch(&'static str),
    /// The data set is longer than the limit.
    #[error("the data set is longer than {0} bytes")]
    TooLong(u64),
    /// The peer has sent its minute's share.
    #[error("the peer has sent what it may in a minute")]
    OverShare,
    /// The intake does not take it.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl StoreFault {
    /// The message itself is at fault: nobody could store it, at no time.
    pub(crate) fn is_of_the_message(&self) -> bool {
        match self {
            Self::OtherSopClass(_)
            | Self::CommandUid(_)
            | Self::NoDataSet
            | Self::Unreadable(_)
            | Self::DataSetUid(_)
            | Self::Mismatch(_) => true,
            Self::TooLong(_) | Self::OverShare | Self::Refused(_) => false,
        }
    }
}
