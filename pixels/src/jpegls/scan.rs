//! Context modelling, prediction and run mode (ITU-T T.87 Annex A). Names of variables in comments are those of the standard.

use super::bits::Bits;
use super::broken;
use super::golomb::Golomb;
use super::gradient::{bits_of, quantize, thresholds};
use super::header::Scan;
use crate::encapsulated::DecodeFault;

/// Contexts of regular mode; run interruption has two more.
const CONTEXTS: usize = 365;
/// J: the order of run lengths (§A.2.1).
const RUN_ORDERS: [u32; 32] = [
    0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13,
    14, 15,
];

/// The line above and the line that is decoded, with the neighbours that edge pixels have (§A.2.1).
#[derive(Debug)]
pub(super) struct Line {
    above: Vec<i32>,
    current: Vec<i32>,
    run_index: usize,
}

impl Line {
    pub(super) fn new(columns: usize) -> Self {
        Self { above: vec![0; columns + 2], current: vec![0; columns + 2], run_index: 0 }
    }

    /// Begins the next line.
    pub(super) fn advance(&mut self) {
        std::mem::swap(&mut self.above, &mut self.current);
        let last = self.above.len() - 1;
        self.above[last] = self.above[last - 1];
        self.current[0] = self.above[1];
    }

    /// The decoded line.
    pub(super) fn values(&self) -> &[i32] {
        &self.current[1..self.current.len() - 1]
    }
}

/// A, B, C, N of a context.
#[derive(Debug, Clone, Copy)]
struct Context {
    magnitudes: i64,
    bias: i64,
    correction: i32,
    count: i32,
}

impl Context {
    /// k: the Golomb parameter for a sum of magnitudes.
    #[inline]
    fn order(&self, magnitudes: i64) -> u32 {
        // The smallest order for which count × 2^order reaches the sum: that of the leading bits, or one more.
        let count = i64::from(self.count);
        let order = count.leading_zeros().saturating_sub(magnitudes.leading_zeros());
        if count << order < magnitudes { order + 1 } else { order }
    }
}

/// The state of a scan.
pub(super) struct Coder {
    near: i32,
    maxval: i32,
    /// RANGE × (2 × NEAR + 1).
    modulus: i32,
    golomb: Golomb,
    reset: i32,
    /// A context that has seen nothing.
    fresh: Context,
    contexts: Box<[Context; CONTEXTS]>,
    interruptions: [Context; 2],
    /// Nn: negative errors at run interruptions.
    negatives: [i32; 2],
    /// Quantized gradients, from −MAXVAL on.
    quantized: Vec<i8>,
}

impl Coder {
    pub(super) fn new(scan: &Scan) -> Result<Self, DecodeFault> {
        let full = (1_i32 << scan.frame.precision) - 1;
        let maxval = if scan.preset.maxval == 0 { full } else { scan.preset.maxval };
        let near = scan.near;
        if maxval > full || near > maxval / 2 {
            return Err(broken(&format!("MAXVAL is {maxval}, NEAR {near}")));
        }
        let thresholds = thresholds(scan, maxval)?;
        let reset = if scan.preset.reset == 0 { 64 } else { scan.preset.reset };
        if reset < 3 {
            return Err(broken(&format!("RESET is {reset}")));
        }
        let step = 2 * near + 1;
        let range = (maxval + 2 * near) / step + 1;
        let bits = bits_of(maxval + 1).max(2);
        let magnitudes = i64::from(((range + 32) / 64).max(2));
        let fresh = Context { magnitudes, bias: 0, correction: 0, count: 1 };
        Ok(Self {
            near,
            maxval,
            modulus: range * step,
            golomb: Golomb { range, error_bits: bits_of(range), limit: 2 * (bits + bits.max(8)) },
            reset,
            fresh,
            contexts: Box::new([fresh; CONTEXTS]),
            interruptions: [fresh; 2],
            negatives: [0; 2],
            quantized: (-maxval..=maxval).map(|d| quantize(d, near, thresholds)).collect(),
        })
    }

