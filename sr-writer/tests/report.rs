//! The report, item by item: also what validators do not see.
#![expect(clippy::unwrap_used, reason = "tests")]

mod made;

use dataset::{DataSet, Vr};
use domain::{
    Findings, IntensityUnit, Predecessor, SeriesInstanceUid, SopClassUid, SopInstanceUid,
    StudyInstanceUid, Tag,
};
use series::SourceSeries;

use made::{context, findings, multi_frame_series, parse, series, tags, two_segments};

fn report(source: &SourceSeries, findings: &Findings) -> DataSet {
    parse(&sr_writer::write(findings, source, &context()).unwrap().report.file).0
}

fn full(source: &SourceSeries) -> DataSet {
    report(source, &findings(source, two_segments(source)))
}

/// Items of a path of concept names, given by Code Value, below a content item.
fn find<'a>(item: &'a DataSet, path: &[&str]) -> Vec<&'a DataSet> {
    let Some((name, rest)) = path.split_first() else { return vec![item] };
    let named = |child: &&DataSet| code_value(child, tags::CONCEPT_NAME_CODE_SEQUENCE) == *name;
    let children = item.items(tags::CONTENT_SEQUENCE).iter().filter(named);
    children.flat_map(|child| find(child, rest)).collect()
}

fn one<'a>(item: &'a DataSet, path: &[&str]) -> &'a DataSet {
    let found = find(item, path);
    assert_eq!(found.len(), 1, "{path:?}");
    found[0]
}

fn code_value(item: &DataSet, tag: Tag) -> String {
    item.items(tag).first().and_then(|code| code.text(tags::CODE_VALUE)).unwrap_or_default()
}

const GROUP: [&str; 2] = ["126010", "125007"];

#[test]
fn the_whole_tree() {
    let source = series(|_| {});
    let tree = sr_writer::tree(&full(&source));
    let device = domain::derive_uid(&["device", &"0123456789abcdef".repeat(4)]);
    let expected = include_str!("report.txt").replace("DEVICE", &device);
    // The UIDs of this answer are other tests' business.
    let known = |text: &str| text == device || text == "1.2" || text == "1.9";
    let word = |word: &str| {
        let is_uid = word.starts_with("2.25.") && !known(word);
        if is_uid { "UID".to_owned() } else { word.to_owned() }
    };
    let line = |line: &str| line.split(' ').map(word).collect::<Vec<_>>().join(" ");
    let tree: Vec<_> = tree.lines().map(line).collect();
    assert_eq!(tree.join("\n"), expected.trim_end(), "\n{}", tree.join("\n"));
}

#[test]
fn groups_refer_to_segments_by_instance_number_and_tracking() {
    let source = series(|_| {});
    let results =
        sr_writer::write(&findings(&source, two_segments(&source)), &source, &context()).unwrap();
    let (seg, _) = parse(&results.segmentations[0].file);
    let (sr, _) = parse(&results.report.file);
    let groups = find(&sr, &GROUP);
    let segments = seg.items(tags::SEGMENT_SEQUENCE);
    assert_eq!((groups.len(), segments.len()), (2, 2));
    for (group, segment) in groups.iter().zip(segments) {
        let template = &group.items(tags::CONTENT_TEMPLATE_SEQUENCE)[0];
        assert_eq!(template.text(tags::TEMPLATE_IDENTIFIER).unwrap(), "1411");
        assert_eq!(template.text(tags::MAPPING_RESOURCE).unwrap(), "DCMR");
        assert_eq!(one(group, &["112040"]).text(tags::UID), segment.text(tags::TRACKING_UID));
        let identifier = one(group, &["112039"]).text(tags::TEXT_VALUE);
        assert_eq!(identifier, segment.text(tags::TRACKING_ID));
        let reference = &one(group, &["121191"]).items(tags::REFERENCED_SOP_SEQUENCE)[0];
        let number = reference.int(tags::REFERENCED_SEGMENT_NUMBER);
        assert_eq!(number, segment.int(tags::SEGMENT_NUMBER));
        let instance = reference.text(tags::REFERENCED_SOP_INSTANCE_UID);
        assert_eq!(instance, seg.text(tags::SOP_INSTANCE_UID));
        assert_eq!(one(group, &["121232"]).text(tags::UID).unwrap(), "1.2");
    }
}

