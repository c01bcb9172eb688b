//! The one machine that the shell drives: datagrams and commands in, datagrams and events out.
//!
//! One file for each method that comes in, one for each stage of what goes out; this one holds the doors.

mod abilities;
mod ack;
mod arrival;
mod auth;
mod bye;
mod call;
mod cancel;
mod commands;
mod early;
mod flows;
mod gate;
mod inbound;
mod info;
mod invite;
mod leave;
mod notify;
mod offer;
mod options;
mod outbound;
mod place;
mod prack;
mod progress;
mod refer;
mod register;
mod registrar;
mod replace;
mod reply;
mod responses;
mod session;
mod table;
#[cfg(test)]
mod tests;
mod timeouts;
mod update;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;

use bytes::Bytes;

use super::digest::{Credentials, Wallet};
use super::register::RegistrationId;
use super::registrar::Registrar;
use super::{AccountId, Command, Counters, Event, Flow, Invite, Output, Settings, Shield, SipCall};
use crate::base::{Instant, Seed, sha256};
use call::Call;
use register::Registering;
use table::{ClientKey, Txn, TxnId, Wake};

/// A user agent for many calls over any number of flows.
///
/// After each input the shell drains [`Endpoint::poll_output`], then waits until [`Endpoint::poll_deadline`] or the next input.
#[derive(Debug)]
pub struct Endpoint {
    settings: Settings,
    shield: Shield,
    seed: Seed,
    txns: BTreeMap<TxnId, Txn>,
    by_server_key: BTreeMap<Vec<u8>, TxnId>,
    by_client_key: BTreeMap<ClientKey, TxnId>,
    by_merge_key: BTreeMap<Vec<u8>, TxnId>,
    /// Server transactions outside of calls, by the address that opened them.
    opened_by: BTreeMap<IpAddr, usize>,
    calls: BTreeMap<SipCall, Call>,
    by_dialog: BTreeMap<(Vec<u8>, Vec<u8>), SipCall>,
    wheel: BTreeSet<(Instant, Wake)>,
    /// Our credentials, and what was asked of them.
    wallets: BTreeMap<AccountId, Wallet>,
    registering: BTreeMap<RegistrationId, Registering>,
    registrar: Option<Registrar>,
    registrar_wake: Option<Instant>,
    /// Peers that have refused a connection: large requests go to them as datagrams.
    without_tcp: BTreeSet<std::net::SocketAddr>,
    outputs: VecDeque<Output>,
    counters: Counters,
    last_id: u64,
    /// How many names were made.
    named: u64,
    inputs: usize,
    /// Whether new calls are turned away, and what their Retry-After says.
    drain: Option<u32>,
}

impl Endpoint {
    /// An endpoint without calls.
    pub fn new(settings: Settings, seed: Seed) -> Self {
        let wallets = settings.accounts.iter().map(|(account, credentials)| (*account, Wallet::new(credentials.clone()))).collect();
        let registrar = settings.phones.as_ref().map(Registrar::new);
        Self {
            shield: Shield::new(settings.strangers),
            settings,
            seed,
            txns: BTreeMap::new(),
            by_server_key: BTreeMap::new(),
            by_client_key: BTreeMap::new(),
            by_merge_key: BTreeMap::new(),
            opened_by: BTreeMap::new(),
            calls: BTreeMap::new(),
            by_dialog: BTreeMap::new(),
            wheel: BTreeSet::new(),
            wallets,
            registering: BTreeMap::new(),
            registrar,
            registrar_wake: None,
            without_tcp: BTreeSet::new(),
            outputs: VecDeque::new(),
            counters: Counters::default(),
            last_id: 0,
            named: 0,
            inputs: 0,
            drain: None,
        }
    }

    /// Takes a datagram that came over `flow`.
    pub fn handle_datagram(&mut self, now: Instant, flow: Flow, datagram: &[u8]) {
        self.take_datagram(now, flow, &Bytes::copy_from_slice(datagram));
        self.sweep();
    }

    /// Takes the head of a message after which a stream could not be read any further: a request is refused. The shell closes the connection.
    pub fn handle_broken(&mut self, now: Instant, flow: Flow, broken: &super::stream::Broken) {
        self.take_broken(now, flow, broken);
        self.sweep();
    }

    /// Nothing can be sent over `flow`: what waited to be is lost. Requests of ours go another way where there is one, and end as if 503
    /// had come where there is none (RFC 3261 §8.1.3.1, §17.1.4); answers go to where their asker listens (§18.2.2).
    pub fn handle_unreachable(&mut self, now: Instant, flow: Flow) {
        self.lose_flow(now, flow);
        self.sweep();
    }

    /// The connection is closed, with nothing waiting to be sent. What is still to be answered or sent goes another way.
    pub fn handle_closed(&mut self, now: Instant, flow: Flow) {
        self.leave_flow(now, flow);
        self.sweep();
    }

