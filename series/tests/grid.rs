//! Every reason to refuse a series, on both sides of its tolerance, and what a grid is when none applies.
#![expect(clippy::unwrap_used, clippy::float_cmp, reason = "tests; values are exact")]

mod synthetic;

use dataset::{DataSet, Vr, tags};
use domain::{IntensityUnit, Limits, Unsuitable, norm, sub};
use series::{
    ANGLE_MAX_RAD, DUPLICATE_MAX_MM, IRREGULAR_MAX, MISSING_SLICE_MIN, SHIFT_MAX_PIXELS,
    SPACING_RELATIVE_MAX, SourceSeries, TILT_MAX_RAD,
};
use synthetic::{axial, enhanced, header, instance, instances, put_plane, slice};

fn assemble(headers: Vec<DataSet>) -> Result<SourceSeries, Unsuitable> {
    series::assemble(&instances(headers), &Limits::default())
}

/// The reason for which a series is refused, as `code: detail`.
fn refusal(headers: Vec<DataSet>) -> String {
    match assemble(headers) {
        Ok(_) => "taken".into(),
        Err(reason) => reason.to_string(),
    }
}

const EVEN: [f64; 5] = [0.0, 3.0, 6.0, 9.0, 12.0];

fn near(got: [f64; 3], want: [f64; 3]) -> bool {
    norm(sub(got, want)) < 1e-9
}

#[test]
fn slices_are_ordered_by_position_and_never_by_number() {
    let mut headers = axial(&[6.0, 0.0, 12.0, 3.0, 9.0]);
    for (index, header) in headers.iter_mut().enumerate() {
        header.put_text(tags::INSTANCE_NUMBER, Vr::IS, &(5 - index).to_string());
    }
    let series = assemble(headers).unwrap();
    let heights: Vec<f64> =
        series.slices.iter().map(|slice| slice.position.as_ref().unwrap().mm[2]).collect();
    assert_eq!(heights, EVEN);
    let uids: Vec<&str> =
        series.instances.iter().map(|i| i.identity.sop_instance.as_str()).collect();
    assert_eq!(uids, ["1.3.2", "1.3.4", "1.3.1", "1.3.5", "1.3.3"]);
    assert_eq!(series.grid.in_patient().unwrap().size, [20, 10, 5]);
    assert_eq!(series.grid.in_patient().unwrap().spacing_mm, [0.75, 0.5, 3.0]);
    assert_eq!(series.grid.in_patient().unwrap().origin_mm, [-100.0, -50.0, 0.0]);
    assert_eq!(
        series.grid.in_patient().unwrap().directions,
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    );
    assert_eq!(series.place.as_ref().unwrap().pixel_spacing_bytes, b"0.5\\0.75");
    assert_eq!(series.slices[0].frame_number, None);
    assert_eq!(series.slices[0].rescale_intercept, -1024.0);
}

#[test]
fn an_oblique_series_lies_along_its_normal_and_is_right_handed() {
    let (c, s) = (0.4_f64.cos(), 0.4_f64.sin());
    let (row, column) = ([c, s, 0.0], [0.0, 0.0, -1.0]);
    let normal = [-s, c, 0.0];
    let orientation = [c, s, 0.0, 0.0, 0.0, -1.0];
    let headers = (0..4_i32).rev().map(|k| {
        let at = [10.0, 20.0, 30.0];
        let at = [0, 1, 2].map(|axis| at[axis] + f64::from(k) * 2.5 * normal[axis]);
        let mut set = header("MR");
        put_plane(&mut set, at, orientation);
        set
    });
    let series = assemble(headers.collect()).unwrap();
    let [i, j, k] = series.grid.in_patient().unwrap().directions;
    assert!(near(i, row) && near(j, column) && near(k, normal));
    assert!((series.grid.in_patient().unwrap().spacing_mm[2] - 2.5).abs() < 1e-9);
    for (index, slice) in (0_i32..).zip(&series.slices) {
        let there = series.grid.in_patient().unwrap().position_mm([0.0, 0.0, f64::from(index)]);
        assert!(near(there, slice.position.as_ref().unwrap().mm));
    }
}

#[test]
fn a_lone_slice_takes_spacing_then_thickness_then_a_millimetre() {
    let spacing = |fill: &[(domain::Tag, &str)]| {
        let mut set = slice([0.0; 3]);
        fill.iter().for_each(|(tag, text)| set.put_text(*tag, Vr::DS, text));
        assemble(vec![set]).unwrap().grid.in_patient().unwrap().spacing_mm[2]
    };
    let (between, thick) = (tags::SPACING_BETWEEN_SLICES, tags::SLICE_THICKNESS);
    assert_eq!(spacing(&[(between, "2.5"), (thick, "4")]), 2.5);
    assert_eq!(spacing(&[(between, "-2.5"), (thick, "4")]), 4.0);
    assert_eq!(spacing(&[(thick, "0")]), 1.0);
    assert_eq!(spacing(&[]), 1.0);
}

