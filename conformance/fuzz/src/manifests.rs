//! `model.toml` as somebody typed it.

use std::fs;

use inference::Manifest;

use super::files::in_memory;

/// Reads a manifest in a folder that has the files which it usually names.
pub fn run(bytes: &[u8]) {
    let Ok(folder) = tempfile::tempdir_in(in_memory()) else { return };
    let path = folder.path();
    let written = fs::write(path.join("model.toml"), bytes)
        .and_then(|()| fs::write(path.join("tissue-ct.onnx"), b"onnx"));
    if written.is_err() {
        return;
    }
    match Manifest::read(path) {
        Ok(manifest) => assert!(!manifest.to_string().is_empty()),
        Err(faults) => assert!(!faults.to_string().is_empty()),
    }
}
