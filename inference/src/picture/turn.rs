//! The eight ways in which a slice can lie in its picture.
//!
//! Nothing but the finished square is ever turned: resizing is done along the axes of the source, which saves a walk across the rows of
//! a large image. So a turn is known here in two forms: what it does to axes, and what it does to a finished square.

use std::borrow::Cow;

use domain::{Mirror, Quarters, Turn};

use super::work::for_each_chunk;

/// Whether the rows of the picture run along the rows of the source or across them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Run {
    /// Rows of the picture are rows of the source.
    Along,
    /// Rows of the picture are columns of the source.
    Across,
}

/// Whether a source axis runs through the picture from its beginning or from its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sense {
    /// From left to right, or from top to bottom.
    Onward,
    /// The other way.
    Backward,
}

/// What a turn does to the axes of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lie {
    /// Which axis became which.
    pub(crate) run: Run,
    /// How the columns (i) and the rows (j) of the source run through the picture.
    pub(crate) senses: [Sense; 2],
}

impl Lie {
    /// Of a turn: flipped first, then rotated clockwise.
    pub(crate) fn of(turn: Turn) -> Self {
        use Sense::{Backward, Onward};
        let (run, [along, down]) = match turn.quarters {
            Quarters::Zero => (Run::Along, [Onward, Onward]),
            Quarters::One => (Run::Across, [Onward, Backward]),
            Quarters::Two => (Run::Along, [Backward, Backward]),
            Quarters::Three => (Run::Across, [Backward, Onward]),
        };
        let along = match (turn.mirror, along) {
            (Mirror::No, sense) => sense,
            (Mirror::LeftRight, Onward) => Backward,
            (Mirror::LeftRight, Backward) => Onward,
        };
        Self { run, senses: [along, down] }
    }

    /// A square that lies as the source does, turned as the picture is.
    pub(crate) fn turned<T: Copy + Default + Send + Sync>(
        self,
        square: Vec<T>,
        side: usize,
    ) -> Vec<T> {
        if self == Self::of(Turn::default()) {
            return square;
        }
        let [along, down] = self.senses;
        match self.run {
            Run::Along => rows_of(&square, side, down, along),
            Run::Across => transposed(&square, side, [down, along]),
        }
    }

    /// A square that lies as the picture does, turned back.
    pub(crate) fn turned_back<T: Copy + Default + Send + Sync>(
        self,
        square: &[T],
        side: usize,
    ) -> Cow<'_, [T]> {
        if self == Self::of(Turn::default()) {
            return Cow::Borrowed(square);
        }
        let [along, down] = self.senses;
        Cow::Owned(match self.run {
            Run::Along => rows_of(square, side, down, along),
            Run::Across => transposed(square, side, [along, down]),
        })
    }
}

/// Rows in one sense or the other, and what is in them in one sense or the other.
fn rows_of<T: Copy + Default + Send + Sync>(
    square: &[T],
    side: usize,
    down: Sense,
    along: Sense,
) -> Vec<T> {
    let mut turned = vec![T::default(); square.len()];
    for_each_chunk(
        &mut turned,
        side,
        || (),
        |(), j, row| {
            let from = at(j, side, down) * side;
            row.copy_from_slice(&square[from..from + side]);
            if along == Sense::Backward {
                row.reverse();
            }
        },
    );
    turned
}

/// Side of the blocks in which a square is transposed: what is read and what is written stay in the cache.
const BLOCK: usize = 32;

/// Element (i, j) of the result is element (column: j, row: i) of the square, the column counted in the sense of `senses[1]` and the
/// row in that of `senses[0]`.
fn transposed<T: Copy + Default + Send + Sync>(
    square: &[T],
    side: usize,
    [rows, columns]: [Sense; 2],
) -> Vec<T> {
    let mut turned = vec![T::default(); square.len()];
    for_each_chunk(
        &mut turned,
        side * BLOCK,
        || (),
        |(), band, into| {
            for left in (0..side).step_by(BLOCK) {
                for (n, row) in into.chunks_mut(side).enumerate() {
                    let column = at(band * BLOCK + n, side, columns);
                    for (i, value) in row.iter_mut().enumerate().skip(left).take(BLOCK) {
                        *value = square[at(i, side, rows) * side + column];
                    }
                }
            }
        },
    );
    turned
}

/// Index `n` of `count`, counted in a sense.
fn at(n: usize, count: usize, sense: Sense) -> usize {
    match sense {
        Sense::Onward => n,
        Sense::Backward => count - 1 - n,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const MIRRORS: [Mirror; 2] = [Mirror::No, Mirror::LeftRight];
    pub(crate) const QUARTERS: [Quarters; 4] =
        [Quarters::Zero, Quarters::One, Quarters::Two, Quarters::Three];

    pub(crate) fn turns() -> impl Iterator<Item = Turn> {
        let all =
            MIRRORS.into_iter().flat_map(|mirror| QUARTERS.map(|quarters| (mirror, quarters)));
        all.map(|(mirror, quarters)| Turn { mirror, quarters })
    }

    #[test]
    fn squares_are_flipped_then_rotated_clockwise() {
        let square = vec![1, 2, 3, 4];
        let of = |mirror, quarters| Lie::of(Turn { mirror, quarters }).turned(square.clone(), 2);
        assert_eq!(
            QUARTERS.map(|q| of(Mirror::No, q)),
            [vec![1, 2, 3, 4], vec![3, 1, 4, 2], vec![4, 3, 2, 1], vec![2, 4, 1, 3],]
        );
        assert_eq!(
            QUARTERS.map(|q| of(Mirror::LeftRight, q)),
            [vec![2, 1, 4, 3], vec![4, 2, 3, 1], vec![3, 4, 1, 2], vec![1, 3, 2, 4],]
        );
    }

    #[test]
    fn every_turn_is_undone() {
        for side in [1, 2, 31, 32, 65] {
            let square: Vec<usize> = (0..side * side).collect();
            for turn in turns() {
                let lie = Lie::of(turn);
                let turned = lie.turned(square.clone(), side);
                assert_eq!(lie.turned_back(&turned, side), square, "{turn:?} {side}");
            }
        }
    }
}
