//! A disk that runs full: on a file system of its own that is too small, everything that was acknowledged stays whole, and
//! what is not taken is said by status or by rejection.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tests::raw_peer::{Answer, CT_IMAGE_STORAGE, Opened, RawPeer, data_set_of};
use tests::{Node, NodeSettings, Phantom, parsenode, run};

use crate::support::{files_below, left_out};

/// Size of the small disk, in MiB.
const DISK_MIB: u64 = 60;
/// What of it has to stay free.
const FREE_MIB: u64 = 20;

/// A program that starts parsenode with `data` on a small disk, which nobody else sees and which ends with it.
fn on_a_small_disk(dir: &Path, data: &Path) -> PathBuf {
    let (program, script) = (parsenode().unwrap(), dir.join("parsenode-small"));
    fs::create_dir_all(data).unwrap();
    let mount = format!("mount -t tmpfs -o size={DISK_MIB}m none '{}'", data.display());
    let start = format!("exec '{}' \"$@\"", program.display());
    let text = format!("#!/bin/sh\nexec unshare --mount sh -c '{}' sh \"$@\"\n", {
        let inner = format!("{mount} && {start}");
        inner.replace('\'', "'\\''")
    });
    fs::write(&script, text).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    script
}

/// Whether this machine lets us mount at all.
fn may_mount() -> bool {
    let mut command = Command::new("unshare");
    run(command.args(["--mount", "sh", "-c", "mount -t tmpfs -o size=1m none /mnt"])).is_ok()
}

/// Stores instances over associations until none is let in any more; gives which were stored. Every other answer is A700.
fn store_until_rejected(port: u16, phantom: &Phantom) -> Vec<usize> {
    let (mut stored, mut refused) = (vec![], 0);
    let mut waiting = 0..phantom.slices;
    while let Opened::Accepted(mut peer) = RawPeer::open(port, "PARSENODE", "TEST").unwrap() {
        for k in waiting.by_ref() {
            match store(&mut peer, phantom, k) {
                Answer::Status(0) => stored.push(k),
                answer @ (Answer::Status(_) | Answer::Aborted | Answer::Closed) => {
                    assert_eq!(answer, Answer::Status(0xA700));
                    refused += 1;
                    break;
                }
            }
        }
        assert!(!waiting.is_empty(), "{} instances on a disk of {DISK_MIB} MiB", stored.len());
    }
    assert!(refused > 0, "the disk is full within an association");
    stored
}

fn store(peer: &mut RawPeer, phantom: &Phantom, k: usize) -> Answer {
    let (file, uid) = (phantom.file(k).unwrap(), phantom.sop_instance(k));
    peer.store(CT_IMAGE_STORAGE, &uid, data_set_of(&file).unwrap()).unwrap()
}

#[test]
fn a_disk_that_runs_full_loses_nothing_and_says_so() {
    if left_out("a small disk", &["ONNX Runtime", "unshare", "nsenter"]) {
        return;
    }
    if !may_mount() {
        println!("left out: a small disk (mounting is not allowed here)");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("node/data");
    let settings = NodeSettings {
        binary: Some(on_a_small_disk(dir.path(), &data)),
        rule: "calling = [\"NOBODY\"]\n".into(),
        series_quiet_s: 600,
        more: format!("[spool]\ndisk_free_bytes_min = {}\n", FREE_MIB << 20),
        ..NodeSettings::default()
    };
    let mut node = Node::start(&dir.path().join("node"), &settings).unwrap();
    let pid = node.running().unwrap().id();
    let seen = PathBuf::from(format!("/proc/{pid}/root{}/instances", data.display()));
    let phantom = Phantom { columns: 512, rows: 512, ..Phantom::small(5, 200) };

    let mut stored = store_until_rejected(node.port, &phantom);
    assert!(stored.len() > 50, "{stored:?}");
    let rejected = RawPeer::open(node.port, "PARSENODE", "TEST").unwrap();
    assert!(
        matches!(rejected, Opened::Rejected { result: 2, source: 3, reason: 2 }),
        "{rejected:?}"
    );
    check(&seen, &phantom, &stored);

    let more = format!("mount -o remount,size={}m '{}'", 4 * DISK_MIB, data.display());
    let (target, mut enter) = (pid.to_string(), Command::new("nsenter"));
    run(enter.args(["--mount", "--target", &target, "sh", "-c", &more])).unwrap();
    let mut peer = RawPeer::accepted(node.port).unwrap();
    for k in 195..200 {
        assert_eq!(store(&mut peer, &phantom, k), Answer::Status(0), "with more room it goes on");
        stored.push(k);
    }
    peer.release().unwrap();
    check(&seen, &phantom, &stored);
    node.stop().unwrap();
}

/// What was acknowledged is there as it was sent, and nothing else.
fn check(instances: &Path, phantom: &Phantom, stored: &[usize]) {
    let kept = files_below(instances);
    assert_eq!(kept.len(), stored.len());
    for k in stored {
        let name = format!("{}.dcm", phantom.sop_instance(*k));
        let file = kept.iter().find(|file| file.ends_with(&name)).unwrap();
        let (kept, sent) = (fs::read(file).unwrap(), phantom.file(*k).unwrap());
        assert_eq!(data_set_of(&kept).unwrap(), data_set_of(&sent).unwrap(), "{name}");
    }
}
