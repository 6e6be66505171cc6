//! The tensors of the three graphs against the contract of PROMPT.md: names, types, ranks, dimensions. All faults at once.

use ort::value::{Outlet, TensorElementType, ValueType};

use super::graph::Graph;
use crate::faults::Faults;
use crate::manifest::{Generation, PromptSpec};

/// What the engine has to know of graphs that keep the contract.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Contract {
    /// Names of the features, in the encoder's order.
    pub(super) features: Vec<String>,
    /// Shapes of the noise that the decoder wants, `noise0` first; the second dimension is the number of prompts.
    pub(super) noise: Vec<(String, Vec<usize>)>,
    /// Whether the decoder gives edges.
    pub(super) has_edges: bool,
    /// Whether the decoder takes one prompt at a time.
    pub(super) one_at_a_time: bool,
}

/// Most values of one noise tensor for one prompt: 64 MiB.
const NOISE_VALUES_MAX: usize = 1 << 24;

/// A tensor of a graph: its element type, and its dimensions, `None` for open ones.
struct Tensor {
    element: TensorElementType,
    dims: Vec<Option<usize>>,
}

/// One side of one graph.
struct Side<'a> {
    /// "image encoder, input": how faults begin.
    place: String,
    outlets: &'a [Outlet],
}

impl Side<'_> {
    fn get(&self, name: &str) -> Option<Tensor> {
        let outlet = self.outlets.iter().find(|outlet| outlet.name() == name)?;
        let ValueType::Tensor { ty, shape, .. } = outlet.dtype() else { return None };
        let dims = shape.iter().map(|n| usize::try_from(*n).ok()).collect();
        Some(Tensor { element: *ty, dims })
    }

    fn names(&self) -> Vec<&str> {
        self.outlets.iter().map(Outlet::name).collect()
    }

    fn at(&self, name: &str) -> String {
        format!("{} {name}", self.place)
    }

    /// A tensor that must be there, of that type, with those dimensions (`None`: any).
    fn want(
        &self,
        name: &str,
        element: TensorElementType,
        dims: &[Option<usize>],
        faults: &mut Faults,
    ) -> Option<Tensor> {
        let Some(found) = self.get(name) else {
            let there = self.names().join(", ");
            faults.add(self.at(name), format!("is no tensor of the graph; it has {there}"));
            return None;
        };
        if found.element != element {
            let what = format!("has elements of type {:?}; {element:?} is wanted", found.element);
            faults.add(self.at(name), what);
        }
        let fits = |(found, wanted): (&Option<usize>, &Option<usize>)| {
            found.is_none() || wanted.is_none() || found == wanted
        };
        if found.dims.len() != dims.len() || !found.dims.iter().zip(dims).all(fits) {
            let what = format!("is {}; {} is wanted", shown(&found.dims), shown(dims));
            faults.add(self.at(name), what);
            return None;
        }
        Some(found)
    }

    /// Notes inputs that nobody would fill.
    fn check_no_others(&self, known: &[String], faults: &mut Faults) {
        for name in self.names().iter().filter(|name| !known.iter().any(|known| known == *name)) {
            faults.add(self.at(name), "is not in the contract, and nobody would fill it");
        }
    }
}

fn shown(dims: &[Option<usize>]) -> String {
    let dims: Vec<String> =
        dims.iter().map(|n| n.map_or_else(|| "?".into(), |n| n.to_string())).collect();
    format!("[{}]", dims.join(", "))
}

const FLOAT: TensorElementType = TensorElementType::Float32;

/// Checks the three graphs: image encoder, text encoder, mask decoder.
pub(super) fn check(spec: &PromptSpec, graphs: [&Graph; 3], faults: &mut Faults) -> Contract {
    let [image, text, mask] = graphs;
    let features = image.look(|inputs, outputs| check_image(spec, inputs, outputs, faults));
    let width = text.look(|inputs, outputs| check_text(spec, inputs, outputs, faults));
    mask.look(|inputs, outputs| {
        let inputs = Side { place: "mask decoder, input".into(), outlets: inputs };
        let outputs = Side { place: "mask decoder, output".into(), outlets: outputs };
        let mut contract = check_inputs(spec, &inputs, (&features, width), faults);
        contract.has_edges = check_outputs(spec, &outputs, faults);
        contract
    })
}

type Feature = (String, Vec<Option<usize>>);