    /// Forgets what was seen, as restart markers ask for.
    pub(super) fn restart(&mut self) {
        self.contexts.fill(self.fresh);
        self.interruptions = [self.fresh; 2];
        self.negatives = [0; 2];
    }

    /// Decodes one line of one component.
    pub(super) fn read_line(
        &mut self,
        bits: &mut Bits<'_>,
        line: &mut Line,
    ) -> Result<(), DecodeFault> {
        let Line { above, current, run_index } = line;
        let columns = current.len() - 2;
        let mut at = 1;
        while at <= columns {
            let (left, corner) = (current[at - 1], above[at - 1]);
            let (up, right) = (above[at], above[at + 1]);
            let context = self.context(left, corner, up, right);
            if context != 0 {
                let predicted = predict(left, corner, up);
                current[at] = self.read_error(bits, context, predicted)?;
                at += 1;
                continue;
            }
            let run = read_run(bits, run_index, columns + 1 - at);
            current[at..at + run].fill(left);
            at += run;
            if at <= columns {
                current[at] = self.read_interruption(bits, *run_index, left, above[at])?;
                *run_index = run_index.saturating_sub(1);
                at += 1;
            }
        }
        Ok(())
    }

    /// Decodes one line of three components whose samples alternate; a run is one of all three (§B.3).
    pub(super) fn read_pixels(
        &mut self,
        bits: &mut Bits<'_>,
        mut lines: [&mut Line; 3],
    ) -> Result<(), DecodeFault> {
        let columns = lines[0].current.len() - 2;
        let mut run_index = lines[0].run_index;
        let mut at = 1;
        while at <= columns {
            let contexts = [0, 1, 2].map(|component: usize| {
                let Line { above, current, .. } = &*lines[component];
                self.context(current[at - 1], above[at - 1], above[at], above[at + 1])
            });
            if contexts != [0; 3] {
                for (Line { above, current, .. }, context) in lines.iter_mut().zip(contexts) {
                    let predicted = predict(current[at - 1], above[at - 1], above[at]);
                    current[at] = self.read_error(bits, context, predicted)?;
                }
                at += 1;
                continue;
            }
            let run = read_run(bits, &mut run_index, columns + 1 - at);
            for line in &mut lines {
                let left = line.current[at - 1];
                line.current[at..at + run].fill(left);
            }
            at += run;
            if at <= columns {
                for Line { above, current, .. } in &mut lines {
                    let (left, up) = (current[at - 1], above[at]);
                    let error = self.read_interruption_error(bits, run_index, false)?;
                    current[at] = self.reconstructed(up, if left > up { -error } else { error });
                }
                run_index = run_index.saturating_sub(1);
                at += 1;
            }
        }
        lines[0].run_index = run_index;
        Ok(())
    }

    /// The context of three gradients; negative where they are mirrored; 0 is run mode (§A.3).
    #[inline]
    fn context(&self, left: i32, corner: i32, up: i32, right: i32) -> i32 {
        let quantized = |difference: i32| {
            let at = usize::try_from(difference + self.maxval).unwrap_or(0);
            i32::from(self.quantized[at])
        };
        81 * quantized(right - up) + 9 * quantized(up - corner) + quantized(corner - left)
    }

    /// A sample of regular mode (§A.4, §A.5, §A.6).
    #[inline]
    fn read_error(
        &mut self,
        bits: &mut Bits<'_>,
        context: i32,
        predicted: i32,
    ) -> Result<i32, DecodeFault> {
        let state = &mut self.contexts[context.unsigned_abs() as usize];
        let correction = if context < 0 { -state.correction } else { state.correction };
        let predicted = (predicted + correction).clamp(0, self.maxval);
        let order = state.order(state.magnitudes);
        let mapped = self.golomb.read(bits, order, self.golomb.limit)?;
        let mut error = if mapped & 1 == 0 { mapped >> 1 } else { -(mapped >> 1) - 1 };
        if self.near == 0 && order == 0 && 2 * state.bias <= -i64::from(state.count) {
            error = -error - 1;
        }
        state.update(error, i64::from(self.near), self.reset);
        let error = if context < 0 { -error } else { error };
        Ok(self.reconstructed(predicted, error))
    }

