//! The examples of the RFCs, challenges as PBXs write them, and both ends against each other.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::{Algorithm, Answered, AuthTrouble, Challenge, Credentials, Guard, Hash, Offered, Proof, Qop, Verdict, Wallet};
use crate::base::{Instant, Pii, Secret, Seed, limits};
use crate::sip::Method;
use crate::sip::message::{Message, name};

fn algorithm(name: &str) -> Algorithm {
    Algorithm::named(name.as_bytes()).unwrap()
}

fn proof<'a>(algorithm: Algorithm, quality: Option<(Qop, &'a [u8], &'a [u8])>, nonce: &'a str) -> Proof<'a> {
    let (user, secret, realm) = (&b"Mufasa"[..], &b"Circle of Life"[..], &b"http-auth@example.org"[..]);
    Proof { algorithm, user, realm, secret, nonce: nonce.as_bytes(), quality, method: b"GET", uri: b"/dir/index.html", body: b"" }
}

/// RFC 7616 §3.9.1.
#[test]
fn the_examples_of_rfc_7616_come_out() {
    let quality = Some((Qop::Auth, &b"00000001"[..], &b"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"[..]));
    let nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
    assert_eq!(proof(algorithm("MD5"), quality, nonce).response(), "8ca523f5e9506fed4657c9700eebdbec");
    let sha = "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1";
    assert_eq!(proof(algorithm("sha-256"), quality, nonce).response(), sha);
}

/// RFC 7616 §3.9.2: its sums are of truncated SHA-512 (erratum 4897), so these are of SHA-512/256 by OpenSSL.
#[test]
fn the_example_with_sha_512_256_comes_out_as_openssl_has_it() {
    let user = "J\u{e4}s\u{f8}n Doe";
    let proof = Proof {
        algorithm: algorithm("SHA-512-256"),
        user: user.as_bytes(),
        realm: b"api@example.org",
        secret: b"Secret, or not?",
        nonce: b"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK",
        quality: Some((Qop::Auth, b"00000001", b"NTg6RKcb9boFIAS3KrFK9BGeh+niz/sm")),
        method: b"GET",
        uri: b"/doe.json",
        body: b"",
    };
    assert_eq!(proof.response(), "7a4e1192babbba02e91182d2895bfdbf7adafc6e48d4e517ca301974843d840c");
    let hashed = Hash::Sha512Trunc.of(&[user.as_bytes(), b"api@example.org"]);
    assert_eq!(hashed, "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b");
}

/// RFC 2617 §3.5, and RFC 2069 §2.4 without a quality, as its errata correct it.
#[test]
fn older_phones_are_understood() {
    let quality = Some((Qop::Auth, &b"00000001"[..], &b"0a4f113b"[..]));
    let nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093";
    let newer = Proof { realm: b"testrealm@host.com", secret: b"Circle Of Life", ..proof(algorithm("MD5"), quality, nonce) };
    assert_eq!(newer.response(), "6629fae49393a05397450978507c4ef1");
    let older = Proof { realm: b"testrealm@host.com", secret: b"CircleOfLife", ..proof(algorithm("MD5"), None, nonce) };
    assert_eq!(older.response(), "1949323746fe6a43ef61f9606e7febea");
}

/// RFC 7616 §3.4.2 and §3.4.3.
#[test]
fn the_body_is_protected_where_asked_and_a_session_mixes_the_nonces() {
    let quality = |qop| Some((qop, &b"00000001"[..], &b"abc"[..]));
    let plain = proof(algorithm("MD5"), quality(Qop::AuthInt), "n").response();
    let other = Proof { body: b"v=0", ..proof(algorithm("MD5"), quality(Qop::AuthInt), "n") }.response();
    let session = proof(algorithm("MD5-SESS"), quality(Qop::Auth), "n").response();
    assert_ne!(plain, other);
    let first = Hash::Md5.of(&[b"Mufasa", b"http-auth@example.org", b"Circle of Life"]);
    let first = Hash::Md5.of(&[first.as_bytes(), b"n", b"abc"]);
    let second = Hash::Md5.of(&[b"GET", b"/dir/index.html"]);
    assert_eq!(session, Hash::Md5.of(&[first.as_bytes(), b"n", b"00000001", b"abc", b"auth", second.as_bytes()]));
}

