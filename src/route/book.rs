//! What rules refer to by name: hours, holidays, lists of numbers, and the country in which all of it is meant.

use std::collections::BTreeMap;

use super::{Country, Dialled, Holiday, Hours, Pattern};

/// What rules refer to by name.
#[derive(Clone, Debug)]
pub struct Book {
    /// How numbers are dialled here.
    pub country: &'static Country,
    /// Hours by name.
    pub hours: BTreeMap<String, Hours>,
    /// Holidays by name.
    pub holidays: Vec<Holiday>,
    /// Lists of callers or numbers by name.
    pub lists: BTreeMap<String, Vec<Pattern>>,
    /// What the business's own phones dial for an outside line, if anything.
    pub outside_line: String,
    /// Emergency numbers as dialled.
    pub emergency: Vec<String>,
}

impl Book {
    /// A book of `country`, with its emergency numbers and nothing else.
    pub fn of(country: &'static Country) -> Self {
        Self {
            country,
            hours: BTreeMap::new(),
            holidays: Vec::new(),
            lists: BTreeMap::new(),
            outside_line: String::new(),
            emergency: country.emergency.iter().map(|&number| number.to_owned()).collect(),
        }
    }

    /// The emergency number that was dialled, if it was one: as it is, after the outside line's digit (47 CFR §9.16 wants it without, people dial
    /// it with), behind the calling code that a PBX put before it, or as the service's own name (RFC 5031).
    pub fn emergency(&self, dialled: &str) -> Option<&str> {
        let lower = dialled.trim().to_lowercase();
        if lower == "sos" || lower.starts_with("urn:service:sos") {
            return self.emergency.first().map(String::as_str);
        }
        let plain = super::number::plain(&lower)?;
        let digits = plain.trim_start_matches('+');
        // People who come from a larger office dial a 9 first although nobody told them to.
        let first = self.emergency.first();
        let after_nine =
            digits.strip_prefix('9').filter(|rest| first.is_some_and(|number| number == rest)).filter(|_| self.outside_line.is_empty());
        let after_line = digits.strip_prefix(self.outside_line.as_str()).filter(|_| !self.outside_line.is_empty());
        let spelt = [Some(digits), digits.strip_prefix(self.country.calling), after_nine, after_line];
        let is = |number: &&String| spelt.contains(&Some(number.as_str()));
        self.emergency.iter().find(is).map(String::as_str)
    }

    /// What a phone of the business means by what it dialled: without the outside line's digit.
    pub fn read_from_inside(&self, dialled: &str) -> Dialled {
        let inside = self.country.read(dialled);
        let outside = super::number::plain(dialled)
            .filter(|_| !self.outside_line.is_empty())
            .and_then(|plain| plain.strip_prefix(self.outside_line.as_str()).map(|rest| self.country.read(rest)));
        match (inside, outside) {
            // With the digit it is a number, without it it was none.
            (Dialled::Short(_), Some(Dialled::Number(number))) => Dialled::Number(number),
            (inside, _) => inside,
        }
    }
}
