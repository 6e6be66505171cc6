//! ONNX Runtime: its library, loaded once in a process, and the execution provider that sessions will use.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use ort::environment::Environment;
use ort::ep::{self, ExecutionProvider as _, ExecutionProviderDispatch};
use ort::logging::LogLevel;
use ort::session::Session;
use ort::session::builder::SessionBuilder;
use thiserror::Error;

use crate::lookup;

/// How ONNX Runtime is to be loaded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuntimeOptions {
    /// The library, or the folder that holds it; `None`: looked for.
    pub library: Option<PathBuf>,
    /// What computes.
    pub provider: Provider,
    /// Threads of one inference, ours around it included; 0: as many as the machine lends.
    pub threads: usize,
}

/// What computes: ONNX Runtime's execution provider.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Provider {
    /// The processor; always there.
    #[default]
    Cpu,
    /// NVIDIA, by CUDA.
    Cuda,
    /// NVIDIA, by TensorRT.
    TensorRt,
    /// Intel.
    OpenVino,
    /// Apple.
    CoreMl,
}

/// A word that names no provider.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("\"{0}\" is no provider; cpu, cuda, tensorrt, openvino and coreml are")]
pub struct UnknownProvider(String);

impl Provider {
    const ALL: [Self; 5] = [Self::Cpu, Self::Cuda, Self::TensorRt, Self::OpenVino, Self::CoreMl];

    /// The word for it in settings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
            Self::TensorRt => "tensorrt",
            Self::OpenVino => "openvino",
            Self::CoreMl => "coreml",
        }
    }

    fn is_in_library(self) -> ort::Result<bool> {
        match self {
            Self::Cpu => Ok(true),
            Self::Cuda => ep::CUDA::is_available(),
            Self::TensorRt => ep::TensorRT::is_available(),
            Self::OpenVino => ep::OpenVINO::is_available(),
            Self::CoreMl => ep::CoreML::is_available(),
        }
    }

    /// The providers to register, in order of preference; one that fails is an error and no silent fall back.
    fn dispatches(self, memory: Memory) -> Vec<ExecutionProviderDispatch> {
        let cpu = ep::CPU::default().with_arena_allocator(memory == Memory::Arena).build();
        let accelerator = match self {
            Self::Cpu => None,
            Self::Cuda => Some(ep::CUDA::default().build()),
            Self::TensorRt => Some(ep::TensorRT::default().build()),
            Self::OpenVino => Some(ep::OpenVINO::default().build()),
            Self::CoreMl => Some(ep::CoreML::default().build()),
        };
        let all = accelerator.into_iter().chain([cpu]);
        all.map(ExecutionProviderDispatch::error_on_failure).collect()
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Provider {
    type Err = UnknownProvider;

    fn from_str(text: &str) -> Result<Self, UnknownProvider> {
        let named = Self::ALL.into_iter().find(|provider| provider.as_str() == text);
        named.ok_or_else(|| UnknownProvider(text.to_owned()))
    }
}

/// Why ONNX Runtime cannot be used.
#[derive(Debug, Error)]
pub enum RuntimeError {
    /// It is nowhere.
    #[error(
        "ONNX Runtime's library was not found; looked at:\n  {}\nset ORT_DYLIB_PATH or the onnxruntime setting to it",
        .looked_at.join("\n  ")
    )]
    NotFound {
        /// Every place that was looked at.
        looked_at: Vec<String>,
    },
    /// It is there, but cannot be loaded: too old, for another machine, no such library.
    #[error("{} cannot be loaded: {reason}", .library.display())]
    NotLoaded {
        /// The library.
        library: PathBuf,
        /// The loader's words.
        reason: String,
    },
    /// Another library is loaded in this process already.
    #[error("{} cannot be loaded: this process uses {} already", .library.display(), .loaded.display())]
    AlreadyLoaded {
        /// The library that was asked for.
        library: PathBuf,
        /// The library that is in use.
        loaded: PathBuf,
    },
    /// The library was built without the provider, or what the provider needs is missing.
    #[error("provider {provider} cannot be used with {}: {reason}", .library.display())]
    ProviderUnavailable {
        /// The provider.
        provider: Provider,
        /// The library.
        library: PathBuf,
        /// The engine's words.
        reason: String,
    },
}

/// Where the engine's buffers come from.
///
/// Measured on two cores. A head of 256³ in one run: plain, a peak of 770 MB, 130 MB afterwards; by an arena 990 MB and 650 MB, since the
/// output still lies in it when the run ends. A CT in blocks of 16 slices: plain, twice the time, for every block pays for fresh pages, and
/// 900 MB; by an arena 360 MB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Memory {
    /// From the system and back, buffer by buffer: for one large run a series.
    Plain,
    /// From a store that is kept from run to run and given back after the last: for many runs of one size.
    Arena,
}

/// ONNX Runtime, ready to make sessions. Cheap to load again in the same process.
#[derive(Debug, Clone)]
pub struct Runtime {
    environment: Environment,
    library: PathBuf,
    provider: Provider,
    threads: usize,
}

/// The library of this process and its environment: ONNX Runtime allows one.
static LOADED: Mutex<Option<(PathBuf, Environment)>> = Mutex::new(None);

