//! What the tests of models share: the engine where it is there, model folders, volumes.

#![expect(dead_code, reason = "each test uses its part")]
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "only tests use it")]

pub(crate) mod onnx;

use std::fs;
use std::path::Path;

use domain::{Findings, IntensityUnit, Unsuitable, VolumeGeometry};
use inference::{Model, ModelFaults, Runtime, RuntimeError, RuntimeOptions, Volume};
use tempfile::TempDir;

/// The engine; `None`, and said so, where its library is not on this machine.
pub(crate) fn runtime() -> Option<Runtime> {
    match Runtime::load(&RuntimeOptions::default()) {
        Ok(runtime) => Some(runtime),
        Err(error @ RuntimeError::NotFound { .. }) => {
            eprintln!("SKIPPED, no ONNX Runtime (cargo xtask runtime brings it): {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// A folder with a manifest and, where it is given, a network.
pub(crate) fn folder(manifest: &str, network: Option<&[u8]>) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("model.toml"), manifest).unwrap();
    if let Some(network) = network {
        fs::write(folder.path().join("network.onnx"), network).unwrap();
    }
    folder
}

/// `[model]` of every test model.
pub(crate) fn about(kind: &str) -> String {
    format!(
        r#"
format = 1
[model]
name = "test-model"
version = "1"
title = "A model for tests"
manufacturer = "parsenode"
kind = "{kind}"
file = "network.onnx"
modalities = ["CT"]
"#
    )
}

/// A label for a channel.
pub(crate) fn label(channel: usize) -> String {
    format!(
        r#"
[[label]]
channel = {channel}
label = "Label {channel}"
category = {{ value = "85756007", scheme = "SCT", meaning = "Tissue" }}
type = {{ value = "87784001", scheme = "SCT", meaning = "Soft tissue" }}
"#
    )
}

/// A loaded model.
pub(crate) fn load(
    manifest: &str,
    network: &[u8],
    runtime: &Runtime,
) -> Result<Model, ModelFaults> {
    let folder = folder(manifest, Some(network));
    Model::load(folder.path(), runtime)
}

/// All verbs in a row.
pub(crate) fn run(model: &Model, volume: &Volume) -> Result<Findings, Unsuitable> {
    let input = inference::preprocess(model.manifest(), volume, "CT")?;
    let output = inference::infer(model, input)?;
    inference::postprocess(model, output, volume)
}

/// A grid along the patient's axes.
pub(crate) fn straight(size: [usize; 3], spacing_mm: [f64; 3]) -> VolumeGeometry {
    VolumeGeometry {
        size,
        spacing_mm,
        origin_mm: [-20.0, 15.0, 100.0],
        directions: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    }
}

/// A volume whose values are a function of the index.
pub(crate) fn volume(geometry: VolumeGeometry, of: impl Fn([usize; 3]) -> f32) -> Volume {
    let [columns, rows, planes] = geometry.size;
    let indices =
        (0..planes).flat_map(|k| (0..rows).flat_map(move |j| (0..columns).map(move |i| [i, j, k])));
    let values = indices.map(of).collect();
    Volume { grid: domain::SourceGrid::Patient(geometry), values, unit: IntensityUnit::Hounsfield }
}

/// Numbers from -500 to 500 that have no pattern.
pub(crate) fn noise(index: [usize; 3]) -> f32 {
    let [i, j, k] = index.map(|n| u32::try_from(n).unwrap_or(0));
    let mut x =
        i.wrapping_mul(73_856_093) ^ j.wrapping_mul(19_349_663) ^ k.wrapping_mul(83_492_791);
    x = (x ^ (x >> 15)).wrapping_mul(0x2c1b_3c6d);
    x = (x ^ (x >> 12)).wrapping_mul(0x297a_2d39);
    f32::from(u16::try_from((x ^ (x >> 15)) % 1001).unwrap_or(0)) - 500.0
}

/// The folder of real data and models, where it is there.
pub(crate) fn shared(path: &str) -> Option<std::path::PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared").join(path);
    if path.exists() {
        return Some(path);
    }
    eprintln!("SKIPPED, {} is not there", path.display());
    None
}
