//! From a slice to the square picture that a promptable model sees, and from its logits back to the pixels of the slice.
//!
//! The way there: the turn, zeros around the shorter axis, the model's side. The way back is the same in reverse, over
//! probabilities; who wants a mask sets the threshold last. Each generation has its own arithmetic, that of the programs with
//! which its networks were trained: [`Framing::picture_v1`] and [`Framing::plane_v2`] say which.
//!
//! Arrays in, arrays out. This module knows no ONNX Runtime, no catalogue, no files, and not what a prompt is. The same
//! input gives the same output on any number of threads.

mod axis;
mod back;
mod bicubic;
pub mod door;
mod framing;
mod instances;
mod levels;
mod packing;
mod parts;
mod patch;
mod probability;
mod reduce;
mod spline;
mod sums;
mod taps;
mod turn;
mod whole;
mod work;

pub(crate) use framing::{Framing, Generation};
pub(crate) use instances::{Instances, instances};
pub(crate) use levels::{Scale, Source, series_range};
pub(crate) use packing::{Plane, grey_rgb, neighbours, pack_v2};
pub(crate) use parts::boxes;
pub(crate) use patch::Patch;
pub(crate) use work::is_small;
