//! `cargo xtask …`: set-up, demo, tests and measurements, so that the README needs two commands.
//!
//! This room builds and drives the product from outside; the product knows nothing of it.

mod bench;
mod check;
mod conformance;
mod demo;
mod dependencies;
mod fuzz;
mod licences;
mod matrix;
mod metadata;
mod onnx_runtime;
mod receive;
mod report;
mod setup;
mod share;
mod tree;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tests::Phantom;

/// Set-up, demo, tests and measurements of parsenode.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 100)]
struct Cli {
    /// What to do.
    #[command(subcommand)]
    command: Task,
}

/// The tasks.
#[derive(Debug, Subcommand)]
enum Task {
    /// Brings ONNX Runtime into target/onnxruntime; quick when it is there.
    Runtime,
    /// Runs the main job: sends a study to a node, and shows what comes back to an archive.
    Demo {
        /// A folder with a CT study. Without it: a phantom that the program makes itself.
        #[arg(value_name = "DICOM FOLDER")]
        folder: Option<PathBuf>,
    },
    /// Writes a phantom CT series into a folder, to try things with.
    Phantom {
        /// The folder.
        folder: PathBuf,
        /// Patients, studies and noise of different seeds are different.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Number of slices.
        #[arg(long, default_value_t = 40)]
        slices: usize,
        /// Rows and columns of a slice.
        #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u16).range(1..))]
        size: u16,
    },
    /// Installs what the tests need and runs all of them.
    Test {
        /// Leaves out what needs programs of others: no installation, no validators, no peers.
        #[arg(long)]
        fast: bool,
    },
    /// Runs the validators over objects that the real binary makes.
    Conformance,
    /// Measures one thing; without a name, lists what can be measured.
    Bench {
        /// What to measure.
        name: Option<String>,
        /// More, where a measurement takes more: `receive --quick`, `fuzz SECONDS [TARGET]`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        more: Vec<String>,
    },
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Task::Runtime => {
            onnx_runtime::bring().map(|path| report::line(&path.display().to_string()))
        }
        Task::Demo { folder } => demo::run(folder.as_deref()),
        Task::Phantom { folder, seed, slices, size } => {
            let size = usize::from(size);
            let phantom = Phantom { seed, slices, columns: size, rows: size, ..Phantom::demo() };
            phantom.write(&folder).map(drop)
        }
        Task::Test { fast } => check::run(fast),
        Task::Conformance => conformance::run_alone(),
        Task::Bench { name, more } => bench::run(name.as_deref(), &more),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::line(&format!("\nxtask: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
