//! Encapsulated Pixel Data in RLE Lossless, walked through without being undone (PS3.5 §A.4 and Annex G).

const ITEM: [u8; 4] = [0xFE, 0xFF, 0x00, 0xE0];
const SEQUENCE_END: [u8; 8] = [0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0];
const HEADER_BYTES: usize = 64;

/// The plain bytes of each frame, a fragment each; an error says what is wrong with offset table, fragments or code.
pub(crate) fn frame_bytes(value: &[u8]) -> Result<Vec<usize>, String> {
    let items = items(value).ok_or("the fragments of Pixel Data do not follow each other")?;
    let (table, fragments) = items.split_first().ok_or("Pixel Data has no offset table")?;
    check_table(table, fragments)?;
    let frame = |(n, fragment): (usize, &&[u8])| {
        plain_bytes(fragment).ok_or_else(|| format!("frame {n} is no RLE"))
    };
    (1..).zip(fragments).map(frame).collect()
}

fn items(mut value: &[u8]) -> Option<Vec<&[u8]>> {
    let mut items = Vec::new();
    while value != SEQUENCE_END {
        let (head, rest) = value.split_at_checked(8)?;
        let length = usize::try_from(number(head.strip_prefix(&ITEM)?, 0)?).ok()?;
        let (item, rest) = rest.split_at_checked(length)?;
        if !length.is_multiple_of(2) {
            return None;
        }
        items.push(item);
        value = rest;
    }
    Some(items)
}

/// Empty, or where each fragment begins.
fn check_table(table: &[u8], fragments: &[&[u8]]) -> Result<(), String> {
    let starts = fragments.iter().scan(0_usize, |next, fragment| {
        let start = *next;
        *next += fragment.len() + 8;
        Some(u32::try_from(start).unwrap_or(u32::MAX))
    });
    let wanted: Vec<u8> = starts.flat_map(u32::to_le_bytes).collect();
    if table.is_empty() || table == wanted {
        Ok(())
    } else {
        Err("the offset table does not fit the fragments".into())
    }
}

fn number(bytes: &[u8], place: usize) -> Option<u32> {
    bytes.get(place * 4..place * 4 + 4)?.try_into().ok().map(u32::from_le_bytes)
}

/// What the segments of a frame have together.
fn plain_bytes(frame: &[u8]) -> Option<usize> {
    let place = |n: usize| usize::try_from(number(frame, n)?).ok();
    let count = place(0).filter(|count| (1..=15).contains(count))?;
    let mut bytes = 0;
    for segment in 1..=count {
        let start = place(segment).filter(|start| *start >= HEADER_BYTES)?;
        let end = if segment == count { frame.len() } else { place(segment + 1)? };
        bytes += unpacked(frame.get(start..end)?)?;
    }
    Some(bytes)
}

/// A code of 128 does nothing; one byte of 0 may be left over as padding.
fn unpacked(mut coded: &[u8]) -> Option<usize> {
    let mut bytes = 0;
    while let Some((code, rest)) = coded.split_first() {
        let length = usize::from(*code);
        if rest.is_empty() && length == 0 {
            break;
        }
        let (taken, made) = match length {
            ..128 => (length + 1, length + 1),
            128 => (0, 0),
            _ => (1, 257 - length),
        };
        coded = rest.get(taken..)?;
        bytes += made;
    }
    Some(bytes)
}
