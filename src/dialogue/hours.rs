//! Opening hours, and what they make of "within two working hours".

use serde::{Deserialize, Serialize};

use super::when;
use crate::base::civil::{Date, DateTime, Time, ToSpan, Weekday};

/// One span of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Open from.
    pub from: Time,
    /// To (exclusive).
    pub to: Time,
}

/// Opening hours of a week, Monday first; `None` is closed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    /// Monday to Sunday.
    pub week: [Option<Span>; 7],
}

/// How far ahead an opening is searched: a fortnight holds every weekly rhythm.
const SEARCH_DAYS: i64 = 14;

impl Hours {
    /// The span of `date`.
    pub fn on(&self, date: Date) -> Option<Span> {
        self.of(date.weekday())
    }

    /// The span of a weekday.
    pub fn of(&self, day: Weekday) -> Option<Span> {
        usize::try_from(day.to_monday_zero_offset()).ok().and_then(|at| self.week.get(at).copied()).flatten()
    }

    /// Whether `now` lies inside.
    pub fn open_at(&self, now: DateTime) -> bool {
        self.on(now.date()).is_some_and(|span| (span.from..span.to).contains(&now.time()))
    }

    /// The next opening after `now`, within a fortnight.
    pub fn next_opening(&self, now: DateTime) -> Option<DateTime> {
        (0..=SEARCH_DAYS).find_map(|days| {
            let date = now.date().checked_add(days.days()).ok()?;
            let opening = date.to_datetime(self.on(date)?.from);
            (opening > now).then_some(opening)
        })
    }

    /// The time when `minutes` of opening hours have passed since `now`; without any opening hours, of plain time.
    pub fn after_working(&self, now: DateTime, minutes: u32) -> DateTime {
        let mut left = i64::from(minutes);
        for days in 0..=SEARCH_DAYS {
            let Ok(date) = now.date().checked_add(days.days()) else { break };
            let Some(span) = self.on(date) else { continue };
            let from = if days == 0 { span.from.max(now.time()) } else { span.from };
            let open = minutes_between(from, span.to);
            if open <= 0 {
                continue;
            }
            if left <= open {
                return round_up(date.to_datetime(from).checked_add(left.minutes()).unwrap_or(now));
            }
            left -= open;
        }
        now.checked_add(i64::from(minutes).minutes()).unwrap_or(now)
    }

    /// "Monday to Friday from 9 am to 6 pm, and Saturday from 10 am to 4 pm".
    pub fn describe(&self) -> String {
        let days =
            [Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday, Weekday::Saturday, Weekday::Sunday];
        let mut groups: Vec<(Weekday, Weekday, Span)> = Vec::new();
        for day in days {
            let Some(span) = self.of(day) else { continue };
            match groups.last_mut() {
                Some((_, last, same)) if *same == span && last.next() == day => *last = day,
                _ => groups.push((day, day, span)),
            }
        }
        let told: Vec<String> = groups
            .into_iter()
            .map(|(first, last, span)| {
                let days = if first == last {
                    when::weekday_name(first).to_owned()
                } else if first.next() == last {
                    format!("{} and {}", when::weekday_name(first), when::weekday_name(last))
                } else {
                    format!("{} to {}", when::weekday_name(first), when::weekday_name(last))
                };
                format!("{days} {}", span.describe())
            })
            .collect();
        match told.split_last() {
            Some((last, front)) if !front.is_empty() => format!("{}, and {last}", front.join(", ")),
            Some((last, _)) => last.clone(),
            None => String::new(),
        }
    }
}

impl Span {
    /// "from 9 am to 6 pm".
    pub fn describe(self) -> String {
        format!("from {} to {}", when::show_time(self.from), when::show_time(self.to))
    }
}

fn minutes_between(from: Time, to: Time) -> i64 {
    (i64::from(to.hour()) - i64::from(from.hour())) * 60 + i64::from(to.minute()) - i64::from(from.minute())
}

/// The next five minutes: "by 11:37" is no promise that people make.
fn round_up(at: DateTime) -> DateTime {
    let over = i64::from(at.minute()) % 5;
    let whole = at.with().second(0).subsec_nanosecond(0).build().unwrap_or(at);
    if over == 0 { whole } else { whole.checked_add((5 - over).minutes()).unwrap_or(whole) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn office() -> Hours {
        let time = |hour| Time::new(hour, 0, 0, 0).unwrap();
        let week = Some(Span { from: time(9), to: time(18) });
        Hours { week: [week, week, week, week, week, Some(Span { from: time(10), to: time(16) }), None] }
    }

    #[test]
    fn working_minutes_skip_the_night_and_the_day_of_rest() {
        let at = |text: &str| text.parse::<DateTime>().unwrap();
        assert_eq!(office().after_working(at("2026-11-21T15:00"), 120), at("2026-11-23T10:00"));
        assert_eq!(office().after_working(at("2026-11-23T11:32:40"), 60), at("2026-11-23T12:35"));
        assert_eq!(Hours::default().after_working(at("2026-11-23T11:30"), 60), at("2026-11-23T12:30"));
        assert_eq!(office().next_opening(at("2026-11-21T17:00")), Some(at("2026-11-23T09:00")));
    }

    #[test]
    fn a_week_is_told_in_groups() {
        assert_eq!(office().describe(), "Monday to Friday from 9 am to 6 pm, and Saturday from 10 am to 4 pm");
    }
}
