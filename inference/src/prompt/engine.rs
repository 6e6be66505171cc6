//! The three graphs of a promptable model behind three verbs: embed a sentence, encode a picture, decode masks.

use std::path::PathBuf;
use std::sync::Arc;

use domain::Unsuitable;
use ort::session::SessionInputValue;
use ort::value::{DynValue, Tensor, TensorRef};
use series::SourceSlice;

use super::contract::{self, Contract};
use super::embedding::{Embedding, Embeddings};
use super::graph::{Graph, Named};
use super::noise::{Noise, Seed};
use super::tokens;
use crate::faults::{Faults, ModelFaults};
use crate::manifest::{Generation, PromptSpec};
use crate::runtime::Runtime;
use crate::scores::{Next, failed};

/// Files of the image encoder up to this size are run once when the model is loaded, so that a network that cannot run is
/// found at the start. Of larger ones a run costs seconds.
const WARM_UP_BYTES_MAX: u64 = 32 << 20;

/// A promptable model, ready to run. Shared by threads; runs of the same graph wait for each other.
#[derive(Debug)]
pub(crate) struct PromptEngine {
    generation: Generation,
    side: usize,
    model_sha256: String,
    image: Graph,
    text: Graph,
    mask: Graph,
    contract: Contract,
    embeddings: Embeddings,
}

/// What the image encoder says of one picture, in the engine's memory.
#[derive(Debug)]
pub(super) struct Features(Vec<DynValue>);

/// One prompt of a call of the decoder.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    pub(super) embedding: &'a Embedding,
    pub(super) sentence: &'a str,
}

/// The slice of a call of the decoder.
#[derive(Debug, Clone, Copy)]
pub(super) struct SliceName<'a> {
    pub(super) sop_instance: &'a str,
    pub(super) frame_index: usize,
}

impl<'a> SliceName<'a> {
    /// Of a slice.
    pub(super) fn of(slice: &'a SourceSlice) -> Self {
        let sop_instance = slice.instance.identity.sop_instance.as_str();
        Self { sop_instance, frame_index: slice.frame_index }
    }
}

/// What the decoder says of one prompt.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Decoded {
    /// Rows, and columns, of both maps.
    pub(super) map_side: usize,
    /// Logits, row by row.
    pub(super) mask: Vec<f32>,
    /// Logits of edges, where the decoder gives some.
    pub(super) edges: Option<Vec<f32>>,
    /// Whether the target is there, as a logit: v2.
    pub(super) existence: Option<f32>,
}

impl PromptEngine {
    /// Loads the graphs and holds them against the contract.
    ///
    /// # Errors
    /// [`ModelFaults`] with everything that is wrong.
    pub(crate) fn load(
        spec: &PromptSpec,
        model_sha256: &str,
        runtime: &Runtime,
        embeddings: Option<PathBuf>,
    ) -> Result<Self, ModelFaults> {
        let image = Graph::load("image encoder", &spec.image_encoder, runtime)?;
        let text = Graph::load("text encoder", &spec.text_encoder, runtime)?;
        let mask = Graph::load("mask decoder", &spec.mask_decoder, runtime)?;
        let mut faults = Faults::default();
        let contract = contract::check(spec, [&image, &text, &mask], &mut faults);
        faults.into_result()?;
        let engine = Self {
            generation: spec.generation,
            side: spec.side,
            model_sha256: model_sha256.to_owned(),
            image,
            text,
            mask,
            contract,
            embeddings: Embeddings::new(model_sha256, embeddings),
        };
        engine.warm_up(spec)?;
        Ok(engine)
    }

    fn warm_up(&self, spec: &PromptSpec) -> Result<(), ModelFaults> {
        let bytes = std::fs::metadata(&spec.image_encoder).map_or(0, |file| file.len());
        if bytes > WARM_UP_BYTES_MAX {
            return Ok(());
        }
        let fails = |error: Unsuitable| {
            Faults::only("files", format!("a run with an empty picture fails: {}", error.detail))
        };
        self.try_warm_up().map_err(fails)
    }