impl Runtime {
    /// Finds and loads the library, and checks that the provider can be used.
    ///
    /// # Errors
    /// [`RuntimeError`], which names what was looked at.
    pub fn load(options: &RuntimeOptions) -> Result<Self, RuntimeError> {
        let lookup = lookup::look(options.library.as_deref());
        let looked_at = lookup.looked_at;
        let library = lookup.found.ok_or(RuntimeError::NotFound { looked_at })?;
        let environment = environment(&library)?;
        let threads = threads(options.threads);
        let runtime = Self { environment, library, provider: options.provider, threads };
        runtime.check_provider()?;
        if options.threads > 0 {
            // Our own loops keep to the same number; a pool that somebody made before stays as it is.
            let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads);
            let _made_before = pool.build_global();
        }
        Ok(runtime)
    }

    /// The version of the library.
    #[must_use]
    pub fn version(&self) -> String {
        version(ort::info(), &self.library)
    }

    /// Where the library is.
    #[must_use]
    pub fn library(&self) -> &Path {
        &self.library
    }

    /// What computes.
    #[must_use]
    pub fn provider(&self) -> Provider {
        self.provider
    }

    /// A session in the making: provider, threads and memory are set.
    pub(crate) fn session(&self, memory: Memory) -> Result<SessionBuilder, String> {
        let words = |error: ort::Error<SessionBuilder>| error.to_string();
        Session::builder(&self.environment)
            .map_err(|error| error.to_string())?
            .with_execution_providers(self.provider.dispatches(memory))
            .map_err(words)?
            .with_intra_threads(self.threads)
            .map_err(words)?
            .with_memory_pattern(false)
            .map_err(words)?
            // Threads that wait for work by turning round take it from ours and from other jobs.
            .with_intra_op_spinning(false)
            .map_err(words)
    }

    fn check_provider(&self) -> Result<(), RuntimeError> {
        let unavailable = |reason: String| RuntimeError::ProviderUnavailable {
            provider: self.provider,
            library: self.library.clone(),
            reason,
        };
        if !self.provider.is_in_library().map_err(|error| unavailable(error.to_string()))? {
            return Err(unavailable("the library was built without it".into()));
        }
        self.session(Memory::Plain).map(drop).map_err(unavailable)
    }
}

fn threads(asked: usize) -> usize {
    if asked > 0 { asked } else { thread::available_parallelism().map_or(1, usize::from) }
}

fn environment(library: &Path) -> Result<Environment, RuntimeError> {
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((path, environment)) = &*loaded {
        let same = path == library || path.canonicalize().ok() == library.canonicalize().ok();
        return if same {
            Ok(environment.clone())
        } else {
            let (library, loaded) = (library.into(), path.clone());
            Err(RuntimeError::AlreadyLoaded { library, loaded })
        };
    }
    let failed = |reason: String| RuntimeError::NotLoaded { library: library.into(), reason };
    let builder = ort::init_from(library).map_err(|error| failed(error.to_string()))?;
    let environment = builder
        .with_name("parsenode")
        .with_telemetry(false)
        .with_logger(Arc::new(log))
        .build()
        .map_err(|error| failed(error.to_string()))?;
    environment.set_log_level(LogLevel::Warning);
    *loaded = Some((library.into(), environment.clone()));
    Ok(environment)
}

/// The engine's log becomes ours.
fn log(level: LogLevel, _category: &str, _session: &str, at: &str, message: &str) {
    match level {
        LogLevel::Verbose | LogLevel::Info => tracing::debug!(at, "ONNX Runtime: {message}"),
        LogLevel::Warning => tracing::warn!(at, "ONNX Runtime: {message}"),
        LogLevel::Error | LogLevel::Fatal => tracing::error!(at, "ONNX Runtime: {message}"),
    }
}

/// The version: from the build's branch (`git-branch=rel-1.32.0`), else from the file's name, else all that is said about the build.
fn version(info: &str, library: &Path) -> String {
    let branch = info.split("git-branch=rel-").nth(1);
    let branch = branch.and_then(|text| text.split([',', ' ']).next());
    let is_version = |text: &&str| text.split('.').count() == 3;
    if let Some(version) = branch.filter(is_version) {
        return version.to_owned();
    }
    let file = library.canonicalize().unwrap_or_else(|_| library.into());
    let numbers: Vec<_> = lookup::version_in(&file).iter().map(u32::to_string).collect();
    if numbers.len() == 3 { numbers.join(".") } else { info.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_are_named_as_they_are_shown() {
        for provider in Provider::ALL {
            assert_eq!(provider.to_string().parse(), Ok(provider));
        }
        let error = "gpu".parse::<Provider>().unwrap_err().to_string();
        assert!(error.contains("\"gpu\"") && error.contains("tensorrt"), "{error}");
    }

    #[test]
    fn the_version_is_read_where_it_stands() {
        let info = "ORT Build Info: git-branch=rel-1.24.4, git-commit-id=c0ffee";
        assert_eq!(version(info, Path::new("x.so")), "1.24.4");
        let other = "ORT Build Info: git-branch=HEAD, git-commit-id=c0ffee";
        assert_eq!(version(other, Path::new("libonnxruntime.so.1.32.0")), "1.32.0");
        assert_eq!(version(other, Path::new("libonnxruntime.so")), other);
    }

    #[test]
    fn a_file_that_is_no_library_is_an_error_and_nothing_hangs() {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("libonnxruntime.so");
        std::fs::write(&library, b"no library").unwrap();
        let options = RuntimeOptions { library: Some(library), ..RuntimeOptions::default() };
        let error = Runtime::load(&options).unwrap_err();
        let refused =
            matches!(error, RuntimeError::NotLoaded { .. } | RuntimeError::AlreadyLoaded { .. });
        assert!(refused, "{error}");
    }

    #[test]
    fn a_missing_library_names_the_places() {
        let library = Some(PathBuf::from("/nowhere/libonnxruntime.so"));
        let options = RuntimeOptions { library, ..RuntimeOptions::default() };
        let error = Runtime::load(&options).unwrap_err().to_string();
        assert!(error.contains("/nowhere/libonnxruntime.so (named by the setting)"), "{error}");
    }
}
