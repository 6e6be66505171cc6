//! What a start finds.

use std::fs;

use super::bench::{Bench, bytes_in, close, identity, row, send, wish, write_results};
use crate::{Recovery, Spool, SpoolError, seal};

/// What a recovery says that is neither numbers of bytes nor about the ledger's file.
fn plain(recovery: &Recovery) -> Recovery {
    Recovery { spool_bytes: 0, is_new_ledger: false, ledger_set_aside: None, ..recovery.clone() }
}

#[test]
fn a_spool_in_order_has_nothing_to_report() {
    let bench = Bench::new();
    send(&bench.open().0, &identity("1.1", "1.2", "1.3"), b"one").unwrap();
    let (spool, recovery) = bench.open();
    assert!(!recovery.is_new_ledger);
    assert_eq!(plain(&recovery), Recovery::default());
    assert_eq!(recovery.spool_bytes, bytes_in(&bench.root()));
    assert_eq!(spool.open_series().unwrap().len(), 1);
}

#[test]
fn a_second_node_is_refused_while_the_first_runs() {
    let bench = Bench::new();
    let first = bench.open();
    let error = bench.try_open().unwrap_err();
    assert!(matches!(error, SpoolError::Locked { .. }), "{error}");
    drop(first);
    bench.open();
}

#[test]
fn parts_are_removed() {
    let bench = Bench::new();
    drop(bench.open());
    fs::write(bench.root().join("incoming/7.part"), "half").unwrap();
    let (spool, recovery) = bench.open();
    assert_eq!((recovery.parts_removed, bytes_in(&bench.root())), (1, 0));
    // Names are used again without harm.
    for number in 0..10 {
        send(&spool, &identity("1.1", "1.2", &format!("1.3.{number}")), b"one").unwrap();
    }
}

#[test]
fn files_without_a_row_are_arrivals() {
    let bench = Bench::new();
    let a = identity("1.1", "1.2", "1.3");
    {
        let (spool, _) = bench.open();
        let instance = send(&spool, &a, b"one").unwrap().instance;
        close(&spool, &a.series, &[], bench.now()).unwrap();
        let other = send(&spool, &identity("1.1", "1.2", "1.4"), b"two").unwrap().instance;
        close(&spool, &a.series, &[], bench.now()).unwrap();
        // A copy under a name that its File Meta Information does not bear out, and things that are no instances.
        fs::copy(&other.path, other.path.with_file_name("1.5.dcm")).unwrap();
        fs::write(instance.path.with_file_name("notes.txt"), "?").unwrap();
        fs::write(bench.root().join("instances/1.1/1.2/1.6.dcm"), "no DICOM").unwrap();
        fs::write(bench.root().join("instances/stray"), "?").unwrap();
        spool.ledger.forget_for_test(&other.identity);
    }
    let (spool, recovery) = bench.open();
    assert_eq!((recovery.arrivals, recovery.foreign.len()), (1, 4), "{recovery:?}");
    assert_eq!(recovery.lost.len(), 0);
    assert_eq!(spool.open_series().unwrap().len(), 1);
    let instances = spool.series_instances(&a.series).unwrap();
    assert_eq!(instances.len(), 2);
    assert_eq!(instances[1].calling.as_str(), "CT1");
}

#[test]
fn rows_without_a_file_are_reported_and_dropped() {
    let bench = Bench::new();
    let (a, b) = (identity("1.1", "1.2", "1.3"), identity("1.7", "1.8", "1.9"));
    {
        let (spool, _) = bench.open();
        send(&spool, &a, b"one").unwrap();
        send(&spool, &identity("1.1", "1.2", "1.4"), b"two").unwrap();
        send(&spool, &b, b"three").unwrap();
    }
    let instances = bench.root().join("instances");
    fs::remove_file(instances.join("1.1/1.2/1.3.dcm")).unwrap();
    fs::remove_dir_all(instances.join("1.7")).unwrap();
    let (spool, recovery) = bench.open();
    let lost = [instances.join("1.1/1.2/1.3.dcm"), instances.join("1.7/1.8/1.9.dcm")];
    assert_eq!(recovery.lost, lost);
    assert_eq!(spool.series_instances(&a.series).unwrap().len(), 1);
    assert_eq!(spool.spool_bytes(), bytes_in(&bench.root()));
    let counts: Vec<_> =
        spool.snapshot().unwrap().series.iter().map(|series| series.instance_count).collect();
    assert_eq!(counts, [1, 0]);
}

#[test]
fn a_file_of_another_length_is_an_arrival() {
    let bench = Bench::new();
    let a = identity("1.1", "1.2", "1.3");
    let path = {
        let (spool, _) = bench.open();
        let path = send(&spool, &a, b"one").unwrap().instance.path;
        close(&spool, &a.series, &[], bench.now()).unwrap();
        path
    };
    let mut content = fs::read(&path).unwrap();
    content.extend(b" and more");
    // As a replacement lies there whose row was not recorded any more.
    let seal = seal::whole(content.len() as u64);
    content[..24].copy_from_slice(&seal);
    fs::write(&path, &content).unwrap();
    let (spool, recovery) = bench.open();
    assert_eq!(recovery.arrivals, 1);
    assert_eq!(spool.open_series().unwrap().len(), 1);
    assert_eq!(spool.spool_bytes(), bytes_in(&bench.root()));
}

