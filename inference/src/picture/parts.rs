//! Connected parts of a mask in one slice, and the boxes around them.

use std::ops::Range;

use domain::{PlanarBox, SliceMask};

use crate::measure::runs::runs;

/// Most boxes of a mask in a slice; smaller parts are left out. A mask of so many parts is noise.
pub(crate) const BOXES_MAX: usize = 256;

/// Neighbouring pixels of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// Which row, from 0.
    pub(crate) row: usize,
    /// Which columns.
    pub(crate) columns: Range<usize>,
}

/// The set pixels of a mask, row by row.
pub(crate) fn stretches(mask: &SliceMask, columns: usize) -> Vec<Stretch> {
    let mut stretches = Vec::new();
    for run in runs(mask) {
        for row in run.start / columns..=(run.end - 1) / columns {
            let begin = row * columns;
            let own = run.start.max(begin) - begin..run.end.min(begin + columns) - begin;
            stretches.push(Stretch { row, columns: own });
        }
    }
    stretches
}

/// Sets that can be joined; each is named by its first element.
#[derive(Debug)]
pub(crate) struct Sets(Vec<usize>);

impl Sets {
    /// Each element by itself.
    pub(crate) fn new(count: usize) -> Self {
        Self((0..count).collect())
    }

    /// The first element of the set of an element.
    pub(crate) fn first(&mut self, element: usize) -> usize {
        let mut first = element;
        while self.0[first] != first {
            // Half of the way is saved for the next one.
            self.0[first] = self.0[self.0[first]];
            first = self.0[first];
        }
        first
    }

    /// Joins the sets of two elements.
    pub(crate) fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.first(a), self.first(b));
        let (first, other) = if a < b { (a, b) } else { (b, a) };
        self.0[other] = first;
    }
}

/// Calls `each` with every pair of stretches of two rows that have neighbouring pixels: those of the same column, and `beside`
/// columns farther. Both are in order.
pub(crate) fn touching(
    above: &[Stretch],
    below: &[Stretch],
    beside: usize,
    mut each: impl FnMut(usize, usize),
) {
    let (mut a, mut b) = (0, 0);
    while let (Some(above), Some(below)) = (above.get(a), below.get(b)) {
        let (above, below) = (&above.columns, &below.columns);
        if above.start < below.end + beside && below.start < above.end + beside {
            each(a, b);
        }
        if above.end < below.end { a += 1 } else { b += 1 }
    }
}

/// The tight boxes around the connected parts of a mask in slice `k`: the largest part first, of equal ones the upper one; at most
/// [`BOXES_MAX`].
///
/// Pixels are connected when they share an edge or a corner: what touches is one object to who looks at it, and thin slanting
/// structures do not fall apart.
pub(crate) fn boxes(mask: &SliceMask, columns: usize, k: usize) -> Vec<PlanarBox> {
    let stretches = stretches(mask, columns);
    let mut sets = connected(&stretches);
    let mut parts: Vec<(usize, PlanarBox)> =
        stretches.iter().map(|stretch| (stretch.columns.len(), around(stretch, k))).collect();
    for n in 0..parts.len() {
        let (first, (pixels, own)) = (sets.first(n), parts[n]);
        if first != n {
            parts[first] = (parts[first].0 + pixels, joined(parts[first].1, own));
            parts[n].0 = 0;
        }
    }
    parts.retain(|(pixels, _)| *pixels > 0);
    // A stable sort: of equal ones the first stays first.
    parts.sort_by_key(|(pixels, _)| std::cmp::Reverse(*pixels));
    parts.into_iter().take(BOXES_MAX).map(|(_, part)| part).collect()
}

fn connected(stretches: &[Stretch]) -> Sets {
    let mut sets = Sets::new(stretches.len());
    let mut above = 0..0;
    let mut begin = 0;
    for row in stretches.chunk_by(|a, b| a.row == b.row) {
        let here = begin..begin + row.len();
        let rows = (&stretches[above.clone()], &stretches[here.clone()]);
        if rows.0.first().is_some_and(|stretch| stretch.row + 1 == row[0].row) {
            touching(rows.0, rows.1, 1, |a, b| sets.join(above.start + a, here.start + b));
        }
        begin = here.end;
        above = here;
    }
    sets
}

/// The box of a stretch.
pub(crate) fn around(stretch: &Stretch, k: usize) -> PlanarBox {
    let Stretch { row, columns } = stretch;
    PlanarBox { k, first: [columns.start, *row], last: [columns.end.max(1) - 1, *row] }
}

/// The box around two of a slice.
pub(crate) fn joined(a: PlanarBox, b: PlanarBox) -> PlanarBox {
    PlanarBox {
        k: a.k,
        first: [a.first[0].min(b.first[0]), a.first[1].min(b.first[1])],
        last: [a.last[0].max(b.last[0]), a.last[1].max(b.last[1])],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(picture: &[&str]) -> (SliceMask, usize) {
        let pixels: Vec<bool> =
            picture.iter().flat_map(|row| row.bytes()).map(|b| b == b'#').collect();
        (SliceMask::from_pixels(&pixels).unwrap(), picture[0].len())
    }

    fn found(picture: &[&str]) -> Vec<([usize; 2], [usize; 2])> {
        let (mask, columns) = drawn(picture);
        boxes(&mask, columns, 7).into_iter().map(|found| (found.first, found.last)).collect()
    }

    #[test]
    fn parts_have_tight_boxes_and_the_largest_comes_first() {
        let picture = [
            "#....##", //
            "#....##", //
            "....#..", //
            ".......", //
            "###....",
        ];
        assert_eq!(found(&picture), [([4, 0], [6, 2]), ([0, 4], [2, 4]), ([0, 0], [0, 1])]);
        assert_eq!(
            boxes(&drawn(&["#"]).0, 1, 7)[0],
            PlanarBox { k: 7, first: [0, 0], last: [0, 0] }
        );
    }

    #[test]
    fn rows_do_not_run_into_each_other() {
        assert_eq!(found(&["..##", "#...", "...."]), [([2, 0], [3, 0]), ([0, 1], [0, 1])]);
        assert_eq!(found(&["####", "####"]), [([0, 0], [3, 1])]);
    }

    #[test]
    fn arms_that_meet_below_are_one() {
        assert_eq!(found(&["#.#.#", "#.#.#", "#####"]), [([0, 0], [4, 2])]);
        assert_eq!(found(&["#...#", ".#.#.", "..#.."]), [([0, 0], [4, 2])]);
    }

    #[test]
    fn no_more_boxes_than_the_limit() {
        let side = 64;
        let pixels: Vec<bool> =
            (0..side * side).map(|n| n % side % 2 == 0 && n / side % 2 == 0).collect();
        let mask = SliceMask::from_pixels(&pixels).unwrap();
        assert_eq!(mask.pixel_count, 1024);
        assert_eq!(boxes(&mask, side, 0).len(), BOXES_MAX);
    }
}
