//! Frames whose bytes are written here: by the tests themselves, or by encoders of others.
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "tests")]

mod formats;
mod frames;
mod made;
#[path = "../python/mod.rs"]
mod python;
#[path = "../slices/mod.rs"]
mod slices;
mod streams;
