//! General Image, Image Pixel and Segmentation Image (PS3.3 §C.7.6.1, §C.7.6.3, §C.8.20.2), but for segments and pixels.

use dataset::{DataSet, Vr};
use domain::{Findings, SliceMask};

use crate::iod::copy;
use crate::text::{LO_MAX, ascii, code_string};
use crate::work::Work;
use crate::{WriteError, tags};

/// Puts what describes the image as a whole.
pub(crate) fn put_segmentation_image(set: &mut DataSet, work: &Work<'_>) -> Result<(), WriteError> {
    set.put_texts(tags::IMAGE_TYPE, Vr::CS, &["DERIVED", "PRIMARY"]);
    set.put_text(tags::INSTANCE_NUMBER, Vr::IS, "1");
    set.put_text(tags::CONTENT_DATE, Vr::DA, &work.created.date);
    set.put_text(tags::CONTENT_TIME, Vr::TM, &work.created.time);
    put_content_identification(set, work);
    put_image_pixel(set, work)?;
    put_lossy_compression(set, work);
    set.put_text(tags::BURNED_IN_ANNOTATION, Vr::CS, "NO");
    set.put_text(tags::SEGMENTATION_TYPE, Vr::CS, "BINARY");
    let overlap = if overlap(work.findings) { "YES" } else { "NO" };
    set.put_text(tags::SEGMENTS_OVERLAP, Vr::CS, overlap);
    Ok(())
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
    let [columns, rows, _] = work.source.geometry.size;
    set.put_u16s(tags::SAMPLES_PER_PIXEL, &[1]);
    set.put_text(tags::PHOTOMETRIC_INTERPRETATION, Vr::CS, "MONOCHROME2");
    set.put_u16s(tags::ROWS, &[extent("Rows", rows)?]);
    set.put_u16s(tags::COLUMNS, &[extent("Columns", columns)?]);
    set.put_u16s(tags::BITS_ALLOCATED, &[1]);
    set.put_u16s(tags::BITS_STORED, &[1]);
    set.put_u16s(tags::HIGH_BIT, &[0]);
    set.put_u16s(tags::PIXEL_REPRESENTATION, &[0]);
    Ok(())
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

/// Whether any voxel belongs to more than one segment.
fn overlap(findings: &Findings) -> bool {
    let slices = findings.segments.first().map_or(0, |segment| segment.mask.slices.len());
    (0..slices).any(|k| {
        let masks = findings.segments.iter().filter_map(|segment| segment.mask.slices[k].as_ref());
        overlap_in_slice(masks)
    })
}

fn overlap_in_slice<'a>(masks: impl Iterator<Item = &'a SliceMask>) -> bool {
    let mut taken: Vec<u8> = Vec::new();
    for mask in masks {
        if taken.is_empty() {
            taken.clone_from(&mask.bits);
            continue;
        }
        let mut shared = 0;
        for (taken, bits) in taken.iter_mut().zip(&mask.bits) {
            shared |= *taken & bits;
            *taken |= bits;
        }
        if shared != 0 {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(pixels: &[bool]) -> SliceMask {
        SliceMask::from_pixels(pixels).unwrap()
    }

    #[test]
    fn overlap_is_found_among_any_two() {
        let (a, b) = (mask(&[true, false, false]), mask(&[false, true, false]));
        let c = mask(&[false, true, true]);
        assert!(!overlap_in_slice([&a, &b].into_iter()));
        assert!(overlap_in_slice([&a, &b, &c].into_iter()));
        assert!(!overlap_in_slice([&a, &c].into_iter()));
        assert!(!overlap_in_slice([].into_iter()));
    }
}
