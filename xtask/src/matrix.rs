//! The matrix of `cargo xtask conformance`: sources of every kind times kinds of Segmentations, with made-up findings.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use anyhow::{Context as _, Result};
use tests::{Phantom, Validators, shared_data};

use crate::conformance::{Complaint, complaints_in, files_below, said, script_complaints};
use crate::report::line;
use crate::{setup, tree};

const KINDS: [&str; 3] = ["binary", "fractional", "labelmap"];
const OBJECTS: [&str; 2] = ["segmentation", "report"];
/// What lies beside them; the kind makes no difference to it.
const COMPANIONS: [&str; 3] = ["key-objects", "secondary-capture", "presentation-state"];

/// Images of `../shared/data/nine-modalities` that stand for their kind.
const NINE: [&str; 9] = [
    "00_CT_lung",
    "08_MRI_heart",
    "15_X-Ray_chest",
    "18_pathology_colon",
    "20_ultrasound_breast",
    "23_fundus_retinal",
    "24_endoscope_colon",
    "25_dermoscopy_skin",
    "26_OCT_retinal",
];

/// A source, and where its results are.
struct Row {
    name: String,
    source: PathBuf,
    made: PathBuf,
}

/// Makes sources and results, asks everybody about each, and prints a table.
///
/// # Errors
/// When a program cannot be run. Complaints are given back, not errors.
pub(crate) fn run(validators: &Validators, work: &Path) -> Result<Vec<Complaint>> {
    let rows = rows(validators, &work.join("matrix"))?;
    tree::cargo(
        &["build", "--locked", "--package", "sr-writer", "--example", "made_results"],
        &[],
    )?;
    for row in &rows {
        let program = tree::target("debug/examples/made_results");
        tests::run(Command::new(program).arg(&row.source).arg(&row.made))?;
    }
    let complaints = side_by_side(&rows, |row| examine(validators, row))?;
    print(&rows, &complaints);
    Ok(complaints)
}

fn rows(validators: &Validators, work: &Path) -> Result<Vec<Row>> {
    let phantom = work.join("phantom");
    Phantom { slices: 12, columns: 64, rows: 64, ..Phantom::demo() }.write(&phantom)?;
    let sources = work.join("sources");
    let script = tree::root().join("conformance/make_sources.py");
    let mut python = Command::new(validators.program("python"));
    tests::run(python.arg(script).arg(&phantom).arg(&sources))?;
    // Frames that end within a byte, and all of them at an odd one.
    let odd = work.join("phantom-odd");
    Phantom { slices: 14, columns: 61, rows: 75, ..Phantom::demo() }.write(&odd)?;
    let mut found = vec![("phantom-ct".to_owned(), phantom), ("phantom-odd".to_owned(), odd)];
    for entry in fs::read_dir(&sources).with_context(|| format!("{}", sources.display()))? {
        let path = entry?.path();
        found.push((path.file_name().unwrap_or_default().to_string_lossy().into_owned(), path));
    }
    found.extend(shared_rows(&sources)?);
    found.sort();
    let row = |(name, source)| Row { made: work.join("made").join(&name), name, source };
    Ok(found.into_iter().map(row).collect())
}

fn shared_rows(sources: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for name in ["ct-torso", "ct-abdomen-labelled", "mr-abdomen-labelled"] {
        match shared_data(&format!("data/{name}")) {
            Some(path) => found.push((name.to_owned(), path)),
            None => line(&format!("   left out: {name} (../shared/data/{name} is not here)")),
        }
    }
    let Some(nine) = shared_data("data/nine-modalities") else {
        line("   left out: nine modalities (../shared/data/nine-modalities is not here)");
        return Ok(found);
    };
    for name in NINE {
        let folder = sources.with_file_name("nine").join(name);
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        let from = nine.join(name).with_extension("dcm");
        fs::copy(&from, folder.join("1.dcm"))
            .with_context(|| format!("copying {}", from.display()))?;
        found.push((format!("nine-{name}"), folder));
    }
    Ok(found)
}

