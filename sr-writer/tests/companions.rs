//! What lies beside SEG and SR.
#![expect(clippy::unwrap_used, reason = "tests")]

mod made;

use dataset::{DataSet, Value};
use domain::Findings;
use series::SourceSeries;
use sr_writer::{Backdrop, Companions, ResultInstance, ResultKind, ResultSet, chosen_slices};

use made::{context, findings, parse, series, tags, two_segments};

const ALL: Companions = Companions {
    key_objects: true,
    secondary_capture: true,
    presentation_state: true,
    rejection_note: true,
};

fn write(source: &SourceSeries, findings: &Findings, companions: Companions) -> ResultSet {
    let mut context = context();
    context.companions = companions;
    context.backdrops = vec![Backdrop { k: 2, rgb: vec![100; 7 * 5 * 3] }];
    sr_writer::write(findings, source, &context).unwrap()
}

fn of_kind(results: &ResultSet, kind: ResultKind) -> &ResultInstance {
    results.companions.iter().find(|result| result.kind == kind).unwrap()
}

fn data_set(results: &ResultSet, kind: ResultKind) -> DataSet {
    parse(&of_kind(results, kind).file).0
}

#[test]
fn nobody_gets_what_nobody_asked_for() {
    let source = series(|_| {});
    let findings = findings(&source, two_segments(&source));
    assert!(write(&source, &findings, Companions::default()).companions.is_empty());
    let kinds: Vec<_> =
        write(&source, &findings, ALL).companions.iter().map(|result| result.kind).collect();
    let wanted =
        [ResultKind::SecondaryCapture, ResultKind::PresentationState, ResultKind::KeyObjects];
    assert_eq!(kinds, wanted, "no rejection note without anything to reject");
}

#[test]
fn key_objects_list_report_segmentation_and_images() {
    let source = series(|_| {});
    let findings = findings(&source, two_segments(&source));
    let results = write(&source, &findings, ALL);
    let set = data_set(&results, ResultKind::KeyObjects);
    let uid = |item: &DataSet| {
        item.items(tags::REFERENCED_SOP_SEQUENCE)
            .first()
            .and_then(|reference| reference.text(tags::REFERENCED_SOP_INSTANCE_UID))
    };
    let listed: Vec<String> = set.items(tags::CONTENT_SEQUENCE).iter().filter_map(uid).collect();
    let mut wanted: Vec<String> = results
        .segmentations
        .iter()
        .chain([&results.report])
        .map(|result| result.identity.sop_instance.to_string())
        .collect();
    wanted.extend(
        chosen_slices(&findings, 6)
            .iter()
            .map(|k| source.slices[*k].instance.identity.sop_instance.to_string()),
    );
    assert_eq!(listed, wanted);
}

#[test]
fn a_rejection_note_names_what_was_replaced() {
    let source = series(|_| {});
    let findings = findings(&source, two_segments(&source));
    let earlier = sr_writer::write(&findings, &source, &context()).unwrap();
    let mut context = context();
    context.companions = ALL;
    context.rejected = earlier.instances().map(|result| result.identity.clone()).collect();
    let results = sr_writer::write(&findings, &source, &context).unwrap();
    let tree = sr_writer::tree(&data_set(&results, ResultKind::RejectionNote));
    assert!(tree.starts_with("Rejected for Quality Reasons [TID 2010]"), "{tree}");
    let set = data_set(&results, ResultKind::RejectionNote);
    let references = set.items(tags::CONTENT_SEQUENCE).iter();
    let count = references.filter(|item| item.contains(tags::REFERENCED_SOP_SEQUENCE)).count();
    assert_eq!(count, 2, "SEG and SR");
}

#[test]
fn outlines_run_around_the_pixels_of_the_mask() {
    let source = series(|_| {});
    let findings = findings(&source, two_segments(&source));
    let set = data_set(&write(&source, &findings, ALL), ResultKind::PresentationState);
    let annotations = set.items(tags::GRAPHIC_ANNOTATION_SEQUENCE);
    assert_eq!(annotations.len(), 5, "as many as the Segmentation has frames");
    // The first segment: columns 3 to 6, rows 0 to 3; the centre of the first pixel is (1, 1).
    let object = &annotations[0].items(tags::GRAPHIC_OBJECT_SEQUENCE)[0];
    let Value::Bytes(bytes) = &object.get(tags::GRAPHIC_DATA).unwrap().value else {
        unreachable!("FL")
    };
    let (numbers, _) = bytes.as_chunks::<4>();
    let points: Vec<f32> = numbers.iter().map(|number| f32::from_le_bytes(*number)).collect();
    assert_eq!(points, [3.5, 0.5, 7.5, 0.5, 7.5, 4.5, 3.5, 4.5, 3.5, 0.5]);
    assert_eq!(object.int(tags::NUMBER_OF_GRAPHIC_POINTS), Some(5));
}

#[test]
fn colour_has_no_grayscale_presentation_state() {
    let source = series(|header| header.put_u16s(tags::SAMPLES_PER_PIXEL, &[3]));
    let findings = findings(&source, two_segments(&source));
    let results = write(&source, &findings, ALL);
    assert!(results.companions.iter().all(|r| r.kind != ResultKind::PresentationState));
}

#[test]
fn captures_are_marked_and_have_the_colour_of_the_mask() {
    let source = series(|_| {});
    let findings = findings(&source, two_segments(&source));
    let results = write(&source, &findings, ALL);
    let (set, pixels) = parse(&of_kind(&results, ResultKind::SecondaryCapture).file);
    assert_eq!(set.text(tags::BURNED_IN_ANNOTATION).as_deref(), Some("YES"));
    assert!(set.text(tags::SERIES_DESCRIPTION).unwrap().contains("not for diagnosis"));
    let columns = usize::try_from(set.int(tags::COLUMNS).unwrap()).unwrap();
    assert_eq!(columns, 7 * 8, "enlarged, at most eight times");
    // Column 5, row 3 is in the first segment, whose lower border is below it; row 4 is in none.
    let pixel = |i: usize, j: usize| &pixels[((j * 8 + 4) * columns + i * 8 + 4) * 3..][..3];
    assert_ne!(pixel(5, 3), [100; 3]);
    assert_eq!(pixel(5, 4), [100; 3]);
}

#[test]
fn a_backdrop_of_another_size_is_not_drawn_on() {
    let source = series(|_| {});
    let findings = findings(&source, two_segments(&source));
    let mut context = context();
    context.companions = ALL;
    context.backdrops =
        vec![Backdrop { k: 2, rgb: vec![100; 7] }, Backdrop { k: 99, rgb: vec![100; 7 * 5 * 3] }];
    let results = sr_writer::write(&findings, &source, &context).unwrap();
    assert!(results.companions.iter().all(|r| r.kind != ResultKind::SecondaryCapture));
}
