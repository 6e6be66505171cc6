//! Frames whose bytes are written here: by the tests themselves, or by encoders of others.
#![expect(clippy::unwrap_used, reason = "tests")]

mod formats;
mod frames;
mod made;
#[path = "../slices/mod.rs"]
mod slices;
