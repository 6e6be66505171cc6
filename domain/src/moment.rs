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
}
