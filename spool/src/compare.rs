//! Is what came again the same as what is there?

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use domain::TransferSyntaxUid;

use crate::SpoolError;
use crate::part::PartFile;

/// How much is compared at a time.
const CHUNK_BYTES: usize = 64 << 10;

/// What lies where a part is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum There {
    /// Nothing.
    Nothing,
    /// A file with the same data set in the same transfer syntax, of this length: its File Meta Information may be another.
    Same {
        /// Its length in bytes.
        file_bytes: u64,
    },
    /// Another file, of this length.
    Other {
        /// Its length in bytes.
        file_bytes: u64,
    },
}

/// Compares a part with the file at `target`, byte by byte after File Meta Information, which names the sender.
pub(crate) fn compare(
    part: &PartFile,
    transfer_syntax: &TransferSyntaxUid,
    target: &Path,
) -> Result<There, SpoolError> {
    let mut there = match File::open(target) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(There::Nothing),
        Err(error) => return Err(SpoolError::io("open", target, error)),
    };
    let failed = |error| SpoolError::io("read", target, error);
    let file_bytes = there.metadata().map_err(failed)?.len();
    let other = There::Other { file_bytes };
    // What is there may be anything; only what reads as ours can be the same.
    let Ok(meta) = dataset::read_file_meta(target) else { return Ok(other) };
    if meta.transfer_syntax != *transfer_syntax {
        return Ok(other);
    }
    there.seek(SeekFrom::Start(meta.data_set_offset)).map_err(failed)?;
    let mut came = part_from_data_set(part)?;
    let is_same = same_content(&mut there, &mut came).map_err(failed)?;
    Ok(if is_same { There::Same { file_bytes } } else { other })
}

fn part_from_data_set(part: &PartFile) -> Result<File, SpoolError> {
    let read = part.file().try_clone().and_then(|mut file| {
        file.seek(SeekFrom::Start(part.data_set_offset()))?;
        Ok(file)
    });
    read.map_err(|error| SpoolError::io("read", part.path(), error))
}

fn same_content(one: &mut File, other: &mut File) -> std::io::Result<bool> {
    let (mut ours, mut theirs) = (Vec::with_capacity(CHUNK_BYTES), Vec::with_capacity(CHUNK_BYTES));
    let most = u64::try_from(CHUNK_BYTES).unwrap_or(u64::MAX);
    loop {
        ours.clear();
        theirs.clear();
        one.take(most).read_to_end(&mut ours)?;
        other.take(most).read_to_end(&mut theirs)?;
        if ours != theirs {
            return Ok(false);
        }
        if ours.is_empty() {
            return Ok(true);
        }
    }
}