fn response(headers: &[(&str, &str)]) -> Message {
    headers.iter().fold(Message::response(401, b"Unauthorized".to_vec()), |message, (name, value)| message.with(name, *value))
}

fn register() -> Message {
    Message::request(Method::Register, b"sip:pbx.example".to_vec()).with(name::CALL_ID, "c").with(name::CSEQ, "1 REGISTER")
}

fn wallet(realms: &[&str]) -> Wallet {
    let realms = realms.iter().map(|&realm| realm.to_owned()).collect();
    Wallet::new(Credentials { user: "200".to_owned(), secret: Pii::new("s3cret".to_owned()), realms })
}

fn peer() -> SocketAddr {
    "192.0.2.10:5060".parse().unwrap()
}

fn signed(wallet: &mut Wallet) -> Vec<String> {
    let mut request = register();
    wallet.sign(peer(), &mut request, &mut Seed::new(1));
    let answers = request.headers.iter().filter(|header| header.name.ends_with("Authorization"));
    answers.map(|header| format!("{}: {}", header.name, String::from_utf8_lossy(&header.value))).collect()
}

/// RFC 7235 §4.1: several challenges in one header, and several headers; commas inside quotes.
#[test]
fn challenges_are_told_apart() {
    let both = "Newauth realm=\"apps\", type=1, Digest realm=\"a, b\", nonce=\"n1\", qop=\"auth-int, auth\", Basic realm=\"simple\"";
    let third = "Digest nonce=n3 , realm = \"z \\\"q\\\"\",algorithm=SHA-256,STALE=TRUE,opaque=\"\"";
    let all = Challenge::all(&response(&[("WWW-Authenticate", both), ("Proxy-Authenticate", third)]));
    assert_eq!(all.len(), 2);
    assert_eq!((all[0].realm.as_slice(), all[0].qop, all[0].stale, all[0].is_proxy), (&b"a, b"[..], Some(Qop::Auth), false, false));
    assert_eq!((all[1].realm.as_slice(), all[1].qop, all[1].stale, all[1].is_proxy), (&b"z \"q\""[..], None, true, true));
    assert_eq!(all[1].opaque.as_deref(), Some(&b""[..]));
    let many = vec![("WWW-Authenticate", "Digest realm=\"r\", nonce=\"n\""); 50];
    assert_eq!(Challenge::all(&response(&many)).len(), limits::SIP_CHALLENGES_MAX);
    for broken in ["", ",,,", "Digest", "Digest realm=\"open", "Digest ,=,", "=", "Digest realm=r"] {
        assert_eq!(Challenge::all(&response(&[("WWW-Authenticate", broken)])), [], "{broken}");
    }
}

