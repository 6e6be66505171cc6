//! Date and time of a result in the time zone of its source.

use std::time::Duration;

use dataset::DataSet;
use domain::Moment;

use crate::tags;

/// The moment of creation as attributes have it.
///
/// Timezone Offset From UTC (0008,0201) governs every date and time of an instance, and a result keeps that of its
/// source, because it keeps Study Date and Time. Where the source has none, dates and times are UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CreatedAt {
    /// VR DA.
    pub(crate) date: String,
    /// VR TM.
    pub(crate) time: String,
    /// VR DT with its offset.
    pub(crate) date_time: String,
}

impl CreatedAt {
    /// `moment` in the time zone of `source`.
    pub(crate) fn new(moment: Moment, source: &DataSet) -> Self {
        let text = source.text(tags::TIMEZONE_OFFSET_FROM_UTC).unwrap_or_default();
        let (local, offset) = match offset(&text) {
            Some((east, shift)) => (shifted(moment, east, shift), text.as_str()),
            None => (moment, "+0000"),
        };
        let (date, time) = (local.dicom_date(), local.dicom_time());
        let date_time = format!("{date}{time}{offset}");
        Self { date, time, date_time }
    }
}

/// `+HHMM` or `-HHMM`: whether it lies east of Greenwich, and how far.
fn offset(text: &str) -> Option<(bool, Duration)> {
    let (sign, digits) = text.split_at_checked(1)?;
    let east = match sign {
        "+" => true,
        "-" => false,
        _ => return None,
    };
    if digits.len() != 4 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes): (u64, u64) = (digits[..2].parse().ok()?, digits[2..].parse().ok()?);
    let is_offset = hours <= 14 && minutes < 60;
    is_offset.then(|| (east, Duration::from_secs(hours * 3600 + minutes * 60)))
}

fn shifted(moment: Moment, east: bool, shift: Duration) -> Moment {
    if east {
        return moment.plus(shift);
    }
    let millis = moment.since(Moment::from_unix_millis(0)).saturating_sub(shift).as_millis();
    Moment::from_unix_millis(u64::try_from(millis).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use dataset::Vr;

    use super::*;

    fn created(offset: &str) -> CreatedAt {
        let mut source = DataSet::new();
        source.put_text(tags::TIMEZONE_OFFSET_FROM_UTC, Vr::SH, offset);
        // 2026-11-23 21:10:45 UTC
        CreatedAt::new(Moment::from_unix_millis(1_795_468_245_999), &source)
    }

    #[test]
    fn the_time_zone_of_the_source_counts() {
        assert_eq!(created("+0530").date_time, "20261124024045+0530");
        assert_eq!(
            (created("-0200").date.as_str(), created("-0200").time.as_str()),
            ("20261123", "191045")
        );
        for bad in ["", "+25", "0100", "+1500", "+0160", "\u{e4}0100"] {
            assert_eq!(created(bad).date_time, "20261123211045+0000", "{bad}");
        }
    }
}
