//! The tensors of a network against its manifest: names, types, ranks, dimensions. All faults at once.

use ort::value::{Outlet, TensorElementType, ValueType};

use crate::faults::Faults;
use crate::manifest::{Activation, LabelSpec, Mode, Plan};

/// What the engine has to be told, and what is known about the input.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Names {
    /// The input.
    pub(crate) input: String,
    /// The output.
    pub(crate) output: String,
    /// The shape of every input, where manifest and network leave nothing open.
    pub(crate) shape: Option<Vec<usize>>,
    /// Whether the first dimension of the input is fixed.
    pub(crate) fixed_batch: bool,
}

/// Checks a network's tensors.
pub(crate) fn check(
    spec: &LabelSpec,
    inputs: &[Outlet],
    outputs: &[Outlet],
    faults: &mut Faults,
) -> Names {
    let mut names = Names::default();
    let wanted = dimensions(spec);
    if let Some(outlet) = pick(inputs, spec.input.tensor.as_deref(), "input.tensor", faults) {
        names.input = outlet.name().to_owned();
        let others: Vec<_> =
            inputs.iter().map(Outlet::name).filter(|n| *n != names.input).collect();
        if !others.is_empty() {
            faults.add(
                "input.tensor",
                format!("the network wants other inputs too: {}", others.join(", ")),
            );
        }
        let found = shape(outlet, "input.tensor", wanted.len(), faults);
        names.fixed_batch = found.as_ref().is_some_and(|found| found[0].is_some());
        if let Some(found) = &found {
            check_input(found, &wanted, faults);
            let known = found.iter().zip(&wanted).map(|(found, (_, wanted))| found.or(*wanted));
            names.shape = known.collect();
        }
    }
    if let Some(outlet) = pick(outputs, spec.output.tensor.as_deref(), "output.tensor", faults) {
        names.output = outlet.name().to_owned();
        if let Some(found) = shape(outlet, "output.tensor", wanted.len(), faults) {
            check_output(spec, &found, names.shape.as_deref(), faults);
        }
    }
    names
}

/// The tensor that is named, or the only one.
fn pick<'a>(
    outlets: &'a [Outlet],
    name: Option<&str>,
    at: &str,
    faults: &mut Faults,
) -> Option<&'a Outlet> {
    let names: Vec<_> = outlets.iter().map(Outlet::name).collect();
    let found = match (name, outlets) {
        (Some(name), _) => outlets.iter().find(|outlet| outlet.name() == name),
        (None, [only]) => Some(only),
        (None, _) => None,
    };
    if found.is_none() {
        let asked =
            name.map_or_else(|| "must be named".into(), |name| format!("there is no \"{name}\""));
        faults.add(at, format!("{asked}; the network has {}", names.join(", ")));
    }
    found
}

/// The dimensions of a float tensor of that rank; `None` for those that are open.
fn shape(
    outlet: &Outlet,
    at: &str,
    rank: usize,
    faults: &mut Faults,
) -> Option<Vec<Option<usize>>> {
    let ValueType::Tensor { ty, shape, .. } = outlet.dtype() else {
        faults.add(at, format!("\"{}\" is no tensor", outlet.name()));
        return None;
    };
    if *ty != TensorElementType::Float32 {
        faults.add(
            at,
            format!("\"{}\" has elements of type {ty:?}; Float32 is wanted", outlet.name()),
        );
    }
    if shape.len() != rank {
        let what =
            format!("\"{}\" has {} dimensions; {rank} are wanted", outlet.name(), shape.len());
        faults.add(at, what);
        return None;
    }
    Some(shape.iter().map(|n| usize::try_from(*n).ok()).collect())
}

/// What we will feed: for each dimension the key that says so, and the number where it is known before a series comes.
fn dimensions(spec: &LabelSpec) -> Vec<(&'static str, Option<usize>)> {
    let channels = ("input.channels", Some(spec.input.channels));
    match &spec.plan {
        Plan::Volume { grid, mode } => {
            let grid_size = |axis: usize| grid.size.map(|size| size[axis]);
            let space = [0, 1, 2].map(|axis| match mode {
                Mode::Blocks { .. } if axis == 0 => ("inference.slices", None),
                Mode::Whole | Mode::Blocks { .. } => ("input.grid.size", grid_size(axis)),
                Mode::Sliding { size, .. } if size[axis] == 0 => {
                    ("inference.size", grid_size(axis))
                }
                Mode::Sliding { size, .. } => ("inference.size", Some(size[axis])),
            });
            [vec![("input.tensor", Some(1)), channels], space.to_vec()].concat()
        }
        Plan::Slice(grid) => {
            let space = [0, 1].map(|axis| ("input.grid.size", grid.size.map(|size| size[axis])));
            [vec![("input.grid.batch", Some(grid.batch)), channels], space.to_vec()].concat()
        }
    }
}

fn check_input(
    found: &[Option<usize>],
    wanted: &[(&'static str, Option<usize>)],
    faults: &mut Faults,
) {
    for (dimension, (found, (key, wanted))) in found.iter().zip(wanted).enumerate() {
        let Some(found) = found else { continue };
        let takes = format!("the network takes {found} in dimension {dimension} of its input");
        match wanted {
            Some(wanted) if wanted == found => {}
            Some(wanted) => faults.add(*key, format!("is {wanted}, but {takes}")),
            None if *key == "inference.slices" => {
                faults.add(*key, format!("{takes}; blocks need a network that leaves it open"));
            }
            None => faults.add(*key, format!("is not given, but {takes}")),
        }
    }
}

fn check_output(
    spec: &LabelSpec,
    found: &[Option<usize>],
    input: Option<&[usize]>,
    faults: &mut Faults,
) {
    if let Some(channels) = found[1] {
        for (number, label) in (1..).zip(&spec.labels).filter(|(_, l)| l.channel >= channels) {
            let what = format!("is {}, but the network has {channels} channels", label.channel);
            faults.add(format!("label[{number}].channel"), what);
        }
        if channels == 1 && spec.output.activation == Activation::Softmax {
            faults.add("output.activation", "a single channel cannot be a softmax; \"sigmoid\"?");
        }
    }
    let Some(input) = input else { return };
    for dimension in (0..found.len()).filter(|dimension| *dimension != 1) {
        if found[dimension].is_some_and(|found| found != input[dimension]) {
            let what = format!(
                "dimension {dimension} is {} in the output and {} in the input; they must be the same",
                found[dimension].unwrap_or(0),
                input[dimension]
            );
            faults.add("output.tensor", what);
        }
    }
}
