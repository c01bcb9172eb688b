//! `[[route]]`: who answers what was dialled, by whom and when.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::Spanned;

use super::{Check, Depth, plain};
use crate::base::civil::{Date, Weekday};
use crate::config::agent;
use crate::config::error::Problem;
use crate::config::raw::{self, Raw};
use crate::dialogue::Agent;
use crate::route::{Action, Book, Pattern, Plan, Rule, When};

/// What stands beside the routes, to be checked against.
struct Around<'a> {
    raw: &'a Raw,
    book: &'a Book,
    folder: PathBuf,
}

/// Agents by name; none: it was tried, and its problem is told.
type Agents = BTreeMap<String, Option<Arc<Agent>>>;

impl Check<'_> {
    pub(super) fn plan(&mut self, raw: &Raw) -> (Plan, BTreeMap<String, Arc<Agent>>) {
        let book = self.book(raw);
        let folder = self.relative(raw.agents.folder.as_ref().map_or("agents", |folder| folder.get_ref()));
        if raw.route.is_empty() {
            self.problems
                .push(Problem::missing("there is no [[route]]: write one with to = \"*\" and agent = \"...\", so that somebody answers"));
        }
        let around = Around { raw, book: &book, folder };
        let mut agents = Agents::new();
        let rules = raw.route.iter().enumerate().filter_map(|(at, route)| self.rule(at, route, &around, &mut agents)).collect();
        let agents = agents.into_iter().filter_map(|(name, agent)| Some((name, agent?)));
        (Plan { book, rules }, agents.collect())
    }

    fn rule(&mut self, at: usize, written: &Spanned<raw::Route>, around: &Around<'_>, agents: &mut Agents) -> Option<Rule> {
        let raw = written.get_ref();
        let action = self.action(written, around, agents)?;
        let line = Problem::at(self.text, Some(written.span()), "").line;
        Some(Rule {
            name: raw.name.as_ref().map_or_else(|| format!("route {}", at + 1), plain),
            line,
            to: self.patterns(raw.to.as_ref(), around.book),
            from: self.patterns(raw.from.as_ref(), around.book),
            trunks: self.names(raw.trunk.as_ref(), "trunk", |name| around.raw.trunk.contains_key(name)),
            phones: self.names(raw.phone.as_ref(), "phones", |name| around.raw.phones.contains_key(name)),
            when: self.when(raw, around.book),
            action,
        })
    }

    fn action(&mut self, written: &Spanned<raw::Route>, around: &Around<'_>, agents: &mut Agents) -> Option<Action> {
        let raw = written.get_ref();
        let known = |name: &str| around.raw.people.contains_key(name);
        let outside = raw.outside.as_ref().is_some_and(|outside| *outside.get_ref());
        match (&raw.agent, &raw.people, &raw.reject, outside) {
            (Some(agent), None, None, false) => {
                if self.depth == Depth::Agents && !agents.contains_key(agent.get_ref()) {
                    let loaded = self.agent(&around.folder, agent, &around.raw.people);
                    agents.insert(plain(agent), loaded);
                }
                let people = self.names(raw.first.as_ref(), "people", known);
                Some(if people.is_empty() { Action::Agent(plain(agent)) } else { Action::First { people, agent: plain(agent) } })
            }
            (None, Some(people), None, false) => Some(Action::People(self.names(Some(people), "people", known))),
            (None, None, Some(words), false) => Some(Action::Reject { status: self.status(raw.status.as_ref()), words: plain(words) }),
            (None, None, None, true) => {
                if raw.phone.is_none() {
                    self.problem(
                        written,
                        "a [[route]] with outside = true needs phone = \"*\": only the business's own telephones are let out",
                    );
                }
                Some(Action::Outside)
            }
            _ => {
                let what = "a [[route]] needs one of agent = \"...\", people = [\"...\"], outside = true or reject = \"in words\" (to = \"*\" is everything)";
                self.problem(written, what);
                None
            }
        }
    }

    fn status(&mut self, written: Option<&Spanned<u16>>) -> u16 {
        let Some(at) = written else { return 603 };
        if ![403, 404, 433, 480, 486, 603].contains(at.get_ref()) {
            self.problem(at, "status is 403, 404, 433 (withheld number), 480, 486 or 603");
        }
        *at.get_ref()
    }

    fn patterns(&mut self, written: Option<&Spanned<raw::Texts>>, book: &Book) -> Vec<Pattern> {
        let Some(at) = written else { return Vec::new() };
        let pattern = |text: &String| match Pattern::parse(text, book.country) {
            Ok(Pattern::List(name)) if !book.lists.contains_key(&name) => {
                self.problem(at, &format!("there is no list {name:?}: write [lists] {name} = [\"+13125550142\"]"));
                None
            }
            other => other.map_err(|what| self.problem(at, &what)).ok(),
        };
        at.get_ref().all().iter().filter_map(pattern).collect()
    }

    /// Names that must be known; `*` is all of them.
    fn names(&mut self, written: Option<&Spanned<raw::Texts>>, table: &str, known: impl Fn(&str) -> bool) -> Vec<String> {
        let Some(at) = written else { return Vec::new() };
        let names = at.get_ref().all();
        for name in names.iter().filter(|name| !known(name) && (table == "people" || *name != "*")) {
            self.problem(at, &format!("there is no [{table}.{name}]"));
        }
        names.to_vec()
    }

    fn when(&mut self, raw: &raw::Route, book: &Book) -> When {
        let mut hours = |written: Option<&Spanned<String>>| {
            let name = written?;
            if !book.hours.contains_key(name.get_ref()) {
                self.problem(name, &format!("there are no hours {:?}: write [hours.{}]", name.get_ref(), name.get_ref()));
            }
            Some(plain(name))
        };
        let (open, closed) = (hours(raw.open.as_ref()), hours(raw.closed.as_ref()));
        When {
            open,
            closed,
            dates: self.dates(raw.dates.as_ref()),
            weekdays: self.weekdays(raw.weekdays.as_ref()),
            holidays: self.holiday_names(raw, book),
        }
    }

    fn dates(&mut self, written: Option<&Spanned<String>>) -> Option<RangeInclusive<Date>> {
        let text = written?;
        let (from, to) = text.get_ref().split_once("..").unwrap_or((text.get_ref(), text.get_ref()));
        let range = from.trim().parse::<Date>().ok().zip(to.trim().parse::<Date>().ok()).filter(|(from, to)| from <= to);
        if range.is_none() {
            self.problem(text, &format!("{:?} are no dates: write \"2026-12-24\" or \"2026-12-20..2027-01-06\"", text.get_ref()));
        }
        range.map(|(from, to)| from..=to)
    }

    fn weekdays(&mut self, written: Option<&Spanned<raw::Texts>>) -> Vec<Weekday> {
        let Some(at) = written else { return Vec::new() };
        let day = |text: &String| {
            let day = crate::route::weekday(text);
            if day.is_none() {
                self.problem(at, &format!("{text:?} is no day of the week: write \"monday\" or \"mon\""));
            }
            day
        };
        at.get_ref().all().iter().filter_map(day).collect()
    }

    fn holiday_names(&mut self, raw: &raw::Route, book: &Book) -> Vec<String> {
        let Some(at) = &raw.holiday else { return Vec::new() };
        let names = at.get_ref().all();
        for name in names.iter().filter(|name| *name != "*" && !book.holidays.iter().any(|holiday| holiday.name.eq_ignore_ascii_case(name)))
        {
            self.problem(at, &format!("there is no holiday {name:?}: write it under [holidays], or \"*\" for any of them"));
        }
        names.to_vec()
    }

    fn agent(&mut self, folder: &Path, name: &Spanned<String>, people: &BTreeMap<String, Spanned<raw::Person>>) -> Option<Arc<Agent>> {
        let plain_name = name.get_ref().chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_'));
        if !plain_name || name.get_ref().is_empty() {
            self.problem(name, "an agent's name has letters, digits, - and _ only: it is the name of its file");
            return None;
        }
        let file = folder.join(format!("{}.toml", name.get_ref()));
        if !file.is_file() {
            self.problem(name, &format!("there is no agent {:?}: {} does not exist", name.get_ref(), file.display()));
            return None;
        }
        let agent = agent::load(&file).map_err(|error| self.problem(name, &error.to_string())).ok()?;
        for target in agent.targets().into_iter().filter(|target| !people.contains_key(*target)) {
            self.problem(
                name,
                &format!("the agent {:?} puts callers through to {target:?}: write [people.{target}] with its uri", name.get_ref()),
            );
        }
        Some(Arc::new(agent))
    }
}
