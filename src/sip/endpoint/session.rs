//! Session timers: a call whose other end has vanished ends by itself. RFC 4028.

use std::time::Duration;

use super::Endpoint;
use super::abilities::{self, Abilities, Bears};
use super::call::{Call, CallTimer, Means, Offer, Phase, Purpose};
use super::inbound::Received;
use super::reply::Reply;
use crate::base::{Instant, limits};
use crate::sip::message::{Message, name};
use crate::sip::{EndCause, Flow, Reason, SipCall, lex};

/// The longest session timer that is believed.
const LONGEST_S: u32 = 86_400;

/// When a refresh that did not fit, or was refused, is tried again.
const AGAIN: Duration = Duration::from_secs(10);

/// Headers to add to a message.
pub(super) type Headers = Vec<(&'static str, String)>;

/// The timer of one call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Session {
    pub(super) interval_s: u32,
    pub(super) we_refresh: bool,
}

/// What a request says of session timers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Ask {
    interval_s: Option<u32>,
    /// Whether its sender shall refresh; `None` leaves it to us.
    sender_refreshes: Option<bool>,
    min_s: u32,
    keeps_time: bool,
}

impl Ask {
    pub(super) fn of(message: &Message) -> Self {
        let (interval_s, sender_refreshes) = stated(message).map_or((None, None), |(interval, refresher)| (Some(interval), refresher));
        Self { interval_s, sender_refreshes, min_s: min_se(message), keeps_time: Abilities::of(message).keeps_time }
    }
}

/// `1800;refresher=uac`
fn stated(message: &Message) -> Option<(u32, Option<bool>)> {
    let value = message.get(name::SESSION_EXPIRES)?;
    let end = lex::find(value, b';').ok()?.unwrap_or(value.len());
    let interval = u32::try_from(lex::number(value.get(..end)?, u64::from(u32::MAX))?).ok()?;
    let params = lex::params(value.get(end..)?)?;
    let refresher = lex::param_value(&params, "refresher").and_then(|who| match who.to_ascii_lowercase().as_slice() {
        b"uac" => Some(true),
        b"uas" => Some(false),
        _ => None,
    });
    Some((interval.min(LONGEST_S), refresher))
}

fn min_se(message: &Message) -> u32 {
    let value = message.get(name::MIN_SE).unwrap_or_default();
    let digits = value.split(|&byte| byte == b';').next().unwrap_or_default();
    lex::number(digits, u64::from(LONGEST_S)).and_then(|seconds| u32::try_from(seconds).ok()).unwrap_or(0)
}

impl Call {
    /// Starts the clock of a session, or stops it.
    fn keep_time(&mut self, now: Instant, session: Option<Session>) {
        self.session = session;
        self.timers.stop(CallTimer::Refresh);
        self.timers.stop(CallTimer::SessionEnd);
        let Some(session) = session.filter(|_| self.phase == Phase::Up) else { return };
        let seconds = |count: u32| Duration::from_secs(u64::from(count));
        if session.we_refresh {
            self.timers.set(CallTimer::Refresh, now + seconds(session.interval_s / 2));
        }
        // RFC 4028 §10: a little before the end, so that the BYE finds the dialog on the proxies.
        let early = (session.interval_s / 3).min(32);
        self.timers.set(CallTimer::SessionEnd, now + seconds(session.interval_s - early));
    }
}

impl Endpoint {
    pub(super) fn bears_timers(&self, flow: Flow) -> bool {
        !self.settings.no_session_timers.iter().any(|peer| peer.contains(flow.remote.ip()))
    }

    /// How this peer bears reliable provisional responses.
    pub(super) fn bears_reliable(&self, flow: Flow) -> Bears {
        let stumbles = self.settings.no_reliable.iter().any(|peer| peer.contains(flow.remote.ip()));
        if stumbles { Bears::Badly } else { Bears::Well }
    }

