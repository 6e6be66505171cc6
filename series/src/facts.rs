//! What routing may ask of a series. Works on any DICOM, also on what [`crate::assemble`] refuses.

use std::collections::BTreeMap;
use std::sync::Arc;

use dataset::{DataSet, Element, Value, Vr, tags};
use domain::{AeTitle, GeometryFacts, Orientation, SeriesFacts, Tag};

use crate::SourceInstance;
use crate::frame::{Frame, frames_of};
use crate::grid::{frame_count, has_too_many_frames};
use crate::stack::{distances_mm, is_even, is_parallel, mean_mm, sort};

/// Longest value that rules may look at, in bytes.
const FACT_BYTES_MAX: usize = 256;

/// The facts of a series: attributes of its first instance, and what its geometry is.
///
/// Of a multi-frame instance the functional groups count as if they stood at the top: those that are shared,
/// and those of the first frame. The geometry is that of all instances with pixels; it tells no spacing when distances are unequal, and
/// nothing but the number of slices when there are more than a grid may have.
#[must_use]
pub fn facts(
    instances: &[Arc<SourceInstance>],
    calling: Option<AeTitle>,
    called: Option<AeTitle>,
) -> SeriesFacts {
    let attributes = instances.first().map(|first| attributes(&first.header)).unwrap_or_default();
    SeriesFacts { attributes, calling, called, geometry: geometry(instances) }
}

fn attributes(header: &DataSet) -> BTreeMap<Tag, Vec<String>> {
    let charset = Charset::of(header);
    let mut attributes = BTreeMap::new();
    add(&mut attributes, header, charset);
    for sequence in
        [tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE]
    {
        let Some(groups) = header.items(sequence).first() else { continue };
        for (group, _) in groups.iter() {
            if let Some(item) = groups.items(*group).first() {
                add(&mut attributes, item, charset);
            }
        }
    }
    attributes
}

fn add(attributes: &mut BTreeMap<Tag, Vec<String>>, set: &DataSet, charset: Charset) {
    for (tag, element) in set.iter() {
        if let Some(values) = values(set, *tag, element, charset) {
            attributes.entry(*tag).or_insert(values);
        }
    }
}

fn values(set: &DataSet, tag: Tag, element: &Element, charset: Charset) -> Option<Vec<String>> {
    let Value::Bytes(bytes) = &element.value else { return None };
    if bytes.len() > FACT_BYTES_MAX {
        return None;
    }
    let trimmed = |text: &str| text.trim_matches([' ', '\0']).to_owned();
    match element.vr {
        Vr::SH | Vr::LO | Vr::PN | Vr::UC => {
            Some(charset.decode(bytes).split('\\').map(trimmed).collect())
        }
        Vr::LT | Vr::ST | Vr::UT => Some(vec![trimmed(&charset.decode(bytes))]),
        Vr::UN => {
            // Private attributes in Implicit VR; what reads as text is text.
            let text = std::str::from_utf8(bytes).ok()?.trim_end_matches('\0');
            let is_text = text.chars().all(|c| !c.is_control());
            is_text.then(|| text.split('\\').map(trimmed).collect())
        }
        Vr::OB | Vr::OD | Vr::OF | Vr::OL | Vr::OV | Vr::OW | Vr::SQ => None,
        Vr::AE
        | Vr::AS
        | Vr::AT
        | Vr::CS
        | Vr::DA
        | Vr::DS
        | Vr::DT
        | Vr::FL
        | Vr::FD
        | Vr::IS
        | Vr::SL
        | Vr::SS
        | Vr::SV
        | Vr::TM
        | Vr::UI
        | Vr::UL
        | Vr::UR
        | Vr::US
        | Vr::UV => Some(set.texts(tag).iter().map(|text| trimmed(text)).collect()),
    }
}

/// How free text is encoded, as far as rules can read it: Latin-1 or UTF-8 (and ASCII, which is both).
#[derive(Clone, Copy)]
enum Charset {
    Latin1,
    Utf8,
}

impl Charset {
    fn of(header: &DataSet) -> Self {
        let declared = header.texts(tags::SPECIFIC_CHARACTER_SET);
        let latin1 = ["ISO_IR 100", "ISO 2022 IR 100"];
        let is_latin1 = |text: &String| latin1.contains(&text.trim());
        if declared.first().is_some_and(is_latin1) { Self::Latin1 } else { Self::Utf8 }
    }

    fn decode(self, bytes: &[u8]) -> String {
        match self {
            Self::Latin1 => bytes.iter().map(|byte| char::from(*byte)).collect(),
            Self::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
        }
    }
}

fn geometry(instances: &[Arc<SourceInstance>]) -> GeometryFacts {
    let images = || instances.iter().filter(|instance| instance.pixel_data.is_some());
    let slices = frame_count(instances);
    if has_too_many_frames(instances) {
        return GeometryFacts { slices, slice_spacing_mm: None, orientation: None };
    }
    let frames: Result<Vec<Vec<Frame>>, _> = images().map(frames_of).collect();
    let mut frames: Vec<Frame> =
        frames.map(Vec::into_iter).into_iter().flatten().flatten().collect();
    let orientation = instances
        .iter()
        .find_map(|instance| frames_of(instance).ok()?.into_iter().next())
        .map(|frame| Orientation::of_normal(frame.plane.normal()));
    GeometryFacts { slices, slice_spacing_mm: spacing_mm(&mut frames), orientation }
}

/// The mean distance, in mm, of parallel slices that lie evenly.
fn spacing_mm(frames: &mut [Frame]) -> Option<f64> {
    let first = frames.first()?.plane.clone();
    if !frames.iter().all(|frame| is_parallel(&first, &frame.plane)) {
        return None;
    }
    sort(frames);
    let distances = distances_mm(frames);
    is_even(&distances).then(|| mean_mm(&distances)).flatten()
}