#[test]
fn a_missing_slice_is_a_gap() {
    let with = |factor: f64| {
        let last = 9.0 + 3.0 * factor;
        refusal(axial(&[0.0, 3.0, 6.0, 9.0, last, last + 3.0]))
    };
    assert_eq!(
        with(2.0),
        "gap: 6.000 mm (median 3.000 mm) between the slices at -100.000\\-50.000\\9.000 \
         and -100.000\\-50.000\\15.000 mm: 1.3.4, 1.3.5 (gaps: 1)"
    );
    assert!(with(MISSING_SLICE_MIN + 0.01).starts_with("gap: 4.530 mm (median 3.000 mm)"));
    assert!(with(MISSING_SLICE_MIN - 0.01).starts_with("gap: slices lie 3.000 to 4.470 mm apart"));
}

#[test]
fn irregular_distances_are_a_gap_up_to_the_tolerance() {
    let with = |part: f64| {
        let off = 3.0 * part;
        refusal(axial(&[0.0, 3.0, 6.0, 9.0 + off, 12.0 + off, 15.0 + off]))
    };
    assert_eq!(with(IRREGULAR_MAX - 0.01), "taken");
    assert!(with(IRREGULAR_MAX + 0.01).starts_with("gap: slices lie 3.000 to 3.330 mm apart"));
    // Each distance is near the median, but together they lead away from the even grid.
    let bent: Vec<f64> =
        (0..20_i32).map(|k| f64::from(k) * 3.0 + f64::from((k - 10).max(0)) * 0.2).collect();
    assert!(refusal(axial(&bent)).contains("from its place in an even stack"));
}

#[test]
fn two_slices_at_one_place_are_duplicates() {
    let with = |apart: f64| refusal(axial(&[0.0, 3.0, 3.0 + apart, 6.0, 9.0]));
    assert_eq!(
        with(0.0),
        "duplicate-slice: two slices at -100.000\\-50.000\\3.000 mm: 1.3.2, 1.3.3 \
         (places with two: 1)"
    );
    assert!(with(DUPLICATE_MAX_MM * 0.9).starts_with("duplicate-slice"));
    assert!(with(DUPLICATE_MAX_MM * 1.1).starts_with("gap"));
    // All at one place, and two only.
    assert!(refusal(axial(&[5.0, 5.0])).starts_with("duplicate-slice"));
}

#[test]
fn another_orientation_is_named() {
    let turned = |angle: f64| {
        let (c, s) = (angle.cos(), angle.sin());
        let mut headers = axial(&EVEN);
        // Enough digits for the tolerance, not those of a DS value, which the writer would round.
        headers[3].put_decimals(tags::IMAGE_ORIENTATION_PATIENT, &[c, s, 0.0, -s, c, 0.0]);
        refusal(headers)
    };
    assert_eq!(turned(ANGLE_MAX_RAD * 0.9), "taken");
    assert!(turned(ANGLE_MAX_RAD * 1.1).starts_with("mixed-orientation: 1 of 5 slices"));
    let mut headers = axial(&EVEN);
    let mut localizer = header("CT");
    put_plane(&mut localizer, [0.0; 3], [1.0, 0.0, 0.0, 0.0, 0.0, -1.0]);
    headers.insert(0, localizer);
    assert_eq!(
        refusal(headers),
        "mixed-orientation: 1 of 6 slices have another normal \
         (0.0000 1.0000 0.0000, most 0.0000 0.0000 1.0000): 1.3.1"
    );
}

#[test]
fn another_grid_is_named() {
    let spaced = |factor: f64| {
        let mut headers = axial(&EVEN);
        headers[2].put_decimals(tags::PIXEL_SPACING, &[0.5 * factor, 0.75]);
        refusal(headers)
    };
    assert_eq!(spaced(1.0 + SPACING_RELATIVE_MAX * 0.9), "taken");
    assert!(spaced(1.0 + SPACING_RELATIVE_MAX * 1.1).starts_with("mixed-grid: 1 of 5"));
    let mut headers = axial(&EVEN);
    headers[1].put_u16s(tags::ROWS, &[11]);
    headers[4].put_uid(tags::FRAME_OF_REFERENCE_UID, "1.8");
    assert_eq!(
        refusal(headers),
        "mixed-grid: 2 of 5 slices have another grid (20 x 11 pixels of 0.75 x 0.5 mm in 1.9, \
         most 20 x 10 pixels of 0.75 x 0.5 mm in 1.9): 1.3.2, 1.3.5"
    );
}

