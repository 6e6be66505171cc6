//! Gradients in nine steps, and where the steps are (ITU-T T.87 §A.3.3, §C.2.4.1.1).

use super::broken;
use super::header::Scan;
use crate::encapsulated::DecodeFault;

/// Ceiling of the logarithm to base 2.
pub(super) fn bits_of(number: i32) -> u32 {
    (number - 1).checked_ilog2().map_or(0, |log| log + 1)
}

/// T1, T2, T3: those of the code stream, or the defaults (§C.2.4.1.1).
pub(super) fn thresholds(scan: &Scan, maxval: i32) -> Result<[i32; 3], DecodeFault> {
    let near = scan.near;
    let clamp = |value: i32, low: i32| if value > maxval || value < low { low } else { value };
    let basic = |small: i32, slope: i32, large: i32| {
        if maxval >= 128 {
            (maxval.min(4095) + 128) / 256 * (large - small) + small + slope * near
        } else {
            (large / (256 / (maxval + 1)) + slope * near).max(small)
        }
    };
    let [t1, t2, t3] = scan.preset.thresholds;
    let or = |given: i32, default: i32| if given == 0 { default } else { given };
    let t1 = or(t1, clamp(basic(2, 3, 3), near + 1));
    let t2 = or(t2, clamp(basic(3, 5, 7), t1));
    let t3 = or(t3, clamp(basic(4, 7, 21), t2));
    if near < t1 && t1 <= t2 && t2 <= t3 && t3 <= maxval {
        return Ok([t1, t2, t3]);
    }
    Err(broken(&format!("thresholds {t1}, {t2}, {t3} with NEAR {near} and MAXVAL {maxval}")))
}

/// A gradient in nine steps (§A.3.3).
pub(super) fn quantize(difference: i32, near: i32, [t1, t2, t3]: [i32; 3]) -> i8 {
    let magnitude = difference.abs();
    let step = if magnitude <= near {
        0
    } else if magnitude < t1 {
        1
    } else if magnitude < t2 {
        2
    } else if magnitude < t3 {
        3
    } else {
        4
    };
    if difference < 0 { -step } else { step }
}
