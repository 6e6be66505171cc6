//! What is read is what was written, in every encoding; and what nobody should write harms nobody.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::fs;
use std::io::Write as _;
use std::path::Path;

use dataset::{
    DataSet, Element, Encoding, End, FileError, FileMeta, NoNumber, ReadError, ReadLimits, Value,
    Vr, encode, encode_file, encode_into, file_meta_bytes, read_file_header, read_file_meta,
    read_prefix, tags,
};
use domain::{AeTitle, SopClassUid, SopInstanceUid, Tag, TransferSyntaxUid};
use flate2::Compression;
use flate2::write::DeflateEncoder;
use proptest::prelude::*;

use crate::support::{FORMS, Form};

const LIMITS: ReadLimits = ReadLimits {
    bytes_max: 1 << 20,
    depth_max: 8,
    elements_max: 1 << 16,
    value_bytes_max: 1 << 16,
};
const LITTLE: Form = FORMS[0];
const EVERYTHING: Tag = Tag::new(0xFFFF, 0xFFFF);

fn encoding(form: Form) -> Encoding {
    match (form.explicit, form.big) {
        (true, false) => Encoding::ExplicitLittle,
        (true, true) => Encoding::ExplicitBig,
        (false, _) => Encoding::ImplicitLittle,
    }
}

fn read(bytes: &[u8]) -> Result<(DataSet, End), ReadError> {
    let prefix = read_prefix(bytes, Encoding::ExplicitLittle, EVERYTHING, &LIMITS)?;
    Ok((prefix.data_set, prefix.end))
}

fn header() -> DataSet {
    let mut item = DataSet::new();
    item.put_text(tags::CODE_MEANING, Vr::LO, "Liver");
    let mut set = DataSet::new();
    set.put_text(tags::SPECIFIC_CHARACTER_SET, Vr::CS, "ISO_IR 192");
    set.put_text(tags::PATIENT_NAME, Vr::PN, "Bj\u{f6}rk^J\u{f3}n");
    set.put_u16s(tags::ROWS, &[512]);
    set.put_decimals(tags::IMAGE_POSITION_PATIENT, &[1.5, -2.0, 3.25]);
    set.put_items(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, vec![item, DataSet::new()]);
    set
}

#[test]
fn every_encoding_gives_the_same_data_set() {
    for form in FORMS {
        let bytes = form.write(&header());
        let prefix = read_prefix(&bytes, encoding(form), tags::PIXEL_DATA, &LIMITS).unwrap();
        assert_eq!(prefix.data_set, header(), "{form:?}");
        assert_eq!(prefix.end, End::Exhausted, "{form:?}");
    }
}

#[test]
fn reading_stops_before_what_is_not_wanted() {
    let mut set = header();
    let offset = encode(&set).len();
    set.put_bytes(tags::PIXEL_DATA, Vr::OW, vec![0; 100]);
    let prefix =
        read_prefix(&encode(&set), Encoding::ExplicitLittle, tags::PIXEL_DATA, &LIMITS).unwrap();
    assert_eq!((prefix.data_set, prefix.end), (header(), End::Stopped { offset }));
}

#[test]
fn every_cut_keeps_what_came_whole() {
    let bytes = encode(&header());
    for length in 0..bytes.len() {
        let (data_set, end) = read(&bytes[..length]).unwrap();
        assert!(data_set.iter().all(|(tag, element)| header().get(*tag) == Some(element)));
        let at_a_border = encode(&data_set).len() == length;
        assert_eq!(end, if at_a_border { End::Exhausted } else { End::Cut }, "{length} bytes");
    }
}

const DEFLATED: &str = "1.2.840.10008.1.2.1.99";

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut deflater = DeflateEncoder::new(vec![], Compression::best());
    deflater.write_all(bytes).unwrap();
    deflater.finish().unwrap()
}

#[test]
fn deflated_data_sets_are_inflated_up_to_the_limit() {
    let deflated = deflated(&encode(&header()));
    let read = |bytes: &[u8]| {
        read_prefix(bytes, Encoding::DeflatedLittle, tags::PIXEL_DATA, &LIMITS).unwrap()
    };
    assert_eq!((read(&deflated).data_set, read(&deflated).end), (header(), End::Exhausted));
    assert_eq!(read(&deflated[..deflated.len() / 2]).end, End::Cut);

    let mut bomb = DeflateEncoder::new(vec![], Compression::best());
    bomb.write_all(&LITTLE.header(tags::IMAGE_COMMENTS, Vr::UT, 1 << 30)).unwrap();
    bomb.write_all(&vec![b' '; 50 << 20]).unwrap();
    let bomb = bomb.finish().unwrap();
    assert!(bomb.len() < 100_000);
    assert_eq!(read(&bomb).end, End::AtLimit);
    // A few bytes say how long it would be, and the rest need not have come.
    assert_eq!(read(&bomb[..1_000]).end, End::AtLimit);
    // Where the limit is far, growth itself is one.
    let far = ReadLimits { bytes_max: 2 << 30, ..LIMITS };
    let read = |bytes: &[u8]| read_prefix(bytes, Encoding::DeflatedLittle, tags::PIXEL_DATA, &far);
    assert_eq!(read(&bomb), Err(ReadError::Inflation));
    assert_eq!(read(&deflated).unwrap().data_set, header());
}

