//! Python with pydicom and its decoders, for tests that ask it.

use std::path::{Path, PathBuf};
use std::process::Command;

/// `PARSENODE_PYTHON`, or where `cargo xtask test` puts it.
fn python() -> PathBuf {
    let venv = "../target/validators/venv/bin/python";
    let own = || Path::new(env!("CARGO_MANIFEST_DIR")).join(venv);
    std::env::var_os("PARSENODE_PYTHON").map_or_else(own, PathBuf::from)
}

/// Runs a script of `tests/pydicom` that writes to `folder`; false, said aloud, where Python or its packages are missing.
pub(crate) fn ran(script: &str, folder: &Path) -> bool {
    let python = python();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pydicom").join(script);
    let Ok(output) = Command::new(&python).arg(&script).arg(folder).output() else {
        println!("SKIPPED: no {}", python.display());
        return false;
    };
    if output.status.code() == Some(3) {
        println!("SKIPPED: {}", String::from_utf8_lossy(&output.stdout).trim());
        return false;
    }
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    true
}
