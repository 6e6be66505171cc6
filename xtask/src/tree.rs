//! Folders of the working tree, and cargo run in it.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    tests::workspace_root()
}

/// A folder in `target/`; xtask's own things are there, so that `cargo clean` takes them too.
pub(crate) fn target(name: &str) -> PathBuf {
    root().join("target").join(name)
}

/// Runs cargo in the workspace, its output shown.
///
/// # Errors
/// When it fails.
pub(crate) fn cargo(arguments: &[&str], variables: &[(&str, &str)]) -> Result<()> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(arguments).envs(variables.iter().copied()).current_dir(root());
    let status = command.status().context("starting cargo")?;
    if status.success() { Ok(()) } else { bail!("cargo {}: {status}", arguments.join(" ")) }
}

/// Runs a program with its output shown.
///
/// # Errors
/// When it cannot be started or fails.
pub(crate) fn show(command: &mut Command) -> Result<()> {
    let line = format!("{command:?}");
    let status = command.status().with_context(|| format!("starting {line}"))?;
    if status.success() { Ok(()) } else { bail!("{line}: {status}") }
}
