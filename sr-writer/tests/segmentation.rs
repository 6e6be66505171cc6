//! The Segmentation, attribute by attribute: also what validators do not see.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod made;

use dataset::{DataSet, Value, Vr};
use domain::{Findings, Mask, Segment, Tag};
use series::SourceSeries;
use sr_writer::{ResultInstance, WriteError};

use made::{context, findings, multi_frame_series, parse, series, tags, two_segments};

fn write(source: &SourceSeries) -> (DataSet, Vec<u8>) {
    parse(&segmentation(source, &findings(source, two_segments(source))).file)
}

fn segmentation(source: &SourceSeries, findings: &Findings) -> ResultInstance {
    sr_writer::write(findings, source, &context()).unwrap().segmentations.remove(0)
}

fn bytes(set: &DataSet, tag: Tag) -> &[u8] {
    match &set.get(tag).unwrap_or_else(|| panic!("no {tag}")).value {
        Value::Bytes(bytes) => bytes,
        Value::Items(_) => panic!("{tag} is a sequence"),
    }
}

/// The only item of a sequence.
fn item(set: &DataSet, tag: Tag) -> &DataSet {
    let items = set.items(tag);
    assert_eq!(items.len(), 1, "{tag}");
    &items[0]
}

fn code(set: &DataSet, tag: Tag) -> [String; 3] {
    let item = item(set, tag);
    [tags::CODE_VALUE, tags::CODING_SCHEME_DESIGNATOR, tags::CODE_MEANING]
        .map(|tag| item.text(tag).unwrap())
}

#[test]
fn frames_are_ordered_by_segment_then_position_and_lie_on_their_source() {
    let source = series(|_| {});
    let (set, _) = write(&source);
    assert_eq!(set.int(tags::NUMBER_OF_FRAMES), Some(5));
    let frames = set.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE);
    // Segment, slice, number of the position among those that occur: 0, 1, 2, 5.
    let expected = [(1, 0, 1), (1, 1, 2), (1, 2, 3), (2, 2, 3), (2, 5, 4)];
    assert_eq!(frames.len(), expected.len());
    for (frame, (segment, k, position)) in frames.iter().zip(expected) {
        let slice = &source.slices[k];
        let content = item(frame, tags::FRAME_CONTENT_SEQUENCE);
        assert_eq!(
            content.numbers(tags::DIMENSION_INDEX_VALUES),
            [f64::from(segment), f64::from(position)]
        );
        let identification = item(frame, tags::SEGMENT_IDENTIFICATION_SEQUENCE);
        assert_eq!(identification.int(tags::REFERENCED_SEGMENT_NUMBER), Some(segment.into()));
        let plane = item(frame, tags::PLANE_POSITION_SEQUENCE);
        assert_eq!(
            bytes(plane, tags::IMAGE_POSITION_PATIENT),
            slice.position.as_ref().unwrap().bytes
        );
        let derivation = item(frame, tags::DERIVATION_IMAGE_SEQUENCE);
        let derived = code(derivation, tags::DERIVATION_CODE_SEQUENCE);
        assert_eq!(derived, ["113076", "DCM", "Segmentation"]);
        let image = item(derivation, tags::SOURCE_IMAGE_SEQUENCE);
        let purpose = code(image, tags::PURPOSE_OF_REFERENCE_CODE_SEQUENCE);
        assert_eq!(purpose, ["121322", "DCM", "Source image for image processing operation"]);
        let identity = &slice.instance.identity;
        assert_eq!(
            image.text(tags::REFERENCED_SOP_INSTANCE_UID).unwrap(),
            identity.sop_instance.as_str()
        );
        assert_eq!(
            image.text(tags::REFERENCED_SOP_CLASS_UID).unwrap(),
            identity.sop_class.as_str()
        );
        assert_eq!(image.text(tags::SPATIAL_LOCATIONS_PRESERVED).unwrap(), "YES");
        assert!(!image.contains(tags::REFERENCED_FRAME_NUMBER));
    }
}