fn lose_the_ledger(bench: &Bench, lose: impl FnOnce(&std::path::Path)) -> (Spool, Recovery) {
    {
        let (spool, _) = bench.open();
        for number in 0..3 {
            send(&spool, &identity("1.1", "1.2", &format!("1.3.{number}")), b"one").unwrap();
        }
        let series = identity("1.1", "1.2", "1.3").series;
        close(&spool, &series, &[wish("r", &["pacs"])], bench.now()).unwrap();
        let (job, _) = spool.claim_job(bench.now()).unwrap().unwrap();
        write_results(&spool, &job, bench.now()).unwrap();
    }
    lose(&bench.root().join("ledger.sqlite"));
    let (spool, recovery) = bench.open();
    assert!(recovery.is_new_ledger);
    assert_eq!((recovery.arrivals, recovery.lost.len()), (3, 0));
    assert_eq!(spool.open_series().unwrap().len(), 1);
    assert_eq!(spool.snapshot().unwrap().jobs, []);
    // Results that nobody knows of any more are made again, so these go.
    assert_eq!(fs::read_dir(bench.root().join("results")).unwrap().count(), 0);
    assert_eq!(spool.spool_bytes(), bytes_in(&bench.root()));
    (spool, recovery)
}

#[test]
fn a_ledger_that_is_gone_is_made_anew() {
    let (_, recovery) = lose_the_ledger(&Bench::new(), |path| fs::remove_file(path).unwrap());
    assert_eq!(recovery.ledger_set_aside, None);
}

#[test]
fn a_ledger_that_is_no_database_is_set_aside() {
    let bench = Bench::new();
    let (_, recovery) = lose_the_ledger(&bench, |path| fs::write(path, [b'x'; 5000]).unwrap());
    assert_eq!(fs::read(recovery.ledger_set_aside.unwrap()).unwrap(), [b'x'; 5000]);
}

#[test]
fn a_ledger_with_broken_pages_is_set_aside() {
    let bench = Bench::new();
    let (_, recovery) = lose_the_ledger(&bench, |path| {
        let mut pages = fs::read(path).unwrap();
        let length = pages.len();
        pages[4096..length].fill(0xA5);
        fs::write(path, pages).unwrap();
    });
    assert!(recovery.ledger_set_aside.unwrap().exists());
}

#[test]
fn a_ledger_of_a_later_version_is_left_alone() {
    let bench = Bench::new();
    bench.open().0.ledger.set_version_for_test(99);
    for error in [bench.try_open().unwrap_err(), Spool::open_read_only(&bench.root()).unwrap_err()]
    {
        assert!(matches!(error, SpoolError::LedgerTooNew { found: 99, .. }), "{error}");
    }
}

#[test]
fn results_that_are_gone_are_made_again_unless_everybody_has_them() {
    let bench = Bench::new();
    let (mut jobs, delivered) = (Vec::new(), 0);
    {
        let (spool, _) = bench.open();
        for series in ["1.2", "1.4"] {
            let a = identity("1.1", series, "1.3");
            send(&spool, &a, b"one").unwrap();
            close(&spool, &a.series, &[wish("r", &["pacs"])], bench.now()).unwrap();
            let (job, _) = spool.claim_job(bench.now()).unwrap().unwrap();
            write_results(&spool, &job, bench.now()).unwrap();
            jobs.push(job.id);
        }
        let due = spool.due_deliveries(bench.now(), &[]).unwrap();
        spool.delivery_done(due[delivered].id, "BINARY", bench.now()).unwrap();
        for job in &jobs {
            fs::remove_file(&row(&spool, *job).results[0]).unwrap();
        }
    }
    let (spool, recovery) = bench.open();
    assert_eq!((recovery.redone, recovery.requeued), (1, 0));
    assert_eq!(row(&spool, jobs[0]).state, "done");
    let (job, _) = spool.claim_job(bench.now()).unwrap().unwrap();
    assert_eq!(job.id, jobs[1]);
    write_results(&spool, &job, bench.now()).unwrap();
    let due = spool.due_deliveries(bench.now(), &[]).unwrap();
    assert_eq!(due.len(), 1);
    assert!(due[0].results.iter().all(|result| result.path.exists()));
}

#[test]
fn status_reads_beside_a_running_node_and_without_one() {
    let bench = Bench::new();
    assert!(matches!(Spool::open_read_only(&bench.root()), Err(SpoolError::Io { .. })));
    let (spool, _) = bench.open();
    let view = Spool::open_read_only(&bench.root()).unwrap();
    send(&spool, &identity("1.1", "1.2", "1.3"), b"one").unwrap();
    assert_eq!(view.snapshot().unwrap(), spool.snapshot().unwrap());
    drop((spool, view));
    let view = Spool::open_read_only(&bench.root()).unwrap();
    assert_eq!(view.snapshot().unwrap().series.len(), 1);
}
