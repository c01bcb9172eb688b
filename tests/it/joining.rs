//! The box joined to a PBX, and telephones joined to the box, over real sockets; the PBX and the telephone are written by hand and compute
//! their Digest themselves.

use std::net::{SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::time::Duration;

use md5::{Digest as _, Md5};
use serde_json::Value;
use tempfile::TempDir;

use crate::daemon::{Daemon, nightbell, root};
use crate::ua::{Message, Ua};
use crate::wait;

const SOON: Duration = Duration::from_secs(10);

fn hex(text: &str) -> String {
    nightbell::base::sha256::hex(&Md5::digest(text.as_bytes()))
}

/// A parameter of a Digest header.
fn param<'a>(header: &'a str, name: &str) -> &'a str {
    let parts = header.trim_start_matches("Digest ").split(',').map(str::trim);
    let found = parts.filter_map(|part| part.split_once('=')).find(|(found, _)| *found == name);
    found.map_or("", |(_, value)| value.trim_matches('"'))
}

/// RFC 2617 §3.2.2, by hand.
fn response(header: &str, secret: &str, method: &str) -> String {
    let get = |name| param(header, name);
    let first = hex(&format!("{}:{}:{secret}", get("username"), get("realm")));
    let second = hex(&format!("{method}:{}", get("uri")));
    hex(&format!("{first}:{}:{}:{}:{}:{second}", get("nonce"), get("nc"), get("cnonce"), get("qop")))
}

/// A PBX of one socket.
struct Pbx {
    socket: UdpSocket,
    box_at: Option<SocketAddr>,
}

impl Pbx {
    fn new() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        Self { socket, box_at: None }
    }

    fn port(&self) -> u16 {
        self.socket.local_addr().unwrap().port()
    }

    /// The next request of this method; other requests are answered 200.
    fn next(&mut self, method: &str) -> Message {
        wait::until(SOON, &format!("the box sends {method}"), || {
            let message = self.look()?;
            if message.line().starts_with(method) {
                return Some(message);
            }
            self.answer(&message, "200 OK", "");
            None
        })
    }

    fn look(&mut self) -> Option<Message> {
        let mut buffer = [0; 8_192];
        let (length, from) = self.socket.recv_from(&mut buffer).ok()?;
        self.box_at = Some(from);
        let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
        (!text.trim().is_empty()).then_some(Message { text })
    }

    fn answer(&self, request: &Message, status: &str, extra: &str) {
        if request.status() > 0 {
            return;
        }
        let copied = ["Via", "From", "To", "Call-ID", "CSeq"].map(|name| format!("{name}: {}\r\n", request.header(name).unwrap())).concat();
        let text = format!("SIP/2.0 {status}\r\n{copied}{extra}Content-Length: 0\r\n\r\n");
        self.socket.send_to(text.as_bytes(), self.box_at.unwrap()).unwrap();
    }

    fn challenge(&self, request: &Message, realm: &str) {
        self.answer(
            request,
            "401 Unauthorized",
            &format!("WWW-Authenticate: Digest realm=\"{realm}\", nonce=\"abc\", qop=\"auth\", algorithm=MD5\r\n"),
        );
    }
}

/// A daemon with more in its configuration, in a folder of its own where `secret` is a file with "s3cret".
fn daemon(folder: &TempDir, more: &str, sip: &str) -> Option<(Daemon, PathBuf)> {
    let demo = std::fs::read_to_string(root().join("config/demo/nightbell.toml")).unwrap();
    let agents = root().join("config/demo/agents");
    let text = demo
        .replace("folder = \"agents\"", &format!("folder = {:?}", agents.display().to_string()))
        .replace("trusted = [\"127.0.0.0/8\", \"::1\"]", sip);
    std::fs::write(folder.path().join("secret"), "s3cret\n").unwrap();
    let file = folder.path().join("nightbell.toml");
    std::fs::write(&file, format!("{text}\n{more}")).unwrap();
    Daemon::start_at(file.clone(), &["--sip", "127.0.0.1:0"]).map(|daemon| (daemon, file))
}

const LOOPBACK: &str = "trusted = [\"127.0.0.0/8\"]";

fn trunk(daemon: &Daemon, name: &str, well: impl Fn(&Value) -> bool) -> Value {
    wait::until(SOON, "the trunk is so", || Some(daemon.status()["trunks"][name].clone()).filter(&well))
}

