//! Bad input through the network: a clear answer to each, nothing lost, nothing written outside the spool,
//! and the node goes on.

use std::fs;
use std::path::Path;

use tests::raw_peer::{
    Answer, CT_IMAGE_STORAGE, Opened, RawPeer, data_set_of, explicit, shout, text,
};
use tests::{Node, NodeSettings, Phantom};

use crate::support::{PATIENCE, call_well, files_below, left_out, node_in};

const A900: Answer = Answer::Status(0xA900);
const C000: Answer = Answer::Status(0xC000);
const SUCCESS: Answer = Answer::Status(0x0000);

/// The beginning of a data set: what identifies it.
fn header(study: &str, series: &str, sop_instance: &str) -> Vec<u8> {
    [
        text(0x0008, 0x0016, "UI", CT_IMAGE_STORAGE),
        text(0x0008, 0x0018, "UI", sop_instance),
        text(0x0008, 0x0060, "CS", "CT"),
        text(0x0020, 0x000D, "UI", study),
        text(0x0020, 0x000E, "UI", series),
    ]
    .concat()
}

/// Stores one data set over an association of its own.
fn store(node: &Node, sop_instance: &str, data_set: &[u8]) -> Answer {
    RawPeer::accepted(node.port).unwrap().store(CT_IMAGE_STORAGE, sop_instance, data_set).unwrap()
}

/// The node answers and takes a good instance.
fn is_well(node: &Node) {
    let mut peer = RawPeer::accepted(node.port).unwrap();
    assert_eq!(peer.echo().unwrap(), SUCCESS);
    peer.release().unwrap();
}

fn spooled(node_dir: &Path) -> usize {
    files_below(&node_dir.join("node/data/instances")).len()
}

