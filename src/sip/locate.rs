//! Which servers a URI means, over which transport, and in which order they are tried. RFC 3263 §4, RFC 2782.

use std::net::{IpAddr, SocketAddr};

use super::{Transport, Uri};
use crate::base::Seed;

/// What is looked for.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Sought {
    /// A name or an address.
    pub host: String,
    /// The port, where the URI has one.
    pub port: Option<u16>,
    /// The transport, where the URI names one.
    pub transport: Option<Transport>,
    /// `sips:` wants TLS all the way.
    pub secure: bool,
}

/// A NAPTR record (RFC 3403 §4.1), as far as SIP uses it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Naptr {
    /// Lower ones first.
    pub order: u16,
    /// Lower ones first among the same order.
    pub preference: u16,
    /// `s`: SRV comes next.
    pub flags: String,
    /// `SIP+D2U` and the like.
    pub service: String,
    /// Where SRV is asked.
    pub replacement: String,
}

/// An SRV record (RFC 2782).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Srv {
    /// Lower ones first.
    pub priority: u16,
    /// The share among the same priority.
    pub weight: u16,
    /// The port.
    pub port: u16,
    /// The host.
    pub target: String,
}

/// What the name service is asked first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FirstStep {
    /// Nothing: the URI has an address.
    Known(Transport, SocketAddr),
    /// The addresses of the host.
    Hosts(Transport, u16),
    /// SRV, for one transport.
    Service(Transport),
    /// NAPTR.
    Naptr,
}

impl Sought {
    /// What a `sip:` or `sips:` URI asks for; none for another scheme, or where it names a transport that does not exist here.
    pub fn of(uri: &Uri) -> Option<Self> {
        let secure = match uri.scheme.as_str() {
            "sip" => false,
            "sips" => true,
            _ => return None,
        };
        let named = match uri.params.iter().find(|(name, _)| name == "transport") {
            Some((_, value)) => Some(Transport::named(value.as_deref()?)?),
            None => None,
        };
        // TCP in a sips URI is TLS over it (RFC 3261 §26.2.2).
        let transport = if secure { named.filter(|named| *named != Transport::Udp).map(|_| Transport::Tls) } else { named };
        let maddr = uri.params.iter().find(|(name, _)| name == "maddr").and_then(|(_, value)| value.clone());
        (!uri.host.is_empty()).then(|| Self { host: maddr.unwrap_or_else(|| uri.host.clone()), port: uri.port, transport, secure })
    }

    /// The transport where nothing says which (§4.1).
    const fn plain(&self) -> Transport {
        match self.transport {
            Some(transport) => transport,
            None if self.secure => Transport::Tls,
            None => Transport::Udp,
        }
    }

    /// What to ask first (§4.1, §4.2).
    pub fn first_step(&self) -> FirstStep {
        let plain = self.plain();
        let port = self.port.unwrap_or(plain.default_port());
        match (self.host.parse::<IpAddr>(), self.port, self.transport) {
            (Ok(ip), ..) => FirstStep::Known(plain, SocketAddr::new(ip, port)),
            (Err(_), Some(port), _) => FirstStep::Hosts(plain, port),
            (Err(_), None, Some(transport)) => FirstStep::Service(transport),
            (Err(_), None, None) => FirstStep::Naptr,
        }
    }

    /// Where SRV is asked, by the NAPTR records; empty where none of them serves.
    pub fn services_of(&self, records: &[Naptr], ours: &[Transport]) -> Vec<(Transport, String)> {
        let mut usable: Vec<(u16, u16, Transport, String)> = records
            .iter()
            .filter(|record| record.flags.eq_ignore_ascii_case("s") && !record.replacement.is_empty())
            .filter_map(|record| Some((record.order, record.preference, transport_of(&record.service)?, record.replacement.clone())))
            .filter(|(_, _, transport, _)| ours.contains(transport) && (!self.secure || *transport == Transport::Tls))
            .collect();
        usable.sort();
        usable.into_iter().map(|(_, _, transport, name)| (transport, name)).collect()
    }

    /// Where SRV is asked when there is no NAPTR: for every transport of ours (§4.1).
    pub fn services(&self, ours: &[Transport]) -> Vec<(Transport, String)> {
        let all = [Transport::Udp, Transport::Tcp, Transport::Tls].into_iter();
        let wanted = |transport: &Transport| match self.transport {
            Some(named) => named == *transport,
            None => ours.contains(transport) && (!self.secure || *transport == Transport::Tls),
        };
        all.filter(wanted).map(|transport| (transport, format!("{}.{}", prefix(transport), self.host))).collect()
    }

    /// What to try when there is no SRV either: the addresses of the host itself.
    pub const fn last_step(&self) -> (Transport, u16) {
        let plain = self.plain();
        (plain, plain.default_port())
    }
}

const fn prefix(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "_sip._udp",
        Transport::Tcp => "_sip._tcp",
        Transport::Tls => "_sips._tcp",
    }
}

fn transport_of(service: &str) -> Option<Transport> {
    match service.to_ascii_uppercase().as_str() {
        "SIP+D2U" => Some(Transport::Udp),
        "SIP+D2T" => Some(Transport::Tcp),
        "SIPS+D2T" => Some(Transport::Tls),
        _ => None,
    }
}

