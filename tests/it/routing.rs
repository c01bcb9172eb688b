//! Routing and calling out: through the command line, and with telephones on loopback.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Output;
use std::time::Duration;

use nightbell::audio::tone_share;
use nightbell::base::Rate;
use nightbell::base::civil::{ToSpan as _, Zone};
use nightbell::base::clock::unix_millis;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::daemon::{Daemon, nightbell};
use crate::desk::{Desk, Sound, remote, talk, talk_until, tone};
use crate::phone;
use crate::ua::Ua;

const SOON: Duration = Duration::from_secs(10);

const CONFIG: &str = r#"[business]
name = "Lakeside"
time_zone = "America/Chicago"
[sip]
trusted = ["127.0.0.0/8"]
[store]
data = "data"
[people.office]
uri = "sip:office@127.0.0.1:5070"
[trunk.acme]
server = "sip:192.0.2.10"
number = "+13125550100"
destinations = ["+"]
[phones.desk]
user = "201"
secret_file = "desk.secret"
[hours.office]
monday = "9:00-18:00"
thursday = "9:00-18:00"
[holidays]
"Christmas Eve" = "12-24"
[outbound]
[agents]
folder = "AGENTS"
[[route]]
name = "outside"
phone = "*"
outside = true
[[route]]
name = "staff first"
to = "+13125550100"
open = "office"
first = "office"
agent = "leasing"
[[route]]
name = "holidays"
holiday = "*"
agent = "leasing"
[[route]]
name = "everything else"
agent = "tenants"
"#;

fn written(text: &str) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let agents = crate::daemon::root().join("config/demo/agents");
    let file = dir.path().join("nightbell.toml");
    std::fs::write(dir.path().join("desk.secret"), "a secret of its own\n").unwrap();
    std::fs::write(&file, text.replace("AGENTS", &agents.display().to_string())).unwrap();
    (dir, file)
}

fn built() -> bool {
    let there = std::path::Path::new(nightbell(&[]).get_program()).is_file();
    if !there {
        println!("skipped: the program is not built");
    }
    there
}

fn run(file: &std::path::Path, arguments: &[&str]) -> Output {
    nightbell(arguments).arg("--config").arg(file).output().unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn route_test_explains_every_decision_in_words() {
    if !built() {
        return;
    }
    let (_dir, file) = written(CONFIG);
    let test = |arguments: &[&str]| text(&run(&file, &[&["route-test"], arguments].concat()));
    let monday = test(&["--to", "312-555-0100", "--from", "2175550142", "--at", "2026-11-23 10:00", "--trunk", "acme"]);
    for words in ["Monday 2026-11-23 10:00", "staff first", "fits", "office rings first; if nobody answers, the agent \"leasing\" does"] {
        assert!(monday.contains(words), "{words}: {monday}");
    }
    let holiday = test(&["--to", "312-555-0100", "--at", "2026-12-24 18:00", "--trunk", "acme"]);
    for words in
        ["staff first (line 29) does not fit", "Christmas Eve is a holiday", "holidays (line 35) fits", "the agent \"leasing\" answers"]
    {
        assert!(holiday.contains(words), "{words}: {holiday}");
    }
    let outside = test(&["--to", "217 555 0142", "--phone", "desk"]);
    assert!(outside.contains("by trunk \"acme\" as +12175550142"), "{outside}");
    let island = test(&["--to", "876 555 0142", "--phone", "desk"]);
    assert!(island.contains("refused with 403") && island.contains("allow under [outbound]"), "{island}");
    let help = test(&["--to", "911", "--phone", "desk"]);
    assert!(help.contains("put through at once, before every rule") && help.contains("by trunk \"acme\" as 911"), "{help}");
    let wrong = run(&file, &["route-test", "--to", "1", "--at", "tomorrow"]);
    assert!(wrong.status.code() == Some(2) && text(&wrong).contains("2026-12-24 18:00"), "{}", text(&wrong));
}

#[test]
fn route_test_speaks_json() {
    if !built() {
        return;
    }
    let (_dir, file) = written(CONFIG);
    let output = run(&file, &["route-test", "--to", "7", "--at", "2026-11-24 03:00", "--json"]);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&told["decision"]["agent"], &told["rule"]), (&"tenants".into(), &"everything else".into()), "{told:#}");
    assert_eq!(told["looked_at"].as_array().unwrap().len(), 4);
    assert!(told["looked_at"][0]["why"].as_str().unwrap().contains("own phones"));
}

