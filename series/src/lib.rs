//! The headers of a series become an ordered grid of slices.
//!
//! [`read_instances`] reads headers, [`facts()`] tells routing what it may ask, [`assemble`] orders the slices by position along
//! the normal and refuses, with a coded reason, what is no regular grid. This room reads no pixels, decodes no text
//! for people and knows nothing of networks, models or results.
//!
//! 2-D images, cine and other frames that claim no place in the patient (no instance has a Frame of Reference UID, a position, an
//! orientation or functional groups) become a stack of frames; whoever needs a place has to ask for it.
//!
//! ## Tolerances of the grid
//!
//! Each slice keeps its own exact Image Position (Patient); the affine grid that models see is a fit through them.
//!
//! | what | limit | beyond it |
//! |---|---|---|
//! | angle between the planes of two slices | [`ANGLE_MAX_RAD`] | mixed-orientation |
//! | relative difference of pixel spacings | [`SPACING_RELATIVE_MAX`] | mixed-grid |
//! | two slices nearer than | [`DUPLICATE_MAX_MM`] | duplicate-slice |
//! | distance of neighbours against the median | [`MISSING_SLICE_MIN`] times | gap (a slice is missing) |
//! | distance of neighbours against the median, and position against the grid | [`IRREGULAR_MAX`] of the slice spacing | gap (irregular) |
//! | position across the normal against the grid | [`SHIFT_MAX_PIXELS`] pixels or [`TILT_MAX_RAD`] | gantry-tilt if it grows evenly, else mixed-grid |

mod facts;
mod frame;
mod grid;
mod kept;
mod pixel_values;
mod placeless;
mod read;
mod source;
mod stack;

pub use facts::facts;
pub use grid::assemble;
pub use kept::Kept;
pub use read::{ReadFault, read_instances};
pub use source::{Place, SlicePosition, SourceInstance, SourceSeries, SourceSlice};
pub use stack::{
    ANGLE_MAX_RAD, DUPLICATE_MAX_MM, IRREGULAR_MAX, MISSING_SLICE_MIN, SHIFT_MAX_PIXELS,
    SPACING_RELATIVE_MAX, TILT_MAX_RAD,
};
