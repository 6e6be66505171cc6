//! Convex hulls of grid points, in whole numbers: exact on every grid, whatever its spacing.

/// A point of a plane by two indices, in the order in which points are sorted.
pub(super) type Point = [i32; 2];

/// The corners of the convex hull of sorted points, in order around it; points on its sides are
/// left out.
pub(super) fn hull(sorted: &[Point]) -> Vec<Point> {
    debug_assert!(sorted.is_sorted(), "hulls are of sorted points");
    let mut there = chain(sorted.iter());
    let mut back = chain(sorted.iter().rev());
    if there.len() > 1 {
        // Each ends where the other begins.
        there.pop();
        back.pop();
        there.append(&mut back);
    }
    there
}

/// One side of the hull, from the first point to the last.
fn chain<'p>(points: impl Iterator<Item = &'p Point>) -> Vec<Point> {
    let mut side: Vec<Point> = Vec::new();
    for point in points {
        if side.last() == Some(point) {
            continue;
        }
        while let [.., a, b] = side[..]
            && turn(a, b, *point) <= 0
        {
            side.pop();
        }
        side.push(*point);
    }
    side
}

/// Above 0 for a turn to one side, below for the other, 0 straight on.
fn turn(a: Point, b: Point, c: Point) -> i64 {
    let [ab, ac] = [b, c].map(|p| [0, 1].map(|axis| i64::from(p[axis]) - i64::from(a[axis])));
    ab[0] * ac[1] - ab[1] * ac[0]
}

/// A grid index as a signed number.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "see the assertion"
)]
pub(super) fn signed(index: usize) -> i32 {
    debug_assert!(index < 1 << 29, "a grid of 2^29 rows would not fit into memory");
    index as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corners_only_and_each_once() {
        let square: Vec<Point> = (0..5).flat_map(|a| (0..5).map(move |b| [a, b])).collect();
        assert_eq!(hull(&square), [[0, 0], [4, 0], [4, 4], [0, 4]]);
        assert_eq!(hull(&[[3, 3], [3, 3]]), [[3, 3]]);
        assert_eq!(hull(&[[0, 0], [1, 2], [2, 4]]), [[0, 0], [2, 4]]);
        assert_eq!(hull(&[]), [] as [Point; 0]);
    }

    #[test]
    fn no_point_lies_outside() {
        let points = (0..400).map(|n: i32| [n * n % 83, n * n * n % 97 + n % 5]);
        let mut points: Vec<Point> = points.collect();
        points.sort_unstable();
        let corners = hull(&points);
        assert!(corners.len() > 5, "{corners:?}");
        for (n, from) in corners.iter().enumerate() {
            let to = corners[(n + 1) % corners.len()];
            assert!(points.iter().all(|p| turn(*from, to, *p) >= 0), "{from:?} {to:?}");
            let next = corners[(n + 2) % corners.len()];
            assert!(turn(*from, to, next) > 0, "no corner is on a side");
        }
    }
}
