//! How long a promptable model takes for a CT that nobody has, by stage, and how much memory.
//!
//! `cargo run --release -p inference --example prompt_speed -- MODEL [SLICES] [PROMPTS] [PIXELS]`. MODEL is a folder; 300 slices, 15
//! prompts and 512 × 512 pixels where nothing else is said. First all stages one after the other, each by itself; then twice the
//! answer as it is given, with the stages beside each other: over a third of the slices and over all, so that memory that grows
//! with them shows.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "it prints times, and takes them itself"
)]

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use dataset::{DataSet, FileMeta, Vr, tags};
use domain::{Ask, Limits, SopClassUid, SopInstanceUid, TransferSyntaxUid, derive_uid};
use inference::prompt_door::{Stages, stages};
use inference::{AnswerOptions, LoadOptions, Model, Questions, Runtime, RuntimeOptions};
use series::SourceSeries;

type Done = Result<(), Box<dyn Error>>;

/// Targets of an abdomen; those that a model does not know are left out.
const TARGETS: [&str; 15] = [
    "liver",
    "spleen",
    "pancreas",
    "stomach",
    "aorta",
    "left kidney",
    "right kidney",
    "duodenum",
    "esophagus",
    "gallbladder",
    "left adrenal gland",
    "right adrenal gland",
    "bladder",
    "inferior vena cava",
    "bone",
];

fn main() -> Done {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("the folder of a model is wanted")?;
    let mut number = |default: usize| match arguments.next() {
        Some(text) => text.parse::<usize>(),
        None => Ok(default),
    };
    let (slices, prompts, pixels) = (number(300)?, number(TARGETS.len())?, number(512)?);
    let runtime = Runtime::load(&RuntimeOptions::default())?;
    let model = Model::load_with(Path::new(&folder), &runtime, LoadOptions::default())?;
    let files = tempfile::tempdir()?;
    for k in 0..slices {
        fs::write(files.path().join(format!("{k:05}.dcm")), file(k, pixels)?)?;
    }
    let (few, all) = (source(files.path(), slices.div_ceil(3))?, source(files.path(), slices)?);
    let header = &all.instances[0].header;
    let of = |targets| Ask { targets, p_least: Some(0.0), ..Ask::default() };
    let known = |name: &&&str| model.understand(&of(vec![(**name).to_owned()]), header).is_ok();
    let targets = TARGETS.iter().filter(known).take(prompts).map(|name| (*name).to_owned());
    let questions = model.understand(&of(targets.collect()), header)?;
    println!("{slices} slices of {pixels} x {pixels}, {} prompts", questions.list().len());
    overlapped(&model, &few, &questions)?;
    overlapped(&model, &all, &questions)?;
    staged(&model, &few, &questions)
}

/// Slices beside each other, as the node has it.
fn overlapped(model: &Model, source: &SourceSeries, questions: &Questions) -> Done {
    let values = source.grid.size().iter().product::<usize>() * 4;
    let began = Instant::now();
    let (_, findings) = inference::answer(model, source, questions, AnswerOptions::default())?;
    let took = began.elapsed();
    let count = source.slices.len();
    println!(
        "answer of {count} slices: {:.2} s, {:.1} ms a slice; {} found; peak {} MiB, {} MiB of it the values of the series",
        took.as_secs_f64(),
        milliseconds(took) / count as f64,
        findings.segments.len(),
        peak_kib()? >> 10,
        values >> 20,
    );
    Ok(())
}

/// One stage after the other.
fn staged(model: &Model, source: &SourceSeries, questions: &Questions) -> Done {
    let began = Instant::now();
    let (found, _) = stages(model, source, questions, &|| began.elapsed())?;
    let Stages { read, picture, encode, decode, judge, gather } = found;
    let of_slices = source.slices.len() as f64;
    let total = read + picture + encode + decode + judge + gather;
    println!("stage by stage, {of_slices} slices: {:.2} s", total.as_secs_f64());
    for (name, took) in [
        ("read", read),
        ("picture", picture),
        ("image encoder", encode),
        ("mask decoder", decode),
        ("judge", judge),
        ("gather", gather),
    ] {
        let share = 100.0 * took.as_secs_f64() / total.as_secs_f64();
        println!("  {name:<14} {:>8.2} ms a slice  {share:>5.1} %", milliseconds(took) / of_slices);
    }
    Ok(())
}