#[test]
fn shared_groups_keep_the_bytes_of_the_source() {
    for source in [series(|_| {}), multi_frame_series()] {
        let (set, _) = write(&source);
        let shared = item(&set, tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE);
        let measures = item(shared, tags::PIXEL_MEASURES_SEQUENCE);
        assert_eq!(bytes(measures, tags::PIXEL_SPACING), b"0.50\\0.75 ");
        assert_eq!(bytes(measures, tags::SLICE_THICKNESS), b"4 ");
        assert_eq!(measures.numbers(tags::SPACING_BETWEEN_SLICES), [2.5]);
        let orientation = item(shared, tags::PLANE_ORIENTATION_SEQUENCE);
        assert_eq!(bytes(orientation, tags::IMAGE_ORIENTATION_PATIENT), b"1\\0\\0\\0\\1\\0 ");
    }
}

#[test]
fn frames_of_a_multi_frame_source_are_named_by_number() {
    let (set, _) = write(&multi_frame_series());
    let frames = set.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE).iter();
    let number = |frame: &DataSet| {
        let derivation = item(frame, tags::DERIVATION_IMAGE_SEQUENCE);
        item(derivation, tags::SOURCE_IMAGE_SEQUENCE).int(tags::REFERENCED_FRAME_NUMBER)
    };
    assert_eq!(frames.map(number).collect::<Vec<_>>(), [1, 2, 3, 3, 6].map(Some));
    let series = item(&set, tags::REFERENCED_SERIES_SEQUENCE);
    assert_eq!(series.items(tags::REFERENCED_INSTANCE_SEQUENCE).len(), 1);
}

#[test]
fn pixels_are_the_masks() {
    let source = series(|_| {});
    let segments = two_segments(&source);
    let (set, pixels) = write(&source);
    assert_eq!(pixels.len(), (5 * 35_usize).div_ceil(16) * 2);
    assert_eq!((set.int(tags::ROWS), set.int(tags::COLUMNS)), (Some(5), Some(7)));
    assert_eq!((set.int(tags::BITS_ALLOCATED), set.int(tags::HIGH_BIT)), (Some(1), Some(0)));
    let frames = [(0, 0), (0, 1), (0, 2), (1, 2), (1, 5)];
    for (index, (segment, k)) in frames.into_iter().enumerate() {
        for pixel in 0..35 {
            let bit = index * 35 + pixel;
            let set = pixels[bit / 8] >> (bit % 8) & 1 == 1;
            let mask: &Mask = &segments[segment].mask;
            assert_eq!(set, mask.contains(pixel % 7, pixel / 7, k), "frame {index} pixel {pixel}");
        }
    }
}

#[test]
fn overlap_is_told() {
    let source = series(|_| {});
    let overlap = |segments: Vec<Segment>| {
        let (set, _) = parse(&segmentation(&source, &findings(&source, segments)).file);
        set.text(tags::SEGMENTS_OVERLAP).unwrap()
    };
    let mut segments = two_segments(&source);
    assert_eq!(overlap(segments.clone()), "YES");
    segments[1].mask.slices[2] = None;
    assert_eq!(overlap(segments), "NO");
}

