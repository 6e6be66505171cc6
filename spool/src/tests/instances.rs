//! Instances that arrive.

use std::fs;
use std::sync::{Arc, mpsc};

use super::bench::{
    BROKEN, Bench, announced, bytes_in, close, identity, origin, send, send_from, told_by,
};
use crate::names::Names;
use crate::{Change, SpoolError};

#[test]
fn an_instance_is_in_its_place_as_received() {
    let bench = Bench::new();
    let (spool, recovery) = bench.open();
    assert!(recovery.is_new_ledger && recovery.arrivals == 0);
    let a = identity("1.1", "1.2", "1.3");
    let published = send(&spool, &a, b"data set of some length").unwrap();
    assert_eq!(published.change, Change::New);
    let path = bench.root().join("instances/1.1/1.2/1.3.dcm");
    assert_eq!(published.instance.path, path);
    assert_eq!(published.instance.received_at, bench.now());
    assert_eq!(published.instance.file_bytes, fs::metadata(&path).unwrap().len());
    let meta = dataset::read_file_meta(&path).unwrap();
    assert_eq!(meta.sop_instance, a.sop_instance);
    assert_eq!(meta.sending_ae.unwrap().as_str(), "CT1");
    assert!(fs::read(&path).unwrap().ends_with(b"data set of some length"));
    assert_eq!(spool.series_instances(&a.series).unwrap(), [published.instance]);
    assert_eq!(spool.spool_bytes(), bytes_in(&bench.root()));
}

#[test]
fn a_bug_costs_an_instance_its_answer_and_not_those_after_it() {
    let bench = Bench::new();
    let (spool, _) = bench.open();
    let (a, b) = (identity("1.1", "1.2", "1.3"), identity("1.1", "1.2", "1.4"));
    let mut part = spool.begin(&announced(&a), &origin("CT1")).unwrap();
    part.write(&[b"one"]).unwrap();
    let (tell, told) = mpsc::channel();
    let now = bench.now();
    bench.set_clock(BROKEN);
    spool.publish(part, a.clone(), told_by(tell));
    assert!(told.recv().is_err(), "no answer");
    bench.set_clock(now.unix_millis());
    send(&spool, &b, b"two").unwrap();
    assert_eq!(send(&spool, &a, b"one").unwrap().change, Change::New);
}

#[test]
fn the_same_again_changes_nothing_whoever_sends_it() {
    let bench = Bench::new();
    let (spool, _) = bench.open();
    let a = identity("1.1", "1.2", "1.3");
    let first = send(&spool, &a, b"one").unwrap().instance;
    close(&spool, &a.series, &[], bench.now()).unwrap();
    bench.pass(10);
    let again = send_from(&spool, "ANOTHER_LONG_ONE", &a, b"one").unwrap();
    assert_eq!((again.change, again.instance), (Change::Identical, first));
    assert_eq!(spool.open_series().unwrap(), []);
    assert_eq!(spool.spool_bytes(), bytes_in(&bench.root()));
}

#[test]
fn another_content_replaces_and_opens_the_series_again() {
    let bench = Bench::new();
    let (spool, _) = bench.open();
    let a = identity("1.1", "1.2", "1.3");
    let first = send(&spool, &a, b"one").unwrap().instance;
    close(&spool, &a.series, &[], bench.now()).unwrap();
    // As long as the first, at the same time: still told apart.
    let second = send(&spool, &a, b"two").unwrap();
    assert_eq!(second.change, Change::Replaced);
    assert!(second.instance.received_at > first.received_at);
    assert!(fs::read(&second.instance.path).unwrap().ends_with(b"two"));
    assert_eq!(spool.open_series().unwrap().len(), 1);
    let error = spool.close_series(&a.series, &[first], &[], None, bench.now()).unwrap_err();
    assert!(matches!(error, SpoolError::Changed { .. }), "{error}");
    assert_eq!(spool.snapshot().unwrap().series[0].instance_count, 1);
    assert_eq!(spool.spool_bytes(), bytes_in(&bench.root()));
}

