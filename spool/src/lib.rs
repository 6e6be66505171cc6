//! What must not be lost: instances and results as files, and the ledger of series, jobs and deliveries.
//!
//! ```text
//! incoming/                          parts, where files must have names; emptied at each start
//! instances/<study>/<series>/<sop>.dcm
//! results/<job>/<sop>.dcm
//! ledger.sqlite                      ledger/schema.sql says what is in it
//! spool.lock                         held while a node runs
//! ```
//!
//! An instance is written to a [`PartFile`] as it arrives and made durable by [`Spool::publish`]. Files are the truth:
//! a ledger that is lost is made anew from them. This room knows no sockets, no models and no rules, and reads no clock.
//!
//! *Invariant:* what `publish` reported as stored is in its place and whole, also after loss of power, and recorded, at the latest
//! by the next start. With [`domain::Durability::Cache`] it is so after the end of the node, and not after loss of power.
//! *Invariant:* every job ends once: done, quarantined or superseded.

mod commit;
mod commitments;
mod compare;
mod durable;
mod error;
mod faults;
mod folder;
mod late;
mod ledger;
mod names;
mod part;
mod purge;
mod records;
mod recover;
mod request;
mod results;
mod room;
mod seal;
mod spool;

#[cfg(test)]
mod tests;

pub use durable::publish_file;
pub use error::SpoolError;
pub use ledger::{
    Asked, Change, Closed, CommitmentRow, Counts, Delivery, DeliveryRow, DueCommitment, JobRow,
    LedgerView, NewJob, OpenMax, OpenRow, OwedReport, ReportOutcome, Reported, RequestRow,
    ResultFile, SeriesRow, Snapshot,
};
pub use part::PartFile;
pub use purge::Purged;
pub use recover::Recovery;
pub use request::{OnStored, Published};
pub use results::NewResult;
pub use spool::{Clock, Spool};
