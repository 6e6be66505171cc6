//! Letters of three by five dots: enough for a label and a number.

/// Dots of a letter across.
pub(crate) const GLYPH_WIDTH: usize = 3;
/// Dots of a letter down.
pub(crate) const GLYPH_HEIGHT: usize = 5;

/// Letters, each by its rows from the top; the left dot is the highest of three bits.
const GLYPHS: &[(char, [u8; GLYPH_HEIGHT])] = &[
    ('%', [0b101, 0b001, 0b010, 0b100, 0b101]),
    ('(', [0b001, 0b010, 0b010, 0b010, 0b001]),
    (')', [0b100, 0b010, 0b010, 0b010, 0b100]),
    ('+', [0b000, 0b010, 0b111, 0b010, 0b000]),
    (',', [0b000, 0b000, 0b000, 0b010, 0b100]),
    ('-', [0b000, 0b000, 0b111, 0b000, 0b000]),
    ('.', [0b000, 0b000, 0b000, 0b000, 0b010]),
    ('/', [0b001, 0b001, 0b010, 0b100, 0b100]),
    ('0', [0b111, 0b101, 0b101, 0b101, 0b111]),
    ('1', [0b010, 0b110, 0b010, 0b010, 0b111]),
    ('2', [0b110, 0b001, 0b010, 0b100, 0b111]),
    ('3', [0b110, 0b001, 0b010, 0b001, 0b110]),
    ('4', [0b101, 0b101, 0b111, 0b001, 0b001]),
    ('5', [0b111, 0b100, 0b110, 0b001, 0b110]),
    ('6', [0b011, 0b100, 0b111, 0b101, 0b111]),
    ('7', [0b111, 0b001, 0b010, 0b010, 0b010]),
    ('8', [0b111, 0b101, 0b111, 0b101, 0b111]),
    ('9', [0b111, 0b101, 0b111, 0b001, 0b110]),
    (':', [0b000, 0b010, 0b000, 0b010, 0b000]),
    ('A', [0b010, 0b101, 0b111, 0b101, 0b101]),
    ('B', [0b110, 0b101, 0b110, 0b101, 0b110]),
    ('C', [0b011, 0b100, 0b100, 0b100, 0b011]),
    ('D', [0b110, 0b101, 0b101, 0b101, 0b110]),
    ('E', [0b111, 0b100, 0b110, 0b100, 0b111]),
    ('F', [0b111, 0b100, 0b110, 0b100, 0b100]),
    ('G', [0b011, 0b100, 0b101, 0b101, 0b011]),
    ('H', [0b101, 0b101, 0b111, 0b101, 0b101]),
    ('I', [0b111, 0b010, 0b010, 0b010, 0b111]),
    ('J', [0b001, 0b001, 0b001, 0b101, 0b010]),
    ('K', [0b101, 0b101, 0b110, 0b101, 0b101]),
    ('L', [0b100, 0b100, 0b100, 0b100, 0b111]),
    ('M', [0b101, 0b111, 0b111, 0b101, 0b101]),
    ('N', [0b110, 0b101, 0b101, 0b101, 0b101]),
    ('O', [0b010, 0b101, 0b101, 0b101, 0b010]),
    ('P', [0b110, 0b101, 0b110, 0b100, 0b100]),
    ('Q', [0b010, 0b101, 0b101, 0b110, 0b011]),
    ('R', [0b110, 0b101, 0b110, 0b101, 0b101]),
    ('S', [0b011, 0b100, 0b010, 0b001, 0b110]),
    ('T', [0b111, 0b010, 0b010, 0b010, 0b010]),
    ('U', [0b101, 0b101, 0b101, 0b101, 0b111]),
    ('V', [0b101, 0b101, 0b101, 0b101, 0b010]),
    ('W', [0b101, 0b101, 0b111, 0b111, 0b101]),
    ('X', [0b101, 0b101, 0b010, 0b101, 0b101]),
    ('Y', [0b101, 0b101, 0b010, 0b010, 0b010]),
    ('Z', [0b111, 0b001, 0b010, 0b100, 0b111]),
    ('_', [0b000, 0b000, 0b000, 0b000, 0b111]),
];

/// Whether a letter has ink at a dot. Small letters are written as capitals; what is not known is a box, a blank nothing.
pub(crate) fn is_ink(letter: char, x: usize, y: usize) -> bool {
    let letter = letter.to_ascii_uppercase();
    let rows = match GLYPHS.iter().find(|(known, _)| *known == letter) {
        Some((_, rows)) => *rows,
        None if letter == ' ' => [0; GLYPH_HEIGHT],
        None => [0b111, 0b101, 0b101, 0b101, 0b111],
    };
    x < GLYPH_WIDTH && rows.get(y).is_some_and(|row| row >> (GLYPH_WIDTH - 1 - x) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_letters_look_alike_but_o_and_0() {
        for (n, (letter, rows)) in GLYPHS.iter().enumerate() {
            let twin = GLYPHS[n + 1..].iter().find(|(_, other)| other == rows);
            assert_eq!(twin, None, "{letter}");
            assert!(rows.iter().all(|row| *row < 8));
        }
        assert!(is_ink('l', 0, 0) && !is_ink('L', 2, 0) && !is_ink(' ', 1, 2) && is_ink('#', 0, 0));
    }
}
