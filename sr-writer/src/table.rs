//! A Segmentation as a table that people can read.

use std::collections::BTreeMap;

use dataset::DataSet;
use domain::Tag;

use crate::tags;
use crate::tree::code;

/// How many frames show each Segment Number; `None`: it is not known.
pub(crate) type FrameCounts = Option<BTreeMap<i64, usize>>;

/// One row a segment: number, label, type, side, region, number of frames.
///
/// Frames of label maps belong to no segment; their numbers are not known here and shown as `?`. Patient and study
/// attributes are not shown.
#[must_use]
pub fn segments_table(segmentation: &DataSet) -> String {
    let is_label_map =
        segmentation.text(tags::SEGMENTATION_TYPE).is_some_and(|kind| kind == "LABELMAP");
    table(segmentation, &(!is_label_map).then(|| frames_of_segments(segmentation)))
}

/// The same with numbers of frames that are known from elsewhere.
pub(crate) fn table(segmentation: &DataSet, frames: &FrameCounts) -> String {
    let header = ["#", "segment", "type", "side", "region", "frames"].map(String::from);
    let segments = segmentation.items(tags::SEGMENT_SEQUENCE);
    let rows: Vec<_> = std::iter::once(header)
        .chain(segments.iter().map(|segment| row(segment, frames)))
        .collect();
    let widths: [usize; 6] = std::array::from_fn(|column| {
        rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0)
    });
    rows.iter().map(|row| line(row, widths)).collect()
}

fn line(row: &[String; 6], widths: [usize; 6]) -> String {
    let cells: Vec<_> =
        row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
    cells.join("  ").trim_end().to_owned() + "\n"
}

fn row(segment: &DataSet, frames: &FrameCounts) -> [String; 6] {
    let number = segment.int(tags::SEGMENT_NUMBER).unwrap_or(0);
    let first = |set: &DataSet, tag: Tag| set.items(tag).first().map(code).unwrap_or_default();
    let label = segment.text(tags::SEGMENT_LABEL).unwrap_or_default();
    let property_type = segment.items(tags::SEGMENTED_PROPERTY_TYPE_CODE_SEQUENCE).first();
    let side = property_type.and_then(|property_type| {
        let modifiers = property_type.items(tags::SEGMENTED_PROPERTY_TYPE_MODIFIER_CODE_SEQUENCE);
        modifiers.first()?.text(tags::CODE_MEANING)
    });
    [
        number.to_string(),
        label.chars().map(|c| if c.is_control() { ' ' } else { c }).collect(),
        property_type.map(code).unwrap_or_default(),
        side.unwrap_or_default(),
        first(segment, tags::ANATOMIC_REGION_SEQUENCE),
        shown_count(number, frames),
    ]
}

fn shown_count(number: i64, frames: &FrameCounts) -> String {
    let count = |frames: &BTreeMap<i64, usize>| frames.get(&number).copied().unwrap_or(0);
    frames.as_ref().map_or_else(|| "?".into(), |frames| count(frames).to_string())
}

/// How many frames each Segment Number has.
fn frames_of_segments(segmentation: &DataSet) -> BTreeMap<i64, usize> {
    let mut counts = BTreeMap::new();
    for frame in segmentation.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE) {
        let segment = frame.items(tags::SEGMENT_IDENTIFICATION_SEQUENCE).first();
        if let Some(number) = segment.and_then(|s| s.int(tags::REFERENCED_SEGMENT_NUMBER)) {
            *counts.entry(number).or_insert(0) += 1;
        }
    }
    counts
}