    /// What Supported says to this peer.
    pub(super) fn supported(&self, flow: Flow) -> &'static str {
        abilities::supported(if self.bears_timers(flow) { Bears::Well } else { Bears::Badly }, self.bears_reliable(flow))
    }

    /// RFC 4028 §9: an interval below ours is refused, where its sender can raise it.
    pub(super) fn screen_session(&self, received: &Received) -> Result<(), Reply> {
        let ask = Ask::of(&received.message);
        let least = self.settings.session_min_s.max(limits::SIP_SESSION_MIN_S);
        let too_short = ask.keeps_time && ask.interval_s.is_some_and(|interval| interval < least);
        if too_short && self.bears_timers(received.flow) {
            return Err(Reply::refuse(422, "RFC 4028 9: the session timer is too short").with(name::MIN_SE, least.to_string()));
        }
        Ok(())
    }

    /// RFC 4028 §9: what our 2xx grants. The clock starts with it.
    pub(super) fn grant_session(&mut self, now: Instant, call: SipCall, ask: Ask) -> Headers {
        let Some(flow) = self.calls.get(&call).map(|known| known.flow) else { return Vec::new() };
        let wanted = ask.keeps_time || ask.interval_s.is_some();
        let granted = (wanted && self.bears_timers(flow)).then(|| {
            let interval_s = ask.interval_s.unwrap_or(self.settings.session_expires_s).max(ask.min_s).max(limits::SIP_SESSION_MIN_S);
            let sender_refreshes = ask.keeps_time && ask.sender_refreshes.unwrap_or(true);
            Session { interval_s, we_refresh: !sender_refreshes }
        });
        if let Some(known) = self.calls.get_mut(&call) {
            known.min_se_s = known.min_se_s.max(ask.min_s);
            known.keep_time(now, granted);
        }
        self.rearm_call(call);
        let Some(session) = granted else { return Vec::new() };
        let who = if session.we_refresh { "uas" } else { "uac" };
        let mut headers = vec![(name::SESSION_EXPIRES, format!("{};refresher={who}", session.interval_s))];
        if !session.we_refresh {
            headers.push((name::REQUIRE, "timer".to_owned()));
        }
        headers
    }

    /// RFC 4028 §7.1, §7.4: what a request of ours asks for; who refreshes stays the same.
    pub(super) fn ask_session(&self, call: SipCall) -> Headers {
        let Some(known) = self.calls.get(&call).filter(|known| self.bears_timers(known.flow)) else { return Vec::new() };
        let value = match (known.session, known.session_wanted_s) {
            (Some(session), _) => {
                let who = if session.we_refresh { "uac" } else { "uas" };
                format!("{};refresher={who}", session.interval_s.max(known.min_se_s))
            }
            (None, Some(wanted)) => wanted.max(known.min_se_s).max(limits::SIP_SESSION_MIN_S).to_string(),
            (None, None) => return Vec::new(),
        };
        let least = known.min_se_s.max(self.settings.session_min_s);
        let mut headers = vec![(name::SESSION_EXPIRES, value)];
        if least > limits::SIP_SESSION_MIN_S {
            headers.push((name::MIN_SE, least.to_string()));
        }
        headers
    }

    /// RFC 4028 §7.2: what the peer's 2xx grants.
    pub(super) fn learn_session(&mut self, now: Instant, call: SipCall, response: &Message) {
        let bears = self.calls.get(&call).is_some_and(|known| self.bears_timers(known.flow));
        let granted = stated(response).filter(|_| bears).map(|(interval, we_refresh)| Session {
            interval_s: interval.max(limits::SIP_SESSION_MIN_S),
            we_refresh: we_refresh.unwrap_or(true),
        });
        if let Some(known) = self.calls.get_mut(&call) {
            known.keep_time(now, granted);
        }
        self.rearm_call(call);
    }

    /// RFC 4028 §7.3: the peer wants a longer interval; false where it says none, or none that is new.
    pub(super) fn raise_interval(&mut self, call: SipCall, response: &Message) -> bool {
        let least = min_se(response);
        let Some(known) = self.calls.get_mut(&call).filter(|known| least > known.min_se_s) else { return false };
        known.min_se_s = least;
        true
    }

    /// Half of the interval is over: UPDATE where the peer takes it, or else our last description again (RFC 4028 §10).
    pub(super) fn refresh_session(&mut self, now: Instant, call: SipCall) {
        let Some(known) = self.calls.get_mut(&call).filter(|known| known.phase == Phase::Up && known.session.is_some()) else { return };
        if known.is_exchanging() {
            known.timers.set(CallTimer::Refresh, now + AGAIN);
            return self.rearm_call(call);
        }
        let (by, sdp) = if known.abilities.takes_update { (Means::Update, None) } else { (Means::Invite, known.last_sdp.clone()) };
        self.send_offer(now, call, Offer { txn: None, seq: 0, sdp, crossings: 0, by, purpose: Purpose::Refresh, fork: None });
    }

    /// A refresh was refused: once more before the session ends.
    pub(super) fn refresh_later(&mut self, now: Instant, call: SipCall) {
        if let Some(known) = self.calls.get_mut(&call).filter(|known| known.phase == Phase::Up && known.session.is_some()) {
            known.timers.set(CallTimer::Refresh, now + AGAIN);
        }
        self.rearm_call(call);
    }

    /// Nobody has refreshed (RFC 4028 §10).
    pub(super) fn end_session(&mut self, now: Instant, call: SipCall) {
        let Some(known) = self.calls.get_mut(&call).filter(|known| known.phase == Phase::Up) else { return };
        known.reason = Some(Reason::sip(408, "the session was not refreshed"));
        self.counters.timeouts += 1;
        self.leave(now, call, EndCause::Timeout);
    }
}
