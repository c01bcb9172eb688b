//! Ways that end and ways that open: a connection that is gone, a request too large for a datagram. RFC 3261 §18.1.1, §18.2.2, §17.1.4.

use std::net::SocketAddr;

use super::Endpoint;
use super::call::Phase;
use super::table::{Machine, TxnId};
use crate::base::{Instant, limits};
use crate::sip::message::{Message, Start, name};
use crate::sip::stream::Broken;
use crate::sip::transaction::{Client, InviteClient, Sends};
use crate::sip::wire::{Framed, frame};
use crate::sip::{Event, Flow, HostPort, Method, Offence, Peer, SipCall, Transport};

impl Endpoint {
    pub(super) fn take_broken(&mut self, now: Instant, flow: Flow, broken: &Broken) {
        self.handle_offence(now, flow, Offence::NotSip);
        if !self.lets_in(now, flow, &broken.head) {
            return;
        }
        match frame(&broken.head) {
            Ok(Framed::Message { message, .. }) if matches!(&message.start, Start::Request { method, .. } if *method != Method::Ack) => {
                self.refuse_malformed(flow, &message, broken.rule);
            }
            _ => self.counters.unreadable += 1,
        }
    }

    /// Chooses the way of a request of ours: a large one goes by TCP where we listen for it and the peer has not refused it before
    /// (RFC 3261 §18.1.1). Its Via says so then, and the way it was meant for comes back as the second.
    pub(super) fn widen(&self, flow: Flow, mut request: Message, branch: &[u8]) -> (Flow, Option<Flow>, Message) {
        let Some(port) = self.listens_for(Transport::Tcp).filter(|_| flow.transport == Transport::Udp) else {
            return (flow, None, request);
        };
        if self.without_tcp.contains(&flow.remote) || request.encode().len() <= limits::SIP_UDP_REQUEST_BYTES_MAX {
            return (flow, None, request);
        }
        let wide = Flow { transport: Transport::Tcp, local: SocketAddr::new(flow.local.ip(), port), ..flow };
        self.resign(wide, &mut request, branch);
        (wide, Some(flow), request)
    }

    /// Writes the top Via anew for another way; the branch stays.
    pub(super) fn resign(&self, flow: Flow, request: &mut Message, branch: &[u8]) {
        let via = self.via(flow, &String::from_utf8_lossy(branch));
        if let Some(top) = request.headers.iter_mut().find(|header| header.name == name::VIA) {
            top.value = via.into_bytes();
        }
    }

    pub(super) fn lose_flow(&mut self, now: Instant, flow: Flow) {
        let lost: Vec<TxnId> = self.txns.iter().filter(|(_, txn)| txn.flow.is_same_way(flow)).map(|(id, _)| *id).collect();
        for id in lost {
            let Some(txn) = self.txns.get(&id) else { continue };
            let unsent = match &txn.machine {
                Machine::InviteServer(machine) => machine.last(),
                Machine::Server(machine) => machine.last(),
                Machine::InviteClient(_) | Machine::Client(_) => {
                    self.lose_request(now, id);
                    continue;
                }
            };
            if let Some(way) = self.txns.get_mut(&id).and_then(|txn| txn.other_way.take().inspect(|way| txn.flow = *way))
                && !unsent.is_empty()
            {
                self.send(way, unsent);
            }
        }
        self.leave_flow(now, flow);
    }

    /// A request of ours could not be sent: again as a datagram where it was one, or else its end.
    fn lose_request(&mut self, now: Instant, id: TxnId) {
        let Some(txn) = self.txns.get_mut(&id) else { return };
        let (owner, method) = (txn.owner, txn.client_key().map(|(_, method)| method.clone()));
        let answered = match &txn.machine {
            Machine::InviteClient(machine) => !machine.is_waiting(),
            Machine::Client(machine) => !machine.is_waiting(),
            Machine::InviteServer(_) | Machine::Server(_) => true,
        };
        if answered {
            // What was lost is an ACK or a CANCEL: the peer asks again for the one, and does not need the other.
            return;
        }
        if let (Some(way), Some(request)) = (txn.other_way.take(), txn.request.clone()) {
            return self.send_as_datagram(now, id, way, *request);
        }
        match &mut txn.machine {
            Machine::InviteClient(machine) => machine.abandon(),
            Machine::Client(machine) => machine.abandon(),
            Machine::InviteServer(_) | Machine::Server(_) => {}
        }
        self.counters.unreachable += 1;
        self.on_no_answer(now, owner, method.as_ref(), (id, 503));
        self.rearm_txn(id);
    }

