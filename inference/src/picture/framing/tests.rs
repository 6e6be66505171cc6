//! Pictures of both generations, and the way back, against numbers worked out by hand and laws that hold for all.

use domain::{Mirror, Quarters};
use proptest::prelude::*;

use super::super::turn::tests::{MIRRORS, QUARTERS, turns};
use super::*;

const UPRIGHT: Turn = Turn { mirror: Mirror::No, quarters: Quarters::Zero };
const SOFT: Scale = Scale::Window { low: -160.0, high: 240.0 };

fn v1(values: &[f32], size: [usize; 2], side: usize, scale: &Scale, turn: Turn) -> Vec<u8> {
    let framing = Framing::new(Generation::V1, turn, size, side);
    let picture = framing.picture_v1(&Source::Grey(values), scale);
    assert_eq!((picture.side, picture.rgb.len()), (side, 3 * side * side));
    picture.rgb.into_iter().step_by(3).collect()
}

fn v2(values: &[f32], size: [usize; 2], side: usize, scale: &Scale, turn: Turn) -> Vec<u8> {
    let framing = Framing::new(Generation::V2, turn, size, side);
    let plane = framing.plane_v2(&Source::Grey(values), scale);
    assert_eq!((plane.side, plane.levels.len()), (side, side * side));
    plane.levels
}

/// Four columns, three rows.
const HU: [f32; 12] = [-1000., -1000., 40., 60., -200., -50., 0., 300., 10., 20., -160., 240.];

// The numbers of these are from tests/picture_reference.py, with SciPy 1.17 and PyTorch 2.15.

#[test]
fn a_larger_picture_is_that_of_scipy() {
    let wanted = [
        [5, 0, 7, 83, 121, 85],
        [0, 0, 26, 117, 187, 151],
        [0, 12, 57, 103, 206, 207],
        [18, 73, 85, 57, 199, 255],
        [76, 136, 94, 5, 169, 255],
        [79, 120, 67, 0, 105, 189],
    ];
    assert_eq!(v1(&HU, [4, 3], 6, &SOFT, UPRIGHT), wanted.concat());
}

#[test]
fn a_smaller_picture_is_that_of_scipy() {
    assert_eq!(v1(&HU, [4, 3], 2, &SOFT, UPRIGHT), [0, 166, 117, 159]);
}

#[test]
fn a_turned_picture_is_that_of_scipy() {
    let wanted = [
        [208, 255, 244, 180, 99],
        [54, 112, 161, 178, 125],
        [14, 43, 70, 73, 46],
        [123, 128, 54, 1, 0],
        [90, 68, 0, 0, 4],
    ];
    let turn = Turn { mirror: Mirror::LeftRight, quarters: Quarters::One };
    assert_eq!(v1(&HU, [4, 3], 5, &SOFT, turn), wanted.concat());
}

#[test]
fn percentiles_of_a_slice_are_those_of_numpy() {
    let values: Vec<f32> = (0_u8..35).map(|n| f32::from(n * 7 % 23 + 1)).collect();
    let wanted = [[15, 147, 198, 38], [4, 113, 246, 17], [9, 130, 21, 43], [29, 186, 73, 65]];
    assert_eq!(v1(&values, [5, 7], 4, &Scale::OfSlice, UPRIGHT), wanted.concat());
}

#[test]
fn colors_are_those_of_scipy() {
    let framing = Framing::new(Generation::V1, UPRIGHT, [2, 1], 3);
    let picture = framing.picture_v1(&Source::Color(&[200, 10, 5, 100, 20, 255]), &SOFT);
    let wanted = [
        [143, 10, 0, 144, 14, 124, 100, 14, 192],
        [179, 10, 0, 180, 18, 156, 100, 17, 240],
        [143, 10, 0, 144, 14, 124, 100, 14, 192],
    ];
    assert_eq!(picture.rgb, wanted.concat());
}

#[test]
fn planes_are_those_of_pytorch() {
    let values = [-1000., -160., 40., 240., 500., -60.];
    let upright = [
        [0, 0, 0, 72, 148],
        [117, 117, 117, 111, 106],
        [255, 255, 255, 137, 45],
        [117, 117, 117, 57, 11],
        [0, 0, 0, 0, 0],
    ];
    let turned = [
        [146, 106, 45, 11, 0],
        [81, 111, 137, 58, 0],
        [0, 117, 255, 117, 0],
        [0, 118, 255, 124, 0],
        [0, 117, 255, 117, 0],
    ];
    let left = Turn { mirror: Mirror::No, quarters: Quarters::Three };
    assert_eq!(v2(&values, [3, 2], 5, &SOFT, UPRIGHT), upright.concat());
    // Not the same numbers turned: levels are whole behind each pass, and the picture's rows come first.
    assert_eq!(v2(&values, [3, 2], 5, &SOFT, left), turned.concat());
}

