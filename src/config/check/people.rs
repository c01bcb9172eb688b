//! `[people]`: who takes a call that wants a person.

use std::collections::BTreeMap;
use std::time::Duration;

use toml::Spanned;

use super::{Check, is_sip_uri, plain};
use crate::config::{Person, raw};

impl Check<'_> {
    pub(super) fn people(&mut self, raw: &BTreeMap<String, Spanned<raw::Person>>) -> BTreeMap<String, Person> {
        let person = |(key, at): (&String, &Spanned<raw::Person>)| {
            let raw = at.get_ref();
            let Some(uri) = &raw.uri else {
                self.problem(at, &format!("[people.{key}] needs uri = \"sip:...\": where to reach them"));
                return None;
            };
            if !is_sip_uri(uri.get_ref()) {
                self.problem(uri, &format!("{:?} is no SIP URI: write \"sip:office@192.0.2.10\"", uri.get_ref()));
            }
            let ring_s = raw.ring_s.as_ref().map_or(20, |ring| *ring.get_ref());
            if let Some(ring) = raw.ring_s.as_ref().filter(|_| !(5..=120).contains(&ring_s)) {
                self.problem(ring, "ring_s is 5 to 120 seconds: a caller waits while it rings");
            }
            let name = raw.name.as_ref().map_or_else(|| key.clone(), plain);
            Some((key.clone(), Person { name, uri: plain(uri), ring: Duration::from_secs(ring_s) }))
        };
        raw.iter().filter_map(person).collect()
    }
}
