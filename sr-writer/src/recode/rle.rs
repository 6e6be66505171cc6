//! RLE Lossless (PS3.5 Annex G): PackBits over byte planes, row by row.

/// The header: number of segments, then fifteen offsets, 32 bits each.
const HEADER_BYTES: usize = 64;
const SEGMENTS_MAX: usize = 15;

/// Longest run and longest literal of one code.
const RUN_MAX: usize = 128;

/// A frame of `segments` interleaved bytes a pixel; the most significant byte of each sample comes first (§G.2).
pub(crate) fn frame(bytes: &[u8], segments: usize, columns: usize) -> Vec<u8> {
    let segments = segments.clamp(1, SEGMENTS_MAX);
    let mut coded = vec![0; HEADER_BYTES];
    put_number(&mut coded, 0, segments);
    let mut plane = Vec::new();
    for segment in 0..segments {
        let offset = coded.len();
        put_number(&mut coded, segment + 1, offset);
        if segments == 1 {
            pack_rows(bytes, columns, &mut coded);
        } else {
            plane.clear();
            plane.extend(
                bytes.chunks_exact(segments).map(|pixel| pixel[significance(segment, segments)]),
            );
            pack_rows(&plane, columns, &mut coded);
        }
        if !coded.len().is_multiple_of(2) {
            coded.push(0);
        }
    }
    coded
}

/// Which byte of a pixel a segment holds: little-endian samples of two bytes are turned round, samples of one byte are not.
fn significance(segment: usize, segments: usize) -> usize {
    if segments == 2 { 1 - segment } else { segment }
}

fn put_number(coded: &mut [u8], place: usize, number: usize) {
    let number = u32::try_from(number).unwrap_or(u32::MAX);
    coded[place * 4..place * 4 + 4].copy_from_slice(&number.to_le_bytes());
}

/// A coded frame as it was: `bytes` of it, in `segments` of interleaved bytes. `None` where the code says anything else.
pub(crate) fn plain_frame(coded: &[u8], segments: usize, bytes: usize) -> Option<Vec<u8>> {
    if number(coded, 0)? != segments || !(1..=SEGMENTS_MAX).contains(&segments) {
        return None;
    }
    let ends = (2..=segments).map(|place| number(coded, place)).chain([Some(coded.len())]);
    let mut plain = vec![0; bytes];
    let mut plane = Vec::new();
    for (segment, end) in ends.enumerate() {
        plane.clear();
        unpack(coded.get(number(coded, segment + 1)?..end?)?, bytes / segments, &mut plane)?;
        let places = plain.chunks_exact_mut(segments);
        places.zip(&plane).for_each(|(pixel, byte)| pixel[significance(segment, segments)] = *byte);
    }
    Some(plain)
}

fn number(coded: &[u8], place: usize) -> Option<usize> {
    let bytes = coded.get(place * 4..place * 4 + 4)?.try_into().ok()?;
    usize::try_from(u32::from_le_bytes(bytes)).ok()
}

/// The bytes of a segment, `count` of them; a byte of padding may follow (§G.3.2).
fn unpack(mut coded: &[u8], count: usize, to: &mut Vec<u8>) -> Option<()> {
    while to.len() < count {
        let (code, rest) = coded.split_first()?;
        let length = usize::from(*code);
        match length {
            ..RUN_MAX => {
                let (literal, rest) = rest.split_at_checked(length + 1)?;
                to.extend_from_slice(literal);
                coded = rest;
            }
            RUN_MAX => coded = rest,
            _ => {
                let (byte, rest) = rest.split_first()?;
                to.resize(to.len() + 257 - length, *byte);
                coded = rest;
            }
        }
    }
    (to.len() == count).then_some(())
}

/// Runs do not reach over the end of a row (§G.3.1).
fn pack_rows(plane: &[u8], columns: usize, to: &mut Vec<u8>) {
    for row in plane.chunks(columns.max(1)) {
        pack(row, to);
    }
}

fn pack(mut row: &[u8], to: &mut Vec<u8>) {
    while let Some(first) = row.first() {
        let run = run_length(row);
        if run >= 2 {
            let (run, code) = (run.min(RUN_MAX), run.min(RUN_MAX));
            // 257 - n, as an unsigned byte.
            to.push(u8::try_from(257 - code).unwrap_or(u8::MAX));
            to.push(*first);
            row = &row[run..];
        } else {
            let literal = literal_length(row);
            to.push(u8::try_from(literal - 1).unwrap_or(0));
            to.extend_from_slice(&row[..literal]);
            row = &row[literal..];
        }
    }
}

/// How many bytes from the first on are equal to it; looked at eight at a time.
fn run_length(row: &[u8]) -> usize {
    let Some(first) = row.first() else { return 0 };
    let pattern = u64::from_ne_bytes([*first; 8]);
    let words = row.chunks_exact(8);
    let equal = |word: &&[u8]| {
        <[u8; 8]>::try_from(*word).is_ok_and(|word| u64::from_ne_bytes(word) == pattern)
    };
    let whole = words.take_while(equal).count() * 8;
    whole + row[whole..].iter().take(8).take_while(|byte| *byte == first).count()
}

/// How many bytes go as they are: up to the next three that are equal, at most [`RUN_MAX`].
fn literal_length(row: &[u8]) -> usize {
    let most = row.len().min(RUN_MAX);
    let triple =
        row[..most].windows(3).position(|three| three[0] == three[1] && three[1] == three[2]);
    triple.unwrap_or(most).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(row: &[u8]) -> Vec<u8> {
        let mut coded = Vec::new();
        pack(row, &mut coded);
        coded
    }

    #[test]
    fn rows_come_back() {
        let mut state = 1_u32;
        for length in 0..600 {
            let row: Vec<u8> = (0..length)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    // Few values, so that there are runs of all lengths.
                    u8::from(state >> 28 > 12) * 3 + u8::from(state >> 30 == 0)
                })
                .collect();
            let mut back = Vec::new();
            unpack(&packed(&row), row.len(), &mut back).unwrap();
            assert_eq!(back, row, "{length}");
        }
        assert_eq!(packed(&[7; 300]), [129, 7, 129, 7, 213, 7]);
        assert_eq!(packed(&[1, 2, 3]), [2, 1, 2, 3]);
    }

    #[test]
    fn two_bytes_go_most_significant_first() {
        let coded = frame(&[0x34, 0x12, 0x78, 0x56], 2, 2);
        assert_eq!(coded[..12], [2, 0, 0, 0, 64, 0, 0, 0, 68, 0, 0, 0]);
        assert_eq!(coded[64..], [1, 0x12, 0x56, 0, 1, 0x34, 0x78, 0]);
    }

    #[test]
    fn frames_come_back() {
        for segments in 1..=3 {
            let bytes: Vec<u8> = (0..60_u8).map(|n| n / 7 % 3 * 80 + n % 2).collect();
            let coded = frame(&bytes, segments, 5);
            assert_eq!(plain_frame(&coded, segments, bytes.len()).unwrap(), bytes, "{segments}");
            assert_eq!(plain_frame(&coded, segments, bytes.len() + segments), None, "too few");
            assert_eq!(plain_frame(&coded, segments, bytes.len() - segments), None, "too many");
            assert_eq!(plain_frame(&coded, segments + 1, bytes.len()), None);
            assert_eq!(plain_frame(&coded[..70], segments, bytes.len()), None, "cut");
        }
    }
}
