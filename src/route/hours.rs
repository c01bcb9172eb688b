//! When the telephone is answered by whom: weekly hours, holidays, days with hours of their own.
//!
//! These are the hours of the telephone. An agent file has opening hours too ([`crate::dialogue`]): those are what callers are told and what promises are
//! counted in, one span a day. The two may differ on purpose, so they stay two types; both read a time of day with [`civil::clock_time`].

use super::Holiday;
use crate::base::civil::{self, Date, DateTime, Time, Weekday};

/// Spans that one day may have.
const SPANS_MAX: usize = 8;

/// One span of a day, the end not included. An end at or before the beginning is on the next day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// Open from.
    pub from: Time,
    /// To.
    pub to: Time,
}

/// Hours with a name.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Hours {
    /// Monday to Sunday; none is closed.
    pub week: [Vec<Span>; 7],
    /// Closed all day, whatever the week says.
    pub closed: Vec<Holiday>,
    /// Days with hours of their own, whatever week and holidays say.
    pub exceptions: Vec<(Date, Vec<Span>)>,
}

/// Open or closed, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct State {
    /// Whether it is open.
    pub open: bool,
    /// In words: "Tuesday has 9:00-18:00".
    pub why: String,
}

/// What a day's spans come from.
enum Kind<'a> {
    Week(Weekday),
    Holiday(&'a str),
    Exception(Date),
}

impl Hours {
    /// Open or closed when the wall shows `local`, and why. A span that began yesterday counts until it ends.
    pub fn at(&self, local: DateTime) -> State {
        let today = self.on(local.date());
        if let Some(span) = today.1.iter().find(|span| span.holds_today(local.time())) {
            return State { open: true, why: format!("{} has {}", today.0.told(), span.told()) };
        }
        let yesterday = local.date().yesterday().ok().map(|date| self.on(date));
        if let Some((kind, span)) =
            yesterday.and_then(|(kind, spans)| Some((kind, spans.iter().find(|span| span.holds_after(local.time()))?)))
        {
            return State { open: true, why: format!("{} has {}, into the next day", kind.told(), span.told()) };
        }
        let why = match &today {
            (Kind::Holiday(name), _) => format!("{name} is a holiday"),
            (kind, []) => format!("{} has no hours", kind.told()),
            (kind, spans) => format!("{} has {}", kind.told(), spans.iter().map(|span| span.told()).collect::<Vec<_>>().join(", ")),
        };
        State { open: false, why }
    }

    fn on(&self, date: Date) -> (Kind<'_>, &[Span]) {
        if let Some((date, spans)) = self.exceptions.iter().find(|(day, _)| *day == date) {
            return (Kind::Exception(*date), spans);
        }
        if let Some(holiday) = self.closed.iter().find(|holiday| holiday.day.is(date)) {
            return (Kind::Holiday(&holiday.name), &[]);
        }
        let at = usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or(0);
        (Kind::Week(date.weekday()), self.week.get(at).map_or(&[], Vec::as_slice))
    }
}

impl Kind<'_> {
    fn told(&self) -> String {
        match self {
            Self::Week(day) => format!("{day:?}"),
            Self::Holiday(name) => (*name).to_owned(),
            Self::Exception(date) => date.to_string(),
        }
    }
}

impl Span {
    /// Whether it goes on after midnight, or fills the day.
    fn is_long(self) -> bool {
        self.to <= self.from
    }

    fn holds_today(self, time: Time) -> bool {
        time >= self.from && (self.is_long() || time < self.to)
    }

    /// Whether it holds on the day after the one it began on.
    fn holds_after(self, time: Time) -> bool {
        self.is_long() && time < self.to
    }

    /// `9:00-18:00`.
    pub fn told(self) -> String {
        let to = if self.to == Time::midnight() { "24:00".to_owned() } else { format!("{}:{:02}", self.to.hour(), self.to.minute()) };
        format!("{}:{:02}-{to}", self.from.hour(), self.from.minute())
    }
}

/// Reads the spans of a day: `9:00-12:00, 13:00-18:00`, `18:00-02:00`, `0:00-24:00`, `closed`; in words what to write instead.
pub fn spans(text: &str) -> Result<Vec<Span>, String> {
    let wrong = || {
        format!(
            "{text:?} are no hours: write \"9:00-18:00\", \"9:00-12:00, 13:00-18:00\", \"18:00-02:00\" for past midnight, or \"closed\""
        )
    };
    if text.trim().eq_ignore_ascii_case("closed") {
        return Ok(Vec::new());
    }
    let spans: Option<Vec<Span>> = text.split(',').map(span).collect();
    let spans = spans.filter(|spans| spans.len() <= SPANS_MAX).ok_or_else(wrong)?;
    let in_order = spans.windows(2).all(|pair| matches!(pair, [one, other] if !one.is_long() && one.to <= other.from));
    if in_order { Ok(spans) } else { Err(format!("{text:?}: the spans of a day follow each other and do not overlap")) }
}