#[test]
fn everything_referred_to_is_evidence() {
    let source = series(|_| {});
    let sr = full(&source);
    let [study] = sr.items(tags::CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE) else {
        panic!("not one study")
    };
    assert_eq!(study.text(tags::STUDY_INSTANCE_UID).unwrap(), "1.1");
    let [images, segmentation] = study.items(tags::REFERENCED_SERIES_SEQUENCE) else {
        panic!("not two series")
    };
    assert_eq!(images.text(tags::SERIES_INSTANCE_UID).unwrap(), "1.2");
    let uids = |series: &DataSet| -> Vec<String> {
        let instances = series.items(tags::REFERENCED_SOP_SEQUENCE).iter();
        instances.map(|item| item.text(tags::REFERENCED_SOP_INSTANCE_UID).unwrap()).collect()
    };
    assert_eq!(uids(images), (1..=6).map(|n| format!("1.3.{n}")).collect::<Vec<_>>());
    let segment = &find(&sr, &[GROUP[0], GROUP[1], "121191"])[0];
    let referred =
        segment.items(tags::REFERENCED_SOP_SEQUENCE)[0].text(tags::REFERENCED_SOP_INSTANCE_UID);
    assert_eq!(uids(segmentation), [referred.unwrap()]);
}

#[test]
fn a_multi_frame_source_is_one_image() {
    let sr = full(&multi_frame_series());
    let group = one(&sr, &["111028", "126200"]);
    let is_image = |item: &&DataSet| item.text(tags::VALUE_TYPE).as_deref() == Some("IMAGE");
    assert_eq!(group.items(tags::CONTENT_SEQUENCE).iter().filter(is_image).count(), 1);
}

#[test]
fn flags_and_predecessor() {
    let source = series(|_| {});
    let sr = full(&source);
    let text = |tag| sr.text(tag).unwrap_or_default();
    assert_eq!(text(tags::COMPLETION_FLAG), "COMPLETE");
    assert_eq!(text(tags::VERIFICATION_FLAG), "UNVERIFIED");
    assert_eq!(text(tags::PRELIMINARY_FLAG), "PRELIMINARY");
    assert_eq!((text(tags::MODALITY).as_str(), text(tags::SERIES_NUMBER).as_str()), ("SR", "9022"));
    assert!(!sr.contains(tags::PREDECESSOR_DOCUMENTS_SEQUENCE));
    let mut context = context();
    context.predecessor = Some(Predecessor {
        study: StudyInstanceUid::parse("1.1").unwrap(),
        series: SeriesInstanceUid::parse("1.7").unwrap(),
        sop_class: SopClassUid::parse("1.2.840.10008.5.1.4.1.1.88.34").unwrap(),
        sop_instance: SopInstanceUid::parse("1.8").unwrap(),
    });
    let results = sr_writer::write(&findings(&source, vec![]), &source, &context).unwrap();
    let (sr, _) = parse(&results.report.file);
    let study = &sr.items(tags::PREDECESSOR_DOCUMENTS_SEQUENCE)[0];
    let series = &study.items(tags::REFERENCED_SERIES_SEQUENCE)[0];
    assert_eq!(series.text(tags::SERIES_INSTANCE_UID).unwrap(), "1.7");
    let document = &series.items(tags::REFERENCED_SOP_SEQUENCE)[0];
    assert_eq!(document.text(tags::REFERENCED_SOP_INSTANCE_UID).unwrap(), "1.8");
}

