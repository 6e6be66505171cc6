//! A PACS by query and retrieve: DCMTK's dcmqrscp has a study, sends it to the node by C-MOVE, and gets the results back.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tests::{Node, NodeSettings, Phantom, Running, free_port, run, wait_for};

use crate::support::{PATIENCE, left_out, text};

/// A PACS with one archive, which knows the node.
fn configuration(folder: &Path, port: u16, node_port: u16) -> String {
    format!(
        "NetworkTCPPort = {port}\nMaxPDUSize = 16384\nMaxAssociations = 16\n\
         HostTable BEGIN\nnode = (PARSENODE, 127.0.0.1, {node_port})\nHostTable END\n\
         VendorTable BEGIN\nVendorTable END\n\
         AETable BEGIN\nARCHIVE {} RW (100, 1024mb) ANY\nAETable END\n",
        folder.display()
    )
}

/// What the archive has of a study: the modality of each instance.
fn modalities(port: u16, study: &str) -> Vec<String> {
    let (port, study) = (port.to_string(), format!("StudyInstanceUID={study}"));
    let mut find = Command::new("findscu");
    find.args(["-v", "-S", "-aec", "ARCHIVE", "127.0.0.1", &port]);
    find.args(["-k", "QueryRetrieveLevel=SERIES", "-k", &study, "-k", "SeriesInstanceUID"]);
    let output = run(find.args(["-k", "Modality"])).unwrap();
    let words = [output.stdout, output.stderr].concat();
    let words = String::from_utf8_lossy(&words).into_owned();
    let answers = words.split("Find Response").skip(1);
    let modality = |answer: &str| {
        let line = answer.lines().find(|line| line.contains("(0008,0060)"))?;
        Some(line.split_once('[')?.1.split(']').next()?.trim().to_owned())
    };
    answers.filter_map(modality).collect()
}

#[test]
fn a_study_that_the_pacs_sends_by_move_comes_back_with_results() {
    let needs = ["ONNX Runtime", "dcmqrscp", "storescu", "movescu", "findscu"];
    if left_out("query and retrieve", &needs) {
        return;
    }
    let work = tempfile::tempdir().unwrap();
    let (port, node_port) = (free_port().unwrap(), free_port().unwrap());
    let (archive, config) = (work.path().join("archive"), work.path().join("dcmqrscp.cfg"));
    fs::create_dir(&archive).unwrap();
    fs::write(&config, configuration(&archive, port, node_port)).unwrap();
    let log = work.path().join("dcmqrscp.log");
    let mut command = Command::new("dcmqrscp");
    let mut pacs = Running::start("dcmqrscp", command.arg("-c").arg(&config), &log).unwrap();
    wait_for("dcmqrscp to listen", Duration::from_secs(30), || {
        pacs.must_run()?;
        Ok(std::net::TcpStream::connect(("127.0.0.1", port)).ok())
    })
    .unwrap();
    let settings = NodeSettings {
        destinations: vec![("pacs".into(), format!("ARCHIVE@127.0.0.1:{port}"))],
        ..NodeSettings::default()
    };
    let mut node = Node::start_on(&work.path().join("node"), &settings, node_port).unwrap();

    let (phantom, folder, port_text) =
        (Phantom::small(79, 9), work.path().join("study"), port.to_string());
    phantom.write(&folder).unwrap();
    let to_pacs = ["-aec", "ARCHIVE", "127.0.0.1", &port_text];
    run(Command::new("storescu").args(to_pacs).args(["+sd", text(&folder)])).unwrap();
    let study = format!("StudyInstanceUID={}", phantom.study());
    let wanted = ["-S", "-aem", "PARSENODE", "-k", "QueryRetrieveLevel=STUDY", "-k", &study];
    run(Command::new("movescu").args(wanted).args(to_pacs)).unwrap();

    node.wait_for_status("the delivery", PATIENCE, |s| s.count("jobs", "done") == 1).unwrap();
    let mut found = modalities(port, &phantom.study());
    found.sort();
    assert_eq!(found, ["CT", "SEG", "SR"]);
    node.stop().unwrap();
}