    fn try_warm_up(&self) -> Result<(), Unsuitable> {
        let features = self.encode(&vec![0.0; 3 * self.side * self.side], Next::End)?;
        let sentence = "warm-up";
        let embedding = self.make_embedding(sentence)?;
        let asked = [Asked { embedding: &embedding, sentence }];
        let slice = SliceName { sop_instance: "", frame_index: 0 };
        self.decode(&features, &asked, slice, Next::End).map(drop)
    }

    /// Which contract the graphs keep.
    pub(super) fn generation(&self) -> Generation {
        self.generation
    }

    /// Side of a picture, in pixels.
    pub(super) fn side(&self) -> usize {
        self.side
    }

    /// Whether the decoder takes one prompt a call.
    pub(super) fn is_one_at_a_time(&self) -> bool {
        self.contract.one_at_a_time
    }

    /// The embedding of a sentence: known, or made now.
    ///
    /// # Errors
    /// `ModelFailed`; `PromptRefused` for a sentence that is no prompt.
    pub(super) fn embed(&self, sentence: &str) -> Result<Arc<Embedding>, Unsuitable> {
        self.embeddings.get(sentence, || self.make_embedding(sentence))
    }

    fn make_embedding(&self, sentence: &str) -> Result<Embedding, Unsuitable> {
        let ids = tokens::ids(sentence)
            .map_err(|error| super::refused(format!("\"{sentence}\": {error}")))?;
        let token_count = ids.len();
        let input = TensorRef::from_array_view(([1, token_count], ids.as_slice()))
            .map_err(|error| self.text.failed(error))?;
        let names: &[&str] = match self.generation {
            Generation::V1 => &["token_emb", "class_emb"],
            Generation::V2 => &["token_emb"],
        };
        let outputs = self.text.run(vec![("input_ids", input.into())], names, Next::Run)?;
        let mut numbers = outputs.iter().map(|value| values(value, &self.text));
        let tokens = numbers.next().transpose()?.unwrap_or_default().to_vec();
        let class = numbers.next().transpose()?.unwrap_or_default().to_vec();
        if tokens.is_empty() || !tokens.len().is_multiple_of(token_count) {
            return Err(self.text.failed("token_emb has not a row for each token"));
        }
        if self.generation == Generation::V1 && class.len() != tokens.len() / token_count {
            return Err(self.text.failed("class_emb is not as wide as a token"));
        }
        Ok(Embedding { token_count, tokens, class })
    }

    /// The features of a picture `[3, side, side]`.
    ///
    /// # Errors
    /// `ModelFailed`.
    pub(super) fn encode(&self, picture: &[f32], next: Next) -> Result<Features, Unsuitable> {
        let shape = [1, 3, self.side, self.side];
        let input = TensorRef::from_array_view((shape, picture))
            .map_err(|error| self.image.failed(error))?;
        let names: Vec<&str> = self.contract.features.iter().map(String::as_str).collect();
        self.image.run(vec![("image", input.into())], &names, next).map(Features)
    }

    /// The answers to prompts of equal length about one picture, in their order.
    ///
    /// # Errors
    /// `ModelFailed`.
    pub(super) fn decode(
        &self,
        features: &Features,
        asked: &[Asked<'_>],
        slice: SliceName<'_>,
        next: Next,
    ) -> Result<Vec<Decoded>, Unsuitable> {
        let mut inputs: Vec<Named<'_>> = Vec::new();
        for (name, value) in self.contract.features.iter().zip(&features.0) {
            inputs.push((name, value.into()));
        }
        inputs.push(("tokens", self.tokens(asked)?));
        if self.generation == Generation::V1 {
            let class =
                asked.first().map(|first| first.embedding.class.clone()).unwrap_or_default();
            inputs.push(("class_emb", self.tensor(vec![1, 1, class.len()], class)?));
        }
        let noise = self.noise(asked, slice)?;
        inputs.extend(self.contract.noise.iter().map(|(name, _)| name.as_str()).zip(noise));
        let outputs: &[&str] = match (self.generation, self.contract.has_edges) {
            (Generation::V1, _) => &["mask_logits"],
            (Generation::V2, false) => &["mask_logits", "existence_logits"],
            (Generation::V2, true) => &["mask_logits", "existence_logits", "edge_logits"],
        };
        let found = self.mask.run(inputs, outputs, next)?;
        self.split(&found, asked.len())
    }

    fn tensor(
        &self,
        shape: Vec<usize>,
        values: Vec<f32>,
    ) -> Result<SessionInputValue<'static>, Unsuitable> {
        let tensor =
            Tensor::from_array((shape, values)).map_err(|error| self.mask.failed(error))?;
        Ok(tensor.into())
    }

