//! Instances made in memory: a stack of CT slices that each test bends in one place.

use std::path::PathBuf;
use std::sync::Arc;

use dataset::{DataSet, PixelDataAt, Vr, tags};
use domain::{
    InstanceIdentity, SeriesInstanceUid, SopClassUid, SopInstanceUid, StudyInstanceUid,
    TransferSyntaxUid,
};
use series::{Kept, SourceInstance};

const CT: &str = "1.2.840.10008.5.1.4.1.1.2";

/// A header of 20 columns and 10 rows without geometry.
pub(crate) fn header(modality: &str) -> DataSet {
    let mut set = DataSet::new();
    set.put_text(tags::MODALITY, Vr::CS, modality);
    set.put_uid(tags::FRAME_OF_REFERENCE_UID, "1.9");
    set.put_u16s(tags::ROWS, &[10]);
    set.put_u16s(tags::COLUMNS, &[20]);
    set
}

/// Adds the Image Plane attributes; (rows, columns) spacing 0.5 and 0.75 mm.
pub(crate) fn put_plane(set: &mut DataSet, position: [f64; 3], orientation: [f64; 6]) {
    set.put_decimals(tags::IMAGE_POSITION_PATIENT, &position);
    set.put_decimals(tags::IMAGE_ORIENTATION_PATIENT, &orientation);
    set.put_text(tags::PIXEL_SPACING, Vr::DS, "0.5\\0.75");
}

pub(crate) const AXIAL: [f64; 6] = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0];

/// A CT slice, HU.
pub(crate) fn slice(position: [f64; 3]) -> DataSet {
    let mut set = header("CT");
    put_plane(&mut set, position, AXIAL);
    set.put_text(tags::RESCALE_SLOPE, Vr::DS, "1");
    set.put_text(tags::RESCALE_INTERCEPT, Vr::DS, "-1024");
    set
}

/// Axial slices at these heights, in mm.
pub(crate) fn axial(heights: &[f64]) -> Vec<DataSet> {
    heights.iter().map(|z| slice([-100.0, -50.0, *z])).collect()
}

/// Wraps a header; the SOP Instance UID is `1.3.<number>`.
pub(crate) fn instance(header: DataSet, number: usize) -> SourceInstance {
    let frame_count = header.int(tags::NUMBER_OF_FRAMES).unwrap_or(1);
    SourceInstance {
        identity: InstanceIdentity {
            study: StudyInstanceUid::parse("1.1").unwrap(),
            series: SeriesInstanceUid::parse("1.2").unwrap(),
            sop_instance: SopInstanceUid::parse(&format!("1.3.{number}")).unwrap(),
            sop_class: SopClassUid::parse(CT).unwrap(),
            transfer_syntax: TransferSyntaxUid::parse("1.2.840.10008.1.2.1").unwrap(),
        },
        path: PathBuf::from("no-such-file"),
        header,
        pixel_data: Some(PixelDataAt {
            tag: tags::PIXEL_DATA,
            vr: Vr::OW,
            offset: 0,
            length: Some(400),
        }),
        frame_count: usize::try_from(frame_count).unwrap(),
        kept: Kept::default(),
    }
}

pub(crate) fn instances(headers: Vec<DataSet>) -> Vec<Arc<SourceInstance>> {
    let numbered = headers.into_iter().enumerate();
    numbered.map(|(index, header)| Arc::new(instance(header, index + 1))).collect()
}

/// An Enhanced MR instance: shared spacing and orientation, one position a frame.
pub(crate) fn enhanced(positions: &[[f64; 3]]) -> DataSet {
    let item = |fill: &dyn Fn(&mut DataSet)| {
        let mut set = DataSet::new();
        fill(&mut set);
        set
    };
    let mut set = header("MR");
    set.put_text(tags::NUMBER_OF_FRAMES, Vr::IS, &positions.len().to_string());
    let measures = item(&|set| {
        set.put_text(tags::PIXEL_SPACING, Vr::DS, "0.5\\0.75");
        set.put_text(tags::SLICE_THICKNESS, Vr::DS, "4");
    });
    let orientation = item(&|set| set.put_decimals(tags::IMAGE_ORIENTATION_PATIENT, &AXIAL));
    let shared = item(&|set| {
        set.put_items(tags::PIXEL_MEASURES_SEQUENCE, vec![measures.clone()]);
        set.put_items(tags::PLANE_ORIENTATION_SEQUENCE, vec![orientation.clone()]);
    });
    set.put_items(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, vec![shared]);
    let frame = |(index, position): (usize, &[f64; 3])| {
        let plane = item(&|set| set.put_decimals(tags::IMAGE_POSITION_PATIENT, position));
        let values = item(&|set| {
            set.put_text(tags::RESCALE_SLOPE, Vr::DS, &(index + 1).to_string());
            set.put_text(tags::RESCALE_INTERCEPT, Vr::DS, "5");
            set.put_text(tags::RESCALE_TYPE, Vr::LO, "US");
        });
        item(&|set| {
            set.put_items(tags::PLANE_POSITION_SEQUENCE, vec![plane.clone()]);
            set.put_items(tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE, vec![values.clone()]);
        })
    };
    let frames = positions.iter().enumerate().map(frame).collect();
    set.put_items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, frames);
    set
}