#[test]
fn probabilities_are_those_of_pytorch() {
    let framing = Framing::new(Generation::V1, UPRIGHT, [4, 4], 4);
    let logits = [-2.0, 0.5, 1.0, 3.0];
    let linear = [0.119_203, 0.201_813, 0.468_791, 0.622_459, 0.222_700, 0.341_583];
    let cubic = [0.076_620, 0.149_604, 0.438_418, 0.623_374, 0.169_381, 0.292_729];
    for (got, wanted) in
        [(framing.probability_v1(&logits, 2), linear), (framing.probability_v2(&logits, 2), cubic)]
    {
        for (got, wanted) in got.into_iter().zip(wanted) {
            assert!((got - wanted).abs() < 1e-6, "{got} {wanted}");
        }
    }
}

#[test]
fn what_has_no_range_is_black() {
    for value in [-3000.0, 7.0, 4000.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for (size, side) in [([1, 1], 8), ([1, 5], 8), ([9, 4], 9), ([30, 20], 8), ([1, 20], 8)] {
            let values = vec![value; size[0] * size[1]];
            for scale in [SOFT, Scale::OfSlice] {
                let picture = v1(&values, size, side, &scale, UPRIGHT);
                assert!(picture.iter().all(|level| *level == 0), "{value} {size:?} {scale:?}");
            }
            let nothing = Scale::Range { low: 0.0, high: 0.0 };
            assert!(v2(&values, size, side, &nothing, UPRIGHT).iter().all(|level| *level == 0));
        }
    }
}

#[test]
fn what_is_no_number_is_at_the_low_end() {
    let values = [f32::NAN, 240.0, f32::NEG_INFINITY, f32::INFINITY];
    let wanted = [0, 255, 0, 255];
    assert_eq!(v1(&values, [2, 2], 2, &SOFT, UPRIGHT), wanted);
    assert_eq!(v2(&values, [2, 2], 2, &SOFT, UPRIGHT), wanted);
    // 240 is the only positive number that counts, so nothing is between the percentiles.
    assert_eq!(v1(&values, [2, 2], 2, &Scale::OfSlice, UPRIGHT), [0; 4]);
    assert_eq!(v1(&values, [2, 2], 2, &Scale::EightBit, UPRIGHT), [0, 240, 0, 255]);
    let larger = v1(&values, [2, 2], 64, &Scale::EightBit, UPRIGHT);
    assert_eq!((larger[0], larger[64 * 16 + 48]), (0, 243));
}

#[test]
fn a_slice_is_stretched_by_what_it_has_left_and_a_plane_is_not() {
    let values = [-1000.0, -160.0, -60.0, 40.0];
    assert_eq!(v1(&values, [2, 2], 2, &SOFT, UPRIGHT), [0, 0, 127, 255]);
    assert_eq!(v2(&values, [2, 2], 2, &SOFT, UPRIGHT), [0, 0, 63, 127]);
}

#[test]
fn the_range_of_a_series_is_of_its_positive_values() {
    let values: Vec<f32> =
        (-500_i16..=1000).map(f32::from).chain([f32::NAN, f32::INFINITY]).collect();
    let (low, high) = super::super::series_range(&values);
    // numpy.percentile(range(1, 1001), [0.5, 99.5])
    assert!((low - 5.995).abs() < 1e-9 && (high - 995.005).abs() < 1e-9, "{low} {high}");
    let (low, high) = super::super::series_range(&[-1.0, 0.0, f32::NAN]);
    assert!(low.abs() + high.abs() < f64::MIN_POSITIVE);
}

#[test]
fn colour_stands_for_itself_in_generation_2() {
    let rgb = [255, 0, 0, 10, 20, 30, 255, 255, 255, 0, 0, 0];
    let framing = Framing::new(Generation::V2, UPRIGHT, [2, 2], 2);
    let planes = framing.colors_v2(&rgb).map(|plane| plane.levels);
    assert_eq!(planes, [[255, 10, 255, 0], [0, 20, 255, 0], [0, 30, 255, 0]]);
    let grey = framing.plane_v2(&Source::Color(&rgb), &Scale::EightBit);
    assert_eq!(grey.levels, [76, 18, 255, 0]);
}

#[test]
fn the_largest_image_needs_no_copy_of_itself() {
    // Zeros that nobody writes take no memory, so this shows that nothing of the size of the image is made.
    let values = vec![0.0; 16_384 * 16_384];
    assert!(v2(&values, [16_384, 16_384], 64, &SOFT, UPRIGHT).iter().all(|level| *level == 102));
    let thin = &values[..16_384 * 3];
    assert_eq!(v1(thin, [16_384, 3], 64, &Scale::EightBit, UPRIGHT), [0; 64 * 64]);
    assert_eq!(v1(thin, [3, 16_384], 64, &Scale::EightBit, UPRIGHT), [0; 64 * 64]);
}