fn span(text: &str) -> Option<Span> {
    let (from, to) = text.split_once('-')?;
    let from = civil::clock_time(from)?;
    let to = if to.trim() == "24:00" { Time::midnight() } else { civil::clock_time(to)? };
    (from != to || to == Time::midnight()).then_some(Span { from, to })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::civil::Zone;
    use crate::route::Yearly;

    fn bar() -> Hours {
        let mut hours = Hours::default();
        for day in 0..5 {
            hours.week[day] = spans("11:00-14:00, 18:00-24:00").unwrap();
        }
        hours.week[4] = spans("18:00-02:30").unwrap();
        hours.week[5] = spans("18:00-02:30").unwrap();
        hours.closed.push(Holiday { name: "Christmas Day".to_owned(), day: Yearly::Each { month: 12, day: 25 } });
        hours.exceptions.push(("2026-12-24".parse().unwrap(), spans("10:00-13:00").unwrap()));
        hours
    }

    fn open(at: &str) -> bool {
        bar().at(at.parse().unwrap()).open
    }

    #[test]
    fn spans_breaks_and_midnights_are_kept() {
        assert!(open("2026-11-23T11:00") && !open("2026-11-23T14:00") && open("2026-11-23T23:59") && !open("2026-11-24T00:00"));
        // Friday's evening ends on Saturday, Saturday's on Sunday, and Sunday has none of its own.
        assert!(open("2026-11-28T02:29") && !open("2026-11-28T02:30") && open("2026-11-29T01:00") && !open("2026-11-30T01:00"));
    }

    #[test]
    fn a_holiday_closes_its_own_day_and_not_the_night_before() {
        // Christmas 2026 is a Friday: its evening is off, and with it the first hours of Saturday.
        assert!(!open("2026-12-25T19:00") && !open("2026-12-26T01:00") && open("2026-12-26T19:00"));
        assert!(open("2026-12-24T12:00") && !open("2026-12-24T19:00"));
        // In 2021 it is a Saturday: Friday's night goes on into it.
        assert!(open("2021-12-25T01:00") && !open("2021-12-25T19:00"));
    }

    #[test]
    fn the_state_says_why() {
        let why = |at: &str| bar().at(at.parse().unwrap()).why;
        assert_eq!(why("2026-11-23T12:00"), "Monday has 11:00-14:00");
        assert_eq!(why("2026-11-23T15:00"), "Monday has 11:00-14:00, 18:00-24:00");
        assert_eq!(why("2026-11-29T01:00"), "Saturday has 18:00-2:30, into the next day");
        assert_eq!(why("2026-11-29T12:00"), "Sunday has no hours");
        assert_eq!(why("2026-12-25T12:00"), "Christmas Day is a holiday");
        assert_eq!(why("2026-12-24T15:00"), "2026-12-24 has 10:00-13:00");
    }

    /// In Chicago the clocks go forward on 8 March 2026 at two, and back on 1 November 2026 at two.
    #[test]
    fn the_wall_decides_when_the_clocks_change() {
        let zone = Zone::named("America/Chicago").unwrap();
        let open_after = |from: &str, minutes: i64| {
            let from = zone.unix_millis(from.parse().unwrap());
            bar().at(zone.at(from + minutes * 60_000)).open
        };
        // Saturday 18:00 to 2:30: in spring the hour after 1:59 is 3:00, past the end; in autumn 1:30 comes twice, and both are open.
        assert!(open_after("2026-03-08T01:30", 29) && !open_after("2026-03-08T01:30", 31));
        assert!(open_after("2026-11-01T00:30", 60) && open_after("2026-11-01T00:30", 120));
        assert!(open_after("2026-11-01T00:30", 179) && !open_after("2026-11-01T00:30", 180));
    }

    #[test]
    fn wrong_hours_are_told_in_words() {
        for wrong in ["", "9-18", "25:00-26:00", "9:00-9:00", "9:00", "9:00-18:00;", "open", "9:00-12:00,"] {
            assert!(spans(wrong).unwrap_err().contains("write"), "{wrong}");
        }
        for wrong in ["9:00-12:00, 11:00-13:00", "18:00-2:00, 3:00-4:00", "13:00-14:00, 9:00-10:00"] {
            assert!(spans(wrong).unwrap_err().contains("follow each other"), "{wrong}");
        }
        assert_eq!(spans("0:00-24:00").unwrap().len(), 1);
        assert_eq!(spans("closed").unwrap(), []);
    }
}
