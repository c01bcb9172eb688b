//! The box as a small business has it: a caller's telephone and a desk phone, both registered at it, and a person who takes the call or does not.

use std::time::Duration;

use crate::baresip::Baresip;
use crate::daemon::Daemon;
use crate::linphone::{Linphone, Seat};
use crate::setup::Setup;
use crate::sipp::installed;
use crate::sound::{heard_ms, loud_ms};
use crate::wait;

/// The caller's telephone, whose number is one that can be called back.
const CALLER: &str = "3125550188";

/// What the caller's telephone sends, and what the desk phone sends.
const CALLER_HZ: u16 = 440;
const DESK_HZ: u16 = 700;

/// A box with two telephones of its own, which are asked for `digest`.
fn house(digest: &str) -> Option<Daemon> {
    if !installed("baresip", "-h") || !installed("linphonec", "-v") {
        return None;
    }
    let setup = Setup::new(&format!(
        "[sip]\nlisten = [\"udp:127.0.0.1:0\"]\ntrusted = [\"127.0.0.2\"]\nphones = [\"127.0.0.1\"]\ndigest = \"{digest}\"\n\
         [phones.front]\nuser = \"{CALLER}\"\nsecret_file = \"front.secret\"\n[phones.desk]\nuser = \"desk\"\nsecret_file = \"desk.secret\"\n\
         [people.office]\nname = \"the office\"\nphone = \"desk\"\nring_s = 20\n[[route]]\nto = \"leasing\"\nagent = \"leasing\"\n"
    ));
    setup.secret("front.secret", "front-and-door");
    setup.secret("desk.secret", "desk-and-chair");
    Daemon::start_of(setup, &[])
}

/// The desk phone, registered.
fn desk_at(daemon: &Daemon) -> Linphone {
    let registrar = format!("sip:{}", daemon.sip);
    let desk = Linphone::start(&Seat { registrar: &registrar, user: "desk", secret: "desk-and-chair", realm: "nightbell" }, DESK_HZ.into());
    wait::until(Duration::from_secs(15), "the desk phone is registered", || {
        (daemon.status()["phones"]["desk"]["state"] == "registered").then_some(())
    });
    desk
}

/// The box, the desk phone registered at it, and the caller in a call with the agent.
fn office() -> Option<(Daemon, Linphone, Baresip)> {
    // baresip 1.0 gives up at a challenge for SHA-256, even where one for MD5 stands beside it.
    let daemon = house("md5")?;
    let desk = desk_at(&daemon);
    let account = format!("<sip:{CALLER}@{}>;regint=300;auth_user={CALLER};auth_pass=front-and-door;audio_codecs=pcma", daemon.sip);
    let caller = Baresip::call(&account, &daemon.uri("leasing"), CALLER_HZ.into());
    caller.screen.must_say(Duration::from_secs(10), "Call established");
    wait::until(Duration::from_secs(20), "the agent greets the caller", || (loud_ms(&caller.heard()) > 1_000).then_some(()));
    Some((daemon, desk, caller))
}

#[test]
fn wall_a_caller_asks_for_a_person_who_hears_the_brief_presses_1_and_the_two_talk() {
    let Some((daemon, mut desk, mut caller)) = office() else { return };
    caller.screen.type_keys("0");
    desk.must_ring(Duration::from_secs(20));
    assert_eq!(heard_ms(&desk.heard(), CALLER_HZ), 0, "nothing of the caller is heard before the call is taken");
    desk.screen.type_line("answer");
    wait::until(Duration::from_secs(15), "the desk phone hears the brief", || (loud_ms(&desk.heard()) > 2_000).then_some(()));
    assert_eq!(heard_ms(&desk.heard(), CALLER_HZ), 0, "the brief is for the person alone");
    assert_eq!(heard_ms(&caller.heard(), DESK_HZ), 0, "the person is not heard before having taken the call");
    desk.screen.type_line("1");
    wait::until(Duration::from_secs(15), "the desk phone hears the caller", || (heard_ms(&desk.heard(), CALLER_HZ) > 1_000).then_some(()));
    wait::until(Duration::from_secs(15), "the caller hears the desk phone", || (heard_ms(&caller.heard(), DESK_HZ) > 1_000).then_some(()));
    caller.screen.type_keys("q");
    desk.screen.must_say(Duration::from_secs(10), "ended");
    let on_record = daemon.last_call();
    on_record.must_end("transferred");
    on_record.must("agent", "putting you through");
    assert_eq!(on_record.receipts(), ["transferred"], "{on_record}");
}

#[test]
fn wall_a_desk_phone_that_declines_leaves_the_caller_with_a_callback() {
    let Some((daemon, mut desk, mut caller)) = office() else { return };
    caller.screen.type_keys("0");
    desk.must_ring(Duration::from_secs(20));
    let before = loud_ms(&caller.heard());
    desk.screen.type_line("terminate");
    wait::until(Duration::from_secs(20), "the caller is told what happens next", || {
        (loud_ms(&caller.heard()) > before + 2_000).then_some(())
    });
    caller.screen.type_keys("q");
    let on_record = daemon.last_call();
    on_record.must_end("callback");
    assert_eq!(on_record.receipts(), ["callback"], "{on_record}");
}

#[test]
fn wall_linphone_joins_where_sha_256_is_asked_for_first_or_alone() {
    for digest in ["both", "sha-256"] {
        let Some(daemon) = house(digest) else { return };
        drop(desk_at(&daemon));
    }
}
