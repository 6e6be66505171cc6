//! Real series, against what pydicom 3.0.2 and NumPy say of them.
#![expect(
    clippy::unwrap_used,
    clippy::float_cmp,
    clippy::print_stdout,
    reason = "tests; values are exact"
)]

use std::path::{Path, PathBuf};

use domain::{IntensityUnit, Limits, Unsuitable, norm, sub};
use series::{ReadFault, SourceSeries};

/// The series of a folder of test data; `None`, said aloud, where it is not there.
fn series_in(name: &str) -> Option<SourceSeries> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data").join(name);
    let Ok(entries) = std::fs::read_dir(&folder) else {
        println!("SKIPPED: no {}", folder.display());
        return None;
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    // Any order will do: this one is the reverse of the names.
    paths.sort_by(|a, b| b.cmp(a));
    let limits = Limits::default();
    let instances = series::read_instances(&paths, &limits).unwrap();
    Some(series::assemble(&instances, &limits).unwrap())
}

/// Largest distance between a slice's own position and where the grid has it, in mm.
fn largest_misfit_mm(series: &SourceSeries) -> f64 {
    let misfit = |(k, slice): (u32, &series::SourceSlice)| {
        norm(sub(
            series.grid.in_patient().unwrap().position_mm([0.0, 0.0, k.into()]),
            slice.position.as_ref().unwrap().mm,
        ))
    };
    (0..).zip(&series.slices).map(misfit).fold(0.0, f64::max)
}

#[test]
fn ct_torso() {
    let Some(series) = series_in("ct-torso") else { return };
    let grid = series.grid.in_patient().unwrap();
    assert_eq!(grid.size, [122, 101, 112]);
    assert_eq!(grid.origin_mm, [-185.04367, -311.319, 94.301758]);
    assert_eq!(grid.directions, [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]);
    assert_eq!(grid.spacing_mm[..2], [3.0, 3.0]);
    assert!((grid.spacing_mm[2] - 3.000_000_018_018_018).abs() < 1e-12);
    assert_eq!(series.unit, IntensityUnit::Hounsfield);
    assert_eq!(series.place.as_ref().unwrap().orientation_bytes, b"1\\0\\-0\\0\\1\\-0 ");
    assert_eq!(
        series.slices[111].position.as_ref().unwrap().bytes,
        b"-185.04367\\-311.319\\427.30176 "
    );
    assert!(largest_misfit_mm(&series) < 1e-5);
}

#[test]
fn mr_brain_is_oblique() {
    let Some(series) = series_in("mr-t1w-brain") else { return };
    let grid = series.grid.in_patient().unwrap();
    assert_eq!(grid.size, [274, 384, 384]);
    assert_eq!(grid.spacing_mm[..2], [0.699987828731537, 0.666666686534882]);
    assert!((grid.spacing_mm[2] - 0.666_666_686_534_881).abs() < 1e-12);
    assert_eq!(grid.origin_mm, [-91.4495864331908, -160.06035870244, -142.505487236053]);
    let last = series.slices[383].position.as_ref().unwrap().mm;
    assert_eq!(last, [-100.409667765192, -127.139380468603, 110.538068563524]);
    assert!((grid.directions[0][1] + 0.0217883751691557).abs() < 1e-9);
    assert_eq!(series.unit, IntensityUnit::Signal);
    assert!(largest_misfit_mm(&series) < 1e-5);
}

#[test]
fn labelled_abdomens() {
    if let Some(ct) = series_in("ct-abdomen-labelled") {
        assert_eq!(ct.grid.in_patient().unwrap().size, [122, 101, 30]);
        assert_eq!(ct.slices[29].position.as_ref().unwrap().mm, [-185.04367, -311.319, 181.30176]);
        assert_eq!(ct.unit, IntensityUnit::Hounsfield);
    }
    if let Some(mr) = series_in("mr-abdomen-labelled") {
        assert_eq!(mr.grid.in_patient().unwrap().size, [117, 91, 20]);
        assert_eq!(mr.grid.in_patient().unwrap().origin_mm, [-168.59964, -166.35944, 28.989641]);
        assert!((mr.grid.in_patient().unwrap().spacing_mm[2] - 3.0).abs() < 1e-12);
        assert_eq!((mr.unit, mr.modality.as_str()), (IntensityUnit::Signal, "MR"));
    }
}

fn fault(path: &Path) -> ReadFault {
    series::read_instances(&[path.to_owned()], &Limits::default()).unwrap_err()
}

#[test]
fn what_the_system_does_not_let_us_read_is_told_from_what_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let fault = fault(folder.path());
    assert!(matches!(fault, ReadFault::System { .. }), "{fault}");
    let reason = Unsuitable::from(fault).to_string();
    assert!(reason.starts_with("unreadable: ") && reason.contains("cannot be read"), "{reason}");
}

#[test]
fn what_is_no_dicom_is_unreadable() {
    let folder = tempfile::tempdir().unwrap();
    let read = |name: &str| {
        let path = folder.path().join(name);
        series::read_instances(&[path], &Limits::default()).unwrap_err().to_string()
    };
    std::fs::write(folder.path().join("text"), "no DICOM").unwrap();
    let reason = read("text");
    assert!(reason.starts_with("unreadable: ") && reason.contains("text"), "{reason}");
    let reason = read("absent");
    assert!(reason.starts_with("unreadable: ") && reason.contains("absent"), "{reason}");
    assert!(matches!(fault(&folder.path().join("absent")), ReadFault::Images(_)));
    let limits = Limits { series_instances_max: 1, ..Limits::default() };
    let two = [PathBuf::from("a"), PathBuf::from("b")];
    let reason = series::read_instances(&two, &limits).unwrap_err().to_string();
    assert_eq!(reason, "too-large: 2 instances, 1 are allowed");
}