#[test]
fn another_transfer_syntax_is_another_content() {
    let bench = Bench::new();
    let (spool, _) = bench.open();
    let a = identity("1.1", "1.2", "1.3");
    send(&spool, &a, b"one").unwrap();
    let mut b = a;
    b.transfer_syntax = domain::TransferSyntaxUid::parse("1.2.840.10008.1.2").unwrap();
    let published = send(&spool, &b, b"one").unwrap();
    assert_eq!(published.change, Change::Replaced);
    assert_eq!(published.instance.identity, b);
}

#[test]
fn one_sop_instance_uid_in_two_series_is_two_instances() {
    let bench = Bench::new();
    let (spool, _) = bench.open();
    for (study, series) in [("1.1", "1.2"), ("1.1", "1.4"), ("1.9", "1.2")] {
        let published = send(&spool, &identity(study, series, "1.3"), b"one").unwrap();
        assert_eq!(published.change, Change::New);
        assert!(published.instance.path.exists());
    }
    assert_eq!(spool.series_instances(&identity("1.1", "1.2", "1.3").series).unwrap().len(), 2);
}

#[test]
fn a_part_that_is_dropped_leaves_nothing() {
    let bench = Bench::new();
    // Where parts have names, so that their bytes can be counted.
    bench.faults.name(Names::ByFolder);
    let (spool, _) = bench.open();
    let a = identity("1.1", "1.2", "1.3");
    let mut part = spool.begin(&announced(&a), &origin("CT1")).unwrap();
    part.write(&[b"half ", b"", b"of it"]).unwrap();
    assert_eq!(spool.spool_bytes(), bytes_in(&bench.root()));
    assert!(spool.spool_bytes() > 0);
    drop(part);
    assert_eq!(bytes_in(&bench.root()), 0);
    assert_eq!(spool.spool_bytes(), 0);
}

#[test]
fn what_was_not_announced_is_refused() {
    let bench = Bench::new();
    let (spool, _) = bench.open();
    let part = spool.begin(&announced(&identity("1.1", "1.2", "1.3")), &origin("CT1")).unwrap();
    let (tell, told) = mpsc::channel();
    let other = identity("1.1", "1.2", "1.4");
    spool.publish(part, other, told_by(tell));
    assert!(matches!(told.recv().unwrap(), Err(SpoolError::IdentityMismatch)));
    assert_eq!(bytes_in(&bench.root()), 0);
}

#[test]
fn outcomes_come_in_order_and_a_callback_may_fail() {
    let bench = Bench::new();
    let (spool, _) = bench.open();
    let spool = Arc::new(spool);
    let (tell, told) = mpsc::channel();
    for number in 0..200 {
        let a = identity("1.1", "1.2", &format!("1.3.{number}"));
        let mut part = spool.begin(&announced(&a), &origin("CT1")).unwrap();
        part.write(&[&[7; 100]]).unwrap();
        let tell = tell.clone();
        // Each callback holds the spool: the last of them may be the last owner.
        let held = Arc::clone(&spool);
        let stored = move |outcome: Result<crate::Published, SpoolError>| {
            outcome.unwrap();
            tell.send(number).unwrap();
            drop(held);
            assert!(number != 3, "a bug of the receiver's");
        };
        spool.publish(part, a, super::bench::told(stored));
    }
    drop((spool, tell));
    assert_eq!(told.iter().collect::<Vec<_>>(), (0..200).collect::<Vec<_>>());
}

#[test]
fn many_senders_at_once_lose_nothing() {
    let bench = Bench::new();
    let (spool, _) = bench.open();
    std::thread::scope(|scope| {
        for sender in 0..8 {
            let spool = &spool;
            scope.spawn(move || {
                for number in 0..50 {
                    // Everybody sends the even ones.
                    let owner = if number % 2 == 0 { 0 } else { sender };
                    let a = identity("1.1", "1.2", &format!("1.3.{owner}.{number}"));
                    send(spool, &a, format!("{owner}.{number}").as_bytes()).unwrap();
                }
            });
        }
    });
    let series = identity("1.1", "1.2", "1.3").series;
    let instances = spool.series_instances(&series).unwrap();
    assert_eq!(instances.len(), 25 + 8 * 25);
    assert!(instances.iter().all(|instance| instance.path.exists()));
    assert_eq!(spool.snapshot().unwrap().series[0].instance_count, 225);
    assert_eq!(spool.spool_bytes(), bytes_in(&bench.root()));
}
