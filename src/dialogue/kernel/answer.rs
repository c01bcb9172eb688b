//! Information: hours, homes and topics in the owner's words; what is unknown becomes an offer, never an invention.

use super::machine::Kernel;
use super::state::{Asked, Stage};
use crate::base::Pii;
use crate::dialogue::agent::Home;
use crate::dialogue::event::{Effect, SpeechAct};
use crate::dialogue::knowledge::KNOWN;
use crate::dialogue::proposal::{Intent, Proposal};
use crate::dialogue::slots::SlotKey;
use crate::dialogue::when;
use crate::dialogue::wording::Key;
use crate::dialogue::words::{plain, stem};

/// Sentences of one answer: more is a lecture on the telephone.
const ANSWER_SENTENCES: usize = 4;
/// A topic takes a question about the opening hours only when it fits this well ("is the pool open?").
const TOPIC_BEFORE_HOURS: f32 = 0.75;
/// How often a tour is offered to a caller who only asks.
const OFFERS_MAX: u8 = 2;

impl Kernel {
    pub(super) fn wants_to_know(&mut self, heard: &str, proposal: &Proposal, out: &mut Vec<Effect>) {
        let topic = proposal.slots.get(&SlotKey::Topic).map(|topic| topic.expose().clone());
        let hit = self.agent.knowledge.find(heard);
        let by_topic = topic.as_deref().and_then(|topic| self.agent.knowledge.find(topic)).filter(|hit| hit.score >= 0.9);
        let best = match (hit, by_topic) {
            (Some(hit), _) if hit.score >= KNOWN => Some(hit),
            (_, Some(topic)) => Some(topic),
            (hit, None) => hit,
        };
        let score = best.map_or(0.0, |hit| hit.score);
        let least = if proposal.intent == Intent::Hours { TOPIC_BEFORE_HOURS } else { KNOWN };
        let homes = matches!(proposal.intent, Intent::Availability | Intent::Price) && !self.agent.parts.homes.is_empty();
        // "Your office hours" is near many topics that say "office": only one whose title was said is meant instead of the hours.
        let best = best.filter(|hit| proposal.intent != Intent::Hours || names(heard, &hit.topic.title));
        let answer = best.filter(|hit| hit.score >= least).map(|hit| (hit.topic.title.clone(), hit.topic.answer.clone()));
        if let Some((title, answer)) = answer {
            self.journal("topic", &format!("{title}, score {score:.2}"), Some(proposal), out);
            for sentence in answer.iter().take(ANSWER_SENTENCES) {
                self.say_text(&SpeechAct::Inform, sentence, out);
            }
        } else if proposal.intent == Intent::Hours {
            self.tell_hours(heard, proposal, out);
        } else if homes {
            self.tell_homes(proposal, out);
        } else if proposal.intent == Intent::Greeting {
            self.misses = 0;
            return self.greet_back(out);
        } else if proposal.intent == Intent::Other && proposal.confidence < 0.5 && (plain(heard).len() < 4 || self.expects_answer()) {
            return self.missed(out);
        } else if proposal.intent == Intent::Status {
            return self.offer_callback(Key::StatusByOffice, "asks about an appointment or a request", out);
        } else if matches!(proposal.intent, Intent::GiveName | Intent::GivePhone | Intent::GiveTime | Intent::GiveAddress) {
            return self.missed(out);
        } else {
            return self.unknown(heard, proposal, out);
        }
        self.misses = 0;
        self.answered = self.answered.saturating_add(1);
        self.after_answer(out);
    }

    fn greet_back(&mut self, out: &mut Vec<Effect>) {
        if self.task.is_some() {
            return self.ask_again(out);
        }
        self.ask(Asked::Open, Key::HowHelp, &[], out);
    }

    /// After an answer: back to what was asked, or one step towards something decided.
    pub(super) fn after_answer(&mut self, out: &mut Vec<Effect>) {
        if self.task.is_some() && self.asked != Asked::Open {
            return self.ask_again(out);
        }
        self.stage = Stage::Inform;
        self.ask_next(out);
    }

    /// The next best question when no task is at hand: a tour if that makes sense, otherwise whether there is more.
    pub(super) fn ask_next(&mut self, out: &mut Vec<Effect>) {
        let bookable = self.agent.parts.bookable.as_ref().map(|bookable| bookable.resource.clone());
        match bookable {
            Some(what) if self.done.is_empty() && self.offered_booking < OFFERS_MAX && self.answered > 0 => {
                self.offered_booking += 1;
                self.ask(Asked::OfferBooking, Key::OfferBooking, &[("what", &what)], out);
            }
            _ => self.ask(Asked::Anything, Key::AnythingElse, &[], out),
        }
    }

