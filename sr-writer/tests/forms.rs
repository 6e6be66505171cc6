//! The kinds of Segmentations, frame caps, and sources without a place in the patient.
#![expect(clippy::unwrap_used, reason = "tests")]

mod made;

use std::num::NonZeroUsize;

use dataset::{DataSet, Vr};
use domain::{Findings, Limits, Probabilities, Segment, SourceGrid, TransferSyntaxUid};
use series::SourceSeries;
use sr_writer::{
    LabelMapCoding, ResultSet, SegmentationForm, SegmentationKind, WriteContext, effective_form,
    recode_file,
};

use made::{
    bone, context, findings, header, instance, left_lung, liver_tumor, parse, segment, series, tags,
};

const LABELMAP: SegmentationForm = form(SegmentationKind::Labelmap);
const FRACTIONAL: SegmentationForm = form(SegmentationKind::Fractional);

const fn form(kind: SegmentationKind) -> SegmentationForm {
    SegmentationForm { kind, frames_max: None, keep_empty_frames: false }
}

fn write(source: &SourceSeries, findings: &Findings, form: SegmentationForm) -> ResultSet {
    let mut context = context();
    context.form = form;
    sr_writer::write(findings, source, &context).unwrap()
}

/// Two segments side by side, in slices 1 to 3 and in slice 3.
fn apart(source: &SourceSeries) -> Vec<Segment> {
    let values = vec![10.0; source.grid.size().iter().product()];
    vec![
        segment(left_lung(), source, &values, |[i, j, k], _| {
            (1..=3).contains(&k) && i < 2 && j < 4
        }),
        segment(liver_tumor(), source, &values, |[i, j, k], _| k == 3 && i == 6 && j > 2),
    ]
}

fn frames(set: &DataSet) -> &[DataSet] {
    set.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE)
}

fn int(set: &DataSet, tag: domain::Tag) -> i64 {
    set.int(tag).unwrap()
}

fn seg(results: &ResultSet) -> (DataSet, Vec<u8>) {
    parse(&results.segmentations[0].file)
}

/// Segment Numbers that the groups of a report refer to, with their instance.
fn references(results: &ResultSet) -> Vec<(String, i64)> {
    fn collect(set: &DataSet, found: &mut Vec<(String, i64)>) {
        for item in set.items(tags::REFERENCED_SOP_SEQUENCE) {
            if let Some(number) = item.int(tags::REFERENCED_SEGMENT_NUMBER) {
                found.push((item.text(tags::REFERENCED_SOP_INSTANCE_UID).unwrap(), number));
            }
        }
        set.items(tags::CONTENT_SEQUENCE).iter().for_each(|child| collect(child, found));
    }
    let mut found = Vec::new();
    collect(&parse(&results.report.file).0, &mut found);
    found
}

#[test]
fn a_label_map_has_a_frame_a_slice_and_says_what_the_background_is() {
    let source = series(|_| {});
    let results = write(&source, &findings(&source, apart(&source)), LABELMAP);
    let (set, pixels) = seg(&results);
    let class = results.segmentations[0].identity.sop_class.as_str().to_owned();
    assert_eq!(class, "1.2.840.10008.5.1.4.1.1.66.7");
    assert_eq!(set.text(tags::SEGMENTATION_TYPE).as_deref(), Some("LABELMAP"));
    assert_eq!((int(&set, tags::NUMBER_OF_FRAMES), frames(&set).len()), (3, 3));
    assert_eq!((int(&set, tags::BITS_ALLOCATED), int(&set, tags::HIGH_BIT)), (8, 7));
    assert_eq!(int(&set, tags::PIXEL_PADDING_VALUE), 0);
    let numbers: Vec<_> = set
        .items(tags::SEGMENT_SEQUENCE)
        .iter()
        .map(|item| int(item, tags::SEGMENT_NUMBER))
        .collect();
    assert_eq!(numbers, [1, 2, 0]);
    assert!(frames(&set).iter().all(|f| f.items(tags::SEGMENT_IDENTIFICATION_SEQUENCE).is_empty()));
    // Slice 3 is the third frame: row 3 has columns 0, 1 of the first and column 6 of the second segment.
    assert_eq!(pixels[2 * 35 + 3 * 7..2 * 35 + 4 * 7], [1, 1, 0, 0, 0, 0, 2]);
    assert_eq!(pixels.len(), 106, "odd, so padded");
}

#[test]
fn what_overlaps_is_no_label_map_and_the_same_instance_as_binary() {
    let source = series(|_| {});
    let mut segments = apart(&source);
    segments.push(segments[0].clone());
    let findings = findings(&source, segments);
    assert_eq!(effective_form(&findings, LABELMAP), SegmentationForm::default());
    let wanted = write(&source, &findings, SegmentationForm::default());
    assert_eq!(write(&source, &findings, LABELMAP), wanted);
    let coded = WriteContext { form: LABELMAP, label_maps: LabelMapCoding::Rle, ..context() };
    assert_eq!(sr_writer::write(&findings, &source, &coded).unwrap(), wanted);
    assert_eq!(seg(&wanted).0.text(tags::SEGMENTS_OVERLAP).as_deref(), Some("YES"));
}

