//! Colours on screens as PCS values (PS3.3 §C.10.7.1.1).

/// Linear sRGB to CIE XYZ under D50, Bradford-adapted: one row for each of X, Y, Z.
const XYZ_D50: [[f64; 3]; 3] = [
    [0.436_074_7, 0.385_064_9, 0.143_080_4],
    [0.222_504_5, 0.716_878_6, 0.060_616_9],
    [0.013_932_2, 0.097_104_5, 0.714_173_3],
];

/// CIE XYZ of white under D50.
const WHITE: [f64; 3] = [0.964_22, 1.0, 0.825_21];

/// Recommended Display CIELab Value of an sRGB colour: L* of 0 to 100, a* and b* of -128 to 127, each scaled to 0 to 65535.
pub(crate) fn cielab([red, green, blue]: [u8; 3]) -> [u16; 3] {
    let rgb = [red, green, blue].map(|channel| linear(f64::from(channel) / 255.0));
    let row =
        |row: [f64; 3]| row.iter().zip(rgb).map(|(weight, value)| weight * value).sum::<f64>();
    let [x, y, z] = XYZ_D50.map(row);
    let [x, y, z] = [x / WHITE[0], y / WHITE[1], z / WHITE[2]].map(lightness);
    let (l, a, b) = (116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z));
    [scaled(l / 100.0), scaled((a + 128.0) / 255.0), scaled((b + 128.0) / 255.0)]
}

/// Undoes the transfer function of sRGB (IEC 61966-2-1).
fn linear(value: f64) -> f64 {
    if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
}

/// The function f of CIELab.
fn lightness(value: f64) -> f64 {
    const KNEE: f64 = 216.0 / 24_389.0;
    if value > KNEE { value.cbrt() } else { (24_389.0 / 27.0 * value + 16.0) / 116.0 }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the range of u16"
)]
fn scaled(fraction: f64) -> u16 {
    (fraction * 65_535.0).round().clamp(0.0, 65_535.0) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_colours() {
        // L* 53.39, a* 0, b* 0 for the middle grey 127; white and black are the ends.
        let near =
            |got: [u16; 3], want: [u16; 3]| got.iter().zip(want).all(|(g, w)| g.abs_diff(w) <= 12);
        assert!(near(cielab([255, 255, 255]), [65_535, 32_896, 32_896]));
        assert!(near(cielab([0, 0, 0]), [0, 32_896, 32_896]));
        // sRGB red under D50 is L* 54.29, a* 80.81, b* 69.89.
        let red = [35_579, 53_664, 50_858];
        assert!(near(cielab([255, 0, 0]), red), "{:?}", cielab([255, 0, 0]));
    }
}
