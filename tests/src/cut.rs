//! Room for the next measurement, without what removing files does to it.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

/// Cuts every file below a folder to nothing, which gives back the room but keeps the files.
///
/// ext4 leaves inodes alone for minutes that were removed, and searches past them with each new file: what an earlier server had
/// stored would slow down the next.
///
/// # Errors
/// When something cannot be read or cut.
pub fn cut_files(folder: &Path) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("{}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            cut_files(&entry.path())?;
        } else if kind.is_file() {
            fs::File::create(entry.path()).context("cutting a file")?;
        }
    }
    Ok(())
}