#[test]
fn an_instance_of_another_series_is_no_part_of_the_grid() {
    let mut all = instances(axial(&EVEN));
    let mut other = instance(slice([0.0, 0.0, 15.0]), 9);
    other.identity.series = domain::SeriesInstanceUid::parse("1.7").unwrap();
    all.push(other.into());
    let reason = series::assemble(&all, &Limits::default()).unwrap_err().to_string();
    assert_eq!(reason, "mixed-grid: 1.3.9 is of series 1.7, not 1.2");
}

/// Slices 3 mm apart, each shifted by `shift(k)` mm along the columns.
fn shifted(count: i32, shift: impl Fn(f64) -> f64) -> String {
    let at = |k: i32| [-100.0, -50.0 + shift(f64::from(k)), 3.0 * f64::from(k)];
    refusal((0..count).map(|k| slice(at(k))).collect())
}

#[test]
fn gantry_tilt_shears_the_stack() {
    let tilted = |angle: f64| shifted(100, |k| 3.0 * k * angle.tan());
    assert_eq!(tilted(TILT_MAX_RAD * 0.99), "taken");
    assert!(tilted(TILT_MAX_RAD * 1.01).starts_with("gantry-tilt"));
    assert_eq!(
        tilted(15_f64.to_radians()),
        "gantry-tilt: the slices are sheared by 15.00 degrees: 79.581 mm across over 297.000 mm"
    );
    // Over a short stack a small shift is below a tenth of a pixel (of 0.5 mm), whatever the angle.
    assert_eq!(shifted(2, |k| k * 0.5 * SHIFT_MAX_PIXELS * 0.99), "taken");
    assert!(shifted(2, |k| k * 0.5 * SHIFT_MAX_PIXELS * 1.01).starts_with("gantry-tilt"));
}

#[test]
fn a_slice_shifted_in_its_plane_is_mixed_grid() {
    let one = |mm: f64| shifted(5, |k| if k == 2.0 { mm } else { 0.0 });
    assert_eq!(one(0.04), "taken");
    assert_eq!(one(2.0), "mixed-grid: slice 2 is shifted 2.000 mm in its plane: 1.3.3");
}

#[test]
fn missing_and_malformed_geometry_names_the_attribute() {
    let with = |bend: &dyn Fn(&mut DataSet)| {
        let mut headers = axial(&EVEN);
        bend(&mut headers[1]);
        refusal(headers)
    };
    let without = |tag| {
        with(&|set| {
            set.remove(tag);
        })
    };
    let missing = |what: &str| format!("missing-geometry: 1.3.2: {what}");
    let absent = [
        (tags::IMAGE_POSITION_PATIENT, "Image Position (Patient) is absent"),
        (tags::IMAGE_ORIENTATION_PATIENT, "Image Orientation (Patient) is absent"),
        (tags::PIXEL_SPACING, "Pixel Spacing is absent"),
        (tags::FRAME_OF_REFERENCE_UID, "Frame of Reference UID: the UID is empty"),
        (tags::ROWS, "Rows is absent or 0"),
    ];
    for (tag, what) in absent {
        assert_eq!(without(tag), missing(what));
    }
    let ds = |tag, text: &'static str| with(&move |set| set.put_text(tag, Vr::DS, text));
    let (position, cosines) = (tags::IMAGE_POSITION_PATIENT, tags::IMAGE_ORIENTATION_PATIENT);
    assert!(ds(position, "1\\2").starts_with(&missing("Image Position (Patient) has 2 numbers")));
    for text in ["1\\2\\nan", "1\\2\\inf", "1\\2\\1e300", "1\\2\\x", "1\\2\\3\\x"] {
        assert!(ds(position, text).starts_with("missing-geometry: 1.3.2: Image Pos"), "{text}");
    }
    assert!(ds(tags::PIXEL_SPACING, "0\\1").starts_with(&missing("Pixel Spacing is 0")));
    assert!(ds(tags::PIXEL_SPACING, "-1\\1").starts_with(&missing("Pixel Spacing is -1")));
    assert!(ds(cosines, "1\\0\\0\\1\\0\\0").contains("not orthonormal"));
    assert!(ds(cosines, "0\\0\\0\\0\\0\\0").contains("not orthonormal"));
    // 0.9991 is within 0.001 of a unit vector, 0.9989 is not.
    assert!(ds(cosines, "0.9989\\0\\0\\0\\1\\0").contains("not orthonormal"));
    let within = vec![0.0, 3.0].into_iter().map(|z| {
        let mut set = slice([0.0, 0.0, z]);
        set.put_text(cosines, Vr::DS, "0.9991\\0\\0\\0\\1\\0");
        set
    });
    assert_eq!(refusal(within.collect()), "taken");
}

