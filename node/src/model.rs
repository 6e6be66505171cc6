//! `parsenode model`: looks at model folders without running them.

use std::fs;
use std::path::{Path, PathBuf};

use inference::Manifest;
use serde::Serialize;

use crate::cli::ModelCommand;
use crate::failure::{Failure, Fault, OrFail};
use crate::text::{self, Table};

/// One model folder.
#[derive(Debug, Serialize)]
struct Row {
    folder: PathBuf,
    name: Option<String>,
    version: Option<String>,
    title: Option<String>,
    sha256: Option<String>,
    faults: Option<String>,
}

/// Runs the command.
pub(crate) fn run(command: &ModelCommand) -> Result<(), Failure> {
    match command {
        ModelCommand::List { dir, json } => list(dir, *json),
        ModelCommand::Show { dir } => show(dir),
    }
}

fn show(dir: &Path) -> Result<(), Failure> {
    let manifest =
        Manifest::read(dir).or_fail(Fault::Configuration, || dir.display().to_string())?;
    text::print_line(manifest.to_string().trim_end())
}

fn list(dir: &Path, json: bool) -> Result<(), Failure> {
    let on = || dir.display().to_string();
    let entries = fs::read_dir(dir).or_fail(Fault::Input, on)?;
    let entries: Vec<_> = entries.collect::<Result<_, _>>().or_fail(Fault::Input, on)?;
    let mut folders: Vec<PathBuf> = entries.iter().map(fs::DirEntry::path).collect();
    folders.retain(|folder| folder.join("model.toml").is_file());
    folders.sort();
    let rows: Vec<Row> = folders.into_iter().map(row).collect();
    if json { text::print_json(&rows) } else { print(&rows, dir) }
}

fn row(folder: PathBuf) -> Row {
    match Manifest::read(&folder) {
        Ok(manifest) => {
            let identity = manifest.identity().clone();
            let (name, version) = (Some(identity.name), Some(identity.version));
            let (title, sha256) = (Some(identity.title), Some(identity.sha256));
            Row { folder, name, version, title, sha256, faults: None }
        }
        Err(faults) => {
            let faults = Some(faults.to_string());
            Row { folder, name: None, version: None, title: None, sha256: None, faults }
        }
    }
}

fn print(rows: &[Row], dir: &Path) -> Result<(), Failure> {
    if rows.is_empty() {
        return text::print_line(&format!("no folder with a model.toml in {}", dir.display()));
    }
    let mut table = Table::new(&["name", "version", "title", "folder"]);
    for row in rows {
        let cell = |text: &Option<String>| text.clone().unwrap_or_else(|| "faulty".into());
        let folder = row.folder.display().to_string();
        table.add(&[&cell(&row.name), &cell(&row.version), &cell(&row.title), &folder]);
    }
    text::print_line(&table.to_string())
}
