//! The table of transactions and the wheel of wake-ups.

use std::net::IpAddr;

use bytes::Bytes;

use super::Endpoint;
use super::reply::Echo;
use crate::base::{Instant, limits};
use crate::sip::message::Message;
use crate::sip::register::RegistrationId;
use crate::sip::timer::TimerKind;
use crate::sip::transaction::{Client, InviteClient, InviteServer, Sends, Server, Timer, Verdict, Woke};
use crate::sip::{Flow, Method, Probe, SipCall};

/// A place in the table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct TxnId(u64);

/// What names a request of ours in its responses: the branch and the method (RFC 3261 §17.1.3).
pub(super) type ClientKey = (Vec<u8>, Method);

/// Who wants to be woken.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Wake {
    Txn(TxnId),
    Call(SipCall),
    /// A Contact of a telephone ends.
    Registrar,
}

/// Whose a transaction is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Owner {
    Nobody,
    Call(SipCall),
    Probe(Probe),
    Registration(RegistrationId),
}

#[derive(Debug)]
pub(super) enum Machine {
    InviteClient(InviteClient),
    Client(Client),
    InviteServer(InviteServer),
    Server(Server),
}

#[derive(Debug)]
enum Key {
    Client(ClientKey),
    Server(Vec<u8>),
}

#[derive(Debug)]
pub(super) struct Txn {
    pub(super) machine: Machine,
    pub(super) flow: Flow,
    /// The way to try when `flow` is gone: for our answer where its asker listens, for our large request the datagrams it was meant for.
    pub(super) other_way: Option<Flow>,
    pub(super) owner: Owner,
    /// What a response repeats of the request; server transactions alone.
    pub(super) echo: Option<Box<Echo>>,
    /// The INVITE, for its ACK and CANCEL, and any request that has another way; client transactions alone.
    pub(super) request: Option<Box<Message>>,
    pub(super) wake: Option<Instant>,
    /// How often this request has answered a challenge; client transactions alone.
    pub(super) answers: u8,
    key: Key,
    merge_key: Option<Vec<u8>>,
    /// The address that it counts against.
    counts: Option<IpAddr>,
}

impl Txn {
    pub(super) const fn server_key(&self) -> Option<&Vec<u8>> {
        match &self.key {
            Key::Server(key) => Some(key),
            Key::Client(_) => None,
        }
    }

    pub(super) const fn client_key(&self) -> Option<&ClientKey> {
        match &self.key {
            Key::Client(key) => Some(key),
            Key::Server(_) => None,
        }
    }

    pub(super) fn is_proceeding(&self) -> bool {
        match &self.machine {
            Machine::InviteServer(machine) => machine.is_proceeding(),
            Machine::Server(machine) => machine.is_proceeding(),
            Machine::InviteClient(machine) => machine.is_proceeding(),
            Machine::Client(machine) => !machine.is_over(),
        }
    }

    fn is_over(&self) -> bool {
        match &self.machine {
            Machine::InviteServer(machine) => machine.is_over(),
            Machine::Server(machine) => machine.is_over(),
            Machine::InviteClient(machine) => machine.is_over(),
            Machine::Client(machine) => machine.is_over(),
        }
    }

    const fn timers(&mut self) -> &mut crate::sip::transaction::Timers {
        match &mut self.machine {
            Machine::InviteServer(machine) => machine.timers(),
            Machine::Server(machine) => machine.timers(),
            Machine::InviteClient(machine) => machine.timers(),
            Machine::Client(machine) => machine.timers(),
        }
    }

    fn on_timer(&mut self, now: Instant, timer: Timer, out: &mut Sends) -> Woke {
        match &mut self.machine {
            Machine::InviteServer(machine) => machine.on_timer(now, timer, out),
            Machine::Server(machine) => machine.on_timer(timer),
            Machine::InviteClient(machine) => machine.on_timer(now, timer, out),
            Machine::Client(machine) => machine.on_timer(now, timer, out),
        }
    }
}

/// What a new server transaction is known by.
pub(super) struct Opened {
    pub(super) method: Method,
    pub(super) key: Vec<u8>,
    pub(super) merge_key: Option<Vec<u8>>,
    pub(super) echo: Echo,
    /// The address that it counts against; none within a call.
    pub(super) counts: Option<IpAddr>,
    pub(super) fallback: Flow,
}

impl Endpoint {
    /// Whether a request has room. The last eighth of the table is for calls that are up, so that they can still end.
    pub(super) fn has_room(&self, in_dialog: bool) -> bool {
        let max = limits::SIP_TRANSACTIONS_MAX;
        self.txns.len() < if in_dialog { max } else { max - max / 8 }
    }

