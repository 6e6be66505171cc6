//! Small networks, made here, through all verbs: every way of feeding one gives the answer that can be computed by hand.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use domain::{Findings, UnsuitableCode};
use inference::{Provider, Runtime, RuntimeOptions, Volume};
use support::onnx::{self, Dim, FLOAT, Graph};
use support::{about, label, load, noise, run, runtime, straight, volume};

const NONE: &str = "[input.intensity]\nkind = \"none\"\n";
const SOFTMAX: &str = "[output]\nactivation = \"softmax\"\nfrom = \"logits\"\n";

fn manifest(kind: &str, sections: &[&str]) -> String {
    let labels = [label(1), label(2)].concat();
    [about(kind), NONE.into(), sections.concat(), labels].concat()
}

/// Channel 1 above 100, channel 2 below -200, else background; by logits.
fn classes(rank: usize) -> Vec<u8> {
    onnx::pointwise(rank, &[0.0, 0.05, -0.05], &[0.0, -5.0, -10.0])
}

fn class(value: f32) -> usize {
    usize::from(value > 100.0) + 2 * usize::from(value < -200.0)
}

fn noisy() -> Volume {
    volume(straight([13, 11, 9], [0.8, 0.9, 2.0]), noise)
}

/// Every voxel is in the mask of its class and in no other; measurements and confidence are those of the mask.
fn check_classes(findings: &Findings, volume: &Volume) {
    assert_eq!(findings.segments.len(), 2, "{:?}", findings.absent);
    let [columns, rows, _] = volume.grid.size();
    for (segment, wanted) in findings.segments.iter().zip([1, 2]) {
        let mut count = 0;
        let mut probability = 0.0;
        for (index, value) in volume.values.iter().enumerate() {
            let (i, j, k) = (index % columns, index / columns % rows, index / columns / rows);
            let is_in = class(*value) == wanted;
            assert_eq!(segment.mask.contains(i, j, k), is_in, "{i} {j} {k}: {value}");
            let logits = [0.0, 0.05 * value - 5.0, -0.05 * value - 10.0].map(f64::from);
            if is_in {
                count += 1;
                probability += logits[wanted].exp() / logits.iter().map(|l| l.exp()).sum::<f64>();
            }
        }
        assert_eq!(segment.measurements.voxel_count, count);
        let volume_mm3 = count as f64 * volume.grid.in_patient().unwrap().voxel_mm3();
        assert!((segment.measurements.extent.volume_mm3().unwrap() - volume_mm3).abs() < 1e-6);
        let confidence = segment.confidence.unwrap().0;
        assert!((confidence - probability / count as f64).abs() < 1e-5, "{confidence}");
    }
}

fn check_model(kind: &str, sections: &[&str], network: &[u8]) {
    let Some(runtime) = runtime() else { return };
    let model = load(&manifest(kind, sections), network, &runtime).unwrap();
    let volume = noisy();
    check_classes(&run(&model, &volume).unwrap(), &volume);
}

#[test]
fn a_volume_at_once_on_the_source_grid() {
    check_model("volume", &[SOFTMAX], &classes(3));
}

#[test]
fn a_volume_on_turned_axes() {
    let grid = "[input.grid]\naxes = [\"R\", \"S\", \"A\"]\nalign = \"image\"\n";
    check_model("volume", &[grid, SOFTMAX], &classes(3));
}

#[test]
fn a_volume_on_a_larger_grid() {
    let grid = "[input.grid]\nmultiple_of = [8, 8, 8]\n";
    check_model("volume", &[grid, SOFTMAX], &classes(3));
}

#[test]
fn blocks_on_the_source_grid_and_on_another() {
    let blocks = "[inference]\nmode = \"blocks\"\nslices = 4\nhalo = 1\n";
    check_model("volume", &[blocks, SOFTMAX], &classes(3));
    let grid = "[input.grid]\naxes = [\"L\", \"A\", \"I\"]\nalign = \"image\"\n";
    check_model("volume", &[grid, blocks, SOFTMAX], &classes(3));
}

