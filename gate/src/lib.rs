//! Our own rules over every result before it leaves: what public validators do not look at, too.
//!
//! [`check`] reads the files of one set of results as a stranger would, knows the source images by their UIDs and places
//! only, and gives back a [`Fault`] for each rule that is broken. What has a fault is not sent.
//!
//! | file | asks |
//! |---|---|
//! | `module.rs`, `tables/` | attribute types, value representations and enumerated values of PS3.3, as data; strangers |
//! | `codes.rs` | that each coded concept is known, and fits its attributes |
//! | `rle.rs` | fragments, offset table and code of what is in RLE Lossless |
//! | `segmentation.rs`, `frames.rs` | segments, dimensions, places, derivation, pixel length (§A.51, §C.8.20) |
//! | `report.rs`, `group.rs` | TID 1500 row by row, references, evidence, units, regions (PS3.16) |
//! | `set.rs` | that the files of a set belong together |
//!
//! This room reads bytes that are already in memory, and knows neither how results are written nor where they go.

mod codes;
mod evidence;
mod fault;
mod frames;
mod group;
mod instance;
mod module;
mod report;
mod rle;
mod segmentation;
mod set;
mod tables;
mod tree;

pub use evidence::{Evidence, SourceImage};
pub use fault::Fault;
pub use set::check;