    /// Whether this address may open another transaction outside of calls: nobody takes the room of all.
    pub(super) fn has_share(&self, address: IpAddr) -> bool {
        self.opened_by.get(&address).is_none_or(|opened| *opened < limits::SIP_TRANSACTIONS_A_PEER_MAX)
    }

    /// A server transaction for a request that has just come.
    pub(super) fn open_server(&mut self, flow: Flow, opened: Opened) -> TxnId {
        let id = TxnId(self.next_id());
        let reliable = flow.transport.is_reliable();
        let machine = match opened.method {
            Method::Invite => Machine::InviteServer(InviteServer::start(reliable)),
            _ => Machine::Server(Server::start(reliable)),
        };
        self.by_server_key.insert(opened.key.clone(), id);
        if let Some(merge_key) = &opened.merge_key {
            self.by_merge_key.insert(merge_key.clone(), id);
        }
        let echo = Some(Box::new(opened.echo));
        let (key, merge_key, counts) = (Key::Server(opened.key), opened.merge_key, opened.counts);
        if let Some(address) = counts {
            *self.opened_by.entry(address).or_default() += 1;
        }
        let other_way = Some(opened.fallback).filter(|fallback| flow.transport.is_reliable() && *fallback != flow);
        let (owner, request, wake) = (Owner::Nobody, None, None);
        self.txns.insert(id, Txn { machine, flow, other_way, owner, echo, request, wake, answers: 0, key, merge_key, counts });
        id
    }

    /// Sends a request of ours in a transaction of its own.
    pub(super) fn open_client(&mut self, now: Instant, flow: Flow, owner: Owner, mut request: Message, branch: Vec<u8>) -> TxnId {
        let id = TxnId(self.next_id());
        self.present(flow, owner, &mut request);
        self.start_client(now, id, (flow, owner, 0), request, branch);
        id
    }

    /// Sends the request of a transaction again, under a new branch, as the same transaction to whoever holds its name. What is left of the old
    /// one, the repeats of its response, is nobody's.
    pub(super) fn renew_client(&mut self, now: Instant, id: TxnId, request: Message, branch: Vec<u8>) {
        let Some(txn) = self.txns.remove(&id) else { return };
        rewind(&mut self.wheel, Wake::Txn(id), txn.wake, None);
        let (flow, owner, answers, other_way) = (txn.flow, txn.owner, txn.answers, txn.other_way);
        let old = TxnId(self.next_id());
        if let Some(key) = txn.client_key() {
            self.by_client_key.insert(key.clone(), old);
        }
        self.txns.insert(old, Txn { owner: Owner::Nobody, request: None, other_way: None, wake: None, ..txn });
        self.rearm_txn(old);
        self.start_client(now, id, (flow, owner, answers + 1), request, branch);
        if let Some(txn) = self.txns.get_mut(&id) {
            txn.other_way = txn.other_way.or(other_way);
        }
    }

    fn start_client(&mut self, now: Instant, id: TxnId, (flow, owner, answers): (Flow, Owner, u8), request: Message, branch: Vec<u8>) {
        let (flow, other_way, request) = self.widen(flow, request, &branch);
        let (bytes, reliable) = (request.encode(), flow.transport.is_reliable());
        let method = match &request.start {
            crate::sip::message::Start::Request { method, .. } => method.clone(),
            crate::sip::message::Start::Response { .. } => Method::Options,
        };
        let mut sends = Sends::new();
        let keeps_request = method == Method::Invite || other_way.is_some() || self.account_of(owner).is_some();
        let machine = if method == Method::Invite {
            Machine::InviteClient(InviteClient::start(now, bytes, reliable, &mut sends))
        } else {
            Machine::Client(Client::start(now, bytes, reliable, &mut sends))
        };
        let request = keeps_request.then(|| Box::new(request));
        let key = (branch, method);
        self.by_client_key.insert(key.clone(), id);
        let key = Key::Client(key);
        self.txns.insert(
            id,
            Txn { machine, flow, other_way, owner, echo: None, request, wake: None, answers, key, merge_key: None, counts: None },
        );
        self.flush(flow, sends);
        self.rearm_txn(id);
    }

    /// Makes an INVITE of ours give up after 64 T1 in any case.
    pub(super) fn hurry(&mut self, id: TxnId) {
        if let Some(Machine::InviteClient(machine)) = self.txns.get_mut(&id).map(|txn| &mut txn.machine) {
            machine.hurry();
        }
    }

    pub(super) fn flush(&mut self, flow: Flow, sends: Sends) {
        for bytes in sends {
            self.send(flow, bytes);
        }
    }

