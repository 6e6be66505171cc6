//! Frames from bytes that are written here: formats, byte orders, polarity, LUTs, fragments and everything broken.

use crate::made::{Made, encapsulated};
use crate::slices::{grid, slice_of};
use dataset::{DataSet, Vr, tags};
use flate2::Compression;
use flate2::write::DeflateEncoder;
use series::SourceInstance;
use std::io::Write as _;

const BIG_ENDIAN: &str = "1.2.840.10008.1.2.2";
const RLE: &str = "1.2.840.10008.1.2.5";
const JPEG_2000: &str = "1.2.840.10008.1.2.4.90";

#[test]
fn samples_of_every_width() {
    let words = [0x01, 0x00, 0xFF, 0xFF];
    assert_eq!(Made::new(2, 1, &words).values(), [1.0, 65_535.0]);
    let signed = Made::new(2, 1, &words).with(|m| m.bits = [16, 16, 15, 1]);
    assert_eq!(signed.values(), [1.0, -1.0]);
    let twelve = Made::new(2, 1, &[0xFF, 0x1F, 0x00, 0xF8]).with(|m| m.bits = [16, 12, 11, 1]);
    assert_eq!(twelve.values(), [-1.0, -2048.0]);
    let high = Made::new(1, 1, &[0x3F, 0x12]).with(|m| m.bits = [16, 12, 15, 0]);
    assert_eq!(high.values(), [f32::from(0x123_u16)]);
    let bytes = Made::new(2, 1, &[7, 0xFE]).with(|m| m.bits = [8, 8, 7, 0]);
    assert_eq!(bytes.values(), [7.0, 254.0]);
    let bytes = Made::new(2, 1, &[7, 0xFE]).with(|m| (m.bits, m.vr) = ([8, 8, 7, 1], Vr::OB));
    assert_eq!(bytes.values(), [7.0, -2.0]);
    let long = Made::new(1, 1, &[0, 0, 0, 0x80]).with(|m| m.bits = [32, 32, 31, 0]);
    assert_eq!(long.values(), [2_147_483_648.0]);
    let long = Made::new(1, 1, &[0xFE, 0xFF, 0xFF, 0xFF]).with(|m| m.bits = [32, 32, 31, 1]);
    assert_eq!(long.values(), [-2.0]);
}

#[test]
fn rescaling_is_done_in_double_precision() {
    let made = Made::new(2, 1, &[0, 0, 0xE8, 0x03]).with(|m| m.rescale = (0.1, -1024.0));
    assert_eq!(made.values(), [-1024.0, -924.0]);
}

#[test]
fn big_endian_samples() {
    let big = |bytes: &[u8]| Made::new(2, 1, bytes).with(|m| m.syntax = BIG_ENDIAN);
    assert_eq!(big(&[0x01, 0x02, 0x03, 0x04]).values(), [258.0, 772.0]);
    let long = Made::new(1, 1, &[0, 1, 0, 0]).with(|m| {
        (m.syntax, m.bits) = (BIG_ENDIAN, [32, 32, 31, 0]);
    });
    assert_eq!(long.values(), [65_536.0]);
    // Bytes in OB stand as they are, bytes in the words of OW are swapped.
    let plain = big(&[1, 2]).with(|m| (m.bits, m.vr) = ([8, 8, 7, 0], Vr::OB));
    assert_eq!(plain.values(), [1.0, 2.0]);
    let swapped = big(&[1, 2]).with(|m| m.bits = [8, 8, 7, 0]);
    assert_eq!(swapped.values(), [2.0, 1.0]);
    // Frames of three bytes begin in the middle of words: 1 2 3 | 4 5 6.
    let odd = Made::new(3, 1, &[2, 1, 4, 3, 6, 5]).with(|m| {
        (m.syntax, m.bits, m.frames) = (BIG_ENDIAN, [8, 8, 7, 0], 2);
    });
    assert_eq!(odd.frame(0).unwrap(), [1.0, 2.0, 3.0]);
    assert_eq!(odd.frame(1).unwrap(), [4.0, 5.0, 6.0]);
}

#[test]
fn each_frame_is_its_own() {
    let made = Made::new(1, 2, &[1, 0, 2, 0, 3, 0, 4, 0]).with(|m| m.frames = 2);
    assert_eq!(made.frame(0).unwrap(), [1.0, 2.0]);
    assert_eq!(made.frame(1).unwrap(), [3.0, 4.0]);
}

