//! `cargo xtask bench NAME`: measurements that anyone can repeat.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use tests::shared_data;

use crate::report::line;
use crate::{onnx_runtime, setup, tree};

const STUDY: &str = "data/mr-t1w-brain";
const ONNX: &str = "models/meshnet-gwm-light.onnx";
/// What GNU time says: wall time in seconds, processor time, peak memory.
const FORM: &str = "%e s wall, %U s user, %S s system, %M kB peak";

/// Name, and what it measures.
const MEASUREMENTS: [(&str, &str); 5] = [
    ("kill", "3,000 instances over 3 associations into a node that is killed 30 times"),
    (
        "head",
        "a head MR from storescu into Orthanc, twice: the same instances as offline, once; needs ../shared",
    ),
    ("outage", "an archive that is away for a while in the middle"),
    (
        "memory",
        "a series of 1,000 instances of 512 × 512: memory of the receiving part, instances a second",
    ),
    (
        "volume",
        "time and memory of a head MR beside onnxruntime, SciPy and highdicom; needs ../shared",
    ),
];

/// Runs one; without a name, lists them.
///
/// # Errors
/// When the name is none, or the measurement fails.
pub(crate) fn run(name: Option<&str>) -> Result<()> {
    let Some(name) = name else {
        for (name, what) in MEASUREMENTS {
            line(&format!("{name:8}  {what}"));
        }
        return Ok(());
    };
    if !MEASUREMENTS.iter().any(|(known, _)| *known == name) {
        bail!("no measurement {name}; `cargo xtask bench` lists them");
    }
    onnx_runtime::bring()?;
    tree::cargo(&["build", "--release", "--locked", "--package", "node"], &[])?;
    let binary = tree::target("release").join("parsenode");
    if name == "volume" {
        return beside_python(&binary);
    }
    let binary = binary.display().to_string();
    let test = format!("full::{name}");
    let variables = [("PARSENODE_FULL", "1"), ("PARSENODE_BIN", binary.as_str())];
    let command =
        ["test", "--release", "--locked", "--package", "tests", "--", "--nocapture", &test];
    tree::cargo(&command, &variables)
}

/// The same work twice, our binary and a script with the usual Python libraries, three times each in turn.
fn beside_python(binary: &Path) -> Result<()> {
    setup::debian_packages()?;
    setup::python_environment()?;
    let (Some(study), Some(onnx)) = (shared_data(STUDY), shared_data(ONNX)) else {
        bail!("../shared/{STUDY} and ../shared/{ONNX} are not here");
    };
    let work = tree::target("bench");
    let model = work.join("meshnet");
    fs::create_dir_all(&model).with_context(|| format!("making {}", model.display()))?;
    let manifest = tree::root().join("inference/tests/models/meshnet-gwm-light/model.toml");
    for (from, name) in [(&manifest, "model.toml"), (&onnx, "meshnet-gwm-light.onnx")] {
        fs::copy(from, model.join(name)).with_context(|| format!("copying {}", from.display()))?;
    }
    for round in 1..=3 {
        let mut ours = Command::new("time");
        ours.args(["-f", FORM]).arg(binary).arg("run").arg(&study).arg("--model").arg(&model);
        measure(
            &format!("parsenode, round {round}"),
            ours.arg("--out").arg(work.join("ours")).arg("--no-overlay"),
        )?;
        let mut python = Command::new("time");
        python.args(["-f", FORM]).arg(setup::validators().join("venv/bin/python"));
        python.arg(tree::root().join("tests/bench/reference.py")).arg(&study).arg(&onnx);
        measure(&format!("Python, round {round}"), python.arg(work.join("python")))?;
    }
    Ok(())
}

fn measure(name: &str, command: &mut Command) -> Result<()> {
    line(&format!("── {name}"));
    tree::show(command)
}
