//! Other people's telephones and proxies: baresip, linphone, Kamailio; and a browser that looks at the status page.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::baresip::Baresip;
use crate::daemon::Daemon;
use crate::kamailio::Kamailio;
use crate::linphone::{Linphone, Seat};
use crate::phone::has_voice;
use crate::sipp::installed;
use crate::sound::{heard_ms, loud_ms};
use crate::wait;

#[test]
fn wall_the_status_page_shows_the_workers() {
    let Some(daemon) = Daemon::start() else { return };
    let mut stream = TcpStream::connect(daemon.http).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    stream.write_all(format!("GET /status HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", daemon.http).as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
    assert!(answer.starts_with("HTTP/1.1 200") && body.contains("\"workers\""), "{answer}");
}

#[test]
fn wall_baresip_is_answered_and_hears_the_greeting() {
    if !installed("baresip", "-h") || !has_voice("espeak-ng") {
        return;
    }
    let Some(daemon) = Daemon::start() else { return };
    let mut phone = Baresip::call("<sip:3125550188@127.0.0.1>;regint=0;audio_codecs=pcma", &daemon.uri("leasing"), 0);
    phone.screen.must_say(Duration::from_secs(10), "Call established");
    wait::until(Duration::from_secs(20), "the greeting is in what baresip decoded", || (loud_ms(&phone.heard()) > 2_000).then_some(()));
    phone.screen.type_keys("q");
    let on_record = daemon.last_call();
    on_record.must_end("abandoned");
    on_record.must("agent", "AI assistant");
}

#[test]
fn wall_a_call_through_kamailio_keeps_its_route() {
    if !installed("baresip", "-h") || !installed("kamailio", "-v") {
        return;
    }
    let Some(daemon) = Daemon::start() else { return };
    let proxy = Kamailio::start("MD5", &daemon.sip.to_string());
    let account =
        format!("<sip:caller@127.0.0.1:{}>;regint=300;auth_user=caller;auth_pass=secret-of-caller;audio_codecs=pcma", proxy.plain);
    let mut phone = Baresip::call(&account, &format!("sip:leasing@127.0.0.1:{}", proxy.plain), 0);
    phone.screen.must_say(Duration::from_secs(10), "Call established");
    proxy.screen.must_say(Duration::from_secs(5), "SEEN ACK nightbell");
    wait::until(Duration::from_secs(20), "the greeting is heard", || (loud_ms(&phone.heard()) > 1_000).then_some(()));
    phone.screen.type_keys("q");
    proxy.screen.must_say(Duration::from_secs(5), "SEEN BYE nightbell");
    let on_record = daemon.last_call();
    on_record.must_end("abandoned");
    assert_eq!(on_record.0["from"], "caller", "{on_record}");
}

#[test]
fn wall_linphone_registers_calls_and_hears_at_kamailio() {
    // The desk phone of the other tests, and the proof that its ears work: no daemon in between.
    if !installed("linphonec", "-v") || !installed("kamailio", "-v") || !installed("baresip", "-h") {
        return;
    }
    let proxy = Kamailio::start("MD5", "127.0.0.1:9");
    let registrar = format!("sip:127.0.0.1:{}", proxy.plain);
    let seat = Seat { registrar: &registrar, user: "desk", secret: "secret-of-desk", realm: "office.test" };
    let mut desk = Linphone::start(&seat, 700);
    proxy.screen.must_say(Duration::from_secs(10), "JOINED desk by udp");
    let account =
        format!("<sip:caller@127.0.0.1:{}>;regint=300;auth_user=caller;auth_pass=secret-of-caller;audio_codecs=pcma", proxy.plain);
    let phone = Baresip::call(&account, &format!("sip:desk@127.0.0.1:{}", proxy.plain), 440);
    desk.must_ring(Duration::from_secs(10));
    desk.screen.type_line("answer");
    phone.screen.must_say(Duration::from_secs(10), "Call established");
    wait::until(Duration::from_secs(10), "linphone hears 440 Hz", || (heard_ms(&desk.heard(), 440) > 1_000).then_some(()));
    wait::until(Duration::from_secs(10), "baresip hears 700 Hz", || (heard_ms(&phone.heard(), 700) > 1_000).then_some(()));
}
