//! Who answers: ordered rules, the first that fits. Every decision says which rules it looked at, and why each of them did not fit.

use std::ops::RangeInclusive;

use super::pattern::Party;
use super::{Book, Pattern};
use crate::base::civil::{Date, DateTime, Weekday};

/// By what a call came.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Via {
    /// A trunk or PBX, by its name.
    Trunk(String),
    /// One of the business's own telephones, registered and proven, by its name.
    Phone(String),
    /// A trusted address that has no name.
    Peer,
}

/// A call that arrives.
#[derive(Clone, Debug)]
pub struct Query<'a> {
    /// What was dialled: the user part of the Request-URI.
    pub dialled: &'a str,
    /// Who calls; empty when withheld.
    pub caller: &'a str,
    /// By what it came.
    pub via: Via,
    /// What the wall shows at the business.
    pub local: DateTime,
}

/// When a rule holds.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct When {
    /// Within these hours.
    pub open: Option<String>,
    /// Outside these hours.
    pub closed: Option<String>,
    /// On these dates.
    pub dates: Option<RangeInclusive<Date>>,
    /// On these days of the week; none is every day.
    pub weekdays: Vec<Weekday>,
    /// On these holidays, by name; `*` is any.
    pub holidays: Vec<String>,
}

/// What happens to a call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// The agent answers.
    Agent(String),
    /// People are rung first, by name; when none of them answers, the agent does.
    First {
        /// Whom to ring.
        people: Vec<String>,
        /// Who answers otherwise.
        agent: String,
    },
    /// A person or a group is rung, and nobody else.
    People(Vec<String>),
    /// A telephone of the business calls out, as far as the dial plan allows.
    Outside,
    /// The call is refused.
    Reject {
        /// With this status.
        status: u16,
        /// In these words.
        words: String,
    },
}

/// One rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule {
    /// How it is called: what was written, or "route 3".
    pub name: String,
    /// The line on which it stands.
    pub line: Option<usize>,
    /// What is dialled: one of these; none is everything.
    pub to: Vec<Pattern>,
    /// Who calls: one of these; none is everybody.
    pub from: Vec<Pattern>,
    /// Trunks that it came by; none is any way, `*` any trunk.
    pub trunks: Vec<String>,
    /// Own phones that it came from; none is any way, `*` any phone.
    pub phones: Vec<String>,
    /// When.
    pub when: When,
    /// What happens.
    pub action: Action,
}

/// What is to be done with a call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Choice {
    /// What the rule says.
    Do(Action),
    /// An emergency call: put through at once, before every rule, cap and engine. The number as the emergency trunk wants it.
    Emergency(String),
    /// No rule fits.
    Nobody,
}

/// One rule that was looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// The rule's name.
    pub rule: String,
    /// The line on which it stands.
    pub line: Option<usize>,
    /// Why it does not fit; none when it does.
    pub unfit: Option<String>,
}

/// A choice with its reasons.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decision {
    /// What is to be done.
    pub choice: Choice,
    /// Every rule that was looked at, in order; the last one is the one that fits, if any.
    pub steps: Vec<Step>,
}

/// The rules, and what they refer to.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Hours, holidays, lists.
    pub book: Book,
    /// The first that fits decides.
    pub rules: Vec<Rule>,
}

impl Plan {
    /// What to do with a call, and why.
    pub fn decide(&self, query: &Query<'_>) -> Decision {
        if let Some(number) = self.book.emergency(query.dialled) {
            return Decision { choice: Choice::Emergency(number.to_owned()), steps: Vec::new() };
        }
        let (to, from) = (self.dialled(query), Party::new(query.caller, self.book.country));
        let mut steps = Vec::new();
        for rule in &self.rules {
            let unfit = self.unfit(rule, query, &to, &from);
            let fits = unfit.is_none();
            steps.push(Step { rule: rule.name.clone(), line: rule.line, unfit });
            if fits {
                return Decision { choice: Choice::Do(rule.action.clone()), steps };
            }
        }
        Decision { choice: Choice::Nobody, steps }
    }

    fn dialled(&self, query: &Query<'_>) -> Party {
        let inside = matches!(query.via, Via::Phone(_)).then(|| self.book.read_from_inside(query.dialled));
        match inside {
            Some(super::Dialled::Number(number)) => Party::new(number.as_str(), self.book.country),
            _ => Party::new(query.dialled, self.book.country),
        }
    }

    /// Why a rule does not fit, in words; none when it does.
    fn unfit(&self, rule: &Rule, query: &Query<'_>, to: &Party, from: &Party) -> Option<String> {
        let like = |patterns: &[Pattern], party: &Party| {
            patterns.is_empty() || patterns.iter().any(|pattern| pattern.fits(party, &self.book.lists))
        };
        let told = |patterns: &[Pattern]| patterns.iter().map(Pattern::told).collect::<Vec<_>>().join(" or ");
        if !like(&rule.to, to) {
            return Some(format!("it is for {}, and {} was dialled", told(&rule.to), to.told()));
        }
        if !like(&rule.from, from) {
            return Some(format!("it is for callers {}, and {} calls", told(&rule.from), from.told()));
        }
        way_unfit(rule, &query.via).or_else(|| self.time_unfit(&rule.when, query.local))
    }

