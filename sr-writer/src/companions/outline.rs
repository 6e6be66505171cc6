//! Outlines of a mask along the edges of its pixels.

use std::collections::BTreeMap;

use domain::{Mask, SliceMask};

/// A corner of pixels: column and row, the top left of the image being (0, 0).
pub(crate) type Corner = (usize, usize);

/// The closed outlines of a mask in one slice: first and last corner are the same, straight lines have no corners between
/// their ends. Holes have outlines of their own.
pub(crate) fn outlines(mask: &Mask, slice: &SliceMask) -> Vec<Vec<Corner>> {
    let mut edges = edges(mask, slice);
    let mut outlines = Vec::new();
    while let Some((start, first)) = take_any(&mut edges) {
        let mut outline = vec![start, first];
        let mut at = first;
        while at != start {
            let Some(next) = take(&mut edges, at, outline[outline.len() - 2]) else { break };
            outline.push(next);
            at = next;
        }
        outlines.push(straightened(&outline));
    }
    outlines
}

/// Edges from corner to corner, the mask on their right hand.
type Edges = BTreeMap<Corner, Vec<Corner>>;

fn edges(mask: &Mask, slice: &SliceMask) -> Edges {
    let inside = |i: usize, j: usize| {
        let pixel = j * mask.columns + i;
        i < mask.columns && j < mask.rows && slice.bits[pixel / 8] >> (pixel % 8) & 1 == 1
    };
    let mut edges = Edges::new();
    let mut add = |from: Corner, to: Corner| edges.entry(from).or_default().push(to);
    for j in 0..mask.rows {
        for i in (0..mask.columns).filter(|i| inside(*i, j)) {
            if j == 0 || !inside(i, j - 1) {
                add((i, j), (i + 1, j));
            }
            if !inside(i + 1, j) {
                add((i + 1, j), (i + 1, j + 1));
            }
            if !inside(i, j + 1) {
                add((i + 1, j + 1), (i, j + 1));
            }
            if i == 0 || !inside(i - 1, j) {
                add((i, j + 1), (i, j));
            }
        }
    }
    edges
}

fn take_any(edges: &mut Edges) -> Option<(Corner, Corner)> {
    let mut first = edges.first_entry()?;
    let from = *first.key();
    let to = first.get_mut().pop();
    if first.get().is_empty() {
        first.remove();
    }
    Some((from, to?))
}

/// The next edge from a corner. Where two pixels touch at a corner only, it turns right, so that each is outlined by itself.
fn take(edges: &mut Edges, at: Corner, before: Corner) -> Option<Corner> {
    let choices = edges.get_mut(&at)?;
    let step = |from: Corner, to: Corner| {
        (to.0.cast_signed() - from.0.cast_signed(), to.1.cast_signed() - from.1.cast_signed())
    };
    let (x, y) = step(before, at);
    let right = choices.iter().position(|to| step(at, *to) == (-y, x)).unwrap_or(0);
    let next = choices.swap_remove(right);
    if choices.is_empty() {
        edges.remove(&at);
    }
    Some(next)
}

/// Without the corners within straight lines.
fn straightened(closed: &[Corner]) -> Vec<Corner> {
    let ring = &closed[..closed.len() - 1];
    let bends = |n: usize| {
        let (before, after) = (ring[(n + ring.len() - 1) % ring.len()], ring[(n + 1) % ring.len()]);
        before.0 != after.0 && before.1 != after.1
    };
    let mut corners: Vec<Corner> = (0..ring.len()).filter(|n| bends(*n)).map(|n| ring[n]).collect();
    corners.extend(corners.first().copied());
    corners
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(picture: &[&str]) -> Vec<Vec<Corner>> {
        let pixels: Vec<bool> =
            picture.iter().flat_map(|row| row.chars().map(|pixel| pixel == 'x')).collect();
        let mask = Mask::from_voxels(picture[0].len(), picture.len(), &pixels);
        outlines(&mask, mask.slices[0].as_ref().unwrap())
    }

    #[test]
    fn a_block_has_four_corners() {
        assert_eq!(of(&["....", ".xx.", ".xx."]), [[(1, 1), (3, 1), (3, 3), (1, 3), (1, 1)]]);
    }

    #[test]
    fn holes_and_touching_corners_are_outlined_by_themselves() {
        assert_eq!(of(&["xxx", "x.x", "xxx"]).len(), 2);
        let diagonal = of(&["x.", ".x"]);
        assert_eq!(diagonal.len(), 2);
        assert!(diagonal.iter().all(|outline| outline.len() == 5), "{diagonal:?}");
    }

    #[test]
    fn every_edge_is_drawn_once() {
        // The length of all outlines is the number of edges between inside and outside.
        let picture = ["xx.xx", "x.xx.", ".xxxx", "xx..x"];
        let length = |outline: &Vec<Corner>| -> usize {
            outline.windows(2).map(|w| w[0].0.abs_diff(w[1].0) + w[0].1.abs_diff(w[1].1)).sum()
        };
        let set = |i: isize, j: isize| {
            usize::try_from(j).ok().and_then(|j| picture.get(j)).is_some_and(|row| {
                usize::try_from(i).ok().and_then(|i| row.as_bytes().get(i)) == Some(&b'x')
            })
        };
        let edges = (-1..5).flat_map(|j| (-1..6).map(move |i| (i, j))).map(|(i, j)| {
            usize::from(set(i, j) != set(i + 1, j)) + usize::from(set(i, j) != set(i, j + 1))
        });
        assert_eq!(of(&picture).iter().map(length).sum::<usize>(), edges.sum());
    }
}