    /// `[token][prompt][width]`.
    fn tokens(&self, asked: &[Asked<'_>]) -> Result<SessionInputValue<'static>, Unsuitable> {
        let count = asked.first().map_or(0, |first| first.embedding.token_count);
        let width = asked.first().map_or(0, |first| first.embedding.tokens.len()) / count.max(1);
        if asked.iter().any(|other| other.embedding.tokens.len() != count * width) {
            return Err(failed("prompts of one call differ in length".into()));
        }
        let rows = (0..count).flat_map(|token| {
            asked
                .iter()
                .flat_map(move |one| &one.embedding.tokens[token * width..(token + 1) * width])
        });
        self.tensor(vec![count, asked.len(), width], rows.copied().collect())
    }

    /// The noise of each input, each prompt with its own.
    fn noise(
        &self,
        asked: &[Asked<'_>],
        slice: SliceName<'_>,
    ) -> Result<Vec<SessionInputValue<'static>>, Unsuitable> {
        let mut sources: Vec<Noise> =
            asked.iter().map(|one| Noise::new(&self.seed(one, slice))).collect();
        let of_shape = |(_, shape): &(String, Vec<usize>)| {
            let (outer, inner) = (shape[0], shape[2..].iter().product::<usize>());
            let mut values = vec![0.0; outer * asked.len() * inner];
            let mut own = vec![0.0; outer * inner];
            for (prompt, source) in sources.iter_mut().enumerate() {
                source.fill(&mut own);
                for (row, part) in own.chunks(inner.max(1)).enumerate() {
                    let at = (row * asked.len() + prompt) * inner;
                    values[at..at + inner].copy_from_slice(part);
                }
            }
            let mut shape = shape.clone();
            shape[1] = asked.len();
            self.tensor(shape, values)
        };
        self.contract.noise.iter().map(of_shape).collect()
    }

    fn seed<'a>(&'a self, one: &Asked<'a>, slice: SliceName<'a>) -> Seed<'a> {
        Seed {
            sop_instance: slice.sop_instance,
            frame_index: slice.frame_index,
            sentence: one.sentence,
            model_sha256: &self.model_sha256,
        }
    }

    /// One answer a prompt.
    fn split(&self, found: &[DynValue], count: usize) -> Result<Vec<Decoded>, Unsuitable> {
        let mut numbers = found.iter().map(|value| values(value, &self.mask));
        let mask = numbers.next().transpose()?.unwrap_or_default();
        let existence = numbers.next().transpose()?;
        let edges = numbers.next().transpose()?;
        let map_side = (mask.len() / count.max(1)).isqrt();
        let pixels = map_side * map_side;
        let fits = pixels > 0
            && map_side <= self.side
            && mask.len() == count * pixels
            && existence.is_none_or(|logits| logits.len() == count)
            && edges.is_none_or(|logits| logits.len() == mask.len());
        if !fits {
            let what = format!(
                "{count} prompts got {} values of mask_logits, edges or existence of other counts, or a map beyond the side",
                mask.len()
            );
            return Err(self.mask.failed(what));
        }
        let part = |values: &[f32], n: usize| values[n * pixels..(n + 1) * pixels].to_vec();
        let decoded = (0..count).map(|n| Decoded {
            map_side,
            mask: part(mask, n),
            edges: edges.map(|edges| part(edges, n)),
            existence: existence.map(|logits| logits[n]),
        });
        Ok(decoded.collect())
    }
}

fn values<'v>(value: &'v DynValue, graph: &Graph) -> Result<&'v [f32], Unsuitable> {
    value.try_extract_tensor::<f32>().map(|(_, values)| values).map_err(|error| graph.failed(error))
}