#[test]
fn un_of_undefined_length_is_an_implicit_sequence() {
    let private = Tag::new(0x0029, 0x1010);
    let implicit = FORMS[2];
    let sequence = implicit.write(&{
        let mut set = DataSet::new();
        set.put_items(private, header().items(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE).to_vec());
        set
    });
    let bytes = [LITTLE.header(private, Vr::UN, u32::MAX), sequence[8..].to_vec()].concat();
    let (data_set, end) = read(&bytes).unwrap();
    assert_eq!(end, End::Exhausted);
    assert_eq!(data_set.items(private)[0].text(tags::CODE_MEANING).unwrap(), "Liver");
}

#[test]
fn sequences_deeper_than_the_limit_are_refused_and_do_not_recurse() {
    let open = |depth: usize| {
        let sequence = LITTLE.header(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, Vr::SQ, u32::MAX);
        let item = LITTLE.header(Tag::new(0xFFFE, 0xE000), Vr::UN, u32::MAX);
        [sequence, item].concat().repeat(depth)
    };
    assert_eq!(read(&open(LIMITS.depth_max)).unwrap().1, End::Cut);
    let too_deep = |depth| matches!(read(&open(depth)), Err(ReadError::TooDeep { .. }));
    assert!(too_deep(LIMITS.depth_max + 1) && too_deep(40_000));
}

#[test]
fn elements_and_items_are_counted_at_all_depths() {
    let mut inner = DataSet::new();
    inner.put_text(tags::CODE_MEANING, Vr::LO, "Liver");
    let mut set = DataSet::new();
    set.put_u16s(tags::ROWS, &[512]);
    set.put_items(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, vec![inner, DataSet::new()]);
    let read = |elements_max| {
        let limits = ReadLimits { elements_max, ..LIMITS };
        read_prefix(&encode(&set), Encoding::ExplicitLittle, EVERYTHING, &limits)
    };
    assert_eq!(read(5).unwrap().data_set, set);
    assert!(matches!(read(4), Err(ReadError::TooMany { elements_max: 4, .. })));
}

#[test]
fn a_small_file_becomes_no_large_header() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.dcm");
    let read = |items: usize, limits: &ReadLimits| {
        let sequence = LITTLE.header(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, Vr::SQ, u32::MAX);
        let item = LITTLE.header(Tag::new(0xFFFE, 0xE000), Vr::UN, 8);
        let item = [item, LITTLE.header(tags::ROWS, Vr::US, 0)].concat();
        let bytes = [sequence, item.repeat(items)].concat();
        let file = [file_meta_bytes(&meta(DEFLATED)), deflated(&bytes)].concat();
        fs::write(&path, file).unwrap();
        read_file_header(&path, limits).unwrap_err()
    };
    let far = ReadLimits { bytes_max: 1 << 28, ..LIMITS };
    let many = read(200_000, &far);
    assert!(matches!(many, FileError::DataSet(ReadError::TooMany { .. })), "{many}");
    let all = ReadLimits { elements_max: usize::MAX, ..far };
    let air = read(500_000, &all);
    assert!(matches!(air, FileError::DataSet(ReadError::Inflation)), "{air}");
}

