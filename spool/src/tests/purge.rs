//! What may leave, what may not, and what comes back.

use std::cell::Cell;

use super::bench::{Bench, bytes_in, close, identity, row, send, wish, write_results};
use crate::{Change, Purged, Spool};

/// A series of two instances whose job is at the given point.
fn prepare(bench: &Bench) -> (Spool, domain::Job) {
    let (spool, _) = bench.open();
    let a = identity("1.1", "1.2", "1.3");
    send(&spool, &a, b"one").unwrap();
    send(&spool, &identity("1.1", "1.2", "1.4"), b"two").unwrap();
    close(&spool, &a.series, &[wish("r", &["pacs"])], bench.now()).unwrap();
    let (job, _) = spool.claim_job(bench.now()).unwrap().unwrap();
    (spool, job)
}

#[test]
fn only_what_is_finished_long_enough_goes() {
    let bench = Bench::new();
    let (spool, job) = prepare(&bench);
    let nothing = Purged::default();
    let soon = bench.now().plus(std::time::Duration::from_secs(1_000));
    assert_eq!(spool.purge(soon).unwrap(), nothing, "study is pending, job runs");
    spool.add_study_jobs(&job.study, &[], bench.now()).unwrap();
    assert_eq!(spool.purge(soon).unwrap(), nothing, "job runs");
    write_results(&spool, &job, bench.now()).unwrap();
    assert_eq!(spool.purge(soon).unwrap(), nothing, "delivery waits");
    let delivery = spool.due_deliveries(bench.now(), &[]).unwrap()[0].id;
    let ended = bench.pass(100);
    spool.delivery_done(delivery, "BINARY", ended).unwrap();
    assert_eq!(spool.purge(ended).unwrap(), nothing, "not before it ended");
    let bytes = bytes_in(&bench.root());
    let purged = spool.purge(bench.pass(1)).unwrap();
    assert_eq!(purged, Purged { instances: 2, bytes });
    assert_eq!((bytes_in(&bench.root()), spool.spool_bytes()), (0, 0));
    assert!(!bench.root().join("instances/1.1").exists());
    // History stays.
    let snapshot = spool.snapshot().unwrap();
    assert_eq!(
        (snapshot.series[0].state.as_str(), snapshot.series[0].instance_count),
        ("purged", 2)
    );
    assert_eq!((snapshot.jobs[0].state.as_str(), snapshot.jobs[0].results.len()), ("done", 0));
    assert_eq!(snapshot.spool_bytes, 0);
    assert_eq!(spool.purge(bench.pass(1)).unwrap(), nothing, "gone already");
}

#[test]
fn what_is_not_ours_stays_and_keeps_nothing_else_back() {
    let bench = Bench::new();
    let (spool, job) = prepare(&bench);
    spool.job_quarantined(job.id, "gap", "", bench.now()).unwrap();
    let other = identity("1.1", "1.9", "1.9.1");
    send(&spool, &other, b"after it by name").unwrap();
    close(&spool, &other.series, &[], bench.now()).unwrap();
    spool.add_study_jobs(&job.study, &[], bench.now()).unwrap();
    let folder = bench.root().join("instances/1.1/1.2");
    std::fs::create_dir(folder.join("@eaDir")).unwrap();
    std::fs::create_dir(folder.join("1.5.dcm")).unwrap();
    std::fs::write(folder.join("notes.txt"), "of an administrator").unwrap();
    let purged = spool.purge(bench.pass(1)).unwrap();
    assert_eq!((purged.instances, spool.spool_bytes()), (3, 0));
    assert!(folder.join("notes.txt").exists() && folder.join("1.5.dcm").exists());
    assert!(!bench.root().join("instances/1.1/1.9").exists());
    let states: Vec<_> = spool.snapshot().unwrap().series.into_iter().map(|s| s.state).collect();
    assert_eq!(states, ["purged", "purged"]);
}

#[test]
fn quarantined_and_unrouted_series_go_too() {
    let bench = Bench::new();
    let (spool, job) = prepare(&bench);
    spool.job_quarantined(job.id, "gap", "", bench.now()).unwrap();
    let unrouted = identity("1.7", "1.8", "1.9");
    send(&spool, &unrouted, b"nobody wants it").unwrap();
    let seen = spool.series_instances(&unrouted.series).unwrap();
    spool.close_series(&unrouted.series, &seen, &[], Some("no rule"), bench.now()).unwrap();
    for study in [&job.study, &unrouted.study] {
        spool.add_study_jobs(study, &[], bench.now()).unwrap();
    }
    assert_eq!(spool.purge(bench.pass(1)).unwrap().instances, 3);
    let notes: Vec<_> =
        spool.snapshot().unwrap().series.into_iter().filter_map(|s| s.note).collect();
    assert_eq!(notes, ["no rule"]);
}

#[test]
fn a_node_that_stops_leaves_the_other_series() {
    let bench = Bench::new();
    let (spool, _) = bench.open();
    for series in ["1.2", "1.3", "1.4"] {
        let unrouted = identity("1.1", series, &format!("{series}.1"));
        send(&spool, &unrouted, b"nobody wants it").unwrap();
        close(&spool, &unrouted.series, &[], bench.now()).unwrap();
    }
    spool.add_study_jobs(&identity("1.1", "1.2", "1.3").study, &[], bench.now()).unwrap();
    let asked = Cell::new(0);
    let after_one = || asked.replace(asked.get() + 1) > 0;
    assert_eq!(spool.purge_until(bench.pass(1), after_one).unwrap().instances, 1);
    assert_eq!(asked.get(), 2);
    assert_eq!(spool.purge(bench.pass(1)).unwrap().instances, 2, "the next time");
}

#[test]
fn what_was_purged_may_come_again() {
    let bench = Bench::new();
    let (spool, job) = prepare(&bench);
    write_results(&spool, &job, bench.now()).unwrap();
    let delivery = spool.due_deliveries(bench.now(), &[]).unwrap()[0].id;
    spool.delivery_done(delivery, "BINARY", bench.now()).unwrap();
    spool.add_study_jobs(&job.study, &[], bench.now()).unwrap();
    spool.purge(bench.pass(1)).unwrap();
    let published = send(&spool, &identity("1.1", "1.2", "1.3"), b"one").unwrap();
    assert_eq!(published.change, Change::New);
    let closed = close(&spool, &job.series, &[wish("r", &[])], bench.now()).unwrap();
    assert_eq!(closed.revision.0, 2);
    assert_eq!(spool.snapshot().unwrap().series[0].instance_count, 1);
    let (job, instances) = spool.claim_job(bench.now()).unwrap().unwrap();
    assert_eq!((job.id, instances.len()), (closed.jobs[0], 1));
    assert_eq!(row(&spool, job.id).state, "running");
    let predecessor = spool.predecessor(&job.series, "r", job.revision, "BINARY").unwrap();
    assert!(predecessor.is_some(), "history still knows the report");
}
