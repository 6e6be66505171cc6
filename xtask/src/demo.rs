//! `cargo xtask demo`: the main job from end to end, on one machine, with nothing but our own program.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use tests::{Node, NodeSettings, Phantom, Running, Stopwatch, free_port, wait_for};

use crate::report::{line, seconds};
use crate::{onnx_runtime, tree};

/// How long the demo waits for results: a large CT on a small machine.
const PATIENCE: Duration = Duration::from_secs(900);

/// Lines that are shown of one object: boxes of a CT make a report long.
const LINES_MAX: usize = 80;

/// What the promptable model is asked of a study that somebody gave: all that it knows.
const RULES_FOR_A_STUDY: &str = r#"
[[model]]
name = "organs-ct-mr"

[[rule]]
name = "organs"
model = "organs-ct-mr"
destinations = ["archive"]
recognise = "all"
boxes = true

[rule.match]
Modality = ["CT", "MR"]
"#;

/// Of the phantom: tissue classes, whose volumes are known, and some organs. It has lungs and bones, and neither gallbladder nor
/// kidneys.
const RULES_FOR_THE_PHANTOM: &str = r#"
[[model]]
name = "tissue-ct"

[[model]]
name = "organs-ct-mr"

[[rule]]
name = "tissue"
model = "tissue-ct"
destinations = ["archive"]
then = "continue"

[[rule]]
name = "organs"
model = "organs-ct-mr"
destinations = ["archive"]
prompts = ["lung in chest CT"]
targets = ["bone", "gallbladder", "linke Niere"]
boxes = true
"#;

/// A folder that receives, as an archive would.
struct Archive {
    folder: PathBuf,
    address: String,
    running: Running,
}

/// Runs the demo with the study in `study`, or with a phantom.
///
/// # Errors
/// When a part of it fails; the logs are named.
pub(crate) fn run(study: Option<&Path>) -> Result<()> {
    let work = tree::target("demo");
    if work.exists() {
        fs::remove_dir_all(&work).with_context(|| format!("removing {}", work.display()))?;
    }
    fs::create_dir_all(&work).with_context(|| format!("making {}", work.display()))?;
    let library = onnx_runtime::bring()?;
    line(&format!("ONNX Runtime: {}", library.display()));
    tree::cargo(&["build", "--release", "--locked", "--package", "node"], &[])?;
    let binary = tree::target("release").join("parsenode");

    let (study, rules) = match study {
        Some(folder) => {
            let folder = fs::canonicalize(folder).with_context(|| format!("{}", folder.display()));
            (folder?, RULES_FOR_A_STUDY)
        }
        None => (make_phantom(&work.join("phantom"))?, RULES_FOR_THE_PHANTOM),
    };
    let archive = Archive::start(&binary, &work)?;
    let settings = NodeSettings {
        binary: Some(binary.clone()),
        destinations: vec![("archive".into(), archive.address.clone())],
        series_quiet_s: 2,
        receive: "release_quiet_s = 0.5\n".into(),
        rules: Some(rules.into()),
        ..NodeSettings::default()
    };
    let mut node = Node::start(&work.join("node"), &settings)?;
    line(&format!("node {} delivers to {}", node.address(), archive.address));
    let watch = Stopwatch::start();
    tree::show(Command::new(&binary).args(["send", &node.address()]).arg(&study))?;
    line(&format!("sent in {}", seconds(watch.elapsed())));
    await_results(&mut node, &watch)?;
    node.stop()?;
    show_results(&binary, &study, (&work, node.config()), archive)
}

fn make_phantom(folder: &Path) -> Result<PathBuf> {
    let phantom = Phantom::demo();
    phantom.write(folder)?;
    let volumes = phantom.volumes();
    line(&format!(
        "no folder given: a phantom of {} CT slices, computed, nobody's body: {}",
        phantom.slices,
        folder.display()
    ));
    line(&format!(
        "what is in it: lung and gas {:.0} mL, fat {:.0} mL, soft tissue {:.0} mL, bone {:.0} mL",
        volumes.lung_and_gas, volumes.fat, volumes.soft_tissue, volumes.bone
    ));
    Ok(folder.to_path_buf())
}

impl Archive {
    fn start(binary: &Path, work: &Path) -> Result<Self> {
        let (folder, port) = (work.join("archive"), free_port()?);
        let mut command = Command::new(binary);
        command.args(["listen", &port.to_string()]).arg(&folder).args(["--ae", "ARCHIVE"]);
        let mut running =
            Running::start("parsenode listen", &mut command, &work.join("archive.log"))?;
        let address = format!("ARCHIVE@127.0.0.1:{port}");
        wait_for("the archive to answer", Duration::from_secs(30), || {
            running.must_run()?;
            let echo = tests::run(Command::new(binary).args(["echo", &address]));
            Ok(echo.ok())
        })?;
        Ok(Self { folder, address, running })
    }

