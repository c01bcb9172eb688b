//! `[[route]]`, `[hours.*]`, `[holidays]`, `[lists]`, `[emergency]` and `[outbound]` as written.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::Written;

/// One text, or several.
#[derive(Clone, Deserialize)]
#[serde(untagged, expecting = "write a text, or a list of texts")]
pub(in crate::config) enum Texts {
    One(String),
    Many(Vec<String>),
}

impl Texts {
    pub(in crate::config) fn all(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Many(texts) => texts,
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Route {
    pub(in crate::config) name: Written<String>,
    pub(in crate::config) to: Written<Texts>,
    pub(in crate::config) from: Written<Texts>,
    pub(in crate::config) trunk: Written<Texts>,
    pub(in crate::config) phone: Written<Texts>,
    pub(in crate::config) open: Written<String>,
    pub(in crate::config) closed: Written<String>,
    pub(in crate::config) dates: Written<String>,
    pub(in crate::config) weekdays: Written<Texts>,
    pub(in crate::config) holiday: Written<Texts>,
    pub(in crate::config) first: Written<Texts>,
    pub(in crate::config) agent: Written<String>,
    pub(in crate::config) people: Written<Texts>,
    pub(in crate::config) outside: Written<bool>,
    pub(in crate::config) reject: Written<String>,
    pub(in crate::config) status: Written<u16>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Hours {
    pub(in crate::config) monday: Written<String>,
    pub(in crate::config) tuesday: Written<String>,
    pub(in crate::config) wednesday: Written<String>,
    pub(in crate::config) thursday: Written<String>,
    pub(in crate::config) friday: Written<String>,
    pub(in crate::config) saturday: Written<String>,
    pub(in crate::config) sunday: Written<String>,
    pub(in crate::config) holidays: Option<bool>,
    pub(in crate::config) on: BTreeMap<String, Spanned<String>>,
}

impl Hours {
    /// Monday to Sunday.
    pub(in crate::config) fn days(&self) -> [&Written<String>; 7] {
        [&self.monday, &self.tuesday, &self.wednesday, &self.thursday, &self.friday, &self.saturday, &self.sunday]
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Emergency {
    pub(in crate::config) numbers: Option<Vec<Spanned<String>>>,
    pub(in crate::config) trunks: Option<Vec<Spanned<String>>>,
    pub(in crate::config) caller_id: Written<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Outbound {
    pub(in crate::config) trunks: Option<Vec<Spanned<String>>>,
    pub(in crate::config) allow: Option<Vec<Spanned<String>>>,
    pub(in crate::config) deny: Option<Vec<Spanned<String>>>,
    pub(in crate::config) hours: Written<String>,
    pub(in crate::config) zone: Written<String>,
    pub(in crate::config) attempts_a_day: Written<u64>,
    pub(in crate::config) calls_at_once: Written<u64>,
    pub(in crate::config) cents_a_day: Written<u64>,
    pub(in crate::config) minutes_max: Written<u64>,
    pub(in crate::config) cents_a_minute: BTreeMap<String, Spanned<u64>>,
    pub(in crate::config) do_not_call: Written<String>,
}
