//! The calls in progress, for those who look.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::sip::SipCall;

/// A call in progress, for those who look.
#[derive(Clone, Debug, serde::Serialize)]
pub struct InProgress {
    /// Its name.
    pub call_id: String,
    /// When it arrived, in milliseconds since the Unix epoch.
    pub started_ms: i64,
    /// What was dialled.
    pub to: String,
    /// Who answers.
    pub agent: String,
}

/// The calls in progress; clones share the list.
#[derive(Clone, Default)]
pub struct Roll(Arc<Mutex<HashMap<SipCall, InProgress>>>);

impl Roll {
    /// All of them, the oldest first.
    pub fn all(&self) -> Vec<InProgress> {
        let mut all: Vec<InProgress> = self.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        all.sort_by_key(|call| call.started_ms);
        all
    }

    /// The signalling's names of them.
    pub fn sip_calls(&self) -> Vec<SipCall> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn enter(&self, call: SipCall, entry: InProgress) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(call, entry);
    }

    /// Another SIP call has taken the place of this one.
    pub(super) fn rename(&self, call: SipCall, by: SipCall) {
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = calls.remove(&call) {
            calls.insert(by, entry);
        }
    }

    pub(super) fn leave(&self, call: SipCall) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&call);
    }
}