    /// The sample that ends a run (§A.7.2).
    fn read_interruption(
        &mut self,
        bits: &mut Bits<'_>,
        run_index: usize,
        left: i32,
        up: i32,
    ) -> Result<i32, DecodeFault> {
        let alike = (left - up).abs() <= self.near;
        let error = self.read_interruption_error(bits, run_index, alike)?;
        Ok(if alike {
            self.reconstructed(left, error)
        } else {
            self.reconstructed(up, if left > up { -error } else { error })
        })
    }

    fn read_interruption_error(
        &mut self,
        bits: &mut Bits<'_>,
        run_index: usize,
        alike: bool,
    ) -> Result<i32, DecodeFault> {
        let kind = i32::from(alike);
        let at = usize::from(alike);
        let state = self.interruptions[at];
        let halved = if alike { i64::from(state.count >> 1) } else { 0 };
        let order = state.order(state.magnitudes + halved);
        let limit = self.golomb.limit - RUN_ORDERS[run_index] - 1;
        let mapped = self.golomb.read(bits, order, limit)?;
        let odd = (mapped + kind) & 1;
        let magnitude = (mapped + kind + odd) / 2;
        let mostly_negative = order != 0 || 2 * self.negatives[at] >= state.count;
        let error = if mostly_negative == (odd == 1) { -magnitude } else { magnitude };
        let state = &mut self.interruptions[at];
        if error < 0 {
            self.negatives[at] += 1;
        }
        state.magnitudes += i64::from((mapped + 1 - kind) >> 1);
        if state.count == self.reset {
            state.magnitudes >>= 1;
            state.count >>= 1;
            self.negatives[at] >>= 1;
        }
        state.count += 1;
        Ok(error)
    }

    /// Rx from a prediction and an error (§A.4.5).
    #[inline]
    fn reconstructed(&self, predicted: i32, error: i32) -> i32 {
        let value = predicted + error * (2 * self.near + 1);
        let value = if value < -self.near {
            value + self.modulus
        } else if value > self.maxval + self.near {
            value - self.modulus
        } else {
            value
        };
        value.clamp(0, self.maxval)
    }
}

impl Context {
    /// Adds an error to the statistics, and moves the correction (§A.6).
    #[inline]
    fn update(&mut self, error: i32, near: i64, reset: i32) {
        self.bias += i64::from(error) * (2 * near + 1);
        self.magnitudes += i64::from(error.abs());
        if self.count == reset {
            self.magnitudes >>= 1;
            self.bias >>= 1;
            self.count >>= 1;
        }
        self.count += 1;
        let count = i64::from(self.count);
        if self.bias <= -count {
            self.bias = (self.bias + count).max(1 - count);
            self.correction = (self.correction - 1).max(-128);
        } else if self.bias > 0 {
            self.bias = (self.bias - count).min(0);
            self.correction = (self.correction + 1).min(127);
        }
    }
}

/// The length of a run, at most `most` (§A.7.1).
fn read_run(bits: &mut Bits<'_>, run_index: &mut usize, most: usize) -> usize {
    let mut run = 0;
    while bits.bit() {
        let piece = 1 << RUN_ORDERS[*run_index];
        if run + piece > most {
            return most;
        }
        run += piece;
        *run_index = (*run_index + 1).min(RUN_ORDERS.len() - 1);
        if run == most {
            return most;
        }
    }
    (run + bits.take(RUN_ORDERS[*run_index]) as usize).min(most)
}

/// Px: the median of three guesses (§A.4.1).
#[inline]
fn predict(left: i32, corner: i32, up: i32) -> i32 {
    let (low, high) = (left.min(up), left.max(up));
    if corner >= high {
        low
    } else if corner <= low {
        high
    } else {
        left + up - corner
    }
}