#[test]
fn more_than_255_segments_take_two_bytes_a_pixel() {
    // 256 segments of one pixel each, in 7 x 5 x 8 voxels.
    let instances: Vec<_> =
        (0..8).map(|k| instance(header(k), &format!("1.3.{}", k + 1), 1)).collect();
    let source = series::assemble(&instances, &Limits::default()).unwrap();
    let values = vec![10.0; 280];
    let one =
        |n: usize| segment(bone(), &source, &values, move |[i, j, k], _| (k * 5 + j) * 7 + i == n);
    let results = write(&source, &findings(&source, (0..256).map(one).collect()), LABELMAP);
    let (set, pixels) = seg(&results);
    assert_eq!(int(&set, tags::BITS_ALLOCATED), 16);
    assert_eq!(pixels[255 * 2..257 * 2], [0, 1, 0, 0], "256, then background");
}

#[test]
fn a_label_map_is_shown_with_the_frames_of_its_segments() {
    let source = series(|_| {});
    let findings = findings(&source, apart(&source));
    let frames = |file: &[u8]| -> Vec<String> {
        let table = sr_writer::show(file).unwrap();
        let last = |line: &str| line.split_whitespace().last().unwrap_or_default().to_owned();
        table.lines().skip(1).map(last).collect()
    };
    let mut context = context();
    for label_maps in [LabelMapCoding::Plain, LabelMapCoding::Rle] {
        (context.form, context.label_maps) = (LABELMAP, label_maps);
        let results = sr_writer::write(&findings, &source, &context).unwrap();
        assert_eq!(frames(&results.segmentations[0].file), ["3", "1", "3"], "{label_maps:?}");
    }
    let to = TransferSyntaxUid::parse("1.2.840.10008.1.2").unwrap();
    let results = sr_writer::write(&findings, &source, &context).unwrap();
    let implicit = recode_file(&results.segmentations[0], &to).unwrap();
    assert_eq!(frames(&implicit), ["?"; 3], "not read in this transfer syntax");
}

#[test]
fn a_label_map_in_rle_is_the_same_in_every_transfer_syntax() {
    let source = series(|_| {});
    let findings = findings(&source, apart(&source));
    let plain = &write(&source, &findings, LABELMAP).segmentations[0];
    let mut context = context();
    (context.form, context.label_maps) = (LABELMAP, LabelMapCoding::Rle);
    let coded = &sr_writer::write(&findings, &source, &context).unwrap().segmentations[0];
    assert_eq!(coded.identity.transfer_syntax.as_str(), "1.2.840.10008.1.2.5");
    for uid in ["1.2.1", "1.2", "1.2.1.99", "1.2.5", "1.2.8.1"] {
        let to = TransferSyntaxUid::parse(&format!("1.2.840.10008.{uid}")).unwrap();
        assert_eq!(recode_file(coded, &to).unwrap(), recode_file(plain, &to).unwrap(), "{uid}");
    }
    let rle = TransferSyntaxUid::parse("1.2.840.10008.1.2.5").unwrap();
    assert_eq!(recode_file(plain, &rle).unwrap(), coded.file);
    let explicit = TransferSyntaxUid::parse("1.2.840.10008.1.2.1").unwrap();
    assert_eq!(recode_file(coded, &explicit).unwrap(), plain.file);
}

#[test]
fn fractional_keeps_probabilities_and_counts_masks_without_as_sure() {
    let source = series(|_| {});
    let mut segments = apart(&source);
    let mut slices = vec![None; 6];
    slices[1] = Some((0..35).collect::<Vec<u8>>());
    slices[5] = Some(vec![7; 35]);
    segments[0].probabilities = Some(Probabilities { slices });
    let (set, pixels) = seg(&write(&source, &findings(&source, segments), FRACTIONAL));
    assert_eq!(set.text(tags::SEGMENTATION_FRACTIONAL_TYPE).as_deref(), Some("PROBABILITY"));
    assert_eq!(int(&set, tags::MAXIMUM_FRACTIONAL_VALUE), 255);
    assert_eq!(int(&set, tags::NUMBER_OF_FRAMES), 3, "two of probabilities, one of a mask");
    assert!(pixels[..35].iter().enumerate().all(|(n, value)| usize::from(*value) == n));
    assert_eq!(pixels[35..70], [7; 35]);
    assert_eq!(pixels[70 + 3 * 7..70 + 4 * 7], [0, 0, 0, 0, 0, 0, 255]);
}

