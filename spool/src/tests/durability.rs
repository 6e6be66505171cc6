//! What is promised of an instance, and what the ledger may lose.

use std::fs;
use std::sync::mpsc;
use std::thread;

use domain::Durability;

use super::bench::{Bench, announced, bytes_in, close, identity, origin, send};
use crate::names::Names;
use crate::{Change, seal};

#[test]
fn where_no_disk_is_waited_for_the_sender_publishes_itself() {
    let mut bench = Bench::new();
    bench.durability = Durability::Cache;
    let (spool, _) = bench.open();
    let a = identity("1.1", "1.2", "1.3");
    let mut part = spool.begin(&announced(&a), &origin("CT1")).unwrap();
    part.write(&[b"a data set"]).unwrap();
    let (tell, told) = mpsc::channel();
    let here = thread::current().id();
    let stored = move |outcome: Result<crate::Published, _>| {
        assert_eq!(thread::current().id(), here);
        tell.send(outcome.unwrap()).unwrap();
    };
    spool.publish(part, a.clone(), super::bench::told(stored));
    // It is over when `publish` returns.
    let published = told.try_recv().unwrap();
    assert_eq!((published.change, published.instance.identity), (Change::New, a.clone()));
    assert!(fs::read(published.instance.path).unwrap().ends_with(b"a data set"));
    // What is there already has to be compared: that is the committer's work.
    assert_eq!(send(&spool, &a, b"a data set").unwrap().change, Change::Identical);
    assert_eq!(send(&spool, &a, b"another one").unwrap().change, Change::Replaced);
    assert_eq!(spool.spool_bytes(), bytes_in(&bench.root()));
}

#[test]
fn senders_that_publish_themselves_lose_nothing() {
    let mut bench = Bench::new();
    bench.durability = Durability::Cache;
    let (spool, _) = bench.open();
    thread::scope(|scope| {
        for sender in 0..8 {
            let spool = &spool;
            scope.spawn(move || {
                for number in 0..25 {
                    let uid = format!("1.3.{sender}.{number}");
                    send(spool, &identity("1.1", "1.2", &uid), b"a data set").unwrap();
                }
            });
        }
    });
    let series = identity("1.1", "1.2", "1.3").series;
    assert_eq!(spool.series_instances(&series).unwrap().len(), 200);
    drop(spool);
    let (spool, recovery) = bench.open();
    assert_eq!((recovery.arrivals, recovery.lost.len(), recovery.parts_removed), (0, 0, 0));
    assert_eq!(spool.spool_bytes(), bytes_in(&bench.root()));
}

/// Loss of power may take back what was recorded last; the files are there, and the next start finds them.
#[test]
fn rows_that_went_with_the_power_come_back_from_the_files() {
    let bench = Bench::new();
    let first = identity("1.1", "1.2", "1.3");
    let (spool, _) = bench.open();
    send(&spool, &first, b"one").unwrap();
    drop(spool);
    let ledger = bench.root().join("ledger.sqlite");
    let earlier = fs::read(&ledger).unwrap();
    let (spool, _) = bench.open();
    for (series, sop) in [("1.2", "1.4"), ("1.5", "1.6")] {
        send(&spool, &identity("1.1", series, sop), b"later").unwrap();
    }
    drop(spool);
    fs::write(&ledger, earlier).unwrap();
    for rest in ["-wal", "-shm"] {
        drop(fs::remove_file(bench.root().join(format!("ledger.sqlite{rest}"))));
    }
    let (spool, recovery) = bench.open();
    assert!(!recovery.is_new_ledger);
    assert_eq!((recovery.arrivals, recovery.lost.len()), (2, 0));
    let open: Vec<_> = spool.open_series().unwrap().into_iter().map(|row| row.series).collect();
    assert_eq!(open.len(), 2, "{open:?}");
    assert_eq!(spool.series_instances(&first.series).unwrap().len(), 2);
    assert_eq!(spool.spool_bytes(), bytes_in(&bench.root()));
}

#[test]
fn a_file_says_how_long_it_is() {
    let bench = Bench::new();
    let (spool, _) = bench.open();
    let path = send(&spool, &identity("1.1", "1.2", "1.3"), b"a data set").unwrap().instance.path;
    let file = fs::read(path).unwrap();
    assert_eq!(file[..24], seal::whole(file.len() as u64));
    assert_eq!(file[24..132], [[0; 104].as_slice(), b"DICM"].concat());
}

