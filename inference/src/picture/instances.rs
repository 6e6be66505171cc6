//! Single objects of a mask through all slices, told apart by the edges that generation 2 predicts.

use std::ops::Range;

use domain::{Mask, PlanarBox, SliceMask};
use rayon::prelude::*;

use super::parts::{Sets, Stretch, around, joined, stretches, touching};

/// Most instances that are reported; smaller ones are left out.
pub(crate) const INSTANCES_MAX: usize = 1024;

/// The instances of a mask, the largest first; of equal ones the one that begins first in the order of slices, rows and columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Instances {
    columns: usize,
    rows: usize,
    slices: usize,
    /// Of each instance, in the order of slices, rows and columns: where it is.
    instances: Vec<Vec<(usize, Stretch)>>,
}

impl Instances {
    /// Number of instances, at most [`INSTANCES_MAX`].
    pub(crate) fn count(&self) -> usize {
        self.instances.len()
    }

    /// The tight box of each instance in each of its slices, instance by instance.
    pub(crate) fn boxes(&self) -> Vec<PlanarBox> {
        let slices = |of_instance: &Vec<(usize, Stretch)>| -> Vec<PlanarBox> {
            let slices = of_instance.chunk_by(|a, b| a.0 == b.0);
            let boxes = slices.filter_map(|slice| {
                slice.iter().map(|(k, stretch)| around(stretch, *k)).reduce(joined)
            });
            boxes.collect()
        };
        self.instances.iter().flat_map(slices).collect()
    }

    /// The mask of an instance; `None` where there is no such instance.
    pub(crate) fn mask(&self, instance: usize) -> Option<Mask> {
        let mut mask =
            Mask { columns: self.columns, rows: self.rows, slices: vec![None; self.slices] };
        for slice in self.instances.get(instance)?.chunk_by(|a, b| a.0 == b.0) {
            let mut drawn =
                SliceMask { bits: vec![0; (self.columns * self.rows).div_ceil(8)], pixel_count: 0 };
            for (_, Stretch { row, columns }) in slice {
                drawn.pixel_count += columns.len();
                for pixel in columns.clone().map(|column| row * self.columns + column) {
                    drawn.bits[pixel / 8] |= 1 << (pixel % 8);
                }
            }
            mask.slices[slice[0].0] = Some(drawn);
        }
        Some(mask)
    }
}

/// The instances of a mask.
///
/// What is an edge is taken away; what then hangs together through faces of voxels is an instance; it grows by one voxel, through faces
/// and within the mask. Voxels of the mask farther from all instances belong to none. Where two instances meet, a voxel goes to the one
/// that scikit-image's `expand_labels` prefers: before it in the row, in the column, in the slices, then behind it in the slices, in
/// the column, in the row.
///
/// # Panics
/// When the two are not of the same size.
pub(crate) fn instances(mask: &Mask, edges: &Mask) -> Instances {
    let size = |mask: &Mask| (mask.columns, mask.rows, mask.slices.len());
    assert_eq!(size(mask), size(edges), "edges of the same grid");
    let labelled = Labelled::of(mask, edges);
    let slices = mask.slices.par_iter().enumerate();
    let slices = slices.map(|(k, slice)| labelled.grown_slice(k, slice.as_ref(), mask.columns));
    let mut found: Vec<Vec<(usize, Stretch)>> = vec![Vec::new(); labelled.count];
    for (k, slice) in slices.collect::<Vec<_>>().into_iter().enumerate() {
        for (label, stretch) in slice {
            found[label].push((k, stretch));
        }
    }
    let voxels = |of: &Vec<(usize, Stretch)>| -> usize {
        of.iter().map(|(_, stretch)| stretch.columns.len()).sum()
    };
    found.sort_by_cached_key(|of| std::cmp::Reverse(voxels(of)));
    found.truncate(INSTANCES_MAX);
    let Mask { columns, rows, .. } = *mask;
    Instances { columns, rows, slices: mask.slices.len(), instances: found }
}

/// No instance.
const NONE: usize = usize::MAX;

/// Runs of the same label in a row.
fn of_labels(labels: &[usize]) -> impl Iterator<Item = (usize, Range<usize>)> {
    let mut begin = 0;
    let runs = labels.chunk_by(|a, b| a == b).map(move |run| {
        let own = begin..begin + run.len();
        begin = own.end;
        (run[0], own)
    });
    runs.filter(|(label, _)| *label != NONE)
}

