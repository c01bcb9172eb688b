//! Who the caller is and how to reach them: asked when it is not known, and at most twice.

use super::machine::Kernel;
use super::state::{Asked, Stage};
use crate::base::Pii;
use crate::dialogue::event::Effect;
use crate::dialogue::proposal::Source;
use crate::dialogue::slots::{Slot, SlotKey};
use crate::dialogue::wording::Key;

/// How often a name or a number is asked for before the call goes on without it.
const TRIES: u8 = 2;
/// Digits of a telephone number.
const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// Name and number as far as they are known.
pub(super) struct Reach {
    pub name: Option<Pii<String>>,
    pub phone: Option<Pii<String>>,
    shown_name: String,
    shown_phone: String,
}

impl Reach {
    /// The wording with a name or the one without.
    pub(super) fn key(&self, with: Key, without: Key) -> Key {
        if self.name.is_some() && self.phone.is_some() { with } else { without }
    }

    /// The values for a wording, with `more`.
    pub(super) fn values<'a>(&'a self, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        let mut values = vec![("name", self.shown_name.as_str()), ("phone", self.shown_phone.as_str())];
        values.extend_from_slice(more);
        values
    }
}

impl Kernel {
    pub(super) fn reach(&self) -> Reach {
        let name = self.slots.get(SlotKey::Name).map(str::to_owned);
        let phone = self.slots.get(SlotKey::Phone).map(str::to_owned);
        Reach {
            shown_name: name.clone().unwrap_or_default(),
            shown_phone: phone.as_deref().map(show_phone).unwrap_or_default(),
            name: name.map(Pii::new),
            phone: phone.map(Pii::new),
        }
    }

    /// The digits of the number that the network showed, when they are a telephone number and the caller did not decline it.
    pub(super) fn network_number(&self) -> Option<String> {
        let shown = self.facts.caller_number.as_ref()?;
        let digits: String = shown.expose().chars().filter(char::is_ascii_digit).take(16).collect();
        let only = shown.expose().chars().all(|c| c.is_ascii_digit() || "+-() .".contains(c));
        // As people say it: "+1 312 555 0188" is ten digits.
        let national = digits.strip_prefix('1').filter(|rest| rest.len() == 10).map_or(digits.clone(), str::to_owned);
        (only && DIGITS.contains(&national.len()) && !self.number_declined).then_some(national)
    }

    /// The line that the caller calls from, when the network shows a name of it instead of a number: an extension of the house, a SIP user.
    /// It can be called back, but not be read out.
    pub(super) fn network_line(&self) -> Option<String> {
        let shown = self.facts.caller_number.as_ref()?.expose().trim().to_owned();
        let hidden = ["", "anonymous", "unknown", "unavailable", "restricted"].iter().any(|word| shown.eq_ignore_ascii_case(word));
        let number = shown.chars().filter(char::is_ascii_digit).count() >= *DIGITS.start();
        (!hidden && !number && !self.number_declined).then_some(shown)
    }

    /// Asks for what is missing; true when something was asked.
    pub(super) fn ask_reach(&mut self, with_name: bool, out: &mut Vec<Effect>) -> bool {
        if with_name && !self.deaf && self.slots.get(SlotKey::Name).is_none() && self.name_tries < TRIES {
            let key = if self.name_tries == 0 { Key::AskName } else { Key::AskNameAgain };
            self.name_tries += 1;
            self.stage = Stage::Qualify;
            self.ask(Asked::Name, key, &[], out);
            return true;
        }
        if self.slots.get(SlotKey::Phone).is_some() {
            return false;
        }
        if let Some(half) = &self.half_number
            && self.phone_tries < 2 * TRIES
        {
            self.phone_tries += 1;
            let shown = spaced(half);
            self.ask(Asked::Phone, Key::AskRestOfNumber, &[("digits", &shown)], out);
            return true;
        }
        if let Some(number) = self.network_number() {
            self.stage = Stage::Qualify;
            let ending = spaced(number.get(number.len().saturating_sub(4)..).unwrap_or_default());
            self.learn(&ending);
            self.ask(Asked::CallerNumber, Key::AskCallerNumber, &[("ending", &ending)], out);
            return true;
        }
        if self.phone_tries < TRIES {
            let key = if self.phone_tries == 0 { Key::AskPhone } else { Key::AskPhoneAgain };
            self.phone_tries += 1;
            self.stage = Stage::Qualify;
            self.ask(Asked::Phone, key, &[], out);
            return true;
        }
        false
    }

    /// The caller agreed to be reached at the number that the network showed.
    pub(super) fn take_network_number(&mut self) {
        if let Some(number) = self.network_number() {
            self.learn(&show_phone(&number));
            let slot = Slot { value: Pii::new(number), source: Source::CallerId, confidence: 1.0, turn: self.turns };
            self.slots.set(SlotKey::Phone, slot);
        }
    }

    /// A telephone number; half of one is kept until its other half comes.
    pub(super) fn whole_number(&mut self, value: &str) -> Option<String> {
        let digits: String = value.chars().filter(char::is_ascii_digit).take(16).collect();
        let joined = match self.half_number.take() {
            Some(half) if !DIGITS.contains(&digits.len()) || half.len() + digits.len() == 10 && digits.len() == 7 => half + &digits,
            _ => digits,
        };
        if DIGITS.contains(&joined.len()) {
            // A leading 1 is the way out of the area, not part of the number.
            let number = if joined.len() == 11 { joined.strip_prefix('1').unwrap_or(&joined).to_owned() } else { joined };
            self.learn(&show_phone(&number));
            return Some(number);
        }
        if (2..7).contains(&joined.len()) {
            self.learn(&spaced(&joined));
            self.half_number = Some(joined);
        }
        None
    }
}

/// "555-1234", "312-555-1234", other lengths in threes.
pub(super) fn show_phone(digits: &str) -> String {
    let groups: Vec<&str> = match digits.len() {
        7 => vec![digits.get(..3).unwrap_or(""), digits.get(3..).unwrap_or("")],
        10 => vec![digits.get(..3).unwrap_or(""), digits.get(3..6).unwrap_or(""), digits.get(6..).unwrap_or("")],
        _ => (0..digits.len().div_ceil(3)).filter_map(|at| digits.get(at * 3..(at * 3 + 3).min(digits.len()))).collect(),
    };
    groups.join("-")
}

/// "4 5 6 7": digit by digit.
fn spaced(digits: &str) -> String {
    digits.chars().map(String::from).collect::<Vec<_>>().join(" ")
}
