//! From the configuration to what each room takes.

use std::path::Path;

use config::Config;
use inference::{Provider, RuntimeOptions};
use sr_writer::Device;

use crate::failure::{Failure, Fault, OrFail};

/// Reads a configuration; all its faults in one failure, exit code 78.
pub(crate) fn load(path: &Path) -> Result<Config, Failure> {
    config::load(path).map_err(|faults| Failure::new(Fault::Configuration, faults))
}

/// How ONNX Runtime is to be loaded.
pub(crate) fn runtime_options(config: &Config) -> Result<RuntimeOptions, Failure> {
    let inference = &config.inference;
    let provider: Provider =
        inference.provider.parse().or_fail(Fault::Configuration, || "inference.provider")?;
    let library = inference.onnxruntime.clone();
    Ok(RuntimeOptions { library, provider, threads: inference.threads })
}

/// The equipment that results name, where no configuration says otherwise.
pub(crate) fn default_device() -> Device {
    Device {
        manufacturer: "parsenode".into(),
        model_name: "parsenode".into(),
        serial_number: "0".into(),
        software_version: env!("CARGO_PKG_VERSION").into(),
        station_name: None,
    }
}

/// The equipment that results name.
pub(crate) fn device(config: &Config) -> Device {
    Device {
        manufacturer: config.device.manufacturer.clone(),
        serial_number: config.device.serial_number.clone(),
        station_name: config.device.station_name.clone(),
        ..default_device()
    }
}