#[test]
fn a_cap_on_frames_splits_by_segments_and_the_report_finds_each() {
    let source = series(|_| {});
    let findings = findings(&source, apart(&source));
    let capped = |most| SegmentationForm {
        frames_max: NonZeroUsize::new(most),
        ..SegmentationForm::default()
    };
    assert_eq!(effective_form(&findings, capped(4)), SegmentationForm::default(), "all fit");
    let results = write(&source, &findings, capped(3));
    let counts: Vec<_> = results
        .segmentations
        .iter()
        .map(|result| int(&parse(&result.file).0, tags::NUMBER_OF_FRAMES))
        .collect();
    assert_eq!(counts, [3, 1]);
    let uids: Vec<_> =
        results.segmentations.iter().map(|r| r.identity.sop_instance.to_string()).collect();
    assert_eq!(references(&results), [(uids[0].clone(), 1), (uids[1].clone(), 1)]);
    // A label map of three frames where two are wanted is BINARY, split.
    let kind = SegmentationKind::Labelmap;
    let form = effective_form(&findings, SegmentationForm { kind, ..capped(2) });
    assert_eq!((form.kind, form.frames_max), (SegmentationKind::Binary, NonZeroUsize::new(2)));
}

#[test]
fn empty_frames_are_kept_where_a_viewer_needs_them() {
    let source = series(|_| {});
    let findings = findings(&source, apart(&source));
    for (kind, frames) in [(SegmentationKind::Binary, 12), (SegmentationKind::Labelmap, 6)] {
        let form = SegmentationForm { kind, frames_max: None, keep_empty_frames: true };
        let (set, _) = seg(&write(&source, &findings, form));
        assert_eq!(int(&set, tags::NUMBER_OF_FRAMES), frames);
    }
}

#[test]
fn other_forms_and_other_content_are_other_instances_of_the_same_findings() {
    let source = series(|_| {});
    let base = findings(&source, apart(&source));
    let uid = |results: &ResultSet| results.segmentations[0].identity.sop_instance.clone();
    let report = |results: &ResultSet| results.report.identity.sop_instance.clone();
    let tracking = |results: &ResultSet| {
        let (set, _) = seg(results);
        let items = set.items(tags::SEGMENT_SEQUENCE).iter();
        items.filter_map(|item| item.text(tags::TRACKING_UID)).collect::<Vec<_>>()
    };
    let binary = write(&source, &base, SegmentationForm::default());
    for form in [LABELMAP, FRACTIONAL] {
        let other = write(&source, &base, form);
        assert_ne!((uid(&other), report(&other)), (uid(&binary), report(&binary)));
        assert_eq!(tracking(&other), tracking(&binary), "the findings are the same");
    }
    let mut other_pixels = base.clone();
    other_pixels.input_sha256 = "1".repeat(64);
    let form = SegmentationForm::default();
    assert_ne!(report(&write(&source, &other_pixels, form)), report(&binary));
    let renamed = series(|header| header.put_text(tags::PATIENT_NAME, Vr::PN, "Corrected"));
    assert_ne!(report(&write(&renamed, &base, form)), report(&binary));
}

#[test]
fn frames_without_a_place_refer_to_their_source_and_nothing_else() {
    let mut cine = header(0);
    for tag in [
        tags::FRAME_OF_REFERENCE_UID,
        tags::IMAGE_ORIENTATION_PATIENT,
        tags::IMAGE_POSITION_PATIENT,
        tags::PIXEL_SPACING,
    ] {
        cine.remove(tag);
    }
    cine.put_text(tags::NUMBER_OF_FRAMES, Vr::IS, "5");
    let source = series::assemble(&[instance(cine, "1.3.1", 5)], &Limits::default()).unwrap();
    assert!(matches!(source.grid, SourceGrid::Frames(stack) if stack.size == [7, 5, 5]));
    let results = write(&source, &findings(&source, apart(&source)), SegmentationForm::default());
    let (set, _) = seg(&results);
    assert!(!set.contains(tags::FRAME_OF_REFERENCE_UID) && set.contains(tags::PATIENT_ORIENTATION));
    let numbers: Vec<_> = frames(&set)
        .iter()
        .map(|frame| {
            assert!(frame.items(tags::PLANE_POSITION_SEQUENCE).is_empty());
            let derivation = &frame.items(tags::DERIVATION_IMAGE_SEQUENCE)[0];
            int(&derivation.items(tags::SOURCE_IMAGE_SEQUENCE)[0], tags::REFERENCED_FRAME_NUMBER)
        })
        .collect();
    assert_eq!(numbers, [2, 3, 4, 4]);
    let tree = sr_writer::tree(&parse(&results.report.file).0);
    assert!(tree.contains("[TID 1410]") && !tree.contains("[TID 1411]"), "{tree}");
    assert!(tree.contains("Area: 24 pixels") && !tree.contains(" mm"), "{tree}");
}
