//! Logits of a mask to probabilities on the picture.

use super::taps::{Taps, index, resample};
use super::work::for_each_chunk;

/// Generation 1: linear interpolation, outermost values hold.
pub(crate) fn of_v1(logits: &[f32], m: usize, side: usize) -> Vec<f32> {
    let step = m as f64 / side as f64;
    of(logits, &Taps::linear(m, (0..side).map(|n| (n as f64 + 0.5) * step - 0.5)))
}

/// Generation 2: bicubic interpolation with a = −0.5 that becomes smoother where the picture is the smaller one; at the borders the
/// weights inside are enlarged to 1. PyTorch calls it bicubic with antialias.
pub(crate) fn of_v2(logits: &[f32], m: usize, side: usize) -> Vec<f32> {
    of(logits, &smooth(m, side))
}

fn of(logits: &[f32], taps: &Taps) -> Vec<f32> {
    let mut map = resample(logits, [taps, taps], |_| {}, |lanes| lanes);
    // Many in a row, which a machine does several at a time.
    for_each_chunk(
        &mut map,
        CHUNK,
        || (),
        |(), _, chunk| chunk.iter_mut().for_each(|p| *p = sigmoid(*p)),
    );
    map
}

/// The shape of the cubic.
const A: f64 = -0.5;

/// How far it reaches.
const SUPPORT: f64 = 2.0;

fn smooth(inputs: usize, outputs: usize) -> Taps {
    if inputs == outputs {
        return Taps::same(inputs);
    }
    let step = inputs as f64 / outputs as f64;
    let stretch = step.max(1.0);
    let sums = (0..outputs).map(|n| {
        let middle = (n as f64 + 0.5) * step;
        let first = index((middle - SUPPORT * stretch + 0.5).floor()).max(0);
        let last = index((middle + SUPPORT * stretch + 0.5).floor());
        let last = last.min(i64::try_from(inputs).unwrap_or(i64::MAX));
        let weight = |n: i64| cubic((n as f64 - middle + 0.5) / stretch);
        (first, (first..last).map(weight).collect())
    });
    Taps::normalised(inputs, sums)
}

fn cubic(x: f64) -> f64 {
    let x = x.abs();
    if x < 1.0 {
        ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
    } else if x < SUPPORT {
        ((A * x - 5.0 * A) * x + 8.0 * A) * x - 4.0 * A
    } else {
        0.0
    }
}

/// Values that a thread takes at a time.
const CHUNK: usize = 1 << 14;

/// The logistic function: 0.5 at 0, wrong by less than 2e-7 elsewhere; NaN stays NaN.
fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + exponential(-logit))
}

/// 1.5 × 2²³: added to a small number, it leaves the nearest whole number in the last bits.
const WHOLE: f32 = 12_582_912.0;

/// Series of 2 to the power of x, from the highest power on: (ln 2)ⁿ ÷ n!.
const SERIES: [f32; 8] = [
    1.525_273_4e-5,
    1.540_353_1e-4,
    1.333_355_8e-3,
    9.618_129e-3,
    5.550_411e-2,
    0.240_226_5,
    std::f32::consts::LN_2,
    1.0,
];

/// e to the power of x, in arithmetic that a machine does for several at a time. Beyond ±87 it stays what it is there.
fn exponential(x: f32) -> f32 {
    let power = (x * std::f32::consts::LOG2_E).clamp(-126.0, 126.0);
    let shifted = power + WHOLE;
    let rest = power - (shifted - WHOLE);
    let two = SERIES.iter().fold(0.0, |sum, term| sum * rest + term);
    // The whole part is the exponent.
    two * f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logistic_function_is_near_enough() {
        for n in -40_000..=40_000_i32 {
            let logit = n as f32 / 400.0;
            let got = sigmoid(logit);
            let wanted = 1.0 / (1.0 + (-f64::from(logit)).exp());
            assert!((f64::from(got) - wanted).abs() < 2e-7, "{logit}: {got} {wanted}");
            assert_eq!(got > 0.5, logit > 1e-6, "{logit}: {got}");
        }
        let [zero, huge, tiny, nan] = [0.0, 1e30, -1e30, f32::NAN].map(sigmoid);
        assert_eq!((zero.to_bits(), huge.to_bits()), (0.5_f32.to_bits(), 1.0_f32.to_bits()));
        assert!((0.0..1e-30).contains(&tiny) && nan.is_nan());
    }
}
