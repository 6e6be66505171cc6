//! The real binary on loopback against real peers. What is not installed is left out, and said so.
//!
//! `cargo xtask test` builds the binary and installs the peers first. `cargo xtask bench` runs the long versions
//! (module [`full`]) of what is short here.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests fail as tests do"
)]

mod ahead;
mod bad_input;
mod command_line;
mod commitment;
mod compressed;
mod delivery;
mod forms;
mod full;
mod harness;
mod identity;
mod kill;
mod memory;
mod nine_modalities;
mod outage;
mod prompts;
mod query_retrieve;
mod routing;
mod secure;
mod slow_sender;
mod small_disk;
mod support;
mod world;