    /// Answers through a server transaction.
    pub(super) fn respond(&mut self, now: Instant, id: TxnId, status: u16, bytes: Bytes) {
        let Some(txn) = self.txns.get_mut(&id) else { return };
        let (mut sends, flow) = (Sends::new(), txn.flow);
        match &mut txn.machine {
            Machine::InviteServer(machine) => machine.respond(now, status, bytes, &mut sends),
            Machine::Server(machine) => machine.respond(now, status, bytes, &mut sends),
            Machine::InviteClient(_) | Machine::Client(_) => {}
        }
        self.flush(flow, sends);
        self.rearm_txn(id);
    }

    /// A request has come again over another connection of its sender: the one before is gone, and answers go over this one (RFC 3261 §18.2.2).
    pub(super) fn follow(&mut self, id: TxnId, flow: Flow) {
        let Some(txn) = self.txns.get_mut(&id).filter(|_| flow.transport.is_reliable()) else { return };
        if txn.flow.transport == flow.transport && txn.flow.remote.ip() == flow.remote.ip() {
            txn.flow = flow;
        }
    }

    /// A request has come again, or the ACK of a refusal has come.
    pub(super) fn on_known_request(&mut self, now: Instant, id: TxnId, method: &Method) -> Verdict {
        let Some(txn) = self.txns.get_mut(&id) else { return Verdict::Absorb };
        let (mut sends, flow) = (Sends::new(), txn.flow);
        let verdict = match (&mut txn.machine, method) {
            (Machine::InviteServer(machine), Method::Ack) => machine.on_ack(now),
            (Machine::InviteServer(machine), _) => {
                machine.on_repeat(&mut sends);
                Verdict::Absorb
            }
            (Machine::Server(machine), _) => {
                machine.on_repeat(&mut sends);
                Verdict::Absorb
            }
            _ => Verdict::Absorb,
        };
        self.flush(flow, sends);
        self.rearm_txn(id);
        verdict
    }

    /// Runs the timers of one transaction; true when it has given up.
    pub(super) fn wake_txn(&mut self, now: Instant, id: TxnId) -> bool {
        let Some(txn) = self.txns.get_mut(&id) else { return false };
        let (mut sends, flow, mut gave_up) = (Sends::new(), txn.flow, false);
        while let Some(timer) = txn.timers().pop_due(now) {
            gave_up |= txn.on_timer(now, timer, &mut sends) == Woke::TimedOut;
        }
        self.flush(flow, sends);
        gave_up
    }

    /// Brings the wheel up to date with a transaction, and forgets one that is over.
    pub(super) fn rearm_txn(&mut self, id: TxnId) {
        let Some(txn) = self.txns.get_mut(&id) else { return };
        let next = if txn.is_over() { None } else { txn.timers().next() };
        let before = std::mem::replace(&mut txn.wake, next);
        let over = txn.is_over();
        rewind(&mut self.wheel, Wake::Txn(id), before, next);
        if over {
            self.forget_txn(id);
        }
    }

    /// Brings the wheel up to date with a call.
    pub(super) fn rearm_call(&mut self, id: SipCall) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let next = call.timers.next();
        let before = std::mem::replace(&mut call.wake, next);
        rewind(&mut self.wheel, Wake::Call(id), before, next);
    }

    /// Forgets a call; what it left open is answered, and its transactions end by themselves.
    pub(super) fn forget_call(&mut self, now: Instant, id: SipCall) {
        self.close_open(now, id);
        let Some(call) = self.calls.remove(&id) else { return };
        self.by_dialog.remove(&call.dialog_key());
        rewind(&mut self.wheel, Wake::Call(id), call.wake, None);
    }

    fn forget_txn(&mut self, id: TxnId) {
        let Some(txn) = self.txns.remove(&id) else { return };
        match txn.key {
            Key::Client(key) => self.by_client_key.remove(&key),
            Key::Server(key) => self.by_server_key.remove(&key),
        };
        if let Some(address) = txn.counts
            && let Some(opened) = self.opened_by.get_mut(&address)
        {
            *opened = opened.saturating_sub(1);
            if *opened == 0 {
                self.opened_by.remove(&address);
            }
        }
        if let Some(merge_key) = txn.merge_key
            && self.by_merge_key.get(&merge_key) == Some(&id)
        {
            self.by_merge_key.remove(&merge_key);
        }
    }
}

pub(super) fn rewind(wheel: &mut std::collections::BTreeSet<(Instant, Wake)>, wake: Wake, before: Option<Instant>, next: Option<Instant>) {
    if before == next {
        return;
    }
    if let Some(at) = before {
        wheel.remove(&(at, wake));
    }
    if let Some(at) = next {
        wheel.insert((at, wake));
    }
}

const _: () = assert!(Timer::ALL.len() == 12);
