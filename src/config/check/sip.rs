//! `[sip]`: listeners, who may call, certificates.

use std::net::{Ipv4Addr, SocketAddr};

use toml::Spanned;

use super::{Check, plain};
use crate::config::error::Problem;
use crate::config::{Listener, Network, Sip, Tls, raw};
use crate::sip::digest::Offered;
use crate::sip::{Strangers, Transport};

/// What our own telephones are asked for.
const DIGESTS: [(&str, Offered); 3] = [("both", Offered::Both), ("md5", Offered::Md5), ("sha-256", Offered::Sha256)];

impl Check<'_> {
    pub(super) fn sip(&mut self, raw: &raw::Sip) -> Sip {
        let listen = raw.listen.iter().flatten().filter_map(|text| {
            let listener = listener(text.get_ref());
            listener.map_err(|what| self.problem(text, &what)).ok()
        });
        let mut listen: Vec<_> = listen.collect();
        if raw.listen.is_none() {
            listen.push(Listener { transport: Transport::Udp, address: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 5060)) });
        } else if listen.is_empty() {
            self.problems.push(Problem::missing("[sip] listen is empty: write at least one, such as listen = [\"udp:0.0.0.0:5060\"]"));
        }
        if raw.trusted.is_none() {
            self.problems.push(Problem::missing("[sip] needs trusted = [...]: the addresses that may call in, such as your PBX or trunk"));
        }
        let user_agent = raw.user_agent.as_ref().map_or_else(|| concat!("Nightbell/", env!("CARGO_PKG_VERSION")).to_owned(), plain);
        let realm = raw.realm.as_ref().map_or_else(|| "nightbell".to_owned(), plain);
        for (key, text) in [("user_agent", &user_agent), ("realm", &realm)] {
            if text.chars().any(|letter| letter.is_control() || letter == '"' || letter == '\\') {
                self.problems.push(Problem::missing(&format!("[sip] {key} is one line of plain text, without quotes")));
            }
        }
        let tls = raw.tls.as_ref().and_then(|at| self.tls(at));
        if let (None, Some(text)) = (&raw.tls, raw.listen.iter().flatten().find(|text| text.get_ref().starts_with("tls:"))) {
            self.problem(text, "a tls: listener needs [sip.tls] with certificate = \"...\" and key = \"...\"");
        }
        let (trusted, phones_from) = (self.networks(raw.trusted.as_deref()), self.networks(raw.phones.as_deref()));
        let (strangers, advertised) = (self.strangers(raw.strangers.as_ref()), self.address(raw.advertised.as_ref()));
        Sip {
            listen,
            trusted,
            phones_from,
            strangers,
            advertised,
            user_agent,
            realm,
            digest: self.word(raw.digest.as_ref(), &DIGESTS),
            tls,
        }
    }

    fn strangers(&mut self, text: Option<&Spanned<String>>) -> Strangers {
        match text.map(|text| (text, text.get_ref().as_str())) {
            None | Some((_, "silence")) => Strangers::Silence,
            Some((_, "refuse")) => Strangers::Refuse,
            Some((text, _)) => {
                self.problem(text, "strangers is \"silence\" (they get no answer at all) or \"refuse\" (the same 403 whatever they ask)");
                Strangers::Silence
            }
        }
    }

    fn tls(&mut self, at: &Spanned<raw::Tls>) -> Option<Tls> {
        let raw = at.get_ref();
        let (Some(certificate), Some(key)) = (&raw.certificate, &raw.key) else {
            self.problem(at, "[sip.tls] needs certificate = \"...\" and key = \"...\": PEM files");
            return None;
        };
        let mut file = |text: &Spanned<String>| {
            let path = self.relative(text.get_ref());
            if !path.is_file() {
                self.problem(text, &format!("{} does not exist: write the path of a PEM file", path.display()));
            }
            path
        };
        let (certificate, key) = (file(certificate), file(key));
        let (client_ca, ca) = (raw.client_ca.as_ref().map(&mut file), raw.ca.as_ref().map(&mut file));
        Some(Tls { certificate, key, client_ca, ca })
    }

    pub(super) fn networks(&mut self, texts: Option<&[Spanned<String>]>) -> Vec<Network> {
        let network = |text: &Spanned<String>| {
            let network = Network::parse(text.get_ref());
            if network.is_none() {
                self.problem(text, &format!("{:?} is no address or network: write \"192.0.2.10\" or \"192.0.2.0/24\"", text.get_ref()));
            }
            network
        };
        texts.unwrap_or_default().iter().filter_map(network).collect()
    }
}

/// `udp:0.0.0.0:5060`, or without `udp:`; `tcp:` and `tls:` likewise.
pub(in crate::config) fn listener(text: &str) -> Result<Listener, String> {
    let named = text.split_once(':').and_then(|(name, rest)| Some((Transport::named(name)?, rest)));
    let (transport, address) = named.unwrap_or((Transport::Udp, text));
    if ["ws:", "wss:"].iter().any(|other| text.starts_with(other)) {
        return Err(format!("{text:?}: calls arrive over UDP, TCP or TLS: write \"tls:ADDRESS:PORT\""));
    }
    let address = address.parse();
    let address = address.map_err(|_| format!("{text:?} is no listener: write \"udp:ADDRESS:PORT\", such as \"udp:0.0.0.0:5060\""))?;
    Ok(Listener { transport, address })
}
