//! Is what was found typical of what was asked for? The test of v1: four means over the mask, each compared with the
//! Beta distribution that the same target has in the training data.

use thiserror::Error;

use crate::beta::Beta;
use crate::table::{Row, Table, TableFault};

/// The published distributions of one target of one type of recognition.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetStatistics {
    /// The type of recognition.
    pub kind: &'static str,
    /// The target, in the words of the type.
    pub target: &'static str,
    /// Of the mask's probability, then of red, green and blue.
    pub distributions: [Beta; 4],
}

/// The four means over a mask, each in 1/256: probability scaled to 255, red, green, blue. All 0 of an empty mask.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MaskStatistics(pub [f64; 4]);

/// Why no statistics can be made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StatisticsError {
    /// The two do not belong together.
    #[error("{bytes} bytes of RGB do not go with {pixels} pixels of probability")]
    Sizes {
        /// Bytes of the picture.
        bytes: usize,
        /// Values of the map.
        pixels: usize,
    },
    /// The model gave NaN or infinity.
    #[error("the probability of pixel {index} is no number")]
    NotFinite {
        /// From 0, row by row.
        index: usize,
    },
}

/// The means over a mask, as upstream takes them.
///
/// `rgb` is the 8-bit picture that the model saw, three bytes a pixel; `probability` has one value a pixel, 0 to 1.
/// A pixel counts where 255 times its probability is at least 128, which is a little above 0.5. A mask without such
/// a pixel is empty; upstream's other border, 127, tells apart only masks of which it would then take the mean of nothing.
///
/// # Errors
/// When the sizes differ or a probability is not finite.
pub fn mask_statistics(rgb: &[u8], probability: &[f32]) -> Result<MaskStatistics, StatisticsError> {
    if rgb.len() != probability.len() * 3 {
        return Err(StatisticsError::Sizes { bytes: rgb.len(), pixels: probability.len() });
    }
    if let Some(index) = first_not_finite(probability) {
        return Err(StatisticsError::NotFinite { index });
    }
    let (mut sums, mut count) = ([0.0_f64; 4], 0.0_f64);
    let parts = rgb.chunks(3 * TOGETHER).zip(probability.chunks(TOGETHER));
    // Most of a picture is in no mask.
    let marked =
        parts.filter(|(_, part)| part.iter().fold(false, |any, p| any | (p * 255.0 >= 128.0)));
    for (pixel, probability) in marked.flat_map(|(rgb, part)| rgb.chunks_exact(3).zip(part)) {
        let scaled = probability * 255.0;
        if scaled >= 128.0 {
            count += 1.0;
            sums[0] += f64::from(scaled);
            for (sum, value) in sums[1..].iter_mut().zip(pixel) {
                *sum += f64::from(*value);
            }
        }
    }
    let mean = |sum: f64| if count > 0.0 { sum / count / 256.0 } else { 0.0 };
    Ok(MaskStatistics(sums.map(mean)))
}

/// Pixels that are looked at together.
const TOGETHER: usize = 64;

/// The place of the first probability that is none. Looks at parts without stopping in them, which compilers turn into vector
/// instructions.
fn first_not_finite(probability: &[f32]) -> Option<usize> {
    let is_whole = |part: &[f32]| part.iter().fold(true, |all, value| all & value.is_finite());
    if probability.chunks(1 << 12).all(is_whole) {
        return None;
    }
    probability.iter().position(|value| !value.is_finite())
}

impl MaskStatistics {
    /// Whether no pixel counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self([probability, ..]) = self;
        *probability <= 0.0
    }

    /// The p-value of each mean: a Kolmogorov-Smirnov test of one observation, which is twice the smaller tail.
    ///
    /// SciPy, and so upstream, rounds a tail to 2.2e-16; we do not. The mean of four may differ by 1e-4 where it is below that.
    #[must_use]
    pub fn p_values(&self, distributions: &[Beta; 4]) -> [f64; 4] {
        let mut p_values = self.0;
        for (p, distribution) in p_values.iter_mut().zip(distributions) {
            *p = distribution.two_sided(*p);
        }
        p_values
    }

    /// The p-value of the mask, for the distributions of a target: the geometric mean of the four. 0 of an empty mask, 1 of
    /// a perfectly typical one; low on both sides, so a mask that is surer than those of training is no better than one
    /// that is less sure.
    #[must_use]
    pub fn p_value(&self, distributions: &[Beta; 4]) -> f64 {
        self.p_values(distributions).iter().map(|p| p.powf(0.25)).product()
    }
}

/// Reads `statistics.tsv`.
pub(crate) fn read() -> Result<Vec<TargetStatistics>, TableFault> {
    Table::read("statistics.tsv", include_str!("../data/statistics.tsv"))?.map(|row| {
        Ok(TargetStatistics {
            kind: row.text("type")?,
            target: row.text("target")?,
            distributions: [
                beta(row, "mask_a", "mask_b")?,
                beta(row, "red_a", "red_b")?,
                beta(row, "green_a", "green_b")?,
                beta(row, "blue_a", "blue_b")?,
            ],
        })
    })
}

fn beta(row: Row<'_>, a: &str, b: &str) -> Result<Beta, TableFault> {
    Beta::new(row.parse(a)?, row.parse(b)?).map_err(|error| row.fault(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pixels_from_128_of_255_count() {
        let rgb = [10, 20, 30, 50, 60, 70, 200, 210, 220];
        let below = 127.99 / 255.0;
        let found = mask_statistics(&rgb, &[1.0, below, 128.5 / 255.0]).unwrap();
        let expected = [(255.0 + 128.5) / 2.0, 105.0, 115.0, 125.0].map(|mean| mean / 256.0);
        for (found, expected) in found.0.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
    }

    #[test]
    fn an_empty_mask_has_p_0() {
        let empty = mask_statistics(&[9; 6], &[0.5, 0.0]).unwrap();
        assert!(empty.is_empty());
        assert!(empty.p_value(&read().unwrap()[0].distributions) <= 0.0);
        assert!(mask_statistics(&[], &[]).unwrap().is_empty());
    }

    #[test]
    fn the_median_of_each_distribution_has_p_1() {
        let of_target = read().unwrap()[8].distributions;
        let median = of_target.map(|distribution| {
            let (mut low, mut high) = (0.0, 1.0);
            for _ in 0..60 {
                let middle = f64::midpoint(low, high);
                if distribution.lower(middle) < 0.5 { low = middle } else { high = middle }
            }
            low
        });
        assert!((MaskStatistics(median).p_value(&of_target) - 1.0).abs() < 1e-9);
        let mut surer = median;
        surer[0] = 0.999;
        assert!(MaskStatistics(surer).p_value(&of_target) < 0.3, "too sure is not typical either");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let sizes = StatisticsError::Sizes { bytes: 5, pixels: 2 };
        assert_eq!(mask_statistics(&[0; 5], &[0.0; 2]), Err(sizes));
        let nan = mask_statistics(&[0; 6], &[0.0, f32::NAN]);
        assert_eq!(nan, Err(StatisticsError::NotFinite { index: 1 }));
    }
}