/// The order in which servers are tried: by priority, and within one by chance as their weights say (RFC 2782, "Weight").
pub fn by_weight<T>(mut servers: Vec<(Srv, T)>, seed: &mut Seed) -> Vec<(Srv, T)> {
    // Those without weight come first, so that they have a small chance to be chosen.
    servers.sort_by_key(|(srv, _)| (srv.priority, srv.weight));
    let mut ordered = Vec::with_capacity(servers.len());
    while let Some(priority) = servers.first().map(|(srv, _)| srv.priority) {
        let of_priority = servers.iter().take_while(|(srv, _)| srv.priority == priority);
        let weights: Vec<u64> = of_priority.map(|(srv, _)| u64::from(srv.weight)).collect();
        let drawn = seed.below(weights.iter().sum::<u64>() + 1);
        let mut sum = 0;
        let reached = weights.iter().position(|weight| {
            sum += weight;
            sum >= drawn
        });
        ordered.push(servers.remove(reached.unwrap_or(0)));
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Transport; 3] = [Transport::Udp, Transport::Tcp, Transport::Tls];

    fn sought(uri: &str) -> Sought {
        Sought::of(&Uri::parse(uri.as_bytes()).unwrap()).unwrap()
    }

    /// RFC 3263 §4.1 and §4.2, case by case.
    #[test]
    fn the_first_question_depends_on_what_the_uri_says() {
        let known = |transport, address: &str| FirstStep::Known(transport, address.parse().unwrap());
        for (uri, step) in [
            ("sip:192.0.2.1", known(Transport::Udp, "192.0.2.1:5060")),
            ("sip:[2001:db8::1]:5070;transport=tcp", known(Transport::Tcp, "[2001:db8::1]:5070")),
            ("sips:192.0.2.1", known(Transport::Tls, "192.0.2.1:5061")),
            ("sip:192.0.2.1;transport=tls", known(Transport::Tls, "192.0.2.1:5061")),
            ("sip:pbx.example:5080", FirstStep::Hosts(Transport::Udp, 5080)),
            ("sips:pbx.example:5080;transport=tcp", FirstStep::Hosts(Transport::Tls, 5080)),
            ("sip:pbx.example;transport=tcp", FirstStep::Service(Transport::Tcp)),
            ("sip:pbx.example", FirstStep::Naptr),
            ("sip:pbx.example;maddr=192.0.2.9", known(Transport::Udp, "192.0.2.9:5060")),
        ] {
            assert_eq!(sought(uri).first_step(), step, "{uri}");
        }
        for uri in ["tel:+13125550188", "sip:pbx.example;transport=sctp", "urn:service:sos"] {
            assert_eq!(Sought::of(&Uri::parse(uri.as_bytes()).unwrap()), None, "{uri}");
        }
    }

    /// RFC 3263 §4.1: by order and preference, without what we do not speak; `sips` takes TLS alone.
    #[test]
    fn naptr_chooses_the_transport() {
        let naptr = |order, preference, service: &str, replacement: &str| Naptr {
            order,
            preference,
            flags: "s".to_owned(),
            service: service.to_owned(),
            replacement: replacement.to_owned(),
        };
        let records = [
            naptr(90, 50, "SIP+D2U", "u."),
            naptr(50, 50, "SIPS+D2T", "s."),
            naptr(90, 40, "sip+d2t", "t."),
            naptr(10, 1, "SIP+D2S", "sctp."),
            Naptr { flags: "u".to_owned(), ..naptr(1, 1, "SIP+D2U", "x.") },
        ];
        let names = |sought: &Sought, ours: &[Transport]| -> Vec<String> {
            sought.services_of(&records, ours).into_iter().map(|(_, name)| name).collect()
        };
        assert_eq!(names(&sought("sip:a.example"), &ALL), ["s.", "t.", "u."]);
        assert_eq!(names(&sought("sip:a.example"), &[Transport::Udp]), ["u."]);
        assert_eq!(names(&sought("sips:a.example"), &ALL), ["s."]);
        assert!(names(&sought("sips:a.example"), &[Transport::Udp]).is_empty());
    }

    #[test]
    fn without_naptr_each_transport_of_ours_is_asked_for() {
        let names = |uri: &str| -> Vec<String> { sought(uri).services(&ALL).into_iter().map(|(_, name)| name).collect() };
        assert_eq!(names("sip:a.example"), ["_sip._udp.a.example", "_sip._tcp.a.example", "_sips._tcp.a.example"]);
        assert_eq!(names("sips:a.example"), ["_sips._tcp.a.example"]);
        assert_eq!(names("sip:a.example;transport=tcp"), ["_sip._tcp.a.example"]);
        assert_eq!(sought("sips:a.example").last_step(), (Transport::Tls, 5061));
    }

    /// RFC 2782: priorities are strict, weights are shares.
    #[test]
    fn servers_come_by_priority_and_share_by_weight() {
        let srv = |priority, weight, target: &str| (Srv { priority, weight, port: 5060, target: target.to_owned() }, ());
        let mut seed = Seed::new(5);
        let (mut heavy, mut none) = (0, 0);
        for _ in 0..4_000 {
            let servers = vec![srv(20, 0, "spare"), srv(10, 75, "heavy"), srv(10, 25, "light"), srv(10, 0, "none")];
            let order: Vec<String> = by_weight(servers, &mut seed).into_iter().map(|(srv, ())| srv.target).collect();
            assert_eq!((order.len(), order[3].as_str()), (4, "spare"));
            heavy += u32::from(order[0] == "heavy");
            none += u32::from(order[0] == "none");
        }
        assert!((2_850..3_100).contains(&heavy), "three in four, not {heavy}");
        assert!((10..90).contains(&none), "one in a hundred, not {none}");
    }
}
