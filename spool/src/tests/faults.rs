//! A small node over a disk that fails, or dies, at each operation in turn.
//!
//! The invariant: each instance that was reported as stored is there as it was sent, and belongs to a series whose jobs
//! each end exactly once.

use std::collections::BTreeMap;
use std::fs;

use domain::{Durability, InstanceIdentity};

use super::bench::{Bench, bytes_in, close, identity, send, wish, write_results};
use crate::names::Names;
use crate::{Change, Spool, SpoolError};

/// Instances that were reported as stored, with the content that was.
type Acknowledged = BTreeMap<InstanceIdentity, Vec<u8>>;

/// What the modality sends: two series, then a late instance, then another content for an early one.
fn sendings() -> Vec<Vec<(InstanceIdentity, &'static [u8])>> {
    let of = |series, sop| identity("1.1", series, sop);
    vec![
        vec![(of("1.2", "1.3"), b"one"), (of("1.2", "1.4"), b"two"), (of("1.5", "1.6"), b"three")],
        vec![(of("1.2", "1.7"), b"late")],
        vec![(of("1.2", "1.3"), b"one, better")],
    ]
}

/// One round of a node: everything that can be done is done; `Err` at the first fault.
fn work(spool: &Spool, bench: &Bench) -> Result<(), SpoolError> {
    let jobs = [wish("r", &["pacs", "archive"]), wish("local", &[])];
    for open in spool.open_series()? {
        close(spool, &open.series, &jobs, bench.pass(1))?;
    }
    for (study, _) in spool.pending_studies()? {
        let series = spool.study_series(&study)?;
        let jobs: Vec<_> = series.into_iter().map(|s| (s, wish("study", &["pacs"]))).collect();
        spool.add_study_jobs(&study, &jobs, bench.pass(1))?;
    }
    while let Some((job, instances)) = spool.claim_job(bench.pass(1))? {
        assert!(!instances.is_empty() && instances.iter().all(|i| i.path.exists()));
        if job.rule == "local" && job.revision.0 == 1 {
            spool.job_quarantined(job.id, "gap", "", bench.pass(1))?;
        } else {
            write_results(spool, &job, bench.pass(1))?;
        }
    }
    for delivery in spool.due_deliveries(bench.pass(1), &[])? {
        assert_eq!(delivery.results.len(), 2);
        assert!(delivery.results.iter().all(|result| result.path.exists()));
        spool.delivery_done(delivery.id, "BINARY", bench.pass(1))?;
    }
    Ok(())
}

/// Sends and works until the first fault.
fn live(spool: &Spool, bench: &Bench, acknowledged: &mut Acknowledged) -> Result<(), SpoolError> {
    for sending in sendings() {
        for (identity, content) in sending {
            send(spool, &identity, content)?;
            acknowledged.insert(identity, content.to_vec());
        }
        work(spool, bench)?;
    }
    Ok(())
}

fn check(spool: &Spool, bench: &Bench, acknowledged: &Acknowledged, context: &str) {
    for (identity, content) in acknowledged {
        let instances = spool.series_instances(&identity.series).unwrap();
        let found = instances.iter().find(|instance| instance.identity == *identity);
        let found = found.unwrap_or_else(|| panic!("{context}: {identity:?} is gone"));
        assert!(fs::read(&found.path).unwrap().ends_with(content), "{context}: {identity:?}");
    }
    let snapshot = spool.snapshot().unwrap();
    for job in &snapshot.jobs {
        let ended = matches!(job.state.as_str(), "done" | "quarantined" | "superseded");
        assert!(ended, "{context}: {job:?}");
        assert_eq!(
            job.results.len(),
            if job.state == "done" { 2 } else { 0 },
            "{context}: {job:?}"
        );
    }
    // The last revision of each series has each rule's job, and not superseded.
    for series in &snapshot.series {
        assert_eq!(series.state, "closed", "{context}");
        let last =
            |job: &&crate::JobRow| (&job.series, job.revision) == (&series.series, series.revision);
        let rules: Vec<_> =
            snapshot.jobs.iter().filter(last).map(|job| job.rule.as_str()).collect();
        assert_eq!(rules, ["r", "local", "study"], "{context}");
        assert!(snapshot.jobs.iter().filter(last).all(|job| job.state != "superseded"));
    }
    assert!(snapshot.deliveries.iter().all(|delivery| delivery.state == "done"), "{context}");
    assert_eq!(spool.spool_bytes(), bytes_in(&bench.root()), "{context}");
    assert_eq!(fs::read_dir(bench.root().join("incoming")).unwrap().count(), 0, "{context}");
}

/// After whatever happened, a start on a disk that works ends everything.
fn restart_and_check(bench: &Bench, acknowledged: &mut Acknowledged, context: &str) {
    bench.faults.plan(0, 0);
    let (spool, recovery) = bench.open();
    assert_eq!(recovery.lost, Vec::<std::path::PathBuf>::new(), "{context}");
    assert_eq!(recovery.foreign, Vec::<std::path::PathBuf>::new(), "{context}");
    for (identity, content) in acknowledged.iter() {
        let path = bench.root().join(format!(
            "instances/{}/{}/{}.dcm",
            identity.study, identity.series, identity.sop_instance
        ));
        let found = fs::read(path).unwrap();
        // A replacement that was not acknowledged may be there already.
        assert!(found.ends_with(content) || found.ends_with(b", better"), "{context}");
    }
    // The modality sends again what it got no answer for; it may as well send all.
    live(&spool, bench, acknowledged).unwrap();
    work(&spool, bench).unwrap();
    check(&spool, bench, acknowledged, context);
}