#[test]
fn the_request_is_named_as_far_as_the_source_knows_it() {
    let by_accession = full(&series(|_| {}));
    let [request] = by_accession.items(tags::REFERENCED_REQUEST_SEQUENCE) else {
        panic!("not one")
    };
    assert_eq!(request.text(tags::ACCESSION_NUMBER).unwrap(), "A1");
    assert_eq!(request.text(tags::STUDY_INSTANCE_UID).unwrap(), "1.1");
    assert!(request.contains(tags::REQUESTED_PROCEDURE_ID));
    let unknown = full(&series(|header| drop(header.remove(tags::ACCESSION_NUMBER))));
    assert!(!unknown.contains(tags::REFERENCED_REQUEST_SEQUENCE));
    let by_series = full(&series(|header| {
        let mut request = DataSet::new();
        request.put_text(tags::REQUESTED_PROCEDURE_ID, Vr::SH, "RP1");
        header.put_items(tags::REQUEST_ATTRIBUTES_SEQUENCE, vec![request]);
    }));
    let request = &by_series.items(tags::REFERENCED_REQUEST_SEQUENCE)[0];
    assert_eq!(request.text(tags::REQUESTED_PROCEDURE_ID).unwrap(), "RP1");
    assert_eq!(request.text(tags::ACCESSION_NUMBER).unwrap(), "A1");
}

#[test]
fn the_procedure_is_the_study_s_own() {
    let with = full(&series(|header| {
        let code = domain::CodedConcept::new("77477000", "SCT", "CT");
        header.put_code(tags::PROCEDURE_CODE_SEQUENCE, &code);
    }));
    assert_eq!(code_value(one(&with, &["121058"]), tags::CONCEPT_CODE_SEQUENCE), "77477000");
    assert_eq!(code_value(&with, tags::PERFORMED_PROCEDURE_CODE_SEQUENCE), "77477000");
    // An item without a code is none.
    let without = full(&series(|header| {
        header.put_items(tags::PROCEDURE_CODE_SEQUENCE, vec![DataSet::new()]);
    }));
    assert_eq!(code_value(one(&without, &["121058"]), tags::CONCEPT_CODE_SEQUENCE), "363679005");
}

#[test]
fn intensities_have_hounsfield_units_only_where_they_are_hounsfield() {
    let unit_of_mean = |unit: IntensityUnit, modality: &str| {
        let mut source = series(|_| {});
        source.modality = modality.into();
        let mut segments = two_segments(&source);
        segments[0].measurements.intensity.as_mut().unwrap().unit = unit;
        let sr = report(&source, &findings(&source, segments));
        let group = find(&sr, &GROUP)[0];
        let mean = |item: &&DataSet| {
            let derived = find(item, &["121401"]);
            derived.iter().any(|d| code_value(d, tags::CONCEPT_CODE_SEQUENCE) == "373098007")
        };
        let item = group.items(tags::CONTENT_SEQUENCE).iter().find(mean).unwrap();
        let measured = &item.items(tags::MEASURED_VALUE_SEQUENCE)[0];
        let name = code_value(item, tags::CONCEPT_NAME_CODE_SEQUENCE);
        (name, code_value(measured, tags::MEASUREMENT_UNITS_CODE_SEQUENCE))
    };
    let pair = |name: &str, unit: &str| (name.to_owned(), unit.to_owned());
    assert_eq!(unit_of_mean(IntensityUnit::Hounsfield, "CT"), pair("112031", "[hnsf'U]"));
    assert_eq!(unit_of_mean(IntensityUnit::Signal, "CT"), pair("112031", "1"));
    assert_eq!(unit_of_mean(IntensityUnit::Signal, "MR"), pair("110852", "1"));
    assert_eq!(unit_of_mean(IntensityUnit::Signal, "PT"), pair("110821", "1"));
}

#[test]
fn nothing_found_is_a_report_too() {
    let source = series(|_| {});
    let sr = report(&source, &findings(&source, vec![]));
    assert!(find(&sr, &GROUP).is_empty());
    assert_eq!(find(&sr, &["126010", "111001"]).len(), 1, "the algorithm is named");
    let absent = one(&sr, &["C0034375"]).items(tags::CONTENT_SEQUENCE);
    assert_eq!(absent.len(), 3);
    let mut silent = findings(&source, vec![]);
    silent.absent.clear();
    assert!(find(&report(&source, &silent), &["C0034375"]).is_empty());
}

#[test]
fn control_characters_of_strange_files_are_not_shown() {
    let mut item = DataSet::new();
    item.put_text(tags::VALUE_TYPE, Vr::CS, "TEXT");
    item.put_bytes(tags::TEXT_VALUE, Vr::UT, b"a\x1b[2Jb\r\n".to_vec());
    let tree = sr_writer::tree(&item);
    assert!(!tree.trim_end().contains(char::is_control), "{tree:?}");
}