    fn tell_hours(&mut self, heard: &str, proposal: &Proposal, out: &mut Vec<Effect>) {
        self.journal("hours", "from the hours of the business", Some(proposal), out);
        let hours = self.agent.parts.hours.clone();
        let today = self.now.date();
        let now_asked = plain(heard).iter().any(|word| matches!(word.as_str(), "now" | "still" | "tonight" | "today"));
        let day = proposal.slots.get(&SlotKey::Day).and_then(|day| when::parse_day(day.expose())).and_then(|day| day.resolve(today));
        let day = day.or(now_asked.then_some(today));
        let all = hours.describe();
        self.learn(&all);
        let Some(day) = day else { return self.say(&SpeechAct::Inform, Key::Hours, &[("hours", &all)], out) };
        let shown = when::show_near(day, today);
        self.learn(&shown);
        match hours.on(day) {
            Some(span) => {
                let span = span.describe();
                self.learn(&span);
                self.say(&SpeechAct::Inform, Key::HoursOfDay, &[("day", &shown), ("span", &span)], out);
            }
            None => self.say(&SpeechAct::Inform, Key::ClosedOn, &[("day", &shown), ("hours", &all)], out),
        }
    }

    fn tell_homes(&mut self, proposal: &Proposal, out: &mut Vec<Effect>) {
        self.journal("homes", "from the list of homes", Some(proposal), out);
        let asked = proposal.slots.get(&SlotKey::Beds).map(|beds| beds.expose().clone());
        let beds = asked.or_else(|| self.slots.get(SlotKey::Beds).map(str::to_owned)).and_then(|beds| beds.parse::<u8>().ok());
        let homes = self.agent.parts.homes.clone();
        let fitting: Vec<&Home> = homes.iter().filter(|home| beds.is_none_or(|beds| home.beds == beds)).collect();
        if let (Some(_), false, false) = (beds, fitting.is_empty(), fitting.iter().any(|home| home.free > 0)) {
            let name = fitting.first().map(|home| home.name.clone()).unwrap_or_default();
            self.say(&SpeechAct::Inform, Key::HomeNotFree, &[("home", &name)], out);
            return self.list_homes(&homes, out);
        }
        match (beds, fitting.is_empty()) {
            (Some(_), false) => {
                for home in fitting.into_iter().filter(|home| home.free > 0).take(2) {
                    self.tell_home(home, out);
                }
            }
            (Some(_), true) => {
                self.say(&SpeechAct::Inform, Key::NoSuchHome, &[], out);
                self.list_homes(&homes, out);
            }
            (None, _) => self.list_homes(&homes, out),
        }
    }

    fn tell_home(&mut self, home: &Home, out: &mut Vec<Effect>) {
        let rent = dollars(home.rent);
        self.learn(&rent);
        match home.from.filter(|from| *from > self.now.date()) {
            Some(from) => {
                let from = format!("{} {}", when::month_name(from.month()), from.day());
                self.learn(&from);
                self.say(&SpeechAct::Inform, Key::HomeFrom, &[("home", &home.name), ("rent", &rent), ("from", &from)], out);
            }
            None => self.say(&SpeechAct::Inform, Key::HomeNow, &[("home", &home.name), ("rent", &rent)], out),
        }
        if let Some(note) = &home.note {
            self.say_text(&SpeechAct::Inform, note, out);
        }
    }

    fn list_homes(&mut self, homes: &[Home], out: &mut Vec<Effect>) {
        let free: Vec<String> =
            homes.iter().filter(|home| home.free > 0).map(|home| format!("a {} for {}", home.name, dollars(home.rent))).collect();
        let Some((last, front)) = free.split_last() else { return self.say(&SpeechAct::Inform, Key::NothingToRent, &[], out) };
        let list = if front.is_empty() { last.clone() } else { format!("{} and {last}", front.join(", ")) };
        self.learn(&list);
        self.say(&SpeechAct::Inform, Key::HomesFree, &[("homes", &list)], out);
    }

    /// Not in the knowledge: nothing is made up; somebody who knows calls back.
    pub(super) fn unknown(&mut self, heard: &str, proposal: &Proposal, out: &mut Vec<Effect>) {
        self.journal("unknown", "no topic fits: a callback is offered", Some(proposal), out);
        self.misses = 0;
        self.unknown = Some(Pii::new(heard.to_owned()));
        self.ask(Asked::OfferCallback, Key::UnknownOfferCallback, &[], out);
    }

    pub(super) fn tell_bulletins(&mut self, out: &mut Vec<Effect>) {
        for text in self.bulletins.clone() {
            self.say_text(&SpeechAct::Inform, &text, out);
        }
    }
}

/// "$1,450".
fn dollars(amount: u32) -> String {
    let digits = amount.to_string();
    let mut shown = String::from("$");
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// Whether the words name the topic by its title, apart from words that every question about opening hours has.
fn names(heard: &str, title: &str) -> bool {
    let said: Vec<String> = plain(heard).iter().map(|word| stem(word)).collect();
    plain(title).iter().map(|word| stem(word)).any(|word| !["hour", "office", "open"].contains(&word.as_str()) && said.contains(&word))
}
