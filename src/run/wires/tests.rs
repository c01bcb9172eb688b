//! Sockets on loopback: datagrams and connections side by side, and a STUN server's word.

use std::net::UdpSocket;

use super::*;

async fn start(listen: &[&str]) -> (Wires, mpsc::Receiver<Arrived>) {
    let listener = |text: &&str| {
        let (transport, address) = text.split_once(':').unwrap();
        Listener { transport: Transport::named(transport).unwrap(), address: address.parse().unwrap() }
    };
    let welcome = vec!["127.0.0.0/8".parse().unwrap(), "::1".parse().unwrap()];
    let settings = WireSettings { listen: listen.iter().map(listener).collect(), tls: TlsFiles::default(), welcome };
    Wires::start(Clock::start(), settings).await.unwrap()
}

fn run<T>(what: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(what)
}

async fn next(arrived: &mut mpsc::Receiver<Arrived>) -> Arrived {
    tokio::time::timeout(Duration::from_secs(5), arrived.recv()).await.expect("news in time").expect("news")
}

#[test]
fn each_message_takes_the_listener_of_its_transport_and_family() {
    run(async {
        let (ours, _news) = start(&["udp:127.0.0.1:0", "tcp:127.0.0.1:0", "udp:[::1]:0"]).await;
        let (theirs, mut arrived) = start(&["udp:127.0.0.1:0", "tcp:127.0.0.1:0", "udp:[::1]:0"]).await;
        for (mine, listener) in ours.listening().iter().zip(theirs.listening()) {
            let flow = ours.local_flow(listener.transport, listener.address, None).unwrap();
            assert_eq!((flow.local, flow.remote), (mine.address, listener.address));
            ours.send(flow, Bytes::from_static(b"OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 0\r\n\r\n"));
            let Arrived::Message { flow: came, .. } = next(&mut arrived).await else { panic!("a message") };
            assert_eq!((came.transport, came.local), (listener.transport, listener.address));
        }
        let elsewhere = "192.0.2.1:5060".parse().unwrap();
        assert!(ours.local_flow(Transport::Tls, elsewhere, Some("192.0.2.9".parse().unwrap())).is_some(), "a connection needs no listener");
        assert!(ours.local_flow(Transport::Udp, "[2001:db8::1]:5060".parse().unwrap(), Some("2001:db8::2".parse().unwrap())).is_none());
    });
}

#[test]
fn a_listener_that_cannot_be_bound_is_named() {
    run(async {
        let (first, _news) = start(&["tcp:127.0.0.1:0"]).await;
        let taken = first.listening().to_vec();
        let settings = WireSettings { listen: taken.clone(), tls: TlsFiles::default(), welcome: Vec::new() };
        let error = Wires::start(Clock::start(), settings).await.err().unwrap().to_string();
        assert!(error.contains(&taken[0].to_string()), "{error}");
        let listen = vec![Listener { transport: Transport::Tls, ..taken[0] }];
        let settings = WireSettings { listen, tls: TlsFiles::default(), welcome: Vec::new() };
        let error = Wires::start(Clock::start(), settings).await.err().unwrap().to_string();
        assert!(error.contains("certificate"), "{error}");
    });
}

/// RFC 8489: the question goes out from the SIP socket, and its answer does not come up as SIP.
#[test]
fn a_stun_server_says_where_we_are_seen() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    let at = server.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut buffer = [0; 64];
        while let Ok((length, from)) = server.recv_from(&mut buffer) {
            let id = buffer[8..length].to_vec();
            let SocketAddr::V4(seen) = from else { panic!("IPv4") };
            let port = (seen.port() ^ 0x2112).to_be_bytes();
            let address = (u32::from(*seen.ip()) ^ 0x2112_a442).to_be_bytes();
            let head = [&[0x01, 0x01, 0x00, 0x0c, 0x21, 0x12, 0xa4, 0x42][..], &id].concat();
            let answer = [&head[..], &[0x00, 0x20, 0x00, 0x08, 0x00, 0x01], &port, &address].concat();
            server.send_to(&answer, from).unwrap();
        }
    });
    run(async {
        let (wires, mut arrived) = start(&["udp:127.0.0.1:0"]).await;
        let ours = wires.listening()[0].address;
        assert_eq!(wires.public_address(at).await, Some(ours), "asked from the very socket");
        let peer = "127.0.0.9:5060".parse().unwrap();
        wires.mirror(peer, at);
        let Arrived::Seen { peer: whose, public } = next(&mut arrived).await else { panic!("seen") };
        assert_eq!((whose, public), (peer, ours));
        wires.note_told(peer.ip().into(), Some(public.ip()));
        assert_eq!((wires.told(peer.ip()), wires.told("127.0.0.8".parse().unwrap())), (Some(ours.ip()), None));
    });
}
