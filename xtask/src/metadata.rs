//! What `cargo metadata` says of our rooms and of the crates they use.

use std::env;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::tree;

/// All packages of the lock file for this kind of machine.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    /// Ours and those of others.
    pub(crate) packages: Vec<Package>,
}

/// One crate.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    /// Name on the registry, or of the room.
    pub(crate) name: String,
    /// Version.
    pub(crate) version: String,
    /// SPDX expression.
    pub(crate) license: Option<String>,
    /// Where it comes from; `None` for a path.
    pub(crate) source: Option<String>,
    /// What it asks for directly.
    pub(crate) dependencies: Vec<Dependency>,
}

/// One line of a `[dependencies]` table.
#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    /// The crate.
    pub(crate) name: String,
    /// `None` for normal ones, else `dev` or `build`.
    pub(crate) kind: Option<String>,
}

impl Metadata {
    /// Asks cargo; no network is used when the crates are there.
    ///
    /// # Errors
    /// When cargo fails or the lock file does not fit.
    pub(crate) fn read() -> Result<Self> {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let platform = format!("{}-unknown-linux-gnu", env::consts::ARCH);
        let mut command = Command::new(cargo);
        command.args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--filter-platform",
            &platform,
        ]);
        let output = tests::run(command.current_dir(tree::root()))?;
        serde_json::from_slice(&output.stdout).context("cargo metadata is no JSON that we know")
    }

    /// Our rooms.
    pub(crate) fn rooms(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.source.is_none())
    }
}
