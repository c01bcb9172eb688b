//! Registrations and passwords: an endpoint that joins a PBX, and one that telephones join, against each other and against texts by hand.

use bytes::Bytes;

use crate::base::{Instant, Pii, Secret, Seed};
use crate::sip::digest::{AuthTrouble, Credentials, Offered};
use crate::sip::register::{Outcome, Register, RegisterAnswer, RegistrationId};
use crate::sip::{AccountId, Command, Endpoint, Event, Flow, Invite, Output, PhoneAccount, PhoneContact, Phones, Settings, SipCall};

const PHONE: &str = "192.0.2.20:5062";
const BOX: &str = "192.0.2.1:5060";

fn phones() -> Phones {
    let account = |user: &str, secret: &str| PhoneAccount {
        phone: format!("phone-{user}"),
        user: user.to_owned(),
        secret: Pii::new(secret.to_owned()),
        contacts_max: 2,
    };
    Phones {
        networks: vec!["192.0.2.0/24".parse().unwrap()],
        realm: "nightbell".to_owned(),
        digest: Offered::Both,
        key: Secret::new([9; 32]),
        accounts: vec![account("20", "s3cret"), account("21", "0ther")],
        expires_min_s: 60,
        expires_max_s: 600,
    }
}

/// A telephone, and the box that it joins; nobody trusts it.
struct Pair {
    now: Instant,
    phone: Endpoint,
    house: Endpoint,
    wire: Vec<String>,
    events: [Vec<Event>; 2],
}

fn flow(from_phone: bool) -> Flow {
    let (phone, house) = (PHONE.parse().unwrap(), BOX.parse().unwrap());
    if from_phone { Flow::udp(phone, house) } else { Flow::udp(house, phone) }
}

impl Pair {
    fn new() -> Self {
        let phone = Endpoint::new(Settings { trusted: vec!["192.0.2.1".parse().unwrap()], ..Settings::default() }, Seed::new(1));
        let house = Endpoint::new(Settings { phones: Some(phones()), ..Settings::default() }, Seed::new(2));
        Self { now: Instant::from_millis(5_000), phone, house, wire: Vec::new(), events: [Vec::new(), Vec::new()] }
    }

    fn with_secret(user: &str, secret: &str) -> Self {
        let mut pair = Self::new();
        let credentials = Credentials { user: user.to_owned(), secret: Pii::new(secret.to_owned()), realms: vec!["nightbell".to_owned()] };
        pair.phone.set_credentials(AccountId(1), Some(credentials));
        pair
    }

    /// Carries messages until there are no more.
    fn settle(&mut self) {
        loop {
            let mut moved = false;
            for (side, own) in [(0, true), (1, false)] {
                loop {
                    let output = if own { self.phone.poll_output() } else { self.house.poll_output() };
                    match output {
                        Some(Output::Event(event)) => self.events[side].push(event),
                        Some(Output::Send { bytes, .. }) => {
                            moved = true;
                            self.wire.push(String::from_utf8_lossy(&bytes).into_owned());
                            let other = if own { &mut self.house } else { &mut self.phone };
                            other.handle_datagram(self.now, flow(!own), &bytes);
                        }
                        None => break,
                    }
                }
            }
            if !moved {
                return;
            }
        }
    }

    fn register(&mut self, expires_s: u32) -> RegisterAnswer {
        let register = Register {
            id: RegistrationId(1),
            flow: flow(true),
            account: AccountId(1),
            domain: "192.0.2.1".to_owned(),
            user: "20".to_owned(),
            contact_user: "line-20".to_owned(),
            expires_s,
            replaces: None,
            instance: None,
            call_id: "one".to_owned(),
            seq: 10 + u32::try_from(self.wire.len()).unwrap(),
        };
        self.phone.handle_command(self.now, Command::Register(Box::new(register)));
        self.settle();
        let answers =
            self.events[0].iter().filter_map(|event| if let Event::Registered(answer) = event { Some(*answer.clone()) } else { None });
        answers.last().unwrap()
    }

    fn contact() -> PhoneContact {
        PhoneContact { target: "sip:line-20@192.0.2.20:5062".to_owned(), flow: flow(false) }
    }

    fn first_lines(&self) -> Vec<&str> {
        self.wire.iter().map(|text| text.lines().next().unwrap().trim_end_matches(" SIP/2.0").trim_start_matches("SIP/2.0 ")).collect()
    }

