//! What leaves depends on what the destination accepts: DCMTK's storescp in several moods, and Orthanc.

use std::path::Path;
use std::process::Command;

use tests::{Node, NodeSettings, Orthanc, Phantom, Running, free_port};

use crate::support::{PATIENCE, call_well, files_below, left_out, text};

/// Everything that can be wished for.
const WISHES: &str = r#"
segmentation = ["labelmap"]
transfer_syntaxes = ["deflated-frames", "deflated", "rle"]
"#;

const LABEL_MAP: &str = "1.2.840.10008.5.1.4.1.1.66.7";
const BINARY: &str = "1.2.840.10008.5.1.4.1.1.66.4";
const EXPLICIT: &str = "1.2.840.10008.1.2.1";
const IMPLICIT: &str = "1.2.840.10008.1.2";

/// SOP class and transfer syntax of the Segmentation in a folder, as its file meta information says.
fn segmentation_in(folder: &Path) -> (String, String) {
    let found = files_below(folder).into_iter().find_map(|file| {
        let meta = dataset::read_file_meta(&file).ok()?;
        let class = meta.sop_class.as_str().to_owned();
        class.contains(".66.").then(|| (class, meta.transfer_syntax.as_str().to_owned()))
    });
    found.unwrap_or_else(|| panic!("no Segmentation in {}", folder.display()))
}

/// A phantom through a node with all wishes to a destination at `to`; the form that `status` names.
fn delivered(work: &Path, to: &str) -> String {
    let study = work.join("study");
    Phantom::small(21, 9).write(&study).unwrap();
    let settings = NodeSettings {
        destinations: vec![("pacs".into(), to.into())],
        wishes: WISHES.into(),
        ..NodeSettings::default()
    };
    let mut node = Node::start(&work.join("node"), &settings).unwrap();
    call_well(&["send", &node.address(), text(&study)]);
    let status =
        node.wait_for_status("the delivery", PATIENCE, |s| s.count("jobs", "done") == 1).unwrap();
    node.stop().unwrap();
    status.rows("deliveries")[0]["form"].as_str().unwrap().to_owned()
}

/// The same to a storescp with these options; what it got.
fn to_storescp(options: &[&str]) -> (String, (String, String)) {
    let work = tempfile::tempdir().unwrap();
    let (archive, port) = (work.path().join("archive"), free_port().unwrap());
    std::fs::create_dir_all(&archive).unwrap();
    let mut command = Command::new("storescp");
    command.args(options).arg("-od").arg(&archive).arg(port.to_string());
    let log = work.path().join("storescp.log");
    let mut storescp = Running::start("storescp", &mut command, &log).unwrap();
    let form = delivered(work.path(), &format!("STORESCP@127.0.0.1:{port}"));
    storescp.stop(PATIENCE).unwrap();
    (form, segmentation_in(&archive))
}

#[test]
fn storescp_gets_what_it_accepts() {
    if left_out("forms to storescp", &["storescp", "ONNX Runtime"]) {
        return;
    }
    let pair = |class: &str, syntax: &str| (class.to_owned(), syntax.to_owned());
    // As it comes: it knows no label maps, and of transfer syntaxes those without compression.
    assert_eq!(to_storescp(&[]), ("BINARY".into(), pair(BINARY, EXPLICIT)));
    // Only Implicit VR: what the oldest archives take.
    assert_eq!(to_storescp(&["+xi"]), ("BINARY".into(), pair(BINARY, IMPLICIT)));
    // Anything that is proposed, even a SOP class that it does not know.
    assert_eq!(to_storescp(&["-pm"]), ("LABELMAP".into(), pair(LABEL_MAP, EXPLICIT)));
    assert_eq!(
        to_storescp(&["-pm", "+xd"]),
        ("LABELMAP".into(), pair(LABEL_MAP, "1.2.840.10008.1.2.1.99"))
    );
    assert_eq!(
        to_storescp(&["-pm", "+xr"]),
        ("LABELMAP".into(), pair(LABEL_MAP, "1.2.840.10008.1.2.5"))
    );
}

#[test]
fn the_same_start_gives_the_same_files() {
    if left_out("the same files", &["ONNX Runtime"]) {
        return;
    }
    let work = tempfile::tempdir().unwrap();
    let study = work.path().join("study");
    Phantom::small(22, 9).write(&study).unwrap();
    let companions = "key-objects,secondary-capture,presentation-state";
    let files = |name: &str, started: &str| -> Vec<Vec<u8>> {
        let out = work.path().join(name);
        let arguments = ["run", text(&study), "--out", text(&out), "--started", started];
        call_well(&[&arguments[..], &["--companions", companions]].concat());
        let mut paths = files_below(&out);
        paths.sort();
        paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
    };
    let first = files("first", "2026-11-24T10:15:00Z");
    assert!(first.len() >= 6, "SEG, SR, captures, outlines, list and overlay");
    assert_eq!(files("again", "2026-11-24T10:15:00Z"), first);
    assert_ne!(files("later", "2026-11-24T10:15:01Z"), first);
}

#[test]
fn orthanc_takes_what_was_negotiated() {
    if left_out("forms to Orthanc", &["Orthanc", "ONNX Runtime"]) {
        return;
    }
    let work = tempfile::tempdir().unwrap();
    let orthanc = Orthanc::start(&work.path().join("orthanc")).unwrap();
    let form = delivered(work.path(), &format!("ORTHANC@127.0.0.1:{}", orthanc.dicom_port));
    assert_eq!(form, "LABELMAP", "it was told to take unknown SOP classes");
    assert_eq!(orthanc.sop_instances().unwrap().len(), 2);
}