fn with(made: &Made, fill: impl FnOnce(&mut DataSet)) -> Result<Vec<f32>, String> {
    let mut header = made.header();
    fill(&mut header);
    made.values_of(header, 0)
}

#[test]
fn monochrome1_is_turned_round_unless_values_are_physical() {
    let made = Made::new(2, 1, &[0, 0, 0xFF, 0x0F]).with(|m| {
        (m.bits, m.rescale) = ([16, 12, 11, 0], (2.0, 10.0));
    });
    let shown = |modality: &str, rescale_type: Option<&str>| {
        with(&made, |set| {
            set.put_text(tags::PHOTOMETRIC_INTERPRETATION, Vr::CS, "MONOCHROME1");
            set.put_text(tags::MODALITY, Vr::CS, modality);
            if let Some(text) = rescale_type {
                set.put_text(tags::RESCALE_TYPE, Vr::LO, text);
            }
        })
        .unwrap()
    };
    assert_eq!(shown("CR", None), [8200.0, 10.0]);
    assert_eq!(shown("CR", Some("US")), [8200.0, 10.0]);
    assert_eq!(shown("CR", Some("OD")), [10.0, 8200.0]);
    assert_eq!(shown("CT", None), [10.0, 8200.0]);
    assert_eq!(shown("PT", None), [10.0, 8200.0]);
    let signed = Made::new(2, 1, &[0, 0x80, 0xFF, 0x7F]).with(|m| m.bits = [16, 16, 15, 1]);
    let turned =
        with(&signed, |set| set.put_text(tags::PHOTOMETRIC_INTERPRETATION, Vr::CS, "MONOCHROME1"));
    assert_eq!(turned.unwrap(), [32_767.0, -32_768.0]);
}

#[test]
fn a_modality_lut_stands_in_for_the_slope() {
    let made = Made::new(4, 1, &[0, 0, 5, 0, 6, 0, 9, 0]).with(|m| m.rescale = (7.0, 7.0));
    let lut = |descriptor: [u16; 3], data: Vec<u8>| {
        let mut item = DataSet::new();
        item.put_u16s(tags::LUT_DESCRIPTOR, &descriptor);
        item.put_bytes(tags::LUT_DATA, Vr::OW, data);
        with(&made, |set| set.put_items(tags::MODALITY_LUT_SEQUENCE, vec![item]))
    };
    let words = lut([3, 5, 16], vec![100, 0, 200, 0, 44, 1]);
    assert_eq!(words.unwrap(), [100.0, 100.0, 200.0, 300.0]);
    assert_eq!(lut([3, 5, 8], vec![1, 2, 3, 0]).unwrap(), [1.0, 1.0, 2.0, 3.0]);
    assert_eq!(
        lut([3, 5, 16], vec![1]).unwrap_err(),
        "pixel-format: 1.3: Modality LUT: 3 entries in 2 bytes"
    );
    // 0 entries stand for 65,536.
    assert!(lut([0, 5, 16], vec![1; 6]).unwrap_err().contains("65536 entries"));
    let below_zero = Made::new(2, 1, &[0xFF, 0xFF, 0, 0]).with(|m| m.bits = [16, 16, 15, 1]);
    let mut item = DataSet::new();
    item.put_u16s(tags::LUT_DESCRIPTOR, &[2, 0xFFFF, 16]);
    item.put_bytes(tags::LUT_DATA, Vr::OW, vec![11, 0, 12, 0]);
    let mapped = with(&below_zero, |set| set.put_items(tags::MODALITY_LUT_SEQUENCE, vec![item]));
    assert_eq!(mapped.unwrap(), [11.0, 12.0]);
}

