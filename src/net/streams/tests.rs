//! Connections on loopback: messages both ways, who is let in, how many, and certificates.

use std::path::PathBuf;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;
use crate::net::TlsFiles;

const OPTIONS: &[u8] = b"OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 0\r\n\r\n";

/// A certificate authority, and files with certificates of its making.
struct Authority {
    folder: tempfile::TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let authority = Self { folder: tempfile::tempdir().unwrap(), issuer };
        std::fs::write(authority.path("ca.pem"), authority.issuer.pem()).unwrap();
        authority
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Certificate and key for `name`, in files that begin with `file`.
    fn certify(&self, file: &str, name: &str) -> (PathBuf, PathBuf) {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &self.issuer).unwrap();
        let (at, key_at) = (self.path(&format!("{file}.pem")), self.path(&format!("{file}.key")));
        std::fs::write(&at, certificate.pem()).unwrap();
        std::fs::write(&key_at, key.serialize_pem()).unwrap();
        (at, key_at)
    }
}

struct Side {
    streams: Streams,
    news: mpsc::Receiver<Arrived>,
    address: SocketAddr,
}

impl Side {
    fn new(transport: Transport, files: TlsFiles) -> Self {
        let (news_in, news) = mpsc::channel(64);
        let welcome = vec!["127.0.0.0/8".parse().unwrap(), "::1".parse().unwrap()];
        let streams = Streams::new(Clock::start(), Arc::new(Tls::open(files).unwrap()), welcome, news_in);
        let listener = sockets::tcp("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(streams.clone().listen(transport, listener));
        Self { streams, news, address }
    }

    fn flow(&self, transport: Transport, to: &Self) -> Flow {
        Flow { transport, local: self.address, remote: to.address }
    }

    async fn next(&mut self) -> Arrived {
        tokio::time::timeout(Duration::from_secs(8), self.news.recv()).await.expect("news in time").expect("news")
    }
}

fn run<T>(what: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(what)
}

fn message(news: Arrived) -> (Flow, Bytes) {
    match news {
        Arrived::Message { flow, bytes } => (flow, bytes),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_message_opens_a_connection_and_the_answer_comes_over_it() {
    run(async {
        let (mut us, mut them) = (Side::new(Transport::Tcp, TlsFiles::default()), Side::new(Transport::Tcp, TlsFiles::default()));
        let way = us.flow(Transport::Tcp, &them);
        us.streams.send(way, Bytes::from_static(OPTIONS));
        let (back, bytes) = message(them.next().await);
        assert_eq!((bytes.as_ref(), back.local), (OPTIONS, them.address));
        them.streams.send(back, Bytes::from_static(OPTIONS));
        let (flow, _) = message(us.next().await);
        assert_eq!(flow, way, "named as it was sent");
        us.streams.send(way, Bytes::from_static(OPTIONS));
        assert_eq!(message(them.next().await).0, back, "the same connection serves again");
        assert_eq!((us.streams.counts().open, them.streams.counts().open), (1, 1));
        us.streams.close(way);
        assert!(matches!(them.next().await, Arrived::Closed { flow } if flow == back));
        assert!(matches!(us.next().await, Arrived::Closed { flow } if flow == way));
    });
}

#[test]
fn what_cannot_be_sent_comes_back() {
    run(async {
        let mut us = Side::new(Transport::Tcp, TlsFiles::default());
        // Bound and not listening: the system refuses at once.
        let nobody = tokio::net::TcpSocket::new_v4().unwrap();
        nobody.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let way = Flow { transport: Transport::Tcp, local: us.address, remote: nobody.local_addr().unwrap() };
        us.streams.send(way, Bytes::from_static(OPTIONS));
        let Arrived::Unreachable { flow, why } = us.next().await else { panic!("unreachable") };
        assert!(flow == way && why.contains("cannot connect"), "{why}");
        assert_eq!(us.streams.counts().open, 0);
    });
}

#[test]
fn strangers_and_too_many_are_closed_at_once() {
    run(async {
        let them = Side::new(Transport::Tcp, TlsFiles::default());
        let mut open = Vec::new();
        for _ in 0..=limits::STREAMS_A_SOURCE_MAX {
            open.push(TcpStream::connect(them.address).await.unwrap());
        }
        let mut last = open.pop().unwrap();
        assert_eq!(last.read(&mut [0; 8]).await.unwrap_or(0), 0, "the one too many is closed");
        let counts = them.streams.counts();
        assert_eq!((counts.open, counts.refused), (limits::STREAMS_A_SOURCE_MAX, 1));
        drop(open);
        them.streams.set_welcome(vec!["192.0.2.0/24".parse().unwrap()]);
        let mut stranger = TcpStream::connect(them.address).await.unwrap();
        assert_eq!(stranger.read(&mut [0; 8]).await.unwrap_or(0), 0);
        assert_eq!(them.streams.counts().strangers, 1);
    });
}

#[test]
fn a_ping_gets_its_pong_and_a_broken_stream_is_handed_up() {
    run(async {
        let mut them = Side::new(Transport::Tcp, TlsFiles::default());
        let mut peer = TcpStream::connect(them.address).await.unwrap();
        peer.write_all(b"\r\n\r\n").await.unwrap();
        let mut pong = [0; 2];
        peer.read_exact(&mut pong).await.unwrap();
        assert_eq!(&pong, b"\r\n");
        for byte in OPTIONS {
            peer.write_all(&[*byte]).await.unwrap();
        }
        assert_eq!(message(them.next().await).1.as_ref(), OPTIONS, "octet by octet");
        peer.write_all(b"OPTIONS sip:a@b SIP/2.0\r\n\r\n").await.unwrap();
        let Arrived::Broken { flow, broken } = them.next().await else { panic!("broken") };
        assert!(broken.rule.rule.contains("Content-Length"));
        them.streams.send(flow, Bytes::from_static(b"SIP/2.0 400 No\r\n\r\n"));
        them.streams.close(flow);
        let mut rest = Vec::new();
        peer.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, b"SIP/2.0 400 No\r\n\r\n", "the refusal, and then the end");
    });
}

/// RFC 5922 §4: the certificate must be of an authority we know, and for the name that we looked up.
#[test]
fn a_certificate_must_be_of_a_known_authority_and_for_the_right_name() {
    run(async {
        let authority = Authority::new();
        let own = Some(authority.certify("them", "pbx.example"));
        let mut them = Side::new(Transport::Tls, TlsFiles { own, ..TlsFiles::default() });
        let ca = Some(authority.path("ca.pem"));
        let mut us = Side::new(Transport::Tcp, TlsFiles { ca, ..TlsFiles::default() });
        let way = us.flow(Transport::Tls, &them);
        for (name, sound) in [("other.example", false), ("pbx.example", true)] {
            us.streams.expect_name(them.address, name);
            us.streams.send(way, Bytes::from_static(OPTIONS));
            if sound {
                assert_eq!(message(them.next().await).1.as_ref(), OPTIONS);
            } else {
                let Arrived::Unreachable { why, .. } = us.next().await else { panic!("unreachable") };
                assert!(why.contains("certificate"), "{why}");
                assert!(matches!(them.next().await, Arrived::Closed { .. }));
            }
        }
        assert_eq!((us.streams.counts().handshakes_failed, them.streams.counts().handshakes_failed), (1, 1));
        let mut stranger = Side::new(Transport::Tcp, TlsFiles::default());
        stranger.streams.expect_name(them.address, "pbx.example");
        stranger.streams.send(stranger.flow(Transport::Tls, &them), Bytes::from_static(OPTIONS));
        assert!(matches!(stranger.next().await, Arrived::Unreachable { .. }), "an authority that the system does not know");
    });
}

#[test]
fn callers_may_have_to_show_a_certificate() {
    run(async {
        let authority = Authority::new();
        let client_ca = Some(authority.path("ca.pem"));
        let files = TlsFiles { own: Some(authority.certify("them", "pbx.example")), client_ca: client_ca.clone(), ca: client_ca.clone() };
        let mut them = Side::new(Transport::Tls, files);
        let without = TlsFiles { ca: client_ca.clone(), ..TlsFiles::default() };
        let with = TlsFiles { own: Some(authority.certify("us", "us.example")), ca: client_ca, client_ca: None };
        for (files, let_in) in [(without, false), (with, true)] {
            let us = Side::new(Transport::Tcp, files);
            us.streams.expect_name(them.address, "pbx.example");
            us.streams.send(us.flow(Transport::Tls, &them), Bytes::from_static(OPTIONS));
            let news = them.next().await;
            assert_eq!(matches!(news, Arrived::Message { .. }), let_in, "{news:?}");
        }
    });
}

#[test]
fn certificates_are_read_again_when_their_files_change() {
    run(async {
        let authority = Authority::new();
        let files = TlsFiles { own: Some(authority.certify("them", "old.example")), ..TlsFiles::default() };
        let mut them = Side::new(Transport::Tls, files);
        let tls = Arc::clone(&them.streams.0.tls);
        assert!(!tls.reload_if_changed().unwrap());
        std::fs::write(authority.path("them.pem"), "no certificate").unwrap();
        let error = tls.reload_if_changed().unwrap_err().to_string();
        assert!(error.contains("them.pem") && error.contains("PEM"), "{error}");
        assert!(!tls.reload_if_changed().unwrap(), "said once");
        let us = Side::new(Transport::Tcp, TlsFiles { ca: Some(authority.path("ca.pem")), ..TlsFiles::default() });
        us.streams.expect_name(them.address, "old.example");
        let way = us.flow(Transport::Tls, &them);
        us.streams.send(way, Bytes::from_static(OPTIONS));
        message(them.next().await);
        authority.certify("them", "new-and-longer.example");
        assert!(tls.reload_if_changed().unwrap());
        us.streams.send(way, Bytes::from_static(OPTIONS));
        message(them.next().await);
        let us = Side::new(Transport::Tcp, TlsFiles { ca: Some(authority.path("ca.pem")), ..TlsFiles::default() });
        us.streams.expect_name(them.address, "new-and-longer.example");
        us.streams.send(us.flow(Transport::Tls, &them), Bytes::from_static(OPTIONS));
        message(them.next().await);
    });
}