fn operations(names: Names) -> u64 {
    let (bench, mut acknowledged) = (bench(names), Acknowledged::new());
    bench.faults.plan(0, 0);
    let (spool, _) = bench.open();
    live(&spool, &bench, &mut acknowledged).unwrap();
    work(&spool, &bench).unwrap();
    check(&spool, &bench, &acknowledged, "no fault");
    bench.faults.steps()
}

/// A bench on a file system of either kind.
fn bench(names: Names) -> Bench {
    let bench = Bench::new();
    bench.faults.name(names);
    bench
}

#[test]
fn the_node_may_die_at_any_operation() {
    dies_at_any_operation(Names::WithFile);
}

#[test]
fn the_node_may_die_at_any_operation_where_folders_are_synced() {
    dies_at_any_operation(Names::ByFolder);
}

fn dies_at_any_operation(names: Names) {
    let operations = operations(names);
    assert!(operations > 100, "{operations} operations");
    for step in 0..operations {
        let (bench, mut acknowledged) = (bench(names), Acknowledged::new());
        // From here on nothing reaches the disk any more: that is what death looks like from outside.
        bench.faults.plan(step, u64::MAX);
        if let Ok((spool, _)) = bench.try_open() {
            drop(live(&spool, &bench, &mut acknowledged));
        }
        restart_and_check(&bench, &mut acknowledged, &format!("death at {step}"));
    }
}

#[test]
fn any_operation_may_fail_once_while_the_node_goes_on() {
    for step in 0..operations(Names::WithFile) {
        let (bench, mut acknowledged) = (Bench::new(), Acknowledged::new());
        bench.faults.plan(step, step + 1);
        let (spool, _) = bench.try_open().unwrap_or_else(|_| bench.open());
        // Whatever failed is tried again by its owner: sender, assembler, deliverer. A worker that cannot record
        // the end of its job leaves it for the next start.
        drop(live(&spool, &bench, &mut acknowledged));
        drop(work(&spool, &bench));
        drop(spool);
        restart_and_check(&bench, &mut acknowledged, &format!("fault at {step}"));
    }
}

#[test]
fn death_during_a_start_or_a_purge_loses_nothing_that_may_not_go() {
    let old = bench_with_history();
    let mut step = 0;
    loop {
        let bench = old();
        let before = bench.pass(1_000_000);
        bench.faults.plan(step, u64::MAX);
        let purged = bench.try_open().and_then(|(spool, _)| spool.purge(before));
        bench.faults.plan(0, 0);
        let (spool, recovery) = bench.open();
        assert_eq!(recovery.arrivals, 0, "step {step}: what was purged does not come back");
        assert_eq!((recovery.lost.len(), recovery.foreign.len()), (0, 0), "step {step}");
        spool.purge(before).unwrap();
        let states: Vec<_> =
            spool.snapshot().unwrap().series.into_iter().map(|s| s.state).collect();
        assert_eq!(states, ["purged", "purged"], "step {step}");
        assert_eq!((bytes_in(&bench.root()), spool.spool_bytes()), (0, 0), "step {step}");
        if purged.is_ok() {
            assert!(step > 20, "{step} operations");
            return;
        }
        step += 1;
    }
}

/// Makes spools in which everything is finished.
fn bench_with_history() -> impl Fn() -> Bench {
    || {
        let (bench, mut acknowledged) = (Bench::new(), Acknowledged::new());
        let (spool, _) = bench.open();
        live(&spool, &bench, &mut acknowledged).unwrap();
        work(&spool, &bench).unwrap();
        bench
    }
}

/// Whatever failed of a replacement: what is answered with success at last is told as one, so that the series is worked on again.
#[test]
fn a_replacement_that_failed_halfway_is_one_when_it_comes_again() {
    for durability in [Durability::Disk, Durability::Cache] {
        let mut failed = 0;
        for step in 0..100 {
            let mut bench = Bench::new();
            bench.durability = durability;
            let (spool, _) = bench.open();
            let a = identity("1.1", "1.2", "1.3");
            send(&spool, &a, b"one").unwrap();
            close(&spool, &a.series, &[], bench.now()).unwrap();
            bench.faults.plan(step, step + 1);
            let first = send(&spool, &a, b"two");
            let is_beyond = bench.faults.steps() <= step;
            bench.faults.plan(0, 0);
            if first.is_err() {
                failed += 1;
                let again = send(&spool, &a, b"two").unwrap();
                assert_eq!(again.change, Change::Replaced, "{durability:?}, fault at {step}");
                assert_eq!(spool.series_instances(&a.series).unwrap(), [again.instance]);
            }
            assert_eq!(spool.spool_bytes(), bytes_in(&bench.root()), "fault at {step}");
            if is_beyond {
                break;
            }
        }
        assert!(failed > 5, "{failed} faults");
    }
}
