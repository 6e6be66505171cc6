//! A node that is killed at random moments: what was acknowledged is there, every job ends once, nothing is doubled.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use tests::raw_peer::{Answer, CT_IMAGE_STORAGE, Opened, RawPeer, data_set_of};
use tests::{Node, NodeSettings, Orthanc, Phantom, Running};

use crate::support::{PATIENCE, files_below, left_out, phantoms, results_of, sop_instance};

/// How hard it is.
pub(crate) struct Storm {
    pub(crate) associations: usize,
    pub(crate) series_per_association: usize,
    pub(crate) slices: usize,
    pub(crate) kills: usize,
    pub(crate) seed: u64,
}

#[test]
fn a_short_storm() {
    storm(&Storm { associations: 3, series_per_association: 2, slices: 40, kills: 4, seed: 1 });
}

/// An archive: Orthanc where it is installed, otherwise our own.
enum Archive {
    Orthanc(Orthanc),
    Folder { folder: PathBuf, port: u16, _running: Running },
}

impl Archive {
    fn start(work: &Path) -> Self {
        if !left_out("Orthanc as the archive, a folder instead", &["Orthanc"]) {
            return Self::Orthanc(Orthanc::start(&work.join("orthanc")).unwrap());
        }
        let (folder, port) = (work.join("archive"), tests::free_port().unwrap());
        let mut listen = Command::new(tests::parsenode().unwrap());
        listen.args(["listen", &port.to_string()]).arg(&folder);
        let running = Running::start("listen", &mut listen, &work.join("listen.log")).unwrap();
        Self::Folder { folder, port, _running: running }
    }

    fn address(&self) -> String {
        match self {
            Self::Orthanc(orthanc) => format!("ORTHANC@127.0.0.1:{}", orthanc.dicom_port),
            Self::Folder { port, .. } => format!("ARCHIVE@127.0.0.1:{port}"),
        }
    }

    fn sop_instances(&self) -> Vec<String> {
        match self {
            Self::Orthanc(orthanc) => orthanc.sop_instances().unwrap(),
            Self::Folder { folder, .. } => {
                files_below(folder).iter().map(|f| sop_instance(f)).collect()
            }
        }
    }
}

/// Sends, kills, restarts, and looks at what is left.
pub(crate) fn storm(storm: &Storm) {
    if left_out("kill storm", &["ONNX Runtime"]) {
        return;
    }
    let work = tempfile::tempdir().unwrap();
    let archive = Archive::start(work.path());
    let settings = NodeSettings {
        destinations: vec![("pacs".into(), archive.address())],
        // Longer than a restart takes, so that a kill does not close a series that is on its way.
        series_quiet_s: 8,
        ..NodeSettings::default()
    };
    let mut node = Node::start(&work.path().join("node"), &settings).unwrap();
    let count = (storm.associations * storm.series_per_association) as u64;
    let seeds: Vec<u64> = (0..count).map(|index| storm.seed * 1000 + index).collect();
    let studies = phantoms(work.path(), &seeds, storm.slices);
    let all: Vec<Phantom> = studies.iter().map(|(phantom, _)| phantom.clone()).collect();

    let sending = AtomicBool::new(true);
    let (port, rounds) = (node.port, all.chunks(storm.series_per_association));
    thread::scope(|scope| {
        let senders: Vec<_> =
            rounds.map(|series| scope.spawn(move || send_until_stored(port, series))).collect();
        scope.spawn(|| {
            senders.into_iter().for_each(|sender| sender.join().unwrap());
            sending.store(false, Ordering::Release);
        });
        kill_at_random(&mut node, storm, &sending);
    });

    node.wait_for_status("all series", PATIENCE * 4, |status| {
        status.rows("series").len() == all.len()
            && status.is_settled()
            && status.count("jobs", "done") > 0
    })
    .unwrap();
    check_spool(&all, &work.path().join("node/data/instances"));
    let folders: Vec<&Path> = studies.iter().map(|(_, folder)| folder.as_path()).collect();
    let expected = results_of(&folders, &[], work.path());
    let delivered = archive.sop_instances();
    assert_eq!(delivered.len(), expected.len(), "nothing doubled, nothing lost");
    assert_eq!(BTreeSet::from_iter(delivered), expected);
    node.stop().unwrap();
}

/// Kills while instances are sent, and again while jobs and deliveries run.
fn kill_at_random(node: &mut Node, storm: &Storm, sending: &AtomicBool) {
    println!("seed {}: {} kills", storm.seed, storm.kills);
    let mut state = storm.seed;
    let mut during = 0;
    for _ in 0..storm.kills {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        thread::sleep(Duration::from_millis(50 + (state >> 33) % 700));
        during += usize::from(sending.load(Ordering::Acquire));
        node.kill().unwrap();
        node.resume_without_waiting().unwrap();
    }
    println!("{during} of {} kills hit while instances were on their way", storm.kills);
    node.wait_until_ready().unwrap();
}

/// Sends every instance until it was acknowledged, over as many associations as it takes.
fn send_until_stored(port: u16, series: &[Phantom]) {
    let mut todo: Vec<(String, Vec<u8>)> = Vec::new();
    for phantom in series {
        todo.extend(
            (0..phantom.slices).map(|k| (phantom.sop_instance(k), phantom.file(k).unwrap())),
        );
    }
    let mut next = 0;
    while next < todo.len() {
        if let Ok(Opened::Accepted(mut peer)) = RawPeer::open(port, "PARSENODE", "STORM") {
            while let Some((uid, file)) = todo.get(next) {
                match peer.store(CT_IMAGE_STORAGE, uid, data_set_of(file).unwrap()) {
                    Ok(Answer::Status(0)) => next += 1,
                    Ok(Answer::Status(status)) => panic!("{uid}: status {status:04X}"),
                    Ok(Answer::Aborted | Answer::Closed) | Err(_) => break,
                }
            }
            if next == todo.len() {
                // The node may be killed just now; everything is acknowledged already.
                drop(peer.release());
            }
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Every acknowledged instance is there, whole, and nothing else.
fn check_spool(all: &[Phantom], instances: &Path) {
    let mut count = 0;
    for phantom in all {
        for k in 0..phantom.slices {
            let name = format!("{}.dcm", phantom.sop_instance(k));
            let path = instances.join(phantom.study()).join(phantom.series()).join(name);
            let stored =
                std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let sent = phantom.file(k).unwrap();
            assert_eq!(
                data_set_of(&stored).unwrap(),
                data_set_of(&sent).unwrap(),
                "{}",
                path.display()
            );
            count += 1;
        }
    }
    assert_eq!(files_below(instances).len(), count);
}
