//! Time as a value that is passed in. Only `node` reads a clock.

use std::time::Duration;

/// A point in time: milliseconds since 1970-01-01T00:00:00Z, so that it survives a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Moment(u64);

impl Moment {
    /// The moment `millis` milliseconds after the Unix epoch.
    #[must_use]
    pub const fn from_unix_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn unix_millis(self) -> u64 {
        self.0
    }

    /// This moment moved later by `duration`; saturates.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)))
    }

    /// How long after `earlier` this moment is; zero when it is not after it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// The moment as a UTC calendar date and time: year, month, day, hour, minute, second.
    ///
    /// Uses the proleptic Gregorian calendar (days-from-civil arithmetic), valid for every `Moment` up to year 9999.
    #[must_use]
    pub fn utc(self) -> (u64, u64, u64, u64, u64, u64) {
        let seconds = self.0 / 1000;
        let days = seconds / 86_400 + 719_468;
        let era = days / 146_097;
        let day_of_era = days % 146_097;
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = year_of_era + era * 400 + u64::from(month <= 2);
        (year, month, day, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60)
    }

    /// The moment of a UTC date and time of the form `2026-11-24T10:15:00Z`; `None` for anything else, and before 1970.
    #[must_use]
    pub fn parse_utc(text: &str) -> Option<Self> {
        let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
        let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
        let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
        if !(1970..=9999).contains(&year) || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let seconds =
            days_from_civil(year, month, day)? * 86_400 + hour * 3600 + minute * 60 + second;
        let moment = Self(seconds * 1000);
        // Days that a month does not have come out as other days.
        (moment.utc() == (year, month, day, hour, minute, second)).then_some(moment)
    }

    /// VR DA: `YYYYMMDD` in UTC.
    #[must_use]
    pub fn dicom_date(self) -> String {
        let (year, month, day, ..) = self.utc();
        format!("{year:04}{month:02}{day:02}")
    }

    /// VR TM: `HHMMSS` in UTC.
    #[must_use]
    pub fn dicom_time(self) -> String {
        let (.., hour, minute, second) = self.utc();
        format!("{hour:02}{minute:02}{second:02}")
    }
}

/// Three numbers of fixed widths.
fn numbers(text: &str, between: char, widths: [usize; 3]) -> Option<[u64; 3]> {
    let mut parts = text.split(between);
    let mut next = |width: usize| {
        let part = parts.next().filter(|part| part.len() == width)?;
        part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok())?
    };
    let found = [next(widths[0])?, next(widths[1])?, next(widths[2])?];
    parts.next().is_none().then_some(found)
}

/// Days since 1970-01-01 of a day of the Gregorian calendar, from 1970 on.
fn days_from_civil(year: u64, month: u64, day: u64) -> Option<u64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let (era, year_of_era) = (year / 400, year % 400);
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    (era * 146_097 + day_of_era).checked_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calendar_dates() {
        assert_eq!(Moment::from_unix_millis(0).utc(), (1970, 1, 1, 0, 0, 0));
        assert_eq!(Moment::from_unix_millis(951_782_400_000).dicom_date(), "20000229");
        assert_eq!(Moment::from_unix_millis(1_795_468_245_999).dicom_date(), "20261123");
        assert_eq!(Moment::from_unix_millis(1_795_468_245_999).dicom_time(), "211045");
    }

    #[test]
    fn times_are_parsed_as_they_are_shown() {
        let parsed = |text| Moment::parse_utc(text).map(Moment::unix_millis);
        assert_eq!(parsed("2026-11-23T21:10:45Z"), Some(1_795_468_245_000));
        assert_eq!(parsed("1970-01-01T00:00:00Z"), Some(0));
        for day in (0..30_000).map(|day| Moment::from_unix_millis(day * 86_400_000 * 7)) {
            let (year, month, date, ..) = day.utc();
            let text = format!("{year:04}-{month:02}-{date:02}T00:00:00Z");
            assert_eq!(Moment::parse_utc(&text), (year < 10_000).then_some(day), "{text}");
        }
        for text in [
            "2026-11-23 21:10:45Z",
            "2026-11-23T21:10:45",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "1969-12-31T00:00:00Z",
            "+026-01-01T00:00:00Z",
            "2026-01-01-01T00:00:00Z",
        ] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }
}
