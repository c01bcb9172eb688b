//! Put through by the box itself: the person's telephone rings, hears who calls, takes the caller by a key, and the two talk.

use std::time::Duration;

use nightbell::audio::tone_share;
use nightbell::base::Rate;

use crate::daemon::{Call, Daemon};
use crate::desk::{Desk, Sound, caller, response, talk, talk_until, tone};
use crate::phone::Phone;
use crate::ua::{Message, Ua};

/// How long words, synthesis and the transfer's beginning may take.
const SOON: Duration = Duration::from_secs(25);

fn people(desks: &[(&str, &Desk)], more: &str) -> String {
    let each = |(name, desk): &(&str, &Desk)| format!("[people.{name}]\nname = \"the {name}\"\nuri = \"{}\"\nring_s = 8\n", desk.uri());
    let mut toml: Vec<String> = desks.iter().map(each).collect();
    toml.push(more.to_owned());
    toml.concat()
}

/// The caller presses 0; their telephone does not know REFER.
fn ask_for_a_person(ua: &mut Ua, sound: &mut Sound) {
    talk(&mut [sound], 1_500);
    sound.press(0);
    sound.heard.clear();
    let refer = talk_until(&mut [sound], SOON, "the daemon asks our side to call the office", || request(ua, "REFER"));
    assert!(sound.loud_ms() > 600, "words come before the transfer: {} ms", sound.loud_ms());
    ua.send(&response(&refer, "405 Method Not Allowed", "hand", "Allow: INVITE, ACK, BYE, CANCEL\r\n", ""));
}

fn request(ua: &Ua, method: &str) -> Option<Message> {
    ua.next(Duration::ZERO).filter(|message| message.line().starts_with(method))
}

fn rung(desk: &mut Desk, sound: &mut Sound) -> Message {
    talk_until(&mut [sound], SOON, "the person's telephone rings", || desk.rings())
}

/// Listens to the brief until nothing was said for a while; how long it spoke.
fn hear_the_brief(desk: &mut Sound, caller: &mut Sound) -> usize {
    talk_until(&mut [desk, caller], SOON, "the brief begins", || None::<()>.or(Some(())));
    let mut quiet = 0;
    for _ in 0..250 {
        let before = desk.loud_ms();
        talk(&mut [desk, caller], 100);
        quiet = if desk.loud_ms() > before { 0 } else { quiet + 1 };
        if desk.loud_ms() > 2_000 && quiet > 12 {
            return desk.loud_ms();
        }
    }
    panic!("the person hears no brief: {} ms", desk.loud_ms());
}

#[test]
fn wall_a_person_hears_the_brief_presses_1_and_the_two_talk() {
    let mut desk = Desk::new();
    let Some(daemon) = Daemon::start_with_people(&people(&[("office", &desk)], "")) else { return };
    let (mut ua, mut sound) = caller(daemon.sip);
    ask_for_a_person(&mut ua, &mut sound);
    let invite = rung(&mut desk, &mut sound);
    assert!(invite.header("From").unwrap().contains("3125550188"), "the person sees who calls: {}", invite.text);
    sound.heard.clear();
    talk(&mut [&mut sound], 6_200);
    let rings = sound.heard.chunks(800).filter(|piece| tone_share(piece, Rate::K8, 440.0) + tone_share(piece, Rate::K8, 480.0) > 0.8);
    let rings = rings.count();
    assert!((10..=45).contains(&rings), "the caller hears it ring, two seconds of six: {rings} tenths");
    let mut other = desk.answer();
    let told = hear_the_brief(&mut other, &mut sound);
    assert!((3_000..25_000).contains(&told), "{told} ms of brief");
    other.press(1);
    (sound.tone, other.tone) = (tone(1_000.0), tone(1_600.0));
    talk(&mut [&mut sound, &mut other], 3_000);
    let (at_caller, at_desk) = (tone_share(sound.last(1_000), Rate::K8, 1_600.0), tone_share(other.last(1_000), Rate::K8, 1_000.0));
    assert!(at_caller > 0.9 && at_desk > 0.9, "each hears the other and nothing else: {at_caller} {at_desk}");
    sound.press(7);
    talk(&mut [&mut sound, &mut other], 600);
    assert_eq!(other.keys, [7], "keys belong to the people now");
    desk.bye();
    let bye = talk_until(&mut [&mut sound], SOON, "the caller's call ends with the person's", || request(&ua, "BYE"));
    assert!(bye.header("Reason").is_some_and(|reason| reason.contains("Desk down")), "the reason is passed on: {}", bye.text);
    ua.send(&response(&bye, "200 OK", "hand", "", ""));
    let on_record = daemon.last_call();
    println!("{on_record}");
    on_record.must_end("transferred");
}

