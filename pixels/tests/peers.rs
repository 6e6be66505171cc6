//! Against other decoders: hashes of what pydicom 3.0.2 and NumPy make of the same files, and copies that DCMTK compressed.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod slices;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use dataset::tags;
use domain::Limits;
use sha2::{Digest, Sha256};
use slices::{grid, slice_of};

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Whether something that only some machines have is there; says so aloud where it is not.
fn is_there(what: &Path) -> bool {
    let there = what.exists();
    if !there {
        println!("SKIPPED: no {}", what.display());
    }
    there
}

/// The values of a frame, read as the node reads them; slope and intercept are those of the header.
fn read(path: &Path, frame_index: usize) -> Result<Vec<f32>, String> {
    let limits = Limits::default();
    let instances = series::read_instances(&[path.to_owned()], &limits);
    let instance = instances.map_err(|reason| reason.to_string())?.remove(0);
    let number = |tag| instance.header.int(tag).map_or(0, |n| usize::try_from(n).unwrap());
    let grid = grid(number(tags::COLUMNS), number(tags::ROWS));
    let slope = instance.header.number(tags::RESCALE_SLOPE).unwrap_or(1.0);
    let intercept = instance.header.number(tags::RESCALE_INTERCEPT).unwrap_or(0.0);
    let slice = slice_of(instance.as_ref().clone(), frame_index, slope, intercept);
    pixels::check_decodable(&slice.instance).map_err(|reason| reason.to_string())?;
    pixels::slice_values(&slice, grid).map_err(|reason| reason.to_string())
}

/// First 16 hex digits of SHA-256 over the values as little-endian bytes.
fn hash(values: &[f32]) -> String {
    let mut sha = Sha256::new();
    values.iter().for_each(|value| sha.update(value.to_le_bytes()));
    sha.finalize().iter().take(8).fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

const SHARED: [(&str, &str); 7] = [
    ("ct-torso/0001.dcm", "90b96693d63761de"),
    ("mr-t1w-brain/N2D_0193.dcm", "75fb631dc9ed4e2a"),
    ("ct-abdomen-labelled/0015.dcm", "5f5ad4393fed782b"),
    ("mr-abdomen-labelled/0010.dcm", "71c1a722e24a1a2b"),
    ("nine-modalities/00_CT_lung.dcm", "2977ef04bd88e6c3"),
    ("nine-modalities/15_X-Ray_chest.dcm", "0e57768c6ef91b8e"),
    ("nine-modalities/20_ultrasound_breast.dcm", "a2559d2c0ea977da"),
];

#[test]
fn real_images_are_what_pydicom_reads() {
    for (name, want) in SHARED {
        let path = workspace().join("../shared/data").join(name);
        if is_there(&path) {
            assert_eq!(hash(&read(&path, 0).unwrap()), want, "{name}");
        }
    }
    let colour = workspace().join("../shared/data/nine-modalities/18_pathology_colon.dcm");
    if is_there(&colour) {
        let reason = read(&colour, 0).unwrap_err();
        assert!(reason.starts_with("pixel-format: "), "{reason}");
    }
}

/// Runs a DCMTK program on `from`; `None`, said aloud, where it is not installed.
fn copied(program: &str, options: &[&str], from: &Path, to: &Path) -> Option<()> {
    let Ok(output) = Command::new(program).args(options).arg(from).arg(to).output() else {
        println!("SKIPPED: no {program}");
        return None;
    };
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    Some(())
}

const LOSSLESS_COPIES: [(&str, &[&str]); 11] = [
    ("dcmcrle", &[]),
    ("dcmcrle", &["--fragment-per-frame"]),
    ("dcmcjpeg", &["--encode-lossless-sv1"]),
    ("dcmcjpeg", &["--encode-lossless", "--selection-value", "4"]),
    ("dcmcjpeg", &["--encode-lossless", "--selection-value", "7", "--fragment-size", "4"]),
    ("dcmcjpls", &[]),
    ("dcmcjpls", &["--interleave-line"]),
    ("dcmconv", &["--write-xfer-little"]),
    ("dcmconv", &["--write-xfer-implicit"]),
    ("dcmconv", &["--write-xfer-big"]),
    ("dcmconv", &["--write-xfer-deflated"]),
];

#[test]
fn lossless_copies_have_the_same_values() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.dcm");
    let mut count = 0;
    for (name, want) in SHARED {
        let source = workspace().join("../shared/data").join(name);
        if !is_there(&source) {
            continue;
        }
        for (program, options) in LOSSLESS_COPIES {
            let Some(()) = copied(program, options, &source, &copy) else { continue };
            let got = read(&copy, 0).map(|values| hash(&values));
            assert_eq!(got.as_deref(), Ok(want), "{name} {program} {options:?}");
            count += 1;
        }
    }
    println!("{count} copies");
}

