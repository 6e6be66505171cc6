//! Slices are answered while their series arrives: a sender that is slower than the model gets its SEG right after its last
//! instance, and the answers are those of a series that was whole from the start.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use tests::raw_peer::{Answer, CT_IMAGE_STORAGE, RawPeer, data_set_of};
use tests::{Node, NodeSettings, Phantom, Running, Stopwatch, free_port};

use crate::prompts::{asking, tiny};
use crate::support::{PATIENCE, call_well, files_below, left_out, text};

/// Pause between two instances: longer than the model takes for one.
const PAUSE: Duration = Duration::from_millis(300);
const SLICES: usize = 12;
/// What may pass beside the time of one slice.
const ALLOWED: Duration = Duration::from_millis(500);
/// Tries, of which the best counts: machines are shared.
const TRIES: u64 = 3;
const KEYS: &str =
    "targets = [\"left kidney\", \"liver\", \"spleen\", \"pancreas\"]\nboxes = true\n";

/// A node that asks the tiny model of the second generation, and the folder that its results come to.
struct Bench {
    node: Node,
    archive: PathBuf,
    // Ends with the test.
    _listening: Running,
}

impl Bench {
    fn start(dir: &Path, inference: &str) -> Self {
        std::fs::create_dir_all(dir).unwrap();
        let archive = dir.join("archive");
        let port = free_port().unwrap();
        let mut listen = Command::new(tests::parsenode().unwrap());
        listen.args(["listen", &port.to_string()]).arg(&archive);
        let listening = Running::start("listen", &mut listen, &dir.join("listen.log")).unwrap();
        let settings = NodeSettings {
            destinations: vec![("archive".into(), format!("ARCHIVE@127.0.0.1:{port}"))],
            receive: "release_quiet_s = 0.1\n".into(),
            rules: Some(asking("v2", &["archive"], KEYS)),
            inference: inference.into(),
            series_quiet_s: 5,
            ..NodeSettings::default()
        };
        let node = Node::start(&dir.join("node"), &settings).unwrap();
        Self { node, archive, _listening: listening }
    }

    /// Sends a series over one association, one instance after each pause, and says how long after its last one the SEG was in
    /// the archive.
    fn send_slowly(&self, phantom: &Phantom, order: &[usize]) -> Duration {
        let before = files_below(&self.archive).len();
        let mut peer = RawPeer::accepted(self.node.port).unwrap();
        for k in order {
            thread::sleep(PAUSE);
            let file = phantom.file(*k).unwrap();
            let stored = peer.store(
                CT_IMAGE_STORAGE,
                &phantom.sop_instance(*k),
                data_set_of(&file).unwrap(),
            );
            assert_eq!(stored.unwrap(), Answer::Status(0));
        }
        let watch = Stopwatch::start();
        peer.release().unwrap();
        // The SEG goes first.
        while files_below(&self.archive).iter().filter(|file| is_whole(file)).count() == before {
            assert!(watch.elapsed() < PATIENCE, "{}", self.node.log());
            thread::sleep(Duration::from_millis(2));
        }
        watch.elapsed()
    }

    /// Sends several series of so many slices, in order and one after the other.
    fn send_series(&mut self, seed: u64, slices: usize) -> Vec<Duration> {
        let in_order: Vec<usize> = (0..slices).collect();
        let before = self.node.status().unwrap().count("jobs", "done");
        let mut times = Vec::new();
        for seed in seed..seed + TRIES {
            times.push(self.send_slowly(&Phantom::small(seed, slices), &in_order));
            self.wait_for_jobs(before + times.len());
        }
        times
    }

    fn counter(&self, name: &str) -> usize {
        let metrics = self.node.metrics().unwrap();
        let line = metrics.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().parse().unwrap()
    }

    fn wait_for_jobs(&mut self, count: usize) -> tests::Status {
        self.node.wait_for_status("jobs", PATIENCE, |s| s.count("jobs", "done") == count).unwrap()
    }
}

/// Parts of files that still arrive have another ending.
fn is_whole(file: &Path) -> bool {
    file.extension().is_some_and(|ending| ending == "dcm")
}