#[test]
fn of_deflated_files_only_headers_are_inflated() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.dcm");
    let mut set = header();
    let offset = encode(&set).len() as u64 + 12;
    set.put_bytes(tags::PIXEL_DATA, Vr::OW, vec![0; 4 << 20]);
    let file = [file_meta_bytes(&meta(DEFLATED)), deflated(&encode(&set))].concat();
    fs::write(&path, &file).unwrap();
    // Pixels may be longer than the limit, and grow as they like.
    let limits = ReadLimits { bytes_max: 3_000, ..LIMITS };
    let read = read_file_header(&path, &limits).unwrap();
    let pixels = read.pixel_data.unwrap();
    assert_eq!((pixels.offset, pixels.length), (offset, Some(4 << 20)));
    assert_eq!(read.data_set, header());

    let limits = ReadLimits { bytes_max: 600, ..LIMITS };
    set.put_bytes(tags::IMAGE_COMMENTS, Vr::UT, (0..=255).cycle().take(2_000).collect());
    let file = [file_meta_bytes(&meta(DEFLATED)), deflated(&encode(&set))].concat();
    fs::write(&path, &file).unwrap();
    assert!(matches!(read_file_header(&path, &limits), Err(FileError::TooLong(600))));
    fs::write(&path, &file[..file.len() / 2]).unwrap();
    let long = ReadLimits { bytes_max: 1 << 24, ..LIMITS };
    assert!(read_file_header(&path, &long).is_ok());
    fs::write(&path, &file[..480]).unwrap();
    assert!(matches!(read_file_header(&path, &long), Err(FileError::Truncated)));
}

#[test]
fn lengths_that_are_only_declared_cost_nothing() {
    for vr in [Vr::OB, Vr::UN, Vr::UT, Vr::SQ] {
        for length in [0x8000_0000, 0xFFFF_FFFE] {
            let bytes = LITTLE.header(tags::IMAGE_COMMENTS, vr, length);
            assert_eq!(read(&bytes).unwrap(), (DataSet::new(), End::AtLimit), "{vr}");
        }
    }
}

#[test]
fn long_values_are_skipped_at_the_limit() {
    let read = |length: usize| {
        let mut set = DataSet::new();
        set.put_bytes(tags::IMAGE_COMMENTS, Vr::UT, vec![b'x'; length]);
        set.put_u16s(tags::ROWS, &[1]);
        read(&encode(&set)).unwrap().0
    };
    assert!(read(LIMITS.value_bytes_max).contains(tags::IMAGE_COMMENTS));
    let skipped = read(LIMITS.value_bytes_max + 2);
    assert!(!skipped.contains(tags::IMAGE_COMMENTS) && skipped.contains(tags::ROWS));
}

#[test]
fn nonsense_is_named() {
    let item = |tag| LITTLE.header(tag, Vr::UN, 0);
    let in_item = |inner: Vec<u8>| {
        let length = u32::try_from(inner.len()).unwrap();
        let item = LITTLE.header(Tag::new(0xFFFE, 0xE000), Vr::UN, length);
        let sequence = LITTLE.header(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, Vr::SQ, length + 8);
        [sequence, item, inner].concat()
    };
    let delimiter = Tag::new(0xFFFE, 0xE00D);
    assert!(matches!(read(&item(delimiter)), Err(ReadError::Misplaced { .. })));
    assert!(matches!(read(&in_item(item(delimiter))), Err(ReadError::Misplaced { .. })));
    assert!(matches!(read(b"\x08\0\x60\0c\xFF\x02\0CT"), Err(ReadError::NoVr { offset: 4 })));
    let undefined = LITTLE.header(tags::IMAGE_COMMENTS, Vr::UT, u32::MAX);
    assert!(matches!(read(&undefined), Err(ReadError::UndefinedLength { .. })));
    let mut longer = in_item(LITTLE.header(tags::ROWS, Vr::US, 40));
    longer.extend([0; 64]);
    assert!(matches!(read(&longer), Err(ReadError::TooLong { .. })));
}

#[test]
fn group_lengths_and_encapsulated_icons_are_left_out() {
    let mut bytes = LITTLE.header(Tag::new(0x0008, 0), Vr::UL, 4);
    bytes.extend([1, 0, 0, 0]);
    let icon = Tag::new(0x0009, 0x1000);
    bytes.extend(LITTLE.header(icon, Vr::OB, u32::MAX));
    bytes.extend(LITTLE.header(Tag::new(0xFFFE, 0xE000), Vr::UN, 2));
    bytes.extend([7, 7]);
    bytes.extend(LITTLE.header(Tag::new(0xFFFE, 0xE0DD), Vr::UN, 0));
    bytes.extend(encode(&header().only(tags::ROWS)));
    let (data_set, end) = read(&bytes).unwrap();
    assert_eq!((data_set, end), (header().only(tags::ROWS), End::Exhausted));
}

trait Only {
    fn only(&self, tag: Tag) -> DataSet;
}

impl Only for DataSet {
    fn only(&self, tag: Tag) -> Self {
        let mut set = Self::new();
        set.copy_from(self, &[tag]);
        set
    }
}

