//! What the system tests share.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use tests::{Node, NodeSettings, Phantom, have, parsenode, runtime_library};

/// Longest wait for work of seconds; generous, because machines are shared.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);

/// Says why a test does nothing, and gives `true` then.
pub(crate) fn left_out(test: &str, needs: &[&str]) -> bool {
    let fast = std::env::var_os("PARSENODE_FAST").is_some();
    let missing = needs.iter().copied().find(|need| match *need {
        "ONNX Runtime" => runtime_library().is_none(),
        program => fast || !have(program),
    });
    if let Some(missing) = missing {
        println!("left out: {test} (needs {missing})");
    }
    missing.is_some()
}

/// Runs `parsenode` with these arguments, whatever comes of it.
pub(crate) fn call(arguments: &[&str]) -> Output {
    let mut command = Command::new(parsenode().unwrap());
    command.args(arguments).output().unwrap()
}

/// Runs `parsenode` with these arguments; it has to succeed.
pub(crate) fn call_well(arguments: &[&str]) -> String {
    let output = call(arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {}\n{errors}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A node in `dir` without destinations.
pub(crate) fn node_in(dir: &Path) -> Node {
    Node::start(&dir.join("node"), &NodeSettings::default()).unwrap()
}

/// Every file below a folder.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return vec![] };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

/// SOP Instance UIDs of what `parsenode run` makes of the studies, with `more` arguments: what a node must deliver for them.
pub(crate) fn results_of(studies: &[&Path], more: &[&str], work: &Path) -> BTreeSet<String> {
    let out = work.join("expected");
    let mut arguments = vec!["run"];
    arguments.extend(more);
    arguments.extend(studies.iter().map(|study| text(study)));
    arguments.extend(["--no-overlay", "--out", text(&out)]);
    call_well(&arguments);
    files_below(&out).iter().map(|file| sop_instance(file)).collect()
}

/// Media Storage SOP Instance UID (0002,0003) of a file.
pub(crate) fn sop_instance(file: &Path) -> String {
    let bytes = fs::read(file).unwrap();
    let tag = b"\x02\x00\x03\x00UI";
    let at = bytes.windows(6).position(|window| window == tag).unwrap();
    let length = usize::from(u16::from_le_bytes([bytes[at + 6], bytes[at + 7]]));
    String::from_utf8_lossy(&bytes[at + 8..at + 8 + length]).trim_end_matches('\0').to_owned()
}

/// Writes phantoms of `slices` small slices with these seeds, each into a folder of its own.
pub(crate) fn phantoms(work: &Path, seeds: &[u64], slices: usize) -> Vec<(Phantom, PathBuf)> {
    let write = |seed: &u64| {
        let (phantom, folder) = (Phantom::small(*seed, slices), work.join(format!("study-{seed}")));
        phantom.write(&folder).unwrap();
        (phantom, folder)
    };
    seeds.iter().map(write).collect()
}
