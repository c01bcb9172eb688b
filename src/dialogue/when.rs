//! Days and times as callers say them, and what they mean on the business's calendar.

use std::ops::Range;

use super::clock::{find_time, text_before};
use super::numbers::{cardinal, ordinal};
use super::words::{Word, words};
use crate::base::civil::{Date, DateTime, Time, ToSpan, Weekday};

/// A day as said, before a calendar is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DaySaid {
    /// Today, tomorrow (1), the day after (2).
    InDays(i8),
    /// A weekday.
    Weekday(Weekday, Which),
    /// The week after this one.
    NextWeek,
    /// Saturday or Sunday.
    Weekend,
    /// A date of some month.
    Date {
        /// 1 to 12.
        month: i8,
        /// 1 to 31.
        day: i8,
    },
    /// "The third": of this month or the next.
    DayOfMonth(i8),
}

/// Which of the weekdays to come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Which {
    /// "Thursday", "this Thursday": the first to come.
    First,
    /// "Next Thursday": of the week after this one (weeks begin on Monday).
    Next,
}

/// A time as said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TimeSaid {
    /// A clock time; without a half of the day, the business's hours decide.
    Clock {
        /// 0 to 23.
        hour: i8,
        /// 0 to 59.
        minute: i8,
        /// Which half of the day was said.
        half: Option<Half>,
    },
    /// A part of the day.
    Part(Part),
}

/// The halves of a day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Half {
    /// Before noon.
    Am,
    /// After.
    Pm,
}

/// Parts of a day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// Until noon.
    Morning,
    /// Noon to five.
    Afternoon,
    /// From five on.
    Evening,
}

impl Part {
    /// Whether `hour` lies in it.
    pub const fn contains(self, hour: i8) -> bool {
        match self {
            Self::Morning => hour < 12,
            Self::Afternoon => hour >= 12 && hour < 17,
            Self::Evening => hour >= 17,
        }
    }

    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Morning => "morning",
            Self::Afternoon => "afternoon",
            Self::Evening => "evening",
        }
    }
}

const WEEKDAYS: [(&str, &str, Weekday); 7] = [
    ("monday", "mon", Weekday::Monday),
    ("tuesday", "tues", Weekday::Tuesday),
    ("wednesday", "wed", Weekday::Wednesday),
    ("thursday", "thurs", Weekday::Thursday),
    ("friday", "fri", Weekday::Friday),
    ("saturday", "sat", Weekday::Saturday),
    ("sunday", "sun", Weekday::Sunday),
];

const MONTHS: [&str; 12] =
    ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];

/// The weekday that `word` names.
pub fn weekday(word: &str) -> Option<Weekday> {
    let word = word.strip_suffix("'s").unwrap_or(word);
    let exact = WEEKDAYS.iter().find(|(name, short, _)| *name == word || *short == word || word.strip_suffix('s') == Some(name));
    exact.or_else(|| WEEKDAYS.iter().find(|(name, ..)| word.len() >= 6 && super::fuzzy::close(name, word))).map(|(_, _, day)| *day)
}

/// The month (1 to 12) that `word` names.
pub fn month(word: &str) -> Option<i8> {
    let at = MONTHS.iter().position(|name| {
        *name == word || (word.len() == 3 && name.starts_with(word) && word != "may") || (word == "sept" && *name == "september")
    })?;
    i8::try_from(at + 1).ok()
}

/// The name of `month` (1 to 12), "" beyond.
pub fn month_name(month: i8) -> &'static str {
    const NAMES: [&str; 12] =
        ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
    usize::try_from(month - 1).ok().and_then(|at| NAMES.get(at)).copied().unwrap_or("")
}

/// The name of `day`.
pub const fn weekday_name(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}

/// The last day said in `words` (the latest statement wins), with the words it took.
pub fn find_day(words: &[Word]) -> Option<(DaySaid, Range<usize>)> {
    let mut found = None;
    let mut at = 0;
    while at < words.len() {
        match day_at(words, at) {
            Some((day, used)) => {
                found = Some((day, at..at + used));
                at += used;
            }
            None => at += 1,
        }
    }
    found
}

