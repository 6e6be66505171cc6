//! Data sets as they arrive: each encoding, deflated ones too, under limits of all sizes.
//!
//! The first byte says which encoding and where to stop, the second which limits.

use dataset::{DataSet, Encoding, End, ReadLimits, Value, encode, read_prefix, tags};

/// Reads the top of a data set; what was read is within the limits, and is read again as it was.
pub fn run(bytes: &[u8]) {
    let &[how, limits, ref rest @ ..] = bytes else { return };
    let encoding = match how % 4 {
        0 => Encoding::ExplicitLittle,
        1 => Encoding::ImplicitLittle,
        2 => Encoding::ExplicitBig,
        _ => Encoding::DeflatedLittle,
    };
    let stop_before = if how & 4 == 0 { tags::STUDY_ID } else { tags::FLOAT_PIXEL_DATA };
    let limits = ReadLimits {
        bytes_max: if limits & 0x80 == 0 { 1 << 20 } else { 512 },
        depth_max: usize::from(limits & 0x0F),
        elements_max: 1 << 12,
        value_bytes_max: if limits & 0x40 == 0 { 64 } else { 1 << 16 },
    };
    let Ok(prefix) = read_prefix(rest, encoding, stop_before, &limits) else { return };
    check(&prefix.data_set, &limits, 0);
    if let End::Stopped { offset } = prefix.end {
        assert!(offset <= limits.bytes_max);
    }
    let all = ReadLimits {
        bytes_max: 1 << 24,
        depth_max: 64,
        elements_max: 1 << 12,
        value_bytes_max: 1 << 24,
    };
    let written = encode(&prefix.data_set);
    let read = read_prefix(&written, Encoding::ExplicitLittle, stop_before, &all);
    let read = read.unwrap_or_else(|error| panic!("what we wrote is no data set: {error}"));
    assert_eq!(read.end, End::Exhausted);
    assert_eq!(encode(&read.data_set), written);
}

fn check(data_set: &DataSet, limits: &ReadLimits, depth: usize) {
    assert!(depth <= limits.depth_max);
    for (_, element) in data_set.iter() {
        match &element.value {
            Value::Bytes(bytes) => assert!(bytes.len() <= limits.value_bytes_max),
            Value::Items(items) => items.iter().for_each(|item| check(item, limits, depth + 1)),
        }
    }
}
