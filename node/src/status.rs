//! `parsenode status`: the ledger as a table, readable while the node runs and while it does not.

use domain::Durability;
use serde::Serialize;
use spool::{CommitmentRow, DeliveryRow, JobRow, RequestRow, SeriesRow, Snapshot, Spool};

use crate::cli::StatusArgs;
use crate::clock;
use crate::failure::{Failure, Fault, OrFail};
use crate::security::{Expiring, Expiry};
use crate::settings;
use crate::text::{self, Table};

/// The ledger as JSON; times are milliseconds since the Unix epoch.
#[derive(Debug, Serialize)]
struct Status {
    /// What had to be true before an instance was answered with success, by the configuration.
    durability: &'static str,
    spool_bytes: u64,
    series: Vec<SeriesStatus>,
    jobs: Vec<JobStatus>,
    deliveries: Vec<DeliveryStatus>,
    certificates: Vec<Expiry>,
    commitments: Vec<CommitmentStatus>,
    requests: Vec<RequestStatus>,
}

#[derive(Debug, Serialize)]
struct SeriesStatus {
    study: String,
    series: String,
    state: String,
    revision: u32,
    instances: u64,
    last_received: u64,
    note: Option<String>,
}

#[derive(Debug, Serialize)]
struct JobStatus {
    id: i64,
    series: String,
    revision: u32,
    rule: String,
    model: String,
    state: String,
    code: Option<String>,
    reason: Option<String>,
    results: Vec<String>,
}

#[derive(Debug, Serialize)]
struct DeliveryStatus {
    job: i64,
    destination: String,
    state: String,
    attempts: u32,
    next_at: Option<u64>,
    reason: Option<String>,
    /// The form of the masks that it got.
    form: Option<String>,
}

/// What a destination is to commit to.
#[derive(Debug, Serialize)]
struct CommitmentStatus {
    job: i64,
    destination: String,
    state: String,
    asked: u32,
    redelivered: u32,
    next_at: Option<u64>,
    reason: Option<String>,
    committed: u64,
    instances: u64,
}

/// What a peer asks us to commit to.
#[derive(Debug, Serialize)]
struct RequestStatus {
    transaction: String,
    from: String,
    state: String,
    attempts: u32,
    next_at: Option<u64>,
    reason: Option<String>,
    instances: u64,
    committed: Option<u64>,
    failed: Option<u64>,
}

/// Runs the command.
pub(crate) fn run(args: &StatusArgs) -> Result<(), Failure> {
    let config = settings::load(&args.config)?;
    let folder = &config.node.data;
    let on = || folder.display().to_string();
    let view = Spool::open_read_only(folder).or_fail(Fault::Disk, on)?;
    let snapshot = view.snapshot().or_fail(Fault::Disk, on)?;
    let mut status = Status::of(snapshot, config.receive.durability);
    status.certificates = Expiring::of(&config).now(clock::now());
    if args.json { text::print_json(&status) } else { print(&status) }
}

impl Status {
    fn of(snapshot: Snapshot, durability: Durability) -> Self {
        Self {
            durability: durability.as_str(),
            spool_bytes: snapshot.spool_bytes,
            series: snapshot.series.into_iter().map(SeriesStatus::of).collect(),
            jobs: snapshot.jobs.into_iter().map(JobStatus::of).collect(),
            deliveries: snapshot.deliveries.into_iter().map(DeliveryStatus::of).collect(),
            certificates: vec![],
            commitments: snapshot.commitments.into_iter().map(CommitmentStatus::of).collect(),
            requests: snapshot.requests.into_iter().map(RequestStatus::of).collect(),
        }
    }
}

impl SeriesStatus {
    fn of(row: SeriesRow) -> Self {
        Self {
            study: row.study.to_string(),
            series: row.series.to_string(),
            state: row.state,
            revision: row.revision.0,
            instances: row.instance_count,
            last_received: row.last_received.unix_millis(),
            note: row.note,
        }
    }
}

impl JobStatus {
    fn of(row: JobRow) -> Self {
        Self {
            id: row.id.0,
            series: row.series.to_string(),
            revision: row.revision.0,
            rule: row.rule,
            model: row.model,
            state: row.state,
            code: row.reason_code,
            reason: row.reason,
            results: row.results.iter().map(|path| path.display().to_string()).collect(),
        }
    }
}

impl DeliveryStatus {
    fn of(row: DeliveryRow) -> Self {
        Self {
            job: row.job.0,
            destination: row.destination,
            state: row.state,
            attempts: row.attempts,
            next_at: row.next_at.map(|at| at.unix_millis()),
            reason: row.reason,
            form: row.form,
        }
    }
}