/// A caller who asks in words, with a telephone that refuses REFER; what the person does is `desk`'s part.
fn ask_in_words(daemon: &Daemon, mut at_the_desk: impl FnMut()) -> Call {
    let arguments = [
        "--from",
        "3125550188",
        "--say",
        "I want to talk to a real person please.",
        "--say",
        "No, thank you. Goodbye.",
        "--on-refer",
        "decline",
    ];
    let phone = Phone::call(daemon, "leasing", &arguments);
    at_the_desk();
    let heard = phone.finish(Duration::from_mins(4));
    let on_record = daemon.last_call();
    println!("{on_record}\n{:#}", heard.report);
    on_record
}

fn must_be_called_back(on_record: &Call) {
    on_record.must("agent", "nobody could take the call");
    on_record.must_end("callback");
    assert_eq!(on_record.receipts(), ["callback"], "{on_record}");
}

#[test]
fn wall_a_person_who_presses_2_leaves_the_caller_with_a_callback() {
    let mut desk = Desk::new();
    let Some(daemon) = Daemon::start_with_people(&people(&[("office", &desk)], "")) else { return };
    let on_record = ask_in_words(&daemon, || {
        talk_until(&mut [], Duration::from_mins(1), "the desk rings", || desk.rings());
        let mut sound = desk.answer();
        talk(&mut [&mut sound], 4_000);
        assert!(sound.loud_ms() > 1_000, "the brief is heard: {} ms", sound.loud_ms());
        sound.press(2);
        let bye = talk_until(&mut [&mut sound], SOON, "the desk's call ends", || desk.takes("BYE"));
        assert!(bye.header("Reason").is_some_and(|reason| reason.contains("cause=21")), "{}", bye.text);
    });
    must_be_called_back(&on_record);
}

#[test]
fn wall_a_telephone_that_nobody_answers_stops_ringing_and_the_caller_is_called_back() {
    let mut desk = Desk::new();
    let Some(daemon) = Daemon::start_with_people(&people(&[("office", &desk)], "")) else { return };
    let (mut ua, mut sound) = caller(daemon.sip);
    ask_for_a_person(&mut ua, &mut sound);
    rung(&mut desk, &mut sound);
    let cancel = talk_until(&mut [&mut sound], Duration::from_secs(12), "it stops after ring_s", || desk.takes("CANCEL"));
    assert!(cancel.header("Reason").is_some_and(|reason| reason.contains("cause=19")), "{}", cancel.text);
    sound.heard.clear();
    talk(&mut [&mut sound], 8_000);
    assert!(sound.loud_ms() > 2_000, "the caller is told what happens next: {} ms", sound.loud_ms());
    // The number that the network showed is the right one.
    sound.press(1);
    talk(&mut [&mut sound], 5_000);
    ua.bye();
    must_be_called_back(&daemon.last_call());
}

#[test]
fn wall_of_a_group_one_has_the_call_and_the_others_stop_ringing() {
    let (mut anna, mut ben) = (Desk::new(), Desk::new());
    let group = "[people.office]\ngroup = [\"anna\", \"ben\"]\nring = \"together\"\n";
    let Some(daemon) = Daemon::start_with_people(&people(&[("anna", &anna), ("ben", &ben)], group)) else { return };
    let (mut ua, mut sound) = caller(daemon.sip);
    talk(&mut [&mut sound], 1_500);
    sound.press(0);
    rung(&mut anna, &mut sound);
    rung(&mut ben, &mut sound);
    let mut other = ben.answer();
    talk(&mut [&mut sound, &mut other], 3_000);
    other.press(1);
    let cancel = talk_until(&mut [&mut sound, &mut other], SOON, "the other stops ringing", || anna.takes("CANCEL"));
    assert!(
        cancel.header("Reason").is_some_and(|reason| reason.contains("SIP;cause=200") && reason.contains("elsewhere")),
        "{}",
        cancel.text
    );
    (sound.tone, other.tone) = (tone(1_000.0), tone(1_600.0));
    talk(&mut [&mut sound, &mut other], 1_500);
    assert!(tone_share(sound.last(500), Rate::K8, 1_600.0) > 0.9, "the caller talks to who took the call");
    ua.bye();
    talk_until(&mut [&mut other], SOON, "the person's call ends with the caller's", || ben.takes("BYE"));
    daemon.last_call().must_end("transferred");
}

#[test]
fn wall_a_caller_who_hangs_up_leaves_no_telephone_ringing() {
    let mut desk = Desk::new();
    let more = "transfer = \"bridge\"\ncontext = \"user-to-user\"\n";
    let Some(daemon) = Daemon::start_with_people(&people(&[("office", &desk)], more)) else { return };
    let (mut ua, mut sound) = caller(daemon.sip);
    talk(&mut [&mut sound], 1_500);
    sound.press(0);
    let invite = rung(&mut desk, &mut sound);
    let context = invite.header("User-to-User").unwrap_or_else(|| panic!("the context travels along: {}", invite.text));
    assert!(context.ends_with(";encoding=hex") && context.starts_with("63616c6c3d"), "{context}");
    ua.bye();
    talk_until(&mut [], SOON, "the telephone stops ringing", || desk.takes("CANCEL"));
    daemon.last_call().must_end("abandoned");
}

