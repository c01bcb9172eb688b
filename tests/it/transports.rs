//! Calls over TCP, TLS and IPv6; certificates; connections that mean harm; names that a real name server resolves.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use crate::daemon::{Daemon, root};
use crate::ua::{Message, Ua};
use crate::wait;

const SOON: Duration = Duration::from_secs(2);

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

/// A caller over a connection: its messages are those of [`Ua`], with the transport's name in them.
struct Caller {
    ua: Ua,
    stream: Box<dyn Stream>,
    transport: &'static str,
    buffer: Vec<u8>,
}

fn connect(to: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect_timeout(&to, SOON).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

impl Caller {
    fn tcp(to: SocketAddr) -> Self {
        let stream = connect(to);
        stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        Self { ua: Ua::new(to), stream: Box::new(stream), transport: "TCP", buffer: Vec::new() }
    }

    fn tls(to: SocketAddr, config: &Arc<ClientConfig>, name: &str) -> Self {
        let stream = connect(to);
        stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let session = ClientConnection::new(Arc::clone(config), ServerName::try_from(name.to_owned()).unwrap()).unwrap();
        Self { ua: Ua::new(to), stream: Box::new(StreamOwned::new(session, stream)), transport: "TLS", buffer: Vec::new() }
    }

    fn request(&mut self, method: &str, extra: &str, body: &str) -> String {
        let text = self.ua.request(method, extra, body).replace("SIP/2.0/UDP", &format!("SIP/2.0/{}", self.transport));
        let us = self.ua.sip.local_addr().unwrap();
        text.replace(&format!("<sip:hand@{us}>"), &format!("<sip:hand@{us};transport={}>", self.transport.to_lowercase()))
    }

    fn send(&mut self, text: &str) {
        wait::until(SOON, "everything is written", || match self.stream.write_all(text.as_bytes()).and_then(|()| self.stream.flush()) {
            Ok(()) => Some(()),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => None,
            Err(error) => panic!("{error}"),
        });
    }

    /// Reads once; `Some(false)` at the end of the stream.
    fn read(&mut self) -> Option<bool> {
        let mut buffer = [0; 4_096];
        match self.stream.read(&mut buffer) {
            Ok(0) => Some(false),
            Ok(length) => {
                self.buffer.extend_from_slice(&buffer[..length]);
                Some(true)
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => None,
            Err(_) => Some(false),
        }
    }

    /// The next message, cut by its Content-Length.
    fn next(&mut self) -> Message {
        wait::until(Duration::from_secs(5), "a message comes", || {
            // Answers to our keep-alives stand between the messages.
            let breaks = self.buffer.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            self.buffer.drain(..breaks);
            let text = String::from_utf8_lossy(&self.buffer).into_owned();
            let Some(end) = text.find("\r\n\r\n").map(|end| end + 4) else {
                assert_ne!(self.read(), Some(false), "the connection was closed after {text:?}");
                return None;
            };
            let message = Message { text: text[..end].to_owned() };
            let body: usize = message.header("Content-Length").unwrap().parse().unwrap();
            if self.buffer.len() < end + body {
                assert_ne!(self.read(), Some(false), "the connection was closed within a message");
                return None;
            }
            let whole: Vec<u8> = self.buffer.drain(..end + body).collect();
            Some(Message { text: String::from_utf8(whole).unwrap() })
        })
    }

    fn answer(&mut self) -> Message {
        loop {
            let message = self.next();
            if message.status() >= 200 {
                self.ua.keep_tag(&message);
                return message;
            }
        }
    }

    /// Whether the daemon closes within `limit`.
    fn is_closed_within(&mut self, limit: Duration) -> bool {
        wait::within(limit, || (self.read() == Some(false)).then_some(())).is_some()
    }

    fn options(&mut self) -> Message {
        let options = self.request("OPTIONS", "", "");
        self.send(&options);
        self.answer()
    }

    /// INVITE, 200, ACK, and sound that comes.
    fn call(&mut self) -> Message {
        let offer = self.ua.offer("0 8", "");
        let invite = self.request("INVITE", "Content-Type: application/sdp\r\n", &offer);
        self.send(&invite);
        let ok = self.answer();
        assert_eq!(ok.status(), 200, "{}", ok.text);
        let ack = self.request("ACK", "", "");
        self.send(&ack);
        assert!(self.ua.packet(SOON).is_some(), "sound comes");
        ok
    }

    fn bye(&mut self) {
        let bye = self.request("BYE", "", "");
        self.send(&bye);
        assert_eq!(self.answer().status(), 200);
    }
}

/// A daemon that listens in every way, configured in `folder`; `tls` is the rest of `[sip.tls]`, empty for none.
pub fn daemon(folder: &TempDir, listen: &[&str], tls: &str) -> Option<Daemon> {
    let demo = std::fs::read_to_string(root().join("config/demo/nightbell.toml")).unwrap();
    let agents = root().join("config/demo/agents");
    let tls = if tls.is_empty() { String::new() } else { format!("\n[sip.tls]\n{tls}\n") };
    let text = demo
        .replace("folder = \"agents\"", &format!("folder = {:?}", agents.display().to_string()))
        .replace("listen = [\"udp:0.0.0.0:5060\"]", &format!("listen = {listen:?}"))
        .replace("\n[media]\n", &format!("{tls}\n[media]\n"));
    assert!(text.contains(listen[0]), "the configuration's listeners were replaced");
    let file = folder.path().join("nightbell.toml");
    std::fs::write(&file, text).unwrap();
    Daemon::start_at(file, &[])
}

struct Authority {
    folder: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let authority = Self { folder: tempfile::tempdir().unwrap(), issuer };
        std::fs::write(authority.folder.path().join("ca.pem"), authority.issuer.pem()).unwrap();
        authority
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn certify(&self, file: &str, name: &str) {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &self.issuer).unwrap();
        // The key first: whoever looks between the two reads a pair that does not fit, and keeps the old one.
        std::fs::write(self.path().join(format!("{file}.key")), key.serialize_pem()).unwrap();
        std::fs::write(self.path().join(format!("{file}.pem")), certificate.pem()).unwrap();
    }

    /// The lines of `[sip.tls]` for the files of `us`.
    fn config(&self) -> String {
        let at = |file: &str| format!("{:?}", self.path().join(file).display().to_string());
        format!("certificate = {}\nkey = {}", at("us.pem"), at("us.key"))
    }

    /// A peer that shows the certificate of `file`.
    fn server(&self, file: &str) -> Arc<ServerConfig> {
        let chain = vec![CertificateDer::from_pem_file(self.path().join(format!("{file}.pem"))).unwrap()];
        let key = PrivateKeyDer::from_pem_file(self.path().join(format!("{file}.key"))).unwrap();
        let builder =
            ServerConfig::builder_with_provider(Arc::new(ring::default_provider())).with_safe_default_protocol_versions().unwrap();
        Arc::new(builder.with_no_client_auth().with_single_cert(chain, key).unwrap())
    }

    /// A caller that trusts this authority, and shows `certificate` when there is one.
    fn client(&self, certificate: Option<&str>) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.path().join("ca.pem")).unwrap()).unwrap();
        let builder =
            ClientConfig::builder_with_provider(Arc::new(ring::default_provider())).with_safe_default_protocol_versions().unwrap();
        let builder = builder.with_root_certificates(roots);
        Arc::new(match certificate {
            None => builder.with_no_client_auth(),
            Some(file) => {
                let chain = vec![CertificateDer::from_pem_file(self.path().join(format!("{file}.pem"))).unwrap()];
                let key = PrivateKeyDer::from_pem_file(self.path().join(format!("{file}.key"))).unwrap();
                builder.with_client_auth_cert(chain, key).unwrap()
            }
        })
    }
}

