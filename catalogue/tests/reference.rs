//! P-values, recognition and merge against numpy and SciPy, on random inputs, where a Python with both is at hand.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use catalogue::{Candidate, Combined, MaskStatistics, Outcome, catalogue, combine, merge};
use serde_json::{Value, json};

/// Random points for each target.
const POINTS: usize = 1_000;
const PICTURES: usize = 400;

/// A small generator, so that a failure repeats.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(self.0 >> 33).unwrap() % bound
    }

    fn unit(&mut self) -> f64 {
        f64::from(self.below(1 << 30)) / f64::from(1 << 30)
    }
}

/// A Python that has what the reference needs.
fn python() -> Option<String> {
    let venv = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/validators/venv/bin/python");
    let found =
        [venv.to_string_lossy().into_owned(), "python3".into()].into_iter().find(|python| {
            let asked = Command::new(python)
                .args(["-c", "import numpy, scipy"])
                .stderr(Stdio::null())
                .status();
            asked.is_ok_and(|status| status.success())
        });
    if found.is_none() {
        println!("skipped: no Python with numpy and scipy");
    }
    found
}

fn answer(python: &str, question: &Value) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference.py");
    let mut child = Command::new(python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(question.to_string().as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn p_values_are_those_of_scipy() {
    let Some(python) = python() else { return };
    let mut random = Random(1);
    let mut rows = vec![];
    let mut ours = vec![];
    for target in catalogue().statistics() {
        for point in 0..POINTS {
            // Half anywhere, half where the distribution lies.
            let at = target.distributions.map(|beta| {
                let (a, b) = beta.parameters();
                let mean = a / (a + b);
                let spread = (mean * (1.0 - mean) / (a + b + 1.0)).sqrt();
                let near = mean + (random.unit() - 0.5) * 8.0 * spread;
                if point % 2 == 0 { random.unit() } else { near.clamp(0.0, 1.0) }
            });
            let beta = target.distributions.map(|beta| beta.parameters());
            rows.push(json!({ "beta": beta, "at": at }));
            let statistics = MaskStatistics(at);
            let of_target = &target.distributions;
            ours.push((statistics.p_values(of_target), statistics.p_value(of_target)));
        }
    }
    let theirs = answer(&python, &json!({ "p_values": rows, "pictures": [] }));
    let theirs = theirs["p_values"].as_array().unwrap();
    assert_eq!(theirs.len(), 64 * POINTS);
    let (mut together, mut each, mut tested) =
        (Furthest::default(), Furthest::default(), Furthest::default());
    for ((ours, p), expected) in ours.iter().zip(theirs) {
        together.compare(*p, &expected["together"]);
        for (at, p) in ours.iter().enumerate() {
            each.compare(*p, &expected["each"][at]);
            if expected["test"].is_array() {
                tested.compare(*p, &expected["test"][at]);
            }
        }
    }
    println!(
        "largest differences: p-value {together:?}, of each mean {each:?}, of the test {tested:?}"
    );
    assert!(together.by < 1e-6 && each.by < 1e-12 && tested.by < 1e-12);
    assert_eq!((together.count, each.count), (64 * POINTS, 256 * POINTS));
    assert!(tested.count > 2_000);
}

/// The largest difference of many.
#[derive(Debug, Default)]
struct Furthest {
    by: f64,
    count: usize,
}

impl Furthest {
    fn compare(&mut self, ours: f64, theirs: &Value) {
        let difference = (ours - theirs.as_f64().unwrap()).abs();
        assert!(!difference.is_nan());
        self.by = self.by.max(difference);
        self.count += 1;
    }
}

/// Maps of a few blobs, in sixteenths, so that many values are equal and many lie on a border.
fn picture(random: &mut Random) -> (Vec<Vec<f32>>, Vec<f64>) {
    let targets = random.below(7);
    let (columns, rows) = (random.below(12) + 1, random.below(12) + 1);
    let mut maps = vec![];
    for _ in 0..targets {
        let (x, y) = (random.below(columns), random.below(rows));
        let (size, peak) = (random.below(8) + 1, random.below(17));
        let mut map = vec![];
        for row in 0..rows {
            for column in 0..columns {
                let away = row.abs_diff(y) + column.abs_diff(x);
                let level = peak.saturating_sub(away * 16 / (size * 2)) + random.below(3);
                map.push(u8::try_from(level.min(16)).map(f32::from).unwrap() / 16.0);
            }
        }
        maps.push(map);
    }
    let scores = (0..targets).map(|_| f64::from(random.below(9)) / 8.0).collect();
    (maps, scores)
}

#[test]
fn recognition_and_merge_are_those_of_the_reference() {
    let Some(python) = python() else { return };
    let mut random = Random(2);
    let pictures: Vec<_> = (0..PICTURES).map(|_| picture(&mut random)).collect();
    let asked: Vec<Value> =
        pictures.iter().map(|(maps, scores)| json!({ "maps": maps, "scores": scores })).collect();
    let theirs = answer(&python, &json!({ "p_values": [], "pictures": asked }));
    let mut seen = [0_usize; 5];
    for (index, (maps, scores)) in pictures.iter().enumerate() {
        let candidates: Vec<_> = maps
            .iter()
            .zip(scores)
            .map(|(map, score)| Candidate { probability: map, score: *score })
            .collect();
        for (name, ours) in [("combine", combine(&candidates)), ("merge", merge(&candidates))] {
            let ours: Combined = ours.unwrap();
            let expected = &theirs[name][index];
            assert_eq!(json!(ours.owners), expected["owners"], "{name} of picture {index}");
            let kept: Vec<usize> =
                (0..maps.len()).filter(|at| ours.outcomes[*at] == Outcome::Kept).collect();
            assert_eq!(json!(kept), expected["kept"], "{name} of picture {index}");
            for outcome in ours.outcomes {
                seen[match outcome {
                    Outcome::Kept => 0,
                    Outcome::Empty => 1,
                    Outcome::Absent => 2,
                    Outcome::Overlapped { .. } => 3,
                    Outcome::Outvoted => 4,
                }] += 1;
            }
        }
    }
    println!("kept, empty, absent, overlapped, outvoted: {seen:?}");
    assert!(seen.iter().all(|count| *count > 20), "the inputs reach every outcome: {seen:?}");
}