#[test]
fn windows_of_a_pointwise_network_are_the_whole() {
    for size in ["[4, 5, 6]", "[16, 4, 0]", "[0, 0, 0]"] {
        for weights in ["gaussian", "uniform"] {
            let sliding = format!(
                "[inference]\nmode = \"sliding\"\nsize = {size}\noverlap = 0.4\nweights = \"{weights}\"\n"
            );
            check_model("volume", &[&sliding, SOFTMAX], &classes(3));
        }
    }
}

#[test]
fn slices_one_by_one_and_in_batches() {
    for batch in [1, 4, 50] {
        let grid = format!("[input.grid]\nbatch = {batch}\n");
        check_model("slice", &[&grid, SOFTMAX], &classes(2));
    }
}

#[test]
fn a_fixed_batch_is_filled_up() {
    let network = onnx::pointwise_of(Dim::Fixed(4), 2, &[0.0, 0.05, -0.05], &[0.0, -5.0, -10.0]);
    check_model("slice", &["[input.grid]\nbatch = 4\n", SOFTMAX], &network);
}

#[test]
fn several_channels_get_the_same_values() {
    let Some(runtime) = runtime() else { return };
    let network = Graph::default()
        .input("x", FLOAT, &onnx::open(Dim::Open("n"), 3, 2))
        .constant("w", &[3, 3, 1, 1], &[0.0, 0.0, 0.0, 0.02, 0.02, 0.01, -0.01, -0.01, -0.03])
        .constant("b", &[3], &[0.0, -5.0, -10.0])
        .node("Conv", &["x", "w", "b"], "y")
        .output("y", FLOAT, &onnx::open(Dim::Open("n"), 3, 2))
        .file();
    let text = manifest("slice", &["[input.grid]\nbatch = 2\n", SOFTMAX]);
    let text = text.replace("[input.intensity]", "[input]\nchannels = 3\n[input.intensity]");
    let volume = noisy();
    let findings = run(&load(&text, &network, &runtime).unwrap(), &volume).unwrap();
    check_classes(&findings, &volume);
}

/// The mask of one label, by blocks and at once, of a network that looks at neighbouring planes.
fn neighbours(runtime: &Runtime, mode: &str, volume: &Volume) -> Findings {
    let text = [about("volume"), NONE.into(), mode.into(), SOFTMAX.into(), label(1)].concat();
    let model = load(&text, &onnx::three_planes(200.0), runtime).unwrap();
    run(&model, volume).unwrap()
}

#[test]
fn a_halo_makes_blocks_the_same_as_the_whole_and_none_does_not() {
    let Some(runtime) = runtime() else { return };
    let volume = noisy();
    let whole = neighbours(&runtime, "", &volume);
    let blocks = |halo: usize| {
        let mode = format!("[inference]\nmode = \"blocks\"\nslices = 2\nhalo = {halo}\n");
        neighbours(&runtime, &mode, &volume)
    };
    assert_eq!(blocks(1).segments, whole.segments);
    assert_ne!(blocks(0).segments, whole.segments);
}

#[test]
fn sigmoids_overlap_and_keep_to_their_threshold() {
    let Some(runtime) = runtime() else { return };
    // Probability of channel 0: above 0.8 where x > 100 + ln 4 / 0.05; channel 1 is never reached.
    let network = onnx::pointwise(3, &[0.05, 0.0], &[-5.0, -3.0]);
    let output = "[output]\nactivation = \"sigmoid\"\nfrom = \"logits\"\nthreshold = 0.8\n";
    let text = [about("volume"), NONE.into(), output.into(), label(0), label(1)].concat();
    let volume = noisy();
    let findings = run(&load(&text, &network, &runtime).unwrap(), &volume).unwrap();
    let limit = 100.0 + 4.0_f32.ln() / 0.05;
    let wanted = volume.values.iter().filter(|value| **value > limit).count();
    assert!(wanted > 0);
    assert_eq!(findings.segments.len(), 1);
    assert_eq!(findings.segments[0].measurements.voxel_count, wanted);
    assert_eq!(findings.absent.len(), 1);
    assert_eq!(findings.absent[0].target.label, "Label 1");
}