const LISTEN: [&str; 4] = ["udp:127.0.0.1:0", "tcp:127.0.0.1:0", "udp:[::1]:0", "tcp:[::1]:0"];

#[test]
fn wall_a_call_over_tcp_however_its_messages_are_cut() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mut daemon) = daemon(&folder, &LISTEN, "") else { return };
    let to = daemon.listens("tcp", "127.");
    let mut caller = Caller::tcp(to);
    let offer = caller.ua.offer("0 8", "");
    let invite = caller.request("INVITE", "Content-Type: application/sdp\r\n", &offer);
    for piece in invite.as_bytes().chunks(41) {
        caller.send(std::str::from_utf8(piece).unwrap());
    }
    let ok = caller.answer();
    assert_eq!(ok.status(), 200, "{}", ok.text);
    assert!(ok.header("Contact").is_some_and(|contact| contact.contains(&format!("@{to};transport=tcp>"))), "{}", ok.text);
    let (ack, one, two) = (caller.request("ACK", "", ""), caller.request("OPTIONS", "", ""), caller.request("OPTIONS", "", ""));
    caller.send(&format!("{ack}{one}\r\n\r\n{two}"));
    let mut seen = vec![caller.answer(), caller.answer()];
    assert_eq!(seen.drain(..).map(|answer| answer.status()).collect::<Vec<_>>(), [200, 200], "several messages in one segment");
    assert!(caller.ua.packet(SOON).is_some(), "sound comes");
    assert!(caller.ua.next(Duration::from_millis(200)).is_none(), "nothing of this call comes as a datagram");
    caller.bye();
    assert!(daemon.is_alive());
    daemon.last_call();
}

