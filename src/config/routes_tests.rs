//! Routes, hours, emergency numbers and the rules of calling out: what is written is what is meant, and every mistake is told with its line.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::route::{Action, Choice, Dialled, Query, Via};

const RIGHT: &str = r#"[business]
name = "Lakeside"
time_zone = "America/Chicago"
country = "US"
outside_line = "9"
[sip]
trusted = ["127.0.0.0/8"]
[store]
data = "data"
[people.office]
uri = "sip:office@127.0.0.1:5070"
[trunk.acme]
server = "sip:192.0.2.10"
number = "+13125550100"
number_format = "e164-no-plus"
destinations = ["+"]
[trunk.spare]
server = "sip:192.0.2.11"
[phones.desk]
user = "201"
secret_file = "desk.secret"
[hours.office]
monday = "9:00-12:00, 13:00-18:00"
friday = "18:00-02:00"
[hours.office.on]
"2026-12-24" = "9:00-12:00"
[holidays]
Thanksgiving = "thanksgiving"
[lists]
vip = ["+17735550199", "+1217*"]
[emergency]
trunks = ["spare", "acme"]
caller_id = "+13125550111"
[outbound]
trunks = ["acme"]
allow = ["+1", "+44"]
deny = ["+1312555"]
attempts_a_day = 2
cents_a_day = 300
cents_a_minute = { "+1" = 2, "*" = 30 }
[[route]]
phone = "*"
to = ["2*", "leasing"]
agent = "leasing"
[[route]]
name = "outside"
phone = "desk"
outside = true
[[route]]
from = "@vip"
people = "office"
[[route]]
to = "+13125550100"
open = "office"
first = "office"
agent = "leasing"
[[route]]
holiday = "*"
reject = "we are closed today"
status = 480
[[route]]
to = "*"
agent = "tenants"
"#;

/// A folder with `text` as its configuration, and two agents.
fn written(text: &str) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/demo/agents");
    fs::create_dir(dir.path().join("agents")).unwrap();
    for file in fs::read_dir(demo).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), dir.path().join("agents").join(file.file_name())).unwrap();
    }
    fs::write(dir.path().join("desk.secret"), "a secret of its own\n").unwrap();
    let file = dir.path().join("nightbell.toml");
    fs::write(&file, text).unwrap();
    (dir, file)
}

fn problems(text: &str) -> Vec<(Option<usize>, String)> {
    let (_dir, file) = written(text);
    Config::load(&file).unwrap_err().problems.into_iter().map(|problem| (problem.line, problem.what)).collect()
}

fn chosen(config: &Config, dialled: &str, caller: &str, via: Via, local: &str) -> Choice {
    config.plan.decide(&Query { dialled, caller, via, local: local.parse().unwrap() }).choice
}

#[test]
fn routes_are_meant_as_written() {
    let (_dir, file) = written(RIGHT);
    let config = Config::load(&file).unwrap();
    let (acme, desk) = (|| Via::Trunk("acme".to_owned()), || Via::Phone("desk".to_owned()));
    let agent = |name: &str| Choice::Do(Action::Agent(name.to_owned()));
    let monday = "2026-11-23T10:00";
    assert_eq!(chosen(&config, "201", "desk", desk(), monday), agent("leasing"));
    assert_eq!(chosen(&config, "9 312 555 0142", "desk", desk(), monday), Choice::Do(Action::Outside));
    assert_eq!(chosen(&config, "9911", "desk", desk(), monday), Choice::Emergency("911".to_owned()));
    assert_eq!(chosen(&config, "3125550100", "2175550142", acme(), monday), Choice::Do(Action::People(vec!["office".to_owned()])));
    let first = Choice::Do(Action::First { people: vec!["office".to_owned()], agent: "leasing".to_owned() });
    assert_eq!(chosen(&config, "3125550100", "", acme(), monday), first);
    assert_eq!(chosen(&config, "3125550100", "", acme(), "2026-11-28T01:59"), first, "Friday's evening goes on");
    assert_eq!(chosen(&config, "3125550100", "", acme(), "2026-11-23T12:30"), agent("tenants"));
    let closed = Action::Reject { status: 480, words: "we are closed today".to_owned() };
    assert_eq!(chosen(&config, "3125550100", "", acme(), "2026-11-26T10:00"), Choice::Do(closed));
    assert_eq!(config.plan.rules[1].line, Some(45));
}