#[test]
fn numbers_that_cannot_be_read_are_told_from_absent_ones() {
    let tag = tags::RESCALE_INTERCEPT;
    let set = |vr, bytes: &[u8]| {
        let mut set = DataSet::new();
        set.put_bytes(tag, vr, bytes.to_vec());
        set
    };
    let number = |text: &str| set(Vr::DS, text.as_bytes()).checked_number(tag);
    assert_eq!(DataSet::new().checked_number(tag), Ok(None));
    for empty in ["", "  ", "\0"] {
        assert_eq!(number(empty), Ok(None));
    }
    assert_eq!(number(" -1.024e3 "), Ok(Some(-1024.0)));
    assert_eq!(number("1\\2 "), Ok(Some(1.0)));
    for text in ["-1024,0", "20 x", "1\\x", "1\\", "0x10", "one"] {
        assert_eq!(number(text), Err(NoNumber { tag }), "{text}");
    }
    assert_eq!(set(Vr::US, &[1, 0]).checked_int(tag), Ok(Some(1)));
    assert_eq!(set(Vr::UL, &[1, 0]).checked_int(tag), Err(NoNumber { tag }));
    assert_eq!(set(Vr::DS, b"1.5 ").checked_int(tag), Err(NoNumber { tag }));
    let mut items = DataSet::new();
    items.put_items(tag, vec![]);
    assert_eq!(items.checked_number(tag), Err(NoNumber { tag }));
}

#[test]
fn values_are_not_shown_by_debug() {
    assert!(!format!("{:?}", header()).contains("rk"));
}

fn meta(transfer_syntax: &str) -> FileMeta {
    FileMeta {
        sop_class: SopClassUid::parse("1.2.840.10008.5.1.4.1.1.2").unwrap(),
        sop_instance: SopInstanceUid::parse("1.2.3").unwrap(),
        transfer_syntax: TransferSyntaxUid::parse(transfer_syntax).unwrap(),
        sending_ae: None,
        receiving_ae: None,
        data_set_offset: 0,
    }
}

#[test]
fn files_say_where_their_pixels_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.dcm");
    for form in FORMS {
        let syntax = match encoding(form) {
            Encoding::ImplicitLittle => "1.2.840.10008.1.2",
            Encoding::ExplicitBig => "1.2.840.10008.1.2.2",
            Encoding::ExplicitLittle | Encoding::DeflatedLittle => "1.2.840.10008.1.2.1",
        };
        let mut file = file_meta_bytes(&meta(syntax));
        file.extend(form.write(&header()));
        file.extend(form.header(tags::PIXEL_DATA, Vr::OW, 6));
        let offset = file.len() as u64;
        file.extend([1, 2, 3, 4, 5, 6]);
        fs::write(&path, &file).unwrap();
        let read = read_file_header(&path, &LIMITS).unwrap();
        let pixels = read.pixel_data.unwrap();
        assert_eq!((pixels.offset, pixels.length), (offset, Some(6)), "{form:?}");
        assert_eq!(read.data_set, header(), "{form:?}");
        assert_eq!(read.meta.sop_instance.as_str(), "1.2.3");
    }
}

#[test]
fn file_meta_is_read_whatever_lies_behind_it_and_bad_beginnings_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.dcm");
    let read = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        read_file_meta(&path)
    };
    let mut meta = meta("1.2.840.10008.1.2");
    meta.sending_ae = AeTitle::parse("CT1").ok();
    let good = file_meta_bytes(&meta);
    for behind in [&b""[..], b"no data set at all", &[0xFF; 100_000]] {
        let read = read(&[&good[..], behind].concat()).unwrap();
        meta.data_set_offset = good.len() as u64;
        assert_eq!(read, meta);
    }
    let mut no_prefix = good.clone();
    no_prefix[128] = b'X';
    let mut long = good.clone();
    long[140..144].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(matches!(read(&no_prefix), Err(FileError::NotDicom)));
    assert!(matches!(read(&long), Err(FileError::Truncated)));
    for length in 0..good.len() {
        assert!(read(&good[..length]).is_err(), "{length} bytes");
    }
}

#[test]
fn a_long_header_is_read_in_pieces_up_to_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.dcm");
    let mut set = header();
    set.put_items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, vec![header(); 2_000]);
    let file = encode_file(&meta("1.2.840.10008.1.2.1"), &set);
    fs::write(&path, &file).unwrap();
    assert_eq!(read_file_header(&path, &LIMITS).unwrap().data_set, set);
    let limits = ReadLimits { bytes_max: file.len() / 2, ..LIMITS };
    assert!(matches!(read_file_header(&path, &limits), Err(FileError::TooLong(_))));
    fs::write(&path, &file[..file.len() / 2]).unwrap();
    assert!(matches!(read_file_header(&path, &LIMITS), Err(FileError::Truncated)));
    fs::write(&path, "no DICOM").unwrap();
    assert!(matches!(read_file_header(&path, &LIMITS), Err(FileError::NotDicom)));
}

