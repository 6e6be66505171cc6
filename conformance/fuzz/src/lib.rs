//! What is fuzzed: one function for each kind of input that comes from outside. A panic is a finding.
//!
//! The fuzzer calls them with inputs that it makes up; `tests/tests/replay/` calls them with the inputs that are kept in
//! `corpus/` and `findings/`, in each run of the tests. They know nothing of either.

pub mod configuration;
pub mod data_sets;
pub mod files;
pub mod frames;
pub mod manifests;
pub mod messages;
pub mod pdus;
pub mod prompts;

/// A target: its name, and what it does with an input.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 8] = [
    ("pdus", pdus::run),
    ("messages", messages::run),
    ("data_sets", data_sets::run),
    ("files", files::run),
    ("frames", frames::run),
    ("configuration", configuration::run),
    ("manifests", manifests::run),
    ("prompts", prompts::run),
];
