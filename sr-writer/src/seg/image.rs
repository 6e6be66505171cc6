//! General Image, Image Pixel and Segmentation Image (PS3.3 §C.7.6.1, §C.7.6.3, §C.8.20.2), but for segments and pixels.

use dataset::{DataSet, Vr};

use super::label_map::sample_bytes;
use crate::iod::copy;
use crate::text::{LO_MAX, ascii, code_string};
use crate::work::Work;
use crate::{SegmentationKind, WriteError, tags};

/// Puts what describes the image as a whole.
pub(crate) fn put_segmentation_image(
    set: &mut DataSet,
    work: &Work<'_>,
    instance_number: usize,
) -> Result<(), WriteError> {
    set.put_texts(tags::IMAGE_TYPE, Vr::CS, &["DERIVED", "PRIMARY"]);
    set.put_text(tags::INSTANCE_NUMBER, Vr::IS, &instance_number.to_string());
    set.put_text(tags::CONTENT_DATE, Vr::DA, &work.created.date);
    set.put_text(tags::CONTENT_TIME, Vr::TM, &work.created.time);
    put_content_identification(set, work);
    put_image_pixel(set, work)?;
    put_lossy_compression(set, work);
    put_patient_orientation(set, work);
    set.put_text(tags::BURNED_IN_ANNOTATION, Vr::CS, "NO");
    put_segmentation_type(set, work);
    Ok(())
}

/// Type 2C: an image without a place in the patient says which way it is turned, or that this is unknown.
fn put_patient_orientation(set: &mut DataSet, work: &Work<'_>) {
    if work.source.place.is_none() {
        set.put_empty(tags::PATIENT_ORIENTATION, Vr::CS);
        copy(set, work.header, &[(tags::PATIENT_ORIENTATION, Vr::CS)]);
    }
}

fn put_segmentation_type(set: &mut DataSet, work: &Work<'_>) {
    set.put_text(tags::SEGMENTATION_TYPE, Vr::CS, work.form.kind.as_str());
    match work.form.kind {
        SegmentationKind::Binary | SegmentationKind::Labelmap => {}
        SegmentationKind::Fractional => {
            set.put_text(tags::SEGMENTATION_FRACTIONAL_TYPE, Vr::CS, "PROBABILITY");
            set.put_u16s(tags::MAXIMUM_FRACTIONAL_VALUE, &[u16::from(u8::MAX)]);
        }
    }
    let overlap = if work.overlap { "YES" } else { "NO" };
    set.put_text(tags::SEGMENTS_OVERLAP, Vr::CS, overlap);
}

fn put_content_identification(set: &mut DataSet, work: &Work<'_>) {
    let model = &work.findings.model;
    set.put_text(tags::CONTENT_LABEL, Vr::CS, &code_string(&model.name));
    let description = format!("{} {}", model.name, model.version);
    set.put_text(tags::CONTENT_DESCRIPTION, Vr::LO, &ascii(&description, LO_MAX));
    // No person made it. Type 3 since 2024, type 2 before: empty suits both.
    set.put_empty(tags::CONTENT_CREATOR_NAME, Vr::PN);
}

fn put_image_pixel(set: &mut DataSet, work: &Work<'_>) -> Result<(), WriteError> {
    let extent = |what, count: usize| {
        let most = usize::from(u16::MAX);
        u16::try_from(count).map_err(|_| WriteError::TooMany { what, count, most })
    };
    let [columns, rows, _] = work.source.grid.size();
    set.put_u16s(tags::SAMPLES_PER_PIXEL, &[1]);
    set.put_text(tags::PHOTOMETRIC_INTERPRETATION, Vr::CS, "MONOCHROME2");
    set.put_u16s(tags::ROWS, &[extent("Rows", rows)?]);
    set.put_u16s(tags::COLUMNS, &[extent("Columns", columns)?]);
    let bits = bits(work);
    set.put_u16s(tags::BITS_ALLOCATED, &[bits]);
    set.put_u16s(tags::BITS_STORED, &[bits]);
    set.put_u16s(tags::HIGH_BIT, &[bits - 1]);
    set.put_u16s(tags::PIXEL_REPRESENTATION, &[0]);
    if work.form.kind == SegmentationKind::Labelmap {
        set.put_u16s(tags::PIXEL_PADDING_VALUE, &[0]);
    }
    Ok(())
}

/// Bits Allocated.
pub(crate) fn bits(work: &Work<'_>) -> u16 {
    match work.form.kind {
        SegmentationKind::Binary => 1,
        SegmentationKind::Fractional => 8,
        SegmentationKind::Labelmap if sample_bytes(work.findings) == 1 => 8,
        SegmentationKind::Labelmap => 16,
    }
}

/// Once lossy, always lossy (PS3.3 §C.7.6.1.1.5): a source that was compressed with loss is named with ratio and method.
fn put_lossy_compression(set: &mut DataSet, work: &Work<'_>) {
    let headers = work.source.instances.iter().map(|instance| &instance.header);
    let is_lossy =
        |header: &&DataSet| header.text(tags::LOSSY_IMAGE_COMPRESSION).as_deref() == Some("01");
    match headers.clone().find(is_lossy) {
        Some(header) => copy(
            set,
            header,
            &[
                (tags::LOSSY_IMAGE_COMPRESSION, Vr::CS),
                (tags::LOSSY_IMAGE_COMPRESSION_RATIO, Vr::DS),
                (tags::LOSSY_IMAGE_COMPRESSION_METHOD, Vr::CS),
            ],
        ),
        None => set.put_text(tags::LOSSY_IMAGE_COMPRESSION, Vr::CS, "00"),
    }
}
