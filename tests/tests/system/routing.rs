//! Rules in the real node: what takes a series, what does not, and what is said about it.

use serde_json::Value;
use tests::{Node, NodeSettings, Phantom};

use crate::support::{PATIENCE, call_well, left_out, text};

const MORE: &str = "[[rule]]\nname = \"thick stacks\"\nmodel = \"tissue-ct\"\ndestinations = []\n\
                    slices = { min = 100 }\n";

#[test]
fn route_explains_and_the_node_does_the_same() {
    if left_out("routing", &["ONNX Runtime"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let study = dir.path().join("study");
    Phantom::small(41, 5).write(&study).unwrap();
    let settings = NodeSettings { more: MORE.into(), ..NodeSettings::default() };
    let mut node = Node::start(&dir.path().join("node"), &settings).unwrap();

    let said = call_well(&["route", "--json", "--config", text(node.config()), text(&study)]);
    let said: Value = serde_json::from_str(&said).unwrap();
    let rules = said[0]["rules"].as_array().unwrap();
    let verdict = |name: &str| rules.iter().find(|r| r["rule"] == name && r["after"] == "series");
    assert_eq!(verdict("every CT").unwrap()["taken"], true);
    let thick = verdict("thick stacks").unwrap();
    assert_eq!(thick["taken"], false);
    assert!(thick["reasons"].to_string().contains("every CT took it and stops there"), "{thick}");

    call_well(&["send", &node.address(), text(&study)]);
    let status = node
        .wait_for_status("the job", PATIENCE, |s| s.rows("jobs").len() == 1 && s.is_settled())
        .unwrap();
    assert_eq!(status.rows("jobs")[0]["rule"], "every CT");
    let metrics = node.metrics().unwrap();
    assert!(metrics.contains("parsenode_instances_stored_total 5"), "{metrics}");
    let log = node.log();
    assert!(
        !log.contains("nchhausen") && !log.contains("PHANTOM-41"),
        "no patient attribute in the log"
    );
    node.stop().unwrap();
}

#[test]
fn a_series_that_is_too_large_is_seen_in_quarantine() {
    if left_out("a series that is too large", &["ONNX Runtime"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let study = dir.path().join("study");
    Phantom::small(42, 3).write(&study).unwrap();
    let receive = "series_instances_max = 2".into();
    let settings = NodeSettings { receive, ..NodeSettings::default() };
    let mut node = Node::start(&dir.path().join("node"), &settings).unwrap();
    call_well(&["send", &node.address(), text(&study)]);
    let status = node
        .wait_for_status("the job", PATIENCE, |s| s.rows("jobs").len() == 1 && s.is_settled())
        .unwrap();
    assert_eq!(status.rows("jobs")[0]["code"], "too-large");
    let metrics = node.metrics().unwrap();
    assert!(metrics.contains("parsenode_jobs{state=\"quarantined\"} 1"), "{metrics}");
    node.stop().unwrap();
}
