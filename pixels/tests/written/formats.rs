//! Formats that are not one whole number of bytes a pixel: bits, colours, planes, floating point.

use crate::made::{Made, encapsulated};
use dataset::{DataSet, Vr, tags};
use pixels::{Photometric, StoredFrame, StoredValues};

const BIG_ENDIAN: &str = "1.2.840.10008.1.2.2";

fn stored(made: &Made, frame_index: usize, fill: impl FnOnce(&mut DataSet)) -> StoredFrame {
    let mut header = made.header();
    fill(&mut header);
    pixels::stored_frame(&made.instance(header), frame_index).unwrap()
}

fn color(term: &'static str, planes: u16) -> impl FnOnce(&mut DataSet) {
    move |set| {
        set.put_text(tags::PHOTOMETRIC_INTERPRETATION, Vr::CS, term);
        set.put_u16s(tags::SAMPLES_PER_PIXEL, &[3]);
        set.put_u16s(tags::PLANAR_CONFIGURATION, &[planes]);
    }
}

#[test]
fn bits_are_packed_from_the_lowest_without_padding_between_frames() {
    // 3 x 1 pixels, three frames: 101, 110, 001 from the lowest bit up.
    let bits = [0b0001_1101, 0b0000_0001];
    let made = Made::new(3, 1, &bits).with(|m| (m.bits, m.frames) = ([1, 1, 0, 0], 3));
    assert_eq!(made.frame(0).unwrap(), [1.0, 0.0, 1.0]);
    assert_eq!(made.frame(1).unwrap(), [1.0, 1.0, 0.0]);
    assert_eq!(made.frame(2).unwrap(), [0.0, 0.0, 1.0]);
    let swapped = Made::new(3, 1, &[bits[1], bits[0]]).with(|m| {
        (m.bits, m.frames, m.syntax) = ([1, 1, 0, 0], 3, BIG_ENDIAN);
    });
    assert_eq!(swapped.frame(2).unwrap(), [0.0, 0.0, 1.0]);
    let short = Made::new(3, 3, &bits[..1]).with(|m| m.bits = [1, 1, 0, 0]);
    assert!(short.refusal().starts_with("truncated-pixels: 1.3: 2 bytes of Pixel Data expected"));
    let cut = Made::new(3, 3, &bits).with(|m| m.bits = [1, 1, 0, 0]);
    assert_eq!(cut.values(), [1.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
    cut.cut(1);
    assert_eq!(cut.refusal(), "truncated-pixels: 1.3: 2 bytes of Pixel Data expected, 1 found");
    // In fragments each frame has a byte of its own.
    let fragments = encapsulated(&[], &[&[0b101], &[0b110]]);
    let own = Made::new(3, 1, &fragments).with(|m| {
        (m.bits, m.frames) = ([1, 1, 0, 0], 2);
        (m.syntax, m.length) = ("1.2.840.10008.1.2.1.98", None);
    });
    assert_eq!(own.frame(1).unwrap(), [0.0, 1.0, 1.0]);
}

#[test]
fn planes_become_pixels() {
    let made = Made::new(2, 1, &[1, 2, 3, 4, 5, 6]).with(|m| m.bits = [8, 8, 7, 0]);
    let frame = stored(&made, 0, color("RGB", 0));
    assert_eq!(frame.values, StoredValues::U8(vec![1, 2, 3, 4, 5, 6]));
    let frame = stored(&made, 0, color("RGB", 1));
    assert_eq!(frame.values, StoredValues::U8(vec![1, 3, 5, 2, 4, 6]));
    assert_eq!((frame.samples_per_pixel, frame.photometric), (3, Photometric::Rgb));
    let wide = Made::new(1, 1, &[1, 0, 2, 0, 3, 1]);
    let frame = stored(&wide, 0, color("RGB", 1));
    assert_eq!(frame.values, StoredValues::U16(vec![1, 2, 259]));
}

#[test]
fn colour_differences_of_pairs_go_to_both_pixels() {
    // Y1 Y2 B R, two frames.
    let made = Made::new(2, 1, &[1, 2, 30, 40, 5, 6, 70, 80])
        .with(|m| (m.bits, m.frames) = ([8, 8, 7, 0], 2));
    let frame = stored(&made, 1, color("YBR_FULL_422", 0));
    assert_eq!(frame.values, StoredValues::U8(vec![5, 70, 80, 6, 70, 80]));
    assert_eq!(frame.photometric, Photometric::YbrFull);
    let odd = Made::new(3, 2, &[0; 18]).with(|m| m.bits = [8, 8, 7, 0]);
    let mut header = odd.header();
    color("YBR_FULL_422", 0)(&mut header);
    let reason = pixels::stored_frame(&odd.instance(header), 0).unwrap_err().to_string();
    assert_eq!(reason, "pixel-format: 1.3: YBR_FULL_422 with 3 columns");
    // Decoders give each pixel its own colour.
    for syntax in ["1.2.840.10008.1.2.1.98", "1.2.840.10008.1.2.4.50"] {
        let odd = Made::new(3, 2, &[0; 18]);
        let odd = odd.with(|m| (m.bits, m.syntax, m.length) = ([8, 8, 7, 0], syntax, None));
        let mut header = odd.header();
        color("YBR_FULL_422", 0)(&mut header);
        let checked = pixels::check_color(&odd.instance(header));
        assert_eq!(checked.is_ok(), syntax.ends_with("50"), "{syntax}");
    }
}

/// A palette whose entries are 16 bits: red rises, green falls, blue comes in segments.
fn palette(set: &mut DataSet) {
    set.put_text(tags::PHOTOMETRIC_INTERPRETATION, Vr::CS, "PALETTE COLOR");
    for tag in [
        tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
        tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
        tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
    ] {
        set.put_u16s(tag, &[3, 10, 16]);
    }
    let words = |words: &[u16]| words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let ow = |set: &mut DataSet, tag, values: &[u16]| set.put_bytes(tag, Vr::OW, words(values));
    ow(set, tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA, &[0x0000, 0x8000, 0xFFFF]);
    ow(set, tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA, &[0xFF00, 0x8000, 0x00FF]);
    let segments = [0, 1, 0x1000, 1, 2, 0x3000];
    ow(set, tags::SEGMENTED_BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA, &segments);
}

#[test]
fn colours_become_rgb() {
    let rgb = |made: &Made, fill: &dyn Fn(&mut DataSet)| {
        let mut header = made.header();
        fill(&mut header);
        let instance = made.instance(header);
        pixels::check_color(&instance).map_err(|reason| reason.to_string())?;
        let frame = pixels::color_frame(&instance, 0).map_err(|reason| reason.to_string())?;
        Ok::<_, String>(frame.rgb)
    };
    // Below the first entry, the second, beyond the last.
    let made = Made::new(3, 1, &[9, 11, 200, 0]).with(|m| m.bits = [8, 8, 7, 0]);
    let want = [0, 0xFF, 0x10, 0x80, 0x80, 0x20, 0xFF, 0, 0x30];
    assert_eq!(rgb(&made, &palette).unwrap(), want);
    let without = |set: &mut DataSet| {
        palette(set);
        set.remove(tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA);
    };
    let reason = rgb(&made, &without).unwrap_err();
    assert_eq!(reason, "pixel-format: 1.3: palette: 0 entries in segments, 3 expected");
    let made = Made::new(1, 1, &[76, 85, 255, 0]).with(|m| m.bits = [8, 8, 7, 0]);
    assert_eq!(rgb(&made, &|set| color("YBR_FULL", 0)(set)).unwrap(), [254, 0, 0]);
    assert_eq!(rgb(&made, &|set| color("RGB", 1)(set)).unwrap(), [76, 85, 255]);
    // 12 bits: 0, 2,048 and 4,095 of 4,095.
    let made = Made::new(1, 1, &[0, 0, 0, 8, 0xFF, 0xFF]).with(|m| m.bits = [16, 12, 11, 0]);
    assert_eq!(rgb(&made, &|set| color("RGB", 0)(set)).unwrap(), [0, 128, 255]);
    assert_eq!(rgb(&made, &|_| ()).unwrap_err(), "pixel-format: 1.3: MONOCHROME2: not colour");
}

#[test]
fn grey_levels_follow_window_lut_and_polarity() {
    let made = Made::new(3, 1, &[0, 0, 50, 0, 100, 0]);
    let levels = |fill: &dyn Fn(&mut DataSet)| {
        let mut header = made.header();
        fill(&mut header);
        let slice = crate::slices::slice_of(made.instance(header), 0, 2.0, -100.0);
        let window = pixels::Window::of(&slice).map_err(|reason| reason.to_string())?;
        let window = window.unwrap_or_else(|| pixels::Window::spanning(&[-100.0, 100.0]));
        Ok::<_, String>(pixels::display_frame(&slice, &window).unwrap().levels)
    };
    let window = |set: &mut DataSet, function: &str, width: f64| {
        set.put_decimals(tags::WINDOW_CENTER, &[0.0]);
        set.put_decimals(tags::WINDOW_WIDTH, &[width]);
        set.put_text(tags::VOILUT_FUNCTION, Vr::CS, function);
    };
    assert_eq!(levels(&|_| ()).unwrap(), [0, 128, 255]);
    assert_eq!(levels(&|set| window(set, "LINEAR_EXACT", 400.0)).unwrap(), [64, 128, 191]);
    assert_eq!(levels(&|set| window(set, "SIGMOID", 200.0)).unwrap(), [30, 128, 225]);
    assert!(levels(&|set| window(set, "LINEAR", 0.5)).unwrap_err().contains("Window Width 0.5"));
    let inverse = |set: &mut DataSet| {
        set.put_text(tags::PHOTOMETRIC_INTERPRETATION, Vr::CS, "MONOCHROME1");
        window(set, "LINEAR_EXACT", 400.0);
    };
    assert_eq!(levels(&inverse).unwrap(), [191, 127, 64]);
    assert_eq!(
        levels(&|set| set.put_text(tags::PRESENTATION_LUT_SHAPE, Vr::CS, "INVERSE")).unwrap(),
        [255, 127, 0]
    );
    let lut = |set: &mut DataSet| {
        let mut item = DataSet::new();
        item.put_u16s(tags::LUT_DESCRIPTOR, &[2, 0, 8]);
        item.put_bytes(tags::LUT_DATA, Vr::OW, vec![10, 20]);
        set.put_items(tags::VOILUT_SEQUENCE, vec![item]);
        window(set, "LINEAR", 400.0);
    };
    assert_eq!(levels(&lut).unwrap(), [10, 10, 20]);
    // Values are -100, 0 and 100, so the first that is mapped is -50 and not 65,486.
    let below_0 = |set: &mut DataSet| {
        let mut item = DataSet::new();
        item.put_u16s(tags::LUT_DESCRIPTOR, &[2, 0xFFCE, 8]);
        item.put_bytes(tags::LUT_DATA, Vr::OW, vec![10, 20]);
        set.put_items(tags::VOILUT_SEQUENCE, vec![item]);
    };
    assert_eq!(levels(&below_0).unwrap(), [10, 20, 20]);
    // That of the frame comes first.
    let of_frame = |set: &mut DataSet| {
        window(set, "LINEAR", 1.0);
        let (mut voi, mut groups) = (DataSet::new(), DataSet::new());
        window(&mut voi, "LINEAR_EXACT", 400.0);
        groups.put_items(tags::FRAME_VOILUT_SEQUENCE, vec![voi]);
        set.put_items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, vec![groups]);
    };
    assert_eq!(levels(&of_frame).unwrap(), [64, 128, 191]);
}

#[test]
fn voi_luts_begin_below_0_where_their_vr_or_their_input_does() {
    let levels = |representation: u16, intercept: f64, vr: Vr, first: u16| {
        let made = Made::new(1, 1, &[0, 0]).with(|m| m.bits = [16, 16, 15, representation]);
        let mut item = DataSet::new();
        let descriptor = [2, first, 8].into_iter().flat_map(u16::to_le_bytes).collect();
        item.put_bytes(tags::LUT_DESCRIPTOR, vr, descriptor);
        item.put_bytes(tags::LUT_DATA, Vr::OW, vec![10, 20]);
        let mut header = made.header();
        header.put_items(tags::VOILUT_SEQUENCE, vec![item]);
        let slice = crate::slices::slice_of(made.instance(header), 0, 1.0, intercept);
        let window = pixels::Window::of(&slice).unwrap().unwrap();
        pixels::display_frame(&slice, &window).unwrap().levels
    };
    // Unsigned pixels, 0 of 0 to 65,535: -1 is below, 65,535 above.
    assert_eq!(levels(0, 0.0, Vr::SS, 0xFFFF), [20]);
    assert_eq!(levels(0, 0.0, Vr::US, 0xFFFF), [10]);
    // Signed pixels that become 32,768 of 0 to 65,535.
    assert_eq!(levels(1, 32_768.0, Vr::US, 40_000), [10]);
    assert_eq!(levels(1, 0.0, Vr::US, 40_000), [20]);
}

#[test]
fn floating_point_pixels() {
    let floats: Vec<u8> = [1.5_f32, -2.0].iter().flat_map(|value| value.to_le_bytes()).collect();
    let made = Made::new(2, 1, &floats).with(|m| m.rescale = (2.0, 1.0));
    let with_tag = |made: &Made, tag| {
        let mut instance = made.instance(made.header());
        instance.pixel_data.as_mut().unwrap().tag = tag;
        instance
    };
    let single = with_tag(&made, tags::FLOAT_PIXEL_DATA);
    let frame = pixels::stored_frame(&single, 0).unwrap();
    assert_eq!(frame.values, StoredValues::F32(vec![1.5, -2.0]));
    let slice = crate::slices::slice_of(single, 0, 2.0, 1.0);
    assert_eq!(pixels::slice_values(&slice, crate::slices::grid(2, 1)).unwrap(), [4.0, -3.0]);
    let doubles: Vec<u8> = [0.1_f64, -2.0].iter().flat_map(|value| value.to_be_bytes()).collect();
    let made = Made::new(2, 1, &doubles).with(|m| m.syntax = BIG_ENDIAN);
    let double = with_tag(&made, tags::DOUBLE_FLOAT_PIXEL_DATA);
    let frame = pixels::stored_frame(&double, 0).unwrap();
    assert_eq!(frame.values, StoredValues::F64(vec![0.1, -2.0]));
    // Codecs are for whole numbers.
    let made = made.with(|m| (m.syntax, m.length) = ("1.2.840.10008.1.2.5", None));
    let reason =
        pixels::check_decodable(&with_tag(&made, tags::FLOAT_PIXEL_DATA)).unwrap_err().to_string();
    assert!(reason.ends_with("1.2.840.10008.1.2.5 (RLE Lossless) of floating point pixels"));
}

#[test]
fn what_cannot_be_a_frame_is_refused_before_anything_is_allocated() {
    let refused = |fill: &dyn Fn(&mut DataSet)| {
        let made = Made::new(2, 1, &[0; 64]).with(|m| {
            (m.syntax, m.length) = ("1.2.840.10008.1.2.5", None);
        });
        let mut header = made.header();
        fill(&mut header);
        pixels::stored_frame(&made.instance(header), 0).unwrap_err().to_string()
    };
    let huge = refused(&|set| {
        set.put_u16s(tags::COLUMNS, &[65_535]);
        set.put_u16s(tags::ROWS, &[65_535]);
    });
    assert_eq!(huge, "too-large: 1.3: 65535 x 65535 pixels of 1 samples");
    let term = refused(&|set| set.put_text(tags::PHOTOMETRIC_INTERPRETATION, Vr::CS, "ARGB"));
    assert_eq!(term, "pixel-format: 1.3: Photometric Interpretation 'ARGB', 1 samples a pixel");
    let planes = refused(&|set| set.put_u16s(tags::PLANAR_CONFIGURATION, &[2]));
    assert_eq!(planes, "pixel-format: 1.3: Planar Configuration is 2");
    // A frame that no 16 bytes can hold.
    let fragments = encapsulated(&[], &[&[0; 16]]);
    let small = Made::new(64, 64, &fragments)
        .with(|m| (m.syntax, m.length) = ("1.2.840.10008.1.2.5", None));
    assert!(small.refusal().ends_with("16 bytes for 4096 samples"));
}
