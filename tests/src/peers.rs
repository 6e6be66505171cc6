//! Programs of others that tests talk to, where they are installed.

use std::env;
use std::path::{Path, PathBuf};

use crate::binary::workspace_root;

/// Whether `program` can be found, by PATH.
#[must_use]
pub fn have(program: &str) -> bool {
    let paths = env::var_os("PATH").unwrap_or_default();
    // Debian puts servers into sbin, which users' PATH leaves out.
    let all = env::split_paths(&paths).chain([PathBuf::from("/usr/sbin")]);
    all.into_iter().any(|dir| dir.join(program).is_file())
}

/// Real studies beside the repository, where somebody put them: `PARSENODE_SHARED`, else `../shared`.
#[must_use]
pub fn shared_data(name: &str) -> Option<PathBuf> {
    let shared = env::var_os("PARSENODE_SHARED")
        .map_or_else(|| workspace_root().join("../shared"), PathBuf::from);
    let path = shared.join(name);
    path.exists().then_some(path)
}

/// The outside validators, as `cargo xtask test` installs them.
#[derive(Debug, Clone)]
pub struct Validators {
    folder: PathBuf,
}

impl Validators {
    /// The validators in `PARSENODE_VALIDATORS`, else in `target/validators`; `None` when they are not installed.
    #[must_use]
    pub fn find() -> Option<Self> {
        let folder = env::var_os("PARSENODE_VALIDATORS")
            .map_or_else(|| workspace_root().join("target/validators"), PathBuf::from);
        folder.join("venv/bin/dciodvfy").is_file().then_some(Self { folder })
    }

    /// A program of the Python environment, such as `python` or `dciodvfy`.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.folder.join("venv/bin").join(name)
    }

    /// The folder that holds them.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}
