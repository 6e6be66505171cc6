//! A model folder, loaded: the manifest and a session that fits it.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use domain::Unsuitable;
use ort::session::{RunOptions, Session};
use ort::value::{TensorRef, TensorValueType};

use crate::faults::{Faults, ModelFaults};
use crate::manifest::{Kind, LabelSpec, Manifest, Mode, Plan, PromptSpec, Spec};
use crate::prompt::PromptEngine;
use crate::runtime::{Memory, Runtime};
use crate::scores::{Answer, Network, Next, Store, failed};
use crate::tensors::{self, Names};

/// Most values of an input for which a model is run once when it is loaded, so that the first series does not wait and a network
/// that cannot run is found at the start. For a whole head of 256³ the run would cost seconds and a gigabyte, and save nothing.
const WARM_UP_VALUES_MAX: usize = 1 << 20;

/// A model that is ready to run. Shared by threads; runs of the same model wait for each other, since each uses all threads.
#[derive(Debug)]
pub struct Model {
    manifest: Manifest,
    engine: Engine,
    settings: Vec<String>,
}

/// By kind of model.
#[derive(Debug)]
enum Engine {
    /// One network with a list of labels.
    Labels(LabelEngine),
    /// Three networks that are asked by text.
    Prompt(Box<PromptEngine>),
}

/// How a model is loaded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoadOptions {
    /// A folder in which a promptable model keeps the embeddings of its prompts from start to start; `None`: nowhere.
    pub embeddings: Option<PathBuf>,
}

impl Model {
    /// Reads the manifest, loads the networks, and checks one against the other.
    ///
    /// # Errors
    /// [`ModelFaults`] with everything that is wrong.
    pub fn load(dir: &Path, runtime: &Runtime) -> Result<Self, ModelFaults> {
        Self::load_with(dir, runtime, LoadOptions::default())
    }

    /// The same with options.
    ///
    /// # Errors
    /// [`ModelFaults`] with everything that is wrong.
    pub fn load_with(
        dir: &Path,
        runtime: &Runtime,
        options: LoadOptions,
    ) -> Result<Self, ModelFaults> {
        let manifest = Manifest::read(dir)?;
        let engine = match &manifest.spec {
            Spec::Labels(spec) => Engine::Labels(LabelEngine::load(spec, runtime)?),
            Spec::Prompt(spec) => {
                let sha256 = &manifest.identity.sha256;
                let engine = PromptEngine::load(spec, sha256, runtime, options.embeddings)?;
                Engine::Prompt(Box::new(engine))
            }
        };
        let settings = settings(&manifest, runtime);
        Ok(Self { manifest, engine, settings })
    }

    /// What kind of model it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.manifest.kind()
    }

    /// The manifest.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// What shapes an answer: the manifest's settings and the engine's.
    pub(crate) fn settings(&self) -> &[String] {
        &self.settings
    }

    /// The network with its list of labels.
    ///
    /// # Errors
    /// [`domain::UnsuitableCode::PromptRefused`] for a model that has to be asked.
    pub(crate) fn labelling(&self) -> Result<(&dyn Network, &LabelSpec), Unsuitable> {
        let spec = self.manifest.labelling()?;
        match &self.engine {
            Engine::Labels(engine) => Ok((engine, spec)),
            Engine::Prompt(_) => Err(failed("the model has no network with labels".into())),
        }
    }

    /// The networks that are asked by text.
    ///
    /// # Errors
    /// [`domain::UnsuitableCode::PromptRefused`] for a model that always looks for the same.
    pub(crate) fn prompting(&self) -> Result<(&PromptEngine, &PromptSpec), Unsuitable> {
        let spec = self.manifest.prompting()?;
        match &self.engine {
            Engine::Prompt(engine) => Ok((engine, spec)),
            Engine::Labels(_) => Err(failed("the model has no networks for prompts".into())),
        }
    }
}

/// How volumes become findings here. Raised when a change of ours changes answers, so that their UIDs change too.
const PIPELINE: &str = "pipeline=1";

fn settings(manifest: &Manifest, runtime: &Runtime) -> Vec<String> {
    let mut settings = manifest.settings();
    settings.push(format!("engine=onnxruntime {} {}", runtime.version(), runtime.provider()));
    settings.push(PIPELINE.into());
    settings.sort();
    settings
}

/// A session and the names of its tensors.
#[derive(Debug)]
struct LabelEngine {
    session: Mutex<Session>,
    names: Names,
    memory: Memory,
}

/// One large run has no use for an arena, many runs have.
fn memory(plan: &Plan) -> Memory {
    match plan {
        Plan::Volume { mode: Mode::Whole, .. } => Memory::Plain,
        Plan::Volume { mode: Mode::Blocks { .. } | Mode::Sliding { .. }, .. } | Plan::Slice(_) => {
            Memory::Arena
        }
    }
}

impl LabelEngine {
    fn load(spec: &LabelSpec, runtime: &Runtime) -> Result<Self, ModelFaults> {
        let file = spec.file.display().to_string();
        let wrong = |what: String| Faults::only(file.clone(), what);
        let memory = memory(&spec.plan);
        let session = runtime.session(memory).map_err(wrong)?.commit_from_file(&spec.file);
        let session = session.map_err(|error| wrong(error.to_string()))?;
        let mut faults = Faults::default();
        let names = tensors::check(spec, session.inputs(), session.outputs(), &mut faults);
        faults.into_result()?;
        let engine = Self { session: Mutex::new(session), names, memory };
        engine.warm_up().map_err(|error| wrong(error.detail))?;
        Ok(engine)
    }

    fn warm_up(&self) -> Result<(), Unsuitable> {
        let Some(shape) = &self.names.shape else { return Ok(()) };
        let values: usize = shape.iter().product();
        if values > WARM_UP_VALUES_MAX {
            return Ok(());
        }
        let answer = self.run(shape, &vec![0.0; values], Next::End);
        answer
            .map(drop)
            .map_err(|error| failed(format!("a run with zeros fails: {}", error.detail)))
    }

    fn try_run(&self, shape: &[usize], values: &[f32], next: Next) -> ort::Result<Answer> {
        let mut options = RunOptions::new()?;
        if self.memory == Memory::Arena && next == Next::End {
            options.set("memory.enable_memory_arena_shrinkage", "cpu:0")?;
        }
        // A run that panicked in another thread leaves the session as it was.
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let input = TensorRef::from_array_view((shape, values))?;
        let mut outputs =
            session.run_with_options(vec![(self.names.input.as_str(), input)], &options)?;
        let output = outputs.remove(&self.names.output);
        drop(outputs);
        let output = output.ok_or_else(|| ort::Error::new("the output is missing"))?;
        let tensor = output.downcast::<TensorValueType<f32>>()?;
        let shape = tensor.shape().iter().map(|n| usize::try_from(*n).unwrap_or(0)).collect();
        Ok(Answer { shape, store: Store::Engine(tensor) })
    }
}

impl Network for LabelEngine {
    fn run(&self, shape: &[usize], values: &[f32], next: Next) -> Result<Answer, Unsuitable> {
        self.try_run(shape, values, next).map_err(|error| failed(error.to_string()))
    }

    fn has_fixed_batch(&self) -> bool {
        self.names.fixed_batch
    }
}