fn day_at(words: &[Word], at: usize) -> Option<(DaySaid, usize)> {
    let text = |offset: usize| words.get(at + offset).map_or("", |word| word.text.as_str());
    match (text(0), text(1)) {
        ("today" | "tonight", _) => return Some((DaySaid::InDays(0), 1)),
        ("tomorrow", _) => return Some((DaySaid::InDays(1), 1)),
        ("day", "after") if text(2) == "tomorrow" => return Some((DaySaid::InDays(2), 3)),
        ("next", "week") => {
            return Some(match weekday(text(2)).or_else(|| (text(2) == "on").then(|| weekday(text(3))).flatten()) {
                Some(day) => (DaySaid::Weekday(day, Which::Next), if text(2) == "on" { 4 } else { 3 }),
                None => (DaySaid::NextWeek, 2),
            });
        }
        ("weekend" | "weekends", _) => return Some((DaySaid::Weekend, 1)),
        ("next", word) if weekday(word).is_some() => return weekday(word).map(|day| (DaySaid::Weekday(day, Which::Next), 2)),
        ("this" | "coming", word) if weekday(word).is_some() => return weekday(word).map(|day| (DaySaid::Weekday(day, Which::First), 2)),
        _ => {}
    }
    if let Some(day) = weekday(text(0)) {
        return Some(if text(1) == "next" && text(2) == "week" {
            (DaySaid::Weekday(day, Which::Next), 3)
        } else {
            (DaySaid::Weekday(day, Which::First), 1)
        });
    }
    date_at(words, at)
}

fn date_at(words: &[Word], at: usize) -> Option<(DaySaid, usize)> {
    let text = |offset: usize| words.get(at + offset).map_or("", |word| word.text.as_str());
    if let Some(month) = month(text(0)) {
        let the = usize::from(text(1) == "the");
        let (day, used) = ordinal(words, at + 1 + the).or_else(|| cardinal(words, at + 1 + the).filter(|_| the == 0))?;
        return date(month, day).map(|said| (said, 1 + the + used));
    }
    if let Some((month, day)) = text(0).split_once('/') {
        return date(month.parse().ok()?, day.split('/').next()?.parse().ok()?).map(|said| (said, 1));
    }
    day_of_month(words, at)
}

/// "The third of March", "the 10th", "on 10th of this month".
fn day_of_month(words: &[Word], at: usize) -> Option<(DaySaid, usize)> {
    let text = |at: usize| words.get(at).map_or("", |word| word.text.as_str());
    let the = usize::from(text(at) == "the");
    let (day, used) = ordinal(words, at + the).filter(|(day, _)| (1..=31).contains(day))?;
    let after = at + the + used;
    let of = usize::from(text(after) == "of");
    if let Some(month) = month(text(after + of)) {
        return date(month, day).map(|said| (said, the + used + of + 1));
    }
    let day_said = i8::try_from(day).ok().map(DaySaid::DayOfMonth)?;
    if matches!((text(after), text(after + 1), text(after + 2)), ("of", "this" | "the" | "next", "month")) {
        return Some((day_said, the + used + 3));
    }
    let noun = matches!(
        text(after),
        "one" | "floor" | "time" | "option" | "month" | "of" | "appointment" | "opening" | "apartment" | "unit" | "available"
    );
    let written = text(at + the).bytes().next().is_some_and(|byte| byte.is_ascii_digit());
    let led = matches!(text_before(words, at), "on" | "for" | "by" | "until");
    let sure = the == 1 && (day > 3 || led || written || words.len() <= 6) || written && led;
    (sure && !noun).then_some((day_said, the + used))
}

fn date(month: i8, day: u32) -> Option<DaySaid> {
    let day = i8::try_from(day).ok().filter(|day| (1..=31).contains(day))?;
    (1..=12).contains(&month).then_some(DaySaid::Date { month, day })
}

impl DaySaid {
    /// The day in the canonical form of the prompt: "tuesday", "next tuesday", "tomorrow", "march 3".
    pub fn canonical(self) -> String {
        match self {
            Self::InDays(0) => "today".to_owned(),
            Self::InDays(1) => "tomorrow".to_owned(),
            Self::InDays(_) => "day after tomorrow".to_owned(),
            Self::Weekday(day, Which::First) => weekday_name(day).to_lowercase(),
            Self::Weekday(day, Which::Next) => format!("next {}", weekday_name(day).to_lowercase()),
            Self::NextWeek => "next week".to_owned(),
            Self::Weekend => "weekend".to_owned(),
            Self::Date { month, day } => format!("{} {day}", month_name(month).to_lowercase()),
            Self::DayOfMonth(day) => format!("the {day}th"),
        }
    }

