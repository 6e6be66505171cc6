//! One object broken in one way, again and again: the gate finds each, and nothing in what is whole.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "../../../sr-writer/tests/made/mod.rs"]
mod made;

mod change;
mod of_report;
mod of_segmentation;
mod support;

use dataset::DataSet;
use sr_writer::SegmentationKind;

use of_report::report_mutations;
use of_segmentation::segmentation_mutations;
use support::{Made, changed};

pub(crate) const SEG: usize = 0;
pub(crate) const SR: usize = 1;

/// A name, the rule that must find it, which file, and what is done to it.
pub(crate) type Mutation = (&'static str, &'static str, usize, Box<dyn Fn(&mut DataSet)>);

#[test]
fn what_is_whole_passes() {
    let kinds =
        [SegmentationKind::Binary, SegmentationKind::Fractional, SegmentationKind::Labelmap];
    for kind in kinds {
        for made in [Made::in_patient(kind), Made::multi_frame(kind), Made::cine(kind)] {
            let faults = made.check(&made.files);
            assert!(faults.is_empty(), "{kind}: {faults:#?}");
        }
    }
}

#[test]
fn no_mutation_passes() {
    let made = Made::in_patient(SegmentationKind::Binary);
    let mutations: Vec<_> =
        segmentation_mutations().into_iter().chain(report_mutations()).collect();
    assert!(mutations.len() >= 60, "{}", mutations.len());
    let mut missed = Vec::new();
    for (name, rule, file, change) in &mutations {
        let mut files = made.files.clone();
        files[*file] = changed(&files[*file], change.as_ref());
        if *rule == "same-instance" {
            files.push(files[*file].clone());
        }
        let faults = made.check(&files);
        let rules: std::collections::BTreeSet<_> = faults.iter().map(|fault| fault.rule).collect();
        println!("{name:45} {}", rules.iter().copied().collect::<Vec<_>>().join(" "));
        if !rules.contains(rule) {
            missed.push(format!("{name}: {rule} expected, found {rules:?}"));
        }
    }
    println!("{} mutations", mutations.len());
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn a_rewritten_set_is_still_whole() {
    let made = Made::in_patient(SegmentationKind::Binary);
    let files: Vec<_> = made.files.iter().map(|file| changed(file, &|_| {})).collect();
    assert_eq!(files, made.files, "reading and writing changes nothing");
}

#[test]
fn bytes_that_are_no_result_are_a_fault_and_no_panic() {
    let made = Made::in_patient(SegmentationKind::Binary);
    for length in (0..made.files[0].len()).step_by(7) {
        let cut = vec![made.files[0][..length].to_vec(), made.files[1].clone()];
        assert!(!made.check(&cut).is_empty(), "{length} bytes");
    }
}

#[test]
fn rle_that_is_broken_is_found() {
    let made = Made::in_rle();
    assert_eq!(made.check(&made.files), []);
    let seg = &made.files[SEG];
    let head = b"\xE0\x7F\x10\0OB\0\0\xFF\xFF\xFF\xFF";
    let start = seg.windows(head.len()).position(|window| window == head).unwrap() + head.len();
    let syntax = b"1.2.840.10008.1.2.5\0";
    let named = seg.windows(syntax.len()).position(|window| window == syntax).unwrap();
    // Behind the item of the offset table (three offsets) and the head of the first fragment: its RLE header.
    let first = start + 8 + 12 + 8;
    let changes = [
        ("transfer syntax", named + 18, b'1', "file"),
        ("offset table", start + 8, 2, "file"),
        ("item tag", start, 0, "file"),
        ("segments", first, 0, "file"),
        ("segment's place", first + 4, 2, "file"),
        ("code", first + 64, 129, "pixel-length"),
    ];
    for (name, place, value, rule) in changes {
        let mut files = made.files.clone();
        assert_ne!(files[SEG][place], value, "{name}");
        files[SEG][place] = value;
        let faults = made.check(&files);
        assert!(faults.iter().any(|fault| fault.rule == rule), "{name}: {faults:?}");
    }
}
