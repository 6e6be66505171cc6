//! Which slices of a series have both neighbours while the rest still arrives? A pure machine over places along the normal.
//!
//! Nobody says that a slice between two others is missing. As long as the smallest distance so far is that of neighbours, two
//! slices that lie not much further apart are neighbours; when one comes between them after all, they are given out again.

use std::collections::BTreeMap;

/// Slices further apart than this many times the smallest distance so far are no neighbours.
const STEP_MAX: f64 = 1.5;

/// A slice and those beside it along the normal, by the numbers under which they were added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beside {
    /// The slice.
    pub this: usize,
    /// The one before; `None` for the first.
    pub previous: Option<usize>,
    /// The one behind; `None` for the last.
    pub next: Option<usize>,
}

/// What is known of the two ends of the stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    /// It grows at the end where the last slice came; the other end is taken for an end.
    Growing,
    /// Nothing more is expected: both are ends.
    Final,
}

/// Slices of a series by place, and with which neighbours they were given out.
#[derive(Debug, Default)]
pub struct GrowingStack {
    /// Place along the normal in mm, and number; sorted by place.
    places: Vec<(f64, usize)>,
    latest: Option<usize>,
    given: BTreeMap<usize, Beside>,
}

impl GrowingStack {
    /// Adds slice `number` at `mm` along the normal.
    pub fn add(&mut self, number: usize, mm: f64) {
        let at = self.places.partition_point(|(other, _)| *other < mm);
        self.places.insert(at, (mm, number));
        self.latest = Some(number);
    }

    /// The next slice whose neighbours are there and that was not given out with them yet: those between others first.
    pub fn take(&mut self, ends: Ends) -> Option<Beside> {
        let step = self.step_mm()?;
        let last = self.places.len() - 1;
        let inner = (1..last).filter(|at| self.is_near(*at, step) && self.is_near(at + 1, step));
        let outer = [0, last].into_iter().filter(|at| self.is_end(*at, ends, step));
        let beside = inner.chain(outer).map(|at| self.beside(at));
        let fresh = beside.into_iter().find(|beside| self.given.get(&beside.this) != Some(beside));
        self.given.extend(fresh.map(|beside| (beside.this, beside)));
        fresh
    }

    /// The smallest distance so far, in mm; `None` before there are two slices, and when two lie at one place.
    fn step_mm(&self) -> Option<f64> {
        let distances = self.places.windows(2).map(|pair| pair[1].0 - pair[0].0);
        distances.min_by(f64::total_cmp).filter(|step| *step > 0.0)
    }

    /// Whether the slice at `at` is the neighbour of the one before it.
    fn is_near(&self, at: usize, step: f64) -> bool {
        self.places[at].0 - self.places[at - 1].0 <= STEP_MAX * step
    }

    fn is_end(&self, at: usize, ends: Ends, step: f64) -> bool {
        let is_near = self.is_near(at.max(1), step);
        is_near && (ends == Ends::Final || Some(self.places[at].1) != self.latest)
    }

    fn beside(&self, at: usize) -> Beside {
        let number = |at: usize| self.places.get(at).map(|(_, number)| *number);
        let previous = at.checked_sub(1).and_then(number);
        Beside { this: self.places[at].1, previous, next: number(at + 1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(stack: &mut GrowingStack, ends: Ends) -> Vec<(usize, Option<usize>, Option<usize>)> {
        let take = || stack.take(ends).map(|b| (b.this, b.previous, b.next));
        std::iter::from_fn(take).collect()
    }

    #[test]
    fn in_order_a_slice_goes_when_the_next_has_come() {
        for direction in [3.0, -3.0] {
            let mut stack = GrowingStack::default();
            let beside = |at: usize| {
                let (before, behind) = (at.checked_sub(1), Some(at + 1));
                if direction > 0.0 { (at, before, behind) } else { (at, behind, before) }
            };
            for number in 0..6_u32 {
                stack.add(number as usize, direction * f64::from(number));
                let expected: Vec<_> =
                    (number as usize).checked_sub(1).map(beside).into_iter().collect();
                assert_eq!(all(&mut stack, Ends::Growing), expected, "slice {number}");
            }
            let last = if direction > 0.0 { (5, Some(4), None) } else { (5, None, Some(4)) };
            assert_eq!(all(&mut stack, Ends::Final), [last]);
            assert_eq!(all(&mut stack, Ends::Final), []);
        }
    }

    #[test]
    fn nothing_is_given_over_a_gap_and_again_when_it_closes() {
        let mut stack = GrowingStack::default();
        for (number, mm) in [0.0, 1.0, 2.0, 4.0, 5.0].into_iter().enumerate() {
            stack.add(number, mm);
        }
        assert_eq!(
            all(&mut stack, Ends::Final),
            [(1, Some(0), Some(2)), (0, None, Some(1)), (4, Some(3), None)]
        );
        stack.add(5, 3.0);
        let closed = [(2, Some(1), Some(5)), (5, Some(2), Some(3)), (3, Some(5), Some(4))];
        assert_eq!(all(&mut stack, Ends::Final), closed);
    }

    #[test]
    fn what_comes_between_changes_neighbours() {
        let mut stack = GrowingStack::default();
        for (number, mm) in [0.0, 2.0, 4.0].into_iter().enumerate() {
            stack.add(number, mm);
        }
        assert_eq!(all(&mut stack, Ends::Final).len(), 3);
        stack.add(3, 1.0);
        stack.add(4, 3.0);
        let again = all(&mut stack, Ends::Final);
        assert_eq!(again.len(), 5, "{again:?}");
        assert!(again.contains(&(1, Some(3), Some(4))));
    }

    #[test]
    fn two_slices_at_one_place_are_no_stack() {
        let mut stack = GrowingStack::default();
        assert_eq!(all(&mut stack, Ends::Final), []);
        stack.add(0, 1.0);
        stack.add(1, 1.0);
        assert_eq!(all(&mut stack, Ends::Final), []);
    }
}
