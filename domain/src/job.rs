//! Work to be done on a closed series.

use crate::{AeTitle, Ask, SeriesInstanceUid, SopClassUid, SopInstanceUid, StudyInstanceUid};

/// How often a series has closed: 1 for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(pub u32);

/// The ledger's number of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(pub i64);

/// One rule's work on one revision of a series. There is at most one for each (series, revision, rule).
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// The ledger's number.
    pub id: JobId,
    /// The study of the series.
    pub study: StudyInstanceUid,
    /// The series.
    pub series: SeriesInstanceUid,
    /// Which closing of the series.
    pub revision: Revision,
    /// Name of the rule that asked for it.
    pub rule: String,
    /// Name of the model.
    pub model: String,
    /// What a promptable model is asked; the default for any other.
    pub ask: Ask,
    /// Names of the destinations of its results.
    pub destinations: Vec<String>,
}

/// The structured report of the same rule on an earlier revision, which the new one replaces (PS3.3 §C.17.2.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Predecessor {
    /// Study of the report.
    pub study: StudyInstanceUid,
    /// Series of the report.
    pub series: SeriesInstanceUid,
    /// Its SOP Class.
    pub sop_class: SopClassUid,
    /// The report.
    pub sop_instance: SopInstanceUid,
}

/// A place that results are sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// Name in the configuration.
    pub name: String,
    /// The title we call.
    pub called: AeTitle,
    /// The title we call ourselves.
    pub calling: AeTitle,
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
}