#[test]
fn formats_that_are_no_grey_image_are_refused() {
    let made = Made::new(1, 1, &[0, 0, 0, 0]);
    let numbers = [
        (tags::SAMPLES_PER_PIXEL, 3),
        (tags::BITS_ALLOCATED, 1),
        (tags::BITS_ALLOCATED, 64),
        (tags::BITS_STORED, 0),
        (tags::BITS_STORED, 17),
        (tags::HIGH_BIT, 16),
        (tags::HIGH_BIT, 14),
        (tags::PIXEL_REPRESENTATION, 2),
        (tags::ROWS, 0),
    ];
    for (tag, number) in numbers {
        let reason = with(&made, |set| set.put_u16s(tag, &[number])).unwrap_err();
        assert!(reason.starts_with("pixel-format: 1.3: "), "{tag} {number}: {reason}");
    }
    for tag in [tags::SAMPLES_PER_PIXEL, tags::BITS_STORED, tags::PIXEL_REPRESENTATION] {
        let reason = with(&made, |set| set.put_text(tag, Vr::IS, "0 x")).unwrap_err();
        assert_eq!(reason, format!("pixel-format: 1.3: {tag} is no number"));
    }
    for text in ["RGB", "PALETTE COLOR", "YBR_FULL", ""] {
        let photometric = tags::PHOTOMETRIC_INTERPRETATION;
        let reason = with(&made, |set| set.put_text(photometric, Vr::CS, text)).unwrap_err();
        assert!(reason.starts_with("pixel-format: 1.3: "), "{text}: {reason}");
    }
    let mut without = made.instance(made.header());
    without.pixel_data = None;
    let reason = pixels::check_decodable(&without).unwrap_err().to_string();
    assert_eq!(reason, "no-pixels: 1.3: no Pixel Data");
    let slice = slice_of(made.instance(made.header()), 0, 1.0, 0.0);
    let reason = pixels::slice_values(&slice, grid(2, 1)).unwrap_err().to_string();
    assert_eq!(reason, "mixed-grid: 1.3: 1 x 1 pixels, not 2 x 1");
}

#[test]
fn transfer_syntaxes_that_nobody_decodes_are_refused_by_name() {
    let refused = |syntax: &'static str| {
        let made = Made::new(1, 1, &[0, 0]).with(|m| (m.syntax, m.length) = (syntax, None));
        let reason = pixels::check_decodable(&made.instance(made.header())).unwrap_err();
        reason.to_string()
    };
    let reason =
        |rest: &str| format!("undecodable-transfer-syntax: 1.3: 1.2.840.10008.1.2.4.{rest}");
    assert_eq!(refused("1.2.840.10008.1.2.4.102"), reason("102 (MPEG-4)"));
    assert_eq!(refused("1.2.840.10008.1.2.4.55"), reason("55 (a retired JPEG process)"));
    assert_eq!(refused("1.2.840.10008.1.2.4.92"), reason("92 (JPEG 2000 Part 2)"));
    assert!(refused("1.2.3").ends_with("1.2.3 (unknown)"));
}

#[test]
fn truncated_pixels_name_both_lengths() {
    let made = Made::new(4, 2, &[0; 32]).with(|m| m.frames = 2);
    made.cut(31);
    assert_eq!(made.frame(0).unwrap(), [0.0; 8]);
    let reason = "truncated-pixels: 1.3: 32 bytes of Pixel Data expected, 31 found";
    assert_eq!(made.refusal(), reason);
    let short = Made::new(4, 2, &[0; 32]).with(|m| (m.frames, m.length) = (2, Some(30)));
    let declared = pixels::check_decodable(&short.instance(short.header())).unwrap_err();
    let reason = "truncated-pixels: 1.3: 32 bytes of Pixel Data expected, 30 found";
    assert_eq!(declared.to_string(), reason);
    assert_eq!(short.frame(0).unwrap_err(), reason);
    // A padding byte is no fault.
    assert_eq!(Made::new(1, 1, &[3, 0]).with(|m| m.bits = [8, 8, 7, 0]).values(), [3.0]);
    let undefined = Made::new(1, 1, &[0; 2]).with(|m| m.length = None);
    assert!(undefined.refusal().starts_with("unreadable: 1.3: uncompressed Pixel Data of undef"));
}

fn rle(table: &[u32], fragments: &[&[u8]]) -> Made {
    Made::new(2, 1, &encapsulated(table, fragments))
        .with(|m| (m.syntax, m.length, m.bits) = (RLE, None, [8, 8, 7, 0]))
}

/// An RLE frame of one segment.
fn segment(bytes: &[u8]) -> Vec<u8> {
    let mut frame = vec![0; 64];
    (frame[0], frame[4]) = (1, 64);
    frame.extend(bytes);
    frame
}

