//! Frames a second beside the decoders that pydicom uses, on one thread.
//!
//! ```sh
//! PARSENODE_PYTHON=… cargo run --release -p pixels --example frames_per_second
//! ```
//!
//! Python needs pydicom, pydicom-data, pylibjpeg[all], pyjpegls, python-gdcm and imagecodecs. Each of ours is timed in turn with one of theirs,
//! file to array; theirs has the file in memory already. The table has medians, and the median of the pairs' quotients.
//! A large buffer is freed before anything is measured, as in a node that has held a volume: the allocator then keeps what frames give back.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement")]

use std::hint::black_box;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use domain::Limits;
use series::SourceInstance;

/// Pairs of measurements of a file and a decoder.
const PAIRS: usize = 5;
/// How long each measurement takes at least, by our own speed, in seconds.
const MEASUREMENT_S: f64 = 0.15;

/// Bytes of the buffer that is freed first.
const VOLUME_BYTES: usize = 30 << 20;

/// The Python process.
struct Theirs {
    answers: BufReader<ChildStdout>,
    questions: ChildStdin,
}

impl Theirs {
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        line.trim_end_matches('\n').to_owned()
    }

    /// Seconds for some decodes.
    fn time(&mut self, path: &str, decoder: &str, count: usize) -> f64 {
        writeln!(self.questions, "{path}\t{decoder}\t{count}").unwrap();
        self.line().parse().unwrap()
    }
}

/// Seconds for some decodes by us.
#[expect(clippy::disallowed_methods, reason = "measurements need a clock")]
fn ours(instance: &SourceInstance, count: usize) -> f64 {
    let start = Instant::now();
    for _ in 0..count {
        black_box(pixels::stored_frame(instance, 0).unwrap());
    }
    start.elapsed().as_secs_f64()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[expect(clippy::cast_precision_loss, reason = "counts of some thousands")]
fn measure(theirs: &mut Theirs, label: &str, path: &str, decoder: &str) {
    let instances = series::read_instances(&[path.into()], &Limits::default()).unwrap();
    let instance: Arc<SourceInstance> = Arc::clone(&instances[0]);
    let mut count = 1;
    while ours(&instance, count) < MEASUREMENT_S {
        count *= 2;
    }
    theirs.time(path, decoder, 1);
    let pairs: Vec<(f64, f64)> =
        (0..PAIRS).map(|_| (ours(&instance, count), theirs.time(path, decoder, count))).collect();
    let rate = |seconds: f64| count as f64 / seconds;
    let ours = median(pairs.iter().map(|(ours, _)| rate(*ours)).collect());
    let others = median(pairs.iter().map(|(_, theirs)| rate(*theirs)).collect());
    let times = median(pairs.iter().map(|(ours, theirs)| theirs / ours).collect());
    println!("| {label} | {ours:.0} | {decoder} | {others:.0} | {times:.2} |");
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let python = std::env::var_os("PARSENODE_PYTHON").unwrap_or_else(|| "python3".into());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/frames_per_second.py");
    let mut child = Command::new(python)
        .args([script.as_os_str(), folder.path().as_os_str()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let answers = BufReader::new(child.stdout.take().unwrap());
    let mut theirs = Theirs { answers, questions: child.stdin.take().unwrap() };
    let mut files = Vec::new();
    loop {
        let line = theirs.line();
        if line.is_empty() {
            break;
        }
        files.push(line);
    }
    drop(black_box(vec![1_u8; VOLUME_BYTES]));
    println!("| file | frames/s | decoder of pydicom | frames/s | ours / theirs |");
    println!("|---|---|---|---|---|");
    for line in &files {
        let fields: Vec<&str> = line.split('\t').collect();
        for decoder in fields[2].split(',').filter(|name| !name.is_empty()) {
            measure(&mut theirs, fields[0], fields[1], decoder);
        }
    }
    drop(theirs);
    child.wait().unwrap();
}