    /// Files that arrived, SEG before SR.
    fn files(&self) -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for study in folder(&self.folder)? {
            for series in folder(&study)? {
                files.extend(folder(&series)?);
            }
        }
        files.retain(|file| file.extension().is_some_and(|extension| extension == "dcm"));
        // A SEG is the larger of the two by far; order by size, then by name.
        files.sort_by_key(|file| {
            (u64::MAX - fs::metadata(file).map_or(0, |m| m.len()), file.clone())
        });
        Ok(files)
    }
}

fn folder(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![]);
    }
    let entries = fs::read_dir(path).with_context(|| format!("reading {}", path.display()))?;
    Ok(entries.flatten().map(|entry| entry.path()).collect())
}

/// Waits until all is delivered; says whenever something changed.
fn await_results(node: &mut Node, watch: &Stopwatch) -> Result<()> {
    let mut said = String::new();
    let status = node.wait_for_status("the results", PATIENCE, |status| {
        let states = |list: &str| -> Vec<String> {
            let states = status.rows(list).iter().filter_map(|row| row["state"].as_str());
            states.map(str::to_owned).collect()
        };
        let (series, jobs) = (states("series"), states("jobs"));
        let now = format!("series {}; jobs {}", series.join(", "), jobs.join(", "));
        if now != said {
            line(&format!("{:>8}  {now}", seconds(watch.elapsed())));
            said = now;
        }
        !series.is_empty() && status.is_settled()
    })?;
    let quarantined = status.rows("jobs").iter().filter(|job| job["state"] == "quarantined");
    for job in quarantined {
        line(&format!("set aside: {} {}: {}", job["series"], job["code"], job["reason"]));
    }
    ensure!(
        !status.rows("jobs").is_empty(),
        "no rule took a series: the demo's rule takes CT and MR only"
    );
    ensure!(status.count("jobs", "done") > 0, "no series could be used");
    Ok(())
}

fn show_results(
    binary: &Path,
    study: &Path,
    (work, config): (&Path, &Path),
    mut archive: Archive,
) -> Result<()> {
    let files = archive.files()?;
    archive.running.stop(Duration::from_secs(30))?;
    if files.is_empty() {
        bail!("nothing came back; see {}", work.join("node/node.log").display());
    }
    line("\n── what came back to the archive");
    for file in &files {
        line(&format!("{}", file.display()));
        show_some(Command::new(binary).arg("show").arg(file))?;
        line("");
    }
    line("── the same study without network");
    let out = work.join("offline");
    let mut run = Command::new(binary);
    run.arg("run").arg(study).arg("--out").arg(&out).arg("--config").arg(config);
    tree::show(&mut run)?;
    compare(&files, &out)
}

/// The first lines of what a command prints.
fn show_some(command: &mut Command) -> Result<()> {
    let output = tests::run(command)?;
    let text = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<&str> = text.lines().collect();
    lines.iter().take(LINES_MAX).for_each(|shown| line(shown));
    if lines.len() > LINES_MAX {
        line(&format!("… and {} lines more: parsenode show FILE", lines.len() - LINES_MAX));
    }
    Ok(())
}

/// Results are derived from what goes in: both ways must give the same SOP Instance UIDs.
fn compare(archived: &[PathBuf], out: &Path) -> Result<()> {
    let archived: BTreeSet<String> =
        archived.iter().map(|file| sop_instance(file)).collect::<Result<_>>()?;
    let mut offline = BTreeSet::new();
    let mut pictures = Vec::new();
    for model in
        folder(out)?.iter().map(|series| folder(series)).collect::<Result<Vec<_>>>()?.concat()
    {
        for file in folder(&model)? {
            if file.extension().is_some_and(|extension| extension == "dcm") {
                offline.insert(sop_instance(&file)?);
            } else {
                pictures.push(file);
            }
        }
    }
    ensure!(
        archived == offline,
        "other SOP Instance UIDs by network: {archived:?} than offline: {offline:?}"
    );
    line("both ways gave the same SOP Instance UIDs");
    for picture in pictures {
        line(&format!("masks over the image: {}", picture.display()));
    }
    Ok(())
}

/// Media Storage SOP Instance UID (0002,0003), found by its tag in the file meta information.
fn sop_instance(file: &Path) -> Result<String> {
    let bytes = fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    let tag = [0x02, 0x00, 0x03, 0x00, b'U', b'I'];
    let head = &bytes[..bytes.len().min(1024)];
    let at = head.windows(6).position(|window| window == tag);
    let at =
        at.with_context(|| format!("{}: no Media Storage SOP Instance UID", file.display()))?;
    let length = usize::from(u16::from_le_bytes([bytes[at + 6], bytes[at + 7]]));
    let uid = bytes.get(at + 8..at + 8 + length).context("cut")?;
    Ok(String::from_utf8_lossy(uid).trim_end_matches('\0').to_owned())
}