/// After loss of power a file may lie in its place and be cut. The seal tells.
#[test]
fn files_that_are_cut_are_no_arrivals() {
    let bench = Bench::new();
    let (spool, _) = bench.open();
    let a = identity("1.1", "1.2", "1.3");
    let whole = send(&spool, &a, b"a data set").unwrap().instance.path;
    drop(spool);
    let (file, cut) = (fs::read(&whole).unwrap(), whole.with_file_name("1.4.dcm"));
    for length in [0, 10, 100, file.len() - 1] {
        fs::write(&cut, &file[..length]).unwrap();
        let (spool, recovery) = bench.open();
        assert_eq!((recovery.cut_removed, recovery.arrivals), (1, 0), "{length}");
        assert_eq!((recovery.lost.len(), recovery.foreign.len()), (0, 0), "{length}");
        assert!(!cut.exists());
        assert_eq!(spool.spool_bytes(), bytes_in(&bench.root()));
    }
    // One that never got its seal.
    let unfinished = [seal::unfinished().as_slice(), &file[24..]].concat();
    fs::write(&cut, unfinished).unwrap();
    assert_eq!(bench.open().1.cut_removed, 1);
    // One that the ledger knows, as it may be with durability in the cache.
    fs::write(&whole, &file[..file.len() - 1]).unwrap();
    let (spool, recovery) = bench.open();
    assert_eq!((recovery.cut_removed, recovery.lost), (1, vec![whole]));
    assert_eq!(spool.series_instances(&a.series).unwrap(), []);
    assert_eq!(spool.snapshot().unwrap().series[0].instance_count, 0);
    assert_eq!(send(&spool, &a, b"a data set").unwrap().change, Change::New);
}

/// What cannot be synced is neither acknowledged nor left where it could be taken for written.
#[test]
fn a_file_that_cannot_be_synced_is_taken_away() {
    let a = identity("1.1", "1.2", "1.3");
    let operations = {
        let bench = Bench::new();
        let (spool, _) = bench.open();
        bench.faults.plan(0, 0);
        send(&spool, &a, b"one").unwrap();
        bench.faults.steps()
    };
    let mut refused = 0;
    for step in 0..operations {
        let bench = Bench::new();
        let (spool, _) = bench.open();
        bench.faults.plan(step, step + 1);
        refused += usize::from(send(&spool, &a, b"one").is_err());
        // Whatever it was, it can be sent again, and what is there is counted.
        send(&spool, &a, b"one").unwrap();
        assert_eq!(spool.spool_bytes(), bytes_in(&bench.root()), "step {step}");
    }
    assert!(refused > 5, "{refused} of {operations}");
}

/// Files of a purged series are taken for leftovers at the next start, so its opening may not be lost.
#[test]
fn a_series_that_opens_is_recorded_for_good() {
    let bench = Bench::new();
    let (spool, _) = bench.open();
    let a = identity("1.1", "1.2", "1.3");
    let synced = || spool.ledger.syncs().unwrap();
    send(&spool, &a, b"one").unwrap();
    assert_eq!(synced(), "FULL");
    send(&spool, &identity("1.1", "1.2", "1.4"), b"two").unwrap();
    assert_eq!(synced(), "NORMAL");
    close(&spool, &a.series, &[], bench.now()).unwrap();
    assert_eq!(synced(), "FULL");
    send(&spool, &identity("1.1", "1.2", "1.5"), b"late").unwrap();
    assert_eq!(synced(), "FULL");
}

/// Where folders have to be synced, those above a series are synced once; when they were removed and come again, they are synced again.
#[test]
fn a_folder_that_came_again_is_synced_again() {
    let bench = Bench::new();
    bench.faults.name(Names::ByFolder);
    bench.faults.plan(0, 0);
    let (spool, _) = bench.open();
    let operations = |sop: &str| {
        let before = bench.faults.steps();
        send(&spool, &identity("1.1", "1.2", sop), b"one").unwrap();
        bench.faults.steps() - before
    };
    operations("1.3");
    let second = operations("1.4");
    spool.folder.remove_folder(&bench.root().join("nothing")).unwrap();
    assert_eq!(operations("1.5"), second + 2, "the study's folder and the one above it");
    assert_eq!(operations("1.6"), second);
}

/// Names of parts in `incoming/` while an instance of two pieces arrives on a file system of either kind.
fn names_of_parts(names: Names) -> usize {
    let bench = Bench::new();
    bench.faults.name(names);
    let (spool, _) = bench.open();
    let a = identity("1.1", "1.2", "1.3");
    let mut part = spool.begin(&announced(&a), &origin("CT1")).unwrap();
    part.write(&[b"a data", b" set"]).unwrap();
    let count = fs::read_dir(bench.root().join("incoming")).unwrap().count();
    drop(part);
    assert_eq!(spool.spool_bytes(), 0);
    count
}

#[test]
fn a_part_has_a_name_only_where_it_must() {
    assert_eq!(names_of_parts(Names::ByFolder), 1);
    assert_eq!(names_of_parts(Names::WithFile), usize::from(!cfg!(target_os = "linux")));
}
