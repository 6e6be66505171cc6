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

/// States of what destinations are to commit to.
const COMMITMENT_STATES: [&str; 5] = ["open", "redelivering", "committed", "refused", "waived"];
/// States of what peers ask us to commit to.
const REQUEST_STATES: [&str; 3] = ["open", "reported", "given-up"];

/// Everything that `status` shows, at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Series, the one that received something last first.
    pub series: Vec<SeriesRow>,
    /// Jobs, in the order in which they were made.
    pub jobs: Vec<JobRow>,
    /// Deliveries, in the order in which they were made.
    pub deliveries: Vec<DeliveryRow>,
    /// What destinations are to commit to, in the order of the deliveries.
    pub commitments: Vec<CommitmentRow>,
    /// What peers ask us to commit to, in the order in which they asked.
    pub requests: Vec<RequestRow>,
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

/// What a destination is to commit to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitmentRow {
    /// Whose results.
    pub job: JobId,
    /// Who is to commit.
    pub destination: String,
    /// `open`, `redelivering`, `committed`, `refused` or `waived`.
    pub state: String,
    /// How often it was asked.
    pub asked: u32,
    /// How often the results were delivered again.
    pub redelivered: u32,
    /// When it is asked, or asked again; `None` when it has ended.
    pub next_at: Option<Moment>,
    /// Why it has not committed.
    pub reason: Option<String>,
    /// Instances that it committed to.
    pub committed: u64,
    /// Instances that it has got.
    pub instances: u64,
}

/// What a peer asks us to commit to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRow {
    /// Its Transaction UID.
    pub transaction: String,
    /// Title of who asks.
    pub calling: String,
    /// `open`, `reported` or `given-up`.
    pub state: String,
    /// Reports that were not taken.
    pub attempts: u32,
    /// When the report is sent; `None` when it has ended.
    pub next_at: Option<Moment>,
    /// Why the last report was not taken.
    pub reason: Option<String>,
    /// Instances that it asked for.
    pub instances: u64,
    /// Instances that the report committed to.
    pub committed: Option<u64>,
    /// Instances that it did not commit to.
    pub failed: Option<u64>,
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
    /// What destinations are to commit to, by state.
    pub commitments: BTreeMap<String, u64>,
    /// What peers ask us to commit to, by state.
    pub requests: BTreeMap<String, u64>,
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
        commitments: commitments(connection)?,
        requests: requests(connection)?,
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
        commitments: by_state(connection, "commitments", &COMMITMENT_STATES)?,
        requests: by_state(connection, "requests", &REQUEST_STATES)?,
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

/// A ledger that is only read may be one that no node has brought to this version yet.
fn has_table(connection: &Connection, name: &str) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1")?
        .exists([name])
}

fn commitments(connection: &Connection) -> rusqlite::Result<Vec<CommitmentRow>> {
    if !has_table(connection, "commitments")? {
        return Ok(vec![]);
    }
    let query = "SELECT commitments.*, job, destination,
        (SELECT count(*) FROM commitment_items AS items
         WHERE items.delivery = commitments.delivery) AS instances,
        (SELECT count(*) FROM commitment_items AS items
         WHERE items.delivery = commitments.delivery AND items.committed = 1) AS committed
      FROM commitments JOIN deliveries ON deliveries.id = commitments.delivery
      ORDER BY commitments.delivery";
    all(connection, query, |row| {
        let state: String = row.get("state")?;
        let next_at = rows::moment(row, "next_at")?;
        Ok(CommitmentRow {
            job: rows::job_id(row, "job")?,
            destination: row.get("destination")?,
            next_at: (state == "open").then_some(next_at),
            state,
            asked: row.get("asked")?,
            redelivered: row.get("redelivered")?,
            reason: row.get("reason")?,
            committed: rows::number(row, "committed")?,
            instances: rows::number(row, "instances")?,
        })
    })
}

fn requests(connection: &Connection) -> rusqlite::Result<Vec<RequestRow>> {
    if !has_table(connection, "requests")? {
        return Ok(vec![]);
    }
    all(connection, "SELECT * FROM requests ORDER BY id", |row| {
        let state: String = row.get("state")?;
        let next_at = rows::moment(row, "next_at")?;
        Ok(RequestRow {
            transaction: row.get("transaction_uid")?,
            calling: row.get("calling")?,
            next_at: (state == "open").then_some(next_at),
            state,
            attempts: row.get("attempts")?,
            reason: row.get("reason")?,
            instances: rows::number(row, "instances")?,
            committed: rows::optional_number(row, "committed")?,
            failed: rows::optional_number(row, "failed")?,
        })
    })
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