#[test]
fn unreadable_data_sets_are_answered_c000_and_leave_nothing() {
    if left_out("unreadable data sets", &["ONNX Runtime"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut node = node_in(dir.path());
    let uid = "1.2.3.4";
    let no_end = {
        // A sequence of undefined length whose items never end, before the UIDs that are looked for.
        let mut bytes = text(0x0008, 0x0018, "UI", uid);
        bytes.extend(explicit(0x0008, 0x1140, "SQ", u32::MAX, &[]));
        let item = [0xFE, 0xFF, 0x00, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF];
        bytes.extend(item.repeat(20_000));
        bytes
    };
    let huge =
        [text(0x0008, 0x0018, "UI", uid), explicit(0x0008, 0x2111, "UT", 0x7FFF_FFFE, b"short")]
            .concat();
    let cut = header("1.2", "1.3", uid)[..40].to_vec();
    let cases: [(&str, Vec<u8>); 5] = [
        ("no DICOM", b"%PDF-1.7 this is not the data set you are looking for".to_vec()),
        ("nothing", vec![]),
        ("cut in the header", cut),
        ("a sequence that never ends", no_end),
        ("a length of 2 GB", huge),
    ];
    for (name, data_set) in cases {
        assert_eq!(store(&node, uid, &data_set), C000, "{name}");
        is_well(&node);
    }
    assert_eq!(spooled(dir.path()), 0);
    assert!(files_below(&dir.path().join("node/data/incoming")).is_empty());
    node.stop().unwrap();
}

#[test]
fn a_data_set_that_contradicts_its_command_is_answered_a900() {
    if left_out("mismatch", &["ONNX Runtime"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut node = node_in(dir.path());
    assert_eq!(store(&node, "1.2.3.5", &header("1.2", "1.3", "1.2.3.4")), A900, "instance");
    let mut other_class = header("1.2", "1.3", "1.2.3.4");
    let at = 8 + CT_IMAGE_STORAGE.len() - 1;
    other_class[at] = b'4';
    assert_eq!(store(&node, "1.2.3.4", &other_class), A900, "class");
    assert_eq!(spooled(dir.path()), 0);
    is_well(&node);
    node.stop().unwrap();
}

#[test]
fn uids_that_are_paths_never_become_paths() {
    if left_out("UIDs with slashes", &["ONNX Runtime"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut node = node_in(dir.path());
    let before = files_below(dir.path()).len();
    for evil in ["../../../evil", "/tmp/evil", "1.2/3", "..", "1.2.3\\..\\x"] {
        let refused = |answer: Answer| answer != SUCCESS;
        let in_command = store(&node, evil, &header("1.2", "1.3", evil));
        assert!(refused(in_command), "in the command: {evil}: {in_command:?}");
        let in_study = store(&node, "1.2.3.4", &header(evil, "1.3", "1.2.3.4"));
        assert!(refused(in_study), "study: {evil}: {in_study:?}");
        let in_series = store(&node, "1.2.3.4", &header("1.2", evil, "1.2.3.4"));
        assert!(refused(in_series), "series: {evil}: {in_series:?}");
        is_well(&node);
    }
    assert_eq!(spooled(dir.path()), 0);
    assert!(files_below(dir.path()).len() <= before + 1, "{:?}", files_below(dir.path()));
    node.stop().unwrap();
}

#[test]
fn readable_but_useless_instances_are_stored_and_set_aside_with_a_reason() {
    if left_out("useless instances", &["ONNX Runtime"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut node = node_in(dir.path());
    // No pixels; and a series whose pixels are cut.
    assert_eq!(store(&node, "1.2.9.1", &header("1.2", "1.9", "1.2.9.1")), SUCCESS);
    let phantom = Phantom::small(21, 3);
    for k in 0..phantom.slices {
        let file = phantom.file(k).unwrap();
        let data_set = data_set_of(&file).unwrap();
        let half = &data_set[..data_set.len() - 4096];
        assert_eq!(store(&node, &phantom.sop_instance(k), half), SUCCESS);
    }
    let status = node
        .wait_for_status("both series", PATIENCE, |s| s.rows("series").len() == 2 && s.is_settled())
        .unwrap();
    assert_eq!(status.count("jobs", "done"), 0);
    assert!(status.count("jobs", "quarantined") >= 1, "{status:?}");
    let coded =
        status.rows("jobs").iter().all(|job| job["code"].is_string() && job["reason"].is_string());
    assert!(coded, "{status:?}");
    is_well(&node);
    node.stop().unwrap();
}

#[test]
fn what_is_no_dicom_at_all_disturbs_nobody() {
    if left_out("no DICOM on the port", &["ONNX Runtime"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut node = node_in(dir.path());
    let huge_pdu = [&[1, 0, 0xFF, 0xFF, 0xFF, 0xFF][..], &[0; 100]].concat();
    let huge_data = [&[4, 0, 0x7F, 0xFF, 0xFF, 0xFF][..], &[0; 100]].concat();
    for noise in [b"GET / HTTP/1.1\r\n\r\n".as_slice(), &[0xFF; 5000], &huge_pdu, &huge_data, b""] {
        let back = shout(node.port, noise).unwrap();
        // Nothing, or an A-ABORT, or an A-ASSOCIATE-RJ.
        assert!(back.first().is_none_or(|kind| [3, 7].contains(kind)), "{back:?}");
    }
    is_well(&node);
    node.stop().unwrap();
}

#[test]
fn an_association_that_is_cut_leaves_no_half_instance() {
    if left_out("cut association", &["ONNX Runtime"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut node = node_in(dir.path());
    let phantom = Phantom::small(22, 1);
    let file = phantom.file(0).unwrap();
    let data_set = data_set_of(&file).unwrap();
    let peer = RawPeer::accepted(node.port).unwrap();
    peer.store_and_vanish(&phantom.sop_instance(0), &data_set[..data_set.len() / 2]).unwrap();
    tests::wait_for("the part to vanish", PATIENCE, || {
        Ok(files_below(&dir.path().join("node/data/incoming")).is_empty().then_some(()))
    })
    .unwrap();
    assert_eq!(spooled(dir.path()), 0);
    // The whole instance afterwards is taken as if nothing had been.
    assert_eq!(store(&node, &phantom.sop_instance(0), data_set), SUCCESS);
    assert_eq!(spooled(dir.path()), 1);
    node.stop().unwrap();
}

#[test]
fn strangers_and_crowds_are_rejected_as_configured() {
    if left_out("access", &["ONNX Runtime"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let receive = "calling = [\"MODALITY\"]\nassociations_max = 2\n".to_owned();
    let settings = NodeSettings { receive, ..NodeSettings::default() };
    let mut node = Node::start(&dir.path().join("node"), &settings).unwrap();
    let rejected =
        |called: &str, calling: &str| match RawPeer::open(node.port, called, calling).unwrap() {
            Opened::Rejected { result, source, reason } => (result, source, reason),
            other @ (Opened::Accepted(_) | Opened::Gone) => panic!("{other:?}"),
        };
    assert_eq!(rejected("PARSENODE", "STRANGER"), (1, 1, 3), "calling AE title not recognized");
    assert_eq!(rejected("SOMEBODY", "MODALITY"), (1, 1, 7), "called AE title not recognized");
    let open = || match RawPeer::open(node.port, "PARSENODE", "MODALITY").unwrap() {
        Opened::Accepted(peer) => peer,
        other @ (Opened::Rejected { .. } | Opened::Gone) => panic!("{other:?}"),
    };
    let (first, second) = (open(), open());
    assert_eq!(rejected("PARSENODE", "MODALITY"), (2, 3, 2), "local limit exceeded");
    first.release().unwrap();
    tests::wait_for("a free place", PATIENCE, || {
        let opened = RawPeer::open(node.port, "PARSENODE", "MODALITY")?;
        Ok(matches!(opened, Opened::Accepted(_)).then_some(()))
    })
    .unwrap();
    second.release().unwrap();
    node.stop().unwrap();
}

#[test]
fn bad_files_are_named_and_left_out_by_run() {
    if left_out("bad files", &["ONNX Runtime"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let study = dir.path().join("study");
    let files = Phantom::small(23, 5).write(&study).unwrap();
    fs::write(study.join("notes.txt"), "no DICOM").unwrap();
    fs::write(study.join("cut.dcm"), &fs::read(&files[0]).unwrap()[..300]).unwrap();
    fs::write(study.join("empty.dcm"), "").unwrap();
    let out = dir.path().join("out");
    call_well(&["run", study.to_str().unwrap(), "--no-overlay", "--out", out.to_str().unwrap()]);
    let made = files_below(&out);
    assert_eq!(made.len(), 2, "{made:?}");
}