#[test]
fn fragments_are_found_with_and_without_tables() {
    let (one, two) = (segment(&[1, 10, 11]), segment(&[0xFF, 20]));
    assert_eq!(rle(&[], &[&one]).values(), [10.0, 11.0]);
    // A single frame may come in several fragments.
    assert_eq!(rle(&[0], &[&one[..10], &one[10..]]).values(), [10.0, 11.0]);
    let both = |table: &[u32]| rle(table, &[&one, &two]).with(|m| m.frames = 2);
    let second = u32::try_from(one.len()).unwrap() + 8;
    // A table in which frames do not follow one another says nothing.
    for table in [&[][..], &[0, second], &[0], &[second, 0], &[0, 0]] {
        assert_eq!(both(table).frame(0).unwrap(), [10.0, 11.0]);
        assert_eq!(both(table).frame(1).unwrap(), [20.0, 20.0]);
    }
    let made = both(&[]);
    let extended = |offsets: [u64; 2], frame| {
        let mut header = made.header();
        let bytes = offsets.iter().flat_map(|offset| offset.to_le_bytes()).collect();
        header.put_bytes(tags::EXTENDED_OFFSET_TABLE, Vr::OV, bytes);
        made.values_of(header, frame)
    };
    assert_eq!(extended([0, second.into()], 1).unwrap(), [20.0, 20.0]);
    assert!(extended([0, u64::MAX], 1).unwrap_err().starts_with("truncated-pixels"));
    assert!(extended([0, 3], 1).unwrap_err().contains("no fragment at byte"));
    let three = rle(&[], &[&one, &two, &two]).with(|m| m.frames = 2);
    assert_eq!(three.refusal(), "unreadable: 1.3: 2 frames in 3 fragments, and no offset table");
}

/// The values of a frame of an instance that is read frame by frame.
fn frame_of(
    made: &Made,
    instance: &SourceInstance,
    frame_index: usize,
) -> Result<Vec<f32>, String> {
    let slice = slice_of(instance.clone(), frame_index, 1.0, 0.0);
    let values = pixels::slice_values(&slice, grid(made.columns.into(), made.rows.into()));
    values.map_err(|reason| reason.to_string())
}

#[test]
fn fragments_are_looked_for_once() {
    let frames: Vec<Vec<u8>> = (0..20_000_u16).map(|n| n.to_le_bytes().repeat(2)).collect();
    let fragments: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
    let table: Vec<u32> = (0..20_000).map(|n| 12 * n).collect();
    for table in [&[][..], &table] {
        let pixels = encapsulated(table, &fragments);
        let made = Made::new(2, 1, &pixels).with(|m| {
            (m.syntax, m.length, m.frames) = ("1.2.840.10008.1.2.1.98", None, 20_000);
        });
        let instance = made.instance(made.header());
        for frame_index in 0..20_000_u16 {
            let value = frame_of(&made, &instance, frame_index.into());
            assert_eq!(value.unwrap(), [f32::from(frame_index); 2]);
        }
        // The table and the first fragment are no fragments any more, and nobody notices.
        made.spoil(0, 1);
        made.spoil(8 + 4 * table.len() as u64, 1);
        assert_eq!(frame_of(&made, &instance, 19_999).unwrap(), [19_999.0; 2]);
        assert!(frame_of(&made, &instance, 0).unwrap_err().contains("no fragment at byte"));
        assert!(made.refusal().contains("no fragment at byte"));
    }
}

#[test]
fn deflated_frames_are_inflated_once() {
    let pixels: Vec<u8> = (0..20_000_u16).flat_map(|n| n.to_le_bytes().repeat(2)).collect();
    let deflated = |pixels: &[u8]| {
        let mut deflater = DeflateEncoder::new(vec![], Compression::fast());
        // Something stands in front of them.
        deflater.write_all(&[&[0xAA; 7], pixels].concat()).unwrap();
        deflater.finish().unwrap()
    };
    let made = |inflated: &[u8]| {
        let meta = [2, 0, 0, 0, b'U', b'L', 4, 0, 0, 0, 0, 0];
        let made = Made::new(2, 1, &[]).with(|m| {
            (m.syntax, m.frames) = ("1.2.840.10008.1.2.1.99", 20_000);
            m.length = Some(80_000);
        });
        let file = [&[0; 132][..], &meta, &deflated(inflated)].concat();
        std::fs::write(made.path(), file).unwrap();
        made
    };
    let whole = made(&pixels);
    let instance = whole.instance(whole.header());
    // Frames may lie in any order.
    assert_eq!(frame_of(&whole, &instance, 19_999).unwrap(), [19_999.0; 2]);
    std::fs::remove_file(whole.path()).unwrap();
    for frame_index in (0..20_000_u16).rev() {
        let value = frame_of(&whole, &instance, frame_index.into());
        assert_eq!(value.unwrap(), [f32::from(frame_index); 2]);
    }
    let reason = "truncated-pixels: 1.3: 80000 bytes of Pixel Data expected, 6 found";
    assert_eq!(made(&pixels[..6]).refusal(), reason);
    let large = made(&[]).with(|m| (m.columns, m.rows, m.length) = (30_000, 2, Some(1 << 40)));
    let reason = "too-large: 1.3: 2400000000 bytes of deflated pixels, 1073741824 are allowed";
    assert_eq!(large.refusal(), reason);
}