#[test]
fn wall_a_stream_without_lengths_is_refused_and_closed() {
    let folder = tempfile::tempdir().unwrap();
    let Some(daemon) = daemon(&folder, &LISTEN, "") else { return };
    let mut caller = Caller::tcp(daemon.listens("tcp", "127."));
    let options = caller.request("OPTIONS", "", "").replace("Content-Length: 0\r\n", "");
    caller.send(&options);
    let refusal = caller.answer();
    assert!(refusal.status() == 400 && refusal.text.contains("Content-Length"), "{}", refusal.text);
    assert!(caller.is_closed_within(SOON), "nobody knows where the next message would begin");
    assert_eq!(Caller::tcp(daemon.listens("tcp", "127.")).options().status(), 200);
}

#[test]
fn wall_a_call_over_ipv6() {
    let folder = tempfile::tempdir().unwrap();
    let Some(daemon) = daemon(&folder, &LISTEN, "") else { return };
    let to = daemon.listens("udp", "[::1]");
    let mut ua = Ua::new(to);
    let offer = ua.offer("0", "");
    let ok = ua.call(&offer);
    assert!(ok.header("Contact").is_some_and(|contact| contact.contains(&format!("@{to}>"))), "{}", ok.text);
    assert_eq!(ok.sdp("c="), Some("IN IP6 ::1"), "{}", ok.text);
    assert!(ua.packet(SOON).is_some(), "sound comes");
    ua.bye();
    let mut caller = Caller::tcp(daemon.listens("tcp", "[::1]"));
    caller.call();
    caller.bye();
}

/// A certificate is replaced on disk: new connections see the new one, and the call over the old one goes on.
#[test]
fn wall_a_call_over_tls_outlives_its_certificate() {
    let authority = Authority::new();
    authority.certify("us", "old.example");
    let folder = tempfile::tempdir().unwrap();
    let Some(daemon) = daemon(&folder, &["udp:127.0.0.1:0", "tls:127.0.0.1:0"], &authority.config()) else { return };
    let (to, client) = (daemon.listens("tls", "127."), authority.client(None));
    let mut caller = Caller::tls(to, &client, "old.example");
    let ok = caller.call();
    assert!(ok.header("Contact").is_some_and(|contact| contact.contains(&format!("@{to};transport=tls>"))), "{}", ok.text);
    authority.certify("us", "new.example");
    daemon.signal("HUP");
    wait::until(Duration::from_secs(5), "the new certificate is shown", || {
        let mut session = ClientConnection::new(Arc::clone(&client), ServerName::try_from("new.example").unwrap()).unwrap();
        let mut stream = connect(to);
        session.complete_io(&mut stream).ok()
    });
    assert_eq!(Caller::tls(to, &client, "new.example").options().status(), 200);
    while caller.ua.packet(Duration::ZERO).is_some() {}
    assert!(caller.ua.packet(SOON).is_some(), "the call goes on");
    caller.bye();
}

