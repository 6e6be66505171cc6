//! Everything that the fuzzer ever kept, in each run of the tests: inputs that reach different code, and findings.
//!
//! `conformance/fuzz/README.md` says how the inputs come about. A finding stays a file, so it stays fixed.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests fail as tests do")]

#[path = "../../../conformance/fuzz/src/lib.rs"]
#[expect(
    unreachable_pub,
    clippy::panic,
    reason = "there they are a library, which panics when it finds something"
)]
mod targets;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tests::{Stopwatch, workspace_root};

/// All inputs of a target take less than this on a slow machine; more means that an input takes too long.
const LIMIT: Duration = Duration::from_secs(60);

fn inputs(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return vec![] };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn replay(name: &str, run: fn(&[u8])) {
    let folder = workspace_root().join("conformance/fuzz");
    let (corpus, findings) = (folder.join("corpus").join(name), folder.join("findings").join(name));
    let paths = [inputs(&corpus), inputs(&findings)].concat();
    assert!(!paths.is_empty(), "nothing is kept for {name}");
    let watch = Stopwatch::start();
    for path in &paths {
        // The last name that is printed is that of the input which failed.
        println!("{}", path.display());
        run(&fs::read(path).unwrap());
    }
    let took = watch.elapsed();
    println!("{name}: {} inputs in {took:.1?}", paths.len());
    assert!(took < LIMIT, "{name}: {took:.1?}");
}

#[test]
fn every_kept_input_is_harmless() {
    for (name, run) in targets::TARGETS {
        replay(name, run);
    }
}

#[test]
fn the_corpora_are_small() {
    let folder = workspace_root().join("conformance/fuzz/corpus");
    let files = inputs(&folder).into_iter().flat_map(|target| inputs(&target));
    let bytes: u64 = files.map(|path| fs::metadata(path).unwrap().len()).sum();
    assert!(bytes < 1_000_000, "{bytes} bytes");
}
