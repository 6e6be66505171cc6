//! Whole series: what is found lies on the source grid, in the order asked, and is the same whoever computes it.

use dataset::{Vr, tags};
use domain::{Absence, Ask, Boxes, Findings, Instead, Recognise, Vocabulary};
use inference::{AnswerOptions, LoadOptions, Model, Provider, Runtime, RuntimeOptions};

use crate::levels::Levels;
use crate::made::{Made, Read};
use crate::support::runtime;
use crate::{ask, asking, folder, header, tiny};

/// Hounsfield numbers from -100 to 155 that have no pattern, in 32 x 32: pixels of the picture are pixels of the slice.
fn levels(slices: usize) -> Read {
    let made = Made::ct([32, 32, slices]).with(|made| {
        made.stored = |[i, j, k], _| {
            u16::try_from(924 + (i * 7919 + j * 104_729 + k * 1_299_709) % 256).unwrap()
        };
    });
    made.read()
}

fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|word| (*word).to_owned()).collect()
}

/// No voxel is in two masks.
fn assert_disjoint(findings: &Findings) {
    let [columns, rows, slices] = findings.grid.size();
    for n in 0..columns * rows * slices {
        let (i, j, k) = (n % columns, n / columns % rows, n / columns / rows);
        let owners = findings.segments.iter().filter(|s| s.mask.contains(i, j, k)).count();
        assert!(owners <= 1, "{owners} masks at {i} {j} {k}");
    }
}

#[test]
fn a_mask_is_where_the_network_puts_it() {
    let Some(runtime) = runtime() else { return };
    let model = Levels::default().load(&runtime).unwrap();
    let read = levels(3);
    let questions = model.understand(&asking(&["the Leber"]), header(&read)).unwrap();
    assert_eq!(questions.list()[0].understood, "liver in abdomen CT");
    let options = AnswerOptions { keep_probabilities: true, ahead: None };
    let (_, findings) = inference::answer(&model, &read.source, &questions, options).unwrap();
    let volume = inference::read_volume(&read.source).unwrap();
    let [segment] = &findings.segments[..] else { panic!("{:?}", findings.absent) };
    let mut voxels = 0;
    for (n, value) in volume.values.iter().enumerate() {
        let (i, j, k) = (n % 32, n / 32 % 32, n / 1024);
        // 128 itself is a probability of exactly a half, which is not above it.
        let level = value.clamp(0.0, 255.0).floor();
        assert_eq!(segment.mask.contains(i, j, k), level > 128.0, "{i} {j} {k}: {value}");
        voxels += usize::from(level > 128.0);
        let kept = segment.probabilities.as_ref().unwrap().slices[k].as_ref().unwrap();
        assert_eq!(kept[n % 1024] > 0, level > 128.0);
    }
    assert_eq!(segment.measurements.voxel_count, voxels);
    assert!(segment.confidence.unwrap().0 > 0.5);
    assert!(findings.parameters.iter().any(|line| line.contains("found in 3 of 3 slices")));
}

#[test]
fn the_surer_of_two_takes_the_mask_and_the_others_say_why_not() {
    let Some(runtime) = runtime() else { return };
    let model = Levels::default().load(&runtime).unwrap();
    let read = levels(2);
    let findings = ask(&model, &read, &asking(&["aorta", "spleen", "liver"])).unwrap();
    assert_eq!(findings.segments.len(), 1);
    assert_eq!(findings.segments[0].target.label, "liver");
    let reasons: Vec<_> = findings
        .absent
        .iter()
        .map(|absent| (absent.target.label.as_str(), absent.reason))
        .collect();
    let ("aorta", Absence::NotThere { probability, least: 0.5 }) = reasons[0] else {
        panic!("{reasons:?}");
    };
    assert!(probability < 1e-3, "{probability}");
    assert_eq!(reasons[1], ("spleen", Absence::Overlapped));
}