#[test]
fn wall_a_caller_without_a_certificate_is_kept_out_where_one_is_demanded() {
    let authority = Authority::new();
    authority.certify("us", "box.example");
    authority.certify("pbx", "pbx.example");
    let folder = tempfile::tempdir().unwrap();
    let tls = format!("{}\nclient_ca = {:?}", authority.config(), authority.path().join("ca.pem").display().to_string());
    let Some(mut daemon) = daemon(&folder, &["udp:127.0.0.1:0", "tls:127.0.0.1:0"], &tls) else { return };
    let to = daemon.listens("tls", "127.");
    let mut without = ClientConnection::new(authority.client(None), ServerName::try_from("box.example").unwrap()).unwrap();
    let mut stream = connect(to);
    stream.set_read_timeout(Some(SOON)).unwrap();
    // TLS 1.3 tells the caller with its first read.
    let refused = without.complete_io(&mut stream).and_then(|_| without.complete_io(&mut stream));
    assert!(refused.is_err() || without.reader().read(&mut [0; 8]).is_err(), "without a certificate nobody is let in");
    let mut with = Caller::tls(to, &authority.client(Some("pbx")), "box.example");
    assert_eq!(with.options().status(), 200);
    assert!(daemon.is_alive());
}

/// Connections that are opened and say nothing, or half of something, end in time and keep nobody else out.
#[test]
fn wall_half_open_connections_are_bounded_and_end() {
    let authority = Authority::new();
    authority.certify("us", "box.example");
    let folder = tempfile::tempdir().unwrap();
    let listen = ["udp:127.0.0.1:0", "tcp:127.0.0.1:0", "tls:127.0.0.1:0"];
    let Some(mut daemon) = daemon(&folder, &listen, &authority.config()) else { return };
    let (tcp, tls) = (daemon.listens("tcp", "127."), daemon.listens("tls", "127."));
    let mut held: Vec<TcpStream> = (0..150).map(|place| connect(if place % 2 == 0 { tcp } else { tls })).collect();
    held.iter_mut().step_by(4).for_each(|stream| drop(stream.write_all(b"INVITE sip:a@b SIP/2.0\r\nVia")));
    for stream in &held {
        stream.set_nonblocking(true).unwrap();
    }
    let is_closed = |stream: &mut TcpStream| match stream.read(&mut [0; 64]) {
        Ok(length) => length == 0,
        Err(error) => error.kind() != ErrorKind::WouldBlock,
    };
    let closed = |held: &mut Vec<TcpStream>| held.iter_mut().map(is_closed).filter(|closed| *closed).count();
    wait::until(SOON, "those beyond the bound are closed at once", || (closed(&mut held) >= 150 - 128).then_some(()));
    let mut ua = Ua::new(daemon.sip);
    let options = ua.request("OPTIONS", "", "");
    ua.send(&options);
    assert_eq!(ua.answer().status(), 200, "datagrams are served all the while");
    let counts = daemon.status()["connections"].clone();
    assert!(counts["open"].as_u64() <= Some(128) && counts["refused"].as_u64() >= Some(22), "{counts}");
    wait::until(Duration::from_secs(20), "all of them are closed", || (closed(&mut held) == 150).then_some(()));
    assert_eq!(Caller::tcp(tcp).options().status(), 200);
    assert_eq!(Caller::tls(tls, &authority.client(None), "box.example").options().status(), 200);
    assert!(daemon.is_alive());
}

/// One connection over TLS that the daemon opens: its first request is answered with 200, and comes back.
fn served(listener: &TcpListener, config: &Arc<ServerConfig>) -> Result<Message, String> {
    let accepted = wait::within(Duration::from_secs(15), || listener.accept().ok());
    let (stream, _) = accepted.ok_or("nobody connects")?;
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(config)).unwrap(), stream);
    let (mut text, mut buffer) = (String::new(), [0; 2_048]);
    while !text.contains("\r\n\r\n") {
        let length = stream.read(&mut buffer).map_err(|error| error.to_string())?;
        text.push_str(std::str::from_utf8(&buffer[..length]).unwrap());
        if length == 0 {
            return Err(format!("closed after {text:?}"));
        }
    }
    let request = Message { text };
    let head = ["Via", "From", "To", "Call-ID", "CSeq"].map(|name| format!("{name}: {}\r\n", request.header(name).unwrap())).concat();
    stream.write_all(format!("SIP/2.0 200 OK\r\n{head}Content-Length: 0\r\n\r\n").as_bytes()).unwrap();
    stream.flush().unwrap();
    // The connection stays until the test is over: the daemon keeps it.
    std::mem::forget(stream);
    Ok(request)
}

