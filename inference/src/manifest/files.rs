//! The files of a model folder, and their hash.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::faults::Faults;

/// Largest `model.toml`, in bytes. A larger one is no manifest.
const MANIFEST_BYTES_MAX: u64 = 1 << 20;

/// The text of `model.toml`.
pub(crate) fn read_text(dir: &Path) -> Result<String, String> {
    let path = dir.join("model.toml");
    let bytes = fs::metadata(&path).map_err(|error| error.to_string())?.len();
    if bytes > MANIFEST_BYTES_MAX {
        return Err(format!("{bytes} bytes, {MANIFEST_BYTES_MAX} are allowed"));
    }
    fs::read_to_string(&path).map_err(|error| error.to_string())
}

/// A file of the folder by its name; no path leads out of the folder.
pub(crate) fn find(dir: &Path, name: &str, at: &str, faults: &mut Faults) -> Option<PathBuf> {
    let plain =
        !name.is_empty() && !name.contains(['/', '\\', '\0']) && name != "." && name != "..";
    if !plain {
        faults.add(at, format!("\"{name}\" is no name of a file in this folder"));
        return None;
    }
    let path = dir.join(name);
    if !path.is_file() {
        faults.add(at, format!("{} is not there", path.display()));
        return None;
    }
    Some(path)
}

/// SHA-256 of a text and files, one after the other: what `cat model.toml x.onnx | sha256sum` prints.
pub(crate) fn hash(text: &str, files: &[PathBuf], faults: &mut Faults) -> String {
    hash_each(text, files, faults).0
}

/// The same, and the SHA-256 of each file, in one reading.
pub(crate) fn hash_each(
    text: &str,
    files: &[PathBuf],
    faults: &mut Faults,
) -> (String, Vec<String>) {
    let mut whole = Sha256::new();
    whole.update(text);
    let each = files.iter().map(|path| {
        let mut own = Sha256::new();
        if let Err(error) = hash_file([&mut whole, &mut own], path) {
            faults.add(path.display().to_string(), error.to_string());
        }
        hex(&own.finalize())
    });
    let each = each.collect();
    (hex(&whole.finalize()), each)
}

/// Lower-case hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut digits, byte| {
        // Writing to a String does not fail.
        let _infallible = write!(digits, "{byte:02x}");
        digits
    })
}

fn hash_file(digests: [&mut Sha256; 2], path: &Path) -> io::Result<()> {
    let [whole, own] = digests;
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 1 << 20];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        whole.update(&buffer[..count]);
        own.update(&buffer[..count]);
    }
}
