//! NOTIFY in: how the call is going that our REFER asked for. RFC 3515 §2.4.4.

use super::Endpoint;
use super::call::CallTimer;
use super::inbound::Received;
use super::reply::Reply;
use super::table::TxnId;
use crate::base::Instant;
use crate::sip::message::name;
use crate::sip::{Event, SipCall, lex};

impl Endpoint {
    pub(super) fn on_notify(&mut self, now: Instant, id: TxnId, call: SipCall, received: &Received) {
        let event = lex::text(received.message.get(name::EVENT).unwrap_or_default());
        let package = event.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let Some(known) = self.calls.get_mut(&call) else { return };
        if package != "refer" {
            self.reply(now, id, Reply::refuse(489, "refer is the only package").with("Allow-Events", "refer"));
            return;
        }
        if known.refer.is_none() {
            self.reply(now, id, Reply::refuse(481, "no REFER of ours is open"));
            return;
        }
        let status = sipfrag_status(&received.message.body);
        let state = lex::text(received.message.get(name::SUBSCRIPTION_STATE).unwrap_or_default()).to_ascii_lowercase();
        let is_final = status.is_some_and(|status| status >= 200);
        let over = is_final || state.starts_with("terminated");
        if over {
            known.refer = None;
            known.timers.stop(CallTimer::ReferEnd);
        }
        let told = known.told;
        self.rearm_call(call);
        self.reply(now, id, Reply::new(200));
        if told {
            return;
        }
        if let Some(status) = status {
            self.tell(Event::ReferProgress { call, status });
        }
        if over && !is_final {
            self.tell(Event::ReferFailed { call, status: 487 });
        }
    }
}

/// The status in the first line of a message/sipfrag body (RFC 3420).
fn sipfrag_status(body: &[u8]) -> Option<u16> {
    let line = body.split(|&byte| byte == b'\n').next()?;
    let mut words = line.split(|&byte| byte == b' ').filter(|word| !word.is_empty());
    let version = words.next()?;
    let status = lex::number(words.next()?, 699).and_then(|status| u16::try_from(status).ok())?;
    (version.eq_ignore_ascii_case(b"SIP/2.0") && status >= 100).then_some(status)
}