#[test]
fn segments_say_what_they_are_and_who_drew_them() {
    let source = series(|_| {});
    let (set, _) = write(&source);
    let [lung, tumor] = set.items(tags::SEGMENT_SEQUENCE) else { panic!("not two segments") };
    assert_eq!(
        (lung.int(tags::SEGMENT_NUMBER), tumor.int(tags::SEGMENT_NUMBER)),
        (Some(1), Some(2))
    );
    assert_eq!(lung.text(tags::SEGMENT_LABEL).unwrap(), "Lung, left");
    let category = tags::SEGMENTED_PROPERTY_CATEGORY_CODE_SEQUENCE;
    assert_eq!(code(lung, category), ["91723000", "SCT", "Anatomical Structure"]);
    let property_type = tags::SEGMENTED_PROPERTY_TYPE_CODE_SEQUENCE;
    assert_eq!(code(lung, property_type), ["39607008", "SCT", "Lung"]);
    let modifier = tags::SEGMENTED_PROPERTY_TYPE_MODIFIER_CODE_SEQUENCE;
    assert_eq!(code(item(lung, property_type), modifier), ["7771000", "SCT", "Left"]);
    assert!(!lung.contains(modifier) && !lung.contains(tags::ANATOMIC_REGION_SEQUENCE));
    assert_eq!(code(tumor, tags::ANATOMIC_REGION_SEQUENCE), ["10200004", "SCT", "Liver"]);
    assert_eq!(lung.numbers(tags::RECOMMENDED_DISPLAY_CIE_LAB_VALUE).len(), 3);
    assert_eq!(lung.text(tags::TRACKING_ID).unwrap(), "Lung, left");
    assert_ne!(lung.text(tags::TRACKING_UID), tumor.text(tags::TRACKING_UID));
    assert_eq!(lung.text(tags::SEGMENT_ALGORITHM_TYPE).unwrap(), "AUTOMATIC");
    assert_eq!(lung.text(tags::SEGMENT_ALGORITHM_NAME).unwrap(), "test-model");
    let algorithm = item(lung, tags::SEGMENTATION_ALGORITHM_IDENTIFICATION_SEQUENCE);
    let family = code(algorithm, tags::ALGORITHM_FAMILY_CODE_SEQUENCE);
    assert_eq!(family, ["123110", "DCM", "Artificial Intelligence"]);
    assert_eq!(algorithm.text(tags::ALGORITHM_NAME).unwrap(), "test-model");
    assert_eq!(algorithm.text(tags::ALGORITHM_VERSION).unwrap(), "1.2.3");
    let hash = "0123456789abcdef".repeat(4);
    let parameters = format!("sha256={hash}; overlap=0.5; threshold=200");
    assert_eq!(algorithm.text(tags::ALGORITHM_PARAMETERS).unwrap(), parameters);
}

#[test]
fn only_instances_with_a_frame_are_referenced() {
    let source = series(|_| {});
    let (set, _) = write(&source);
    let series = item(&set, tags::REFERENCED_SERIES_SEQUENCE);
    assert_eq!(series.text(tags::SERIES_INSTANCE_UID).unwrap(), "1.2");
    let instances = series.items(tags::REFERENCED_INSTANCE_SEQUENCE).iter();
    let uids: Vec<_> =
        instances.map(|item| item.text(tags::REFERENCED_SOP_INSTANCE_UID).unwrap()).collect();
    assert_eq!(uids, ["1.3.1", "1.3.2", "1.3.3", "1.3.6"]);
}

#[test]
fn any_character_set_survives() {
    // Japanese by escape sequences (PS3.5 §H.3.1), Latin-1, and a source that names no character set.
    let japanese = b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B".as_slice();
    let cases: [(Option<&str>, &[u8]); 3] = [
        (Some("\\ISO 2022 IR 87"), japanese),
        (Some("ISO_IR 100"), b"M\xfcller^Anna"),
        (None, b"A^B^C"),
    ];
    for (character_set, name) in cases {
        let mut name = name.to_vec();
        name.resize(name.len().next_multiple_of(2), b' ');
        let source = series(|header| {
            header.remove(tags::SPECIFIC_CHARACTER_SET);
            if let Some(character_set) = character_set {
                header.put_bytes(tags::SPECIFIC_CHARACTER_SET, Vr::CS, padded(character_set));
            }
            header.put_bytes(tags::PATIENT_NAME, Vr::PN, name.clone());
        });
        let results =
            sr_writer::write(&findings(&source, two_segments(&source)), &source, &context())
                .unwrap();
        for result in results.instances() {
            let (set, _) = parse(&result.file);
            assert_eq!(bytes(&set, tags::PATIENT_NAME), name);
            let written = set.get(tags::SPECIFIC_CHARACTER_SET).map(|e| e.value.clone());
            assert_eq!(written, character_set.map(|text| Value::Bytes(padded(text))));
        }
    }
}

fn padded(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize(bytes.len().next_multiple_of(2), b' ');
    bytes
}