    /// Our address towards `peer` is another one now: what Via and Contact say there follows, and each call there hears [`Event::Moved`].
    pub fn handle_moved(&mut self, _now: Instant, peer: std::net::SocketAddr, ours: std::net::IpAddr) {
        self.move_to(peer, ours);
        self.sweep();
    }

    /// What Via and Contact say to the peers of one block from now on; `None` for the local address again. Each call there hears
    /// [`Event::Moved`] when that is another address.
    pub fn advertise(&mut self, peer: super::Peer, host: Option<super::HostPort>) {
        self.say_of_us(peer, host);
    }

    /// Who we are with a PBX or provider from now on; `None`: nobody.
    pub fn set_credentials(&mut self, account: AccountId, credentials: Option<Credentials>) {
        match credentials {
            Some(credentials) => self.wallets.insert(account, Wallet::new(credentials)),
            None => self.wallets.remove(&account),
        };
    }

    /// Takes an order.
    pub fn handle_command(&mut self, now: Instant, command: Command) {
        self.obey(now, command);
        self.sweep();
    }

    /// Places a call. [`Event::Progress`], [`Event::Answered`] or [`Event::Failed`] follow.
    pub fn invite(&mut self, now: Instant, invite: Invite) -> SipCall {
        let call = self.place(now, invite);
        self.sweep();
        call
    }

    /// Runs every timer that is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.run_timers(now);
        self.sweep();
    }

    /// What to do next, in order.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Endpoint::handle_timeout`] is wanted.
    pub fn poll_deadline(&self) -> Option<Instant> {
        self.wheel.first().map(|(at, _)| *at)
    }

    /// What was counted since the beginning.
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// Calls in the table, those that only wait for the answer to a BYE included.
    pub fn calls(&self) -> usize {
        self.calls.len()
    }

    /// The Call-ID of a call that is here.
    pub fn call_id(&self, call: SipCall) -> Option<String> {
        self.calls.get(&call).map(|known| super::lex::text(&known.dialog.call_id))
    }

    /// Transactions in the table.
    pub fn transactions(&self) -> usize {
        self.txns.len()
    }

    /// Replaces the list of peers that are listened to.
    pub fn set_trusted(&mut self, trusted: Vec<super::Peer>) {
        self.settings.trusted = trusted;
    }

    fn tell(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    fn send(&mut self, flow: Flow, bytes: Bytes) {
        self.outputs.push_back(Output::Send { flow, bytes });
    }

    fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// Sixteen hexadecimal digits that were never used before, as far as the seed can tell.
    fn fresh(&mut self) -> String {
        // Hashed, so that a name tells nothing of those that follow: tags and branches are what lets a message into a call.
        self.named += 1;
        let sum = sha256::of(&[&self.settings.key.expose()[..], &self.seed.next_u64().to_be_bytes(), &self.named.to_be_bytes()].concat());
        sha256::hex(sum.get(..8).unwrap_or_default())
    }

    /// In debug builds: after each input while the tables are small, now and then while they are full.
    fn sweep(&mut self) {
        self.inputs = self.inputs.wrapping_add(1);
        if cfg!(debug_assertions) && self.inputs.is_multiple_of(1 + self.txns.len() / 16) {
            self.check_invariants();
        }
    }

    /// Every index points at something that points back. Called after each input in debug builds.
    pub fn check_invariants(&self) {
        for (key, id) in &self.by_server_key {
            debug_assert!(self.txns.get(id).is_some_and(|txn| txn.server_key() == Some(key)), "a server key names its transaction");
        }
        for (key, id) in &self.by_client_key {
            debug_assert!(self.txns.get(id).is_some_and(|txn| txn.client_key() == Some(key)), "a client key names its transaction");
        }
        debug_assert_eq!(self.by_server_key.len() + self.by_client_key.len(), self.txns.len(), "every transaction has one key");
        let opened: usize = self.opened_by.values().sum();
        debug_assert!(opened <= self.by_server_key.len(), "only open transactions count against a peer");
        for (key, id) in &self.by_dialog {
            let named = self.calls.get(id).is_some_and(|call| call.dialog_key() == *key);
            debug_assert!(named, "a dialog names its call");
        }
        debug_assert_eq!(self.by_dialog.len(), self.calls.len(), "every call has one dialog");
        for (at, wake) in &self.wheel {
            let expected = match wake {
                Wake::Txn(id) => self.txns.get(id).and_then(|txn| txn.wake),
                Wake::Call(id) => self.calls.get(id).and_then(|call| call.wake),
                Wake::Registrar => self.registrar_wake,
            };
            debug_assert_eq!(expected, Some(*at), "a wake-up is somebody's");
        }
        for call in self.calls.values() {
            call.check_invariants();
        }
    }
}
