//! `[hours.*]`, `[holidays]`, `[lists]`, and the country: what routes refer to.

use std::collections::BTreeMap;

use toml::Spanned;

use super::{Check, plain};
use crate::base::civil::Date;
use crate::config::raw::{self, Raw};
use crate::route::{self, Book, Country, Holiday, Hours, Pattern, Yearly};

impl Check<'_> {
    pub(super) fn book(&mut self, raw: &Raw) -> Book {
        let country = self.country(&raw.business);
        let mut book = Book::of(country);
        book.outside_line = self.outside_line(&raw.business);
        book.holidays = self.holidays(&raw.holidays);
        book.hours = raw.hours.iter().map(|(name, at)| (name.clone(), self.hours(name, at.get_ref(), &book.holidays))).collect();
        book.lists = raw.lists.iter().map(|(name, texts)| (name.clone(), self.list(texts, country))).collect();
        if let Some(numbers) = &raw.emergency.numbers {
            book.emergency = self.emergency_numbers(numbers);
        }
        book
    }

    fn country(&mut self, raw: &raw::Business) -> &'static Country {
        let Some(at) = &raw.country else { return Country::usual() };
        Country::named(at.get_ref()).unwrap_or_else(|| {
            self.problem(at, &format!("{:?} is no country that we know: write one of {}", at.get_ref(), Country::codes()));
            Country::usual()
        })
    }

    fn outside_line(&mut self, raw: &raw::Business) -> String {
        let Some(text) = &raw.outside_line else { return String::new() };
        if text.get_ref().len() > 3 || !text.get_ref().bytes().all(|byte| byte.is_ascii_digit()) {
            self.problem(
                text,
                "outside_line is what your telephones dial before a number outside, such as \"9\"; leave it out if they dial nothing",
            );
        }
        plain(text)
    }

    fn holidays(&mut self, raw: &BTreeMap<String, Spanned<String>>) -> Vec<Holiday> {
        let holiday = |(name, text): (&String, &Spanned<String>)| {
            let day = Yearly::parse(text.get_ref()).map_err(|what| self.problem(text, &what)).ok()?;
            Some(Holiday { name: name.clone(), day })
        };
        raw.iter().filter_map(holiday).collect()
    }

    fn hours(&mut self, name: &str, raw: &raw::Hours, holidays: &[Holiday]) -> Hours {
        let mut hours = Hours::default();
        for (day, text) in hours.week.iter_mut().zip(raw.days()) {
            let Some(text) = text else { continue };
            *day = route::spans(text.get_ref()).map_err(|what| self.problem(text, &what)).unwrap_or_default();
        }
        if raw.holidays.unwrap_or(true) {
            hours.closed = holidays.to_vec();
        }
        for (date, text) in &raw.on {
            let Ok(date) = date.parse::<Date>() else {
                self.problem(text, &format!("[hours.{name}.on] has a date and its hours: \"2026-12-24\" = \"9:00-12:00\""));
                continue;
            };
            let spans = route::spans(text.get_ref()).map_err(|what| self.problem(text, &what)).unwrap_or_default();
            hours.exceptions.push((date, spans));
        }
        hours
    }

    fn list(&mut self, texts: &[Spanned<String>], country: &Country) -> Vec<Pattern> {
        let pattern = |text: &Spanned<String>| match Pattern::parse(text.get_ref(), country) {
            Ok(Pattern::List(_)) => {
                self.problem(text, "a list does not name another list");
                None
            }
            other => other.map_err(|what| self.problem(text, &what)).ok(),
        };
        texts.iter().filter_map(pattern).collect()
    }

    fn emergency_numbers(&mut self, texts: &[Spanned<String>]) -> Vec<String> {
        for text in texts
            .iter()
            .filter(|text| !(2..=6).contains(&text.get_ref().len()) || !text.get_ref().bytes().all(|byte| byte.is_ascii_digit()))
        {
            self.problem(text, "an emergency number is written as it is dialled: \"911\"");
        }
        texts.iter().map(plain).collect()
    }
}
