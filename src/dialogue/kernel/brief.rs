//! What a person is told before they take a caller: who calls, what about, and what was done. Made of the typed state alone, never of a transcript.

use super::machine::Kernel;
use super::reach::show_phone;
use crate::base::Pii;
use crate::dialogue::slots::SlotKey;
use crate::dialogue::when;
use crate::dialogue::wording::Key;

/// Characters of what the call is about: a person who was rung has little patience.
const ABOUT_CHARS_MAX: usize = 160;

/// What is known of a caller who is put through.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Brief {
    /// As they gave it.
    pub name: Option<Pii<String>>,
    /// Digits, as they gave them or as the network showed them.
    pub phone: Option<Pii<String>>,
    /// What the call is about.
    pub about: Option<Pii<String>>,
    /// What was done, each with its receipt.
    pub done: Vec<String>,
    /// The words for the person, keys and all.
    pub spoken: Pii<String>,
}

impl Kernel {
    /// What is known of the caller now.
    pub fn brief(&self) -> Brief {
        let name = self.slots.get(SlotKey::Name).map(str::to_owned);
        let phone = self.slots.get(SlotKey::Phone).map(str::to_owned).or_else(|| self.network_number());
        let about = self.about();
        let done: Vec<String> = self.done.iter().map(|done| self.deed(&done.receipt.kind, done.start)).collect();
        let mut said = vec![self.render(Key::BriefOpen, &[("business", &self.agent.parts.business)])];
        let shown = phone.as_deref().map(show_phone);
        let who = [name.clone(), shown].into_iter().flatten().collect::<Vec<_>>().join(", ");
        if !who.is_empty() {
            said.push(self.render(Key::BriefWho, &[("who", &who)]));
        }
        if let Some(about) = &about {
            said.push(self.render(Key::BriefAbout, &[("about", about)]));
        }
        if !done.is_empty() {
            said.push(self.render(Key::BriefDone, &[("done", &done.join(", "))]));
        }
        said.push(self.render(Key::BriefKeys, &[]));
        Brief { name: name.map(Pii::new), phone: phone.map(Pii::new), about: about.map(Pii::new), done, spoken: Pii::new(said.join(" ")) }
    }

    fn render(&self, key: Key, values: &[(&str, &str)]) -> String {
        self.agent.wording.render(key, values)
    }

    fn about(&self) -> Option<String> {
        let told = self.unknown.clone().or_else(|| self.matter()).map(Pii::into_inner);
        let slot = |key| self.slots.get(key).map(str::to_owned);
        let about = told.or_else(|| slot(SlotKey::Problem)).or_else(|| slot(SlotKey::Service)).or_else(|| slot(SlotKey::Topic))?;
        let unit = slot(SlotKey::Unit).map(|unit| format!(", unit {unit}")).unwrap_or_default();
        let plain: String = about.trim().trim_end_matches(['.', '!', '?']).chars().take(ABOUT_CHARS_MAX).collect();
        (!plain.is_empty()).then(|| plain + &unit)
    }

    fn deed(&self, kind: &str, start: Option<crate::base::civil::DateTime>) -> String {
        let what = self.agent.parts.bookable.as_ref().map_or("appointment", |bookable| bookable.resource.as_str());
        match (kind, start) {
            ("booking", Some(start)) => format!("a {what} was booked for {}", when::show(start, self.now.date())),
            ("booking", None) => format!("a {what} was booked"),
            ("cancellation", _) => format!("a {what} was cancelled"),
            ("request", _) => "a request is on record".to_owned(),
            ("callback", _) => "a callback was promised".to_owned(),
            _ => format!("a {kind} is on record"),
        }
    }
}