#[test]
fn questions_are_answered_in_the_order_asked_and_the_same_ones_once() {
    let Some(runtime) = runtime() else { return };
    let read = Made::ct([48, 40, 3]).read();
    let model = tiny("v1", &runtime);
    let ask_all = Ask {
        targets: words(&["Leber", "left kidney"]),
        boxes: Boxes::Parts,
        ..asking(&["spleen", "liver in abdomen CT"])
    };
    let questions = model.understand(&ask_all, header(&read)).unwrap();
    let given: Vec<_> = questions.list().iter().map(|question| question.given.join("|")).collect();
    assert_eq!(given, ["spleen", "liver in abdomen CT|Leber", "left kidney"]);
    let findings = ask(&model, &read, &ask_all).unwrap();
    let labels: Vec<_> = findings.segments.iter().map(|s| s.target.label.as_str()).collect();
    assert_eq!(labels, ["spleen", "liver", "left kidney"]);
    for segment in &findings.segments {
        let bounds = segment.measurements.bounds;
        assert!(!segment.boxes.is_empty());
        for around in &segment.boxes {
            assert!((0..2).all(|axis| around.first[axis] >= bounds.first[axis]));
            assert!((0..2).all(|axis| around.last[axis] <= bounds.last[axis]));
        }
    }
    let lines = questions.log_lines().join("\n");
    assert!(lines.contains("Modality CT is CT") && lines.contains("Body Part Examined"), "{lines}");
}

#[test]
fn recognition_asks_for_everything_and_gives_no_pixel_twice() {
    let Some(runtime) = runtime() else { return };
    let read = Made::ct([48, 40, 2]).read();
    let all = Ask { recognise: Recognise::All, ..asking(&[]) };
    let v1 = ask(&tiny("v1", &runtime), &read, &all).unwrap();
    assert_eq!(v1.segments.len() + v1.absent.len(), 13);
    assert!(!v1.segments.is_empty());
    assert_disjoint(&v1);
    let v2 = ask(&tiny("v2", &runtime), &read, &all).unwrap();
    assert!(v2.segments.len() + v2.absent.len() > 90, "{}", v2.absent.len());
    assert!(v2.segments.len() > 1);
    assert_disjoint(&v2);
}

#[test]
fn masks_that_are_not_typical_are_rejected_each_for_its_own_reason() {
    let Some(runtime) = runtime() else { return };
    let model = tiny("v1", &runtime);
    let read = Made::ct([48, 40, 2]).read();
    let reason = |read: &Read, ask_for: &Ask| {
        let findings = ask(&model, read, ask_for).unwrap();
        assert!(findings.segments.is_empty());
        findings.absent[0].reason
    };
    let gated = |prompt: &str| Ask { p_least: None, ..asking(&[prompt]) };
    let Absence::LowPValue { p, least: 0.05 } = reason(&read, &gated("liver")) else { panic!() };
    assert!(p < 0.05);
    let open = Ask { vocabulary: Vocabulary::Open, ..gated("strange thing") };
    assert_eq!(reason(&read, &open), Absence::UnknownTarget);
    let window = Instead { window: Some("lung".into()), ..Instead::default() };
    let elsewhere = Ask { instead: window, ..gated("spleen") };
    assert_eq!(reason(&read, &elsewhere), Absence::WindowMismatch);
    let least = Ask { p_least: Some(0.0), ..elsewhere };
    assert_eq!(ask(&model, &read, &least).unwrap().segments.len(), 1, "no gate is asked for");
}

#[test]
fn targets_of_the_training_without_statistics_are_reported_and_said_to_be_unjudged() {
    let Some(runtime) = runtime() else { return };
    let read = Made::ct([48, 40, 2]).read();
    let gated = Ask { p_least: None, ..asking(&["uterus", "liver"]) };
    let findings = ask(&tiny("v1", &runtime), &read, &gated).unwrap();
    let found: Vec<_> = findings.segments.iter().map(|s| s.target.label.as_str()).collect();
    assert_eq!(found, ["uterus"], "the mask of the liver is not typical");
    let told = |number| {
        let start = format!("prompt {number:03} answer=");
        findings.parameters.iter().find(|line| line.starts_with(&start)).unwrap()
    };
    assert!(told(1).ends_with("; not judged, there are no statistics of such a target"));
    assert!(!told(2).contains("not judged"), "{}", told(2));
}