#[test]
fn wall_a_busy_person_is_a_truthful_no() {
    let mut desk = Desk::new();
    let Some(daemon) = Daemon::start_with_people(&people(&[("office", &desk)], "transfer = \"bridge\"\n")) else { return };
    let on_record = ask_in_words(&daemon, || {
        talk_until(&mut [], Duration::from_mins(1), "the desk rings", || desk.rings());
        desk.refuse("486 Busy Here");
    });
    must_be_called_back(&on_record);
}

#[test]
fn wall_a_person_passes_the_caller_on_to_another() {
    let (mut anna, mut ben) = (Desk::new(), Desk::new());
    let bridge = format!("transfer = \"bridge\"\nbrief = false\n[people.ben]\nuri = \"{}\"\n", ben.uri());
    let Some(daemon) = Daemon::start_with_people(&people(&[("office", &anna)], &bridge)) else { return };
    let (mut ua, mut sound) = caller(daemon.sip);
    talk(&mut [&mut sound], 1_500);
    sound.press(0);
    rung(&mut anna, &mut sound);
    let mut first = anna.answer();
    sound.tone = tone(1_000.0);
    talk(&mut [&mut sound, &mut first], 1_500);
    assert!(tone_share(first.last(500), Rate::K8, 1_000.0) > 0.9, "without a brief the answer is enough");
    anna.refer(&ben.uri());
    rung(&mut ben, &mut sound);
    let mut second = ben.answer();
    second.tone = tone(1_600.0);
    let (mut told, mut left) = (Vec::new(), false);
    talk_until(&mut [&mut sound, &mut first, &mut second], SOON, "who passes a caller on is told how it goes, and let go", || {
        let message = anna.poll()?;
        if message.line().starts_with("NOTIFY") || message.line().starts_with("BYE") {
            anna.ok(&message);
        }
        told.extend(message.text.lines().last().filter(|line| line.starts_with("SIP/2.0 ")).map(str::to_owned));
        left |= message.line().starts_with("BYE");
        left.then_some(())
    });
    assert!(told.iter().any(|line| line.starts_with("SIP/2.0 200")), "{told:?}");
    talk(&mut [&mut sound, &mut second], 1_500);
    let (at_caller, at_ben) = (tone_share(sound.last(500), Rate::K8, 1_600.0), tone_share(second.last(500), Rate::K8, 1_000.0));
    assert!(at_caller > 0.9 && at_ben > 0.9, "the caller talks to the other person: {at_caller} {at_ben}");
    ua.bye();
    daemon.last_call().must_end("transferred");
}

#[test]
fn wall_people_first_and_the_agent_when_nobody_takes_the_call() {
    let mut desk = Desk::new();
    let route = "to = \"leasing\"\nfirst = [\"office\"]";
    let Some(daemon) = Daemon::start_with_route(&people(&[("office", &desk)], ""), route) else { return };
    let invite = |ua: &mut Ua| {
        let offer = ua.offer("0 101", "a=rtpmap:101 telephone-event/8000\r\n");
        let invite = ua.request("INVITE", "Content-Type: application/sdp\r\n", &offer);
        ua.send(&invite);
    };
    let mut ua = Ua::new(daemon.sip);
    invite(&mut ua);
    talk_until(&mut [], SOON, "the caller's side hears it ring", || request(&ua, "SIP/2.0 180"));
    talk_until(&mut [], SOON, "the desk rings first", || desk.rings());
    desk.refuse("486 Busy Here");
    let ok = ua.answer();
    let mut sound = Sound::new(ua.rtp.try_clone().unwrap(), Some(crate::desk::remote(&ok)), 9);
    let ack = ua.request("ACK", "", "");
    ua.send(&ack);
    talk(&mut [&mut sound], 9_000);
    assert!(sound.loud_ms() > 3_000, "the agent greets: {} ms", sound.loud_ms());
    ua.bye();
    daemon.last_call().must("agent", "nobody could take the call");

    let mut ua = Ua::new(daemon.sip);
    invite(&mut ua);
    talk_until(&mut [], SOON, "the desk rings again", || desk.rings());
    let mut other = desk.answer();
    talk(&mut [&mut other], 2_500);
    assert!(other.loud_ms() > 500, "the person hears who calls: {} ms", other.loud_ms());
    other.press(1);
    let ok = ua.answer();
    assert_eq!(ok.status(), 200, "{}", ok.text);
    let mut sound = Sound::new(ua.rtp.try_clone().unwrap(), Some(crate::desk::remote(&ok)), 9);
    let ack = ua.request("ACK", "", "");
    ua.send(&ack);
    other.tone = tone(1_600.0);
    talk(&mut [&mut sound, &mut other], 1_500);
    assert!(tone_share(sound.last(500), Rate::K8, 1_600.0) > 0.9, "the person has the caller, and no agent speaks");
    desk.bye();
    talk_until(&mut [&mut sound], SOON, "and the call ends with theirs", || request(&ua, "BYE"));
    daemon.last_call().must_end("transferred");
}
