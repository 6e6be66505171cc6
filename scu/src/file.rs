//! A file of ours as the data set that is sent: opened, and read in order from behind its file meta information.

use std::fs::File;
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use crate::{Outgoing, ScuError};

/// The data set of a file.
pub(crate) struct DataSetFile<'a> {
    path: &'a Path,
    bytes: Box<dyn Read + Send>,
    left: u64,
}

impl<'a> DataSetFile<'a> {
    /// Opens the file of an instance.
    pub(crate) fn open(instance: &'a Outgoing) -> Result<Self, ScuError> {
        let path = instance.path.as_path();
        let meta = dataset::read_file_meta(path).map_err(|error| unusable(path, error))?;
        if meta.transfer_syntax != instance.identity.transfer_syntax {
            return Err(unusable(path, "its transfer syntax is not the one it was announced in"));
        }
        let opened = File::open(path).and_then(|mut file| {
            let length = file.seek(SeekFrom::End(0))?;
            let start = file.seek(SeekFrom::Start(meta.data_set_offset))?;
            Ok((file, length.saturating_sub(start)))
        });
        let (file, left) = opened.map_err(|error| unusable(path, error))?;
        Ok(Self { path, bytes: Box::new(file), left })
    }

    /// A data set that was made of the file at `path`.
    pub(crate) fn of_bytes(path: &'a Path, bytes: Vec<u8>) -> Self {
        let left = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Self { path, bytes: Box::new(Cursor::new(bytes)), left }
    }

    /// Bytes that were not read yet.
    pub(crate) fn left(&self) -> u64 {
        self.left
    }

    /// Appends the next `count` bytes.
    pub(crate) fn read(&mut self, out: &mut Vec<u8>, count: usize) -> Result<(), ScuError> {
        let wanted = u64::try_from(count).unwrap_or(u64::MAX);
        out.reserve(count);
        let read = Read::take(&mut self.bytes, wanted).read_to_end(out);
        if read.map_err(|error| unusable(self.path, error))? != count {
            return Err(unusable(self.path, "it became shorter while it was sent"));
        }
        self.left = self.left.saturating_sub(wanted);
        Ok(())
    }
}

fn unusable(path: &Path, reason: impl std::fmt::Display) -> ScuError {
    ScuError::File { path: path.to_owned(), reason: reason.to_string() }
}
