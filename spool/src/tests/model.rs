//! Random operations, compared with a model that is a few maps.

use std::collections::BTreeMap;

use domain::JobId;
use proptest::prelude::*;

use super::bench::{Bench, close, identity, send, wish, write_results};
use crate::{Change, Spool};

#[derive(Debug, Clone)]
enum Operation {
    Send { series: u8, sop: u8, content: u8 },
    Close { series: u8 },
    Claim,
    Write,
    Quarantine,
    Deliver { refuse: bool },
    Restart,
    LoseNothing,
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        5 => (0..3_u8, 0..3_u8, 0..2_u8)
            .prop_map(|(series, sop, content)| Operation::Send { series, sop, content }),
        4 => (0..3_u8).prop_map(|series| Operation::Close { series }),
        3 => Just(Operation::Claim),
        3 => Just(Operation::Write),
        1 => Just(Operation::Quarantine),
        3 => any::<bool>().prop_map(|refuse| Operation::Deliver { refuse }),
        1 => Just(Operation::Restart),
        1 => Just(Operation::LoseNothing),
    ]
}

/// A job as the model knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ModelJob {
    series: u8,
    revision: u32,
    state: &'static str,
}

#[derive(Debug, Default)]
struct Model {
    contents: BTreeMap<(u8, u8), u8>,
    /// Whether the series is open, and how often it has closed.
    series: BTreeMap<u8, (bool, u32)>,
    jobs: Vec<ModelJob>,
}

impl Model {
    fn send(&mut self, series: u8, sop: u8, content: u8) -> Change {
        let earlier = self.contents.insert((series, sop), content);
        let change = match earlier {
            None => Change::New,
            Some(earlier) if earlier == content => return Change::Identical,
            Some(_) => Change::Replaced,
        };
        self.series.entry(series).or_insert((true, 0)).0 = true;
        change
    }

    fn close(&mut self, series: u8) {
        let Some((is_open @ true, revision)) = self.series.get_mut(&series) else { return };
        (*is_open, *revision) = (false, *revision + 1);
        self.supersede(|job| job.series == series);
        let revision = self.series[&series].1;
        self.jobs.push(ModelJob { series, revision, state: "queued" });
    }

    fn supersede(&mut self, which: impl Fn(&ModelJob) -> bool) {
        for job in self.jobs.iter_mut().filter(|job| job.state == "queued" && which(job)) {
            job.state = "superseded";
        }
    }

    /// Takes the first queued job of a series that has none running.
    fn claim(&mut self) -> Option<&ModelJob> {
        let is_running = |job: &ModelJob| {
            self.jobs.iter().any(|other| other.series == job.series && other.state == "running")
        };
        let next = self.jobs.iter().position(|job| job.state == "queued" && !is_running(job))?;
        self.jobs[next].state = "running";
        Some(&self.jobs[next])
    }

    /// Whether results of the job are the next of its series to be delivered.
    fn is_in_turn(&self, job: JobId) -> bool {
        let series = self.jobs[index(job)].series;
        let is_next = |job: &ModelJob| job.series == series && job.state == "delivering";
        self.jobs.iter().position(is_next) == Some(index(job))
    }

    /// Ends what somebody has in hand.
    fn end(&mut self, job: JobId, from: &str, to: &'static str) {
        let job = &mut self.jobs[index(job)];
        assert_eq!(job.state, from);
        job.state = to;
    }

    fn restart(&mut self) {
        let jobs = self.jobs.clone();
        for job in self.jobs.iter_mut().filter(|job| job.state == "running") {
            let later =
                |other: &ModelJob| other.series == job.series && other.revision > job.revision;
            job.state = if jobs.iter().any(later) { "superseded" } else { "queued" };
        }
    }
}

/// The ledger counts from 1.
fn index(job: JobId) -> usize {
    usize::try_from(job.0).unwrap() - 1
}

