//! What routing may ask, also of series that are no grid.
#![expect(clippy::unwrap_used, reason = "tests")]

mod synthetic;

use dataset::{DataSet, Vr, tags};
use domain::{AeTitle, Orientation, SeriesFacts, Tag};
use synthetic::{AXIAL, axial, enhanced, header, instance, instances, put_plane, slice};

fn facts(headers: Vec<DataSet>) -> SeriesFacts {
    series::facts(&instances(headers), None, None)
}

#[test]
fn attributes_are_those_of_the_first_instance() {
    let mut first = slice([0.0; 3]);
    first.put_text(tags::IMAGE_TYPE, Vr::CS, "ORIGINAL\\PRIMARY \\AXIAL");
    first.put_text(tags::SERIES_DESCRIPTION, Vr::LO, " Thorax\\nativ");
    first.put_text(tags::IMAGE_COMMENTS, Vr::LT, "one\\value");
    first.put_bytes(Tag::new(0x0029, 0x1010), Vr::UN, b"PRIVATE\0".to_vec());
    first.put_bytes(Tag::new(0x0029, 0x1011), Vr::UN, vec![1, 2, 3, 4]);
    first.put_text(Tag::new(0x0029, 0x1012), Vr::LO, &"x".repeat(256));
    first.put_text(Tag::new(0x0029, 0x1013), Vr::LO, &"x".repeat(257));
    let mut second = slice([0.0, 0.0, 1.0]);
    second.put_text(tags::SERIES_DESCRIPTION, Vr::LO, "other");
    let calling = AeTitle::parse("CT1").ok();
    let facts = series::facts(&instances(vec![first, second]), calling.clone(), None);
    let values = |tag| facts.attributes.get(&tag).map(|values| values.join("|"));
    assert_eq!(values(tags::MODALITY).unwrap(), "CT");
    assert_eq!(values(tags::ROWS).unwrap(), "10");
    assert_eq!(values(tags::IMAGE_TYPE).unwrap(), "ORIGINAL|PRIMARY|AXIAL");
    assert_eq!(values(tags::SERIES_DESCRIPTION).unwrap(), "Thorax|nativ");
    assert_eq!(values(tags::IMAGE_COMMENTS).unwrap(), "one\\value");
    assert_eq!(values(Tag::new(0x0029, 0x1010)).unwrap(), "PRIVATE");
    assert_eq!(values(Tag::new(0x0029, 0x1011)), None);
    assert_eq!(values(Tag::new(0x0029, 0x1012)).unwrap().len(), 256);
    assert_eq!(values(Tag::new(0x0029, 0x1013)), None);
    assert_eq!((facts.calling, facts.called), (calling, None));
}

#[test]
fn text_is_read_in_its_character_set() {
    let described = |charset: &str, bytes: &[u8]| {
        let mut set = header("MR");
        set.put_text(tags::SPECIFIC_CHARACTER_SET, Vr::CS, charset);
        set.put_bytes(tags::SERIES_DESCRIPTION, Vr::LO, bytes.to_vec());
        facts(vec![set]).attributes[&tags::SERIES_DESCRIPTION].join("|")
    };
    assert_eq!(described("ISO_IR 100", b"Sch\xE4del"), "Schädel");
    assert_eq!(described("ISO_IR 192", "Schädel".as_bytes()), "Schädel");
    assert_eq!(described("", b"Kopf"), "Kopf");
}

#[test]
fn geometry_is_told_of_a_regular_series() {
    let geometry = facts(axial(&[6.0, 0.0, 3.0])).geometry;
    assert_eq!(geometry.slices, 3);
    assert_eq!(geometry.slice_spacing_mm, Some(3.0));
    assert_eq!(geometry.orientation, Some(Orientation::Axial));
}

#[test]
fn geometry_of_what_is_no_grid_never_fails() {
    let gap = facts(axial(&[0.0, 3.0, 9.0])).geometry;
    assert_eq!((gap.slices, gap.slice_spacing_mm), (3, None));
    assert_eq!(gap.orientation, Some(Orientation::Axial));
    let doubled = facts(axial(&[1.0, 1.0])).geometry;
    assert_eq!((doubled.slices, doubled.slice_spacing_mm), (2, None));
    let one = facts(axial(&[0.0])).geometry;
    assert_eq!((one.slices, one.slice_spacing_mm), (1, None));
    let mut turned = axial(&[0.0, 3.0, 6.0]);
    put_plane(&mut turned[1], [0.0; 3], [0.0, 1.0, 0.0, 0.0, 0.0, -1.0]);
    assert_eq!(facts(turned).geometry.slice_spacing_mm, None);
    let bare = facts(vec![header("US"), slice([0.0; 3])]).geometry;
    assert_eq!((bare.slices, bare.slice_spacing_mm), (2, None));
    assert_eq!(bare.orientation, Some(Orientation::Axial));
    let mut report = instance(header("SR"), 1);
    report.pixel_data = None;
    let report = series::facts(&[report.into()], None, None);
    assert_eq!((report.geometry.slices, report.geometry.orientation), (0, None));
    assert_eq!(facts(vec![]).geometry.slices, 0);
    // Of more frames than a grid may have only their number is told.
    let mut many = instance(slice([0.0; 3]), 1);
    many.frame_count = 65_536;
    let many = series::facts(&[instance(slice([0.0; 3]), 2).into(), many.into()], None, None);
    assert_eq!((many.geometry.slices, many.geometry.orientation), (65_537, None));
}

#[test]
fn functional_groups_count_as_if_at_the_top() {
    let facts = facts(vec![enhanced(&[0.0, 4.0, 8.0].map(|z| [0.0, 0.0, z]))]);
    let values = |tag| facts.attributes.get(&tag).map(|values| values.join("|"));
    assert_eq!(values(tags::PIXEL_SPACING).unwrap(), "0.5|0.75");
    assert_eq!(values(tags::SLICE_THICKNESS).unwrap(), "4");
    assert_eq!(values(tags::RESCALE_TYPE).unwrap(), "US");
    assert_eq!(
        values(tags::IMAGE_ORIENTATION_PATIENT).unwrap(),
        AXIAL.map(|n| n.to_string()).join("|")
    );
    assert_eq!((facts.geometry.slices, facts.geometry.slice_spacing_mm), (3, Some(4.0)));
}
