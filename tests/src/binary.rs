//! Where the real binary and ONNX Runtime's library are.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context as _, Result};

/// The folder of the workspace.
#[must_use]
pub fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or_else(|| Path::new(".")).to_path_buf()
}

/// The `parsenode` to test: `PARSENODE_BIN`, else the newest of the release and the debug build.
///
/// # Errors
/// When none was built; says how to build it.
pub fn parsenode() -> Result<PathBuf> {
    if let Some(path) = env::var_os("PARSENODE_BIN") {
        return Ok(path.into());
    }
    let target = env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| workspace_root().join("target"), PathBuf::from);
    let built = |profile: &str| {
        let path = target.join(profile).join("parsenode");
        let modified: Option<SystemTime> = fs::metadata(&path).ok().and_then(|m| m.modified().ok());
        modified.map(|time| (time, path))
    };
    let newest = [built("release"), built("debug")].into_iter().flatten().max();
    newest.map(|(_, path)| path).with_context(|| {
        format!("no parsenode in {}: build it with `cargo build -p node`", target.display())
    })
}

/// ONNX Runtime's library, where `cargo xtask runtime` put it or `ORT_DYLIB_PATH` says; `None` when it is not there.
#[must_use]
pub fn runtime_library() -> Option<PathBuf> {
    if let Some(path) = env::var_os("ORT_DYLIB_PATH") {
        return Some(path.into());
    }
    let versions = fs::read_dir(workspace_root().join("target/onnxruntime")).ok()?;
    let libraries =
        versions.flatten().flat_map(|version| fs::read_dir(version.path()).into_iter().flatten());
    let named = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("libonnxruntime.so"))
    };
    libraries.flatten().map(|file| file.path()).filter(named).max()
}
