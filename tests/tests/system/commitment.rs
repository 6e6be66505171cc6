//! Storage commitment with programs of others: Orthanc and pynetdicom, each as the one who asks and the one who is asked.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tests::raw_peer::CT_IMAGE_STORAGE;
use tests::{
    Node, NodeSettings, Orthanc, Phantom, Running, Validators, free_port, run, wait_for,
    workspace_root,
};

use crate::support::{PATIENCE, call_well, left_out, phantoms, text};

/// Short times, so that asking again is seen.
const QUICK: &str = "[commitment]\nwait_s = 1\nask_again_s = 3\nask_again_longest_s = 6\n";

fn settings(destinations: Vec<(String, String)>, more: &str) -> NodeSettings {
    NodeSettings {
        destinations,
        wishes: "commitment = true\n".into(),
        more: format!("{QUICK}{more}"),
        ..NodeSettings::default()
    }
}

fn python(test: &str) -> Option<Validators> {
    let found = Validators::find();
    if found.is_none() {
        println!("left out: {test} (needs pynetdicom: the validators' Python environment)");
    }
    found
}

fn row<'a>(rows: &'a [Value], key: &str, value: &str) -> &'a Value {
    rows.iter().find(|row| row[key] == value).unwrap_or(&Value::Null)
}

#[test]
fn orthanc_commits_to_results_also_to_those_that_it_lost() {
    if left_out("commitment of Orthanc", &["Orthanc", "ONNX Runtime"]) {
        return;
    }
    let work = tempfile::tempdir().unwrap();
    let orthanc = Orthanc::start(&work.path().join("orthanc")).unwrap();
    let to = format!("ORTHANC@127.0.0.1:{}", orthanc.dicom_port);
    let settings = settings(vec![("pacs".into(), to)], "");
    let mut node = Node::start(&work.path().join("node"), &settings).unwrap();
    let made = phantoms(work.path(), &[901], 8);
    call_well(&["send", &node.address(), text(&made[0].1)]);
    // Orthanc does not know where we are, and does not commit; meanwhile it loses what it got.
    let status = node
        .wait_for_status("a first request", PATIENCE, |s| {
            s.rows("commitments").iter().any(|row| row["asked"].as_u64() > Some(0))
        })
        .unwrap();
    assert_eq!(status.count("jobs", "delivering"), 1, "{status:?}");
    assert_eq!(orthanc.sop_instances().unwrap().len(), 2);
    orthanc.clear().unwrap();
    orthanc.add_modality("PARSENODE", node.port).unwrap();
    let status =
        node.wait_for_status("the commitment", PATIENCE, |s| s.count("jobs", "done") == 1).unwrap();
    let row = &status.rows("commitments")[0];
    assert_eq!((&row["state"], &row["committed"]), (&"committed".into(), &2.into()), "{row}");
    assert_eq!(row["redelivered"], 1, "{row}\n{}", orthanc.log());
    assert_eq!(orthanc.sop_instances().unwrap().len(), 2, "delivered again");
    assert!(node.metrics().unwrap().contains("parsenode_commitments{state=\"committed\"} 1"));
    node.stop().unwrap();
}

#[test]
fn orthanc_asks_and_is_told_what_is_here_and_what_is_not() {
    if left_out("commitment to Orthanc", &["Orthanc", "ONNX Runtime"]) {
        return;
    }
    let work = tempfile::tempdir().unwrap();
    let orthanc = Orthanc::start(&work.path().join("orthanc")).unwrap();
    let answers = format!(
        "[commitment]\nanswer = true\nreport_to = [\"ORTHANC@127.0.0.1:{}\"]\n",
        orthanc.dicom_port
    );
    let settings = NodeSettings { more: answers, ..NodeSettings::default() };
    let mut node = Node::start(&work.path().join("node"), &settings).unwrap();
    orthanc.add_modality("PARSENODE", node.port).unwrap();
    let phantom = Phantom::small(902, 4);
    let study = work.path().join("study");
    phantom.write(&study).unwrap();
    call_well(&["send", &node.address(), text(&study)]);

    let uids: Vec<String> = (0..4).map(|k| phantom.sop_instance(k)).collect();
    let mut asked: Vec<(&str, &str)> =
        uids.iter().map(|uid| (CT_IMAGE_STORAGE, uid.as_str())).collect();
    let whole = commitment(&orthanc, &asked);
    assert_eq!(whole["Status"], "Success", "{whole}");
    assert_eq!(whole["Success"].as_array().map(Vec::len), Some(4), "{whole}");
    asked.push((CT_IMAGE_STORAGE, "1.2.3.4.5"));
    asked[0].0 = "1.2.840.10008.5.1.4.1.1.4";
    let parts = commitment(&orthanc, &asked);
    assert_eq!(parts["Status"], "Failure", "{parts}");
    let reasons: Vec<_> = parts["Failures"].as_array().unwrap().iter().map(reason).collect();
    assert!(reasons.contains(&("1.2.3.4.5".into(), 0x0112)), "{parts}");
    assert!(reasons.contains(&(uids[0].clone(), 0x0119)), "{parts}");
    assert_eq!(reasons.len(), 2, "{parts}");
    let status = node
        .wait_for_status("both reports", PATIENCE, |s| s.count("requests", "reported") == 2)
        .unwrap();
    assert_eq!(status.rows("requests")[1]["failed"], 2, "{status:?}");
    node.stop().unwrap();
}