/// Time of the model for one slice: what a series takes more than a single slice.
fn slice_time(dir: &Path) -> Duration {
    let time = |slices: usize| {
        let study = dir.join(format!("timed-{slices}"));
        Phantom::small(99, slices).write(&study).unwrap();
        let watch = Stopwatch::start();
        said_of(&study, dir);
        watch.elapsed()
    };
    let (one, many) = (time(1), time(1 + SLICES));
    many.saturating_sub(one) / u32::try_from(SLICES).unwrap()
}

/// What `parsenode run` says of a study: the numbers of its report.
fn said_of(study: &Path, dir: &Path) -> String {
    let out = dir.join("out");
    let (folder, targets) = (tiny("v2"), "left kidney,liver,spleen,pancreas");
    let run = ["run", text(study), "--model", &folder, "--target", targets, "--boxes"];
    let said = call_well(&[&run[..], &["--no-overlay", "--json", "--out", text(&out)]].concat());
    let outcome: serde_json::Value = serde_json::from_str(&said).unwrap();
    let report =
        outcome[0]["files"].as_array().unwrap().last().unwrap().as_str().unwrap().to_owned();
    measured(&report)
}

/// The measurement groups and what is absent, as `parsenode show` shows them.
fn measured(report: &str) -> String {
    let shown = call_well(&["show", report]);
    shown[shown.find("Imaging Measurements").unwrap()..].to_owned()
}

#[test]
fn the_result_leaves_right_after_the_last_instance() {
    if left_out("a slow sender", &["ONNX Runtime"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut bench = Bench::start(dir.path(), "");
    let times = bench.send_series(80, SLICES);
    let counter = |name: &str| bench.counter(&format!("parsenode_slices_ahead_{name}_total"));
    let (made, used) = (counter("made"), counter("used"));
    // A series of one slice costs all that does not depend on the number of slices: what the machine is busy with, too.
    let alone = bench.send_series(90, 1);
    let one = slice_time(dir.path());
    println!(
        "SEG {times:.0?} after the last of {SLICES} instances, {PAUSE:?} apart, {alone:.0?} after a single one; \
         one slice takes the model {one:.0?}"
    );
    println!("{made} slices answered ahead, {used} of them used");
    // All but the last two of a series, which have their neighbours only with the last instance, are there before it.
    assert!(used + 2 * times.len() >= SLICES * times.len(), "made {made}, used {used}");
    let (best, alone) = (*times.iter().min().unwrap(), *alone.iter().min().unwrap());
    if alone > ALLOWED {
        println!("the machine is too busy for {ALLOWED:?}: held against a single slice instead");
    }
    let allowed = ALLOWED.max(alone * 2);
    assert!(best <= allowed + one, "{best:?} is more than {allowed:?} and {one:?}");
    bench.node.stop().unwrap();
}

#[test]
fn answers_made_ahead_are_those_of_the_whole_series() {
    if left_out("answers made ahead", &["ONNX Runtime"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let phantom = Phantom::small(85, SLICES);
    let study = dir.path().join("study");
    phantom.write(&study).unwrap();
    let expected = said_of(&study, dir.path());
    // In order, against the order, one in two first; and with nothing made ahead.
    let in_order: Vec<usize> = (0..SLICES).collect();
    let reversed: Vec<usize> = in_order.iter().rev().copied().collect();
    let (even, odd) = ((0..SLICES).step_by(2), (1..SLICES).step_by(2));
    let interleaved: Vec<usize> = even.chain(odd).collect();
    let cases = [
        ("in order", in_order.clone(), ""),
        ("reversed", reversed, ""),
        ("interleaved", interleaved, ""),
        ("nothing ahead", in_order, "ahead_bytes_max = 0\n"),
    ];
    for (name, order, inference) in cases {
        let mut bench = Bench::start(&dir.path().join(name), inference);
        bench.send_slowly(&phantom, &order);
        let status = bench.wait_for_jobs(1);
        let results = status.rows("jobs")[0]["results"].as_array().unwrap().clone();
        assert_eq!(measured(results.last().unwrap().as_str().unwrap()), expected, "{name}");
        let counter = |what: &str| bench.counter(&format!("parsenode_slices_ahead_{what}_total"));
        let (made, used, thrown_away) = (counter("made"), counter("used"), counter("thrown_away"));
        println!("{name}: {made} made ahead, {used} used, {thrown_away} thrown away");
        assert_eq!(made, used + thrown_away, "{name}");
        assert_eq!(used > 0, inference.is_empty(), "{name}");
        bench.node.stop().unwrap();
    }
}
