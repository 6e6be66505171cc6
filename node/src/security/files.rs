//! Reading the files that secure the node.

use std::fmt::Display;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use domain::Secret;

/// Longest file that is read, in bytes.
const BYTES_MAX: u64 = 4 << 20;
/// Read, write and execute for all.
const OTHERS: u32 = 0o007;

/// A fault of a file.
pub(super) fn in_file(path: &Path, fault: impl Display) -> String {
    format!("{}: {fault}", path.display())
}

/// A whole file.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, String> {
    let meta = fs::metadata(path).map_err(|error| in_file(path, error))?;
    if meta.len() > BYTES_MAX {
        return Err(in_file(path, format!("longer than {BYTES_MAX} bytes")));
    }
    fs::read(path).map_err(|error| in_file(path, error))
}

/// A whole file that nobody else should be able to read.
pub(super) fn read_secret(path: &Path) -> Result<Secret, String> {
    let mode = fs::metadata(path).map_err(|error| in_file(path, error))?.permissions().mode();
    if mode & OTHERS != 0 {
        let mode = format!("{:03o}", mode & 0o777);
        tracing::warn!(file = %path.display(), mode, "a secret that everybody can read; chmod 600");
    }
    read(path).map(Secret::new)
}