/// Asks through Orthanc and waits for what it is told.
fn commitment(orthanc: &Orthanc, instances: &[(&str, &str)]) -> Value {
    let transaction = orthanc.ask_commitment("PARSENODE", instances).unwrap();
    let told = wait_for("Orthanc to be told", PATIENCE, || {
        let report = orthanc.commitment(&transaction)?;
        Ok((report["Status"] != "Pending").then_some(report))
    });
    told.unwrap_or_else(|error| panic!("{error}\n{}", orthanc.log()))
}

fn reason(failure: &Value) -> (String, u64) {
    let uid = failure["SOPInstanceUID"].as_str().unwrap_or_default().to_owned();
    (uid, failure["FailureReason"].as_u64().unwrap_or_default())
}

/// An archive of pynetdicom's that commits in its own way.
struct Archive {
    title: String,
    port: u16,
    log: std::path::PathBuf,
    _running: Running,
}

impl Archive {
    fn start(python: &Validators, way: &str, node_port: u16, work: &Path) -> Self {
        let (title, port) = (format!("ARC-{}", way.to_uppercase()), free_port().unwrap());
        Self::start_at(python, (way, &title, port), node_port, work)
    }

    fn start_at(
        python: &Validators,
        (way, title, port): (&str, &str, u16),
        node_port: u16,
        work: &Path,
    ) -> Self {
        let log = work.join(format!("{way}.log"));
        let mut command = Command::new(python.program("python"));
        command.arg(workspace_root().join("tests/peers/archive.py"));
        command.args([title, &port.to_string(), way, &node_port.to_string()]);
        let running = Running::start(way, &mut command, &log).unwrap();
        let archive = Self { title: title.to_owned(), port, log, _running: running };
        wait_for("the archive to listen", PATIENCE, || {
            Ok((!archive.said("listening").is_empty()).then_some(()))
        })
        .unwrap_or_else(|error| panic!("{error}: {}", archive.text()));
        archive
    }

