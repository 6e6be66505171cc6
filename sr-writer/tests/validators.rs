//! Programs of others over what we write from real series: dciodvfy, dcentvfy, the module tables of DICOM 2026b, PixelMed's SR
//! validator, highdicom, dcmqi. No error and no warning is accepted, but for what [`SR_WARNINGS`] names.
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "tests")]

mod made;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use domain::{Findings, IntensityUnit};
use series::SourceSeries;
use sr_writer::ResultSet;

use made::{bone, context, findings, left_lung, liver_tumor, read, segment, shared, values};

/// Warnings of PixelMed's validator that are right as they are. Its tables are of February 2025: TID 4019 has a row for the
/// manufacturer since. Row 13b of TID 1500 has modifiers (CID 210: Laterality), which it does not recognise; the template
/// is extensible, so Finding Site may stand there too.
const SR_WARNINGS: &[(&str, &str)] = &[
    ("", r#"TEXT (122405,DCM,"Algorithm Manufacturer"): Content Item not in template"#),
    (
        "Qualitative Evaluations",
        r#"CODE (272741003,SCT,"Laterality"): Content Item not in template"#,
    ),
    (
        "Qualitative Evaluations",
        r#"CODE (363698007,SCT,"Finding Site"): Content Item not in template"#,
    ),
    ("Qualitative Evaluations", r#"TEXT (121106,DCM,"Comment"): Content Item not in template"#),
    (
        "Qualitative Evaluations",
        r#"NUM (111012,DCM,"Certainty of Finding"): Content Item not in template"#,
    ),
];

/// What dcentvfy says of any report beside any image: it looks for the Accession Number of images on the series level.
const ENTITY_WARNINGS: &[&str] = &[
    "Different information entities for attribute - Element=<AccessionNumber> IE <Series> versus <Study>",
];

struct Validators(PathBuf);

impl Validators {
    /// As `cargo xtask test` installs them, or in `PARSENODE_VALIDATORS`.
    fn find() -> Option<Self> {
        let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/validators");
        let folder = std::env::var_os("PARSENODE_VALIDATORS").map_or(built, PathBuf::from);
        if folder.join("venv/bin/dciodvfy").is_file() {
            return Some(Self(folder));
        }
        println!("SKIPPED: no validators in {}", folder.display());
        None
    }

    fn program(&self, name: &str) -> Command {
        Command::new(self.0.join("venv/bin").join(name))
    }
}

fn said(output: &Output) -> String {
    let text = [output.stdout.as_slice(), &output.stderr].concat();
    String::from_utf8_lossy(&text).into_owned()
}

/// Lines of errors and warnings.
fn complaints(text: &str) -> BTreeSet<String> {
    let bad = |line: &&str| line.starts_with("Error") || line.starts_with("Warning");
    text.lines().filter(bad).map(str::to_owned).collect()
}

/// A series with findings, written to files.
struct Case {
    folder: tempfile::TempDir,
    source_files: Vec<PathBuf>,
    /// Files of an earlier revision, which the report refers to.
    earlier: Vec<PathBuf>,
    segmentation: PathBuf,
    report: PathBuf,
}

fn case(source: &SourceSeries, findings: &Findings, predecessor: Option<&ResultSet>) -> Case {
    let mut context = context();
    context.predecessor = predecessor.map(|earlier| domain::Predecessor {
        study: earlier.report.identity.study.clone(),
        series: earlier.report.identity.series.clone(),
        sop_class: earlier.report.identity.sop_class.clone(),
        sop_instance: earlier.report.identity.sop_instance.clone(),
    });
    let results = sr_writer::write(findings, source, &context).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("seg.dcm"), &results.segmentations[0].file).unwrap();
    std::fs::write(path("sr.dcm"), &results.report.file).unwrap();
    write_expected(&path("expected.json"), source, findings);
    let earlier = predecessor.into_iter().flat_map(ResultSet::instances).enumerate();
    let earlier = earlier.map(|(index, instance)| {
        let file = path(&format!("earlier{index}.dcm"));
        std::fs::write(&file, &instance.file).unwrap();
        file
    });
    Case {
        segmentation: path("seg.dcm"),
        report: path("sr.dcm"),
        source_files: source.instances.iter().map(|instance| instance.path.clone()).collect(),
        earlier: earlier.collect(),
        folder,
    }
}

/// What `readback.py` compares with.
fn write_expected(path: &Path, source: &SourceSeries, findings: &Findings) {
    let grid = source.grid.in_patient().unwrap();
    let intensity = match (source.unit, source.modality.as_str()) {
        (IntensityUnit::Hounsfield, _) => r#"["Attenuation Coefficient", "[hnsf'U]"]"#,
        (IntensityUnit::Signal, "MR") => r#"["MR signal intensity", "1"]"#,
        (IntensityUnit::Signal, other) => panic!("no test for {other}"),
    };
    let mut json = format!(
        r#"{{"size": {:?}, "spacing": {:?}, "origin": {:?}, "directions": {:?}, "intensity": {intensity}, "segments": ["#,
        grid.size, grid.spacing_mm, grid.origin_mm, grid.directions
    );
    for (index, segment) in findings.segments.iter().enumerate() {
        let voxels = path.with_file_name(format!("{index}.raw"));
        let [columns, rows, slices] = grid.size;
        let places = (0..columns * rows * slices)
            .map(|n| [n % columns, n / columns % rows, n / columns / rows]);
        let bytes: Vec<u8> =
            places.map(|[i, j, k]| segment.mask.contains(i, j, k).into()).collect();
        std::fs::write(&voxels, bytes).unwrap();
        let measured = &segment.measurements;
        let intensity = measured.intensity.unwrap();
        let comma = if index == 0 { "" } else { "," };
        write!(
            json,
            r#"{comma}{{"label": {:?}, "voxels": {:?}, "volume_mm3": {}, "mean": {}, "deviation": {}}}"#,
            segment.target.label, voxels, measured.extent.volume_mm3().unwrap(), intensity.mean, intensity.standard_deviation
        )
        .unwrap();
    }
    std::fs::write(path, json + "]}").unwrap();
}

/// What dciodvfy says; patient and study attributes are copied, so what it says of the source too does not count.
fn dciodvfy(validators: &Validators, case: &Case, file: &Path) -> BTreeSet<String> {
    let ask = |file: &Path| said(&validators.program("dciodvfy").arg(file).output().unwrap());
    let text = ask(file);
    let named = text.lines().any(|line| line == "Segmentation" || line == "Comprehensive3DSR");
    assert!(named, "dciodvfy does not name the IOD: {text}");
    let of_source = complaints(&ask(&case.source_files[0]));
    complaints(&text).difference(&of_source).cloned().collect()
}

/// What dcentvfy says of source and results together and not of the source alone.
fn dcentvfy(validators: &Validators, case: &Case) -> BTreeSet<String> {
    let ask = |results: &[&PathBuf]| {
        let mut command = validators.program("dcentvfy");
        complaints(&said(
            &command.args(&case.source_files).args(&case.earlier).args(results).output().unwrap(),
        ))
    };
    let with_results = ask(&[&case.segmentation, &case.report]);
    let alone = ask(&[]);
    let new = with_results.difference(&alone).cloned();
    new.filter(|line| !ENTITY_WARNINGS.iter().any(|known| line.contains(known))).collect()
}

fn script(validators: &Validators, script: &str, arguments: &[&Path]) -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(script);
    let output = validators.program("python").arg(path).args(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        matches!(output.status.code(), Some(0 | 1)) && !errors.contains("Traceback"),
        "{errors}"
    );
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

fn srcheck(validators: &Validators, case: &Case) -> BTreeSet<String> {
    let program = validators.0.join("srcheck");
    if !program.is_file() {
        println!("SKIPPED: no {}", program.display());
        return BTreeSet::new();
    }
    let text = said(&Command::new(program).arg(&case.report).output().unwrap());
    assert!(text.contains("IOD"), "PixelMed's validator does not name the IOD: {text}");
    let known = |line: &String| {
        let is = |(place, what): &(&str, &str)| line.contains(place) && line.ends_with(what);
        line.starts_with("Warning") && SR_WARNINGS.iter().any(is)
    };
    complaints(&text).into_iter().filter(|line| !known(line)).collect()
}

fn check(name: &str, validators: &Validators, case: &Case) {
    let mut found = Vec::new();
    let mut add = |tool: &str, complaints: BTreeSet<String>| {
        found
            .extend(complaints.into_iter().map(|complaint| format!("{name}: {tool}: {complaint}")));
    };
    for file in [&case.segmentation, &case.report] {
        add("dciodvfy", dciodvfy(validators, case, file));
        add("iodcheck", script(validators, "../conformance/iodcheck.py", &[file]));
    }
    add("dcentvfy", dcentvfy(validators, case));
    add("srcheck", srcheck(validators, case));
    let expected = case.folder.path().join("expected.json");
    let files = [expected.as_path(), &case.segmentation, &case.report];
    add("readback", script(validators, "tests/readback.py", &files));
    assert!(found.is_empty(), "{}", found.join("\n"));
    println!("{name}: no complaint about SEG and SR");
}

/// Bone by threshold, one lung by threshold and side, a small block in slices that are not neighbours.
fn three_segments(source: &SourceSeries) -> Findings {
    let values = values(source);
    let [columns, rows, slices] = source.grid.size();
    let (high, low) =
        if source.unit == IntensityUnit::Hounsfield { (200.0, -700.0) } else { (90.0, 5.0) };
    let of =
        |target, keep: &dyn Fn([usize; 3], f32) -> bool| segment(target, source, &values, keep);
    let segments = vec![
        of(bone(), &|_, value| value > high),
        of(left_lung(), &|[i, ..], value| value < low && i > columns / 2),
        of(liver_tumor(), &|[i, j, k], value| {
            i.abs_diff(columns / 3) < 5
                && j.abs_diff(rows / 2) < 4
                && [slices / 2, slices / 2 + 3].contains(&k)
                && (low..=high).contains(&value)
        }),
    ];
    findings(source, segments)
}

#[test]
fn single_frame_ct_and_a_second_revision() {
    let Some(validators) = Validators::find() else { return };
    let Some(folder) = shared("ct-torso") else { return };
    let source = read(&folder);
    let first = three_segments(&source);
    check("ct-torso", &validators, &case(&source, &first, None));
    let earlier = sr_writer::write(&first, &source, &context()).unwrap();
    let mut second = first;
    second.segments.truncate(1);
    second.absent.clear();
    second.parameters.clear();
    check("ct-torso again", &validators, &case(&source, &second, Some(&earlier)));
}

#[test]
fn oblique_mr() {
    let Some(validators) = Validators::find() else { return };
    let Some(folder) = shared("mr-t1w-brain") else { return };
    let source = read(&folder);
    check("mr-t1w-brain", &validators, &case(&source, &three_segments(&source), None));
}

/// Makes a multi-frame CT of the single frames, in a file.
const ENHANCE: &str = r"
import sys, highdicom, pydicom
from pathlib import Path
frames = [pydicom.dcmread(path) for path in sorted(Path(sys.argv[1]).iterdir())]
enhanced = highdicom.legacy.LegacyConvertedEnhancedCTImage(
    frames, pydicom.uid.generate_uid(), 3, pydicom.uid.generate_uid(), 1)
enhanced.save_as(sys.argv[2])
";

#[test]
fn multi_frame_ct() {
    let Some(validators) = Validators::find() else { return };
    let Some(folder) = shared("ct-abdomen-labelled") else { return };
    let enhanced = tempfile::tempdir().unwrap();
    let file = enhanced.path().join("enhanced.dcm");
    let mut python = validators.program("python");
    let output = python.args(["-c", ENHANCE]).arg(&folder).arg(&file).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let source = read(enhanced.path());
    assert_eq!((source.instances.len(), source.slices.len()), (1, 30));
    check("multi-frame CT", &validators, &case(&source, &three_segments(&source), None));
}

#[test]
fn nothing_found() {
    let Some(validators) = Validators::find() else { return };
    let Some(folder) = shared("ct-abdomen-labelled") else { return };
    let source = read(&folder);
    let results = sr_writer::write(&findings(&source, vec![]), &source, &context()).unwrap();
    assert!(results.segmentations.is_empty());
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("sr.dcm");
    std::fs::write(&report, &results.report.file).unwrap();
    let source_files = source.instances.iter().map(|instance| instance.path.clone()).collect();
    let case = Case { folder, source_files, earlier: vec![], segmentation: report.clone(), report };
    let mut found = dciodvfy(&validators, &case, &case.report);
    found.extend(script(&validators, "../conformance/iodcheck.py", &[&case.report]));
    found.extend(srcheck(&validators, &case));
    assert!(found.is_empty(), "{found:#?}");
}
