//! Where a slice lies in its picture.

use domain::Turn;

use super::axis::Axis;
use super::levels::{Ends, Scale, Source};
use super::packing::{Picture, Plane, grey_rgb};
use super::patch::{self, Patch};
use super::turn::Lie;
use super::{back, bicubic, probability, reduce, spline};

/// Which of the two kinds of promptable models a picture is for; see PROMPT.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Generation {
    /// One slice in three equal channels, or RGB.
    V1,
    /// A slice between its neighbours.
    V2,
}

impl Generation {
    /// The word for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
        }
    }
}

/// The way of a slice into its picture, and back: turned, padded to a square with zeros, resized.
///
/// Pixels have no size here: as in the networks' training, spacing is not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Framing {
    lie: Lie,
    /// Columns (i) and rows (j) of the source.
    axes: [Axis; 2],
    side: usize,
}

impl Framing {
    /// Of slices of `[columns, rows]` in pictures of `side` × `side`.
    ///
    /// # Panics
    /// When one of the three numbers is 0.
    pub(crate) fn new(
        generation: Generation,
        turn: Turn,
        [columns, rows]: [usize; 2],
        side: usize,
    ) -> Self {
        assert!(columns > 0 && rows > 0 && side > 0, "slices and pictures have pixels");
        let lie = Lie::of(turn);
        let axes = [
            Axis::new(generation, [columns, rows], side, lie.senses[0]),
            Axis::new(generation, [rows, columns], side, lie.senses[1]),
        ];
        Self { lie, axes, side }
    }

    /// Pixels of a picture.
    pub(crate) fn pixels(&self) -> usize {
        self.side * self.side
    }

    /// The picture of generation 1.
    ///
    /// Grey is clipped to its scale and stretched by the least and the greatest clipped value of this slice, to 0 … 255; a slice
    /// whose clipped values are all equal is 0. Colour, and grey in 8 bits, stays as it is. Then zeros, cubic B-splines over an
    /// image that is 0 all around (behind a Gaussian of (factor − 1) / 2 where the picture is the smaller one), clipped to the range
    /// of the image, and decimals cut off. That is what SciPy's `zoom` of order 3 gives with `grid_mode` and `grid-constant`, and
    /// `skimage.transform.resize`.
    ///
    /// # Panics
    /// When the source has not as many pixels as the framing.
    pub(crate) fn picture_v1(&self, source: &Source<'_>, scale: &Scale) -> Picture {
        let [columns, rows] = self.axes;
        source.check(columns.count * rows.count);
        let channel = |channel: usize| {
            let levels = source.levels(channel, scale, Ends::OfSlice);
            let square = if columns.factor() > 1.0 || rows.factor() > 1.0 {
                reduce::reduce(&levels, [columns, rows])
            } else {
                spline::enlarge(&levels, [columns, rows])
            };
            self.lie.turned(square, self.side)
        };
        let rgb = match source {
            Source::Grey(_) => grey_rgb(&channel(0)),
            Source::Color(_) => {
                let [red, green, blue] = [0, 1, 2].map(channel);
                let pixels = red.into_iter().zip(green).zip(blue);
                pixels.flat_map(|((red, green), blue)| [red, green, blue]).collect()
            }
        };
        Picture { side: self.side, rgb }
    }

    /// A plane of generation 2.
    ///
    /// Grey is clipped and stretched to its scale, decimals cut off; equal values of a slice stay equal. Then zeros, and bicubic
    /// interpolation of bytes as PyTorch has it (a = −0.75, no smoothing, the picture's rows first, whole levels behind each pass).
    /// What has no range is 0.
    ///
    /// Upstream's preparation of volumes stretches CT by the least and greatest *clipped value of the volume*; these are the ends of the
    /// window wherever the volume reaches them, as one with air and bone does. So a slice needs no other slice here.
    ///
    /// Colour becomes the grey of its luminance (Rec. 601). That is for frames between neighbours; of a single image of colour the three
    /// planes are its colours, see [`Framing::colors_v2`].
    ///
    /// # Panics
    /// When the source has not as many pixels as the framing.
    pub(crate) fn plane_v2(&self, source: &Source<'_>, scale: &Scale) -> Plane {
        match source {
            Source::Grey(_) => self.channel_v2(source, 0, scale),
            Source::Color(rgb) => {
                let grey = luminance(rgb);
                self.channel_v2(&Source::Grey(&grey), 0, &Scale::EightBit)
            }
        }
    }