#[test]
fn threads_change_nothing() {
    let values: Vec<f32> = (0..300 * 211_u32).map(|n| (n * 7919 % 1999) as f32 - 999.0).collect();
    let all = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut made = Vec::new();
            for side in [64, 250, 400] {
                made.push(v1(&values, [300, 211], side, &SOFT, UPRIGHT));
                made.push(v2(&values, [300, 211], side, &SOFT, UPRIGHT));
                let framing = Framing::new(Generation::V2, UPRIGHT, [300, 211], side);
                let logits: Vec<f32> = values[..400].iter().map(|value| value / 99.0).collect();
                let map = framing.probability_v2(&logits, 20);
                made.push(framing.back(&map).iter().flat_map(|p| p.to_le_bytes()).collect());
            }
            made
        })
    };
    assert_eq!(all(1), all(3));
}

fn any_turn() -> impl Strategy<Value = Turn> {
    (0..2_usize, 0..4_usize).prop_map(|(m, q)| Turn { mirror: MIRRORS[m], quarters: QUARTERS[q] })
}

/// Pixels that are set, in a slice of any form.
fn any_region() -> impl Strategy<Value = ([usize; 2], Vec<bool>)> {
    (1..14_usize, 1..14_usize).prop_flat_map(|(columns, rows)| {
        let pixels = prop::collection::vec(any::<bool>(), columns * rows);
        pixels.prop_map(move |pixels| ([columns, rows], pixels))
    })
}

fn returned(framing: &Framing, levels: &[u8]) -> Vec<bool> {
    let map: Vec<f32> = levels.iter().map(|level| f32::from(*level) / 255.0).collect();
    let back = framing.back(&map);
    let patch = framing.patch(&map);
    let mut whole = vec![0.0; back.len()];
    for (row, values) in patch.lines() {
        let first = row * framing.columns() + patch.columns.start;
        whole[first..first + values.len()].copy_from_slice(values);
    }
    for (back, patched) in back.iter().zip(whole) {
        assert!(back.to_bits() == patched.to_bits() || (*back <= 0.5 && patched == 0.0));
    }
    back.into_iter().map(|value| value > 0.5).collect()
}

proptest! {
    #[test]
    fn what_is_marked_comes_back_to_its_pixels(
        (size, pixels) in any_region(),
        turn in any_turn(),
        factor in 4..7_usize,
        more in 0..5_usize,
    ) {
        let values: Vec<f32> = pixels.iter().map(|set| if *set { 255.0 } else { 0.0 }).collect();
        let source = Source::Grey(&values);
        let side = size[0].max(size[1]) * factor + more;
        let first = Framing::new(Generation::V1, turn, size, side);
        let picture = first.picture_v1(&source, &Scale::EightBit);
        let levels: Vec<u8> = picture.rgb.into_iter().step_by(3).collect();
        prop_assert_eq!(&returned(&first, &levels), &pixels);
        let second = Framing::new(Generation::V2, turn, size, side);
        let plane = second.plane_v2(&source, &Scale::EightBit);
        prop_assert_eq!(&returned(&second, &plane.levels), &pixels);
    }

    #[test]
    fn a_box_of_a_large_image_comes_back_to_its_place(
        size in (40..200_usize, 40..200_usize),
        turn in any_turn(),
        side in 16..40_usize,
        at in (0.0..0.4_f64, 0.0..0.4_f64),
    ) {
        let size = [size.0, size.1];
        let factor = size[0].max(size[1]) as f64 / side as f64;
        let inside = |n: usize, begin: f64, count: usize, border: f64| {
            let (first, last) = (begin * count as f64, (begin + 0.5) * count as f64);
            (first + border..last - border).contains(&(n as f64))
        };
        let is = |n: usize, border: f64| {
            inside(n % size[0], at.0, size[0], border) && inside(n / size[0], at.1, size[1], border)
        };
        let count = size[0] * size[1];
        let values: Vec<f32> = (0..count).map(|n| if is(n, 0.0) { 255.0 } else { 0.0 }).collect();
        let framing = Framing::new(Generation::V1, turn, size, side);
        let picture = framing.picture_v1(&Source::Grey(&values), &Scale::EightBit);
        let levels: Vec<u8> = picture.rgb.into_iter().step_by(3).collect();
        let back = returned(&framing, &levels);
        for (n, set) in back.into_iter().enumerate() {
            prop_assert!(set || !is(n, 2.0 * factor), "{} is missing", n);
            prop_assert!(!set || is(n, -2.0 * factor), "{} is too much", n);
        }
    }
}

#[test]
fn one_pixel_short_of_square_comes_back_too() {
    for turn in turns() {
        for size in [[11, 8], [8, 11]] {
            let pixels: Vec<bool> = (0..88).map(|n| n * 37 % 11 < 4).collect();
            let values: Vec<f32> =
                pixels.iter().map(|set| f32::from(u8::from(*set)) * 255.0).collect();
            let framing = Framing::new(Generation::V1, turn, size, 64);
            let picture = framing.picture_v1(&Source::Grey(&values), &Scale::EightBit);
            let levels: Vec<u8> = picture.rgb.into_iter().step_by(3).collect();
            assert_eq!(returned(&framing, &levels), pixels, "{turn:?} {size:?}");
        }
    }
}
