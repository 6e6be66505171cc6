//! From what was typed to the DICOM files in it, series by series.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::{Limits, SeriesInstanceUid};
use series::SourceInstance;

use crate::failure::{Failure, Fault, OrFail};

/// Files that were looked at, by what they are.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Instances, series by series.
    pub(crate) series: BTreeMap<SeriesInstanceUid, Vec<Arc<SourceInstance>>>,
    /// Files that are no readable instances, with the reason.
    pub(crate) skipped: Vec<(PathBuf, String)>,
}

/// All files below the paths, folders searched in order of name; links to folders are not followed.
pub(crate) fn list(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        let kind = fs::metadata(path).or_fail(Fault::Input, || path.display().to_string())?;
        if kind.is_dir() { list_folder(path, &mut files)? } else { files.push(path.clone()) }
    }
    Ok(files)
}

fn list_folder(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let on = || folder.display().to_string();
    let entries = fs::read_dir(folder).or_fail(Fault::Input, on)?;
    let mut entries: Vec<_> = entries.collect::<Result<_, _>>().or_fail(Fault::Input, on)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let kind = entry.file_type().or_fail(Fault::Input, on)?;
        if kind.is_dir() {
            list_folder(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}

/// Reads the headers of all files and sorts them by series. Unreadable files are listed, not fatal;
/// no instance at all is.
pub(crate) fn read(paths: &[PathBuf], limits: &Limits) -> Result<Found, Failure> {
    let mut found = Found::default();
    for path in list(paths)? {
        match series::read_instances(std::slice::from_ref(&path), limits) {
            Ok(instances) => {
                for instance in instances {
                    let series = instance.identity.series.clone();
                    found.series.entry(series).or_default().push(instance);
                }
            }
            Err(unsuitable) => found.skipped.push((path, unsuitable.to_string())),
        }
    }
    if found.series.is_empty() {
        return Err(nothing_found(&found.skipped));
    }
    Ok(found)
}

fn nothing_found(skipped: &[(PathBuf, String)]) -> Failure {
    let mut text = String::from("no DICOM instance found");
    for (path, reason) in skipped.iter().take(5) {
        text.push_str(&format!("\n  {}: {reason}", path.display()));
    }
    if skipped.len() > 5 {
        text.push_str(&format!("\n  and {} files more", skipped.len() - 5));
    }
    Failure::new(Fault::Input, text)
}