#[test]
fn calling_needs_the_daemon_and_the_lists_do_not() {
    if !built() {
        return;
    }
    let (dir, file) = written(CONFIG);
    let dial = run(&file, &["dial", "3125550142", "--agent", "leasing"]);
    assert!(dial.status.code() == Some(3) && text(&dial).contains("not running"), "{}", text(&dial));
    assert!(run(&file, &["dnc", "add", "(312) 555-0142"]).status.success());
    let listed = text(&run(&file, &["dnc", "list"]));
    assert!(listed.contains("+13125550142") && dir.path().join("do-not-call.txt").is_file(), "{listed}");
    assert_eq!(run(&file, &["dnc", "add", "nobody"]).status.code(), Some(2));
    assert!(run(&file, &["consents", "list"]).status.success());
}

/// A business whose one trunk is a telephone in the test's hand. People may be called around the present hour at the business.
fn house(trunk: &Desk) -> String {
    let here = Zone::named("America/Chicago").unwrap().at(unix_millis());
    let wall = |hours: i64| here.checked_add(hours.hours()).unwrap().strftime("%H:%M").to_string();
    let span = format!("{}-{}", wall(-2), wall(2));
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let week = days.map(|day| format!("{day} = \"{span}\"")).join("\n");
    let server = trunk.uri().replace("office@", "");
    let models = crate::daemon::root().join("models").display().to_string();
    format!(
        r#"[business]
name = "Lakeside Apartments"
time_zone = "America/Chicago"
[sip]
trusted = ["127.0.0.0/8"]
[store]
data = "data"
[engines]
models = {models:?}
[people.office]
uri = "sip:office@127.0.0.1:5070"
[trunk.acme]
server = "{server}"
number = "+13125550100"
number_format = "e164-no-plus"
destinations = ["+1"]
options_s = 0
[hours.calling]
{week}
[outbound]
hours = "calling"
cents_a_day = 30
minutes_max = 2
cents_a_minute = {{ "*" = 10 }}
calls_at_once = 5
[agents]
folder = "AGENTS"
[[route]]
to = "blocked"
reject = "nobody answers here any more"
status = 404
[[route]]
from = "+1773*"
agent = "tenants"
[[route]]
to = "leasing"
agent = "leasing"
"#
    )
}

fn start(trunk: &Desk) -> Option<(TempDir, Daemon)> {
    let (dir, file) = written(&house(trunk));
    Some((dir, Daemon::start_at(file, &["--sip", "127.0.0.1:0"])?))
}

