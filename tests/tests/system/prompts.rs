//! Promptable models through the node: what is asked, what is understood, refused, and said in results and log.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tests::{Node, NodeSettings, Phantom, workspace_root};

use crate::support::{PATIENCE, call, call_well, files_below, left_out, text};

/// A committed model with random weights: what it finds means nothing.
pub(crate) fn tiny(generation: &str) -> String {
    let name = format!("inference/tests/models/prompt-{generation}-tiny");
    workspace_root().join(name).display().to_string()
}

/// A model and a rule that puts a question to it; `keys` are more keys of the rule.
pub(crate) fn asking(generation: &str, destinations: &[&str], keys: &str) -> String {
    format!(
        "[[model]]\nname = \"tiny\"\nfolder = {:?}\n\n[[rule]]\nname = \"asks\"\n\
         model = \"tiny\"\ndestinations = {destinations:?}\n{keys}\n",
        tiny(generation)
    )
}

/// A node in `dir` with such a rule and no destination.
fn node_asking(dir: &Path, keys: &str) -> Node {
    let rules = Some(asking("v1", &[], keys));
    Node::start(&dir.join("node"), &NodeSettings { rules, ..NodeSettings::default() }).unwrap()
}

#[test]
fn what_was_asked_and_understood_is_in_log_and_report() {
    if left_out("prompts through the node", &["ONNX Runtime"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let study = dir.path().join("study");
    Phantom::small(71, 4).write(&study).unwrap();
    let keys = "targets = [\"Milz\", \"v\u{e9}sicule biliaire\"]\nprompts = [\"aorta in abdomen CT\"]\n\
                site = \"abdomen\"\nboxes = true\np_least = 0.0\n";
    let mut node = node_asking(dir.path(), keys);
    call_well(&["send", &node.address(), text(&study)]);
    let status =
        node.wait_for_status("the job", PATIENCE, |s| s.count("jobs", "done") == 1).unwrap();
    let results = status.rows("jobs")[0]["results"].as_array().unwrap().clone();
    assert_eq!(results.len(), 2, "a SEG and an SR: {results:?}");
    let report = call_well(&["show", results[1].as_str().unwrap()]);
    for part in [
        "\"Milz\" understood as \"spleen in abdomen CT\"; modality CT, site abdomen",
        "\"v<U+00E9>sicule biliaire\" understood as \"gallbladder in abdomen CT\"",
        "site abdomen: the rule says so",
        "Modality CT is CT",
        "Finding: Spleen",
        "Image Region: POLYLINE",
        "Width: ",
    ] {
        assert!(report.contains(part), "{part} is not in\n{report}");
    }
    let log = node.log();
    assert!(log.contains("understood as \"spleen in abdomen CT\""), "{log}");
    assert!(log.contains("site abdomen: the rule says so"), "{log}");
    assert!(!log.contains("nchhausen") && !log.contains("PHANTOM-71"), "no patient in the log");
    node.stop().unwrap();
}

#[test]
fn prompts_that_do_not_fit_the_images_are_refused_with_a_reason() {
    if left_out("refused prompts", &["ONNX Runtime"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let study = dir.path().join("study");
    Phantom::small(72, 3).write(&study).unwrap();
    let mut node = node_asking(dir.path(), "prompts = [\"retinal vessel\"]\n");
    call_well(&["send", &node.address(), text(&study)]);
    let refused = |status: &tests::Status| status.count("jobs", "quarantined") == 1;
    let status = node.wait_for_status("the refusal", PATIENCE, refused).unwrap();
    let job = &status.rows("jobs")[0];
    assert_eq!(job["code"], "prompt-refused");
    let reason = "\"retinal vessel\": retinal vessel was only trained in fundus, this is CT";
    assert_eq!(job["reason"], reason);
    assert!(node.log().contains("prompt-refused"), "{}", node.log());
    node.stop().unwrap();

    // The same of files: bad input, with the reason, and the nearest names where there are some.
    let out = dir.path().join("out");
    let folder = tiny("v1");
    let run = |prompt: &str| {
        let run =
            ["run", text(&study), "--model", &folder, "--prompt", prompt, "--out", text(&out)];
        let output = call(&run);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, said) = run("retinal vessel");
    assert!(code == Some(65) && said.contains(reason), "{code:?}: {said}");
    let (code, said) = run("livr");
    assert!(code == Some(65) && said.contains("nearest: liver"), "{code:?}: {said}");
    assert!(files_below(&out).is_empty());
}

#[test]
fn a_question_that_does_not_suit_its_model_is_a_fault_at_the_start() {
    if left_out("questions and models", &["ONNX Runtime"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("node.toml");
    let check = |rules: &str| {
        let node = "[node]\nae_title = \"A\"\ndata = \"d\"\n";
        let models = format!(
            "[[model]]\nname = \"tiny\"\nfolder = {:?}\n[[model]]\nname = \"tissue-ct\"\n",
            tiny("v1")
        );
        fs::write(&config, [node, &models, rules].concat()).unwrap();
        let output = call(&["config", "check", text(&config)]);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let rule = |name: &str, model: &str, keys: &str| {
        format!("[[rule]]\nname = {name:?}\nmodel = {model:?}\n{keys}\n")
    };
    let both = [rule("a", "tissue-ct", "targets = [\"liver\"]"), rule("b", "tiny", "boxes = true")];
    let (code, said) = check(&both.concat());
    assert_eq!(code, Some(78), "{said}");
    assert!(said.contains("rule \"a\": tissue-ct takes no prompts"), "{said}");
    assert!(said.contains("rule \"b\": prompt-v1-tiny has to be asked"), "{said}");
    // Words that no images would make sense of are warned of; those that only some images suit are not.
    let (code, said) = check(&rule("c", "tiny", "targets = [\"livr\", \"liver\", \"tumor\"]"));
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("rule \"c\": refused whatever the images are: \"livr\""), "{said}");
    assert!(!said.contains("\"liver\":") && !said.contains("\"tumor\":"), "{said}");
    assert_eq!(
        call(&["run", "x", "--out", "y", "--prompt", "liver", "--p-least", "2"]).status.code(),
        Some(64)
    );
}

#[test]
fn what_is_found_and_what_is_absent_is_told_by_run() {
    if left_out("run with prompts", &["ONNX Runtime"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (study, out) = (dir.path().join("study"), dir.path().join("out"));
    Phantom::small(73, 3).write(&study).unwrap();
    let run = |more: &[&str]| {
        let folder = tiny("v1");
        let fixed = ["run", text(&study), "--model", &folder, "--out", text(&out), "--json"];
        let asked = ["--target", "liver,Milz", "--site", "abdomen", "--boxes"];
        let said = call_well(&[&fixed[..], &asked[..], more].concat());
        serde_json::from_str::<Value>(&said).unwrap()[0].clone()
    };
    let found = run(&["--p-least", "0"]);
    assert_eq!(found["questions"][1]["given"][0], "Milz", "{found}");
    assert_eq!(found["questions"][1]["understood"], "spleen in abdomen CT", "{found}");
    let segments = found["segments"].as_array().unwrap();
    assert_eq!(segments.len(), 2, "{found}");
    for segment in segments {
        assert!(segment["boxes"].as_u64().unwrap() > 0, "{segment}");
        assert!((0.0..=1.0).contains(&segment["p"].as_f64().unwrap()), "{segment}");
        assert!((0.5..=1.0).contains(&segment["confidence"].as_f64().unwrap()), "{segment}");
    }
    let absent = run(&["--p-least", "1"]);
    assert_eq!(absent["segments"].as_array().unwrap().len(), 0, "{absent}");
    for absent in absent["absent"].as_array().unwrap() {
        assert_eq!(absent["code"], "low-p", "{absent}");
        assert!(absent["p"].as_f64().unwrap() < 1.0, "{absent}");
        assert!(absent["reason"].as_str().unwrap().contains("low p-value"), "{absent}");
    }
}

#[test]
fn the_built_in_model_finds_what_the_phantom_has() {
    if left_out("the built-in promptable model", &["ONNX Runtime"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (study, out) = (dir.path().join("study"), dir.path().join("out"));
    let phantom = Phantom::demo();
    phantom.write(&study).unwrap();
    let asked = ["--prompt", "lung in chest CT", "--target", "bone,gallbladder,linke Niere"];
    let run = ["run", text(&study), "--json", "--no-overlay", "--out", text(&out)];
    let said = call_well(&[&run[..], &asked[..]].concat());
    let outcome: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(outcome[0]["model"], "organs-ct-mr");
    let of = |list: &str, label: &str| {
        let rows = outcome[0][list].as_array().unwrap();
        rows.iter().find(|row| row["label"] == label).cloned()
    };
    // Masks have 96 pixels a side, so the border is coarse; the gas of the bowel is no lung, and the canal of the spine (15 % of
    // it) is filled.
    let volumes = phantom.volumes();
    for (label, truth, tolerance) in
        [("lung", volumes.lung_and_gas, 0.2), ("bone", volumes.bone, 0.4)]
    {
        let found = of("segments", label).unwrap()["volume_ml"].as_f64().unwrap();
        println!("{label}: {found:.0} mL, true {truth:.0} mL");
        assert!((found / truth - 1.0).abs() < tolerance, "{label}: {found} mL, true {truth} mL");
    }
    for label in ["gallbladder", "left kidney"] {
        assert_eq!(of("absent", label).unwrap()["code"], "not-there", "{outcome}");
    }
}
