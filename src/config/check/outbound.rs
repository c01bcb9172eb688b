//! `[outbound]` and `[emergency]`: which numbers may be called, by which trunks, and under which rules agents may call anybody.

use std::collections::BTreeMap;

use toml::Spanned;

use super::{Check, plain};
use crate::config::raw::{self, Raw};
use crate::config::{NumberFormat, Outbound, Trunk};
use crate::route::{self, Book, Carrier, DialPlan, Format, Hours, Rate, Rules};

/// The hours in which people may be called unless others are named: those of 47 CFR §64.1200(c)(1).
const CALLING_HOURS: &str = "8:00-21:00";

impl Check<'_> {
    pub(super) fn dial_plan(&mut self, raw: &Raw, book: &Book, trunks: &BTreeMap<String, Trunk>) -> DialPlan {
        let outbound = raw.outbound.as_ref().map(Spanned::get_ref);
        let order = outbound.and_then(|outbound| outbound.trunks.as_deref());
        let names = order.map_or_else(|| trunks.keys().cloned().collect(), |names| self.trunk_names(names, trunks));
        let mut plan = DialPlan::shut(book.country);
        plan.carriers = names.iter().filter_map(|name| trunks.get(name)).map(carrier).collect();
        plan.allow = self.prefixes(outbound.and_then(|outbound| outbound.allow.as_deref()));
        plan.deny = self.prefixes(outbound.and_then(|outbound| outbound.deny.as_deref()));
        plan.emergency.clone_from(&book.emergency);
        let emergency = &raw.emergency;
        plan.emergency_trunks = emergency.trunks.as_deref().map(|names| self.trunk_names(names, trunks)).unwrap_or_default();
        // An emergency trunk carries emergency calls although agents and telephones do not call out by it.
        for name in plan.emergency_trunks.iter().filter(|name| !names.contains(name)) {
            plan.carriers.extend(trunks.get(name).map(carrier).map(|carrier| Carrier { serves: Vec::new(), ..carrier }));
        }
        plan.emergency_caller = emergency.caller_id.as_ref().map(plain);
        plan
    }

    pub(super) fn outbound(&mut self, raw: &Raw, book: &Book) -> Option<Outbound> {
        let raw = raw.outbound.as_ref()?.get_ref();
        let hours = match &raw.hours {
            None => every_day(CALLING_HOURS),
            Some(name) => book.hours.get(name.get_ref()).cloned().unwrap_or_else(|| {
                self.problem(name, &format!("there are no hours {:?}: write [hours.{}]", name.get_ref(), name.get_ref()));
                Hours::default()
            }),
        };
        let hours_there = match raw.zone.as_ref().map(|zone| (zone, zone.get_ref().as_str())) {
            None | Some((_, "theirs")) => true,
            Some((_, "ours")) => false,
            Some((at, _)) => {
                self.problem(at, "zone is \"theirs\" (where the number probably is) or \"ours\"");
                true
            }
        };
        let mut number = |written: Option<&Spanned<u64>>, most: u64, name: &str, usual: u32| {
            let value = self.within(written, 0..=most, name).map_or(u64::from(usual), |value| value);
            u32::try_from(value).unwrap_or(u32::MAX)
        };
        let rules = Rules {
            attempts_a_day: number(raw.attempts_a_day.as_ref(), 20, "attempts_a_day", 3),
            calls_at_once: number(raw.calls_at_once.as_ref(), 100, "calls_at_once", 2),
            cents_a_day: number(raw.cents_a_day.as_ref(), 1_000_000, "cents_a_day", 500),
            minutes_max: number(raw.minutes_max.as_ref(), 120, "minutes_max", 15),
            rates: self.rates(raw),
            hours,
        };
        let do_not_call = self.relative(raw.do_not_call.as_ref().map_or("do-not-call.txt", |file| file.get_ref()));
        Some(Outbound { rules, do_not_call, hours_there })
    }

    fn rates(&mut self, raw: &raw::Outbound) -> Vec<Rate> {
        let mut rates = vec![];
        for (prefix, cents) in &raw.cents_a_minute {
            let prefix = if prefix == "*" { String::new() } else { prefix.trim_end_matches('*').to_owned() };
            if !prefix.is_empty() && !is_prefix(&prefix) {
                self.problem(cents, "cents_a_minute has the beginnings of numbers, or \"*\" for all others: { \"+1\" = 2, \"*\" = 20 }");
            }
            let cents = self.within(Some(cents), 0..=100_000, "cents_a_minute").unwrap_or(0);
            rates.push(Rate { prefix, cents: u32::try_from(cents).unwrap_or(u32::MAX) });
        }
        // What nobody priced is assumed to be dear, so that the day's money ends before the owner's does.
        if !rates.iter().any(|rate| rate.prefix.is_empty()) {
            rates.push(Rate { prefix: String::new(), cents: 20 });
        }
        rates
    }

    fn prefixes(&mut self, texts: Option<&[Spanned<String>]>) -> Vec<String> {
        let texts = texts.unwrap_or_default();
        for text in texts.iter().filter(|text| !is_prefix(text.get_ref().trim_end_matches('*'))) {
            self.problem(text, &format!("{:?} is no beginning of a number: write \"+1\" or \"+4420\"", text.get_ref()));
        }
        texts.iter().map(|text| text.get_ref().trim_end_matches('*').to_owned()).collect()
    }

    fn trunk_names(&mut self, names: &[Spanned<String>], trunks: &BTreeMap<String, Trunk>) -> Vec<String> {
        for name in names.iter().filter(|name| !trunks.contains_key(name.get_ref())) {
            self.problem(name, &format!("there is no [trunk.{}]", name.get_ref()));
        }
        names.iter().map(plain).collect()
    }
}

fn every_day(text: &str) -> Hours {
    let spans = route::spans(text).unwrap_or_default();
    Hours { week: std::array::from_fn(|_| spans.clone()), ..Hours::default() }
}

fn is_prefix(text: &str) -> bool {
    text.strip_prefix('+')
        .is_some_and(|digits| !digits.is_empty() && digits.len() <= 15 && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

fn carrier(trunk: &Trunk) -> Carrier {
    let format = match trunk.number_format {
        NumberFormat::E164 | NumberFormat::AsWritten => Format::Plus,
        NumberFormat::E164NoPlus => Format::Digits,
        NumberFormat::National => Format::National,
    };
    Carrier { trunk: trunk.name.clone(), serves: trunk.caps.destinations.clone(), format, caller: trunk.number.clone() }
}