/// Points 2 and 6 of joining: it registers with the password, takes the calls that come by that, and takes the registration back.
#[test]
fn wall_the_box_joins_a_pbx_as_an_extension() {
    let folder = tempfile::tempdir().unwrap();
    let mut pbx = Pbx::new();
    let more = format!(
        "[trunk.office]\nrecipe = \"freepbx-extension\"\nserver = \"sip:127.0.0.1:{}\"\nuser = \"200\"\nsecret_file = \"secret\"\noptions_s = 1\n",
        pbx.port()
    );
    let Some((mut daemon, _)) = daemon(&folder, &more, LOOPBACK) else { return };
    let first = pbx.next("REGISTER");
    assert!(first.header("Authorization").is_none() && first.header("To").unwrap().contains("sip:200@127.0.0.1"), "{}", first.text);
    pbx.challenge(&first, "asterisk");
    // What was sent again while the models were loaded is answered again.
    let second = wait::until(SOON, "the box shows its password", || {
        let message = pbx.look().filter(|message| message.line().starts_with("REGISTER"))?;
        if message.header("Authorization").is_none() {
            pbx.challenge(&message, "asterisk");
            return None;
        }
        Some(message)
    });
    let answer = second.header("Authorization").unwrap();
    assert_eq!(param(answer, "response"), response(answer, "s3cret", "REGISTER"), "{answer}");
    assert_eq!(first.header("Call-ID"), second.header("Call-ID"));
    let contact = second.header("Contact").unwrap().split('>').next().unwrap().trim_start_matches('<').to_owned();
    assert!(second.header("Contact").unwrap().contains("+sip.instance=\"<urn:uuid:"), "{}", second.text);
    pbx.answer(&second, "200 OK", &format!("Contact: <{contact}>;expires=60\r\n"));
    let known = trunk(&daemon, "office", |known| known["state"] == "registered");
    assert!(known["ends_in_s"].as_u64().unwrap() <= 60 && known.get("trouble").is_none(), "{known}");
    assert!(!daemon.log().contains("s3cret"));

    let options = pbx.next("OPTIONS");
    pbx.answer(&options, "200 OK", "");
    let mut caller = Ua::new(daemon.sip);
    let offer = caller.offer("0 101", "a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n");
    let invite = caller.request("INVITE", "Content-Type: application/sdp\r\n", &offer);
    caller.send(&invite.replacen(&format!("sip:leasing@{}", daemon.sip), &contact, 1));
    let ok = caller.answer();
    assert_eq!(ok.status(), 200, "{}", ok.text);
    let ack = caller.request("ACK", "", "");
    caller.send(&ack);
    caller.bye();

    daemon.signal("TERM");
    let last = wait::until(SOON, "the registration is taken back", || {
        let message = pbx.look()?;
        let is_last = message.line().starts_with("REGISTER") && message.header("Expires") == Some("0");
        pbx.answer(&message, "200 OK", "");
        is_last.then_some(message)
    });
    assert!(last.header("Contact").unwrap().contains("expires=0"), "{}", last.text);
    wait::until(SOON, "the daemon ends", || (!daemon.is_alive()).then_some(()));
}

/// A trunk that is configured wrong says what the other side answered and what to change: in the status, and by `trunk test`.
#[test]
fn wall_a_trunk_that_is_wrong_says_what_to_change() {
    let folder = tempfile::tempdir().unwrap();
    let (mut strict, mut foreign) = (Pbx::new(), Pbx::new());
    let section = |name: &str, pbx: &Pbx| {
        format!(
            "[trunk.{name}]\nrecipe = \"freepbx-extension\"\nserver = \"sip:127.0.0.1:{}\"\nuser = \"200\"\nsecret_file = \"secret\"\n",
            pbx.port()
        )
    };
    let more = format!("{}\n{}", section("strict", &strict), section("foreign", &foreign));
    let Some((daemon, file)) = daemon(&folder, &more, LOOPBACK) else { return };
    let register = strict.next("REGISTER");
    strict.answer(&register, "403 Forbidden", "");
    let register = foreign.next("REGISTER");
    foreign.challenge(&register, "other-realm");
    let refused = trunk(&daemon, "strict", |known| known["state"] == "not registered");
    assert!(refused["trouble"].as_str().unwrap().starts_with("the registrar answered 403 Forbidden: user or secret is wrong"), "{refused}");
    assert!(refused["next_try_in_s"].as_u64().unwrap() >= 100, "an account is not locked by us: {refused}");
    let realm = trunk(&daemon, "foreign", |known| known["state"] == "not registered");
    assert!(realm["trouble"].as_str().unwrap().contains("write realms = [\"other-realm\"]"), "{realm}");
    assert!(
        wait::within(Duration::from_millis(500), || foreign.look().filter(|message| message.header("Authorization").is_some())).is_none()
    );

    let data = daemon.data().display().to_string();
    let test = |name: &str| nightbell(&["trunk", "test", name, "--config", &file.display().to_string(), "--data", &data]).output().unwrap();
    let told = test("strict");
    let words = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(told.status.code() == Some(1) && words.contains("user or secret is wrong"), "{words}");
    assert_eq!(test("nowhere").status.code(), Some(4));
}

