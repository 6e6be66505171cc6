//! The models of a node: loaded once, shared by all workers.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use config::Config;
use inference::{Model, Runtime, RuntimeOptions};

use crate::asking;
use crate::failure::{Failure, Fault, OrFail};

/// The model that is built into the program.
const BUILT_IN_FILES: [(&str, &[u8]); 2] = [
    ("model.toml", include_bytes!("../../models/tissue-ct/model.toml")),
    ("tissue-ct.onnx", include_bytes!("../../models/tissue-ct/tissue-ct.onnx")),
];

/// Loaded models by the name that rules call them by.
pub(crate) type Models = BTreeMap<String, Arc<Model>>;

/// Loads ONNX Runtime.
pub(crate) fn runtime(options: &RuntimeOptions) -> Result<Runtime, Failure> {
    let runtime = Runtime::load(options).or_fail(Fault::Unavailable, || "ONNX Runtime")?;
    let library = runtime.library().display().to_string();
    tracing::info!(version = %runtime.version(), library, "ONNX Runtime loaded");
    Ok(runtime)
}

/// Loads every model of a configuration, and checks what the rules ask of them; all faults of all models in one failure.
pub(crate) fn load_all(config: &Config, runtime: &Runtime) -> Result<Models, Failure> {
    let mut models = Models::new();
    let mut faults = Vec::new();
    for model in &config.models {
        match load_configured(model.folder.as_deref(), runtime) {
            Ok(loaded) => {
                models.insert(model.name.clone(), loaded);
            }
            Err(failure) => faults.push(format!("model {}: {failure}", model.name)),
        }
    }
    if !faults.is_empty() {
        return Err(Failure::new(Fault::Configuration, faults.join("\n")));
    }
    asking::check_rules(&config.routing.rules, &models)?;
    Ok(models)
}

fn load_configured(folder: Option<&Path>, runtime: &Runtime) -> Result<Arc<Model>, Failure> {
    folder.map_or_else(|| load_built_in(runtime), |folder| load(folder, runtime))
}

/// Loads one model folder.
pub(crate) fn load(folder: &Path, runtime: &Runtime) -> Result<Arc<Model>, Failure> {
    let model = Model::load(folder, runtime)
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

/// Loads the model that is built into the program, by way of a private folder that is gone afterwards.
pub(crate) fn load_built_in(runtime: &Runtime) -> Result<Arc<Model>, Failure> {
    let folder = tempfile::tempdir().or_fail(Fault::Disk, || "temporary folder")?;
    for (name, bytes) in BUILT_IN_FILES {
        let path = folder.path().join(name);
        fs::write(&path, bytes).or_fail(Fault::Disk, || path.display().to_string())?;
    }
    load(folder.path(), runtime)
}