    /// The planes of red, green and blue, as upstream's program for single images takes them instead of three slices.
    ///
    /// It interpolates singles and rounds nothing; here levels are whole, as the contract of the graphs says.
    ///
    /// # Panics
    /// When the source has not as many pixels as the framing.
    pub(crate) fn colors_v2(&self, rgb: &[u8]) -> [Plane; 3] {
        [0, 1, 2].map(|channel| self.channel_v2(&Source::Color(rgb), channel, &Scale::EightBit))
    }

    fn channel_v2(&self, source: &Source<'_>, channel: usize, scale: &Scale) -> Plane {
        let [columns, rows] = self.axes;
        source.check(columns.count * rows.count);
        let levels = source.levels(channel, scale, Ends::OfScale);
        let square = bicubic::resized(&levels, self.axes, self.lie.run);
        Plane { side: self.side, levels: self.lie.turned(square, self.side) }
    }

    /// Logits of generation 1, `m` × `m`, to probabilities on the picture, `side` × `side`: linear interpolation, then the
    /// logistic function. Logits have to be finite.
    ///
    /// # Panics
    /// When there are not `m` × `m` logits.
    pub(crate) fn probability_v1(&self, logits: &[f32], m: usize) -> Vec<f32> {
        assert_eq!(logits.len(), m * m, "a square of logits");
        probability::of_v1(logits, m, self.side)
    }

    /// The same for generation 2: PyTorch's bicubic interpolation with antialias, then the logistic function.
    ///
    /// # Panics
    /// When there are not `m` × `m` logits.
    pub(crate) fn probability_v2(&self, logits: &[f32], m: usize) -> Vec<f32> {
        assert_eq!(logits.len(), m * m, "a square of logits");
        probability::of_v2(logits, m, self.side)
    }

    /// A map on the picture at the pixels of the source, rows × columns: linear interpolation, zeros around cut away, turned
    /// back.
    ///
    /// # Panics
    /// When the map is not `side` × `side`.
    pub(crate) fn back(&self, map: &[f32]) -> Vec<f32> {
        assert_eq!(map.len(), self.side * self.side, "a map on the picture");
        back::back(map, self.lie, self.axes)
    }

    /// The same as far as it may be above a half, which is less work by as much as the picture has more in it. Values of the map are
    /// 0 to 1.
    ///
    /// # Panics
    /// When the map is not `side` × `side`.
    pub(crate) fn patch(&self, map: &[f32]) -> Patch {
        assert_eq!(map.len(), self.side * self.side, "a map on the picture");
        patch::patch(map, self.lie, self.axes)
    }

    /// Columns of the source.
    pub(crate) fn columns(&self) -> usize {
        self.axes[0].count
    }

    /// Pixels of the source.
    pub(crate) fn source_pixels(&self) -> usize {
        self.axes[0].count * self.axes[1].count
    }
}

/// 0.299 R + 0.587 G + 0.114 B, to the nearest level.
fn luminance(rgb: &[u8]) -> Vec<f32> {
    let grey = rgb.as_chunks::<3>().0.iter().map(|pixel| {
        let [red, green, blue] = pixel.map(u32::from);
        let [_, _, level, _] =
            (19_595 * red + 38_470 * green + 7_471 * blue + 0x8000).to_le_bytes();
        f32::from(level)
    });
    grey.collect()
}

#[cfg(test)]
mod tests;
