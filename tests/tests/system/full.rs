//! The long versions, run one at a time by `cargo xtask bench`, which sets `PARSENODE_FULL`.

use std::fs;
use std::time::Duration;

use tests::{NodeSettings, shared_data};

use crate::delivery::comes_back_once;
use crate::kill::{Storm, storm};
use crate::memory::{receive, receive_one};
use crate::outage::outage;
use crate::support::text;

fn asked_for(name: &str) -> bool {
    let asked = std::env::var_os("PARSENODE_FULL").is_some();
    if !asked {
        println!("left out: cargo xtask bench {name}");
    }
    asked
}

#[test]
fn kill() {
    if asked_for("kill") {
        storm(&Storm {
            associations: 3,
            series_per_association: 10,
            slices: 100,
            kills: 30,
            seed: 6,
        });
    }
}

#[test]
fn outage_of_a_minute() {
    if asked_for("outage") {
        outage(6, Duration::from_secs(60));
    }
}

#[test]
fn memory() {
    if asked_for("memory") {
        receive(1000);
    }
}

#[test]
fn large() {
    if asked_for("large") {
        receive_one(2_000_000_000);
    }
}

#[test]
fn head() {
    if !asked_for("head") {
        return;
    }
    let (Some(study), Some(onnx)) =
        (shared_data("data/mr-t1w-brain"), shared_data("models/meshnet-gwm-light.onnx"))
    else {
        println!("left out: the head MR (needs ../shared)");
        return;
    };
    let work = tempfile::tempdir().unwrap();
    let model = work.path().join("meshnet");
    fs::create_dir(&model).unwrap();
    let manifest = "../inference/tests/models/meshnet-gwm-light/model.toml";
    fs::copy(manifest, model.join("model.toml")).unwrap();
    fs::copy(onnx, model.join("meshnet-gwm-light.onnx")).unwrap();
    let more = format!(
        "[[model]]\nname = \"meshnet\"\nfolder = {model:?}\n\
         [[rule]]\nname = \"head\"\nmodel = \"meshnet\"\ndestinations = [\"pacs\"]\n\
         [rule.match]\nModality = \"MR\"\n"
    );
    let settings = NodeSettings { more, ..NodeSettings::default() };
    comes_back_once(&study, &settings, &["--model", text(&model)], work.path());
}
