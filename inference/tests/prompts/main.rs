//! Promptable models from words and DICOM files to findings, with tiny random networks of both generations.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod levels;
mod made;
#[path = "../support/mod.rs"]
mod support;

mod bad;
mod early;
mod reference;
mod series;

use std::path::{Path, PathBuf};

use domain::{Ask, Findings, Unsuitable};
use inference::{AnswerOptions, Model, Runtime};
use made::Read;

/// The folder of a tiny model.
fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models").join(name)
}

fn tiny(generation: &str, runtime: &Runtime) -> Model {
    Model::load(&folder(&format!("prompt-{generation}-tiny")), runtime).unwrap()
}

fn asking(prompts: &[&str]) -> Ask {
    let prompts = prompts.iter().map(|prompt| (*prompt).to_owned()).collect();
    Ask { prompts, p_least: Some(0.0), ..Ask::default() }
}

fn header(read: &Read) -> &dataset::DataSet {
    &read.source.instances[0].header
}

fn ask(model: &Model, read: &Read, ask: &Ask) -> Result<Findings, Unsuitable> {
    let questions = model.understand(ask, header(read))?;
    let found = inference::answer(model, &read.source, &questions, AnswerOptions::default());
    found.map(|(_, findings)| findings)
}