#[test]
fn series_and_equipment_are_ours() {
    let source = series(|header| header.put_text(tags::BODY_PART_EXAMINED, Vr::CS, "CHEST"));
    let (set, _) = write(&source);
    let text = |tag| set.text(tag).unwrap_or_default();
    assert_eq!(
        (text(tags::MODALITY).as_str(), text(tags::SERIES_NUMBER).as_str()),
        ("SEG", "9021")
    );
    assert_eq!(
        text(tags::SERIES_DESCRIPTION),
        "Thresholds and blocks for tests - not for diagnosis"
    );
    assert_eq!(text(tags::CONTENT_LABEL), "TEST_MODEL");
    assert_eq!(text(tags::CONTENT_QUALIFICATION), "RESEARCH");
    assert_eq!(text(tags::BODY_PART_EXAMINED), "CHEST");
    assert_eq!(text(tags::FRAME_OF_REFERENCE_UID), "1.9");
    assert_eq!(
        (text(tags::CONTENT_DATE).as_str(), text(tags::CONTENT_TIME).as_str()),
        ("20261123", "211045")
    );
    assert_eq!(text(tags::STATION_NAME), "NODE1");
    assert_eq!(text(tags::MANUFACTURER), "parsenode");
    let [scanner, node, algorithm] = set.items(tags::CONTRIBUTING_EQUIPMENT_SEQUENCE) else {
        panic!("not three")
    };
    assert_eq!(algorithm.text(tags::MANUFACTURER_MODEL_NAME).unwrap(), "test-model");
    assert_eq!(algorithm.text(tags::DEVICE_SERIAL_NUMBER).unwrap(), "0123456789abcdef".repeat(4));
    assert_eq!(scanner.text(tags::MANUFACTURER).unwrap(), "Scanners");
    let purpose = tags::PURPOSE_OF_REFERENCE_CODE_SEQUENCE;
    assert_eq!(code(scanner, purpose)[0], "109101");
    assert_eq!(code(node, purpose)[0], "109102");
    assert_eq!(node.text(tags::CONTRIBUTION_DATE_TIME).unwrap(), "20261123211045+0000");
}

#[test]
fn what_was_lossy_stays_lossy() {
    let (plain, _) = write(&series(|_| {}));
    assert_eq!(plain.text(tags::LOSSY_IMAGE_COMPRESSION).unwrap(), "00");
    let source = series(|header| {
        header.put_text(tags::LOSSY_IMAGE_COMPRESSION, Vr::CS, "01");
        header.put_text(tags::LOSSY_IMAGE_COMPRESSION_RATIO, Vr::DS, "12");
        header.put_text(tags::LOSSY_IMAGE_COMPRESSION_METHOD, Vr::CS, "ISO_15444_1");
    });
    let (lossy, _) = write(&source);
    assert_eq!(lossy.text(tags::LOSSY_IMAGE_COMPRESSION).unwrap(), "01");
    assert_eq!(lossy.text(tags::LOSSY_IMAGE_COMPRESSION_RATIO).unwrap(), "12");
}

#[test]
fn uids_follow_source_model_and_settings_and_nothing_else() {
    let source = series(|_| {});
    let base = findings(&source, two_segments(&source));
    let uid = |source: &SourceSeries, findings: &Findings| {
        segmentation(source, findings).identity.sop_instance
    };
    let first = uid(&source, &base);
    let mut shuffled = source.clone();
    shuffled.instances.reverse();
    assert_eq!(uid(&shuffled, &base), first);
    let mut later = context();
    later.created = domain::Moment::from_unix_millis(0);
    later.device.serial_number = "18".into();
    let again = sr_writer::write(&base, &source, &later).unwrap().segmentations.remove(0);
    assert_eq!(again.identity, segmentation(&source, &base).identity);
    let mut model = base.clone();
    model.model.sha256 = "f".repeat(64);
    let mut settings = base.clone();
    settings.parameters.pop();
    let mut fewer = source.clone();
    fewer.instances.pop();
    let others = [uid(&source, &model), uid(&source, &settings), uid(&fewer, &base)];
    assert!(others.iter().all(|other| *other != first));
    let all: std::collections::BTreeSet<_> = others.iter().collect();
    assert_eq!(all.len(), 3);
}