#[test]
fn what_a_result_was_made_with_is_in_its_parameters() {
    let Some(runtime) = runtime() else { return };
    let model = load(&manifest("volume", &[SOFTMAX]), &classes(3), &runtime).unwrap();
    let findings = run(&model, &noisy()).unwrap();
    assert!(findings.parameters.is_sorted(), "{:?}", findings.parameters);
    for wanted in ["activation=softmax from logits", "intensity=none", "mode=whole", "pipeline=1"] {
        assert!(findings.parameters.iter().any(|line| line == wanted), "{:?}", findings.parameters);
    }
    let engine = findings.parameters.iter().find(|line| line.starts_with("engine=")).unwrap();
    assert!(engine.starts_with("engine=onnxruntime 1.") && engine.ends_with(" cpu"), "{engine}");
    assert_eq!(findings.model, *model.manifest().identity());
}

fn refusal(
    text: &str,
    network: &[u8],
    runtime: &Runtime,
    volume: &Volume,
) -> (UnsuitableCode, String) {
    let model = load(text, network, runtime).unwrap();
    let error = run(&model, volume).unwrap_err();
    (error.code, error.detail)
}

#[test]
fn a_network_that_fails_is_a_failed_model_with_a_reason() {
    let Some(runtime) = runtime() else { return };
    let three = |channels| onnx::open(Dim::Fixed(1), channels, 3);
    let graph = || Graph::default().input("x", FLOAT, &three(1));
    let labels = label(1);
    let text = [about("volume"), NONE.into(), SOFTMAX.into(), labels].concat();
    // A logarithm of negative numbers.
    let nan = graph()
        .node("Log", &["x"], "l")
        .constant("w", &[2, 1, 1, 1, 1], &[1.0, 1.0])
        .node("Conv", &["l", "w"], "y")
        .output("y", FLOAT, &three(2))
        .file();
    // Half the size, which the graph does not say.
    let small = graph()
        .constant("w", &[2, 1, 1, 1, 1], &[1.0, 1.0])
        .node_with("Conv", &["x", "w"], "y", ("strides", &[2, 2, 2]))
        .output("y", FLOAT, &three(2).map_open(["a", "b", "c"]))
        .file();
    // Adding a tensor of a size that only one input has.
    let picky = graph()
        .constant("c", &[1, 1, 4, 4, 4], &[0.0; 64])
        .node("Add", &["x", "c"], "s")
        .constant("w", &[2, 1, 1, 1, 1], &[1.0, 1.0])
        .node("Conv", &["s", "w"], "y")
        .output("y", FLOAT, &three(2).map_open(["a", "b", "c"]))
        .file();
    let cases = [(nan, "not finite"), (small, "the output is [1, 2, 5, 6, 7]"), (picky, "Add")];
    for (network, words) in cases {
        let (code, detail) = refusal(&text, &network, &runtime, &noisy());
        assert_eq!(code, UnsuitableCode::ModelFailed);
        assert!(detail.contains(words), "{words}: {detail}");
    }
}