/// Does the operation to both; `running` holds jobs that workers have.
fn apply(
    operation: &Operation,
    (bench, spool, running): (&Bench, &mut Option<Spool>, &mut Vec<domain::Job>),
    model: &mut Model,
) {
    let now = bench.pass(1);
    let open = spool.as_ref().unwrap();
    match operation {
        Operation::Send { series, sop, content } => {
            let sent = send(open, &of(*series, *sop), &[*content; 20]).unwrap();
            assert_eq!(sent.change, model.send(*series, *sop, *content));
        }
        Operation::Close { series } => {
            let closed = close(open, &of(*series, 0).series, &[wish("r", &["pacs"])], now);
            assert_eq!(closed.is_ok(), model.series.contains_key(series));
            model.close(*series);
        }
        Operation::Claim => {
            let claimed = open.claim_job(now).unwrap().map(|(job, _)| job);
            let expected = model.claim().map(|job| (job.series, job.revision));
            let key = |job: &domain::Job| (job.series.clone(), job.revision.0);
            let expected = expected.map(|(series, revision)| (of(series, 0).series, revision));
            assert_eq!(claimed.as_ref().map(key), expected);
            running.extend(claimed);
        }
        Operation::Write | Operation::Quarantine if running.is_empty() => {}
        Operation::Write => {
            let job = running.remove(0);
            write_results(open, &job, now).unwrap();
            model.end(job.id, "running", "delivering");
        }
        Operation::Quarantine => {
            let job = running.remove(0);
            open.job_quarantined(job.id, "gap", "", now).unwrap();
            model.end(job.id, "running", "quarantined");
        }
        Operation::Deliver { refuse } => {
            let due = open.due_deliveries(now, &[]).unwrap();
            assert_eq!(due.is_empty(), model.jobs.iter().all(|job| job.state != "delivering"));
            assert!(due.iter().all(|delivery| model.is_in_turn(delivery.job)));
            if let Some(delivery) = due.first() {
                let done = if *refuse {
                    open.delivery_failed(delivery.id, "no", None, now)
                } else {
                    open.delivery_done(delivery.id, "BINARY", now)
                };
                done.unwrap();
                let state = if *refuse { "quarantined" } else { "done" };
                model.end(delivery.job, "delivering", state);
            }
        }
        Operation::Restart => {
            *spool = None;
            *spool = Some(bench.open().0);
            running.clear();
            model.restart();
        }
        Operation::LoseNothing => assert_eq!(open.snapshot().unwrap().jobs.len(), model.jobs.len()),
    }
}

fn of(series: u8, sop: u8) -> domain::InstanceIdentity {
    identity("1.1", &format!("1.2.{series}"), &format!("1.3.{series}.{sop}"))
}

fn compare(spool: &Spool, model: &Model) {
    let snapshot = spool.snapshot().unwrap();
    let jobs: Vec<_> = snapshot
        .jobs
        .iter()
        .map(|job| (job.series.to_string(), job.revision.0, job.state.clone()))
        .collect();
    let expected: Vec<_> = model
        .jobs
        .iter()
        .map(|job| (of(job.series, 0).series.to_string(), job.revision, job.state.to_owned()))
        .collect();
    assert_eq!(jobs, expected);
    for (series, (is_open, revision)) in &model.series {
        let uid = of(*series, 0).series;
        let row = snapshot.series.iter().find(|row| row.series == uid).unwrap();
        let state = if *is_open { "open" } else { "closed" };
        assert_eq!((row.state.as_str(), row.revision.0), (state, *revision));
        let count = model.contents.keys().filter(|(of, _)| of == series).count();
        assert_eq!(spool.series_instances(&uid).unwrap().len(), count);
        assert_eq!(row.instance_count, count as u64);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_ledger_does_what_the_model_does(operations in prop::collection::vec(operation(), 1..60)) {
        let bench = Bench::new();
        let (mut spool, mut model) = (Some(bench.open().0), Model::default());
        let mut running = Vec::new();
        for operation in &operations {
            apply(operation, (&bench, &mut spool, &mut running), &mut model);
            compare(spool.as_ref().unwrap(), &model);
        }
    }
}
