//! One call in the place of another. RFC 3891.

use super::Endpoint;
use super::call::Phase;
use super::reply::Reply;
use crate::base::Instant;
use crate::sip::message::{Message, name};
use crate::sip::{EndCause, Replaces, SipCall, lex};

impl Replaces {
    /// Reads `call-id;to-tag=1;from-tag=2;early-only` (RFC 3891 §6.1).
    pub(super) fn parse(value: &[u8]) -> Option<Self> {
        let end = lex::find(value, b';').ok()?.unwrap_or(value.len());
        let call_id = lex::trim(value.get(..end)?);
        let params = lex::params(value.get(end..)?)?;
        let tag = |name| lex::param_value(&params, name).map(lex::text);
        let sound = !call_id.is_empty() && !call_id.iter().any(u8::is_ascii_whitespace);
        let (to_tag, from_tag) = (tag("to-tag")?, tag("from-tag")?);
        sound.then(|| Self { call_id: lex::text(call_id), to_tag, from_tag, is_early_only: lex::has_param(&params, "early-only") })
    }

    /// As a header's value; `None` where a part is no word.
    pub(super) fn header(&self) -> Option<String> {
        let Self { call_id, to_tag, from_tag, is_early_only } = self;
        let sound = |word: &String| {
            !word.is_empty()
                && !word.contains(|letter: char| letter.is_whitespace() || letter.is_control() || matches!(letter, ';' | ',' | '"'))
        };
        let early = if *is_early_only { ";early-only" } else { "" };
        [call_id, to_tag, from_tag].into_iter().all(sound).then(|| format!("{call_id};to-tag={to_tag};from-tag={from_tag}{early}"))
    }
}

impl Endpoint {
    /// The call of ours that this names, seen from our end. The tag `0` stands for none (RFC 3891 §6.1).
    pub(super) fn call_named(&self, replaces: &Replaces) -> Option<SipCall> {
        let call = *self.by_dialog.get(&(replaces.call_id.as_bytes().to_vec(), replaces.to_tag.as_bytes().to_vec()))?;
        let known = self.calls.get(&call)?;
        let early = known.early.iter().filter_map(|early| early.dialog.remote_tag.as_ref());
        let mut tags = known.dialog.remote_tag.iter().chain(early);
        tags.any(|tag| tag == replaces.from_tag.as_bytes() || (tag.is_empty() && replaces.from_tag == "0")).then_some(call)
    }

    /// RFC 3891 §3: which call of ours an INVITE shall take the place of, or why it cannot.
    pub(super) fn replaced_by(&self, invite: &Message) -> Result<Option<SipCall>, Reply> {
        let Some(value) = invite.get(name::REPLACES) else { return Ok(None) };
        let Some(replaces) = Replaces::parse(value) else {
            return Err(Reply::refuse(400, "RFC 3891 6.1: Replaces is a Call-ID, a to-tag and a from-tag"));
        };
        let named = self.call_named(&replaces).and_then(|call| self.calls.get(&call).map(|known| (call, known)));
        match named {
            None => Err(Reply::refuse(481, "RFC 3891 3: no such call is here to be replaced")),
            Some((_, known)) if known.phase == Phase::Incoming => {
                Err(Reply::refuse(481, "RFC 3891 3: a call that rings here was not begun here"))
            }
            Some((_, known)) if known.told => Err(Reply::refuse(603, "RFC 3891 3: that call has ended")),
            Some((_, known)) if known.phase == Phase::Up && replaces.is_early_only => {
                Err(Reply::refuse(486, "RFC 3891 3: that call is answered already"))
            }
            Some((call, _)) => Ok(Some(call)),
        }
    }

    /// The new call is answered: the old one ends.
    pub(super) fn give_way(&mut self, now: Instant, old: SipCall, by: SipCall) {
        match self.calls.get(&old).map(|known| known.phase) {
            Some(Phase::Up) => self.leave(now, old, EndCause::Replaced { by }),
            Some(Phase::Calling) => self.cancel(now, old),
            _ => {}
        }
    }
}
