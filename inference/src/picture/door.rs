//! A door for what measures and compares pictures from outside this crate: `examples/picture_speed.rs` and
//! `tests/picture_reference.rs`. No interface; nothing else may come in here.

use domain::{Mask, PlanarBox, SliceMask, Turn};

use super::{Framing, Generation, Scale, Source};

/// A slice of `[columns, rows]` in a picture.
#[derive(Debug, Clone, Copy)]
pub struct Door {
    /// Columns and rows of the slice.
    pub size: [usize; 2],
    /// How it is turned.
    pub turn: Turn,
    /// Side of the picture.
    pub side: usize,
}

/// How grey is stretched.
#[derive(Debug, Clone, Copy)]
pub enum Stretch {
    /// Between two values.
    Between(f64, f64),
    /// Between percentiles of the slice.
    OfSlice,
    /// Not at all.
    EightBit,
}

impl Stretch {
    fn scale(self) -> Scale {
        match self {
            Self::Between(low, high) => Scale::Window { low, high },
            Self::OfSlice => Scale::OfSlice,
            Self::EightBit => Scale::EightBit,
        }
    }
}

impl Door {
    fn framing(&self, generation: Generation) -> Framing {
        Framing::new(generation, self.turn, self.size, self.side)
    }

    /// The RGB picture of grey, generation 1.
    #[must_use]
    pub fn grey_v1(&self, values: &[f32], stretch: Stretch) -> Vec<u8> {
        let source = Source::Grey(values);
        self.framing(Generation::V1).picture_v1(&source, &stretch.scale()).rgb
    }

    /// The RGB picture of colour, generation 1.
    #[must_use]
    pub fn color_v1(&self, rgb: &[u8]) -> Vec<u8> {
        self.framing(Generation::V1).picture_v1(&Source::Color(rgb), &Scale::EightBit).rgb
    }

    /// The tensor of grey, generation 1.
    #[must_use]
    pub fn tensor_v1(&self, values: &[f32], stretch: Stretch) -> Vec<f32> {
        let source = Source::Grey(values);
        self.framing(Generation::V1).picture_v1(&source, &stretch.scale()).to_tensor()
    }

    /// The plane of grey, generation 2.
    #[must_use]
    pub fn grey_v2(&self, values: &[f32], low: f64, high: f64) -> Vec<u8> {
        let source = Source::Grey(values);
        self.framing(Generation::V2).plane_v2(&source, &Scale::Range { low, high }).levels
    }

    /// The tensor of slice `k` of some, generation 2; the series is stretched by its own percentiles.
    #[must_use]
    pub fn tensor_v2(&self, values: &[f32], k: usize) -> Vec<f32> {
        let (low, high) = super::series_range(values);
        let slices: Vec<&[f32]> = values.chunks_exact(self.size[0] * self.size[1]).collect();
        let (previous, next) = super::neighbours(k, slices.len());
        let framing = self.framing(Generation::V2);
        let [this, previous, next] = [k, previous, next]
            .map(|k| framing.plane_v2(&Source::Grey(slices[k]), &Scale::Range { low, high }));
        super::pack_v2(&this, &previous, &next)
    }

    /// The planes of colour one behind the other, generation 2.
    #[must_use]
    pub fn colors_v2(&self, rgb: &[u8]) -> Vec<u8> {
        self.framing(Generation::V2).colors_v2(rgb).map(|plane| plane.levels).concat()
    }

    /// Logits of `m` × `m` to probabilities on the picture, generation 1.
    #[must_use]
    pub fn probability_v1(&self, logits: &[f32], m: usize) -> Vec<f32> {
        self.framing(Generation::V1).probability_v1(logits, m)
    }

    /// The same, generation 2.
    #[must_use]
    pub fn probability_v2(&self, logits: &[f32], m: usize) -> Vec<f32> {
        self.framing(Generation::V2).probability_v2(logits, m)
    }

    /// A map on the picture at the pixels of the slice, generation 1.
    #[must_use]
    pub fn back_v1(&self, map: &[f32]) -> Vec<f32> {
        self.framing(Generation::V1).back(map)
    }

    /// The same, generation 2.
    #[must_use]
    pub fn back_v2(&self, map: &[f32]) -> Vec<f32> {
        self.framing(Generation::V2).back(map)
    }
}

/// Boxes of the parts of a mask.
#[must_use]
pub fn boxes(mask: &SliceMask, columns: usize) -> Vec<PlanarBox> {
    super::boxes(mask, columns, 0)
}

/// Boxes of the instances of a mask.
#[must_use]
pub fn instance_boxes(mask: &Mask, edges: &Mask) -> Vec<PlanarBox> {
    super::instances(mask, edges).boxes()
}

/// Instances of a mask.
#[must_use]
pub fn instance_masks(mask: &Mask, edges: &Mask) -> Vec<Mask> {
    let found: super::Instances = super::instances(mask, edges);
    (0..found.count()).filter_map(|n| found.mask(n)).collect()
}
