//! `cargo xtask bench receive [--quick]` and `bench hostile`: the receiving side beside others, and under attack.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::report::line;
use crate::{onnx_runtime, setup, tree};

/// Builds node and benchmark, brings the peers, and measures.
///
/// # Errors
/// When a peer cannot be brought, or the measurement fails.
pub(crate) fn receive(arguments: &[String]) -> Result<()> {
    setup::debian_packages()?;
    setup::python_environment()?;
    dicom_storescp()?;
    bench("receive", arguments)
}

/// The same with honest and hostile peers at once.
///
/// # Errors
/// When the measurement fails.
pub(crate) fn hostile(arguments: &[String]) -> Result<()> {
    bench("hostile", arguments)
}

fn bench(name: &str, arguments: &[String]) -> Result<()> {
    onnx_runtime::bring()?;
    tree::cargo(&["build", "--release", "--locked", "--package", "node"], &[])?;
    let example = ["build", "--release", "--locked", "--package", "tests", "--example", name];
    tree::cargo(&example, &[])?;
    let mut command = Command::new(tree::target("release/examples").join(name));
    command.arg(tree::target("bench").join(name)).args(arguments);
    command.env("PARSENODE_BIN", tree::target("release/parsenode"));
    tree::show(&mut command)
}

/// dicom-rs's storescp, built once into target/peers.
fn dicom_storescp() -> Result<()> {
    let root: PathBuf = tree::target("peers");
    if root.join("bin/dicom-storescp").is_file() {
        return Ok(());
    }
    line("installing dicom-storescp into target/peers");
    let root = root.to_str().context("a path that is no text")?;
    tree::cargo(&["install", "dicom-storescp", "--locked", "--root", root], &[])
}
