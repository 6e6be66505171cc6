//! From DCMTK's storescu through the node into a real Orthanc: the main path with programs of others at both ends.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use tests::{Node, NodeSettings, Orthanc, Phantom, run};

use crate::support::{PATIENCE, call_well, files_below, left_out, results_of, sop_instance, text};

fn storescu(node: &Node, folder: &Path) {
    let mut command = Command::new("storescu");
    command.args([
        "-aet",
        "MODALITY",
        "-aec",
        "PARSENODE",
        "+sd",
        "127.0.0.1",
        &node.port.to_string(),
    ]);
    run(command.arg(folder)).unwrap();
}

#[test]
fn a_study_from_storescu_comes_back_to_orthanc_once() {
    if left_out("storescu to Orthanc", &["storescu", "Orthanc", "ONNX Runtime"]) {
        return;
    }
    let work = tempfile::tempdir().unwrap();
    let study = work.path().join("study");
    Phantom::small(11, 12).write(&study).unwrap();
    comes_back_once(&study, &NodeSettings::default(), &[], work.path());
}

/// Sends a study twice by storescu and finds in Orthanc, both times, just what `parsenode run` makes of it.
pub(crate) fn comes_back_once(study: &Path, settings: &NodeSettings, run: &[&str], work: &Path) {
    let expected = results_of(&[study], run, work);
    assert_eq!(expected.len(), 2, "a SEG and an SR");
    let orthanc = Orthanc::start(&work.join("orthanc")).unwrap();
    let to = format!("ORTHANC@127.0.0.1:{}", orthanc.dicom_port);
    let settings = NodeSettings { destinations: vec![("pacs".into(), to)], ..settings.clone() };
    let mut node = Node::start(&work.join("node"), &settings).unwrap();
    storescu(&node, study);
    node.wait_for_status("the first run", PATIENCE, |s| s.count("jobs", "done") == 1).unwrap();
    assert_eq!(BTreeSet::from_iter(orthanc.sop_instances().unwrap()), expected);

    // The same study again: the same instances, so nothing new to be done, and the archive holds one set.
    storescu(&node, study);
    node.wait_for_status("quiet", PATIENCE, |s| s.is_settled()).unwrap();
    assert_eq!(BTreeSet::from_iter(orthanc.sop_instances().unwrap()), expected);
    node.stop().unwrap();
}

#[test]
fn a_late_instance_makes_a_new_revision_that_names_its_predecessor() {
    if left_out("late instance", &["ONNX Runtime"]) {
        return;
    }
    let work = tempfile::tempdir().unwrap();
    let study = work.path().join("study");
    let files = Phantom::small(12, 9).write(&study).unwrap();
    let archive = work.path().join("archive");
    let port = tests::free_port().unwrap();
    let mut listen = Command::new(tests::parsenode().unwrap());
    listen.args(["listen", &port.to_string()]).arg(&archive);
    let mut listening =
        tests::Running::start("listen", &mut listen, &work.path().join("listen.log")).unwrap();
    let to = format!("ARCHIVE@127.0.0.1:{port}");
    let settings =
        NodeSettings { destinations: vec![("pacs".into(), to)], ..NodeSettings::default() };
    let mut node = Node::start(&work.path().join("node"), &settings).unwrap();

    // The slice at the head end comes late; without it the series has no gap.
    let (late, early) = files.split_first().unwrap();
    let mut send = vec!["send".to_owned(), node.address()];
    send.extend(early.iter().map(|file| text(file).to_owned()));
    call_well(&send.iter().map(String::as_str).collect::<Vec<_>>());
    node.wait_for_status("the first run", PATIENCE, |s| s.count("jobs", "done") == 1).unwrap();
    let first: BTreeSet<String> = archived(&archive);
    call_well(&["send", &node.address(), text(late)]);
    let status =
        node.wait_for_status("the second run", PATIENCE, |s| s.count("jobs", "done") == 2).unwrap();
    let revisions: Vec<_> = status.rows("jobs").iter().map(|job| job["revision"].clone()).collect();
    assert!(revisions.contains(&1.into()) && revisions.contains(&2.into()), "{revisions:?}");
    let both = archived(&archive);
    assert_eq!((first.len(), both.len()), (2, 4), "a new set with new UIDs");
    assert!(first.is_subset(&both));
    node.stop().unwrap();
    listening.stop(PATIENCE).unwrap();
}

fn archived(archive: &Path) -> BTreeSet<String> {
    files_below(archive).iter().map(|file| sop_instance(file)).collect()
}