/// A trunk over TLS: its certificate must be of an authority that we know and for the name in the configuration; then we talk.
#[test]
fn wall_a_trunk_over_tls_must_show_the_right_certificate() {
    let authority = Authority::new();
    for (file, name) in [("us", "box.example"), ("right", "127.0.0.1"), ("wrong", "other.example")] {
        authority.certify(file, name);
    }
    let ours = format!("{}\nca = {:?}", authority.config(), authority.path().join("ca.pem").display().to_string());
    for (file, sound) in [("wrong", false), ("right", true)] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let server = format!("sip:127.0.0.1:{};transport=tls", listener.local_addr().unwrap().port());
        let trunk = format!("{ours}\n\n[trunk.office]\nrecipe = \"generic-trunk\"\nserver = {server:?}\noptions_s = 5\n");
        let Some(daemon) = daemon(&folder, &["udp:127.0.0.1:0", "tls:127.0.0.1:0"], &trunk) else { return };
        let outcome = served(&listener, &authority.server(file));
        assert_eq!(outcome.is_ok(), sound, "{file}: {outcome:?}");
        if let Ok(request) = outcome {
            assert!(request.line().starts_with("OPTIONS "), "{}", request.text);
            assert!(request.header("Via").is_some_and(|via| via.starts_with("SIP/2.0/TLS ")), "{}", request.text);
            assert!(request.header("Contact").is_some_and(|contact| contact.contains(";transport=tls>")), "{}", request.text);
        } else {
            wait::until(SOON, "the log says why", || daemon.log().contains("certificate").then_some(()));
        }
    }
}

/// RFC 3263 against a real name server: NAPTR to SRV to addresses.
#[test]
fn wall_a_real_name_server_is_understood() {
    use nightbell::base::Seed;
    use nightbell::base::clock::Clock;
    use nightbell::net::Resolver;
    use nightbell::sip::Transport;

    let free = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut command = Command::new("dnsmasq");
    command.args([
        "--keep-in-foreground",
        "--no-resolv",
        "--no-hosts",
        "--no-daemon",
        "--bind-interfaces",
        "--listen-address=127.0.0.1",
        "--user=root",
    ]);
    command.arg(format!("--port={}", free.port()));
    command.args([
        "--naptr-record=provider.test,10,10,s,SIP+D2T,,_sip._tcp.provider.test",
        "--naptr-record=provider.test,20,10,s,SIP+D2U,,_sip._udp.provider.test",
        "--srv-host=_sip._tcp.provider.test,a.provider.test,5070,10,1",
        "--srv-host=_sip._tcp.provider.test,b.provider.test,5071,20,1",
        "--srv-host=_sip._udp.provider.test,b.provider.test,5072,10,1",
        "--host-record=a.provider.test,192.0.2.1,2001:db8::1",
        "--host-record=b.provider.test,192.0.2.2",
        "--local=/test/",
    ]);
    let Ok(mut server) = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn() else {
        println!("skipped: dnsmasq is not installed");
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let all = [Transport::Udp, Transport::Tcp, Transport::Tls];
    let outcome = runtime.block_on(async {
        let mut last = None;
        for _ in 0..20 {
            let resolver = Resolver::open(Clock::start(), Seed::new(1), Some(free)).unwrap();
            match resolver.places("sip:provider.test", &all).await {
                Ok(places) => return Ok(places),
                Err(error) => last = Some(error),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err(last)
    });
    server.kill().unwrap();
    server.wait().unwrap();
    let places = outcome.unwrap();
    let shown: Vec<String> = places.list.iter().map(|place| format!("{}:{}", place.transport.uri_name(), place.address)).collect();
    assert_eq!(
        shown,
        ["tcp:192.0.2.1:5070", "tcp:[2001:db8::1]:5070", "tcp:192.0.2.2:5071", "udp:192.0.2.2:5072"],
        "the transports by NAPTR, the servers by SRV"
    );
}
