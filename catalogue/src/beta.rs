//! The Beta distribution: its two tails, to about 1e-13 of their size.
//!
//! The tail is a factor times a continued fraction (Abramowitz and Stegun 26.5.8, evaluated by Lentz's method). The
//! factor is not taken from logarithms of Gamma functions, which cancel badly for parameters in the thousands, but from
//! deviances and the small remainder of Stirling's formula.

use std::f64::consts::TAU;

use thiserror::Error;

/// Parameters that no Beta distribution has.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("no Beta distribution has the parameters {a} and {b}: both are above 0 and finite")]
pub struct BetaError {
    a: f64,
    b: f64,
}

/// A Beta distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Beta {
    a: f64,
    b: f64,
}

/// Terms of the continued fraction: it needs about the square root of the larger parameter.
const TERMS_MAX: u32 = 10_000;

impl Beta {
    /// The distribution with density proportional to x^(a-1) (1-x)^(b-1).
    ///
    /// # Errors
    /// When a parameter is not above 0 and finite.
    pub fn new(a: f64, b: f64) -> Result<Self, BetaError> {
        let fits = |parameter: f64| parameter.is_finite() && parameter > 0.0;
        if fits(a) && fits(b) { Ok(Self { a, b }) } else { Err(BetaError { a, b }) }
    }

    /// The two parameters.
    #[must_use]
    pub fn parameters(&self) -> (f64, f64) {
        (self.a, self.b)
    }

    /// The probability of at most x: the regularised incomplete beta function I_x(a, b).
    #[must_use]
    pub fn lower(&self, x: f64) -> f64 {
        self.tails(x).0
    }

    /// The probability of at most x and of more than x; neither is taken as 1 minus the other where it is small.
    /// NaN gives NaN.
    #[must_use]
    pub fn tails(&self, x: f64) -> (f64, f64) {
        let Self { a, b } = *self;
        if x.is_nan() {
            (x, x)
        } else if x <= 0.0 {
            (0.0, 1.0)
        } else if x >= 1.0 {
            (1.0, 0.0)
        } else if x < (a + 1.0) / (a + b + 2.0) {
            let lower = (factor(a, b, x, 1.0 - x) * fraction(a, b, x) / a).min(1.0);
            (lower, 1.0 - lower)
        } else {
            let upper = (factor(a, b, x, 1.0 - x) * fraction(b, a, 1.0 - x) / b).min(1.0);
            (1.0 - upper, upper)
        }
    }

    /// Twice the smaller tail: the p-value of a two-sided Kolmogorov-Smirnov test of one observation.
    #[must_use]
    pub fn two_sided(&self, x: f64) -> f64 {
        let (lower, upper) = self.tails(x);
        2.0 * lower.min(upper)
    }
}

/// x^a y^b / B(a, b), where y = 1 - x.
fn factor(a: f64, b: f64, x: f64, y: f64) -> f64 {
    let n = a + b;
    let deviance = deviance(a, n * x) + deviance(b, n * y);
    (a * b / (TAU * n)).sqrt() * (remainder(n) - remainder(a) - remainder(b) - deviance).exp()
}

/// k ln(k/m) + m - k, without cancellation where k is near m.
fn deviance(k: f64, m: f64) -> f64 {
    let e = (m - k) / k;
    if e.abs() > 0.1 {
        return k * (e - e.ln_1p());
    }
    // e - ln(1 + e) = e²/2 - e³/3 + e⁴/4 - …
    let (mut sum, mut power, mut n) = (0.0, e * e, 2.0);
    while n < 40.0 {
        sum += power / n;
        power *= -e;
        n += 1.0;
    }
    k * sum
}

/// ln Γ(z) less Stirling's (z - 1/2) ln z - z + ln(2π)/2.
fn remainder(z: f64) -> f64 {
    let (mut z, mut shifted) = (z, 0.0);
    while z < 16.0 {
        shifted += (z + 0.5) * (1.0 / z).ln_1p() - 1.0;
        z += 1.0;
    }
    let w = 1.0 / (z * z);
    let series = 1.0 / 12.0
        - w * (1.0 / 360.0
            - w * (1.0 / 1260.0
                - w * (1.0 / 1680.0 - w * (1.0 / 1188.0 - w * (691.0 / 360_360.0 - w / 156.0)))));
    shifted + series / z
}

/// The continued fraction of the incomplete beta function; converges fast for x < (a + 1) / (a + b + 2).
fn fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let kept = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / kept(1.0 - (a + b) * x / (a + 1.0));
    let mut value = d;
    for term in 1..TERMS_MAX {
        let m = f64::from(term);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / kept(1.0 + even * d);
        c = kept(1.0 + even / c);
        value *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / kept(1.0 + odd * d);
        c = kept(1.0 + odd / c);
        value *= d * c;
        if (d * c - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, expected: f64) {
        let tolerance = 1e-12 * expected.abs();
        assert!((found - expected).abs() <= tolerance, "{found:e} is not {expected:e}");
    }

    #[test]
    fn closed_forms_come_out() {
        for step in 1..100 {
            let x = f64::from(step) / 100.0;
            let of = |a, b| Beta::new(a, b).unwrap().tails(x);
            near(of(1.0, 1.0).0, x);
            near(of(3.0, 1.0).0, x * x * x);
            near(of(1.0, 4.0).1, (1.0 - x).powi(4));
            near(of(2.0, 2.0).0, x * x * (3.0 - 2.0 * x));
            near(of(0.5, 0.5).0, x.sqrt().asin() * 2.0 / std::f64::consts::PI);
        }
    }

    #[test]
    fn tails_of_binomial_sums_come_out_for_large_parameters() {
        // I_x(k, n - k + 1) is the probability of k or more of n; summed here from its largest term down.
        let (n, x) = (2_000_u32, 0.97_f64);
        let mut term = x.powi(2_000);
        let mut sum = 0.0;
        for k in (1_951..=n).rev() {
            sum += term;
            term *= f64::from(k) / f64::from(n - k + 1) * (1.0 - x) / x;
        }
        near(Beta::new(1_951.0, 50.0).unwrap().lower(x), sum);
    }

    #[test]
    fn edges_are_exact_and_nonsense_is_refused() {
        let beta = Beta::new(244.8, 5.314_27).unwrap();
        assert_eq!((beta.two_sided(0.0), beta.two_sided(1.0)), (0.0, 0.0));
        assert_eq!(beta.tails(-3.0), (0.0, 1.0));
        assert!(beta.lower(f64::NAN).is_nan());
        for (a, b) in [(0.0, 1.0), (1.0, -1.0), (f64::NAN, 1.0), (1.0, f64::INFINITY)] {
            assert!(Beta::new(a, b).is_err());
        }
    }
}