/// RFC 8760 §2.4: the topmost that we know. RFC 3261 §22.3: one answer for each realm.
#[test]
fn the_topmost_challenge_that_we_know_is_answered_in_each_realm() {
    let mut wallet = wallet(&["asterisk", "carrier"]);
    let asked = response(&[
        ("WWW-Authenticate", "Digest realm=\"asterisk\", nonce=\"n0\", algorithm=SHA3-512, qop=\"auth\""),
        ("WWW-Authenticate", "Digest realm=\"asterisk\", nonce=\"n1\", algorithm=SHA-256, qop=\"auth\", opaque=\"o\\\"p\""),
        ("WWW-Authenticate", "Digest realm=\"asterisk\", nonce=\"n2\", algorithm=MD5, qop=\"auth\""),
        ("Proxy-Authenticate", "Digest realm=\"carrier\", nonce=\"n3\", qop=\"auth-int\""),
        ("Proxy-Authenticate", "Digest realm=\"stranger\", nonce=\"n4\""),
    ]);
    assert_eq!(wallet.take(peer(), &asked, Answered::No), Ok(()));
    let answers = signed(&mut wallet);
    assert_eq!(answers.len(), 2, "{answers:?}");
    assert!(answers[0].starts_with("Authorization: Digest username=\"200\", realm=\"asterisk\", nonce=\"n1\", uri=\"sip:pbx.example\""));
    assert!(answers[0].contains("algorithm=SHA-256, opaque=\"o\\\"p\", qop=auth, nc=00000001, cnonce="), "{}", answers[0]);
    assert!(answers[1].starts_with("Proxy-Authorization: ") && answers[1].contains("qop=auth-int") && !answers[1].contains("algorithm"));
    assert!(signed(&mut wallet)[0].contains("nc=00000002"), "the next request counts on");
    assert!(signed(&mut self::wallet(&["asterisk"])).is_empty(), "nobody asked");
}

/// Issue 8, point 6: credentials are never sent to a peer whose realm is not that trunk's, and the owner reads what to write.
#[test]
fn a_foreign_realm_gets_no_answer_and_the_owner_a_sentence() {
    let mut wallet = wallet(&["asterisk"]);
    let asked = response(&[("WWW-Authenticate", "Digest realm=\"evil.example\", nonce=\"n\"")]);
    let trouble = wallet.take(peer(), &asked, Answered::No).unwrap_err();
    assert_eq!(trouble, AuthTrouble::WrongRealm { asked: "evil.example".to_owned(), allowed: "\"asterisk\"".to_owned() });
    assert!(trouble.to_string().contains("write realms = [\"evil.example\"]"), "{trouble}");
    assert!(signed(&mut wallet).is_empty());
    let unknown = response(&[("WWW-Authenticate", "Digest realm=\"asterisk\", nonce=\"n\", algorithm=WHIRLPOOL")]);
    assert!(matches!(wallet.take(peer(), &unknown, Answered::No), Err(AuthTrouble::UnknownAlgorithm { .. })));
    assert_eq!(
        wallet.take(peer(), &response(&[("WWW-Authenticate", "Basic realm=\"asterisk\"")]), Answered::No),
        Err(AuthTrouble::NoChallenge)
    );
}

#[test]
fn a_refused_secret_is_not_tried_again_but_an_old_nonce_is() {
    let mut wallet = wallet(&["r"]);
    let asked = response(&[("WWW-Authenticate", "Digest realm=\"r\", nonce=\"n\", qop=\"auth\"")]);
    let stale = response(&[("WWW-Authenticate", "Digest realm=\"r\", nonce=\"m\", qop=\"auth\", stale=true")]);
    assert_eq!(wallet.take(peer(), &asked, Answered::No), Ok(()));
    assert_eq!(wallet.take(peer(), &stale, Answered::Yes), Ok(()));
    assert!(signed(&mut wallet)[0].contains("nonce=\"m\"") && signed(&mut wallet).len() == 1);
    let refused = wallet.take(peer(), &asked, Answered::Yes).unwrap_err();
    assert_eq!(refused, AuthTrouble::Refused { user: "200".to_owned(), realm: "r".to_owned() });
    assert!(signed(&mut wallet).is_empty(), "what did not serve is forgotten");
}

/// RFC 7616 §3.5.
#[test]
fn the_next_nonce_is_taken() {
    let mut wallet = wallet(&["r"]);
    wallet.take(peer(), &response(&[("WWW-Authenticate", "Digest realm=\"r\", nonce=\"n\", qop=\"auth\"")]), Answered::No).unwrap();
    signed(&mut wallet);
    wallet.note(peer(), &response(&[("Authentication-Info", "qop=auth, rspauth=\"x\", nextnonce=\"n2\"")]));
    let answers = signed(&mut wallet);
    assert!(answers[0].contains("nonce=\"n2\"") && answers[0].contains("nc=00000001"), "{answers:?}");
}

