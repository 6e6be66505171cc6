//! Encapsulated Pixel Data (PS3.5 §A.4): one fragment a frame, with a Basic Offset Table.

const ITEM: [u8; 4] = [0xFE, 0xFF, 0x00, 0xE0];
const SEQUENCE_END: [u8; 8] = [0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0];
/// (7FE0,0010) OB of undefined length.
const PIXEL_DATA: [u8; 12] = [0xE0, 0x7F, 0x10, 0x00, b'O', b'B', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF];

/// Appends Pixel Data of these frames, each of an even length. The offset table stays empty where 32 bits are too few.
pub(crate) fn encapsulated<'a>(frames: impl Iterator<Item = &'a [u8]>, to: &mut Vec<u8>) {
    let frames: Vec<&[u8]> = frames.collect();
    to.reserve(frames.iter().map(|frame| frame.len() + 12).sum::<usize>() + 28);
    to.extend_from_slice(&PIXEL_DATA);
    let mut next = 0_u64;
    let offset = |frame: &&[u8]| {
        let offset = u32::try_from(next);
        next += frame.len() as u64 + 8;
        offset
    };
    let table: Vec<u32> = frames.iter().map(offset).collect::<Result<_, _>>().unwrap_or_default();
    let table: Vec<u8> = table.into_iter().flat_map(u32::to_le_bytes).collect();
    push_item(&table, to);
    for frame in frames {
        push_item(frame, to);
    }
    to.extend_from_slice(&SEQUENCE_END);
}

/// The fragments of encapsulated Pixel Data, from the offset table's item on and without it.
pub(crate) fn fragments(mut value: &[u8]) -> Option<Vec<&[u8]>> {
    let mut items = Vec::new();
    while value != SEQUENCE_END {
        let (head, rest) = value.split_at_checked(8)?;
        let length = u32::from_le_bytes(head.strip_prefix(&ITEM)?.try_into().ok()?);
        let (item, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
        items.push(item);
        value = rest;
    }
    items.split_first().map(|(_, fragments)| fragments.to_vec())
}

fn push_item(value: &[u8], to: &mut Vec<u8>) {
    to.extend_from_slice(&ITEM);
    let length = u32::try_from(value.len()).unwrap_or(u32::MAX - 1);
    to.extend_from_slice(&length.to_le_bytes());
    to.extend_from_slice(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragments_come_back() {
        let frames = vec![vec![1, 2], vec![], vec![3, 4, 5, 6]];
        let mut bytes = Vec::new();
        encapsulated(frames.iter().map(Vec::as_slice), &mut bytes);
        assert_eq!(fragments(&bytes[PIXEL_DATA.len()..]).unwrap(), frames);
        for end in PIXEL_DATA.len()..bytes.len() {
            assert_eq!(fragments(&bytes[PIXEL_DATA.len()..end]), None, "cut at {end}");
        }
    }
}
