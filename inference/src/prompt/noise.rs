//! The noise that a decoder wants: uniform numbers that depend on what is asked about which slice, and on nothing else.

use sha2::{Digest as _, Sha256};

/// Of what the noise is made: the same again gives the same noise, in any company of prompts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seed<'a> {
    /// SOP Instance UID of the slice.
    pub(super) sop_instance: &'a str,
    /// Which frame of it, from 0.
    pub(super) frame_index: usize,
    /// The sentence.
    pub(super) sentence: &'a str,
    /// The model.
    pub(super) model_sha256: &'a str,
}

/// A source of numbers: xoshiro256++ of Blackman and Vigna.
#[derive(Debug, Clone)]
pub(super) struct Noise([u64; 4]);

impl Noise {
    /// Begins anew.
    pub(super) fn new(seed: &Seed<'_>) -> Self {
        let mut digest = Sha256::new();
        let frame = seed.frame_index.to_string();
        for part in [seed.sop_instance, &frame, seed.sentence, seed.model_sha256] {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        }
        let digest = digest.finalize();
        let mut state = [0; 4];
        for (word, bytes) in state.iter_mut().zip(digest.as_chunks::<8>().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        Self(state)
    }

    fn next(&mut self) -> u64 {
        let Self(s) = self;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// Fills with numbers in [0, 1), multiples of 2⁻²⁴, two of each draw: the upper half first.
    pub(super) fn fill(&mut self, values: &mut [f32]) {
        for pair in values.chunks_mut(2) {
            let drawn = self.next();
            let halves = [drawn >> 40, drawn >> 8 & 0xff_ffff];
            for (value, bits) in pair.iter_mut().zip(halves) {
                *value = unit(bits);
            }
        }
    }
}

/// 24 bits as a fraction.
#[expect(clippy::cast_precision_loss, reason = "24 bits fit into a float exactly")]
fn unit(bits: u64) -> f32 {
    bits as f32 / (1_u32 << 24) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seed(sentence: &str) -> Seed<'_> {
        Seed { sop_instance: "1.2.3", frame_index: 0, sentence, model_sha256: "00" }
    }

    fn drawn(seed: &Seed<'_>, count: usize) -> Vec<f32> {
        let mut values = vec![9.0; count];
        Noise::new(seed).fill(&mut values);
        values
    }

    #[test]
    fn the_numbers_are_those_of_the_published_generator() {
        // The reference implementation in C, started at 1, 2, 3, 4.
        let mut noise = Noise([1, 2, 3, 4]);
        let first: Vec<u64> = (0..4).map(|_| noise.next()).collect();
        assert_eq!(first, [41_943_041, 58_720_359, 3_588_806_011_781_223, 3_591_011_842_654_386]);
    }

    #[test]
    fn the_same_seed_gives_the_same_and_another_another() {
        let liver = drawn(&seed("liver"), 1001);
        assert_eq!(liver, drawn(&seed("liver"), 1001));
        assert_ne!(liver, drawn(&seed("spleen"), 1001));
        assert_ne!(liver, drawn(&Seed { frame_index: 1, ..seed("liver") }, 1001));
        assert!(liver.iter().all(|value| (0.0..1.0).contains(value)));
    }

    #[test]
    fn the_numbers_are_spread_evenly() {
        let values = drawn(&seed("liver"), 100_000);
        let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / 100_000.0;
        assert!((mean - 0.5).abs() < 0.005, "{mean}");
        for tenth in 0_u8..10 {
            let low = f32::from(tenth) / 10.0;
            let count = values.iter().filter(|v| (low..low + 0.1).contains(*v)).count();
            assert!((9_600..10_400).contains(&count), "{tenth}: {count}");
        }
    }
}
