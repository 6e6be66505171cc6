//! Instances that are answered before they are recorded.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use domain::{Durability, InstanceIdentity};

use super::bench::{Bench, announced, bytes_in, close, identity, origin, send};
use crate::{Change, OnStored, Spool};

/// Longest wait of a test.
const PATIENCE: Duration = Duration::from_secs(30);

/// How many operations [`publish_late`] takes before the answer.
fn steps(bench: &Bench, spool: &Spool) -> u64 {
    bench.faults.plan(0, 0);
    let recorded = publish_late(spool, &identity("1.1", "1.2", "1.99"));
    let steps = bench.faults.steps();
    recorded.recv_timeout(PATIENCE).unwrap();
    steps
}

/// Publishes an instance of a series that is open; the answer, and a channel that will have the record.
fn publish_late(spool: &Spool, a: &InstanceIdentity) -> mpsc::Receiver<Change> {
    let mut part = spool.begin(&announced(a), &origin("CT1")).unwrap();
    part.write(&[b"a data set"]).unwrap();
    let ((answer, answered), (record, recorded)) = (mpsc::channel(), mpsc::channel());
    let stored = OnStored {
        answer: Box::new(move |outcome| answer.send(outcome).unwrap()),
        recorded: Box::new(move |published| record.send(published.change).unwrap()),
    };
    spool.publish(part, a.clone(), stored);
    answered.try_recv().expect("answered when `publish` returns").unwrap();
    recorded
}

#[test]
fn an_instance_of_an_open_series_is_answered_before_it_is_recorded() {
    let mut bench = Bench::new();
    bench.durability = Durability::Cache;
    let (spool, _) = bench.open();
    let series = identity("1.1", "1.2", "1.3").series;
    send(&spool, &identity("1.1", "1.2", "1.3"), b"opens the series").unwrap();
    bench.faults.plan(steps(&bench, &spool), u64::MAX);
    let recorded = publish_late(&spool, &identity("1.1", "1.2", "1.4"));
    let (tell, told) = mpsc::channel();
    spool.when_recorded(move || tell.send(()).unwrap());
    thread::sleep(Duration::from_millis(50));
    assert!(recorded.try_recv().is_err() && told.try_recv().is_err(), "the ledger refuses");
    assert_eq!(spool.spool_bytes(), bytes_in(&bench.root()));
    bench.faults.plan(0, 0);
    assert_eq!(recorded.recv_timeout(PATIENCE).unwrap(), Change::New);
    told.recv_timeout(PATIENCE).unwrap();
    assert_eq!(spool.series_instances(&series).unwrap().len(), 3);
    let (tell, told) = mpsc::channel();
    spool.when_recorded(move || tell.send(()).unwrap());
    // Whoever told of the last may still have it in hand.
    told.recv_timeout(PATIENCE).expect("nothing waits");
}

#[test]
fn what_was_answered_and_not_recorded_is_found_by_the_next_start() {
    let mut bench = Bench::new();
    bench.durability = Durability::Cache;
    let (spool, _) = bench.open();
    let (a, b) = (identity("1.1", "1.2", "1.3"), identity("1.1", "1.2", "1.4"));
    send(&spool, &a, b"opens the series").unwrap();
    // The node is as good as dead behind the answer.
    bench.faults.plan(steps(&bench, &spool), u64::MAX);
    let recorded = publish_late(&spool, &b);
    drop(spool);
    assert!(recorded.try_recv().is_err());
    bench.faults.plan(0, 0);
    let (spool, recovery) = bench.open();
    assert_eq!((recovery.arrivals, recovery.cut_removed), (1, 0));
    assert_eq!(spool.series_instances(&a.series).unwrap().len(), 3);
}

#[test]
fn what_comes_again_before_it_is_recorded_is_the_same() {
    let mut bench = Bench::new();
    bench.durability = Durability::Cache;
    let (spool, _) = bench.open();
    let b = identity("1.1", "1.2", "1.4");
    send(&spool, &identity("1.1", "1.2", "1.3"), b"opens the series").unwrap();
    let recorded = publish_late(&spool, &b);
    assert_eq!(send(&spool, &b, b"a data set").unwrap().change, Change::Identical);
    assert_eq!(recorded.recv_timeout(PATIENCE).unwrap(), Change::New);
    assert_eq!(spool.spool_bytes(), bytes_in(&bench.root()));
}

#[test]
fn an_instance_that_comes_after_a_purge_opens_its_series_for_good() {
    let mut bench = Bench::new();
    bench.durability = Durability::Cache;
    let (spool, _) = bench.open();
    let a = identity("1.1", "1.2", "1.3");
    send(&spool, &a, b"a data set").unwrap();
    let recorded = publish_late(&spool, &identity("1.1", "1.2", "1.4"));
    // Whoever purges records first.
    spool.purge(bench.pass(1)).unwrap();
    recorded.recv_timeout(PATIENCE).unwrap();
    let series = || spool.snapshot().unwrap().series.remove(0);
    assert_eq!((series().state.as_str(), series().instance_count), ("open", 2));
    close(&spool, &a.series, &[], bench.now()).unwrap();
    spool.add_study_jobs(&a.study, &[], bench.now()).unwrap();
    assert_eq!(spool.purge(bench.pass(1)).unwrap().instances, 2);
    assert_eq!(send(&spool, &a, b"a data set").unwrap().change, Change::New);
    assert_eq!(spool.ledger.syncs().unwrap(), "FULL");
    assert_eq!((series().state.as_str(), series().instance_count), ("open", 1));
}
