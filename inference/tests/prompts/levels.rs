//! A promptable model that can be computed by hand: a pixel is in the mask where its grey level is above 128, and a target
//! exists as its words say.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use inference::{Model, ModelFaults, Runtime};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::support::onnx::{Dim, FLOAT, Graph, INT64};

/// Side of its pictures and of its masks.
pub(crate) const SIDE: u64 = 32;
/// Rows of CLIP's vocabulary.
const VOCABULARY: usize = 49_408;

/// Such a model in the making: what may be spoiled.
#[derive(Clone)]
pub(crate) struct Levels {
    /// What is added to each grey level to make a logit.
    pub(crate) bias: f32,
    /// Logit of existence by identifier of a token, averaged over a sentence; 0 for all others.
    pub(crate) words: Vec<(usize, f32)>,
    /// Side of the picture that the image encoder takes.
    pub(crate) image_side: u64,
    /// Name of the encoder's output.
    pub(crate) feature: &'static str,
    /// Sections of `model.toml` behind `[model]`; the files follow.
    pub(crate) sections: &'static str,
}

pub(crate) const OWN: &str = r#"
[prompt]
generation = "v2"
side = 32
vocabulary = "own"
tokenizer = "clip"

[[window]]
name = "levels"
low_hu = 0
high_hu = 255

[[target]]
name = "liver"
modalities = ["CT", "MRI"]

[[target]]
name = "spleen"
modalities = ["CT"]

[[target]]
name = "aorta"
modalities = ["CT"]
"#;

impl Default for Levels {
    fn default() -> Self {
        let words = vec![(12_639, 80.0), (15_940, 40.0), (32_044, -80.0)];
        Self { bias: -128.0, words, image_side: SIDE, feature: "level", sections: OWN }
    }
}

impl Levels {
    /// The grey level of the slice itself, as a logit.
    fn image_encoder(&self) -> Vec<u8> {
        let side = Dim::Fixed(self.image_side);
        let dims = |channels| [Dim::Fixed(1), Dim::Fixed(channels), side, side];
        Graph::default()
            .input("image", FLOAT, &dims(3))
            .constant("first", &[1, 3, 1, 1], &[1.0, 0.0, 0.0])
            .constant("bias", &[1], &[self.bias])
            .node("Conv", &["image", "first", "bias"], self.feature)
            .output(self.feature, FLOAT, &dims(1))
            .file()
    }

    fn text_encoder(&self) -> Vec<u8> {
        let mut table = vec![0.0; VOCABULARY];
        for (id, logit) in &self.words {
            table[*id] = *logit;
        }
        Graph::default()
            .input("input_ids", INT64, &[Dim::Open("p"), Dim::Open("t")])
            .constant("table", &[VOCABULARY as u64, 1], &table)
            .node("Gather", &["table", "input_ids"], "token_emb")
            .output("token_emb", FLOAT, &[Dim::Open("p"), Dim::Open("t"), Dim::Fixed(1)])
            .file()
    }

    fn mask_decoder() -> Vec<u8> {
        let side = Dim::Fixed(SIDE);
        let prompts = Dim::Open("n");
        Graph::default()
            .input("level", FLOAT, &[Dim::Fixed(1), Dim::Fixed(1), side, side])
            .input("tokens", FLOAT, &[Dim::Open("t"), prompts, Dim::Fixed(1)])
            .constant("nothing", &[1], &[0.0])
            .node_with("ReduceMean", &["tokens"], "mean", ("axes", &[0]))
            .node_with("Transpose", &["mean"], "by_prompt", ("perm", &[1, 0, 2]))
            .node("Flatten", &["by_prompt"], "existence_logits")
            .node("Mul", &["by_prompt", "nothing"], "zero")
            .node("Add", &["level", "zero"], "each")
            .node_with("Transpose", &["each"], "mask_logits", ("perm", &[1, 0, 2, 3]))
            .output("mask_logits", FLOAT, &[prompts, Dim::Fixed(1), side, side])
            .output("existence_logits", FLOAT, &[prompts, Dim::Fixed(1)])
            .file()
    }

    /// Writes the folder.
    pub(crate) fn write(&self) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        let graphs = [
            ("image_encoder", self.image_encoder()),
            ("text_encoder", self.text_encoder()),
            ("mask_decoder", Self::mask_decoder()),
        ];
        let mut text = ABOUT.to_owned() + self.sections;
        for (name, bytes) in graphs {
            let file = format!("{name}.onnx");
            fs::write(folder.path().join(&file), &bytes).unwrap();
            text += &listed(name, &file, &bytes);
        }
        fs::write(folder.path().join("model.toml"), text).unwrap();
        folder
    }

    pub(crate) fn load(&self, runtime: &Runtime) -> Result<Model, ModelFaults> {
        Model::load(self.write().path(), runtime)
    }
}

/// A section of `[files]`.
pub(crate) fn listed(name: &str, file: &str, bytes: &[u8]) -> String {
    let sha256 = Sha256::digest(bytes).iter().fold(String::new(), |mut digits, byte| {
        write!(digits, "{byte:02x}").unwrap();
        digits
    });
    format!("\n[files.{name}]\nfile = \"{file}\"\nsha256 = \"{sha256}\"\n")
}

/// Changes `model.toml` of a folder.
pub(crate) fn rewrite(folder: &Path, from: &str, to: &str) {
    let path = folder.join("model.toml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from}");
    fs::write(path, text.replace(from, to)).unwrap();
}

pub(crate) const ABOUT: &str = r#"
format = 1
[model]
name = "levels"
version = "1"
title = "Above a grey level"
manufacturer = "parsenode"
kind = "prompt"
modalities = ["CT", "MR", "US", "OP"]
"#;
