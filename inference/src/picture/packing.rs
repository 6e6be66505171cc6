//! Pictures and planes, and how they are laid out for a network.

/// What a network of generation 1 is shown: a square of RGB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Picture {
    /// Rows, and columns.
    pub(crate) side: usize,
    /// Red, green and blue, 0 to 255, row by row: `3 × side × side` bytes. Grey has three equal ones.
    pub(crate) rgb: Vec<u8>,
}

impl Picture {
    /// The tensor `[3, side, side]`: all of red, then green, then blue, whole numbers from 0 to 255.
    pub(crate) fn to_tensor(&self) -> Vec<f32> {
        let mut tensor = vec![0.0; self.rgb.len()];
        let (red, rest) = tensor.split_at_mut(self.rgb.len() / 3);
        let (green, blue) = rest.split_at_mut(rest.len() / 2);
        let colors = red.iter_mut().zip(green).zip(blue);
        for (((red, green), blue), rgb) in colors.zip(self.rgb.as_chunks::<3>().0) {
            (*red, *green, *blue) = (f32::from(rgb[0]), f32::from(rgb[1]), f32::from(rgb[2]));
        }
        tensor
    }
}

/// One channel of what a network of generation 2 is shown: a square of grey levels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plane {
    /// Rows, and columns.
    pub(crate) side: usize,
    /// 0 to 255, row by row: `side × side` bytes.
    pub(crate) levels: Vec<u8>,
}

/// The tensor `[3, side, side]` of generation 2: this slice, the one before and the one behind, whole numbers from 0 to 255.
///
/// For an image of colour the three are its red, green and blue.
///
/// # Panics
/// When the planes differ in size.
pub(crate) fn pack_v2(this: &Plane, previous: &Plane, next: &Plane) -> Vec<f32> {
    let planes = [this, previous, next];
    assert!(planes.iter().all(|plane| plane.levels.len() == this.levels.len()), "planes of a size");
    let mut tensor = Vec::with_capacity(3 * this.levels.len());
    // Plane by plane: a loop over one of them is one that compilers turn into vector instructions.
    for plane in planes {
        tensor.extend(plane.levels.iter().map(|level| f32::from(*level)));
    }
    tensor
}

/// Grey levels as RGB: three equal bytes a pixel.
pub(crate) fn grey_rgb(levels: &[u8]) -> Vec<u8> {
    let mut rgb = vec![0; 3 * levels.len()];
    let pixels = rgb.as_chunks_mut::<3>().0.iter_mut();
    pixels.zip(levels).for_each(|(pixel, level)| *pixel = [*level; 3]);
    rgb
}

/// The slices before and behind slice `k` of `count`, as generation 2 takes them: before the first one lies the second one, behind
/// the last one the last but one; a single slice is its own neighbour.
pub(crate) fn neighbours(k: usize, count: usize) -> (usize, usize) {
    let last = count.saturating_sub(1);
    let previous = if k > 0 { k - 1 } else { last.min(1) };
    let next = if k < last { k + 1 } else { last.saturating_sub(1) };
    (previous, next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_laid_out_color_by_color() {
        let picture = Picture { side: 2, rgb: (0..12).collect() };
        let wanted = [0_u8, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11].map(f32::from);
        assert_eq!(picture.to_tensor(), wanted);
    }

    #[test]
    fn a_plane_stands_between_its_neighbours() {
        let [this, previous, next] =
            [10, 20, 30].map(|level| Plane { side: 1, levels: vec![level] });
        assert_eq!(pack_v2(&this, &previous, &next), [10.0, 20.0, 30.0]);
    }

    #[test]
    fn grey_has_three_equal_bytes_a_pixel() {
        assert_eq!(grey_rgb(&[1, 2]), [1, 1, 1, 2, 2, 2]);
    }

    #[test]
    fn at_the_ends_a_neighbour_stands_in_for_the_missing_one() {
        assert_eq!([0, 1, 2].map(|k| neighbours(k, 3)), [(1, 1), (0, 2), (1, 1)]);
        assert_eq!([0, 1].map(|k| neighbours(k, 2)), [(1, 1), (0, 0)]);
        assert_eq!(neighbours(0, 1), (0, 0));
    }
}