#[test]
fn broken_fragments_are_refused() {
    let one = segment(&[1, 10, 11]);
    let made = rle(&[], &[&one]);
    made.cut(40);
    assert!(made.refusal().starts_with("truncated-pixels: 1.3: "));
    made.cut(10);
    assert!(made.refusal().starts_with("truncated-pixels: 1.3: "));
    made.cut(0);
    assert!(made.refusal().starts_with("truncated-pixels: 1.3: "));
    assert!(rle(&[], &[]).refusal().starts_with("truncated-pixels: 1.3: "));
    let defined = rle(&[], &[&one]).with(|m| m.length = Some(80));
    assert!(defined.refusal().starts_with("unreadable: 1.3: compressed Pixel Data of defined"));
    assert_eq!(
        rle(&[], &[&segment(&[0, 10])]).refusal(),
        "truncated-pixels: 1.3: 2 bytes of Pixel Data expected, 1 found"
    );
    let reason = rle(&[], &[&[1, 0, 0, 0]]).refusal();
    assert_eq!(reason, "unreadable: 1.3: frame 1 (1.2.840.10008.1.2.5): RLE: no header");
    let mut backwards = one.clone();
    backwards[4..8].copy_from_slice(&[0xFF; 4]);
    assert!(rle(&[], &[&backwards]).refusal().ends_with("RLE: offsets out of order"));
    assert!(
        rle(&[], &[&one]).with(|m| m.bits = [16, 16, 15, 0]).refusal().contains("1 segments for")
    );
    // A code stream may be longer than its frame, but not by any number of bytes.
    let (mut long, fragment) = (one.clone(), vec![0; 512 << 10]);
    long.extend(&fragment);
    assert_eq!(rle(&[], &[&long, &fragment[..(512 << 10) - 67 + 8]]).values(), [10.0, 11.0]);
    assert!(
        rle(&[], &[&long, &fragment]).refusal().starts_with(
            "unreadable: 1.3: a code stream of more than 1048584 bytes for a frame of 2"
        )
    );
    // A fragment that declares 4 GiB allocates nothing.
    let mut huge = encapsulated(&[], &[&one]);
    huge[12..16].copy_from_slice(&[0xFF; 4]);
    let huge = Made::new(2, 1, &huge).with(|m| (m.syntax, m.length) = (RLE, None));
    assert!(huge.refusal().starts_with("truncated-pixels: 1.3: 4294967"));
}

#[test]
fn uncompressed_and_deflated_fragments() {
    let plain = Made::new(2, 1, &encapsulated(&[], &[&[1, 0, 2, 0]]));
    let plain = plain.with(|m| (m.syntax, m.length) = ("1.2.840.10008.1.2.1.98", None));
    assert_eq!(plain.values(), [1.0, 2.0]);
    // A stored block of RFC 1951: final, length, its complement, bytes.
    let stored = [1, 4, 0, 0xFB, 0xFF, 1, 0, 2, 0, 0];
    let deflated = Made::new(2, 1, &encapsulated(&[], &[&stored]));
    let deflated = deflated.with(|m| (m.syntax, m.length) = ("1.2.840.10008.1.2.8.1", None));
    assert_eq!(deflated.values(), [1.0, 2.0]);
}

