//! ONNX Runtime's CPU library from its Python wheel: pinned, checked, unpacked into `target/`.

use std::env::consts::{ARCH, OS};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use sha2::{Digest as _, Sha256};

use crate::report::line;
use crate::{setup, tree};

/// The pinned version.
pub(crate) const VERSION: &str = "1.32.0";

/// The wheel for one kind of machine.
struct Wheel {
    arch: &'static str,
    platform: &'static str,
    sha256: &'static str,
}

/// One wheel a machine; the library in it needs no Python, so the Python version in its name says nothing.
const WHEELS: [Wheel; 2] = [
    Wheel {
        arch: "x86_64",
        platform: "manylinux_2_28_x86_64",
        sha256: "5a34fc4dfeb5a7b4a74c95dcba1e773d722abda720b474edf1b0c419dc6d163d",
    },
    Wheel {
        arch: "aarch64",
        platform: "manylinux_2_28_aarch64",
        sha256: "2303372a85299b6757b0e11e1cbf13e410ddf7e10c37f4b37e99d1c90e7daf7c",
    },
];

/// Brings the library and gives its path; does nothing when it is there.
///
/// # Errors
/// When there is no wheel for this machine, pip fails, or the wheel is not the one that was pinned.
pub(crate) fn bring() -> Result<PathBuf> {
    let folder = tree::target("onnxruntime").join(VERSION);
    let library = folder.join(format!("libonnxruntime.so.{VERSION}"));
    if library.is_file() {
        return Ok(library);
    }
    let wheel =
        WHEELS.iter().find(|wheel| OS == "linux" && wheel.arch == ARCH).with_context(|| {
            format!(
                "no ONNX Runtime is pinned for {OS} on {ARCH}: install it and set ORT_DYLIB_PATH"
            )
        })?;
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    line(&format!("bringing ONNX Runtime {VERSION} ({})", wheel.platform));
    let file = download(wheel, &folder)?;
    check(&file, wheel.sha256)?;
    extract(&file, &library)?;
    fs::remove_file(&file).with_context(|| format!("removing {}", file.display()))?;
    Ok(library)
}

fn download(wheel: &Wheel, folder: &Path) -> Result<PathBuf> {
    setup::need_pip()?;
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]);
    pip.args(["--python-version", "3.11", "--implementation", "cp", "--platform", wheel.platform]);
    pip.args(["--disable-pip-version-check", "--dest"]).arg(folder);
    tests::run(pip.arg(format!("onnxruntime=={VERSION}")))?;
    let file = format!("onnxruntime-{VERSION}-cp311-cp311-{}.whl", wheel.platform);
    let file = folder.join(file);
    ensure!(file.is_file(), "pip brought no {}", file.display());
    Ok(file)
}

fn check(file: &Path, expected: &str) -> Result<()> {
    let bytes = fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    let found: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    if found != expected {
        fs::remove_file(file).with_context(|| format!("removing {}", file.display()))?;
        bail!("{}: SHA-256 is {found}, pinned is {expected}; removed", file.display());
    }
    Ok(())
}

/// Unpacks beside the place and renames, so that a library that is there is whole.
#[expect(clippy::disallowed_methods, reason = "a downloaded file that can be brought again")]
fn extract(wheel: &Path, library: &Path) -> Result<()> {
    let part = library.with_extension("part");
    let script = "import sys, zipfile, shutil\n\
                  wheel, name, out = sys.argv[1:]\n\
                  with zipfile.ZipFile(wheel).open(name) as source, open(out, 'wb') as sink:\n    \
                  shutil.copyfileobj(source, sink)\n";
    let name = format!("onnxruntime/capi/libonnxruntime.so.{VERSION}");
    let mut python = Command::new("python3");
    tests::run(python.args(["-c", script]).arg(wheel).arg(name).arg(&part))?;
    fs::rename(&part, library).with_context(|| format!("placing {}", library.display()))
}

#[cfg(test)]
mod tests_of_table {
    use super::*;

    #[test]
    fn a_file_that_is_not_the_pinned_one_is_refused_and_removed() {
        let file = std::env::temp_dir().join(format!("xtask-wheel-{}", std::process::id()));
        fs::write(&file, b"something else").unwrap();
        let error = check(&file, WHEELS[0].sha256).unwrap_err().to_string();
        assert!(error.contains("pinned is"), "{error}");
        assert!(!file.exists());
    }
}
