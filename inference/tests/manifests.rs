//! Every fault of a manifest is found, with its key path, all of them at once; and faults of a network against its manifest.

mod support;

use inference::{Kind, Manifest};
use support::onnx::{self, DOUBLE, Dim, FLOAT, Graph};
use support::{about, folder, label, load, runtime};

const REST: &str = r#"
[input]
tensor = "x"

[input.grid]
spacing_mm = [1, 1.5, 2]
axes = ["L", "I", "A"]
outside = 0

[input.intensity]
kind = "window"
low = 0
high = 100

[inference]
mode = "sliding"
size = [8, 8, 8]

[output]
tensor = "y"
activation = "softmax"
from = "logits"
"#;

fn good() -> String {
    [about("volume"), REST.into(), label(1), label(2)].concat()
}

/// The faults of a text, one a line; empty for a good one.
fn faults(text: &str) -> String {
    let folder = folder(text, Some(b"not looked into"));
    Manifest::read(folder.path()).map_or_else(|faults| faults.to_string(), |_| String::new())
}

#[test]
fn a_good_manifest_is_understood() {
    let folder = folder(&good(), Some(b"network"));
    let manifest = Manifest::read(folder.path()).unwrap();
    assert_eq!(manifest.kind(), Kind::Volume);
    assert_eq!(manifest.identity().name, "test-model");
    assert_eq!(manifest.modalities(), ["CT"]);
    assert_eq!(manifest.targets().count(), 2);
    let shown = manifest.to_string();
    for wanted in [
        "test-model 1: A model for tests",
        "axes L I A, 1 x 1.5 x 2 mm",
        "window 0 to 100 onto 0 to 1, clipped",
        "sliding 8 x 8 x 8, overlap 0.5, gaussian",
        "Label 2: (87784001, SCT, \"Soft tissue\")",
    ] {
        assert!(shown.contains(wanted), "{wanted}:\n{shown}");
    }
}

#[test]
fn the_identity_is_the_hash_of_both_files() {
    let hash = |text: &str, network: &[u8]| {
        let folder = folder(text, Some(network));
        Manifest::read(folder.path()).unwrap().identity().sha256.clone()
    };
    let first = hash(&good(), b"network");
    assert_eq!(first.len(), 64);
    assert_eq!(first, hash(&good(), b"network"));
    assert_ne!(first, hash(&good(), b"networks"));
    assert_ne!(first, hash(&format!("{}\n# a comment", good()), b"network"));
}

#[test]
fn data_files_are_part_of_the_identity() {
    let text = good().replace("file = ", "data = [\"weights.bin\"]\nfile = ");
    let folder = folder(&text, Some(b"network"));
    let error = Manifest::read(folder.path()).unwrap_err().to_string();
    assert!(error.contains("model.data") && error.contains("weights.bin"), "{error}");
    let hash = |weights: &[u8]| {
        std::fs::write(folder.path().join("weights.bin"), weights).unwrap();
        Manifest::read(folder.path()).unwrap().identity().sha256.clone()
    };
    assert_ne!(hash(b"a"), hash(b"b"));
}

