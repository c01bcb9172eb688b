//! `[people]`: who takes a call that wants a person.

use std::collections::BTreeMap;
use std::time::Duration;

use toml::Spanned;

use super::trunks::TRANSFERS;
use super::{Check, is_sip_uri, plain};
use crate::base::limits::LEGS_RUNG_MAX;
use crate::call::{Briefing, Order};
use crate::config::{At, Context, Person, Reach, TransferBy, raw};
use crate::dialogue::Hours;

/// The keys of `hours`, Monday first.
const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

const ORDERS: [(&str, Order); 2] = [("together", Order::Together), ("in-turn", Order::InTurn)];

type Written = BTreeMap<String, Spanned<raw::Person>>;

impl Check<'_> {
    pub(super) fn people(&mut self, raw: &Written, phones: &BTreeMap<String, Spanned<raw::Phone>>) -> BTreeMap<String, Person> {
        let mut people = BTreeMap::new();
        for (key, at) in raw {
            let raw_person = at.get_ref();
            let Some(place) = self.place(key, at, raw) else { continue };
            self.is_known(raw_person, phones);
            let ring_s = raw_person.ring_s.as_ref().map_or(20, |ring| *ring.get_ref());
            if let Some(ring) = raw_person.ring_s.as_ref().filter(|_| !(5..=120).contains(&ring_s)) {
                self.problem(ring, "ring_s is 5 to 120 seconds: a caller waits while it rings");
            }
            let transfer: TransferBy = self.word(raw_person.transfer.as_ref(), &TRANSFERS);
            if let (TransferBy::Refer, At::One(Reach::Phone(_) | Reach::Number(_)) | At::Group { .. }, Some(text)) =
                (transfer, &place, &raw_person.transfer)
            {
                self.problem(text, "transfer = \"refer\" needs a uri that the caller's side can call itself: write \"bridge\" or \"auto\"");
            }
            let person = Person {
                name: raw_person.name.as_ref().map_or_else(|| key.clone(), plain),
                at: place,
                ring: Duration::from_secs(ring_s),
                hours: self.week(&raw_person.hours),
                briefing: if raw_person.brief.unwrap_or(true) { Briefing::Spoken } else { Briefing::None },
                transfer,
                context: raw_person.context.as_ref().map_or(Context::None, |text| self.context(text)),
            };
            people.insert(key.clone(), person);
        }
        people
    }

    /// Where the person is: exactly one of four keys says it.
    fn place(&mut self, key: &str, at: &Spanned<raw::Person>, all: &Written) -> Option<At> {
        let raw = at.get_ref();
        match (&raw.uri, &raw.phone, &raw.number, &raw.group) {
            (Some(uri), None, None, None) => {
                if !is_sip_uri(uri.get_ref()) {
                    self.problem(uri, &format!("{:?} is no SIP URI: write \"sip:office@192.0.2.10\"", uri.get_ref()));
                }
                Some(At::One(Reach::Uri(plain(uri))))
            }
            (None, Some(phone), None, None) => Some(At::One(Reach::Phone(plain(phone)))),
            (None, None, Some(number), None) => {
                let sound = number.get_ref().chars().all(|letter| letter.is_ascii_digit() || "+-() ".contains(letter));
                if !sound || number.get_ref().chars().filter(char::is_ascii_digit).count() < 3 {
                    self.problem(number, &format!("{:?} is no telephone number: write \"+13125550188\"", number.get_ref()));
                }
                Some(At::One(Reach::Number(plain(number))))
            }
            (None, None, None, Some(group)) => Some(self.group(key, at, group, all)),
            (None, None, None, None) => {
                let what = format!(
                    "[people.{key}] needs uri = \"sip:...\", phone = \"...\" (a key of [phones]), number = \"...\" or group = [...]: where to reach them"
                );
                self.problem(at, &what);
                None
            }
            _ => {
                self.problem(
                    at,
                    &format!("[people.{key}] says more than once where to reach them: keep one of uri, phone, number and group"),
                );
                None
            }
        }
    }

    fn group(&mut self, key: &str, at: &Spanned<raw::Person>, group: &[Spanned<String>], all: &Written) -> At {
        if group.is_empty() || group.len() > LEGS_RUNG_MAX {
            self.problem(at, &format!("[people.{key}] group names 1 to {LEGS_RUNG_MAX} people"));
        }
        for name in group {
            match all.get(name.get_ref()).map(Spanned::get_ref) {
                None => self.problem(name, &format!("nobody is called {:?}: write [people.{}]", name.get_ref(), name.get_ref())),
                Some(person) if person.group.is_some() => {
                    self.problem(name, &format!("{:?} is a group itself: name its people", name.get_ref()));
                }
                Some(_) => {}
            }
        }
        At::Group { people: group.iter().map(plain).collect(), order: self.word(at.get_ref().ring.as_ref(), &ORDERS) }
    }

    fn is_known(&mut self, person: &raw::Person, phones: &BTreeMap<String, Spanned<raw::Phone>>) {
        if let Some(phone) = person.phone.as_ref().filter(|phone| !phones.contains_key(phone.get_ref())) {
            self.problem(phone, &format!("no telephone is called {:?}: write [phones.{}]", phone.get_ref(), phone.get_ref()));
        }
        if let (Some(ring), None) = (&person.ring, &person.group) {
            self.problem(ring, "ring = \"together\" or \"in-turn\" belongs to a group: remove it, or write group = [...]");
        }
    }

    /// The hours of somebody's week; none where nothing is written.
    fn week(&mut self, days: &BTreeMap<String, Spanned<String>>) -> Option<Hours> {
        let mut hours = Hours::default();
        for (day, text) in days {
            let Some(place) = DAYS.iter().position(|known| known == day) else {
                self.problem(text, &format!("{day:?} is no day: write monday to sunday"));
                continue;
            };
            if text.get_ref() == "closed" {
                continue;
            }
            let span = crate::config::agent::span(text.get_ref());
            if span.is_none() {
                self.problem(text, &format!("{:?} are no hours: write \"9:00-18:00\", or \"closed\"", text.get_ref()));
            }
            if let Some(slot) = hours.week.get_mut(place) {
                *slot = span;
            }
        }
        (!days.is_empty()).then_some(hours)
    }
}