/// The insides of instances, before they grow.
struct Labelled {
    /// Of each slice: where the insides are, and whose they are.
    slices: Vec<(Vec<Stretch>, Vec<usize>)>,
    count: usize,
}

impl Labelled {
    fn of(mask: &Mask, edges: &Mask) -> Self {
        let pairs = mask.slices.iter().zip(&edges.slices);
        let insides: Vec<Vec<Stretch>> = pairs
            .map(|(slice, edges)| {
                let inside = inside(slice.as_ref(), edges.as_ref());
                inside.map(|inside| stretches(&inside, mask.columns)).unwrap_or_default()
            })
            .collect();
        let mut sets = connected(&insides);
        let mut count = 0;
        let mut labels = vec![NONE; insides.iter().map(Vec::len).sum()];
        for element in 0..labels.len() {
            let first = sets.first(element);
            if first == element {
                labels[element] = count;
                count += 1;
            } else {
                labels[element] = labels[first];
            }
        }
        let mut labels = labels.into_iter();
        let slices = insides.into_iter().map(|own| {
            let labels = labels.by_ref().take(own.len()).collect();
            (own, labels)
        });
        Self { slices: slices.collect(), count }
    }

    /// Where the instances are in a slice of the mask when the insides have grown, row by row.
    fn grown_slice(
        &self,
        k: usize,
        mask: Option<&SliceMask>,
        columns: usize,
    ) -> Vec<(usize, Stretch)> {
        let mask = mask.map(|mask| stretches(mask, columns)).unwrap_or_default();
        let rows = mask.chunk_by(|a, b| a.row == b.row);
        let rows = rows.flat_map(|own| {
            let labels = self.grown(k, own, columns);
            let of_row = |(label, columns)| (label, Stretch { row: own[0].row, columns });
            of_labels(&labels).map(of_row).collect::<Vec<_>>()
        });
        rows.collect()
    }

    /// The labels of a row of slice `k` of the mask when the insides have grown.
    fn grown(&self, k: usize, mask: &[Stretch], columns: usize) -> Vec<usize> {
        let row = mask[0].row;
        let here = self.row(Some(k), Some(row), columns);
        let mut own = mask.iter().flat_map(|stretch| &here[stretch.columns.clone()]);
        if own.all(|label| *label != NONE) {
            return here;
        }
        let around = [
            self.row(Some(k), row.checked_sub(1), columns),
            self.row(k.checked_sub(1), Some(row), columns),
            self.row(Some(k + 1), Some(row), columns),
            self.row(Some(k), Some(row + 1), columns),
        ];
        let mut grown = here.clone();
        for column in mask.iter().flat_map(|stretch| stretch.columns.clone()) {
            if here[column] == NONE {
                let before = column.checked_sub(1).and_then(|before| here.get(before));
                let behind = here.get(column + 1);
                let sides = around.iter().map(|row| &row[column]);
                let mut all = before.into_iter().chain(sides).chain(behind);
                grown[column] = all.find(|label| **label != NONE).copied().unwrap_or(NONE);
            }
        }
        grown
    }

    /// The labels of a row, column by column; none where there is no such row.
    fn row(&self, k: Option<usize>, row: Option<usize>, columns: usize) -> Vec<usize> {
        let mut labels = vec![NONE; columns];
        let slice = k.and_then(|k| self.slices.get(k));
        let (Some((stretches, own)), Some(row)) = (slice, row) else { return labels };
        let first = stretches.partition_point(|stretch| stretch.row < row);
        let of_row = stretches[first..].iter().zip(&own[first..]);
        for (stretch, label) in of_row.take_while(|(stretch, _)| stretch.row == row) {
            labels[stretch.columns.clone()].fill(*label);
        }
        labels
    }
}

/// A slice without its edges.
fn inside(mask: Option<&SliceMask>, edges: Option<&SliceMask>) -> Option<SliceMask> {
    let mask = mask?;
    let Some(edges) = edges else { return Some(mask.clone()) };
    let bits: Vec<u8> =
        mask.bits.iter().zip(&edges.bits).map(|(mask, edge)| mask & !edge).collect();
    let pixel_count = bits.iter().map(|byte| byte.count_ones() as usize).sum();
    (pixel_count > 0).then_some(SliceMask { bits, pixel_count })
}

