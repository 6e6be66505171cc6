//! A series and its losslessly compressed copies give the same results, byte for byte.

use std::fs;
use std::path::Path;
use std::process::Command;

use tests::{Phantom, run};

use crate::support::{call_well, files_below, left_out, text};

/// DCMTK's compressors: the program and how it is told.
const COPIES: [(&str, &[&str]); 5] = [
    ("dcmcrle", &[]),
    ("dcmcjpeg", &["+e1"]),
    ("dcmcjpls", &["+el"]),
    ("dcmconv", &["+te"]),
    ("dcmconv", &["+tb"]),
];

/// What `run` makes of a study, as if it had started at the same moment.
fn results(study: &Path, out: &Path) -> Vec<Vec<u8>> {
    let asked = ["--recognise", "--started", "2026-11-25T10:15:00Z", "--out", text(out)];
    call_well(&[&["run", text(study)], &asked[..]].concat());
    let mut paths = files_below(out);
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

fn compress(program: &str, options: &[&str], study: &Path, copy: &Path) {
    fs::create_dir(copy).unwrap();
    for file in files_below(study) {
        let to = copy.join(file.file_name().unwrap());
        run(Command::new(program).args(options).arg(&file).arg(&to)).unwrap();
    }
}

#[test]
fn results_of_compressed_copies_are_those_of_the_series() {
    let needs = ["ONNX Runtime", "dcmcrle", "dcmcjpeg", "dcmcjpls", "dcmconv"];
    if left_out("compressed copies", &needs) {
        return;
    }
    let work = tempfile::tempdir().unwrap();
    let study = work.path().join("study");
    Phantom { columns: 128, rows: 128, ..Phantom::small(23, 9) }.write(&study).unwrap();
    let expected = results(&study, &work.path().join("expected"));
    assert!(expected.len() >= 3, "SEG, SR and overlay");
    for (n, (program, options)) in COPIES.into_iter().enumerate() {
        let copy = work.path().join(format!("copy-{n}"));
        compress(program, options, &study, &copy);
        let found = results(&copy, &work.path().join(format!("found-{n}")));
        assert!(found == expected, "{program} {options:?}");
    }
}