impl CommitmentStatus {
    fn of(row: CommitmentRow) -> Self {
        Self {
            job: row.job.0,
            destination: row.destination,
            state: row.state,
            asked: row.asked,
            redelivered: row.redelivered,
            next_at: row.next_at.map(|at| at.unix_millis()),
            reason: row.reason,
            committed: row.committed,
            instances: row.instances,
        }
    }
}

impl RequestStatus {
    fn of(row: RequestRow) -> Self {
        Self {
            transaction: row.transaction,
            from: row.calling,
            state: row.state,
            attempts: row.attempts,
            next_at: row.next_at.map(|at| at.unix_millis()),
            reason: row.reason,
            instances: row.instances,
            committed: row.committed,
            failed: row.failed,
        }
    }
}

fn print(status: &Status) -> Result<(), Failure> {
    print_table("series", &series_table(&status.series))?;
    print_table("jobs", &job_table(&status.jobs))?;
    print_table("deliveries", &delivery_table(&status.deliveries))?;
    if !status.certificates.is_empty() {
        print_table("certificates", &certificate_table(&status.certificates))?;
    }
    print_table("commitments", &commitment_table(&status.commitments))?;
    print_table("commitment requests", &request_table(&status.requests))?;
    let (megabytes, durability) = (status.spool_bytes / 1_000_000, status.durability);
    text::print_line(&format!("spool: {megabytes} MB; durability: {durability}"))
}

fn print_table(heading: &str, table: &Table) -> Result<(), Failure> {
    if table.is_empty() {
        return text::print_line(&format!("{heading}: none"));
    }
    text::print_line(&format!("{heading}:\n{table}"))
}

fn series_table(rows: &[SeriesStatus]) -> Table {
    let mut table = Table::new(&["series", "state", "revision", "instances", "why"]);
    for row in rows {
        let (revision, instances) = (row.revision.to_string(), row.instances.to_string());
        table.add(&[
            &row.series,
            &row.state,
            &revision,
            &instances,
            row.note.as_deref().unwrap_or(""),
        ]);
    }
    table
}

fn job_table(rows: &[JobStatus]) -> Table {
    let mut table = Table::new(&["job", "series", "revision", "rule", "model", "state", "why"]);
    for row in rows {
        let (id, revision) = (row.id.to_string(), row.revision.to_string());
        let why = [row.code.as_deref(), row.reason.as_deref()];
        let why: Vec<_> = why.into_iter().flatten().collect();
        table.add(&[
            &id,
            &row.series,
            &revision,
            &row.rule,
            &row.model,
            &row.state,
            &why.join(": "),
        ]);
    }
    table
}

fn delivery_table(rows: &[DeliveryStatus]) -> Table {
    let mut table = Table::new(&["job", "destination", "state", "form", "attempts", "why"]);
    for row in rows {
        let (job, attempts) = (row.job.to_string(), row.attempts.to_string());
        table.add(&[
            &job,
            &row.destination,
            &row.state,
            row.form.as_deref().unwrap_or(""),
            &attempts,
            row.reason.as_deref().unwrap_or(""),
        ]);
    }
    table
}

fn certificate_table(rows: &[Expiry]) -> Table {
    let mut table = Table::new(&["certificate", "subject", "days left"]);
    for row in rows {
        table.add(&[&row.file, &row.subject, &row.days_left.to_string()]);
    }
    table
}

fn commitment_table(rows: &[CommitmentStatus]) -> Table {
    let mut table =
        Table::new(&["job", "destination", "state", "committed", "asked", "redelivered", "why"]);
    for row in rows {
        let (job, asked, redelivered) =
            (row.job.to_string(), row.asked.to_string(), row.redelivered.to_string());
        table.add(&[
            &job,
            &row.destination,
            &row.state,
            &format!("{} of {}", row.committed, row.instances),
            &asked,
            &redelivered,
            row.reason.as_deref().unwrap_or(""),
        ]);
    }
    table
}

fn request_table(rows: &[RequestStatus]) -> Table {
    let mut table = Table::new(&["transaction", "from", "state", "committed", "attempts", "why"]);
    for row in rows {
        let committed = row.committed.map(|count| format!("{count} of {}", row.instances));
        table.add(&[
            &row.transaction,
            &row.from,
            &row.state,
            committed.as_deref().unwrap_or(""),
            &row.attempts.to_string(),
            row.reason.as_deref().unwrap_or(""),
        ]);
    }
    table
}
