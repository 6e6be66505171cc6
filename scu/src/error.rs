//! Why an Association could not do its work.

use std::io;
use std::path::PathBuf;

use dimse::{Abort, ConnectionError, Rejection, Status};
use thiserror::Error;

/// A failure of the connection or the Association, or of a file of ours. What was not yet reported may be tried again.
#[derive(Debug, Error)]
pub enum ScuError {
    /// Nobody took the connection.
    #[error("cannot connect: {0}")]
    Unreachable(io::Error),
    /// A connection was taken, and TLS did not come about.
    #[error("the TLS handshake failed: {0}")]
    Handshake(io::Error),
    /// A-ASSOCIATE-RJ.
    #[error("association rejected, {0}")]
    Rejected(Rejection),
    /// A-ABORT.
    #[error("association aborted: {0}")]
    Aborted(Abort),
    /// The connection failed, fell silent, or the peer broke the protocol.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// C-ECHO: Verification was not accepted.
    #[error("Verification is not accepted")]
    VerificationNotAccepted,
    /// C-ECHO was not answered with success.
    #[error("C-ECHO answered with status {0}")]
    Echo(Status),
    /// Storage Commitment was not accepted.
    #[error("Storage Commitment is not accepted")]
    CommitmentNotAccepted,
    /// N-EVENT-REPORT was not answered with success.
    #[error("N-EVENT-REPORT answered with status {status} {comment}")]
    ReportNotTaken {
        /// The status.
        status: Status,
        /// Error Comment, perhaps empty.
        comment: String,
    },
    /// A file of ours cannot be sent.
    #[error("{} cannot be sent: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}