#[test]
fn writing_into_a_sink_gives_the_same_bytes() {
    let mut set = header();
    set.put_bytes(tags::PIXEL_DATA, Vr::OB, vec![1, 2, 3]);
    let mut written = Vec::new();
    encode_into(&set, &mut written).unwrap();
    assert_eq!(written, encode(&set));
}

#[test]
fn values_too_long_for_their_length_go_as_un() {
    let mut set = DataSet::new();
    set.put_bytes(tags::IMAGE_COMMENTS, Vr::LT, vec![b'x'; 70_000]);
    let limits = ReadLimits { value_bytes_max: 1 << 20, ..LIMITS };
    let read = read_prefix(&encode(&set), Encoding::ExplicitLittle, EVERYTHING, &limits).unwrap();
    assert_eq!(read.data_set.get(tags::IMAGE_COMMENTS).unwrap().vr, Vr::UN);
}

/// The shared real files all read, and none is cut.
#[test]
fn real_files_read() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    if !shared.is_dir() {
        println!("left out: real files (needs ../shared)");
        return;
    }
    let limits = ReadLimits { bytes_max: 64 << 20, ..LIMITS };
    let mut count = 0;
    for folder in fs::read_dir(shared).unwrap().map(|entry| entry.unwrap().path()) {
        for file in fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()) {
            if file.extension().is_some_and(|extension| extension == "dcm") {
                let header = read_file_header(&file, &limits).unwrap();
                assert!(header.pixel_data.is_some() && header.data_set.contains(tags::ROWS));
                count += 1;
            }
        }
    }
    println!("{count} files");
    assert!(count > 500, "{count}");
}

fn value(vr: Vr) -> impl Strategy<Value = Vec<u8>> {
    let widths = [(Vr::US, 2), (Vr::FL, 4), (Vr::FD, 8)];
    let width = widths.iter().find(|(known, _)| *known == vr).map_or(1, |(_, width)| *width);
    proptest::collection::vec(any::<u8>(), 0..20).prop_map(move |mut bytes| {
        bytes.resize(bytes.len().next_multiple_of(width * 2), 0);
        bytes
    })
}

/// Attributes whose VR the dictionary knows, so that implicit encodings can give it back.
fn attribute() -> impl Strategy<Value = (Tag, Element)> {
    let known = [
        (tags::PATIENT_NAME, Vr::PN),
        (tags::ROWS, Vr::US),
        (tags::SOP_INSTANCE_UID, Vr::UI),
        (tags::IMAGE_POSITION_PATIENT, Vr::DS),
        (tags::IMAGE_COMMENTS, Vr::LT),
        (Tag::new(0x0018, 0x9073), Vr::FD),
        (Tag::new(0x0009, 0x1001), Vr::UN),
    ];
    proptest::sample::select(known.to_vec()).prop_flat_map(|(tag, vr)| {
        value(vr).prop_map(move |bytes| (tag, Element { vr, value: Value::Bytes(bytes) }))
    })
}

fn data_set() -> impl Strategy<Value = DataSet> {
    let flat = || proptest::collection::vec(attribute(), 0..6).prop_map(from_elements);
    flat().prop_recursive(3, 24, 4, move |inner| {
        (flat(), proptest::collection::vec(inner, 0..3)).prop_map(|(mut set, items)| {
            set.put_items(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, items);
            set
        })
    })
}

fn from_elements(elements: Vec<(Tag, Element)>) -> DataSet {
    let mut set = DataSet::new();
    for (tag, element) in elements {
        set.insert(tag, element);
    }
    set
}

proptest! {
    #[test]
    fn what_is_written_is_read(set in data_set()) {
        let (read, end) = read(&encode(&set)).unwrap();
        prop_assert_eq!(end, End::Exhausted);
        prop_assert_eq!(&read, &set);
        prop_assert_eq!(encode(&read), encode(&set));
        for form in FORMS {
            let bytes = form.write(&set);
            let prefix = read_prefix(&bytes, encoding(form), EVERYTHING, &LIMITS).unwrap();
            prop_assert_eq!(&prefix.data_set, &set);
        }
    }

    #[test]
    fn any_bytes_end_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), kind in 0_usize..4) {
        let kinds =
            [Encoding::ImplicitLittle, Encoding::ExplicitLittle, Encoding::ExplicitBig, Encoding::DeflatedLittle];
        drop(read_prefix(&bytes, kinds[kind], tags::PIXEL_DATA, &LIMITS));
    }
}