/// The status and the JSON of a POST to /api/calls.
fn post(daemon: &Daemon, body: &Value) -> (u16, Value) {
    let mut stream = TcpStream::connect(daemon.http).unwrap();
    let body = body.to_string();
    let length = body.len();
    write!(
        stream,
        "POST /api/calls HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), serde_json::from_str(body).unwrap())
}

#[test]
fn wall_an_agent_calls_who_agreed_says_what_it_is_and_nobody_else_is_called() {
    let mut trunk = Desk::at("127.0.0.2:0");
    let Some((_dir, daemon)) = start(&trunk) else { return };
    let dial = |number: &str| daemon.say(&["dial", number, "--agent", "leasing", "--why", "callback"]);
    let agree = |number: &str| assert!(daemon.say(&["consents", "add", number, "--source", "web form"]).contains("on record"));
    assert!(dial("3125550142").contains("no consent to a callback call"), "{}", dial("3125550142"));
    assert!(dial("911").contains("emergency number"), "{}", dial("911"));
    assert!(dial("+442071234567").contains("dial plan does not allow"), "{}", dial("+442071234567"));
    for number in ["3125550142", "3125550143", "3125550144", "8085550142"] {
        agree(number);
    }
    let refused = |told: String, words: &str| assert!(told.contains("not called") && told.contains(words), "{words}: {told}");
    refused(dial("8085550142"), "outside the hours for calling");
    assert!(daemon.say(&["dnc", "add", "3125550143"]).contains("on the list"));
    refused(dial("3125550143"), "do-not-call list");
    let (status, answer) = post(&daemon, &json!({ "number": "3125550199", "agent": "leasing", "why": "lead" }));
    assert_eq!((status, &answer["refused"]), (409, &"no_consent".into()), "{answer}");
    assert_eq!(post(&daemon, &json!({ "number": "3125550199" })).0, 400);

    let (status, answer) = post(&daemon, &json!({ "number": "(312) 555-0142", "agent": "leasing", "why": "callback" }));
    assert_eq!(status, 202, "{answer}");
    let invite = talk_until(&mut [], SOON, "the trunk gets the call", || trunk.rings());
    assert!(invite.line().starts_with("INVITE sip:13125550142@127.0.0.2"), "{}", invite.text);
    assert!(invite.header("From").unwrap().contains("+13125550100"), "{}", invite.text);
    // Money for one call is set aside; for a second one there is not enough.
    refused(dial("3125550144"), "cents of 30");
    let mut sound = trunk.answer();
    talk(&mut [&mut sound], 1_500);
    assert_eq!(sound.loud_ms(), 0, "nothing is said before it is known who answered");
    talk(&mut [&mut sound], 6_000);
    assert!(sound.loud_ms() > 1_500, "then it speaks: {} ms", sound.loud_ms());
    trunk.bye();
    let call = daemon.last_call();
    assert_eq!(answer["call_id"], call.0["call_id"]);
    call.must("agent", "this is the AI assistant of Lakeside Apartments");
    call.must("agent", "You asked us for a call");
}

#[test]
fn wall_an_answering_machine_gets_a_message_after_its_beep() {
    let mut trunk = Desk::at("127.0.0.2:0");
    let Some((_dir, daemon)) = start(&trunk) else { return };
    daemon.say(&["consents", "add", "3125550142", "--source", "web form"]);
    assert!(daemon.say(&["dial", "3125550142", "--agent", "leasing"]).contains("calling"));
    talk_until(&mut [], SOON, "the trunk gets the call", || trunk.rings());
    let mut sound = trunk.answer();
    talk(&mut [&mut sound], 500);
    sound.tone = tone(1_000.0);
    talk(&mut [&mut sound], 400);
    assert_eq!(sound.loud_ms(), 0, "nothing is said into the beep");
    sound.tone = None;
    // It says its message and hangs up by itself.
    talk_until(&mut [&mut sound], Duration::from_secs(25), "it hangs up", || trunk.takes("BYE"));
    assert!(sound.loud_ms() > 1_500, "{} ms", sound.loud_ms());
    let call = daemon.last_call();
    call.must("agent", "Please call us when you have a moment");
    call.must_end("informed");
}

#[test]
fn wall_an_emergency_call_goes_out_at_once_and_the_owner_is_told() {
    let mut trunk = Desk::at("127.0.0.2:0");
    let Some((_dir, daemon)) = start(&trunk) else { return };
    let mut caller = Ua::new(daemon.sip);
    let offer = caller.offer("0 101", "a=rtpmap:101 telephone-event/8000\r\n");
    let invite = caller.request("INVITE", "Content-Type: application/sdp\r\n", &offer).replacen("sip:leasing@", "sip:911@", 1);
    caller.send(&invite);
    let rung = talk_until(&mut [], SOON, "the trunk gets the call", || trunk.rings());
    assert!(rung.line().starts_with("INVITE sip:911@127.0.0.2"), "{}", rung.text);
    let mut there = trunk.answer();
    let ok = caller.answer();
    assert_eq!(ok.status(), 200, "{}", ok.text);
    let ack = caller.request("ACK", "", "");
    caller.send(&ack);
    let mut here = Sound::new(caller.rtp.try_clone().unwrap(), Some(remote(&ok)), 5);
    here.tone = tone(440.0);
    there.tone = tone(880.0);
    talk(&mut [&mut here, &mut there], 1_500);
    assert!(tone_share(here.last(400), Rate::K8, 880.0) > 0.8, "the caller hears the other side");
    assert!(tone_share(there.last(400), Rate::K8, 440.0) > 0.8, "and is heard");
    let notice = daemon.status()["notices"][0].clone();
    assert_eq!(notice["kind"], "emergency_call");
    assert!(notice["text"].as_str().unwrap().contains("911"), "{notice}");
    caller.bye();
    talk_until(&mut [&mut there], SOON, "the other side is hung up", || trunk.takes("BYE"));
    let call = daemon.last_call();
    call.must_end("transferred");
    assert!(call.turns().is_empty(), "no agent had it: {call}");
}

#[test]
fn wall_routes_differ_by_number_and_caller_and_refuse_in_words() {
    let trunk = Desk::at("127.0.0.2:0");
    let Some((_dir, daemon)) = start(&trunk) else { return };
    phone::call(&daemon, "leasing", &["--from", "sip:+13125550199@127.0.0.1", "--linger", "0"]);
    assert_eq!(daemon.last_call().0["agent"], "leasing");
    phone::call(&daemon, "leasing", &["--from", "sip:7735550199@127.0.0.1", "--linger", "0"]);
    assert_eq!(daemon.last_call().0["agent"], "tenants");
    for (dialled, words) in [("blocked", "nobody answers here any more"), ("nothing", "no route for what was dialled")] {
        let mut ua = Ua::new(daemon.sip);
        let offer = ua.offer("0", "");
        let invite =
            ua.request("INVITE", "Content-Type: application/sdp\r\n", &offer).replacen("sip:leasing@", &format!("sip:{dialled}@"), 1);
        ua.send(&invite);
        let refusal = ua.answer();
        assert_eq!(refusal.status(), 404, "{}", refusal.text);
        let warning = refusal.header("Warning").unwrap();
        assert!(warning.starts_with("399 ") && warning.contains(words), "{warning}");
    }
}