/// What is replaced in the good manifest, by what, and what is then said.
type Case = (&'static str, &'static str, &'static str);

/// Faults of top level and `[model]`.
const OF_MODEL: &[Case] = &[
    ("format = 1", "format = 2", "format: must be 1"),
    ("name = \"test-model\"", "name = \"Test Model\"", "model.name: 1 to 64 of a-z"),
    ("name = \"test-model\"", "", "model.name: missing"),
    ("version = \"1\"", "version = 1", "model.version: a text is wanted, not integer"),
    ("version = \"1\"", "version = \" \"", "model.version: empty"),
    ("title = \"A", "title = \"A\\\\", "model.title: at most 64 characters"),
    (
        "kind = \"volume\"",
        "kind = \"mesh\"",
        "model.kind: \"volume\" or \"slice\" or \"prompt\" is wanted, not \"mesh\"",
    ),
    ("file = \"network.onnx\"", "file = \"other.onnx\"", "model.file: "),
    (
        "file = \"network.onnx\"",
        "file = \"../network.onnx\"",
        "is no name of a file in this folder",
    ),
    ("modalities = [\"CT\"]", "modalities = []", "model.modalities: at least one"),
    ("modalities = [\"CT\"]", "modalities = [\"ct\"]", "model.modalities: values of Modality"),
    ("modalities = [\"CT\"]", "modalities = \"CT\"", "model.modalities: a list of texts is wanted"),
];

/// Faults of `[input]`.
const OF_INPUT: &[Case] = &[
    (
        "[input]\n",
        "[input]\nlayout = \"NHWC\"\n",
        "input.layout: \"NCDHW\" is wanted, not \"NHWC\"",
    ),
    ("[input]\n", "[input]\nchannels = 0\n", "input.channels: a whole number of at least 1"),
    ("[1, 1.5, 2]", "[1, 0, 2]", "input.grid.spacing_mm: must be above 0"),
    ("[1, 1.5, 2]", "[1, 2]", "input.grid.spacing_mm: 3 finite numbers are wanted"),
    ("[1, 1.5, 2]", "[1, nan, 2]", "input.grid.spacing_mm: 3 finite numbers are wanted"),
    (
        "[\"L\", \"I\", \"A\"]",
        "[\"L\", \"R\", \"A\"]",
        "input.grid.axes: \"source\" is wanted, or three",
    ),
    ("[\"L\", \"I\", \"A\"]", "[\"L\", \"X\", \"A\"]", "input.grid.axes: "),
    ("[\"L\", \"I\", \"A\"]", "\"LIA\"", "input.grid.axes: "),
    ("outside = 0", "outside = \"air\"", "input.grid.outside: a finite number is wanted"),
    (
        "outside = 0",
        "size = [4, 4, 4]\nmultiple_of = [2, 2, 2]",
        "input.grid.multiple_of: has no meaning",
    ),
    (
        "outside = 0",
        "interpolation = \"cubic\"",
        "input.grid.interpolation: \"linear\" or \"nearest\"",
    ),
    (
        "outside = 0",
        "spacing = 1",
        "input.grid.spacing: unknown key; known here: interpolation, outside, spacing_mm",
    ),
    ("kind = \"window\"", "kind = \"zscore\"", "input.intensity.kind: "),
    ("kind = \"window\"\nlow = 0\nhigh = 100", "", "input.intensity.kind: missing; it is \"none\""),
    ("low = 0", "", "input.intensity.low: missing"),
    ("low = 0", "low = 100", "input.intensity.low: must be below high"),
    ("high = 100", "high = 100\nrange = [1, 0]", "input.intensity.range: the first must be below"),
    ("high = 100", "high = 100\nover = \"all\"", "input.intensity.over: unknown key"),
    (
        "kind = \"window\"\nlow = 0",
        "kind = \"percentile\"\nlow = -1",
        "input.intensity.low: percent are",
    ),
    (
        "kind = \"window\"\nlow = 0\nhigh = 100",
        "kind = \"z-score\"\nmean = 1",
        "come together or not at all",
    ),
    (
        "kind = \"window\"\nlow = 0\nhigh = 100",
        "kind = \"min-max\"\nper = \"slice\"",
        "input.intensity.per: ",
    ),
];

/// Faults of `[inference]`, `[output]` and `[[label]]`.
const OF_OUTPUT: &[Case] = &[
    (
        "size = [8, 8, 8]",
        "size = [8000, 8000, 80]",
        "inference.size: the input tensor would have more than 536870912 values",
    ),
    ("mode = \"sliding\"", "mode = \"tiles\"", "inference.mode: "),
    ("size = [8, 8, 8]", "", "inference.size: missing"),
    ("size = [8, 8, 8]", "size = [8, 8, 8]\noverlap = 1", "inference.overlap: is from 0 to 0.9"),
    (
        "mode = \"sliding\"\nsize = [8, 8, 8]",
        "mode = \"blocks\"\nslices = 4",
        "inference.halo: missing",
    ),
    ("activation = \"softmax\"", "", "output.activation: missing"),
    ("from = \"logits\"", "from = \"labels\"", "output.from: \"logits\" or \"probabilities\""),
    (
        "from = \"logits\"",
        "from = \"logits\"\nthreshold = 1",
        "output.threshold: is from 0 to below 1",
    ),
    ("channel = 2", "channel = 1", "label[2].channel: channel 1 has a label already"),
    ("channel = 1", "channel = 0", "label[1].channel: channel 0 is the background"),
    ("channel = 1", "", "label[1].channel: missing"),
    ("label = \"Label 1\"", "label = \"\"", "label[1].label: empty"),
    (
        "scheme = \"SCT\", meaning = \"Tissue\"",
        "scheme = \"SCT\"",
        "label[1].category.meaning: missing",
    ),
    (
        "\"85756007\"",
        "\"12345678901234567\"",
        "label[1].category.value: 17 characters, 16 are allowed",
    ),
    ("type = {", "typ = {", "label[1].type: a code is wanted"),
    ("channel = 1", "channel = 1\ncolor = \"red\"", "label[1].color: #rrggbb is wanted"),
    ("[output]", "[postprocessing]\n[output]", "postprocessing: unknown key"),
];

#[test]
fn each_fault_is_found_at_its_key() {
    assert_eq!(faults(&good()), "");
    for (from, to, wanted) in [OF_MODEL, OF_INPUT, OF_OUTPUT].concat() {
        let text = good().replacen(from, to, 1);
        assert_ne!(text, good(), "{from}");
        let found = faults(&text);
        assert!(found.contains(wanted), "{to}\nwanted: {wanted}\nfound: {found}");
    }
}

#[test]
fn all_faults_come_at_once() {
    let text = good()
        .replace("name = \"test-model\"", "name = \"\"")
        .replace("low = 0", "low = 200")
        .replace("channel = 2", "channel = 1")
        .replace("activation = \"softmax\"", "activation = \"relu\"");
    let folder = folder(&text, None);
    let error = Manifest::read(folder.path()).unwrap_err();
    let places: Vec<_> = error.list().iter().map(|fault| fault.at.as_str()).collect();
    let wanted = [
        "model.name",
        "model.file",
        "input.intensity.low",
        "output.activation",
        "label[2].channel",
    ];
    assert_eq!(places, wanted, "{error}");
    assert!(error.to_string().starts_with("5 faults\n"), "{error}");
}

#[test]
fn a_slice_model_has_keys_of_its_own() {
    let text = good()
        .replace("kind = \"volume\"", "kind = \"slice\"")
        .replace(
            "spacing_mm = [1, 1.5, 2]\naxes = [\"L\", \"I\", \"A\"]",
            "size = [64, 32]\nfit = \"pad\"\nbatch = 4",
        )
        .replace("mode = \"sliding\"\nsize = [8, 8, 8]", "");
    let folder = folder(&text, Some(b"network"));
    let manifest = Manifest::read(folder.path()).unwrap();
    assert_eq!(manifest.kind(), Kind::Slice);
    assert!(manifest.to_string().contains("slices of 64 x 32, padded"), "{manifest}");
    let found = faults(&text.replace("batch = 4", "axes = \"source\""));
    assert!(found.contains("input.grid.axes: unknown key"), "{found}");
}

#[test]
fn what_is_no_toml_is_said_with_its_line() {
    let found = faults(&good().replace("[output]", "[output"));
    assert!(found.contains("model.toml") && found.contains("line "), "{found}");
    let empty = tempfile::tempdir().unwrap();
    let error = Manifest::read(empty.path()).unwrap_err().to_string();
    assert!(error.contains("model.toml"), "{error}");
    let text = "# ".repeat(1 << 20);
    assert!(faults(&text).contains("bytes, 1048576 are allowed"));
}

#[test]
fn the_built_in_model_and_the_one_of_these_tests_are_read() {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = Manifest::read(&here.join("../models/tissue-ct")).unwrap();
    assert_eq!(manifest.targets().count(), 4);
    let error = Manifest::read(&here.join("tests/models/meshnet-gwm-light")).unwrap_err();
    let places: Vec<_> = error.list().iter().map(|fault| fault.at.as_str()).collect();
    assert_eq!(places, ["model.file"], "only the network is missing: {error}");
}

/// What is said when a network is loaded with the good manifest, changed.
fn against(network: &[u8], change: (&str, &str)) -> Option<String> {
    let runtime = runtime()?;
    let text = good().replacen(change.0, change.1, 1);
    Some(load(&text, network, &runtime).map_or_else(|faults| faults.to_string(), |_| String::new()))
}

fn network(input: &[Dim], element: u64, output: &[Dim]) -> Vec<u8> {
    Graph::default()
        .input("x", element, input)
        .node("Identity", &["x"], "y")
        .output("y", element, output)
        .file()
}

#[test]
fn a_network_must_fit_its_manifest() {
    let fits = onnx::pointwise_of(Dim::Fixed(1), 3, &[0.0; 3], &[0.0; 3]);
    let two = onnx::pointwise_of(Dim::Fixed(1), 3, &[0.0; 2], &[0.0; 2]);
    let one = onnx::pointwise_of(Dim::Fixed(1), 3, &[0.0], &[0.0]);
    let flat = onnx::pointwise_of(Dim::Fixed(1), 2, &[0.0; 3], &[0.0; 3]);
    let fixed = [1, 3, 8, 8, 16].map(Dim::Fixed);
    let big = network(&fixed, FLOAT, &fixed);
    let open = onnx::open(Dim::Fixed(1), 3, 3);
    let double = network(&open, DOUBLE, &open);
    let cases: [(&[u8], (&str, &str), &str); 10] = [
        (&fits, ("", ""), ""),
        (
            &fits,
            ("tensor = \"x\"", "tensor = \"z\""),
            "input.tensor: there is no \"z\"; the network has x",
        ),
        (
            &fits,
            ("tensor = \"y\"", "tensor = \"z\""),
            "output.tensor: there is no \"z\"; the network has y",
        ),
        (&two, ("", ""), "label[2].channel: is 2, but the network has 2 channels"),
        (&one, ("", ""), "output.activation: a single channel cannot be a softmax"),
        (&flat, ("", ""), "input.tensor: \"x\" has 4 dimensions; 5 are wanted"),
        (&big, ("", ""), "inference.size: is 8, but the network takes 16 in dimension 4"),
        (&big, ("mode = \"sliding\"\nsize = [8, 8, 8]", ""), "input.grid.size: is not given, but"),
        (&double, ("", ""), "input.tensor: \"x\" has elements of type Float64; Float32 is wanted"),
        (b"no network", ("", ""), "network.onnx: "),
    ];
    for (network, change, wanted) in cases {
        let Some(found) = against(network, change) else { return };
        assert_eq!(found.is_empty(), wanted.is_empty(), "{found}");
        assert!(found.contains(wanted), "wanted: {wanted}\nfound: {found}");
    }
}

#[test]
fn a_network_that_cannot_run_is_found_when_it_is_loaded() {
    // Windows are 8 x 8 x 8, so there is a run with zeros; this network can only multiply rows of 4.
    let network = Graph::default()
        .input("x", FLOAT, &onnx::open(Dim::Fixed(1), 1, 3))
        .constant("four", &[4, 4], &[0.0; 16])
        .constant("eight", &[4, 8], &[0.0; 32])
        .constant("w", &[3, 1, 1, 1, 1], &[0.0; 3])
        .node("MatMul", &["x", "four"], "a")
        .node("MatMul", &["a", "eight"], "b")
        .node("Conv", &["b", "w"], "y")
        .output("y", FLOAT, &onnx::open(Dim::Fixed(1), 3, 3))
        .file();
    let Some(found) = against(&network, ("", "")) else { return };
    assert!(found.contains("a run with zeros fails"), "{found}");
}

#[test]
fn a_second_input_is_a_fault() {
    let open = onnx::open(Dim::Fixed(1), 3, 3);
    let network = Graph::default()
        .input("x", FLOAT, &onnx::open(Dim::Fixed(1), 1, 3))
        .input("prompt", FLOAT, &open)
        .node("Add", &["x", "prompt"], "y")
        .output("y", FLOAT, &open)
        .file();
    let Some(found) = against(&network, ("", "")) else { return };
    assert!(found.contains("input.tensor: the network wants other inputs too: prompt"), "{found}");
    let Some(found) = against(&network, ("tensor = \"x\"", "")) else { return };
    assert!(found.contains("input.tensor: must be named; the network has x, prompt"), "{found}");
}