#[test]
fn the_dial_plan_and_the_rules_of_calling_out_are_meant_as_written() {
    let (dir, file) = written(RIGHT);
    let config = Config::load(&file).unwrap();
    let ways = |text: &str| {
        let ways = config.dial_plan.ways(&config.plan.book.country.read(text));
        ways.map(|ways| ways.into_iter().map(|way| format!("{} {}", way.trunk, way.user)).collect::<Vec<_>>())
    };
    assert_eq!(ways("7735550142").unwrap(), ["acme 17735550142"]);
    assert!(ways("3125550142").is_err() && ways("+4930123456").is_err() && ways("8765550142").is_err());
    let emergency = config.dial_plan.emergency_ways("911", None);
    let trunks: Vec<_> = emergency.iter().map(|way| (way.trunk.as_str(), way.caller.as_deref())).collect();
    assert_eq!(trunks, [("spare", Some("+13125550111")), ("acme", Some("+13125550111"))]);
    assert!(config.dial_plan.ways(&Dialled::Short("911".to_owned())).is_err(), "an agent calls no emergency number");
    let outbound = config.outbound.unwrap();
    assert_eq!((outbound.rules.attempts_a_day, outbound.rules.cents_a_day, outbound.rules.calls_at_once), (2, 300, 2));
    assert!(
        outbound.rules.hours.at("2026-11-22T08:00".parse().unwrap()).open
            && !outbound.rules.hours.at("2026-11-22T21:00".parse().unwrap()).open
    );
    assert_eq!(outbound.do_not_call, dir.path().join("do-not-call.txt"));
}

#[test]
fn without_outbound_nobody_calls_out_and_emergency_numbers_are_those_of_the_country() {
    let from = RIGHT.find("[emergency]").unwrap();
    let to = RIGHT.find("[[route]]").unwrap();
    let (_dir, file) = written(&format!("{}{}", &RIGHT[..from], &RIGHT[to..]).replace("\"US\"", "\"GB\""));
    let config = Config::load(&file).unwrap();
    assert!(config.outbound.is_none());
    assert_eq!(config.plan.book.emergency, ["999", "112"]);
    assert_eq!(config.dial_plan.emergency_ways("999", None).len(), 2, "every trunk is tried");
}

#[test]
fn every_mistake_is_told_at_once_with_its_line_and_what_to_write() {
    let wrong = RIGHT
        .replace("country = \"US\"", "country = \"Mars\"")
        .replace("monday = \"9:00-12:00, 13:00-18:00\"", "monday = \"9-12\"")
        .replace("\"2026-12-24\" = ", "\"24.12.\" = ")
        .replace("= \"thanksgiving\"", "= \"turkey day\"")
        .replace("\"+1217*\"", "\"@vip\"")
        .replace("trunks = [\"spare\", \"acme\"]", "trunks = [\"spar\"]")
        .replace("allow = [\"+1\", \"+44\"]", "allow = [\"44\"]")
        .replace("cents_a_minute = { \"+1\" = 2", "cents_a_minute = { \"one\" = 2")
        .replace("phone = \"*\"\n", "phone = \"attic\"\n")
        .replace("from = \"@vip\"", "from = \"@friends\"")
        .replace("open = \"office\"", "open = \"shop\"")
        .replace("first = \"office\"", "first = \"anna\"")
        .replace("holiday = \"*\"", "holiday = \"Easter\"")
        .replace("status = 480", "status = 200");
    let told = problems(&wrong);
    let lines: Vec<_> = told.iter().filter_map(|(line, _)| *line).collect();
    assert_eq!(lines, [4, 23, 26, 28, 30, 32, 36, 40, 42, 50, 54, 55, 58, 60], "{told:#?}");
    let words = told.iter().map(|(_, what)| what.as_str()).collect::<Vec<_>>().join("\n");
    for needed in [
        "US, CA, GB",
        "\"9:00-18:00\"",
        "2026-12-24",
        "easter+1",
        "another list",
        "[trunk.spar]",
        "[phones.attic]",
        "[lists] friends",
        "[hours.shop]",
        "[people.anna]",
        "[holidays]",
    ] {
        assert!(words.contains(needed), "{needed}: {words}");
    }
}

#[test]
fn a_route_does_one_thing_and_only_phones_are_let_out() {
    let with = |route: &str| problems(&format!("{RIGHT}[[route]]\n{route}\n"));
    for (route, words) in [
        ("to = \"x\"", "needs one of agent"),
        ("to = \"x\"\nagent = \"leasing\"\nreject = \"no\"", "needs one of agent"),
        ("to = \"x\"\noutside = true", "phone = \"*\""),
        ("to = \"x\"\nagent = \"leasing\"\nweekdays = \"someday\"", "\"monday\""),
        ("to = \"x\"\nagent = \"leasing\"\ndates = \"2026-12-24..2026-12-20\"", "2027-01-06"),
        ("to = 7\nagent = \"leasing\"", "a text, or a list of texts"),
        ("to = \"**\"\nagent = \"leasing\"", "\"+1312*\""),
    ] {
        let told = with(route);
        assert!(told.len() == 1 && told[0].0.is_some_and(|line| line >= 64) && told[0].1.contains(words), "{route}: {told:?}");
    }
}
