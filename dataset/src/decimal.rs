//! Decimal strings (VR DS, PS3.5 §6.2): at most 16 characters.

const CHARACTERS_MAX: usize = 16;

/// The text of at most 16 characters that reads back nearest to `value`, the shortest of those.
/// Values that are not finite have no decimal string and become the empty text.
pub(crate) fn decimal(value: f64) -> String {
    if !value.is_finite() {
        return String::new();
    }
    let shortest = format!("{value}");
    if shortest.len() <= CHARACTERS_MAX {
        return shortest;
    }
    let fixed = (0..CHARACTERS_MAX).map(|digits| format!("{value:.digits$}"));
    let scientific = (0..CHARACTERS_MAX).map(|digits| format!("{value:.digits$E}"));
    let fitting = fixed.chain(scientific).filter(|text| text.len() <= CHARACTERS_MAX);
    let error =
        |text: &String| text.parse().map_or(f64::INFINITY, |read: f64| (read - value).abs());
    let nearest = fitting.min_by(|a, b| error(a).total_cmp(&error(b)).then(a.len().cmp(&b.len())));
    nearest.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fits_in_sixteen_characters_and_stays_near() {
        assert_eq!(decimal(0.7), "0.7");
        assert_eq!(decimal(-1.0), "-1");
        assert_eq!(decimal(f64::NAN), "");
        for value in [
            1.0 / 3.0,
            -1.0 / 3.0,
            1e-17 / 3.0,
            -123_456.789_012_345_67,
            1e300 / 3.0,
            f64::MIN_POSITIVE,
        ] {
            let text = decimal(value);
            assert!(text.len() <= 16, "{text}");
            let read: f64 = text.parse().unwrap();
            assert!((read - value).abs() <= value.abs() * 1e-8, "{text} for {value}");
        }
    }
}
