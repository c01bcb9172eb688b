//! Days that come back every year, or once: `12-25`, `2026-12-24`, `last monday of may`, `easter+1`, `thanksgiving`.

use crate::base::civil::{Date, ToSpan as _, Weekday};

/// A day with a name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Holiday {
    /// How it is told: "Christmas Day".
    pub name: String,
    /// When it is.
    pub day: Yearly,
}

/// When a holiday is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Yearly {
    /// Once.
    On(Date),
    /// Every year on this day and month.
    Each {
        /// 1 to 12.
        month: i8,
        /// 1 to 31.
        day: i8,
    },
    /// Every year on such a weekday of a month: the first is 1, the last -1.
    Nth {
        /// Which of them.
        nth: i8,
        /// The day of the week.
        weekday: Weekday,
        /// 1 to 12.
        month: i8,
    },
    /// So many days after Easter Sunday of the Western churches.
    Easter(i16),
}

/// The holidays of the United States and what is kept with them, by the name one may write.
const KNOWN: &[(&str, &str)] = &[
    ("new year", "01-01"),
    ("martin luther king", "third monday of january"),
    ("presidents", "third monday of february"),
    ("memorial", "last monday of may"),
    ("juneteenth", "06-19"),
    ("independence", "07-04"),
    ("labor", "first monday of september"),
    ("columbus", "second monday of october"),
    ("veterans", "11-11"),
    ("thanksgiving", "fourth thursday of november"),
    ("christmas eve", "12-24"),
    ("christmas", "12-25"),
];

const MONTHS: [&str; 12] =
    ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];

const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// What to write, for a message.
pub(super) const HOW: &str = "write a day such as \"12-25\", \"2026-12-24\", \"last monday of may\", \"easter+1\" or \"thanksgiving\"";

impl Yearly {
    /// Reads one day; in words what to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        let plain = text.trim().to_lowercase();
        let named = plain.trim_end_matches(" day").trim_end_matches("'s").trim_end_matches(" jr").replace("new year's", "new year");
        let written = KNOWN.iter().find(|(name, _)| *name == named).map_or(plain.as_str(), |(_, day)| *day);
        let found = once(written).or_else(|| each(written)).or_else(|| nth(written)).or_else(|| easter(written));
        found.ok_or_else(|| format!("{text:?} is no day: {HOW}"))
    }

    /// Whether `date` is such a day.
    pub fn is(&self, date: Date) -> bool {
        match *self {
            Self::On(day) => day == date,
            Self::Each { month, day } => date.month() == month && date.day() == day,
            Self::Nth { nth, weekday, month } => {
                date.month() == month && date.weekday() == weekday && date.nth_weekday_of_month(nth, weekday).is_ok_and(|day| day == date)
            }
            Self::Easter(days) => {
                easter_sunday(date.year()).and_then(|easter| easter.checked_add(i64::from(days).days()).ok()) == Some(date)
            }
        }
    }
}

/// The day of the week with this name, or its first three letters.
pub fn weekday(name: &str) -> Option<Weekday> {
    let name = name.trim().to_lowercase();
    let at = DAYS.iter().position(|day| *day == name || name.len() == 3 && day.starts_with(&name))?;
    Weekday::from_monday_zero_offset(i8::try_from(at).ok()?).ok()
}

fn once(text: &str) -> Option<Yearly> {
    (text.len() == 10).then(|| text.parse().ok().map(Yearly::On)).flatten()
}

fn each(text: &str) -> Option<Yearly> {
    let (month, day) = text.split_once('-')?;
    let (month, day): (i8, i8) = (month.parse().ok()?, day.parse().ok()?);
    // A leap year has every day that a year may have.
    Date::new(2024, month, day).ok().map(|_| Yearly::Each { month, day })
}

fn nth(text: &str) -> Option<Yearly> {
    let mut words = text.split_whitespace();
    let nth = match words.next()? {
        "first" | "1st" => 1,
        "second" | "2nd" => 2,
        "third" | "3rd" => 3,
        "fourth" | "4th" => 4,
        "last" => -1,
        _ => return None,
    };
    let weekday = weekday(words.next()?)?;
    let month = words.next().filter(|word| matches!(*word, "of" | "in")).and_then(|_| words.next())?;
    let month = MONTHS.iter().position(|name| *name == month)?;
    words.next().is_none().then_some(Yearly::Nth { nth, weekday, month: i8::try_from(month + 1).ok()? })
}

fn easter(text: &str) -> Option<Yearly> {
    let days = text.strip_prefix("easter")?.trim();
    let days: i16 = if days.is_empty() { 0 } else { days.replace(' ', "").parse().ok()? };
    (-100..=100).contains(&days).then_some(Yearly::Easter(days))
}

/// The Gregorian computus (Meeus, Astronomical Algorithms, chapter 8).
fn easter_sunday(year: i16) -> Option<Date> {
    let year_number = i32::from(year);
    let (golden, century, rest) = (year_number % 19, year_number / 100, year_number % 100);
    let shift = (8 * century + 13) / 25;
    let moon = (19 * golden + century - century / 4 - shift + 15) % 30;
    let sunday = (32 + 2 * (century % 4) + 2 * (rest / 4) - moon - rest % 4) % 7;
    let late = (golden + 11 * moon + 19 * sunday) / 433;
    let month = (moon + sunday - 7 * late + 90) / 25;
    let day = (moon + sunday - 7 * late + 33 * month + 19) % 32;
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holidays_fall_where_the_calendar_says() {
        for (text, date) in [
            ("12-25", "2026-12-25"),
            ("2026-12-24", "2026-12-24"),
            ("last monday of may", "2026-05-25"),
            ("4th thursday of november", "2026-11-26"),
            ("Thanksgiving Day", "2027-11-25"),
            ("new year's day", "2027-01-01"),
            ("labor day", "2026-09-07"),
            ("martin luther king jr day", "2026-01-19"),
            ("easter", "2026-04-05"),
            ("easter+1", "2027-03-29"),
            ("easter - 2", "2026-04-03"),
        ] {
            let day = Yearly::parse(text).unwrap();
            let date: Date = date.parse().unwrap();
            assert!(day.is(date), "{text}");
            assert!(!day.is(date.tomorrow().unwrap()), "{text}");
        }
    }

    #[test]
    fn what_is_no_day_is_told_in_words() {
        for wrong in ["", "13-01", "02-30", "fifth monday of may", "monday", "easter+999", "first monday of may or june", "2026-02-30"] {
            assert!(Yearly::parse(wrong).unwrap_err().contains("write a day"), "{wrong}");
        }
        assert_eq!(weekday("Tue"), Some(Weekday::Tuesday));
        assert_eq!(weekday("tues"), None);
    }
}