#[test]
fn color_has_masks_and_no_intensities() {
    let Some(runtime) = runtime() else { return };
    for (generation, modality, prompt) in
        [("v1", "OP", "optic disc"), ("v2", "US", "left heart ventricle")]
    {
        let model = tiny(generation, &runtime);
        let read = Made::photographs([50, 40, 2], modality).read();
        let asked = Ask { p_least: Some(0.0), ..asking(&[prompt]) };
        let asked = Ask { targets: words(&["myocardium"]), ..asked };
        let asked = if modality == "US" { asked } else { asking(&[prompt, "optic cup"]) };
        let questions = model.understand(&asked, header(&read)).unwrap();
        let found =
            inference::answer(&model, &read.source, &questions, AnswerOptions::default()).unwrap();
        assert!(found.0.values.is_empty());
        for segment in &found.1.segments {
            assert_eq!(segment.measurements.intensity, None);
            assert_eq!((segment.mask.columns, segment.mask.rows), (50, 40));
        }
        let other = Made::photographs([50, 40, 2], modality)
            .with(|made| made.stored = |[i, ..], s| u16::try_from((i + s) % 256).unwrap())
            .read();
        let questions = model.understand(&asked, header(&other)).unwrap();
        let options = AnswerOptions::default();
        let (_, findings) = inference::answer(&model, &other.source, &questions, options).unwrap();
        assert_ne!(findings.input_sha256, found.1.input_sha256);
    }
}

#[test]
fn any_number_of_threads_gives_the_same_findings() {
    let Some(first) = runtime() else { return };
    let read = Made::ct([48, 40, 4]).read();
    for generation in ["v1", "v2"] {
        let asked = asking(&["left kidney", "left hip in CT", "liver"]);
        let asked = if generation == "v1" { asking(&["left kidney", "liver"]) } else { asked };
        let wanted = ask(&tiny(generation, &first), &read, &asked).unwrap();
        for threads in [1, 3] {
            let options = RuntimeOptions { threads, provider: Provider::Cpu, library: None };
            let runtime = Runtime::load(&options).unwrap();
            let got = ask(&tiny(generation, &runtime), &read, &asked).unwrap();
            assert_eq!(got, wanted, "{generation}, {threads} threads");
        }
    }
}

#[test]
fn an_x_ray_is_shown_as_its_own_window_says() {
    let Some(runtime) = runtime() else { return };
    let model = tiny("v1", &runtime);
    let made = |change: fn(&mut dataset::DataSet)| {
        let made = Made::ct([40, 48, 1]).with(|made| {
            made.modality = "DX";
            made.in_patient = false;
            made.change = change;
        });
        made.read()
    };
    let asked = asking(&["left lung in chest X-Ray"]);
    let plain = ask(&model, &made(|_| {}), &asked).unwrap();
    let windowed = made(|set| {
        set.put_text(tags::WINDOW_CENTER, Vr::DS, "1000");
        set.put_text(tags::WINDOW_WIDTH, Vr::DS, "200");
    });
    let windowed = ask(&model, &windowed, &asked).unwrap();
    assert_ne!(plain.segments[0].mask, windowed.segments[0].mask);
    // What is measured are the modality values in either case.
    assert_eq!(plain.input_sha256, windowed.input_sha256);
    let none = made(|set| {
        set.put_text(tags::WINDOW_CENTER, Vr::DS, "1000");
        set.put_text(tags::WINDOW_WIDTH, Vr::DS, "0");
    });
    assert_eq!(ask(&model, &none, &asked).unwrap().segments[0].mask, plain.segments[0].mask);
}

#[test]
fn embeddings_are_kept_on_disk_and_damaged_ones_are_made_anew() {
    let Some(runtime) = runtime() else { return };
    let cache = tempfile::tempdir().unwrap();
    let load = || {
        let options = LoadOptions { embeddings: Some(cache.path().join("embeddings")) };
        Model::load_with(&folder("prompt-v1-tiny"), &runtime, options).unwrap()
    };
    let files = || -> Vec<std::path::PathBuf> {
        let entries = std::fs::read_dir(cache.path().join("embeddings")).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    };
    let read = Made::ct([40, 40, 1]).read();
    let asked = asking(&["liver", "spleen"]);
    let wanted = ask(&load(), &read, &asked).unwrap();
    assert_eq!(files().len(), 2);
    assert_eq!(ask(&load(), &read, &asked).unwrap(), wanted);
    for file in files() {
        let bytes = std::fs::read(&file).unwrap();
        std::fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    }
    assert_eq!(ask(&load(), &read, &asked).unwrap(), wanted);
    // Without a folder the same.
    assert_eq!(ask(&tiny("v1", &runtime), &read, &asked).unwrap(), wanted);
}
