//! What a model found becomes DICOM: a Segmentation and a structured report that refer to each other and to the source.
//!
//! [`write()`] is a pure function from findings, source series and context to the bytes of files. The Segmentation has one
//! segment a finding (PS3.3 §A.51) in the [`SegmentationForm`] that the context asks for; the report is a Comprehensive 3D SR
//! of template TID 1500 with one measurement group a segment (PS3.16). Both carry the patient and study attributes of the
//! source as raw bytes together with its Specific Character Set, so any character set survives; text of our own is ASCII.
//! [`show()`] reads such files back for people.
//!
//! This room knows no files, sockets, clocks or models. All UIDs are derived from source, model and settings, never
//! from time: the same work done twice gives the same instances.

mod coding;
mod companions;
mod context;
mod error;
mod iod;
mod parts;
mod recode;
mod result;
mod seg;
mod show;
mod sr;
mod table;

mod text;
mod tree;
mod uids;
mod work;

use domain::Findings;
use series::SourceSeries;

use dataset::tags;

pub use coding::is_known_code;
pub use companions::Backdrop;
pub use context::{Device, LabelMapCoding, WriteContext};
pub use domain::{Companions, SegmentationForm, SegmentationKind};
pub use error::WriteError;
pub use parts::effective_form;
pub use recode::{RecodeError, can_recode, recode_data_set, recode_file};
pub use result::{ResultInstance, ResultKind, ResultSet};
pub use show::{ShowError, show};
pub use table::segments_table;
pub use tree::tree;

use work::Work;

/// Slices that show something, at most so many, evenly spread; the middle one when nothing was found.
#[must_use]
pub fn chosen_slices(findings: &Findings, most: usize) -> Vec<usize> {
    let slice_count = findings.grid.size()[2];
    let shows = |k: &usize| findings.segments.iter().any(|s| s.mask.slices[*k].is_some());
    let shown: Vec<usize> = (0..slice_count).filter(shows).collect();
    if shown.is_empty() {
        return vec![slice_count / 2];
    }
    let count = shown.len().min(most.max(1));
    // The middles of equal parts, so that the very ends, which show little, are left out.
    (0..count).map(|n| shown[(2 * n + 1) * shown.len() / (2 * count)]).collect()
}

/// Makes the instances that say what was found. Without a segment there is a report only, which says what is absent.
///
/// # Errors
/// [`WriteError`] when masks and source series do not fit together, a measurement is not finite or a number exceeds
/// what its attribute can hold.
pub fn write(
    findings: &Findings,
    source: &SourceSeries,
    context: &WriteContext,
) -> Result<ResultSet, WriteError> {
    let work = Work::new(findings, source, context)?;
    let segmentations = seg::write(&work)?;
    let report = sr::write(&work)?;
    let results: Vec<_> =
        segmentations.iter().chain([&report]).map(|result| &result.identity).collect();
    let companions = companions::write(&work, &results)?;
    Ok(ResultSet { segmentations, report, companions })
}
