//! Both sides of each limit.

use super::bench::{Bench, announced, bytes_in, identity, origin, send};
use crate::SpoolError;

fn meta_bytes() -> u64 {
    let bench = Bench::new();
    let (spool, _) = bench.open();
    send(&spool, &identity("1.1", "1.2", "1.3"), b"").unwrap().instance.file_bytes
}

#[test]
fn instance_bytes_max() {
    let mut bench = Bench::new();
    bench.limits.instance_bytes_max = 10;
    let (spool, _) = bench.open();
    let a = identity("1.1", "1.2", "1.3");
    send(&spool, &a, &[0; 10]).unwrap();
    let error = send(&spool, &a, &[0; 11]).unwrap_err();
    assert!(matches!(error, SpoolError::TooLarge { bytes_max: 10 }), "{error}");
    assert!(error.is_no_room());
}

#[test]
fn a_part_that_could_not_be_written_is_not_published() {
    let mut bench = Bench::new();
    bench.limits.instance_bytes_max = 10;
    let (spool, _) = bench.open();
    let a = identity("1.1", "1.2", "1.3");
    let mut part = spool.begin(&announced(&a), &origin("CT1")).unwrap();
    part.write(&[&[0; 8]]).unwrap();
    part.write(&[&[0; 3]]).unwrap_err();
    part.write(&[&[0; 1]]).unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    spool.publish(part, a.clone(), super::bench::told_by(tell));
    assert!(matches!(told.recv().unwrap(), Err(SpoolError::TooLarge { .. })));
    assert_eq!(spool.series_instances(&a.series).unwrap(), []);
    assert_eq!((spool.spool_bytes(), bytes_in(&bench.root())), (0, 0));
}

#[test]
fn spool_bytes_max() {
    let mut bench = Bench::new();
    bench.limits.spool_bytes_max = 2 * meta_bytes() + 20;
    let (spool, _) = bench.open();
    send(&spool, &identity("1.1", "1.2", "1.3"), &[0; 10]).unwrap();
    let error = send(&spool, &identity("1.1", "1.2", "1.4"), &[0; 11]).unwrap_err();
    assert!(matches!(error, SpoolError::SpoolFull { .. }) && error.is_no_room(), "{error}");
    // What was refused takes no room, so what fits still does.
    send(&spool, &identity("1.1", "1.2", "1.4"), &[0; 10]).unwrap();
    assert_eq!(spool.spool_bytes(), bench.limits.spool_bytes_max);
    let full = spool.begin(&announced(&identity("1.1", "1.2", "1.5")), &origin("CT1"));
    assert!(matches!(full, Err(SpoolError::SpoolFull { .. })));
    // The count survives a restart.
    drop(spool);
    let (spool, recovery) = bench.open();
    assert_eq!(spool.spool_bytes(), bench.limits.spool_bytes_max);
    assert_eq!(recovery.spool_bytes, bytes_in(&bench.root()));
}

#[test]
fn disk_free_bytes_min() {
    let mut bench = Bench::new();
    let a = identity("1.1", "1.2", "1.3");
    send(&bench.open().0, &a, b"one").unwrap();
    bench.limits.disk_free_bytes_min = u64::MAX;
    let (spool, _) = bench.open();
    let error = spool.begin(&announced(&a), &origin("CT1")).unwrap_err();
    assert!(matches!(error, SpoolError::DiskLow { .. }) && error.is_no_room(), "{error}");
}

#[test]
fn the_disk_is_looked_at_while_a_long_instance_arrives() {
    let mut bench = Bench::new();
    bench.limits.disk_free_bytes_min = u64::MAX;
    let folder = crate::folder::Folder::new(&bench.root(), bench.faults.clone());
    folder.create().unwrap();
    let room = crate::room::Room::new(std::sync::Arc::new(folder), &bench.limits, 0);
    room.take((64 << 20) - 1).unwrap();
    assert!(matches!(room.take(1), Err(SpoolError::DiskLow { .. })));
    assert_eq!(room.used_bytes(), (64 << 20) - 1);
}
