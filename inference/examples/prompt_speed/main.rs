//! How long a promptable model takes for a CT that nobody has, by stage, and how much memory.
//!
//! `cargo run --release -p inference --example prompt_speed -- MODEL [SLICES] [PROMPTS] [PIXELS]`. MODEL is a folder; 300 slices, 15
//! prompts and 512 × 512 pixels where nothing else is said. First the answer as it is given, with the stages beside each other:
//! over a third of the slices and over all, so that memory that grows with them shows. Then, over a third and in turn, the same
//! and all stages one after the other, each by itself: what the answer takes beyond the networks alone is what all the rest costs.
//!
//! `prompt_speed MODEL --turns` is the side of `models/parity/speed.py` that runs this program: see [`turns`]; `prompt_speed MODEL
//! --networks FOLDER TARGET…` that of `cargo xtask bench share`: see [`networks`].

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "it prints times, and takes them itself"
)]

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use domain::Ask;
use inference::prompt_door::{Stages, stages};
use inference::{AnswerOptions, LoadOptions, Model, Questions, Runtime, RuntimeOptions};
use series::SourceSeries;

/// The allocator of the node.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

mod body;
mod networks;
mod turns;

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
    let rest: Vec<String> = arguments.collect();
    let runtime = Runtime::load(&RuntimeOptions::default())?;
    let model = Model::load_with(Path::new(&folder), &runtime, LoadOptions::default())?;
    if rest.first().is_some_and(|word| word == "--turns") {
        return turns::take(&model);
    }
    if let [word, folder, targets @ ..] = rest.as_slice()
        && word == "--networks"
    {
        return networks::print(&model, Path::new(folder), targets);
    }
    let mut arguments = rest.into_iter();
    let mut number = |default: usize| match arguments.next() {
        Some(text) => text.parse::<usize>(),
        None => Ok(default),
    };
    let (slices, prompts, pixels) = (number(300)?, number(TARGETS.len())?, number(512)?);
    let files = tempfile::tempdir()?;
    body::write(files.path(), slices, pixels)?;
    let (few, all) =
        (body::source(files.path(), slices.div_ceil(3))?, body::source(files.path(), slices)?);
    let header = &all.instances[0].header;
    let of = |targets| Ask { targets, p_least: Some(0.0), ..Ask::default() };
    let known = |name: &&&str| model.understand(&of(vec![(**name).to_owned()]), header).is_ok();
    let targets = TARGETS.iter().filter(known).take(prompts).map(|name| (*name).to_owned());
    let questions = model.understand(&of(targets.collect()), header)?;
    println!("{slices} slices of {pixels} x {pixels}, {} prompts", questions.list().len());
    overlapped(&model, &few, &questions)?;
    overlapped(&model, &all, &questions)?;
    pairs(&model, &few, &questions)
}

/// Slices beside each other, as the node has it; the time.
fn overlapped(
    model: &Model,
    source: &SourceSeries,
    questions: &Questions,
) -> Result<Duration, Box<dyn Error>> {
    let began = Instant::now();
    let (_, findings) = inference::answer(model, source, questions, AnswerOptions::default())?;
    let took = began.elapsed();
    let count = source.slices.len();
    println!(
        "answer of {count} slices: {:.2} s, {:.1} ms a slice; {} found; peak {} MiB",
        took.as_secs_f64(),
        milliseconds(took) / count as f64,
        findings.segments.len(),
        peak_kib()? >> 10,
    );
    Ok(took)
}

/// Both ways in turn; medians.
fn pairs(model: &Model, source: &SourceSeries, questions: &Questions) -> Done {
    let (mut beyond, mut all) = (Vec::new(), Vec::new());
    for _ in 0..PAIRS {
        let answered = overlapped(model, source, questions)?;
        let began = Instant::now();
        let (found, _) = stages(model, source, questions, &|| began.elapsed())?;
        let networks = found.encode + found.decode;
        beyond.push(100.0 * (1.0 - networks.as_secs_f64() / answered.as_secs_f64()));
        all.push(found);
    }
    staged(&all, source.slices.len());
    println!("beyond the networks: {:.0} % of the time of an answer", median(beyond));
    Ok(())
}

/// One stage after the other.
fn staged(all: &[Stages], slices: usize) {
    let of = |stage: fn(&Stages) -> Duration| {
        median(all.iter().map(|one| milliseconds(stage(one)) / slices as f64).collect())
    };
    let rows = [
        ("read", of(|stages| stages.read)),
        ("picture", of(|stages| stages.picture)),
        ("image encoder", of(|stages| stages.encode)),
        ("mask decoder", of(|stages| stages.decode)),
        ("judge", of(|stages| stages.judge)),
        ("gather", of(|stages| stages.gather)),
    ];
    println!("stage by stage, medians of {PAIRS}:");
    for (name, took) in rows {
        println!("  {name:<14} {took:>8.2} ms a slice");
    }
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// How often both ways are measured.
const PAIRS: usize = 5;

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