#[test]
fn what_does_not_fit_is_refused() {
    let source = series(|_| {});
    let refused = |change: &dyn Fn(&mut Segment)| {
        let mut segments = two_segments(&source);
        change(&mut segments[1]);
        sr_writer::write(&findings(&source, segments), &source, &context()).unwrap_err()
    };
    let error = refused(&|segment| segment.mask.slices.truncate(3));
    assert!(matches!(error, WriteError::MaskOffGrid { mask: [7, 5, 3], .. }), "{error}");
    let error = refused(&|segment| segment.mask.slices.iter_mut().for_each(|slice| *slice = None));
    assert!(matches!(error, WriteError::EmptySegment { .. }), "{error}");
    let error =
        refused(&|segment| segment.measurements.intensity.as_mut().unwrap().mean = f64::NAN);
    assert!(matches!(error, WriteError::NotFinite { .. }), "{error}");
    let error = refused(&|segment| segment.mask.slices[5].as_mut().unwrap().bits.push(0));
    assert!(matches!(error, WriteError::MaskBytes { k: 5, bytes: 6, expected: 5, .. }), "{error}");
    let mut cut = source.clone();
    cut.slices.pop();
    let error = sr_writer::write(&findings(&source, vec![]), &cut, &context()).unwrap_err();
    assert!(matches!(error, WriteError::SourceIncomplete { slices: 5, expected: 6 }), "{error}");
}

#[test]
fn stray_bits_behind_a_frame_do_not_reach_the_next() {
    let source = series(|_| {});
    let mut segments = two_segments(&source);
    let clean = segmentation(&source, &findings(&source, segments.clone()));
    for slice in segments[0].mask.slices.iter_mut().flatten() {
        *slice.bits.last_mut().unwrap() |= 0b1111_1000;
    }
    assert_eq!(segmentation(&source, &findings(&source, segments)).file, clean.file);
}

#[test]
fn labels_that_are_alike_are_tracked_apart() {
    let source = series(|_| {});
    let mut segments = two_segments(&source);
    segments[1].target.label = segments[0].target.label.clone();
    let (set, _) = parse(&segmentation(&source, &findings(&source, segments)).file);
    let ids: Vec<_> = set
        .items(tags::SEGMENT_SEQUENCE)
        .iter()
        .map(|s| s.text(tags::TRACKING_ID).unwrap())
        .collect();
    assert_eq!(ids, ["Lung, left 1", "Lung, left 2"]);
}

#[test]
fn a_segmentation_is_shown_as_a_table() {
    let source = series(|_| {});
    let file = segmentation(&source, &findings(&source, two_segments(&source))).file;
    let table = sr_writer::show(&file).unwrap();
    println!("{table}");
    let expected = "\
#  segment      type                         side  region                  frames
1  Lung, left   Lung (39607008, SCT)         Left                          3
2  Liver tumor  Neoplasm (108369006, SCT)          Liver (10200004, SCT)   2
";
    let squeeze = |text: &str| {
        text.lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect::<Vec<_>>()
    };
    assert_eq!(squeeze(&table), squeeze(expected));
}

#[test]
fn what_is_no_result_is_not_shown() {
    let source = series(|_| {});
    let file = segmentation(&source, &findings(&source, two_segments(&source))).file;
    let reason = |bytes: &[u8]| sr_writer::show(bytes).unwrap_err().to_string();
    assert_eq!(reason(b""), "not a DICOM file");
    assert_eq!(reason(&file[..100]), "not a DICOM file");
    assert!(reason(&file[..150]).starts_with("File Meta Information"), "{}", reason(&file[..150]));
    let mut other = DataSet::new();
    other.put_uid(tags::SOP_CLASS_UID, "1.2.3");
    let body = dataset::encode(&other);
    let meta =
        144 + usize::try_from(u32::from_le_bytes(file[140..144].try_into().unwrap())).unwrap();
    let reason = reason(&[&file[..meta], &body].concat());
    assert_eq!(reason, "neither a segmentation nor a structured report: SOP Class 1.2.3");
}