fn check_image(
    spec: &PromptSpec,
    inputs: &[Outlet],
    outputs: &[Outlet],
    faults: &mut Faults,
) -> Vec<Feature> {
    let inputs = Side { place: "image encoder, input".into(), outlets: inputs };
    let outputs = Side { place: "image encoder, output".into(), outlets: outputs };
    let side = Some(spec.side);
    inputs.want("image", FLOAT, &[Some(1), Some(3), side, side], faults);
    inputs.check_no_others(&["image".into()], faults);
    if outputs.outlets.is_empty() {
        faults.add("image encoder", "gives no features");
    }
    let mut features = Vec::new();
    for name in outputs.names() {
        match outputs.get(name) {
            Some(Tensor { element: FLOAT, dims }) => features.push((name.to_owned(), dims)),
            _ => faults.add(outputs.at(name), "is no tensor of Float32"),
        }
    }
    features
}

/// Gives the width of a token, where it is fixed.
fn check_text(
    spec: &PromptSpec,
    inputs: &[Outlet],
    outputs: &[Outlet],
    faults: &mut Faults,
) -> Option<usize> {
    let inputs = Side { place: "text encoder, input".into(), outlets: inputs };
    let outputs = Side { place: "text encoder, output".into(), outlets: outputs };
    inputs.want("input_ids", TensorElementType::Int64, &[None, None], faults);
    inputs.check_no_others(&["input_ids".into()], faults);
    let tokens = outputs.want("token_emb", FLOAT, &[None, None, None], faults);
    let width = tokens.and_then(|tokens| tokens.dims[2]);
    if spec.generation == Generation::V1 {
        outputs.want("class_emb", FLOAT, &[None, width], faults);
    }
    width
}

fn check_inputs(
    spec: &PromptSpec,
    inputs: &Side<'_>,
    (features, width): (&[Feature], Option<usize>),
    faults: &mut Faults,
) -> Contract {
    let mut known: Vec<String> = vec!["tokens".into()];
    for (name, dims) in features {
        known.push(name.clone());
        inputs.want(name, FLOAT, dims, faults);
    }
    let tokens = inputs.want("tokens", FLOAT, &[None, None, width], faults);
    let prompts = tokens.and_then(|tokens| tokens.dims[1]);
    if prompts.is_some_and(|prompts| prompts != 1) {
        let what = "takes a fixed number of prompts; 1 or any number is wanted";
        faults.add(inputs.at("tokens"), what);
    }
    let mut noise = Vec::new();
    match spec.generation {
        Generation::V1 => {
            known.push("class_emb".into());
            inputs.want("class_emb", FLOAT, &[Some(1), Some(1), width], faults);
        }
        Generation::V2 => {
            noise = NOISE.iter().filter_map(|name| check_noise(inputs, name, faults)).collect();
            known.extend(NOISE.map(str::to_owned));
        }
    }
    inputs.check_no_others(&known, faults);
    let features = features.iter().map(|(name, _)| name.clone()).collect();
    let one_at_a_time = spec.generation == Generation::V1 || prompts == Some(1);
    Contract { features, noise, has_edges: false, one_at_a_time }
}

const NOISE: [&str; 3] = ["noise0", "noise1", "noise2"];

/// The shape of a noise input, where the decoder has it; 1 for the number of prompts.
fn check_noise(inputs: &Side<'_>, name: &str, faults: &mut Faults) -> Option<(String, Vec<usize>)> {
    let tensor = inputs.get(name)?;
    let shape: Option<Vec<usize>> = tensor
        .dims
        .iter()
        .enumerate()
        .map(|(axis, dim)| if axis == 1 { Some(1) } else { *dim })
        .collect();
    let values = |shape: &Vec<usize>| shape.iter().try_fold(1_usize, |n, dim| n.checked_mul(*dim));
    match shape.filter(|shape| shape.len() >= 2 && tensor.element == FLOAT) {
        Some(shape) if values(&shape).is_some_and(|n| n <= NOISE_VALUES_MAX) => {
            Some((name.to_owned(), shape))
        }
        _ => {
            let what = format!(
                "is {}; Float32 is wanted with the number of prompts second, the other dimensions fixed, up to {NOISE_VALUES_MAX} values a prompt",
                shown(&tensor.dims)
            );
            faults.add(inputs.at(name), what);
            None
        }
    }
}

/// Gives whether there are edges.
fn check_outputs(spec: &PromptSpec, outputs: &Side<'_>, faults: &mut Faults) -> bool {
    match spec.generation {
        Generation::V1 => {
            outputs.want("mask_logits", FLOAT, &[Some(1), None, None], faults);
            false
        }
        Generation::V2 => {
            let dims = [None, Some(1), None, None];
            let mask = outputs.want("mask_logits", FLOAT, &dims, faults);
            outputs.want("existence_logits", FLOAT, &[None, Some(1)], faults);
            let sides = mask.map_or([None; 2], |mask| [mask.dims[2], mask.dims[3]]);
            let dims = [None, Some(1), sides[0], sides[1]];
            outputs.get("edge_logits").is_some()
                && outputs.want("edge_logits", FLOAT, &dims, faults).is_some()
        }
    }
}