#[test]
fn neither_password_nor_realm_breaks_out_of_its_quotes() {
    let mut wallet = wallet(&["a\"b\\c"]);
    wallet.take(peer(), &response(&[("WWW-Authenticate", "Digest realm=\"a\\\"b\\\\c\", nonce=\"n\\\"\"")]), Answered::No).unwrap();
    let answers = signed(&mut wallet);
    assert!(answers[0].contains("realm=\"a\\\"b\\\\c\", nonce=\"n\\\"\", uri="), "{answers:?}");
    assert!(!format!("{wallet:?}").contains("s3cret"), "the password does not print");
}

struct Door {
    guard: Guard,
    now: Instant,
}

const HOME: &str = "192.0.2.20";

fn home() -> IpAddr {
    HOME.parse().unwrap()
}

impl Door {
    fn new() -> Self {
        Self { guard: Guard::new(Secret::new([7; 32]), "nightbell".to_owned()), now: Instant::from_millis(10_000) }
    }

    fn asked(&mut self, keep: usize) -> Message {
        let challenges = self.guard.challenges(self.now, home(), &Verdict::Denied);
        response(&[("WWW-Authenticate", &challenges[keep])])
    }

    fn judge(&mut self, request: &Message, source: IpAddr) -> Verdict {
        self.guard.judge(self.now, source, request, |user| (user == "200").then_some("s3cret"))
    }

    /// A request that answers the challenge `keep`: 0 for SHA-256, 1 for MD5.
    fn answered(&mut self, keep: usize) -> (Wallet, Message) {
        let mut wallet = wallet(&["nightbell"]);
        wallet.take(peer(), &self.asked(keep), Answered::No).unwrap();
        let mut request = register();
        wallet.sign(peer(), &mut request, &mut Seed::new(3));
        (wallet, request)
    }
}

/// RFC 8760 §2.3: both are offered, and either serves.
#[test]
fn a_phone_passes_with_sha_256_and_with_md5() {
    let mut door = Door::new();
    let challenges = door.guard.challenges(door.now, home(), &Verdict::Denied);
    assert!(challenges[0].contains("algorithm=SHA-256") && challenges[1].contains("algorithm=MD5"));
    for keep in [0, 1] {
        let (_, request) = door.answered(keep);
        assert_eq!(door.judge(&request, home()), Verdict::Passed("200".to_owned()));
    }
}

/// RFC 7616 §5.5 and §5.12: an answer serves once, from where it was asked, for what it was made, while it is young.
#[test]
fn an_answer_serves_once_and_in_its_place() {
    let mut door = Door::new();
    let (mut wallet, request) = door.answered(0);
    assert_eq!(door.judge(&request, "192.0.2.99".parse().unwrap()), Verdict::Stale, "made for another address");
    assert_eq!(door.judge(&request, home()), Verdict::Passed("200".to_owned()));
    assert_eq!(door.judge(&request, home()), Verdict::Stale, "a replay is not let in");
    let mut other = Message::request(Method::Invite, b"sip:900@pbx.example".to_vec());
    other.headers = request.headers.clone();
    assert_eq!(door.judge(&other, home()), Verdict::Wrong, "an answer for REGISTER places no call");
    let mut late = register();
    wallet.sign(peer(), &mut late, &mut Seed::new(4));
    door.now += Duration::from_secs(301);
    assert_eq!(door.judge(&late, home()), Verdict::Stale);
    assert!(door.guard.challenges(door.now, home(), &Verdict::Stale)[0].ends_with(", stale=true"));
}

