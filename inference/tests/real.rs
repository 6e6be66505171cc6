//! Real series through real networks, where both are on this machine.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use domain::{Findings, Limits};
use inference::{Model, Volume};
use series::SourceSeries;
use support::{runtime, shared};

fn source(folder: &Path) -> SourceSeries {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let limits = Limits::default();
    series::assemble(&series::read_instances(&paths, &limits).unwrap(), &limits).unwrap()
}

fn find(model: &Model, source: &SourceSeries, volume: &Volume) -> Findings {
    let input = inference::preprocess(model.manifest(), volume, &source.modality).unwrap();
    let output = inference::infer(model, input).unwrap();
    inference::postprocess(model, output, volume).unwrap()
}

fn millilitres(findings: &Findings, label: &str) -> f64 {
    let segment = findings.segments.iter().find(|segment| segment.target.label == label);
    segment.map_or(0.0, |segment| segment.measurements.extent.volume_mm3().unwrap() / 1000.0)
}

#[test]
fn white_and_grey_matter_of_a_head_are_as_large_as_known() {
    let (Some(data), Some(onnx)) =
        (shared("data/mr-t1w-brain"), shared("models/meshnet-gwm-light.onnx"))
    else {
        return;
    };
    let Some(runtime) = runtime() else { return };
    let folder = tempfile::tempdir().unwrap();
    let manifest =
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/models/meshnet-gwm-light/model.toml");
    fs::copy(manifest, folder.path().join("model.toml")).unwrap();
    fs::copy(onnx, folder.path().join("meshnet-gwm-light.onnx")).unwrap();
    let model = Model::load(folder.path(), &runtime).unwrap();
    let source = source(&data);
    let volume = inference::read_volume(&source).unwrap();
    let findings = find(&model, &source, &volume);
    // Known on the 1 mm grid, from ONNX Runtime and SciPy.
    for (label, wanted) in
        [("White matter of the cerebrum", 611.4), ("Grey matter of the cerebrum", 582.5)]
    {
        let got = millilitres(&findings, label);
        assert!((got / wanted - 1.0).abs() < 0.02, "{label}: {got:.1} mL, known {wanted} mL");
    }
}

#[test]
fn the_built_in_model_finds_all_its_tissues_in_a_trunk() {
    let Some(data) = shared("data/ct-torso") else { return };
    let Some(runtime) = runtime() else { return };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/tissue-ct");
    let model = Model::load(&folder, &runtime).unwrap();
    let source = source(&data);
    let volume = inference::read_volume(&source).unwrap();
    let findings = find(&model, &source, &volume);
    assert_eq!(findings.absent, []);
    let [lung, fat, soft, bone] =
        [0, 1, 2, 3].map(|n| findings.segments[n].measurements.intensity.unwrap());
    assert!(lung.mean < -400.0 && (-150.0..-50.0).contains(&fat.mean), "{lung:?} {fat:?}");
    assert!((0.0..80.0).contains(&soft.mean) && bone.mean > 200.0, "{soft:?} {bone:?}");
    // The same series gives the same findings, to the last bit.
    assert_eq!(find(&model, &source, &volume), findings);
}