    fn send_as_datagram(&mut self, now: Instant, id: TxnId, way: Flow, mut request: Message) {
        if self.without_tcp.len() >= limits::SIP_WITHOUT_TCP_MAX {
            self.without_tcp.clear();
        }
        self.without_tcp.insert(way.remote);
        let Some((branch, _)) = self.txns.get(&id).and_then(|txn| txn.client_key()).cloned() else { return };
        self.resign(way, &mut request, &branch);
        let (bytes, mut sends) = (request.encode(), Sends::new());
        let Some(txn) = self.txns.get_mut(&id) else { return };
        txn.machine = match &txn.machine {
            Machine::InviteClient(_) => Machine::InviteClient(InviteClient::start(now, bytes, false, &mut sends)),
            _ => Machine::Client(Client::start(now, bytes, false, &mut sends)),
        };
        txn.flow = way;
        txn.request = Some(Box::new(request));
        self.flush(way, sends);
        self.rearm_txn(id);
    }

    /// A call whose address is another one now says so by its next request; whoever carries its sound offers that anew (RFC 3261 §14.1).
    pub(super) fn move_to(&mut self, peer: SocketAddr, ours: std::net::IpAddr) {
        let theirs = |flow: &Flow| flow.remote.ip() == peer.ip() && flow.local.ip() != ours && flow.local.is_ipv4() == ours.is_ipv4();
        let moved: Vec<SipCall> = self.calls.iter().filter(|(_, call)| theirs(&call.flow)).map(|(id, _)| *id).collect();
        for call in moved {
            let Some(known) = self.calls.get_mut(&call) else { continue };
            known.flow.local.set_ip(ours);
            self.tell_moved(call);
        }
    }

    /// Says of us to the peers of one block what is told here, and tells the calls there when that is news.
    pub(super) fn say_of_us(&mut self, peer: Peer, host: Option<HostPort>) {
        let there: Vec<(SipCall, Flow)> =
            self.calls.iter().filter(|(_, call)| peer.contains(call.flow.remote.ip())).map(|(id, call)| (*id, call.flow)).collect();
        let before: Vec<HostPort> = there.iter().map(|(_, flow)| self.sent_by(*flow)).collect();
        self.settings.advertised_to.retain(|(known, _)| *known != peer);
        self.settings.advertised_to.extend(host.map(|host| (peer, host)));
        for ((call, flow), before) in there.into_iter().zip(before) {
            if self.sent_by(flow).host != before.host {
                self.tell_moved(call);
            }
        }
    }

    fn tell_moved(&mut self, call: SipCall) {
        if let Some(known) = self.calls.get(&call).filter(|known| known.phase == Phase::Up && !known.told) {
            self.tell(Event::Moved { call, flow: known.flow });
        }
    }

    pub(super) fn leave_flow(&mut self, _now: Instant, flow: Flow) {
        self.lose_phones(flow);
        for txn in self.txns.values_mut().filter(|txn| txn.flow.is_same_way(flow) && txn.echo.is_some()) {
            if let Some(way) = txn.other_way.take() {
                txn.flow = way;
            }
        }
        let calls: Vec<SipCall> = self.calls.iter().filter(|(_, call)| call.flow.is_same_way(flow)).map(|(id, _)| *id).collect();
        for id in calls {
            let Some(known) = self.calls.get(&id) else { continue };
            let listens_at = self.by_the_book(flow, &known.dialog).filter(|way| !way.is_same_way(flow));
            let Some(known) = self.calls.get_mut(&id) else { continue };
            if let Some(way) = listens_at {
                known.flow = way;
                if let Some(ok) = known.ok.as_mut().filter(|ok| ok.flow.is_same_way(flow)) {
                    ok.flow = way;
                }
                if let Some(sent) = known.provisional.as_mut().filter(|sent| sent.flow.is_same_way(flow)) {
                    sent.flow = way;
                }
            }
        }
    }
}
