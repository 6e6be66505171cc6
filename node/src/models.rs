//! The models of a node: loaded once, shared by all workers.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use config::{Config, ModelConfig};
use domain::Ask;
use inference::{LoadOptions, Model, Runtime, RuntimeOptions};

use crate::failure::{Failure, Fault, OrFail};
use crate::{asking, settings};

/// A model that is built into the program.
struct BuiltIn {
    name: &'static str,
    files: &'static [(&'static str, &'static [u8])],
}

/// The models that are built in; a configuration names them without a folder.
const BUILT_IN: [BuiltIn; 2] = [TISSUE_CT, ORGANS_CT_MR];

/// Tissue classes of a CT by Hounsfield range.
const TISSUE_CT: BuiltIn = BuiltIn {
    name: "tissue-ct",
    files: &[
        ("model.toml", include_bytes!("../../models/tissue-ct/model.toml")),
        ("tissue-ct.onnx", include_bytes!("../../models/tissue-ct/tissue-ct.onnx")),
    ],
};

/// Organs in CT and MR by text prompt.
const ORGANS_CT_MR: BuiltIn = BuiltIn {
    name: "organs-ct-mr",
    files: &[
        ("model.toml", include_bytes!("../../models/organs-ct-mr/model.toml")),
        ("image-encoder.onnx", include_bytes!("../../models/organs-ct-mr/image-encoder.onnx")),
        ("text-encoder.onnx", include_bytes!("../../models/organs-ct-mr/text-encoder.onnx")),
        ("mask-decoder.onnx", include_bytes!("../../models/organs-ct-mr/mask-decoder.onnx")),
        ("target_dist.json", include_bytes!("../../models/organs-ct-mr/target_dist.json")),
    ],
};

/// Loaded models by the name that rules call them by.
pub(crate) type Models = BTreeMap<String, Arc<Model>>;

/// Loads ONNX Runtime.
pub(crate) fn runtime(options: &RuntimeOptions) -> Result<Runtime, Failure> {
    let runtime = Runtime::load(options).or_fail(Fault::Unavailable, || "ONNX Runtime")?;
    let library = runtime.library().display().to_string();
    tracing::info!(version = %runtime.version(), library, "ONNX Runtime loaded");
    Ok(runtime)
}

/// Where the node keeps embeddings of prompts from start to start.
pub(crate) fn kept(config: &Config) -> LoadOptions {
    LoadOptions { embeddings: Some(config.node.data.join("embeddings")) }
}

/// Loads every model of a configuration, and checks what the rules ask of them; all faults of all models in one failure. A node
/// without models only receives, and needs no ONNX Runtime.
pub(crate) fn load_all(config: &Config, options: &LoadOptions) -> Result<Models, Failure> {
    let mut models = Models::new();
    if !config.models.is_empty() {
        models = load_each(config, &runtime(&settings::runtime_options(config)?)?, options)?;
    }
    asking::check_rules(&config.routing.rules, &models)?;
    Ok(models)
}

fn load_each(config: &Config, runtime: &Runtime, options: &LoadOptions) -> Result<Models, Failure> {
    let mut models = Models::new();
    let mut faults = Vec::new();
    for model in &config.models {
        match load_configured(model, runtime, options) {
            Ok(loaded) => {
                models.insert(model.name.clone(), loaded);
            }
            Err(failure) => faults.push(format!("model {}: {failure}", model.name)),
        }
    }
    if !faults.is_empty() {
        return Err(Failure::new(Fault::Configuration, faults.join("\n")));
    }
    Ok(models)
}

fn load_configured(
    model: &ModelConfig,
    runtime: &Runtime,
    options: &LoadOptions,
) -> Result<Arc<Model>, Failure> {
    match &model.folder {
        Some(folder) => load_with(folder, runtime, options),
        None => load_built_in(&model.name, runtime, options),
    }
}

/// Loads one model folder.
pub(crate) fn load(folder: &Path, runtime: &Runtime) -> Result<Arc<Model>, Failure> {
    load_with(folder, runtime, &LoadOptions::default())
}

fn load_with(
    folder: &Path,
    runtime: &Runtime,
    options: &LoadOptions,
) -> Result<Arc<Model>, Failure> {
    let model = Model::load_with(folder, runtime, options.clone())
        .or_fail(Fault::Configuration, || folder.display().to_string())?;
    let identity = model.manifest().identity();
    tracing::info!(
        model = identity.name,
        version = identity.version,
        sha256 = identity.sha256,
        "model loaded"
    );
    Ok(Arc::new(model))
}

/// Loads the built-in model for a question: the one that is asked, or the one that needs no question.
pub(crate) fn load_built_in_for(ask: &Ask, runtime: &Runtime) -> Result<Arc<Model>, Failure> {
    let built_in = if ask.is_empty() { TISSUE_CT } else { ORGANS_CT_MR };
    load_built_in(built_in.name, runtime, &LoadOptions::default())
}

/// Loads a model that is built into the program, by way of a private folder that is gone afterwards.
fn load_built_in(
    name: &str,
    runtime: &Runtime,
    options: &LoadOptions,
) -> Result<Arc<Model>, Failure> {
    let unknown = || Failure::new(Fault::Configuration, format!("no model {name:?} is built in"));
    let built_in = BUILT_IN.into_iter().find(|built_in| built_in.name == name);
    let built_in = built_in.ok_or_else(unknown)?;
    let folder = tempfile::tempdir().or_fail(Fault::Disk, || "temporary folder")?;
    for (name, bytes) in built_in.files {
        let path = folder.path().join(name);
        fs::write(&path, bytes).or_fail(Fault::Disk, || path.display().to_string())?;
    }
    load_with(folder.path(), runtime, options)
}
