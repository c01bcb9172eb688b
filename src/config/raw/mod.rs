//! The configuration as written. The one folder (beside the agents') that names `toml`.

mod routes;
mod sip;

pub(in crate::config) use routes::{Emergency, Hours, Outbound, Route, Texts};
pub(in crate::config) use sip::{Phone, Sip, Tls, Trunk};

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

use crate::base::limits;
use crate::config::error::Problem;

/// A value, and where it stands.
pub(in crate::config) type Written<T> = Option<Spanned<T>>;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Raw {
    pub(in crate::config) business: Business,
    pub(in crate::config) sip: Sip,
    pub(in crate::config) media: Media,
    pub(in crate::config) http: Http,
    pub(in crate::config) store: Store,
    pub(in crate::config) engines: Engines,
    pub(in crate::config) trunk: BTreeMap<String, Spanned<Trunk>>,
    pub(in crate::config) phones: BTreeMap<String, Spanned<Phone>>,
    pub(in crate::config) people: BTreeMap<String, Spanned<Person>>,
    pub(in crate::config) agents: Agents,
    pub(in crate::config) route: Vec<Spanned<Route>>,
    pub(in crate::config) hours: BTreeMap<String, Spanned<Hours>>,
    pub(in crate::config) holidays: BTreeMap<String, Spanned<String>>,
    pub(in crate::config) lists: BTreeMap<String, Vec<Spanned<String>>>,
    pub(in crate::config) emergency: Emergency,
    pub(in crate::config) outbound: Option<Spanned<Outbound>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Business {
    pub(in crate::config) name: Written<String>,
    pub(in crate::config) time_zone: Written<String>,
    pub(in crate::config) country: Written<String>,
    pub(in crate::config) outside_line: Written<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Media {
    pub(in crate::config) address: Written<String>,
    pub(in crate::config) advertised: Written<String>,
    pub(in crate::config) ports: Written<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Http {
    pub(in crate::config) listen: Written<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Store {
    pub(in crate::config) data: Written<String>,
    pub(in crate::config) recording: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Engines {
    pub(in crate::config) pack: Written<String>,
    pub(in crate::config) models: Written<String>,
    pub(in crate::config) threads: Written<u16>,
    pub(in crate::config) phrase_cache: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Person {
    pub(in crate::config) name: Written<String>,
    pub(in crate::config) uri: Written<String>,
    pub(in crate::config) phone: Written<String>,
    pub(in crate::config) number: Written<String>,
    pub(in crate::config) group: Option<Vec<Spanned<String>>>,
    pub(in crate::config) ring: Written<String>,
    pub(in crate::config) ring_s: Written<u64>,
    pub(in crate::config) hours: BTreeMap<String, Spanned<String>>,
    pub(in crate::config) brief: Option<bool>,
    pub(in crate::config) transfer: Written<String>,
    pub(in crate::config) context: Written<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Agents {
    pub(in crate::config) folder: Written<String>,
}

/// Reads `text`, and collects what is wrong instead of stopping at the first: what could not be read is left out and read on.
pub(in crate::config) fn read(text: &str) -> (Raw, Vec<Problem>) {
    let (mut table, syntax) = DeTable::parse_recoverable(text);
    if !syntax.is_empty() {
        let problems = syntax.iter().take(limits::CONFIG_ERRORS_MAX);
        return (Raw::default(), problems.map(|error| Problem::at(text, error.span(), error.message())).collect());
    }
    let mut problems = Vec::new();
    loop {
        let error = match Raw::deserialize(Deserializer::from(table.clone())) {
            Ok(raw) => return (raw, problems),
            Err(error) => error,
        };
        problems.push(Problem::at(text, error.span(), &in_words(text, error.span(), error.message())));
        let removed = error.span().is_some_and(|span| remove(table.get_mut(), &span));
        if !removed || problems.len() >= limits::CONFIG_ERRORS_MAX {
            return (Raw::default(), problems);
        }
    }
}

/// serde's words, made to say what to do.
fn in_words(text: &str, span: Option<Range<usize>>, message: &str) -> String {
    let written = span.and_then(|span| text.get(span)).unwrap_or_default();
    match message.split_once(", expected ") {
        Some((unknown, known)) if unknown.starts_with("unknown field") => {
            let known = known.trim_start_matches("one of ").replace('`', "");
            format!("unknown key {written:?}: remove it, or write one of these: {known}")
        }
        Some((wrong, wanted)) => format!("{wrong}: write {wanted} here"),
        None => message.to_owned(),
    }
}

/// Removes the key or value at `span`, wherever it is; true when it was found.
fn remove(table: &mut DeTable<'_>, span: &Range<usize>) -> bool {
    let found = table.iter().find(|(key, value)| key.span() == *span || value.span() == *span).map(|(key, _)| key.clone());
    if let Some(key) = found {
        return table.remove(&key).is_some();
    }
    table.iter_mut().any(|(_, value)| match value.get_mut() {
        DeValue::Table(inner) => remove(inner, span),
        DeValue::Array(values) => remove_from_array(values, span),
        _ => false,
    })
}

fn remove_from_array(values: &mut toml::de::DeArray<'_>, span: &Range<usize>) -> bool {
    if values.iter().any(|value| value.span() == *span) {
        *values = std::mem::replace(values, toml::de::DeArray::new()).into_iter().filter(|value| value.span() != *span).collect();
        return true;
    }
    values.iter_mut().any(|value| match value.get_mut() {
        DeValue::Table(inner) => remove(inner, span),
        _ => false,
    })
}

/// Any other small TOML file of ours; the error is in words, with its line.
pub(in crate::config) fn parse_toml<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    toml::from_str(text).map_err(|error| {
        let problem = Problem::at(text, error.span(), error.message());
        problem.line.map_or(problem.what.clone(), |line| format!("line {line}: {}", problem.what))
    })
}