    fn advance(&mut self, millis: u64) {
        self.now += std::time::Duration::from_millis(millis);
        self.phone.handle_timeout(self.now);
        self.house.handle_timeout(self.now);
        self.settle();
    }

    fn invite(&mut self, account: Option<AccountId>) -> SipCall {
        let invite = Invite {
            from_user: "20".to_owned(),
            account,
            ..Invite::new(flow(true), "sip:leasing@192.0.2.1", Bytes::from_static(b"v=0\r\n"))
        };
        let call = self.phone.invite(self.now, invite);
        self.settle();
        call
    }

    fn arrived(&self) -> Option<(SipCall, Option<String>)> {
        self.events[1]
            .iter()
            .find_map(|event| if let Event::Incoming(arrival) = event { Some((arrival.call, arrival.phone.clone())) } else { None })
    }
}

/// RFC 3261 §22.2 and §10.3: the REGISTER goes again with credentials, the next number and another branch, and the box knows where the phone is.
#[test]
fn a_phone_registers_with_its_password() {
    let mut pair = Pair::with_secret("20", "s3cret");
    let answer = pair.register(300);
    assert_eq!((answer.outcome, answer.granted_s, answer.seq), (Outcome::Answered(200), Some(300), 11), "{:?}", pair.wire);
    assert_eq!(pair.first_lines(), ["REGISTER sip:192.0.2.1", "401 Unauthorized", "REGISTER sip:192.0.2.1", "200 OK"]);
    let branch = |text: &str| text.split("branch=").nth(1).unwrap().split(';').next().unwrap().to_owned();
    assert_ne!(branch(&pair.wire[0]), branch(&pair.wire[2]));
    assert!(pair.wire[0].contains("CSeq: 10 REGISTER") && pair.wire[2].contains("CSeq: 11 REGISTER"));
    assert!(
        pair.wire[1].contains("algorithm=SHA-256") && pair.wire[1].contains("algorithm=MD5") && pair.wire[2].contains("algorithm=SHA-256")
    );
    assert_eq!(pair.events[1], [Event::PhoneRegistered { phone: "phone-20".to_owned(), contact: Pair::contact() }]);
    assert_eq!(pair.house.transactions(), 1, "the request without a password left nothing behind");
    pair.register(300);
    assert_eq!(pair.wire.len(), 6, "the next one shows its password at once");
}

/// The way back is the way of the REGISTER, and the account may be asked where it is.
#[test]
fn a_registered_phone_is_called_by_the_way_it_came() {
    let mut pair = Pair::with_secret("20", "s3cret");
    let offer = Bytes::from_static(b"v=0\r\n");
    let stranger = pair.house.invite(pair.now, Invite::new(flow(false), "sip:line-20@192.0.2.20:5062", offer.clone()));
    pair.settle();
    assert!(
        matches!(pair.events[1].as_slice(), [Event::Failed { call, status: 403, .. }] if *call == stranger),
        "who has not registered is not called"
    );
    pair.register(300);
    let contact = Pair::contact();
    pair.house.invite(pair.now, Invite::new(contact.flow, contact.target, offer));
    pair.settle();
    assert!(pair.events[0].iter().any(|event| matches!(event, Event::Incoming(_))), "{:?}", pair.first_lines());
}