    /// The day on the calendar, seen from `today`; for a span, its first day. None when no such date exists.
    pub fn resolve(self, today: Date) -> Option<Date> {
        match self {
            Self::InDays(days) => today.checked_add(i64::from(days).days()).ok(),
            Self::Weekday(day, Which::First) => ahead(today, day, 1),
            Self::Weekday(day, Which::Next) => {
                let monday = next_monday(today)?;
                monday.checked_add(i64::from(day.since(Weekday::Monday)).days()).ok()
            }
            Self::NextWeek => next_monday(today),
            Self::Weekend => ahead(today, Weekday::Saturday, 0),
            Self::Date { month, day } => {
                let this_year = Date::new(today.year(), month, day).ok();
                this_year.filter(|date| *date >= today).or_else(|| Date::new(today.year().checked_add(1)?, month, day).ok())
            }
            Self::DayOfMonth(day) => {
                let this = Date::new(today.year(), today.month(), day).ok().filter(|date| *date >= today);
                this.or_else(|| {
                    let next = today.first_of_month().checked_add(1.months()).ok()?;
                    Date::new(next.year(), next.month(), day).ok()
                })
            }
        }
    }
}

/// The first `day` at least `least` days after `today`.
fn ahead(today: Date, day: Weekday, least: i64) -> Option<Date> {
    let from = today.checked_add(least.days()).ok()?;
    from.checked_add(i64::from(day.since(from.weekday())).days()).ok()
}

fn next_monday(today: Date) -> Option<Date> {
    ahead(today, Weekday::Monday, 1)
}

impl TimeSaid {
    /// The time in the canonical form of the prompt: "3:30 pm", "3:30", "morning".
    pub fn canonical(self) -> String {
        match self {
            Self::Part(part) => part.as_str().to_owned(),
            Self::Clock { hour, minute, half } => {
                let shown = match hour {
                    0 => 12,
                    1..=12 => hour,
                    _ => hour - 12,
                };
                let half = match half {
                    Some(Half::Am) => " am",
                    Some(Half::Pm) => " pm",
                    None => "",
                };
                format!("{shown}:{minute:02}{half}")
            }
        }
    }

    /// The times on the clock that are meant, the likelier first: without a half of the day there are two.
    pub fn candidates(self) -> Vec<Time> {
        let Self::Clock { hour, minute, half } = self else { return Vec::new() };
        let base = hour % 12;
        let hours = match half {
            _ if hour > 12 => vec![hour],
            Some(Half::Am) => vec![base],
            Some(Half::Pm) => vec![base + 12],
            None if (1..7).contains(&base) || base == 0 => vec![base + 12, base],
            None => vec![base, base + 12],
        };
        hours.into_iter().filter_map(|hour| Time::new(hour, minute, 0, 0).ok()).collect()
    }
}

/// The day that a canonical value (of a proposal) names.
pub fn parse_day(value: &str) -> Option<DaySaid> {
    find_day(&words(value)).map(|(day, _)| day)
}

/// The time that a canonical value names.
pub fn parse_time(value: &str) -> Option<TimeSaid> {
    find_time(&words(value), true).map(|(time, _)| time)
}

/// "Tuesday, November 24".
pub fn show_date(date: Date) -> String {
    format!("{}, {} {}", weekday_name(date.weekday()), month_name(date.month()), date.day())
}

/// "3:30 pm", "10 am", "noon" as "12 pm".
pub fn show_time(time: Time) -> String {
    let (hour, half) = match time.hour() {
        0 => (12, "am"),
        hour @ 1..=11 => (hour, "am"),
        12 => (12, "pm"),
        hour => (hour - 12, "pm"),
    };
    if time.minute() == 0 { format!("{hour} {half}") } else { format!("{hour}:{:02} {half}", time.minute()) }
}

/// "Tuesday, November 24 at 3:30 pm"; "today at .." and "tomorrow at .." when it is near.
pub fn show(when: DateTime, today: Date) -> String {
    format!("{} at {}", show_near(when.date(), today), show_time(when.time()))
}

/// "today", "tomorrow" or the date.
pub fn show_near(date: Date, today: Date) -> String {
    if date == today {
        "today".to_owned()
    } else if today.tomorrow().is_ok_and(|tomorrow| tomorrow == date) {
        format!("tomorrow, {}", show_date(date))
    } else {
        show_date(date)
    }
}
