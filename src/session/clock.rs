//! Dates without a time zone database: Coordinated Universal Time only.

use std::time::{SystemTime, UNIX_EPOCH};

use toml::value::{Date, Datetime, Offset, Time};

/// Now, in whole seconds of Coordinated Universal Time.
pub(super) fn now() -> Datetime {
    // A clock set before 1970 is wrong anyway; the epoch stands in for it.
    at(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs()))
}

/// The instant `seconds` after the beginning of 1970, by the proleptic Gregorian calendar.
fn at(seconds: u64) -> Datetime {
    // Howard Hinnant's days-to-civil algorithm: years begin in March, so that the leap day comes last.
    let days = seconds / 86_400 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = 400 * era + year_of_era + u64::from(month <= 2);
    let second = seconds % 86_400;
    Datetime {
        date: Some(Date { year: year as u16, month: month as u8, day: day as u8 }),
        time: Some(Time {
            hour: (second / 3600) as u8,
            minute: (second / 60 % 60) as u8,
            second: Some((second % 60) as u8),
            nanosecond: None,
        }),
        offset: Some(Offset::Z),
    }
}

/// The date and minute as they begin a session's name, such as `2026-11-24_22-15`.
pub(super) fn stamp(datetime: &Datetime) -> String {
    let date = datetime.date.map(|d| d.to_string()).unwrap_or_default();
    let time = datetime.time.map(|t| format!("{:02}-{:02}", t.hour, t.minute)).unwrap_or_default();
    format!("{date}_{time}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_instants() {
        // Computed with `date -u -d @SECONDS`.
        assert_eq!(at(0).to_string(), "1970-01-01T00:00:00Z");
        assert_eq!(at(951_782_400).to_string(), "2000-02-29T00:00:00Z");
        assert_eq!(at(1_795_558_559).to_string(), "2026-11-24T22:15:59Z");
        assert_eq!(at(4_107_542_400).to_string(), "2100-03-01T00:00:00Z");
        assert_eq!(stamp(&at(1_795_558_559)), "2026-11-24_22-15");
    }
}