    fn text(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// What it said under a key, in order.
    fn said(&self, key: &str) -> Vec<Value> {
        let text = self.text();
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter(|line| line.get(key).is_some()).collect()
    }

    /// The statuses that its reports were answered with.
    fn statuses(&self) -> Vec<u64> {
        self.said("told").iter().filter_map(|told| told["status"].as_u64()).collect()
    }

    fn address(&self) -> String {
        format!("{}@127.0.0.1:{}", self.title, self.port)
    }
}

/// How an archive commits, and what has to come of it: state, instances committed to, at least so many requests, deliveries
/// beyond the first, statuses of its reports.
type Way = (&'static str, &'static str, u64, u64, u64, &'static [u64]);

const WAYS: [Way; 10] = [
    ("same", "committed", 2, 1, 0, &[0]),
    ("new", "committed", 2, 1, 0, &[0]),
    ("late", "committed", 2, 2, 0, &[0]),
    ("silent", "refused", 0, 4, 0, &[]),
    ("refuse", "refused", 0, 4, 0, &[]),
    ("conflict", "refused", 1, 1, 0, &[0]),
    ("lost", "committed", 2, 2, 1, &[0, 0]),
    ("half", "committed", 2, 2, 0, &[0, 0]),
    ("twice", "committed", 2, 1, 0, &[0, 0]),
    ("foreign", "committed", 2, 1, 0, &[0x0115, 0]),
];

#[test]
fn archives_commit_in_many_ways_also_over_a_restart() {
    if left_out("commitment of pynetdicom", &["ONNX Runtime"]) {
        return;
    }
    let Some(python) = python("commitment of pynetdicom") else { return };
    let work = tempfile::tempdir().unwrap();
    // The archives have to know the node's port, and the node theirs.
    let node_port = free_port().unwrap();
    let archives: Vec<Archive> =
        WAYS.iter().map(|(way, ..)| Archive::start(&python, way, node_port, work.path())).collect();
    let destinations = archives.iter().map(|to| (to.title.clone(), to.address())).collect();
    let settings = settings(destinations, "ask_max = 4\n");
    let mut node = Node::start_on(&work.path().join("node"), &settings, node_port).unwrap();
    let made = phantoms(work.path(), &[903], 8);
    call_well(&["send", &node.address(), text(&made[0].1)]);
    node.wait_for_status("requests", PATIENCE, |s| {
        s.rows("commitments").iter().filter(|row| row["asked"].as_u64() > Some(0)).count() > 4
    })
    .unwrap();
    node.kill().unwrap();
    node.resume().unwrap();
    let status = node.wait_for_status("the end", PATIENCE, |s| s.is_settled()).unwrap();
    let job = &status.rows("jobs")[0];
    assert_eq!((&job["state"], &job["code"]), (&"quarantined".into(), &"uncommitted".into()));
    let reason = job["reason"].as_str().unwrap();
    for words in [
        "ARC-CONFLICT: 0119 (class/instance conflict) for 1 instances",
        "ARC-SILENT: asked 4 times for storage commitment, no report",
        "ARC-REFUSE: asked 4 times for storage commitment, no report",
    ] {
        assert!(reason.contains(words), "{words} is not in {reason}");
    }
    for (archive, (way, state, committed, asked, redelivered, statuses)) in
        archives.iter().zip(WAYS)
    {
        let found = row(status.rows("commitments"), "destination", &archive.title);
        let all = || format!("{way}: {found}\n{}\n{}", archive.text(), node.log());
        assert_eq!(found["state"], state, "{}", all());
        assert_eq!(found["committed"], committed, "{}", all());
        assert!(found["asked"].as_u64() >= Some(asked), "{}", all());
        assert!(found["redelivered"].as_u64() >= Some(redelivered), "{}", all());
        // The kill may have cost an association or made one request more.
        let told = archive.statuses();
        assert!(told.ends_with(statuses) || told.len() > statuses.len(), "{}", all());
    }
    node.stop().unwrap();
}

#[test]
fn a_stranger_cannot_commit_for_an_archive_until_it_is_named() {
    if left_out("commitment by a stranger", &["ONNX Runtime"]) {
        return;
    }
    let Some(python) = python("commitment by a stranger") else { return };
    for (is_named, status, state) in [(false, 0x0124, "delivering"), (true, 0, "done")] {
        let work = tempfile::tempdir().unwrap();
        let node_port = free_port().unwrap();
        let archive = Archive::start(&python, "stranger", node_port, work.path());
        let mut settings = settings(vec![("pacs".into(), archive.address())], "");
        if is_named {
            settings.wishes += "commitment_from = [\"STRANGER\"]\n";
        }
        let mut node = Node::start_on(&work.path().join("node"), &settings, node_port).unwrap();
        let made = phantoms(work.path(), &[904], 8);
        call_well(&["send", &node.address(), text(&made[0].1)]);
        wait_for("a report", PATIENCE, || Ok((!archive.statuses().is_empty()).then_some(())))
            .unwrap();
        assert_eq!(archive.statuses()[0], status, "{}", archive.text());
        node.wait_for_status("the job", PATIENCE, |s| s.count("jobs", state) == 1).unwrap();
        node.stop().unwrap();
    }
}

#[test]
fn a_modality_asks_in_many_ways() {
    if left_out("commitment to pynetdicom", &["ONNX Runtime"]) {
        return;
    }
    let Some(python) = python("commitment to pynetdicom") else { return };
    let work = tempfile::tempdir().unwrap();
    let own_port = free_port().unwrap();
    let answers =
        format!("[commitment]\nanswer = true\nreport_to = [\"MODALITY@127.0.0.1:{own_port}\"]\n");
    let settings = NodeSettings { more: answers, ..NodeSettings::default() };
    let mut node = Node::start(&work.path().join("node"), &settings).unwrap();
    let files = Phantom::small(905, 4).write(&work.path().join("study")).unwrap();
    let mut command = Command::new(python.program("python"));
    command.arg(workspace_root().join("tests/peers/modality.py"));
    command.args([node.port.to_string(), own_port.to_string()]).args(&files);
    let said = run(&mut command).unwrap_or_else(|error| panic!("{error}\n{}", node.log()));
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    for words in ["the window is agreed to", "told to be a duplicate", "there is no such action"] {
        assert!(said.contains(words), "{said}");
    }
    let status = node.status().unwrap();
    assert_eq!(status.count("requests", "reported"), 3, "{status:?}");
    assert_eq!(row(status.rows("requests"), "from", "MODALITY")["committed"], 4, "{status:?}");
    node.stop().unwrap();
}

#[test]
fn a_peer_without_an_address_is_given_up_and_that_is_said() {
    if left_out("commitment without an address", &["Orthanc", "ONNX Runtime"]) {
        return;
    }
    let work = tempfile::tempdir().unwrap();
    let orthanc = Orthanc::start(&work.path().join("orthanc")).unwrap();
    let more = "[commitment]\nanswer = true\n".into();
    let settings = NodeSettings { more, ..NodeSettings::default() };
    let mut node = Node::start(&work.path().join("node"), &settings).unwrap();
    orthanc.add_modality("PARSENODE", node.port).unwrap();
    orthanc.ask_commitment("PARSENODE", &[(CT_IMAGE_STORAGE, "1.2.3")]).unwrap();
    let status = node
        .wait_for_status("the end", PATIENCE, |s| s.count("requests", "given-up") == 1)
        .unwrap();
    let reason = &status.rows("requests")[0]["reason"];
    assert_eq!(reason, "no address is configured for ORTHANC");
    node.stop().unwrap();
}
