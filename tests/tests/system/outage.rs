//! An archive that is away for a while: everything arrives after it is back, also over a restart of the node.

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use tests::{Node, NodeSettings, Orthanc};

use crate::support::{PATIENCE, call_well, left_out, phantoms, results_of, text};

#[test]
fn a_short_outage() {
    outage(3, Duration::from_secs(2));
}

/// Sends `studies` studies; the archive goes away after the first and comes back `pause` after the last job is done.
pub(crate) fn outage(studies: usize, pause: Duration) {
    if left_out("archive outage", &["Orthanc", "ONNX Runtime"]) {
        return;
    }
    let work = tempfile::tempdir().unwrap();
    let mut orthanc = Orthanc::start(&work.path().join("orthanc")).unwrap();
    let to = format!("ORTHANC@127.0.0.1:{}", orthanc.dicom_port);
    let settings =
        NodeSettings { destinations: vec![("pacs".into(), to)], ..NodeSettings::default() };
    let mut node = Node::start(&work.path().join("node"), &settings).unwrap();
    let seeds: Vec<u64> = (500..).take(studies).collect();
    let made = phantoms(work.path(), &seeds, 8);
    let send = |folder| call_well(&["send", &node.address(), text(folder)]);
    send(&made[0].1);
    node.wait_for_status("the first study", PATIENCE, |s| s.count("jobs", "done") == 1).unwrap();

    orthanc.stop().unwrap();
    for (_, folder) in &made[1..] {
        call_well(&["send", &node.address(), text(folder)]);
    }
    let waiting = studies - 1;
    let status = node
        .wait_for_status("failed tries", PATIENCE, |s| {
            let tried = s.rows("deliveries").iter().filter(|d| d["state"] == "waiting");
            tried.filter(|d| d["attempts"].as_u64() > Some(0) && d["reason"].is_string()).count()
                == waiting
        })
        .unwrap();
    assert_eq!(status.count("jobs", "delivering"), waiting, "{status:?}");
    thread::sleep(pause);
    node.stop().unwrap();
    node.resume().unwrap();

    orthanc.resume().unwrap();
    node.wait_for_status("all deliveries", PATIENCE, |s| s.count("jobs", "done") == studies)
        .unwrap();
    let folders: Vec<_> = made.iter().map(|(_, folder)| folder.as_path()).collect();
    assert_eq!(
        BTreeSet::from_iter(orthanc.sop_instances().unwrap()),
        results_of(&folders, &[], work.path())
    );
    node.stop().unwrap();
}
