//! Whose each pixel of a slice is, and the masks that follow.

use domain::SliceMask;

use super::judge::HALF;

/// What was found of one question.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Found {
    pub(super) mask: Option<SliceMask>,
    pub(super) probability_sum: f64,
    pub(super) probabilities: Option<Vec<u8>>,
}

/// The masks of maps on the grid of the source, none of which overlap.
pub(super) fn masks(
    maps: impl ExactSizeIterator<Item = Vec<f32>>,
    keep_probabilities: bool,
) -> Vec<Found> {
    let count = maps.len();
    if count == 1 {
        return maps.map(|map| single(&map, keep_probabilities)).collect();
    }
    Owners::of(maps).masks(count, keep_probabilities)
}

/// For each pixel the largest probability above a half, and whose it is.
#[derive(Debug, Default)]
struct Owners {
    best: Vec<f32>,
    /// 0: nobody's; else the place in the order given, from 1.
    owner: Vec<u16>,
}

impl Owners {
    /// Of maps on the grid of the source, one after the other, so that not all of them have to exist at a time. Among equals a
    /// pixel belongs to the first.
    fn of(maps: impl Iterator<Item = Vec<f32>>) -> Self {
        let mut owners = Self::default();
        for (number, map) in (1..).zip(maps) {
            if owners.best.is_empty() {
                owners.best = vec![HALF; map.len()];
                owners.owner = vec![0; map.len()];
            }
            let pixels = owners.best.iter_mut().zip(&mut owners.owner);
            for ((best, owner), value) in pixels.zip(map) {
                if value > *best {
                    (*best, *owner) = (value, number);
                }
            }
        }
        owners
    }

    /// The masks of the first `count` owners.
    fn masks(&self, count: usize, keep_probabilities: bool) -> Vec<Found> {
        let pixels = self.owner.len();
        let mut drawn: Vec<Drawing> = Vec::new();
        drawn.resize_with(count, || Drawing::new(keep_probabilities));
        for (chunk, owners) in self.owner.chunks(CHUNK).enumerate() {
            // Most of a slice is nobody's.
            if owners.iter().fold(0, |any, owner| any | owner) == 0 {
                continue;
            }
            for (index, owner) in (chunk * CHUNK..).zip(owners).filter(|(_, owner)| **owner > 0) {
                drawn[usize::from(*owner) - 1].set(index, self.best[index], pixels);
            }
        }
        drawn.into_iter().map(Drawing::finish).collect()
    }
}

/// Pixels that are looked at together; whole bytes of a mask.
const CHUNK: usize = 64;

/// The mask of one map.
pub(super) fn single(map: &[f32], keep_probabilities: bool) -> Found {
    let mut drawing = Drawing::new(keep_probabilities);
    for (chunk, values) in map.chunks(CHUNK).enumerate() {
        if values.iter().fold(0.0, |most: f32, value| most.max(*value)) > HALF {
            drawing.set_all(chunk * CHUNK, values, map.len());
        }
    }
    drawing.finish()
}

/// A mask in the making; takes memory with its first pixel.
struct Drawing {
    bits: Vec<u8>,
    pixel_count: usize,
    probability_sum: f64,
    probabilities: Option<Vec<u8>>,
}

impl Drawing {
    fn new(keep_probabilities: bool) -> Self {
        let probabilities = keep_probabilities.then(Vec::new);
        Self { bits: Vec::new(), pixel_count: 0, probability_sum: 0.0, probabilities }
    }

    /// Sets what is above a half of some pixels that begin a byte.
    fn set_all(&mut self, first: usize, values: &[f32], pixels: usize) {
        self.make_room(pixels);
        for (byte, values) in (first / 8..).zip(values.chunks(8)) {
            let mut bits = 0;
            let mut sum = 0.0;
            for (bit, value) in values.iter().enumerate() {
                let is_set = *value > HALF;
                bits |= u8::from(is_set) << bit;
                sum += if is_set { f64::from(*value) } else { 0.0 };
            }
            self.bits[byte] = bits;
            self.pixel_count += usize::try_from(bits.count_ones()).unwrap_or_default();
            self.probability_sum += sum;
        }
        if let Some(kept) = &mut self.probabilities {
            kept.resize(pixels, 0);
            let kept = kept.iter_mut().skip(first).zip(values).filter(|(_, value)| **value > HALF);
            kept.for_each(|(kept, value)| *kept = byte(*value));
        }
    }

    fn make_room(&mut self, pixels: usize) {
        if self.bits.is_empty() {
            self.bits = vec![0; pixels.div_ceil(8)];
        }
    }

    fn set(&mut self, index: usize, probability: f32, pixels: usize) {
        self.make_room(pixels);
        self.bits[index / 8] |= 1 << (index % 8);
        self.pixel_count += 1;
        self.probability_sum += f64::from(probability);
        if let Some(kept) = &mut self.probabilities {
            kept.resize(pixels, 0);
            kept[index] = byte(probability);
        }
    }

    fn finish(self) -> Found {
        let Self { bits, pixel_count, probability_sum, probabilities } = self;
        if pixel_count == 0 {
            return Found::default();
        }
        Found { mask: Some(SliceMask { bits, pixel_count }), probability_sum, probabilities }
    }
}

/// 255 for 1.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "probabilities are 0 to 1, and casts of floats saturate"
)]
fn byte(probability: f32) -> u8 {
    (probability * 255.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_belong_to_the_surest_above_a_half() {
        let maps = [vec![0.6, 0.9, 0.5, 0.1], vec![0.7, 0.9, 0.4, 0.2]];
        let found = Owners::of(maps.into_iter()).masks(2, true);
        let bits = |n: usize| found[n].mask.as_ref().unwrap().bits.clone();
        assert_eq!((bits(0), bits(1)), (vec![0b10], vec![0b01]));
        assert_eq!(found[0].probabilities.as_deref(), Some([0, 230, 0, 0].as_slice()));
        assert!((found[1].probability_sum - 0.7).abs() < 1e-6);
        assert!(Owners::of([vec![0.5; 4]].into_iter()).masks(1, false)[0].mask.is_none());
        assert_eq!(masks([].into_iter(), false), []);
        let alone = [vec![0.6, 0.9, 0.5, 0.1]];
        let both = Owners::of(alone.clone().into_iter()).masks(1, true);
        assert_eq!(masks(alone.into_iter(), true), both);
    }

    #[test]
    fn a_single_map_is_cut_at_a_half() {
        let found = single(&[0.5, 0.500_01, 1.0], false);
        assert_eq!(found.mask.unwrap().bits, [0b110]);
        assert_eq!(found.probabilities, None);
        assert_eq!(single(&[], true), Found::default());
        // Longer than a chunk, its end no whole byte.
        let long: Vec<f32> = (0_u8..150).map(|n| if n % 7 == 3 { 0.75 } else { 0.25 }).collect();
        let found = single(&long, true);
        let mask = found.mask.unwrap();
        let is_set = |n: usize| mask.bits[n / 8] >> (n % 8) & 1 == 1;
        assert!((0..150).all(|n| is_set(n) == (n % 7 == 3)) && mask.bits.len() == 19);
        assert_eq!((mask.pixel_count, found.probability_sum), (21, 0.75 * 21.0));
        let kept = found.probabilities.unwrap();
        assert!((0..150).all(|n| kept[n] == if n % 7 == 3 { 191 } else { 0 }));
    }
}