/// Uniform: no account, wrong password and no password are answered alike.
#[test]
fn a_wrong_password_is_refused_in_the_same_words() {
    for (user, secret) in [("20", "wrong"), ("99", "s3cret")] {
        let mut pair = Pair::with_secret(user, secret);
        let answer = pair.register(300);
        assert_eq!(answer.outcome, Outcome::Answered(401));
        assert_eq!(answer.trouble, Some(AuthTrouble::Refused { user: user.to_owned(), realm: "nightbell".to_owned() }));
        assert_eq!(pair.first_lines(), ["REGISTER sip:192.0.2.1", "401 Unauthorized", "REGISTER sip:192.0.2.1", "401 Unauthorized"]);
        let bare = |text: &str| {
            let lines = text.lines().filter(|line| !["Via", "CSeq", "To"].iter().any(|name| line.starts_with(name)));
            lines.map(|line| line.split("nonce=").next().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(bare(&pair.wire[1]), bare(&pair.wire[3]));
        assert!(pair.house.transactions() == 0 && !pair.events[1].iter().any(|event| matches!(event, Event::PhoneRegistered { .. })));
        assert_eq!((pair.house.counters().challenged, pair.house.counters().denied), (2, 1));
    }
}

/// RFC 3261 §10.3: bounds, fetch, the wildcard, and an end in time.
#[test]
fn registrations_are_bounded_listed_and_end() {
    let mut pair = Pair::with_secret("20", "s3cret");
    let brief = pair.register(10);
    assert_eq!((brief.outcome, brief.min_expires_s), (Outcome::Answered(423), Some(60)));
    assert_eq!(pair.register(100_000).granted_s, Some(600), "cut down to what we keep");
    pair.advance(599_000);
    assert_eq!(pair.events[1].len(), 1);
    pair.advance(1_000);
    assert_eq!(pair.events[1][1], Event::PhoneGone { phone: "phone-20".to_owned(), contact: Pair::contact() });
    pair.register(300);
    pair.register(0);
    assert!(matches!(pair.events[1][3], Event::PhoneGone { .. }), "{:?}", pair.events[1]);
    assert_eq!(pair.house.poll_deadline().is_some(), pair.house.transactions() > 0, "nothing waits for a Contact that is gone");
}

/// RFC 3261 §13.2.2.4 and §22.3: a call of a phone's is asked for a password, its ACK repeats it, and the call says whose it is.
#[test]
fn a_phones_call_is_authenticated_and_named() {
    let mut pair = Pair::with_secret("20", "s3cret");
    let call = pair.invite(Some(AccountId(1)));
    assert_eq!(
        pair.first_lines(),
        ["INVITE sip:leasing@192.0.2.1", "401 Unauthorized", "ACK sip:leasing@192.0.2.1", "INVITE sip:leasing@192.0.2.1", "100 Trying"]
    );
    let (theirs, phone) = pair.arrived().unwrap();
    assert_eq!(phone.as_deref(), Some("phone-20"));
    pair.house.handle_command(pair.now, Command::Accept { call: theirs, answer: Bytes::from_static(b"v=0\r\n") });
    pair.settle();
    let ack = pair.wire.iter().rfind(|text| text.starts_with("ACK")).unwrap();
    let invite = pair.wire.iter().rfind(|text| text.starts_with("INVITE")).unwrap();
    let line = |text: &str, name: &str| text.lines().find(|line| line.starts_with(name)).map(str::to_owned);
    assert!(line(ack, "Authorization").is_some() && line(ack, "Authorization") == line(invite, "Authorization"));
    assert_eq!(line(ack, "CSeq").unwrap().replace("ACK", "INVITE"), line(invite, "CSeq").unwrap());
    assert!(pair.events[0].iter().any(|event| matches!(event, Event::Answered { .. })));
    assert!(pair.events[1].iter().any(|event| matches!(event, Event::Acked { .. })), "{:?}", pair.events[1]);
    pair.phone.handle_command(pair.now, Command::Hangup { call, reason: None });
    pair.settle();
    assert!(matches!(pair.events[1].last(), Some(Event::Ended { .. })), "within a call the tags are the proof");
    pair.advance(40_000);
    assert_eq!((pair.phone.calls(), pair.house.calls(), pair.phone.transactions(), pair.house.transactions()), (0, 0, 0, 0));
}

#[test]
fn a_call_without_credentials_fails_and_leaves_nothing() {
    let mut pair = Pair::new();
    let call = pair.invite(None);
    assert!(pair.events[0].contains(&Event::Unauthorised { account: None, trouble: AuthTrouble::NoCredentials }));
    assert!(matches!(pair.events[0].last(), Some(Event::Failed { call: failed, status: 401, .. }) if *failed == call));
    assert_eq!((pair.arrived(), pair.house.calls(), pair.house.transactions()), (None, 0, 0));
}

/// A cancelled call is not placed again because its challenge came late.
#[test]
fn a_cancelled_call_answers_no_challenge() {
    let mut pair = Pair::with_secret("20", "s3cret");
    let invite = Invite { account: Some(AccountId(1)), ..Invite::new(flow(true), "sip:leasing@192.0.2.1", Bytes::from_static(b"v=0\r\n")) };
    let call = pair.phone.invite(pair.now, invite);
    pair.phone.handle_command(pair.now, Command::Cancel { call });
    pair.settle();
    assert_eq!(pair.wire.iter().filter(|text| text.starts_with("INVITE")).count(), 1, "{:?}", pair.first_lines());
}

/// RFC 3261 §22.1: CANCEL and ACK are not asked; what belongs to nothing gets no answer, so that an address tells nothing.
#[test]
fn strangers_requests_in_the_phones_network_are_asked_or_met_with_silence() {
    let mut pair = Pair::new();
    let request = |method: &str, more: &str| {
        format!(
            "{method} sip:900@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.20:5062;branch=z9hG4bK{method};rport\r\nFrom: <sip:20@192.0.2.1>;tag=a\r\nTo: <sip:900@192.0.2.1>{more}\r\nCall-ID: x\r\nCSeq: 1 {method}\r\nContact: <sip:20@192.0.2.20>\r\n\r\n"
        )
    };
    for (method, more, expected) in [
        ("OPTIONS", "", Some("SIP/2.0 401")),
        ("MESSAGE", "", Some("SIP/2.0 401")),
        ("BYE", ";tag=guess", Some("SIP/2.0 401")),
        ("FOO", "", Some("SIP/2.0 401")),
        ("REFER", "", Some("SIP/2.0 401")),
        ("CANCEL", "", None),
        ("ACK", ";tag=guess", None),
    ] {
        pair.house.handle_datagram(pair.now, flow(false), request(method, more).as_bytes());
        let sent = pair.house.poll_output();
        match (sent, expected) {
            (Some(Output::Send { bytes, .. }), Some(status)) => assert!(bytes.starts_with(status.as_bytes()), "{method}"),
            (None, None) => {}
            other => panic!("{method}: {other:?}"),
        }
    }
    assert_eq!((pair.house.transactions(), pair.house.calls()), (0, 0));
}

fn hand_written(headers: &str) -> String {
    format!(
        "REGISTER sip:192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.20:5062;branch=z9hG4bKr;rport\r\nFrom: <sip:20@192.0.2.1>;tag=a\r\nTo: <sip:20@192.0.2.1>\r\nCall-ID: x\r\nCSeq: 1 REGISTER\r\n{headers}\r\n"
    )
}

/// Everything that the registrar answers to a phone that has shown its password, by a guard of the same key.
#[test]
fn odd_registrations_get_their_answers() {
    use crate::sip::digest::{Answered, Guard, Verdict, Wallet};
    use crate::sip::message::Message;
    let mut pair = Pair::new();
    let mut guard = Guard::new(Secret::new([9; 32]), "nightbell".to_owned());
    let mut seed = Seed::new(5);
    let mut ask = |pair: &mut Pair, number: usize, headers: &str| {
        // The guards do not share their counter: each question comes a second later.
        pair.now += std::time::Duration::from_secs(1);
        let asked = guard.challenges(pair.now, "192.0.2.20".parse().unwrap(), &Verdict::Denied);
        let mut wallet =
            Wallet::new(Credentials { user: "20".to_owned(), secret: Pii::new("s3cret".to_owned()), realms: vec!["*".to_owned()] });
        let peer = BOX.parse().unwrap();
        wallet.take(peer, &Message::response(401, Vec::new()).with("WWW-Authenticate", asked[1].clone()), Answered::No).unwrap();
        let mut request = Message::request(crate::sip::Method::Register, b"sip:192.0.2.1".to_vec());
        wallet.sign(peer, &mut request, &mut seed);
        let pass = String::from_utf8_lossy(request.get("Authorization").unwrap()).into_owned();
        let text = hand_written(&format!("Authorization: {pass}\r\n{headers}")).replace("z9hG4bKr", &format!("z9hG4bKr{number}"));
        let text = text.replace("CSeq: 1 ", &format!("CSeq: {} ", number + 1));
        pair.house.handle_datagram(pair.now, flow(false), text.as_bytes());
        let mut answers = Vec::new();
        while let Some(output) = pair.house.poll_output() {
            if let Output::Send { bytes, .. } = output {
                answers.push(String::from_utf8_lossy(&bytes).into_owned());
            }
        }
        answers.pop().unwrap()
    };
    let contact = |user: usize| format!("Contact: <sip:u{user}@10.0.0.{user}:5060>;expires=100\r\n");
    let outbound = |port: u16| format!("Contact: <sip:a@10.0.0.9:{port}>;reg-id=1;+sip.instance=\"<urn:uuid:1>\"\r\nExpires: 100\r\n");
    let steps: Vec<(String, &str, Vec<&str>)> = vec![
        (contact(1), "200 OK", vec!["Contact: <sip:u1@10.0.0.1:5060>;expires=100"]),
        (contact(2), "200 OK", vec!["sip:u1@", "sip:u2@"]),
        (contact(3), "200 OK", vec!["sip:u2@", "sip:u3@"]),
        (String::new(), "200 OK", vec!["sip:u2@", "sip:u3@"]),
        ("Contact: *\r\n".to_owned(), "400 Bad Request", vec![]),
        ("Contact: *\r\nContact: <sip:a@b>\r\nExpires: 0\r\n".to_owned(), "400 Bad Request", vec![]),
        ("Contact: <mailto:a@b>\r\n".to_owned(), "400 Bad Request", vec![]),
        ("Contact: <sip:a@b?Route=x>\r\n".to_owned(), "400 Bad Request", vec![]),
        (format!("Contact: <sip:{}@b>\r\n", "x".repeat(600)), "400 Bad Request", vec![]),
        ("Path: <sip:edge.example;lr>\r\nContact: <sip:a@b>\r\n".to_owned(), "420 Bad Extension", vec!["Unsupported: path"]),
        ("Require: path\r\nContact: <sip:a@b>\r\n".to_owned(), "420 Bad Extension", vec!["Unsupported: path"]),
        ("Contact: *\r\nExpires: 0\r\n".to_owned(), "200 OK", vec![]),
        (outbound(1), "200 OK", vec!["Require: outbound", "sip:a@10.0.0.9:1>"]),
        (outbound(2), "200 OK", vec!["sip:a@10.0.0.9:2>"]),
    ];
    for (number, (headers, status, parts)) in steps.into_iter().enumerate() {
        let answer = ask(&mut pair, number, &headers);
        assert!(answer.starts_with(&format!("SIP/2.0 {status}")), "{headers}: {answer}");
        assert!(parts.iter().all(|part| answer.contains(part)), "{headers}: {answer}");
        assert!(!answer.contains("sip:u1@") || !answer.contains("sip:u3@"), "two Contacts at most, the oldest goes: {answer}");
        assert!(!answer.contains("10.0.0.9:1>") || !answer.contains("10.0.0.9:2>"), "one Contact for an instance and its reg-id");
    }
    let stranger = ask(&mut pair, 50, "Contact: <sip:a@b>\r\n").replace("sip:20@", "sip:21@");
    assert!(stranger.starts_with("SIP/2.0 200"));
}

/// RFC 3608 §5: a call by a registered trunk takes the routes that its registrar has asked for; RFC 3261 §8.1.1.3: From has its domain.
#[test]
fn a_call_by_a_trunk_takes_its_routes_and_its_domain() {
    let mut pair = Pair::new();
    let routes = vec!["<sip:edge.pbx.example;lr>".to_owned(), "broken\r\nEvil: 1".to_owned()];
    let invite = Invite::new(flow(true), "sip:900@pbx.example", Bytes::from_static(b"v=0\r\n"));
    pair.phone.invite(pair.now, Invite { from_user: "20".to_owned(), from_host: Some("pbx.example".to_owned()), routes, ..invite.clone() });
    let Some(Output::Send { bytes, .. }) = pair.phone.poll_output() else { panic!("no INVITE") };
    let text = String::from_utf8_lossy(&bytes);
    assert!(
        text.contains("\r\nRoute: <sip:edge.pbx.example;lr>\r\n")
            && text.contains("\r\nFrom: <sip:20@pbx.example>;tag=")
            && !text.contains("Evil"),
        "{text}"
    );
    pair.phone.invite(pair.now, Invite { from_host: Some("a>b".to_owned()), ..invite });
    assert!(matches!(pair.phone.poll_output(), Some(Output::Event(Event::Failed { status: 400, .. }))));
}

#[test]
fn names_tell_nothing_of_each_other_but_repeat_with_their_seed() {
    let names = |key: u8| {
        let settings = Settings { key: Secret::new([key; 32]), trusted: vec!["192.0.2.1".parse().unwrap()], ..Settings::default() };
        let mut endpoint = Endpoint::new(settings, Seed::new(1));
        endpoint.handle_command(
            Instant::ZERO,
            Command::Options { probe: crate::sip::Probe(1), flow: flow(true), target: "sip:a@b".to_owned() },
        );
        let Some(Output::Send { bytes, .. }) = endpoint.poll_output() else { panic!("no OPTIONS") };
        bytes
    };
    assert_eq!(names(1), names(1));
    assert_ne!(names(1), names(2), "the same seed with another key makes other names");
}