/// Copies that lose something, and how far from the original they may be. What is forced from 16 into 12 bits is no longer the original.
const LOSSY_COPIES: [(&str, &str, &[&str], f32); 4] = [
    (
        "nine-modalities/20_ultrasound_breast.dcm",
        "dcmcjpeg",
        &["--encode-baseline", "--quality", "95"],
        24.0,
    ),
    (
        "nine-modalities/20_ultrasound_breast.dcm",
        "dcmcjpeg",
        &["--encode-extended", "--quality", "95"],
        24.0,
    ),
    (
        "nine-modalities/20_ultrasound_breast.dcm",
        "dcmcjpls",
        &["--encode-nearlossless", "--max-deviation", "3"],
        3.0,
    ),
    (
        "mr-abdomen-labelled/0010.dcm",
        "dcmcjpeg",
        &["--encode-extended", "--bits-force-12"],
        f32::MAX,
    ),
];

/// Largest difference of two frames.
fn difference(left: &[f32], right: &[f32]) -> f32 {
    assert_eq!(left.len(), right.len());
    left.iter().zip(right).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn lossy_copies_are_near_the_original_and_what_dcmtk_decodes() {
    let folder = tempfile::tempdir().unwrap();
    let [copy, decoded] = ["copy.dcm", "decoded.dcm"].map(|name| folder.path().join(name));
    for (name, program, options, most) in LOSSY_COPIES {
        let source = workspace().join("../shared/data").join(name);
        if !is_there(&source) || copied(program, options, &source, &copy).is_none() {
            continue;
        }
        let ours = read(&copy, 0).unwrap();
        let off = difference(&ours, &read(&source, 0).unwrap());
        let decoder = if program == "dcmcjpls" { "dcmdjpls" } else { "dcmdjpeg" };
        let Some(()) = copied(decoder, &[], &copy, &decoded) else { continue };
        let theirs = difference(&ours, &read(&decoded, 0).unwrap());
        println!("{name} {options:?}: {off} from the original, {theirs} from DCMTK");
        assert!(off > 0.0 && off <= most, "{name} {options:?}: {off}");
        assert!(theirs <= 1.0, "{name} {options:?}: {theirs} from DCMTK");
    }
}

/// Files that come with pydicom, the frame that is read of them, and the hash of its values or the reason why there are none.
const PYDICOM: [(&str, usize, Result<&str, &str>); 18] = [
    ("MR_small", 0, Ok("c91e056c22d227f6")),
    ("MR_small_RLE", 0, Ok("c91e056c22d227f6")),
    ("MR_small_bigendian", 0, Ok("c91e056c22d227f6")),
    ("MR_small_implicit", 0, Ok("c91e056c22d227f6")),
    ("MR_small_jp2klossless", 0, Ok("c91e056c22d227f6")),
    ("MR_small_padded", 0, Ok("c91e056c22d227f6")),
    ("MR_truncated", 0, Err("truncated-pixels")),
    ("MR_small_jpeg_ls_lossless", 0, Ok("c91e056c22d227f6")),
    ("JPEG2000", 0, Ok("bd832a8619240104")),
    ("693_J2KI", 0, Ok("87344eabb2b33426")),
    ("image_dfl", 0, Ok("e4230c769740c29d")),
    ("CT_small", 0, Ok("8d1b7d538208e0d4")),
    ("rtdose", 14, Ok("3e8076320fecb7cb")),
    ("rtdose_expb", 14, Ok("3e8076320fecb7cb")),
    ("rtdose_rle", 14, Ok("3e8076320fecb7cb")),
    ("rtdose_rle_1frame", 0, Ok("f1f763a5db2de4dc")),
    ("SC_rgb_rle", 0, Err("pixel-format")),
    ("examples_palette", 0, Err("pixel-format")),
];

#[test]
fn files_of_pydicom() {
    // Where `cargo xtask test` puts it.
    let lib = workspace().join("target/validators/venv/lib");
    let Some(python) = std::fs::read_dir(&lib).ok().and_then(|mut entries| entries.next()) else {
        println!("SKIPPED: no {}", lib.display());
        return;
    };
    let folder = python.unwrap().path().join("site-packages/pydicom/data/test_files");
    let mut count = 0;
    for (name, frame, want) in PYDICOM {
        let path = folder.join(format!("{name}.dcm"));
        if !is_there(&path) {
            continue;
        }
        count += 1;
        let got = read(&path, frame).map(|values| hash(&values));
        match (&got, want) {
            (Ok(got), Ok(want)) => assert_eq!(got, want, "{name}"),
            (Err(got), Err(want)) => assert!(got.starts_with(want), "{name}: {got}"),
            (Ok(_) | Err(_), _) => panic!("{name}: {got:?}, not {want:?}"),
        }
    }
    println!("{count} files");
}
