//! `cargo xtask bench NAME`: measurements that anyone can repeat.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use tests::{Phantom, shared_data};

use crate::report::line;
use crate::{fuzz, onnx_runtime, receive, setup, share, tree};

const STUDY: &str = "data/mr-t1w-brain";
const ONNX: &str = "models/meshnet-gwm-light.onnx";
/// What GNU time says: wall time in seconds, processor time, peak memory.
const FORM: &str = "%e s wall, %U s user, %S s system, %M kB peak";

/// Name, and what it measures.
const MEASUREMENTS: [(&str, &str); 11] = [
    ("large", "one instance of 2 GB: memory of the receiving part"),
    (
        "receive",
        "instances a second beside DCMTK, Orthanc, pynetdicom and dicom-rs; --quick: minutes",
    ),
    ("hostile", "two honest associations while other peers misbehave: memory, answers, rates"),
    ("fuzz", "every fuzz target for a minute, or for as many seconds as told"),
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
        "objects",
        "time and memory of writing SEG and SR beside highdicom and dcmqi, from the same arrays",
    ),
    (
        "share",
        "what a job of 300 slices takes beyond its networks, writing included; or FOLDER of a series",
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
pub(crate) fn run(name: Option<&str>, more: &[String]) -> Result<()> {
    let Some(name) = name else {
        for (name, what) in MEASUREMENTS {
            line(&format!("{name:8}  {what}"));
        }
        return Ok(());
    };
    if !MEASUREMENTS.iter().any(|(known, _)| *known == name) {
        bail!("no measurement {name}; `cargo xtask bench` lists them");
    }
    match name {
        "objects" => return objects(),
        "receive" => return receive::receive(more),
        "hostile" => return receive::hostile(more),
        "fuzz" => return fuzz::run(more),
        "share" => return share::run(more),
        _ => {}
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
        let mut ours = timed(binary);
        ours.arg("run").arg(&study).arg("--model").arg(&model);
        measure(
            &format!("parsenode, round {round}"),
            ours.arg("--out").arg(work.join("ours")).arg("--no-overlay"),
        )?;
        let mut python = timed(&setup::validators().join("venv/bin/python"));
        python.arg(tree::root().join("tests/bench/reference.py")).arg(&study).arg(&onnx);
        measure(&format!("Python, round {round}"), python.arg(work.join("python")))?;
    }
    Ok(())
}

/// Rounds of what is quick.
const ROUNDS: usize = 5;

/// Five organs as BINARY, 104 segments as LABELMAP in RLE, a report with its measurements; ours and theirs in turn.
fn objects() -> Result<()> {
    setup::debian_packages()?;
    setup::python_environment()?;
    tree::cargo(
        &["build", "--release", "--locked", "--package", "tests", "--example", "objects"],
        &[],
    )?;
    let work = tree::target("bench/objects");
    let series = |slices: usize| {
        let folder = work.join(format!("ct-{slices}"));
        let phantom = Phantom { slices, columns: 512, rows: 512, ..Phantom::demo() };
        phantom.write(&folder).map(|_| folder)
    };
    let (ct_200, ct_300) = (series(200)?, series(300)?);
    let ours = tree::target("release/examples/objects");
    tree::show(Command::new(&ours).arg("arrays").args([&ct_200, &ct_300]).arg(&work))?;
    let python = setup::validators().join("venv/bin/python");
    let script = tree::root().join("tests/bench/objects.py");
    tree::show(Command::new(&python).arg(&script).arg("nrrd").arg(&ct_200).arg(&work))?;
    for round in 1..=ROUNDS {
        for (what, ct) in [("binary", &ct_200), ("labelmap", &ct_300), ("report", &ct_200)] {
            let mut command = timed(&ours);
            measure(
                &format!("{what}, parsenode, round {round}"),
                command.arg(what).arg(ct).arg(&work),
            )?;
            let mut command = timed(&python);
            command.arg(&script).arg(what).arg(ct).arg(&work);
            measure(&format!("{what}, highdicom, round {round}"), &mut command)?;
        }
        let mut dcmqi = timed(&setup::validators().join("venv/bin/itkimage2segimage"));
        dcmqi.arg("--inputImageList").arg(work.join("organs.nrrd"));
        dcmqi.arg("--inputDICOMDirectory").arg(&ct_200);
        dcmqi.arg("--inputMetadata").arg(work.join("organs.json"));
        dcmqi.arg("--outputDICOM").arg(work.join("dcmqi.dcm"));
        measure(&format!("binary, dcmqi, round {round}"), &mut dcmqi)?;
    }
    Ok(())
}

/// GNU time around a program.
fn timed(program: &Path) -> Command {
    let mut command = Command::new("time");
    command.args(["-f", FORM]).arg(program);
    command
}

fn measure(name: &str, command: &mut Command) -> Result<()> {
    line(&format!("── {name}"));
    tree::show(command)
}