#[test]
fn no_pixels_and_no_instances() {
    let mut all = instances(axial(&EVEN));
    let mut bare = instance(slice([0.0, 0.0, 15.0]), 9);
    bare.pixel_data = None;
    all.push(bare.into());
    let reason = series::assemble(&all, &Limits::default()).unwrap_err().to_string();
    assert_eq!(reason, "no-pixels: 1.3.9 has no Pixel Data");
    assert_eq!(refusal(vec![]), "too-few-slices: no instances");
}

#[test]
fn limits_hold_exactly() {
    let all = instances(axial(&EVEN));
    let mut limits =
        Limits { series_instances_max: 5, volume_voxels_max: 1000, ..Limits::default() };
    assert!(series::assemble(&all, &limits).is_ok());
    limits.volume_voxels_max = 999;
    let reason = series::assemble(&all, &limits).unwrap_err().to_string();
    assert_eq!(reason, "too-large: 1000 voxels, 999 are allowed");
    limits = Limits { series_instances_max: 4, ..Limits::default() };
    let reason = series::assemble(&all, &limits).unwrap_err().to_string();
    assert_eq!(reason, "too-large: 5 instances, 4 are allowed");
    // A header that claims two thousand million frames costs nothing.
    let mut set = enhanced(&[[0.0; 3]]);
    set.put_text(tags::NUMBER_OF_FRAMES, Vr::IS, "2147483647");
    assert!(refusal(vec![set]).starts_with("too-large"));
    // Nor does it where frames are so small that voxels have room for them, and nothing says where they lie.
    let small = |frames: &str| {
        let mut set = DataSet::new();
        set.put_u16s(tags::ROWS, &[1]);
        set.put_u16s(tags::COLUMNS, &[1]);
        set.put_text(tags::NUMBER_OF_FRAMES, Vr::IS, frames);
        set
    };
    let many = vec![small("65536"), small("1")];
    assert_eq!(refusal(many), "too-large: 65537 frames, 65536 are allowed");
    assert_eq!(refusal(vec![small("65535"), small("1")]), "taken");
    assert!(refusal(vec![small("536870912")]).starts_with("too-large: 536870912 frames"));
}

#[test]
fn frames_of_an_enhanced_instance_are_slices() {
    let heights = [4.0, 0.0, 8.0];
    let series = assemble(vec![enhanced(&heights.map(|z| [1.0, 2.0, z]))]).unwrap();
    let frames: Vec<_> =
        series.slices.iter().map(|slice| (slice.frame_index, slice.frame_number)).collect();
    assert_eq!(frames, [(1, Some(2)), (0, Some(1)), (2, Some(3))]);
    assert_eq!(series.instances.len(), 1);
    assert_eq!(series.grid.in_patient().unwrap().spacing_mm, [0.75, 0.5, 4.0]);
    assert_eq!(series.slices[0].rescale_slope, 2.0);
    assert_eq!(series.slices[0].rescale_intercept, 5.0);
    assert_eq!(series.unit, IntensityUnit::Signal);
}

#[test]
fn frames_of_several_enhanced_instances_are_one_stack() {
    let halves = [[0.0, 8.0], [12.0, 4.0]];
    let halves = halves.map(|heights| enhanced(&heights.map(|z| [0.0, 0.0, z])));
    let series = assemble(halves.into()).unwrap();
    assert_eq!(series.grid.in_patient().unwrap().size[2], 4);
    assert_eq!(series.instances.len(), 2);
    // Two echoes of each place are no volume.
    let echoes = enhanced(&[0.0, 0.0, 4.0, 4.0].map(|z| [0.0, 0.0, z]));
    assert!(refusal(vec![echoes]).ends_with("(places with two: 2)"));
    // One frame of a multi-frame instance takes the shared thickness.
    let one = assemble(vec![enhanced(&[[0.0; 3]])]).unwrap();
    assert_eq!(
        (one.grid.in_patient().unwrap().spacing_mm[2], one.slices[0].frame_number),
        (4.0, Some(1))
    );
}

