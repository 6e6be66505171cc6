//! `node.toml` as somebody typed it.

use std::path::Path;

/// Reads a configuration; its faults are said in lines, at least one.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Err(faults) = config::parse(text, Path::new("/etc/parsenode")) {
        assert!(!faults.to_string().is_empty());
    }
}
