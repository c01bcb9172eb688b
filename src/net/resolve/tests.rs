//! Against a name server on loopback that knows one domain, counts its questions, and can fall silent.

use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use hickory_resolver::proto::op::{Message, OpCode, ResponseCode};
use hickory_resolver::proto::rr::rdata::{NAPTR, SRV};
use hickory_resolver::proto::rr::{Name, Record};

use super::*;

const ALL: [Transport; 3] = [Transport::Udp, Transport::Tcp, Transport::Tls];

struct Server {
    address: SocketAddr,
    silent: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
}

fn records(name: &Name, kind: RecordType) -> Vec<RData> {
    let target = |text: &str| Name::from_ascii(text).unwrap();
    let srv = |priority, weight, port, host: &str| RData::SRV(SRV::new(priority, weight, port, target(host)));
    let naptr = |order, service: &str, to: &str| {
        let bytes = |text: &str| text.as_bytes().to_vec().into_boxed_slice();
        RData::NAPTR(NAPTR::new(order, 10, bytes("s"), bytes(service), bytes(""), target(to)))
    };
    let ip = |text: &str| RData::from(text.parse::<IpAddr>().unwrap());
    match (name.to_ascii().to_ascii_lowercase().as_str(), kind) {
        ("provider.test.", RecordType::NAPTR) => {
            vec![naptr(20, "SIP+D2U", "_sip._udp.provider.test."), naptr(10, "SIPS+D2T", "_sips._tcp.provider.test.")]
        }
        ("_sips._tcp.provider.test.", RecordType::SRV) => {
            vec![srv(20, 0, 5062, "b.provider.test."), srv(10, 0, 5061, "a.provider.test.")]
        }
        ("_sip._udp.provider.test.", RecordType::SRV) => vec![srv(10, 0, 5080, "a.provider.test.")],
        ("_sip._tcp.plain.test.", RecordType::SRV) => vec![srv(10, 0, 5090, "a.provider.test.")],
        ("_sip._udp.closed.test.", RecordType::SRV) => vec![srv(0, 0, 0, ".")],
        ("a.provider.test.", RecordType::A) => vec![ip("192.0.2.1")],
        ("a.provider.test.", RecordType::AAAA) => vec![ip("2001:db8::1")],
        ("b.provider.test.", RecordType::A) => vec![ip("192.0.2.2")],
        ("pbx.test.", RecordType::A) => vec![ip("192.0.2.9"), ip("192.0.2.8")],
        _ => Vec::new(),
    }
}

impl Server {
    fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let server = Self { address: socket.local_addr().unwrap(), silent: Arc::default(), asked: Arc::default() };
        let (silent, asked) = (Arc::clone(&server.silent), Arc::clone(&server.asked));
        std::thread::spawn(move || {
            let mut buffer = [0; 2_048];
            while let Ok((length, from)) = socket.recv_from(&mut buffer) {
                asked.fetch_add(1, Ordering::SeqCst);
                let Ok(question) = Message::from_vec(&buffer[..length]) else { continue };
                if silent.load(Ordering::SeqCst) {
                    continue;
                }
                let query = question.queries[0].clone();
                let mut answer = Message::response(question.metadata.id, OpCode::Query);
                let found = records(query.name(), query.query_type());
                if found.is_empty() && !query.name().to_ascii().ends_with("test.") {
                    answer.metadata.response_code = ResponseCode::NXDomain;
                }
                // No time to live, so that every question of a test is asked.
                answer.add_answers(found.into_iter().map(|data| Record::from_rdata(query.name().clone(), 0, data)));
                answer.add_query(query);
                socket.send_to(&answer.to_vec().unwrap(), from).unwrap();
            }
        });
        server
    }

    fn resolver(&self) -> Resolver {
        Resolver::open(Clock::start(), Seed::new(1), Some(self.address)).unwrap()
    }
}

fn run<T>(what: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(what)
}

fn shown(places: &Places) -> Vec<String> {
    places.list.iter().map(|place| format!("{}:{}", place.transport.uri_name(), place.address)).collect()
}

/// RFC 3263 §4: NAPTR, then SRV, then addresses; then each fails over to the next.
#[test]
fn naptr_leads_to_srv_and_srv_to_addresses() {
    let server = Server::start();
    run(async {
        let resolver = server.resolver();
        let places = resolver.places("sip:provider.test", &ALL).await.unwrap();
        assert_eq!(
            shown(&places),
            ["tls:192.0.2.1:5061", "tls:[2001:db8::1]:5061", "tls:192.0.2.2:5062", "udp:192.0.2.1:5080", "udp:[2001:db8::1]:5080"]
        );
        assert!(!places.stale && places.list.iter().all(|place| place.name == "provider.test"));
        let places = resolver.places("sip:provider.test", &[Transport::Udp]).await.unwrap();
        assert_eq!(shown(&places), ["udp:192.0.2.1:5080", "udp:[2001:db8::1]:5080"], "what we do not speak is left out");
    });
}

#[test]
fn what_has_less_in_the_name_service_is_found_as_well() {
    let server = Server::start();
    run(async {
        let resolver = server.resolver();
        for (uri, wanted) in [
            ("sip:plain.test;transport=tcp", vec!["tcp:192.0.2.1:5090", "tcp:[2001:db8::1]:5090"]),
            ("sip:plain.test", vec!["tcp:192.0.2.1:5090", "tcp:[2001:db8::1]:5090"]),
            ("sip:pbx.test:5080", vec!["udp:192.0.2.9:5080", "udp:192.0.2.8:5080"]),
            ("sips:pbx.test", vec!["tls:192.0.2.9:5061", "tls:192.0.2.8:5061"]),
            ("sip:192.0.2.77;transport=tls", vec!["tls:192.0.2.77:5061"]),
        ] {
            let places = resolver.places(uri, &ALL).await.unwrap();
            let (mut found, mut wanted) = (shown(&places), wanted);
            found.sort();
            wanted.sort_unstable();
            assert_eq!(found, wanted, "{uri}");
        }
        let nothing = resolver.places("sip:closed.test", &ALL).await.unwrap_err();
        assert!(matches!(nothing, ResolveError::Nothing { .. }), "{nothing}");
        assert!(matches!(resolver.places("tel:+13125550188", &ALL).await, Err(ResolveError::NoUri { .. })));
    });
}

/// With the internet unplugged what was good last is used, and calls do not wait each time to learn that nobody answers.
#[test]
fn what_was_good_last_stays_while_no_name_service_answers() {
    let server = Server::start();
    run(async {
        let resolver = server.resolver();
        let before = resolver.places("sip:pbx.test:5080", &ALL).await.unwrap();
        server.silent.store(true, Ordering::SeqCst);
        let stale = resolver.places("sip:pbx.test:5080", &ALL).await.unwrap();
        assert!(stale.stale && stale.list.len() == before.list.len());
        let asked = server.asked.load(Ordering::SeqCst);
        assert!(resolver.places("sip:pbx.test:5080", &ALL).await.unwrap().stale);
        assert_eq!(server.asked.load(Ordering::SeqCst), asked, "for a while nobody is asked again");
        let unknown = resolver.places("sip:never.test:5080", &ALL).await.unwrap_err();
        assert!(matches!(unknown, ResolveError::Failed { .. } | ResolveError::Silent { .. }), "{unknown}");
    });
}
