//! All images of `nine-modalities` through `parsenode run`: what they are is found from their headers alone, as their index says,
//! and each comes back as one SEG and one SR on its own grid.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use dataset::{DataSet, ReadLimits, tags};
use serde_json::Value;
use tests::{Validators, shared_data};

use crate::prompts::tiny;
use crate::support::{call_well, left_out, text};

/// One row of the index.
struct Image {
    file: PathBuf,
    targets: Vec<String>,
    /// The sentence for each target.
    sentences: Vec<String>,
}

fn images() -> Option<Vec<Image>> {
    let folder = shared_data("data/nine-modalities")?;
    let index = fs::read_to_string(folder.join("index.json")).unwrap();
    let rows: Vec<Value> = serde_json::from_str(&index).unwrap();
    let image = |row: &Value| {
        let targets: Vec<String> = row["targets"].as_object().unwrap().keys().cloned().collect();
        let sentence = row["prompt"].as_str().unwrap();
        let sentences = targets.iter().map(|target| sentence.replace("{target}", target));
        let file = folder.join(row["file"].as_str().unwrap());
        Image { file, sentences: sentences.collect(), targets }
    };
    Some(rows.iter().map(image).collect())
}

fn header(file: &Path) -> DataSet {
    let limits = ReadLimits {
        bytes_max: 64 << 20,
        depth_max: 16,
        elements_max: 1 << 20,
        value_bytes_max: 1 << 20,
    };
    dataset::read_file_header(file, &limits).unwrap().data_set
}

/// Asks for all targets of an image by name, and lets every mask pass, whatever its p-value is: the weights are random.
fn run(image: &Image, out: &Path) -> Value {
    let folder = tiny("v1");
    let targets = image.targets.join(",");
    let run = ["run", text(&image.file), "--model", &folder, "--target", &targets];
    let how = ["--p-least", "0", "--boxes", "--json", "--out", text(out)];
    let said = call_well(&[&run[..], &how[..]].concat());
    serde_json::from_str::<Value>(&said).unwrap()[0].clone()
}

#[test]
fn every_image_is_understood_by_its_header() {
    let Some(images) = images() else {
        println!("left out: nine modalities (needs ../shared/data/nine-modalities)");
        return;
    };
    if left_out("nine modalities", &["ONNX Runtime"]) {
        return;
    }
    assert_eq!(images.len(), 27);
    let out = tempfile::tempdir().unwrap();
    let mut objects = Vec::new();
    for image in &images {
        let name = image.file.display();
        let outcome = run(image, out.path());
        let questions = outcome["questions"].as_array().unwrap();
        let understood =
            |sentence: &String| questions.iter().any(|q| q["understood"] == **sentence);
        assert!(image.sentences.iter().all(understood), "{name}: {questions:?}");
        assert_eq!(questions.len(), image.sentences.len(), "{name}: {questions:?}");
        let segments = outcome["segments"].as_array().unwrap().len();
        assert_eq!(segments, image.targets.len(), "{name}: {outcome}");
        let files = outcome["files"].as_array().unwrap();
        let files: Vec<PathBuf> = files.iter().map(|file| file.as_str().unwrap().into()).collect();
        let [segmentation, report, overlay] = files.as_slice() else {
            panic!("{name}: a SEG, an SR and a picture, not {files:?}")
        };
        lies_on(&header(&image.file), segmentation, report);
        assert_eq!(&fs::read(overlay).unwrap()[..4], b"\x89PNG", "{name}");
        objects.extend([segmentation.clone(), report.clone()]);
    }
    println!("27 images: modality, site and sentence as the index says, none by a flag");
    check_reports(&objects);
}

/// The masks have rows, columns and place of the source, and both objects refer to it.
fn lies_on(source: &DataSet, segmentation: &Path, report: &Path) {
    let masks = header(segmentation);
    for tag in [tags::ROWS, tags::COLUMNS] {
        assert_eq!(masks.int(tag), source.int(tag), "{}", segmentation.display());
    }
    if let Some(position) = source.text(tags::IMAGE_POSITION_PATIENT) {
        let frames = masks.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE);
        for frame in frames {
            let plane = &frame.items(tags::PLANE_POSITION_SEQUENCE)[0];
            assert_eq!(plane.text(tags::IMAGE_POSITION_PATIENT).as_ref(), Some(&position));
        }
    }
    let instance = source.text(tags::SOP_INSTANCE_UID).unwrap();
    for file in [segmentation, report] {
        let bytes = fs::read(file).unwrap();
        let refers = bytes.windows(instance.len()).any(|part| part == instance.as_bytes());
        assert!(refers, "{} refers to {instance}", file.display());
    }
}

/// dciodvfy has nothing to complain of, although the headers of the images lack some of what they should have.
fn check_reports(objects: &[PathBuf]) {
    let Some(validators) = Validators::find() else {
        println!("left out: dciodvfy over them (cargo xtask test installs it)");
        return;
    };
    for object in objects {
        let output = Command::new(validators.program("dciodvfy")).arg(object).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        let errors: Vec<&str> = said.lines().filter(|line| line.starts_with("Error")).collect();
        assert!(errors.is_empty(), "{}: {errors:?}", object.display());
    }
    println!("dciodvfy: no error in {} objects", objects.len());
}
