//! Where the business's own telephones are reached now.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use crate::config::Config;
use crate::sip::{Event, PhoneContact};

/// Every telephone of the configuration, and its places; clones share them.
#[derive(Clone, Default)]
pub struct PhoneBook(Arc<Mutex<BTreeMap<String, Vec<PhoneContact>>>>);

impl PhoneBook {
    /// The telephones of `config`, none of them registered.
    pub fn new(config: &Config) -> Self {
        Self(Arc::new(Mutex::new(config.phones.keys().map(|phone| (phone.clone(), Vec::new())).collect())))
    }

    /// Takes what concerns telephones.
    pub fn tell(&self, event: &Event) {
        match event {
            Event::PhoneRegistered { phone, contact } => {
                let mut all = self.lock();
                let places = all.entry(phone.clone()).or_default();
                if !places.contains(contact) {
                    tracing::info!(phone, at = %contact.flow.remote, "a telephone has registered");
                    places.push(contact.clone());
                }
            }
            Event::PhoneGone { phone, contact } => {
                tracing::info!(phone, at = %contact.flow.remote, "a telephone is gone");
                self.lock().entry(phone.clone()).or_default().retain(|known| known != contact);
            }
            _ => {}
        }
    }

    /// Where `phone` is reached: all of these ring. Empty when it is not registered.
    pub fn contacts(&self, phone: &str) -> Vec<PhoneContact> {
        self.lock().get(phone).cloned().unwrap_or_default()
    }

    /// Every telephone as `nightbell status` shows it.
    pub fn status(&self) -> Value {
        let all = self.lock();
        let shown = |places: &Vec<PhoneContact>| {
            let at: Vec<String> = places.iter().map(|place| format!("{}:{}", place.flow.transport, place.flow.remote)).collect();
            json!({ "state": if at.is_empty() { "not registered" } else { "registered" }, "at": at })
        };
        Value::Object(all.iter().map(|(phone, places)| (phone.clone(), shown(places))).collect())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Vec<PhoneContact>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
