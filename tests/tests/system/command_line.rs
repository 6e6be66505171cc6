//! The command line as scripts use it: exit codes, JSON, clear errors.

use std::fs;

use serde_json::Value;
use tests::Phantom;

use crate::support::{call, call_well, left_out, text};

fn exit_code(arguments: &[&str]) -> Option<i32> {
    call(arguments).status.code()
}

#[test]
fn misuse_is_64_and_a_bad_configuration_is_78() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("node.toml");
    fs::write(
        &config,
        "[node]\nae_title = \"MUCH TOO LONG A TITLE\"\nlisten = \"nowhere\"\nwrong = 1\n",
    )
    .unwrap();
    assert_eq!(exit_code(&["--help"]), Some(0));
    assert_eq!(exit_code(&["--version"]), Some(0));
    assert_eq!(exit_code(&["nothing"]), Some(64));
    assert_eq!(exit_code(&["run"]), Some(64));
    assert_eq!(exit_code(&["send", "no-address", "x"]), Some(64));
    for arguments in [["config", "check", text(&config)], ["serve", "--config", text(&config)]] {
        let output = call(&arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(78), "{errors}");
        assert!(errors.contains("wrong"), "all faults are named: {errors}");
    }
    assert_eq!(exit_code(&["status", "--config", "/nowhere/node.toml"]), Some(78));
}

#[test]
fn nobody_there_is_an_error_and_not_a_wait() {
    let port = tests::free_port().unwrap();
    assert_eq!(exit_code(&["echo", &format!("PACS@127.0.0.1:{port}")]), Some(69));
}

#[test]
fn the_example_is_a_configuration_that_reads() {
    let example = call_well(&["config", "example"]);
    for table in ["[node]", "[receive]", "[spool]", "[deliver]", "[inference]"] {
        assert!(example.contains(table), "{table}");
    }
}

#[test]
fn run_finds_what_is_in_the_phantom() {
    if left_out("run over the phantom", &["ONNX Runtime"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (study, out) = (dir.path().join("study"), dir.path().join("out"));
    let phantom = Phantom::demo();
    phantom.write(&study).unwrap();
    let said = call_well(&["run", text(&study), "--json", "--out", text(&out)]);
    let outcome: Value = serde_json::from_str(&said).unwrap();
    let segments = outcome[0]["segments"].as_array().unwrap();
    let volumes = phantom.volumes();
    // What the rule of the model does to a border of two tissues, in pixels of 1.6 mm: lung meets soft tissue at -250 HU,
    // beyond the middle of the two, and gains half a pixel; fat meets air there, and the edge rule takes its outermost
    // pixel, so the 14 mm of the ring lose 2 mm; bone meets soft tissue at 150 HU, before the middle of the two.
    for (label, truth, tolerance) in [
        ("Lung and gas", volumes.lung_and_gas, 0.10),
        ("Fat", volumes.fat, 0.16),
        ("Soft tissue", volumes.soft_tissue, 0.05),
        ("Bone", volumes.bone, 0.12),
    ] {
        let found = segments.iter().find(|segment| segment["label"] == label).unwrap();
        let volume = found["volume_ml"].as_f64().unwrap();
        assert!((volume / truth - 1.0).abs() < tolerance, "{label}: {volume} mL, true {truth} mL");
        assert!(found["confidence"].as_f64().unwrap() > 0.8, "{found}");
    }
    let files = outcome[0]["files"].as_array().unwrap();
    assert_eq!(files.len(), 3, "SEG, SR, picture: {files:?}");
    for file in files {
        let path = file.as_str().unwrap();
        if path.ends_with("dcm") {
            let shown = call_well(&["show", path]);
            assert!(shown.contains("Bone"), "{shown}");
        } else {
            assert_eq!(&fs::read(path).unwrap()[..4], b"\x89PNG");
        }
    }
}

#[test]
fn the_same_input_gives_the_same_identifiers() {
    if left_out("derived identifiers", &["ONNX Runtime"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let study = dir.path().join("study");
    Phantom::small(31, 6).write(&study).unwrap();
    let first = crate::support::results_of(&[&study], &[], &dir.path().join("first"));
    let second = crate::support::results_of(&[&study], &[], &dir.path().join("second"));
    assert_eq!(first, second);
    assert_eq!(first.len(), 2);
}