    fn time_unfit(&self, when: &When, local: DateTime) -> Option<String> {
        let date = local.date();
        if let Some(dates) = when.dates.as_ref().filter(|dates| !dates.contains(&date)) {
            return Some(format!("it is for {} to {}, and today is {date}", dates.start(), dates.end()));
        }
        if !when.weekdays.is_empty() && !when.weekdays.contains(&date.weekday()) {
            let days: Vec<String> = when.weekdays.iter().map(|day| format!("{day:?}")).collect();
            return Some(format!("it is for {}, and today is {:?}", days.join(" or "), date.weekday()));
        }
        if !when.holidays.is_empty() && !self.is_holiday(&when.holidays, date) {
            let which = if when.holidays.iter().any(|name| name == "*") { "holidays".to_owned() } else { when.holidays.join(" or ") };
            return Some(format!("it is for {which}, and {date} is none"));
        }
        for (name, wanted) in [(&when.open, true), (&when.closed, false)] {
            let Some(name) = name else { continue };
            let Some(hours) = self.book.hours.get(name) else { return Some(format!("there are no hours called {name:?}")) };
            let state = hours.at(local);
            if state.open != wanted {
                let (asked, is) = if wanted { ("open", "closed") } else { ("closed", "open") };
                return Some(format!("it is for when {name:?} is {asked}, and it is {is}: {}", state.why));
            }
        }
        None
    }

    fn is_holiday(&self, names: &[String], date: Date) -> bool {
        let wanted = |holiday: &&super::Holiday| names.iter().any(|name| name == "*" || name.eq_ignore_ascii_case(&holiday.name));
        self.book.holidays.iter().filter(wanted).any(|holiday| holiday.day.is(date))
    }
}

fn way_unfit(rule: &Rule, via: &Via) -> Option<String> {
    // Only who has proven to be the business's own may be let out, whatever a rule forgot to say.
    if rule.action == Action::Outside && !matches!(via, Via::Phone(_)) {
        return Some(format!("it leads outside, which is for the business's own phones, and the call came {}", via.told()));
    }
    if rule.trunks.is_empty() && rule.phones.is_empty() {
        return None;
    }
    let named = |names: &[String], own: &str| names.iter().any(|name| name == "*" || name == own);
    let fits = match via {
        Via::Trunk(name) => named(&rule.trunks, name),
        Via::Phone(name) => named(&rule.phones, name),
        Via::Peer => false,
    };
    let trunks = rule.trunks.iter().map(|name| if name == "*" { "any trunk".to_owned() } else { format!("trunk {name:?}") });
    let phones = rule.phones.iter().map(|name| if name == "*" { "any own phone".to_owned() } else { format!("phone {name:?}") });
    let wanted: Vec<String> = trunks.chain(phones).collect();
    (!fits).then(|| format!("it is for calls by {}, and this one came {}", wanted.join(" or "), via.told()))
}

impl Via {
    /// In words: "by trunk ..", "from phone ..".
    pub fn told(&self) -> String {
        match self {
            Self::Trunk(name) => format!("by trunk {name:?}"),
            Self::Phone(name) => format!("from phone {name:?}"),
            Self::Peer => "from a trusted address without a name".to_owned(),
        }
    }
}

impl Rule {
    /// Its name, and what it is for.
    pub fn told(&self) -> String {
        let to: Vec<String> = self.to.iter().map(Pattern::told).collect();
        let to = if to.is_empty() { "*".to_owned() } else { to.join(", ") };
        format!("{} ({to})", self.name)
    }
}

impl Action {
    /// In words.
    pub fn told(&self) -> String {
        match self {
            Self::Agent(agent) => format!("the agent {agent:?} answers"),
            Self::First { people, agent } => format!("{} rings first; if nobody answers, the agent {agent:?} does", people.join(", ")),
            Self::People(people) => format!("{} rings", people.join(", ")),
            Self::Outside => "the call goes out, as far as the dial plan allows".to_owned(),
            Self::Reject { status, words } => format!("the call is refused with {status}: {words}"),
        }
    }
}

impl Decision {
    /// The rule that decided.
    pub fn rule(&self) -> Option<&str> {
        self.steps.last().filter(|step| step.unfit.is_none()).map(|step| step.rule.as_str())
    }

    /// What is to be done, in words.
    pub fn told(&self) -> String {
        match &self.choice {
            Choice::Do(action) => action.told(),
            Choice::Emergency(number) => format!("emergency call to {number}: put through at once, before every rule"),
            Choice::Nobody => "nobody answers: no rule fits, and the caller gets 404".to_owned(),
        }
    }

    /// The reasons, one line each.
    pub fn lines(&self) -> Vec<String> {
        let place = |line: Option<usize>| line.map_or_else(String::new, |line| format!(" (line {line})"));
        let told = |step: &Step| match &step.unfit {
            Some(why) => format!("{}{} does not fit: {why}", step.rule, place(step.line)),
            None => format!("{}{} fits", step.rule, place(step.line)),
        };
        self.steps.iter().map(told).collect()
    }
}