/// OPTIONS both ways: a trunk that stops answering is down, and up again with its first answer.
#[test]
fn wall_a_trunk_that_falls_silent_is_seen_down_and_up_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut pbx = Pbx::new();
    let more = format!("[trunk.line]\nrecipe = \"generic-trunk\"\nserver = \"sip:127.0.0.1:{}\"\noptions_s = 1\n", pbx.port());
    let Some((daemon, _)) = daemon(&folder, &more, LOOPBACK) else { return };
    let options = pbx.next("OPTIONS");
    pbx.answer(&options, "405 Method Not Allowed", "");
    trunk(&daemon, "line", |known| known["state"] == "up");
    for _ in 0..3 {
        let options = pbx.next("OPTIONS");
        pbx.answer(&options, "503 Service Unavailable", "");
    }
    let known = trunk(&daemon, "line", |known| known["state"] == "refusing");
    assert!(known["trouble"].as_str().unwrap().contains("503"), "{known}");
    let options = pbx.next("OPTIONS");
    pbx.answer(&options, "200 OK", "");
    trunk(&daemon, "line", |known| known["state"] == "up");
    let mut peer = Ua::new(daemon.sip);
    let options = peer.request("OPTIONS", "", "");
    peer.send(&options);
    assert_eq!(peer.answer().status(), 200);
}

/// A desk phone that nobody trusts: it is asked for its password for each thing it wants, and is served once it has shown it.
#[test]
fn wall_a_softphone_registers_and_calls_the_agent() {
    let folder = tempfile::tempdir().unwrap();
    let more = "[phones.reception]\nuser = \"20\"\nsecret_file = \"secret\"\n";
    let Some((daemon, _)) = daemon(&folder, more, "trusted = [\"192.0.2.1\"]\nphones = [\"127.0.0.0/8\"]") else { return };
    let mut phone = Ua::new(daemon.sip);
    let as_twenty = |text: String| text.replace("sip:3125550188@127.0.0.1", "sip:20@127.0.0.1");
    let pass = |asked: &Message, method: &str, uri: &str, secret: &str| {
        let all: Vec<&str> = asked.text.lines().filter_map(|line| line.strip_prefix("WWW-Authenticate: ")).collect();
        assert!(all.len() == 2 && all[0].contains("SHA-256") && all[1].contains("algorithm=MD5"), "{}", asked.text);
        let (realm, nonce) = (param(all[1], "realm"), param(all[1], "nonce"));
        let head = format!(
            "Digest username=\"20\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", algorithm=MD5, qop=auth, nc=00000001, cnonce=\"c\""
        );
        let answer = response(&head, secret, method);
        format!("Authorization: {head}, response=\"{answer}\"\r\n")
    };
    let uri = format!("sip:leasing@{}", daemon.sip);
    let register = |phone: &mut Ua, extra: &str| {
        let text = as_twenty(phone.request("REGISTER", &format!("Expires: 120\r\n{extra}"), ""))
            .replace("To: <sip:leasing@127.0.0.1>", "To: <sip:20@127.0.0.1>");
        phone.send(&text);
        phone.next(SOON).unwrap()
    };
    let asked = register(&mut phone, "");
    assert_eq!(asked.status(), 401);
    let wrong = register(&mut phone, &pass(&asked, "REGISTER", &uri, "guess"));
    assert_eq!(wrong.status(), 401);
    assert_eq!(daemon.status()["phones"]["reception"]["state"], "not registered");
    let ok = register(&mut phone, &pass(&wrong, "REGISTER", &uri, "s3cret"));
    assert!(ok.status() == 200 && ok.header("Contact").unwrap().contains("expires=120"), "{}", ok.text);
    assert_eq!(daemon.status()["phones"]["reception"]["state"], "registered");

    let offer = phone.offer("0", "a=rtpmap:0 PCMU/8000\r\n");
    let invite = as_twenty(phone.request("INVITE", "Content-Type: application/sdp\r\n", &offer));
    phone.send(&invite);
    let asked = phone.next(SOON).unwrap();
    assert_eq!(asked.status(), 401);
    let invite =
        as_twenty(phone.request("INVITE", &format!("{}Content-Type: application/sdp\r\n", pass(&asked, "INVITE", &uri, "s3cret")), &offer));
    phone.send(&invite);
    let ok = phone.answer();
    assert_eq!(ok.status(), 200, "{}", ok.text);
    let ack = as_twenty(phone.request("ACK", "", ""));
    phone.send(&ack);
    let bye = as_twenty(phone.request("BYE", "", ""));
    phone.send(&bye);
    assert_eq!(phone.answer().status(), 200);
}
