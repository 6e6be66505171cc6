//! `cargo xtask test`: everything that has to be good, in order, with a summary.

use std::process::Command;

use anyhow::Result;

use crate::metadata::Metadata;
use crate::report::Steps;
use crate::{conformance, dependencies, licences, onnx_runtime, setup, tree};

/// Runs all steps; with `fast` those only that need no program of others.
///
/// # Errors
/// When a step failed.
pub(crate) fn run(fast: bool) -> Result<()> {
    let mut steps = Steps::default();
    if !fast {
        steps.step("Debian packages", setup::debian_packages);
        steps.step("Python validators", setup::python_environment);
        steps.step("Python for models", setup::models_environment);
        steps.step("PixelMed", setup::pixelmed);
        steps.step("viewers' readers", setup::viewer_packages);
    }
    steps.step("ONNX Runtime", || onnx_runtime::bring().map(drop));
    steps.step("form", || tree::cargo(&["fmt", "--all", "--check"], &[]));
    steps.step("lints", || {
        let arguments =
            ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
        tree::cargo(&arguments, &[])
    });
    steps.step("licences and sources", || licences::check(&Metadata::read()?));
    steps.step("dependency table", || dependencies::check(&Metadata::read()?));
    steps.step("build", || tree::cargo(&["build", "--locked", "--package", "node"], &[]));
    steps.step("tests", || run_tests(fast));
    steps.step("documentation", || {
        let arguments = ["doc", "--workspace", "--no-deps", "--locked", "--document-private-items"];
        tree::cargo(&arguments, &[("RUSTDOCFLAGS", "-D warnings")])
    });
    if !fast {
        steps.step("shipped model", shipped_model);
        steps.step("exporter", exporter);
        steps.step("conformance", conformance::run);
    }
    steps.finish()
}

/// The committed model is byte for byte what its script makes.
fn shipped_model() -> Result<()> {
    let mut python = Command::new(setup::validators().join("venv/bin/python"));
    python.args(["-m", "parsenode_models.make_tissue_ct", "--check"]);
    tree::show(python.current_dir(tree::root().join("models")))
}

/// The tests of the Python package, which also make the committed tiny models anew and compare. None is left out but for the
/// labelled series, where they are not here.
fn exporter() -> Result<()> {
    let mut python = Command::new(setup::models().join("venv/bin/python"));
    tree::show(
        python.args(["-m", "pytest", "-q", "--no-skips"]).current_dir(tree::root().join("models")),
    )
}

/// The system tests look at `PARSENODE_FAST` and say what they leave out.
fn run_tests(fast: bool) -> Result<()> {
    let variables: &[(&str, &str)] = if fast { &[("PARSENODE_FAST", "1")] } else { &[] };
    tree::cargo(&["test", "--workspace", "--locked", "--quiet"], variables)
}