/// Stretches of all slices, joined through faces of voxels.
fn connected(slices: &[Vec<Stretch>]) -> Sets {
    let mut sets = Sets::new(slices.iter().map(Vec::len).sum());
    let mut begin = 0;
    for (k, slice) in slices.iter().enumerate() {
        let mut above: Option<Range<usize>> = None;
        for row in rows(slice) {
            let number = slice[row.start].row;
            if let Some(above) = above.filter(|above| slice[above.start].row + 1 == number) {
                touching(&slice[above.clone()], &slice[row.clone()], 0, |a, b| {
                    sets.join(begin + above.start + a, begin + row.start + b);
                });
            }
            above = Some(row);
        }
        let end = begin + slice.len();
        if let Some(next) = slices.get(k + 1) {
            join_slices((slice, begin), (next, end), &mut sets);
        }
        begin = end;
    }
    sets
}

/// The rows of a slice that have stretches: which they are.
fn rows(slice: &[Stretch]) -> impl Iterator<Item = Range<usize>> {
    let mut begin = 0;
    slice.chunk_by(|a, b| a.row == b.row).map(move |row| {
        let own = begin..begin + row.len();
        begin = own.end;
        own
    })
}

/// Joins what lies on each other in neighbouring slices, each with the number of its first stretch.
fn join_slices(
    (slice, begin): (&[Stretch], usize),
    (next, next_begin): (&[Stretch], usize),
    sets: &mut Sets,
) {
    let mut others = rows(next).peekable();
    for row in rows(slice) {
        let number = slice[row.start].row;
        while others.next_if(|other| next[other.start].row < number).is_some() {}
        let same = others.next_if(|other| next[other.start].row == number);
        if let Some(other) = same {
            touching(&slice[row.clone()], &next[other.clone()], 0, |a, b| {
                sets.join(begin + row.start + a, next_begin + other.start + b);
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Slices of rows, `#` in the mask, `+` in the mask and on an edge.
    fn drawn(slices: &[&[&str]]) -> [Mask; 2] {
        let (columns, rows) = (slices[0][0].len(), slices[0].len());
        let all = || slices.iter().flat_map(|slice| slice.iter()).flat_map(|row| row.bytes());
        let mask: Vec<bool> = all().map(|b| b != b'.').collect();
        let edges: Vec<bool> = all().map(|b| b == b'+').collect();
        [mask, edges].map(|voxels| Mask::from_voxels(columns, rows, &voxels))
    }

    fn pixels(mask: &Mask) -> Vec<[usize; 3]> {
        let (columns, rows, slices) = (mask.columns, mask.rows, mask.slices.len());
        let all = (0..columns * rows * slices)
            .map(|n| [n % columns, n / columns % rows, n / columns / rows]);
        all.filter(|[i, j, k]| mask.slices[*k].is_some() && mask.contains(*i, *j, *k)).collect()
    }

    #[test]
    fn edges_part_what_touches_and_come_back() {
        let [mask, edges] = drawn(&[&["##+##.", "##+##."], &["......", "....##"]]);
        let found = instances(&mask, &edges);
        assert_eq!(found.count(), 2);
        // The edge between goes to the left one; both slices belong to the right one.
        assert_eq!(found.mask(0).map(|mask| pixels(&mask).len()), Some(6));
        let right = found.mask(1).unwrap();
        assert_eq!(
            pixels(&right),
            [[3, 0, 0], [4, 0, 0], [3, 1, 0], [4, 1, 0], [4, 1, 1], [5, 1, 1]]
        );
        assert!(found.mask(2).is_none());
        let boxes = found.boxes();
        let wanted = [(0, [0, 0], [2, 1]), (0, [3, 0], [4, 1]), (1, [4, 1], [5, 1])];
        assert_eq!(boxes, wanted.map(|(k, first, last)| PlanarBox { k, first, last }));
    }

    #[test]
    fn corners_do_not_connect_and_far_edges_belong_to_none() {
        let [mask, edges] = drawn(&[&["#.+++", ".#..."]]);
        let found = instances(&mask, &edges);
        assert_eq!(found.count(), 2);
        assert_eq!(found.boxes().len(), 2);
        let [mask, edges] = drawn(&[&["++", "++"]]);
        assert_eq!(instances(&mask, &edges).count(), 0);
    }

    #[test]
    fn no_more_instances_than_the_limit() {
        let voxels: Vec<bool> = (0..80 * 80).map(|n| n % 2 == 0 && n / 80 % 2 == 0).collect();
        let mask = Mask::from_voxels(80, 80, &voxels);
        let none = Mask { columns: 80, rows: 80, slices: vec![None] };
        assert_eq!(mask.voxel_count(), 1600);
        assert_eq!(instances(&mask, &none).count(), INSTANCES_MAX);
    }
}
