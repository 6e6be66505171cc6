//! Long and short axis of a region in its plane.
//!
//! The outline of a region runs through the middles of the pixel edges between inside and outside:
//! half a pixel from the centre of an outermost pixel, along the row and along the column. A row of
//! n pixels is n pixels long, a single pixel 1 by 1.

use domain::Axes;

use super::hull::{Point, hull, signed};
use super::runs::RowSpan;

/// Lengths that differ by less than this share are the same: which of two rounds up is chance.
const SAME: f64 = 1e-12;

/// The corners of the convex hull of the pixel centres of a region, as (row, column).
pub(super) fn corners(spans: &[RowSpan]) -> Vec<Point> {
    let ends = |span: &RowSpan| [span.first, span.last].map(|i| [signed(span.row), signed(i)]);
    let points: Vec<Point> = spans.iter().flat_map(ends).collect();
    hull(&points)
}

/// The axes of a region, in mm, by the hull of its pixel centres and the distance between columns,
/// between rows.
///
/// The long axis is the longest distance between two points of the outline; the short axis is the
/// extent of the outline at right angles to it. Of several longest ones that counts whose short
/// axis is longest.
pub(super) fn axes(corners: &[Point], spacing_mm: [f64; 2]) -> Axes {
    let outline = Outline::around(corners, spacing_mm);
    let squared = |[x, y]: [f64; 2]| x * x + y * y;
    let longest = outline.chords().map(squared).fold(0.0, f64::max);
    let long_mm = longest.sqrt();
    let longest_ones = outline.chords().filter(|chord| squared(*chord) >= longest * (1.0 - SAME));
    let widths = longest_ones.map(|[x, y]| outline.width([-y / long_mm, x / long_mm]));
    // Rounding must not make the short axis the longer one.
    let short_mm = widths.fold(0.0, f64::max).min(long_mm);
    Axes { long_mm, short_mm }
}

/// The convex hull of a region's outline.
#[derive(Debug)]
struct Outline {
    /// Its corners as (row, column) in half pixels, so that they are whole numbers.
    corners: Vec<Point>,
    /// Half the distance between columns, between rows.
    half_mm: [f64; 2],
}

impl Outline {
    /// The outline of pixels of which the hull of the centres is known.
    fn around(centres: &[Point], spacing_mm: [f64; 2]) -> Self {
        let middles_of_edges = |[j, i]: &Point| {
            let [j, i] = [2 * j, 2 * i];
            [[j - 1, i], [j, i - 1], [j, i + 1], [j + 1, i]]
        };
        let mut points: Vec<Point> = centres.iter().flat_map(middles_of_edges).collect();
        points.sort_unstable();
        Self { corners: hull(&points), half_mm: spacing_mm.map(|spacing| spacing / 2.0) }
    }

    /// From one point to another, in mm along the row and along the column.
    fn chord(&self, a: Point, b: Point) -> [f64; 2] {
        [f64::from(b[1] - a[1]) * self.half_mm[0], f64::from(b[0] - a[0]) * self.half_mm[1]]
    }

    /// Between every two corners.
    fn chords(&self) -> impl Iterator<Item = [f64; 2]> {
        pairs(&self.corners).map(|(a, b)| self.chord(*a, *b))
    }

    /// The extent in mm along a unit vector.
    fn width(&self, [x, y]: [f64; 2]) -> f64 {
        let along = |point: &Point| {
            let [px, py] = self.chord(self.corners[0], *point);
            px * x + py * y
        };
        let least = self.corners.iter().map(along).fold(f64::INFINITY, f64::min);
        let most = self.corners.iter().map(along).fold(f64::NEG_INFINITY, f64::max);
        most - least
    }
}

/// Of two slices that whose long axis is longer; of equal ones that whose short axis is.
pub(super) fn longer(a: Axes, b: Axes) -> Axes {
    let same = (a.long_mm - b.long_mm).abs() <= a.long_mm * SAME;
    let b_counts = if same { b.short_mm > a.short_mm } else { b.long_mm > a.long_mm };
    if b_counts { b } else { a }
}

/// Every two different elements.
fn pairs<T>(all: &[T]) -> impl Iterator<Item = (&T, &T)> {
    all.iter().enumerate().flat_map(|(n, a)| all[n + 1..].iter().map(move |b| (a, b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The axes of the pixels that a picture marks with `x`.
    fn of(picture: &[&str], spacing_mm: [f64; 2]) -> [f64; 2] {
        let span = |(row, line): (usize, &&str)| {
            Some(RowSpan { row, first: line.find('x')?, last: line.rfind('x')? })
        };
        let spans: Vec<_> = picture.iter().enumerate().filter_map(span).collect();
        let Axes { long_mm, short_mm } = axes(&corners(&spans), spacing_mm);
        [long_mm, short_mm]
    }

    fn check(picture: &[&str], spacing_mm: [f64; 2], wanted: [f64; 2]) {
        let got = of(picture, spacing_mm);
        assert!(got.iter().zip(wanted).all(|(g, w)| (g - w).abs() < 1e-12), "{got:?} {wanted:?}");
    }

    #[test]
    fn rows_and_columns_are_measured_edge_to_edge() {
        check(&["", " x"], [0.5, 0.75], [0.75, 0.5]);
        check(&["xxxx"], [0.5, 0.75], [2.0, 0.75]);
        check(&["x", "x", "x"], [0.5, 0.75], [2.25, 0.5]);
        // Both parts count.
        check(&["x    x"], [1.0, 1.0], [6.0, 1.0]);
    }

    #[test]
    fn slanted_chords_end_on_pixel_edges() {
        // From the left edge of the first pixel to the right edge of the last.
        let long = 13.0_f64.sqrt();
        // Across, from the lower edge of the first to the upper edge of the last: along (2, -3), 2
        // between centres and 3 halves each.
        check(&["x", " x", "  x"], [1.0, 1.0], [long, 5.0 / long]);
    }

    #[test]
    fn of_equal_long_axes_the_wider_one_counts() {
        // Both diagonals of a square are longest, and so the corner cut off does not matter.
        let whole = of(&["xxxx", "xxxx", "xxxx", "xxxx"], [1.0, 1.0]);
        let cut = of(&["xx  ", "xxxx", "xxxx", "xxxx"], [1.0, 1.0]);
        let turned = of(&["  xx", "xxxx", "xxxx", "xxxx"], [1.0, 1.0]);
        assert!((whole[0] - 5.0).abs() < 1e-12, "{whole:?}");
        assert!(cut.iter().zip(turned).all(|(a, b)| (a - b).abs() < 1e-12), "{cut:?} {turned:?}");
        let a = Axes { long_mm: 5.0, short_mm: 2.0 };
        let b = Axes { long_mm: 5.0, short_mm: 3.0 };
        assert_eq!((longer(a, b), longer(b, a)), (b, b));
    }
}