/// 33 x 32 pixels of 8x − 12y + 3 as signed 12-bit lossless JPEG 2000, made with OpenJPEG 2.5.2.
const RAMP_J2K: &str = "\
    ff4fff5100290000000000210000002000000000000000000000002100000020000000000000000000018b0101\
    ff52000c00000001000504040001ff5c00134060686870686870686870686870686870ff640025000143726561\
    746564206279204f70656e4a5045472076657273696f6e20322e352e32ff90000a0000000000430001ff93c1f8\
    01800a7437a07e0060087383a03ed0500c158013afa01f502800d14a495fa00f9c404383ab4a687525bfa007c8\
    14a0c8299933ffd9";

fn ramp() -> Vec<u8> {
    let digits = RAMP_J2K.as_bytes().chunks(2);
    digits.map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

fn jpeg_2000(stream: &[u8]) -> Made {
    Made::new(33, 32, &encapsulated(&[], &[stream]))
        .with(|m| (m.syntax, m.length, m.bits) = (JPEG_2000, None, [16, 12, 11, 1]))
}

#[test]
fn jpeg_2000_is_lossless() {
    let values = jpeg_2000(&ramp()).values();
    let want = |at: usize| {
        let (x, y) = (u16::try_from(at % 33).unwrap(), u16::try_from(at / 33).unwrap());
        f32::from(x) * 8.0 - f32::from(y) * 12.0 + 3.0
    };
    assert_eq!(values, (0..33 * 32).map(want).collect::<Vec<_>>());
}

#[test]
fn of_several_jpeg_2000_streams_the_one_that_was_checked_is_decoded() {
    let mut other = ramp();
    // Its samples are declared unsigned, so that they are others.
    other[42] = 0x0B;
    // A signature box, a box with one code stream, and the box with the other.
    let boxed = |kind: &[u8; 4], value: &[u8]| {
        let length = u32::try_from(value.len() + 8).unwrap().to_be_bytes();
        [&length[..], kind, value].concat()
    };
    let signature = boxed(b"jP  ", &[0x0D, 0x0A, 0x87, 0x0A]);
    let type_box = boxed(b"ftyp", b"jp2 \0\0\0\0jp2 ");
    let size = boxed(b"ihdr", &[0, 0, 0, 32, 0, 0, 0, 33, 0, 1, 0x8B, 7, 0, 0]);
    let color = boxed(b"colr", &[1, 0, 0, 0, 0, 0, 17]);
    let header = boxed(b"jp2h", &[size, color].concat());
    let decoy = boxed(b"uuid", &[&[0; 16][..], &ramp()].concat());
    let file = [signature, type_box, header, decoy, boxed(b"jp2c", &other)].concat();
    assert_eq!(jpeg_2000(&file).values(), jpeg_2000(&ramp()).values());
}

#[test]
fn jpeg_2000_is_signed_as_the_header_says_at_its_own_precision() {
    let stream = ramp();
    let as_unsigned = jpeg_2000(&stream).with(|m| m.bits = [16, 16, 15, 0]).values();
    let want = |value: f32| if value < 0.0 { value + 4096.0 } else { value };
    let values = jpeg_2000(&stream).values();
    assert_eq!(as_unsigned, values.iter().copied().map(want).collect::<Vec<_>>());
    // Unsigned in the code stream: 2,048 more, which is beyond the largest number of 12 bits with a sign.
    let mut stream = stream;
    stream[42] = 0x0B;
    let as_signed = jpeg_2000(&stream).with(|m| m.bits = [16, 16, 15, 1]).values();
    let want = |value: f32| if value < 0.0 { value + 2048.0 } else { value - 2048.0 };
    assert_eq!(as_signed, values.into_iter().map(want).collect::<Vec<_>>());
    let narrow = jpeg_2000(&ramp()).with(|m| m.bits = [8, 8, 7, 1]);
    assert!(narrow.refusal().ends_with("JPEG 2000: 12 bits, 8 allocated"));
}

#[test]
fn jpeg_2000_of_too_many_tiles_is_refused() {
    let mut stream = ramp();
    stream[8..12].copy_from_slice(&128_u32.to_be_bytes());
    stream[12..16].copy_from_slice(&33_u32.to_be_bytes());
    stream[24..28].copy_from_slice(&1_u32.to_be_bytes());
    stream[28..32].copy_from_slice(&1_u32.to_be_bytes());
    let reason = jpeg_2000(&stream).with(|m| (m.columns, m.rows) = (128, 33)).refusal();
    assert!(reason.starts_with("undecodable-transfer-syntax"), "{reason}");
    assert!(reason.ends_with("4224 tiles, 4096 are allowed"), "{reason}");
}

#[test]
fn broken_jpeg_2000_is_refused() {
    let stream = ramp();
    let other = jpeg_2000(&stream).with(|m| m.columns = 32);
    assert!(other.refusal().contains("33 x 32 pixels of 1 components, 32 x 32 of 1"));
    assert!(jpeg_2000(&[0; 64]).refusal().ends_with("JPEG 2000: no code stream"));
    // Cut anywhere: an error, never another picture, never a crash.
    for length in [4, 40, 90, 120, 150, 180] {
        let reason = jpeg_2000(&stream[..length]).refusal();
        assert!(reason.starts_with("unreadable: 1.3: frame 1"), "{length}: {reason}");
    }
}

#[test]
fn broken_jpeg_is_refused() {
    let refused = |stream: &[u8]| {
        Made::new(2, 2, &encapsulated(&[], &[stream]))
            .with(|m| (m.syntax, m.length) = ("1.2.840.10008.1.2.4.70", None))
            .refusal()
    };
    assert!(refused(&[0; 16]).starts_with("unreadable: 1.3: frame 1 (1.2.840.10008.1.2.4.70)"));
    assert!(refused(&[0xFF, 0xD8, 0xFF, 0xD9]).starts_with("unreadable"));
    // A frame header of 65,535 x 65,535 pixels is refused before anything is allocated for it.
    let sof = [0xFF, 0xD8, 0xFF, 0xC3, 0, 11, 16, 0xFF, 0xFF, 0xFF, 0xFF, 1, 1, 0x11, 0];
    let reason = refused(&[&sof[..], &[0xFF, 0xD9]].concat());
    assert!(reason.contains("65535 x 65535 pixels of 1 components, 2 x 2 of 1 in the"), "{reason}");
    // A retired process: any number of scans could follow.
    let sof = [0xFF, 0xD8, 0xFF, 0xC2, 0, 11, 8, 0, 2, 0, 2, 1, 1, 0x11, 0];
    let reason = refused(&sof);
    assert!(reason.starts_with("undecodable-transfer-syntax: 1.3: "), "{reason}");
    assert!(reason.ends_with("Progressive with 8 bits"), "{reason}");
    // Two components, which no grey image has.
    let sof = [0xFF, 0xD8, 0xFF, 0xC3, 0, 14, 16, 0, 2, 0, 2, 2, 1, 0x11, 0, 2, 0x11, 0];
    assert!(refused(&sof).starts_with("un"));
}

#[test]
fn jpeg_units_of_more_than_a_sample_of_each_component_are_refused() {
    let refused = |factors: u8| {
        let sof = [0xFF, 0xD8, 0xFF, 0xC3, 0, 17, 8, 0, 2, 0, 2, 3];
        let components = [1, 2, 3].map(|id| [id, factors, 0]).concat();
        let sos = [0xFF, 0xDA, 0, 12, 3, 1, 0, 2, 0, 3, 0, 1, 0, 0];
        let made = Made::new(2, 2, &encapsulated(&[], &[&[&sof[..], &components, &sos].concat()]))
            .with(|m| (m.syntax, m.length) = ("1.2.840.10008.1.2.4.70", None))
            .with(|m| m.bits = [8, 8, 7, 0]);
        let mut header = made.header();
        header.put_u16s(tags::SAMPLES_PER_PIXEL, &[3]);
        header.put_text(tags::PHOTOMETRIC_INTERPRETATION, Vr::CS, "RGB");
        pixels::stored_frame(&made.instance(header), 0).unwrap_err().to_string()
    };
    let reason = refused(0x21);
    assert!(reason.starts_with("undecodable-transfer-syntax: 1.3: "), "{reason}");
    assert!(reason.ends_with("sampling factors other than 1 x 1 of 12 bits or lossless"));
    assert!(refused(0x11).starts_with("unreadable: "));
}

#[test]
fn a_file_that_is_gone_is_unreadable() {
    let made = Made::new(1, 1, &[0, 0]);
    std::fs::remove_file(made.path()).unwrap();
    assert!(made.refusal().starts_with("unreadable: "));
}
