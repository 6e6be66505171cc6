//! Encapsulated Pixel Data (PS3.5 §A.4): one fragment a frame, with a Basic Offset Table.

const ITEM: [u8; 4] = [0xFE, 0xFF, 0x00, 0xE0];
const SEQUENCE_END: [u8; 8] = [0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0];
/// (7FE0,0010) OB of undefined length.
const PIXEL_DATA: [u8; 12] = [0xE0, 0x7F, 0x10, 0x00, b'O', b'B', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF];

/// Appends Pixel Data of these frames, each of an even length. The offset table stays empty where 32 bits are too few.
pub(crate) fn encapsulated(frames: Vec<Vec<u8>>, to: &mut Vec<u8>) {
    to.reserve(frames.iter().map(|frame| frame.len() + 12).sum::<usize>() + 28);
    to.extend_from_slice(&PIXEL_DATA);
    let mut next = 0_u64;
    let offset = |frame: &Vec<u8>| {
        let offset = u32::try_from(next);
        next += frame.len() as u64 + 8;
        offset
    };
    let table: Vec<u32> = frames.iter().map(offset).collect::<Result<_, _>>().unwrap_or_default();
    let table: Vec<u8> = table.into_iter().flat_map(u32::to_le_bytes).collect();
    push_item(&table, to);
    for frame in frames {
        push_item(&frame, to);
    }
    to.extend_from_slice(&SEQUENCE_END);
}

fn push_item(value: &[u8], to: &mut Vec<u8>) {
    to.extend_from_slice(&ITEM);
    let length = u32::try_from(value.len()).unwrap_or(u32::MAX - 1);
    to.extend_from_slice(&length.to_le_bytes());
    to.extend_from_slice(value);
}