trait MapOpen {
    fn map_open(self, names: [&'static str; 3]) -> Self;
}

impl MapOpen for Vec<Dim> {
    /// Other names for the dimensions of space, so that the engine does not expect those of the input.
    fn map_open(mut self, names: [&'static str; 3]) -> Self {
        self.truncate(2);
        self.extend(names.map(Dim::Open));
        self
    }
}

#[test]
fn promised_probabilities_must_be_some() {
    let Some(runtime) = runtime() else { return };
    let text =
        manifest("volume", &["[output]\nactivation = \"softmax\"\nfrom = \"probabilities\"\n"]);
    let (code, detail) = refusal(&text, &classes(3), &runtime, &noisy());
    assert_eq!(code, UnsuitableCode::ModelFailed);
    assert!(detail.contains("no probabilities"), "{detail}");
}

#[test]
fn series_that_a_model_does_not_take_are_refused_with_a_code() {
    let Some(runtime) = runtime() else { return };
    let text = manifest("volume", &[SOFTMAX]);
    let text = text.replace("modalities", "minimum_slices = 10\nmodalities");
    let model = load(&text, &classes(3), &runtime).unwrap();
    let code = |volume: &Volume, modality: &str| {
        inference::preprocess(model.manifest(), volume, modality).unwrap_err().code
    };
    assert_eq!(code(&noisy(), "MR"), UnsuitableCode::WrongModality);
    assert_eq!(code(&noisy(), ""), UnsuitableCode::WrongModality);
    assert_eq!(code(&noisy(), "CT"), UnsuitableCode::TooFewSlices);
    let enough = volume(straight([4, 4, 10], [1.0; 3]), noise);
    assert!(inference::preprocess(model.manifest(), &enough, "CT").is_ok());
}

#[test]
fn a_provider_that_is_not_there_is_an_error_and_no_silent_fall_back() {
    let Some(runtime) = runtime() else { return };
    let load = |provider| {
        let library = Some(runtime.library().to_owned());
        Runtime::load(&RuntimeOptions { library, provider, threads: 0 })
    };
    assert!(load(Provider::Cpu).is_ok());
    // No machine has both.
    let errors = [Provider::Cuda, Provider::CoreMl].map(load).into_iter().filter_map(Result::err);
    let errors: Vec<String> = errors.map(|error| error.to_string()).collect();
    assert!(!errors.is_empty());
    assert!(errors.iter().all(|error| error.contains("cannot be used with")), "{errors:?}");
}

#[test]
fn two_threads_may_use_one_model() {
    let Some(runtime) = runtime() else { return };
    let model = load(&manifest("volume", &[SOFTMAX]), &classes(3), &runtime).unwrap();
    let volume = noisy();
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..4).map(|_| scope.spawn(|| run(&model, &volume).unwrap())).collect();
        for findings in runs.into_iter().map(|run| run.join().unwrap()) {
            check_classes(&findings, &volume);
        }
    });
}

/// Findings with the probability of each pixel.
fn run_keeping(model: &inference::Model, volume: &Volume) -> Findings {
    let input = inference::preprocess(model.manifest(), volume, "CT").unwrap();
    let output = inference::infer(model, input.keeping_probabilities(true)).unwrap();
    inference::postprocess(model, output, volume).unwrap()
}

fn check_kept(findings: &Findings, volume: &Volume) {
    let [columns, rows, planes] = volume.grid.size();
    for segment in &findings.segments {
        let kept = segment.probabilities.as_ref().unwrap();
        assert_eq!(kept.slices.len(), planes);
        let mut sum = 0.0;
        for (k, slice) in kept.slices.iter().enumerate() {
            assert_eq!(slice.is_some(), segment.mask.slices[k].is_some());
            let Some(slice) = slice else { continue };
            assert_eq!(slice.len(), columns * rows);
            for (index, byte) in slice.iter().enumerate() {
                assert_eq!(*byte > 0, segment.mask.contains(index % columns, index / columns, k));
                sum += f64::from(*byte) / 255.0;
            }
        }
        let mean = sum / segment.measurements.voxel_count as f64;
        assert!((mean - segment.confidence.unwrap().0).abs() < 0.5 / 255.0, "{mean}");
    }
}

#[test]
fn probabilities_are_kept_where_they_are_asked_for() {
    let Some(runtime) = runtime() else { return };
    let volume = noisy();
    for (kind, rank) in [("volume", 3), ("slice", 2)] {
        let model = load(&manifest(kind, &[SOFTMAX]), &classes(rank), &runtime).unwrap();
        check_kept(&run_keeping(&model, &volume), &volume);
        let without = run(&model, &volume).unwrap();
        assert!(without.segments.iter().all(|segment| segment.probabilities.is_none()));
    }
}