#[test]
fn counts_may_overtake_each_other_but_not_come_twice() {
    let mut door = Door::new();
    let (mut wallet, first) = door.answered(1);
    let later: Vec<Message> = (0..70)
        .map(|_| {
            let mut request = register();
            wallet.sign(peer(), &mut request, &mut Seed::new(5));
            request
        })
        .collect();
    assert!(matches!(door.judge(&later[2], home()), Verdict::Passed(_)));
    assert!(matches!(door.judge(&first, home()), Verdict::Passed(_)), "the first was only slower");
    assert_eq!(door.judge(&later[2], home()), Verdict::Stale);
    assert!(matches!(door.judge(&later[69], home()), Verdict::Passed(_)));
    assert_eq!(door.judge(&later[1], home()), Verdict::Stale, "too far behind to be told from a repeat");
    assert!(matches!(door.judge(&later[68], home()), Verdict::Passed(_)));
}

/// No oracle: who does not exist is refused as who has the wrong password.
#[test]
fn a_wrong_name_and_a_wrong_secret_look_the_same() {
    let mut door = Door::new();
    for (user, secret) in [("200", "wrong"), ("201", "s3cret"), ("", "")] {
        let credentials = Credentials { user: user.to_owned(), secret: Pii::new(secret.to_owned()), realms: vec!["nightbell".to_owned()] };
        let mut wallet = Wallet::new(credentials);
        wallet.take(peer(), &door.asked(0), Answered::No).unwrap();
        let mut request = register();
        wallet.sign(peer(), &mut request, &mut Seed::new(9));
        assert_eq!(door.judge(&request, home()), Verdict::Wrong);
        assert_eq!(door.judge(&request, "192.0.2.99".parse().unwrap()), Verdict::Denied, "a spoofed address is blamed for nothing");
    }
    assert_eq!(door.judge(&register(), home()), Verdict::Denied);
    assert_eq!(door.guard.remembered(), 0, "refusals leave nothing behind");
}

#[test]
fn a_nonce_of_somebody_elses_making_is_too_old() {
    let mut door = Door::new();
    let mut wallet = wallet(&["nightbell"]);
    let forged = response(&[(
        "WWW-Authenticate",
        "Digest realm=\"nightbell\", nonce=\"0000000a00000001ffffffffffffffffffffffffffffffff\", qop=\"auth\"",
    )]);
    wallet.take(peer(), &forged, Answered::No).unwrap();
    let mut request = register();
    wallet.sign(peer(), &mut request, &mut Seed::new(1));
    assert_eq!(door.judge(&request, home()), Verdict::Stale, "the secret is right, so the phone may answer again");
}

#[test]
fn the_memory_of_nonces_is_bounded_and_forgets_safely() {
    let mut door = Door::new();
    let (_, first) = door.answered(1);
    assert!(matches!(door.judge(&first, home()), Verdict::Passed(_)));
    for _ in 0..limits::SIP_NONCES_MAX {
        let (_, request) = door.answered(1);
        assert!(matches!(door.judge(&request, home()), Verdict::Passed(_)));
    }
    assert_eq!(door.guard.remembered(), limits::SIP_NONCES_MAX);
    assert_eq!(door.judge(&first, home()), Verdict::Stale, "what was forgotten cannot be replayed");
}

/// RFC 8760 §2.4: the challenges are those that were asked for, the stronger one first.
#[test]
fn a_door_offers_what_it_was_told_to() {
    let offered = |offered| {
        let mut guard = Guard::new(Secret::new([7; 32]), "nightbell".to_owned()).offering(offered);
        let challenges = guard.challenges(Instant::from_millis(10_000), home(), &Verdict::Denied);
        challenges.iter().map(|text| text.split("algorithm=").nth(1).unwrap().split(',').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(offered(Offered::Both), ["SHA-256", "MD5"]);
    assert_eq!((offered(Offered::Md5), offered(Offered::Sha256)), (vec!["MD5".to_owned()], vec!["SHA-256".to_owned()]));
}