/// Rows on all cores: most of the time is spent in programs of others.
fn side_by_side(
    rows: &[Row],
    each: impl Fn(&Row) -> Result<Vec<Complaint>> + Sync,
) -> Result<Vec<Complaint>> {
    let (waiting, done) = (Mutex::new(rows.iter()), Mutex::new(Vec::new()));
    let next = || waiting.lock().ok()?.next();
    let work = || {
        while let Some(row) = next() {
            let result = each(row);
            if let Ok(mut done) = done.lock() {
                done.push(result);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    let done = done.into_inner().unwrap_or_default();
    Ok(done.into_iter().collect::<Result<Vec<_>>>()?.concat())
}

fn examine(validators: &Validators, row: &Row) -> Result<Vec<Complaint>> {
    let mut complaints = Vec::new();
    let files: Vec<PathBuf> = KINDS
        .iter()
        .flat_map(|kind| OBJECTS.map(|object| row.made.join(kind).join(object)))
        .map(|path| path.with_extension("dcm"))
        .collect();
    for file in &files {
        let object = object_name(row, file);
        let text = said(Command::new(validators.program("dciodvfy")).arg(file))?;
        complaints.extend(complaints_in("dciodvfy", &object, &text));
        complaints.extend(strange_references(&object, &text));
    }
    let beside = companions(row);
    for file in &beside {
        let text = said(Command::new(validators.program("dciodvfy")).arg(file))?;
        complaints.extend(complaints_in("dciodvfy", &object_name(row, file), &text));
    }
    let script = tree::root().join("conformance/iodcheck.py");
    let mut python = Command::new(validators.program("python"));
    python.arg(script).args(&files).args(&beside);
    complaints.extend(script_complaints("iodcheck", &row.name, &mut python)?);
    let script = tree::root().join("conformance/voxels.py");
    let mut python = Command::new(validators.program("python"));
    python.arg(script).arg(&row.made).arg("--dcmqi").arg(validators.program(""));
    complaints.extend(script_complaints("voxels", &row.name, &mut python)?);
    complaints.extend(cornerstone(row)?);
    complaints.extend(entities(validators, row, &files)?);
    // The kind of its Segmentation makes no difference to the templates of a report.
    let report = row.made.join("binary/report.dcm");
    let text = said(Command::new(validators.folder().join("srcheck")).arg(&report))?;
    let found = complaints_in("srcheck", &object_name(row, &report), &text);
    complaints.extend(found.into_iter().filter(|found| found.text.starts_with("Error")));
    Ok(complaints)
}

/// Colour has no presentation state of ours, so not every source has all of them.
fn companions(row: &Row) -> Vec<PathBuf> {
    let path = |name: &&str| row.made.join("binary").join(name).with_extension("dcm");
    let note = row.made.join("labelmap/rejection-note.dcm");
    COMPANIONS.iter().map(path).chain([note]).filter(|path| path.is_file()).collect()
}

/// Whether the adapters that OHIF reads with are installed.
pub(crate) fn has_cornerstone() -> bool {
    setup::viewers().join("installed.json").is_file()
}

/// What the adapters that OHIF reads with make of the Segmentations; nothing where they are not installed.
fn cornerstone(row: &Row) -> Result<Vec<Complaint>> {
    if !has_cornerstone() {
        return Ok(Vec::new());
    }
    let script = tree::root().join("conformance/viewers/read_cornerstone.mjs");
    let mut node = Command::new("node");
    node.env("PARSENODE_VIEWERS", setup::viewers()).arg(script).arg(&row.source).arg(&row.made);
    script_complaints("cornerstone", &row.name, &mut node)
}

/// A tool that does not say which IOD it read has read nothing.
fn strange_references(object: &str, text: &str) -> Option<Complaint> {
    let is_named = text.contains("Segmentation") || text.contains("Comprehensive3DSR");
    let text = "names no IOD that we write".to_owned();
    (!is_named).then(|| Complaint { tool: "dciodvfy", object: object.to_owned(), text })
}

/// What dcentvfy says of source and results that it does not say of the source alone; one kind at a time.
fn entities(validators: &Validators, row: &Row, files: &[PathBuf]) -> Result<Vec<Complaint>> {
    let source = files_below(&row.source);
    let ask = |results: &[PathBuf]| -> Result<Vec<Complaint>> {
        let mut command = Command::new(validators.program("dcentvfy"));
        let text = said(command.args(&source).args(results))?;
        Ok(complaints_in("dcentvfy", &row.name, &text))
    };
    let before = ask(&[])?;
    let mut found = Vec::new();
    for of_kind in files.chunks(OBJECTS.len()) {
        found.extend(ask(of_kind)?.into_iter().filter(|after| !before.contains(after)));
    }
    Ok(found)
}

fn object_name(row: &Row, file: &Path) -> String {
    let kind = file.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    format!("{} {kind} {}", row.name, file.file_stem().unwrap_or_default().to_string_lossy())
}

/// One line a source: how many complaints there are by tool, accepted ones among them.
fn print(rows: &[Row], complaints: &[Complaint]) {
    let tools = ["dciodvfy", "iodcheck", "dcentvfy", "srcheck", "voxels", "cornerstone"];
    line(&format!("   {:<26} {}", "source, 3 kinds", tools.join("  ")));
    for row in rows {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let of_row = |found: &&Complaint| {
            found.object == row.name || found.object.starts_with(&format!("{} ", row.name))
        };
        for found in complaints.iter().filter(of_row) {
            *counts.entry(found.tool).or_default() += 1;
        }
        let cell =
            |tool: &&str| format!("{:>width$}", counts.get(tool).unwrap_or(&0), width = tool.len());
        let cells: Vec<_> = tools.iter().map(cell).collect();
        line(&format!("   {:<26} {}", row.name, cells.join("  ")));
    }
}
