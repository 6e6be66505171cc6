//! The ledger as tables for people and as numbers for gauges.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use domain::{JobId, Moment, Revision, SeriesInstanceUid, StudyInstanceUid};
use rusqlite::{Connection, Row};

use super::rows;

/// States of a series.
const SERIES_STATES: [&str; 4] = ["open", "closed", "purging", "purged"];
/// States of a job.
const JOB_STATES: [&str; 6] =
    ["queued", "running", "delivering", "done", "quarantined", "superseded"];
/// States of a delivery.
const DELIVERY_STATES: [&str; 3] = ["waiting", "done", "refused"];

/// Everything that `status` shows, at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Series, the one that received something last first.
    pub series: Vec<SeriesRow>,
    /// Jobs, in the order in which they were made.
    pub jobs: Vec<JobRow>,
    /// Deliveries, in the order in which they were made.
    pub deliveries: Vec<DeliveryRow>,
    /// Bytes of instances and results in the spool.
    pub spool_bytes: u64,
}

/// A series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesRow {
    /// Its study.
    pub study: StudyInstanceUid,
    /// The series.
    pub series: SeriesInstanceUid,
    /// `open`, `closed`, `purging` or `purged`.
    pub state: String,
    /// How often it has closed.
    pub revision: Revision,
    /// Instances in the spool; before the purge, if it is purged.
    pub instance_count: u64,
    /// When its last instance became durable.
    pub last_received: Moment,
    /// Why no rule took it.
    pub note: Option<String>,
}

/// A job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRow {
    /// The ledger's number.
    pub id: JobId,
    /// Its series.
    pub series: SeriesInstanceUid,
    /// Which closing of the series.
    pub revision: Revision,
    /// The rule that asked for it.
    pub rule: String,
    /// The model.
    pub model: String,
    /// `queued`, `running`, `delivering`, `done`, `quarantined` or `superseded`.
    pub state: String,
    /// Why it is in quarantine, in one word.
    pub reason_code: Option<String>,
    /// Why it is in quarantine.
    pub reason: Option<String>,
    /// Its result files, as long as they are there.
    pub results: Vec<PathBuf>,
}

/// A delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryRow {
    /// Whose results.
    pub job: JobId,
    /// To whom.
    pub destination: String,
    /// `waiting`, `done` or `refused`.
    pub state: String,
    /// Failed tries.
    pub attempts: u32,
    /// When it is tried next; `None` when it has ended.
    pub next_at: Option<Moment>,
    /// Why the last try failed.
    pub reason: Option<String>,
    /// The form of the results that the destination got.
    pub form: Option<String>,
}

/// How many rows are in which state. Every state is there, with 0 if need be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    /// Bytes of instances and results in the spool, those on their way in too.
    pub spool_bytes: u64,
    /// Series by state.
    pub series: BTreeMap<String, u64>,
    /// Jobs by state.
    pub jobs: BTreeMap<String, u64>,
    /// Deliveries by state.
    pub deliveries: BTreeMap<String, u64>,
}

/// Reads everything within a transaction of the caller's.
pub(super) fn snapshot(connection: &Connection, root: &Path) -> rusqlite::Result<Snapshot> {
    let mut jobs: Vec<JobRow> = all(connection, "SELECT * FROM jobs ORDER BY id", job)?;
    let mut results = results(connection, root)?;
    for job in &mut jobs {
        job.results = results.remove(&job.id).unwrap_or_default();
    }
    Ok(Snapshot {
        series: all(
            connection,
            "SELECT * FROM series ORDER BY last_received DESC, series",
            series,
        )?,
        jobs,
        deliveries: all(connection, "SELECT * FROM deliveries ORDER BY id", delivery)?,
        spool_bytes: spool_bytes(connection)?,
    })
}

/// Counts within a transaction of the caller's.
pub(super) fn counts(connection: &Connection, spool_bytes: u64) -> rusqlite::Result<Counts> {
    Ok(Counts {
        spool_bytes,
        series: by_state(connection, "series", &SERIES_STATES)?,
        jobs: by_state(connection, "jobs", &JOB_STATES)?,
        deliveries: by_state(connection, "deliveries", &DELIVERY_STATES)?,
    })
}

fn by_state(
    connection: &Connection,
    table: &str,
    states: &[&str],
) -> rusqlite::Result<BTreeMap<String, u64>> {
    let query = format!("SELECT state, count(*) AS number FROM {table} GROUP BY state");
    let mut select = connection.prepare_cached(&query)?;
    let mut counted: BTreeMap<_, _> = states.iter().map(|state| ((*state).to_owned(), 0)).collect();
    let rows = select.query_map([], |row| Ok((row.get(0)?, rows::number(row, "number")?)))?;
    for row in rows {
        let (state, number) = row?;
        counted.insert(state, number);
    }
    Ok(counted)
}

/// Bytes of instances and results that are recorded.
pub(super) fn spool_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    let query = "SELECT coalesce((SELECT sum(file_bytes) FROM instances), 0)
      + coalesce((SELECT sum(file_bytes) FROM results WHERE path IS NOT NULL), 0) AS bytes";
    connection.prepare_cached(query)?.query_row([], |row| rows::number(row, "bytes"))
}

fn all<T>(
    connection: &Connection,
    query: &str,
    of: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    let mut select = connection.prepare_cached(query)?;
    let rows = select.query_map([], of)?;
    rows.collect()
}

fn results(
    connection: &Connection,
    root: &Path,
) -> rusqlite::Result<BTreeMap<JobId, Vec<PathBuf>>> {
    let query = "SELECT job, path FROM results WHERE path IS NOT NULL ORDER BY job, ordinal";
    let mut paths: BTreeMap<JobId, Vec<PathBuf>> = BTreeMap::new();
    for (job, path) in all(connection, query, |row| {
        Ok((rows::job_id(row, "job")?, root.join(row.get::<_, String>("path")?)))
    })? {
        paths.entry(job).or_default().push(path);
    }
    Ok(paths)
}

fn series(row: &Row<'_>) -> rusqlite::Result<SeriesRow> {
    Ok(SeriesRow {
        study: rows::study(row)?,
        series: rows::series(row)?,
        state: row.get("state")?,
        revision: rows::revision(row)?,
        instance_count: rows::number(row, "instance_count")?,
        last_received: rows::moment(row, "last_received")?,
        note: row.get("note")?,
    })
}

fn job(row: &Row<'_>) -> rusqlite::Result<JobRow> {
    Ok(JobRow {
        id: rows::job_id(row, "id")?,
        series: rows::series(row)?,
        revision: rows::revision(row)?,
        rule: row.get("rule")?,
        model: row.get("model")?,
        state: row.get("state")?,
        reason_code: row.get("reason_code")?,
        reason: row.get("reason")?,
        results: Vec::new(),
    })
}

fn delivery(row: &Row<'_>) -> rusqlite::Result<DeliveryRow> {
    let state: String = row.get("state")?;
    let next_at = rows::moment(row, "next_at")?;
    Ok(DeliveryRow {
        job: rows::job_id(row, "job")?,
        destination: row.get("destination")?,
        next_at: (state == "waiting").then_some(next_at),
        state,
        attempts: row.get("attempts")?,
        reason: row.get("reason")?,
        // A ledger that is only read may be one that no node has brought to this version yet.
        form: row.get("form").unwrap_or(None),
    })
}
