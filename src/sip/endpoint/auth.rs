//! Challenges to requests of ours: answered once with the credentials of the account, once more when only the nonce was too old.
//! RFC 3261 §22.2, §22.3.

use super::Endpoint;
use super::inbound::Received;
use super::table::{Owner, TxnId};
use crate::base::Instant;
use crate::sip::digest::{Answered, AuthTrouble};
use crate::sip::message::{Header, Message, Start, name};
use crate::sip::values::{NameAddr, cseq};
use crate::sip::{AccountId, Event, Flow, Method};

/// How often one request answers a challenge: to the first, and when that nonce was too old.
const ANSWERS_MAX: u8 = 2;

impl Endpoint {
    /// Whose credentials a request may use.
    pub(super) fn account_of(&self, owner: Owner) -> Option<AccountId> {
        match owner {
            Owner::Call(call) => self.calls.get(&call)?.account,
            Owner::Registration(registration) => Some(self.registering.get(&registration)?.account),
            Owner::Nobody | Owner::Probe(_) => None,
        }
    }

    /// Writes into a request what its peer has asked of the same account before, which saves the challenge.
    pub(super) fn present(&mut self, flow: Flow, owner: Owner, request: &mut Message) {
        let Some(account) = self.account_of(owner) else { return };
        let Some(wallet) = self.wallets.get_mut(&account) else { return };
        wallet.sign(flow.remote, request, &mut self.seed);
        self.keep_passes(owner, request);
    }

    /// The ACK of a 200 to this INVITE carries the same credentials (RFC 3261 §13.2.2.4).
    fn keep_passes(&mut self, owner: Owner, request: &Message) {
        let is_invite = matches!(&request.start, Start::Request { method: Method::Invite, .. });
        let Owner::Call(call) = owner else { return };
        if let Some(known) = self.calls.get_mut(&call).filter(|_| is_invite) {
            let is_pass = |header: &&Header| [name::AUTHORIZATION, name::PROXY_AUTHORIZATION].contains(&header.name.as_str());
            known.dialog.passes = request.headers.iter().filter(is_pass).cloned().collect();
        }
    }

    /// Takes a response that may be a challenge. True when the request was sent again, and the response is nobody's business any more.
    pub(super) fn answer_challenge(&mut self, now: Instant, id: TxnId, status: u16, received: &Received) -> bool {
        let Some(txn) = self.txns.get(&id) else { return false };
        let (owner, peer, answers) = (txn.owner, txn.flow.remote, txn.answers);
        let account = self.account_of(owner);
        let wallet = account.and_then(|account| self.wallets.get_mut(&account));
        if status / 100 == 2
            && let Some(wallet) = wallet
        {
            wallet.note(peer, &received.message);
            return false;
        }
        if !matches!(status, 401 | 407) || matches!(owner, Owner::Nobody | Owner::Probe(_)) || self.is_given_up(owner, id) {
            return false;
        }
        let wallet = account.and_then(|account| self.wallets.get_mut(&account));
        let answered = if answers == 0 { Answered::No } else { Answered::Yes };
        let taken = match wallet {
            Some(wallet) if answers >= ANSWERS_MAX => Err(wallet.give_up(peer, &received.message)),
            Some(wallet) => wallet.take(peer, &received.message, answered),
            None => Err(AuthTrouble::NoCredentials),
        };
        match taken {
            Ok(()) => self.send_again(now, id),
            Err(trouble) => {
                if let Owner::Registration(registration) = owner
                    && let Some(known) = self.registering.get_mut(&registration)
                {
                    known.trouble = Some(trouble.clone());
                }
                self.tell(Event::Unauthorised { account, trouble });
                false
            }
        }
    }

    /// Whether nobody wants this request any more: an INVITE that was cancelled is not sent again.
    fn is_given_up(&self, owner: Owner, id: TxnId) -> bool {
        let Owner::Call(call) = owner else { return false };
        self.calls.get(&call).is_some_and(|known| known.cancel_wanted && known.invite == Some(id))
    }

    /// The same request with credentials, the next number and a branch of its own (RFC 3261 §22.2).
    fn send_again(&mut self, now: Instant, id: TxnId) -> bool {
        let Some(txn) = self.txns.get_mut(&id) else { return false };
        let (flow, owner) = (txn.flow, txn.owner);
        let Some(mut request) = txn.request.take() else { return false };
        let Some((written, method)) = request.get(name::CSEQ).and_then(cseq) else { return false };
        let to_tag = request.get(name::TO).and_then(NameAddr::parse).and_then(|to| to.tag);
        let seq = self.next_seq(owner, id, written, to_tag.as_deref());
        if let Some(number) = request.headers.iter_mut().find(|header| header.name == name::CSEQ) {
            number.value = format!("{seq} {method}").into_bytes();
        }
        let branch = format!("z9hG4bK{}", self.fresh()).into_bytes();
        self.resign(flow, &mut request, &branch);
        self.present(flow, owner, &mut request);
        self.renew_client(now, id, *request, branch);
        let is_offer = matches!(owner, Owner::Call(call) if self.calls.get(&call).is_some_and(|known| known.invite != Some(id)));
        if is_offer {
            self.hurry(id);
        }
        true
    }

    /// The next number for a request of `owner`'s; whoever will need it for an ACK is told.
    fn next_seq(&mut self, owner: Owner, id: TxnId, written: u32, to_tag: Option<&[u8]>) -> u32 {
        match owner {
            Owner::Call(call) => {
                let Some(known) = self.calls.get_mut(&call) else { return written.saturating_add(1) };
                // A PRACK or an UPDATE may go to one of several phones that ring, each with numbers of its own.
                let Some(dialog) = known.dialog_for(to_tag) else { return written.saturating_add(1) };
                dialog.local_seq = dialog.local_seq.saturating_add(1);
                let seq = dialog.local_seq;
                if known.invite == Some(id) {
                    known.invite_seq = seq;
                }
                if let Some(offer) = known.offer.as_mut().filter(|offer| offer.txn == Some(id)) {
                    offer.seq = seq;
                }
                seq
            }
            Owner::Registration(registration) => {
                let seq = written.saturating_add(1);
                if let Some(known) = self.registering.get_mut(&registration) {
                    known.seq = seq;
                }
                seq
            }
            Owner::Nobody | Owner::Probe(_) => written.saturating_add(1),
        }
    }
}