#[test]
fn functional_groups_that_do_not_fit_are_refused() {
    let mut set = enhanced(&[[0.0; 3], [0.0, 0.0, 1.0]]);
    set.put_text(tags::NUMBER_OF_FRAMES, Vr::IS, "3");
    assert_eq!(
        refusal(vec![set]),
        "missing-geometry: 1.3.1: 3 frames, but 2 items of Per-Frame Functional Groups Sequence"
    );
    let mut set = enhanced(&[[0.0; 3], [0.0, 0.0, 1.0]]);
    set.put_items(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, vec![]);
    let reason = refusal(vec![set]);
    assert_eq!(reason, "missing-geometry: 1.3.1 frame 1: Image Orientation (Patient) is absent");
    let mut set = slice([0.0; 3]);
    set.put_text(tags::NUMBER_OF_FRAMES, Vr::IS, "3");
    let reason = refusal(vec![set]);
    assert_eq!(reason, "missing-geometry: 1.3.1: 3 frames without functional groups");
}

#[test]
fn hounsfield_units_are_what_ct_means_unless_it_says_otherwise() {
    let unit = |fill: &[(domain::Tag, Vr, &str)]| {
        let mut set = slice([0.0; 3]);
        fill.iter().for_each(|(tag, vr, text)| set.put_text(*tag, *vr, text));
        assemble(vec![set]).unwrap().unit
    };
    let rescale = |text| (tags::RESCALE_TYPE, Vr::LO, text);
    let image = |text| (tags::IMAGE_TYPE, Vr::CS, text);
    let energy = (tags::MULTIENERGY_CT_ACQUISITION, Vr::CS, "YES");
    let (hounsfield, signal) = (IntensityUnit::Hounsfield, IntensityUnit::Signal);
    assert_eq!(unit(&[]), hounsfield);
    assert_eq!(unit(&[rescale("HU")]), hounsfield);
    assert_eq!(unit(&[rescale("")]), hounsfield);
    assert_eq!(unit(&[rescale("HU"), energy]), hounsfield);
    assert_eq!(unit(&[image("ORIGINAL\\PRIMARY\\AXIAL")]), hounsfield);
    assert_eq!(unit(&[rescale("US")]), signal);
    assert_eq!(unit(&[rescale("Z_EFF")]), signal);
    assert_eq!(unit(&[energy]), signal);
    assert_eq!(unit(&[image("ORIGINAL\\PRIMARY\\LOCALIZER")]), signal);
    assert_eq!(unit(&[(tags::MODALITY, Vr::CS, "PT")]), signal);
    for tag in [tags::RESCALE_SLOPE, tags::RESCALE_INTERCEPT] {
        let mut bare = slice([0.0; 3]);
        bare.remove(tag);
        assert_eq!(assemble(vec![bare]).unwrap().unit, signal);
        assert_eq!(unit(&[(tag, Vr::DS, "")]), signal);
    }
    // One slice in another unit, and the volume has none.
    let mut headers = axial(&EVEN);
    headers[4].put_text(tags::RESCALE_TYPE, Vr::LO, "US");
    assert_eq!(assemble(headers).unwrap().unit, signal);
}

#[test]
fn a_slope_of_0_is_refused() {
    let mut set = slice([0.0; 3]);
    set.put_text(tags::RESCALE_SLOPE, Vr::DS, "0");
    let reason = refusal(vec![set]);
    assert_eq!(reason, "pixel-format: 1.3.1: Rescale Slope is 0, Rescale Intercept -1024");
    // A comma is no decimal point, and what cannot be read is not absent.
    for (tag, name) in
        [(tags::RESCALE_SLOPE, "Rescale Slope"), (tags::RESCALE_INTERCEPT, "Rescale Intercept")]
    {
        let mut set = slice([0.0; 3]);
        set.put_text(tag, Vr::DS, "-1024,0");
        let reason = refusal(vec![set]);
        assert_eq!(reason, format!("pixel-format: 1.3.1: {name} is no number"));
    }
}

#[test]
fn positions_and_orientation_keep_their_bytes() {
    let mut set = slice([0.0; 3]);
    set.put_bytes(tags::IMAGE_POSITION_PATIENT, Vr::DS, b" 1.50\\-2e0\\+3 ".to_vec());
    let series = assemble(vec![set]).unwrap();
    assert_eq!(series.slices[0].position.as_ref().unwrap().mm, [1.5, -2.0, 3.0]);
    assert_eq!(series.slices[0].position.as_ref().unwrap().bytes, b" 1.50\\-2e0\\+3 ");
    let set = slice([0.0; 3]);
    let orientation = set.get(tags::IMAGE_ORIENTATION_PATIENT).unwrap().value.clone();
    assert_eq!(
        dataset::Value::Bytes(assemble(vec![set]).unwrap().place.unwrap().orientation_bytes),
        orientation
    );
}