fn milliseconds(took: Duration) -> f64 {
    took.as_secs_f64() * 1e3
}

/// The most memory that the process has had.
fn peak_kib() -> Result<usize, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next()).ok_or("no VmHWM")?;
    Ok(number.parse()?)
}

fn source(folder: &Path, count: usize) -> Result<SourceSeries, Box<dyn Error>> {
    let paths: Vec<_> = (0..count).map(|k| folder.join(format!("{k:05}.dcm"))).collect();
    let limits = Limits::default();
    Ok(series::assemble(&series::read_instances(&paths, &limits)?, &limits)?)
}

/// A slice of a body of ellipses, as a file.
fn file(k: usize, pixels: usize) -> Result<Vec<u8>, Box<dyn Error>> {
    let uid = derive_uid(&["prompt speed", &k.to_string()]);
    let meta = FileMeta {
        sop_class: SopClassUid::parse("1.2.840.10008.5.1.4.1.1.2")?,
        sop_instance: SopInstanceUid::parse(&uid)?,
        transfer_syntax: TransferSyntaxUid::parse("1.2.840.10008.1.2.1")?,
        sending_ae: None,
        receiving_ae: None,
        data_set_offset: 0,
    };
    let mut set = DataSet::new();
    set.put_uid(tags::SOP_CLASS_UID, meta.sop_class.as_str());
    set.put_uid(tags::SOP_INSTANCE_UID, &uid);
    set.put_uid(tags::STUDY_INSTANCE_UID, "1.2.3");
    set.put_uid(tags::SERIES_INSTANCE_UID, "1.2.3.4");
    set.put_uid(tags::FRAME_OF_REFERENCE_UID, "1.2.3.5");
    for (tag, text) in [
        (tags::MODALITY, "CT"),
        (tags::BODY_PART_EXAMINED, "ABDOMEN"),
        (tags::PHOTOMETRIC_INTERPRETATION, "MONOCHROME2"),
    ] {
        set.put_text(tag, Vr::CS, text);
    }
    set.put_decimals(tags::PIXEL_SPACING, &[0.8, 0.8]);
    set.put_decimals(tags::IMAGE_ORIENTATION_PATIENT, &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
    set.put_decimals(tags::IMAGE_POSITION_PATIENT, &[0.0, 0.0, k as f64]);
    set.put_decimals(tags::RESCALE_INTERCEPT, &[-1024.0]);
    set.put_decimals(tags::RESCALE_SLOPE, &[1.0]);
    let side = u16::try_from(pixels)?;
    for (tag, number) in [
        (tags::SAMPLES_PER_PIXEL, 1),
        (tags::ROWS, side),
        (tags::COLUMNS, side),
        (tags::BITS_ALLOCATED, 16),
        (tags::BITS_STORED, 12),
        (tags::HIGH_BIT, 11),
        (tags::PIXEL_REPRESENTATION, 0),
    ] {
        set.put_u16s(tag, &[number]);
    }
    set.put_bytes(tags::PIXEL_DATA, Vr::OW, body(k, pixels));
    Ok(dataset::encode_file(&meta, &set))
}

fn body(k: usize, pixels: usize) -> Vec<u8> {
    let half = pixels as f64 / 2.0;
    let inside = |i: usize, j: usize, x: f64, y: f64, radius: f64| {
        (i as f64 / half - 1.0 - x).powi(2) + (j as f64 / half - 1.0 - y).powi(2) < radius * radius
    };
    let stored = |(i, j): (usize, usize)| {
        let noise = u16::try_from((i * 7919 + j * 104_729 + k * 1_299_709) % 61).unwrap_or(0);
        let value = if inside(i, j, -0.2, 0.0, 0.3) {
            1100
        } else if inside(i, j, 0.3, 0.2, 0.15) {
            1400
        } else if inside(i, j, 0.0, 0.0, 0.8) {
            1040
        } else {
            10
        };
        (value + noise).to_le_bytes()
    };
    (0..pixels).flat_map(|j| (0..pixels).map(move |i| (i, j))).flat_map(stored).collect()
}
