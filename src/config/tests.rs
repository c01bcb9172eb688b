//! What a wrong configuration says, and what the demonstration means.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::route::{Action, Choice, Query, Via};

const RIGHT: &str = r#"
[business]
name = "Lakeside"
time_zone = "America/Chicago"
[sip]
listen = ["udp:0.0.0.0:5060", "[::1]:5062"]
trusted = ["127.0.0.0/8", "::1"]
[store]
data = "data"
[people.office]
uri = "sip:office@127.0.0.1:5070"
[[route]]
to = "leasing"
agent = "leasing"
[[route]]
to = "*"
agent = "tenants"
"#;

/// A folder with `text` as its configuration, and two agents.
fn written(text: &str) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("agents")).unwrap();
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/demo/agents");
    for file in fs::read_dir(demo).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), dir.path().join("agents").join(file.file_name())).unwrap();
    }
    let file = dir.path().join("nightbell.toml");
    fs::write(&file, text).unwrap();
    (dir, file)
}

/// Who answers what is dialled on an ordinary Monday.
fn agent_for(config: &Config, dialled: &str) -> Option<String> {
    let query = Query { dialled, caller: "", via: Via::Peer, local: "2026-11-23T10:00".parse().unwrap() };
    match config.plan.decide(&query).choice {
        Choice::Do(Action::Agent(agent)) => Some(agent),
        _ => None,
    }
}

fn problems(text: &str) -> Vec<(Option<usize>, String)> {
    let (_dir, file) = written(text);
    Config::load(&file).unwrap_err().problems.into_iter().map(|problem| (problem.line, problem.what)).collect()
}

#[test]
fn what_is_written_is_what_is_meant() {
    let (dir, file) = written(RIGHT);
    let config = Config::load(&file).unwrap();
    assert_eq!(config.business.name, "Lakeside");
    let listen: Vec<String> = config.sip.listen.iter().map(ToString::to_string).collect();
    assert_eq!(listen, ["udp:0.0.0.0:5060", "udp:[::1]:5062"]);
    assert!(config.trusts("127.9.9.9".parse().unwrap()) && !config.trusts("192.0.2.1".parse().unwrap()));
    assert_eq!(config.store.data, dir.path().join("data"));
    assert!(!config.store.recording);
    assert_eq!((agent_for(&config, "LEASING"), agent_for(&config, "anything")), (Some("leasing".to_owned()), Some("tenants".to_owned())));
    assert_eq!(config.agents["leasing"].name(), "leasing");
    assert_eq!(config.people["office"].ring.as_secs(), 20);
}

#[test]
fn an_unknown_key_is_refused_with_its_line_and_what_to_write() {
    let told = problems(&RIGHT.replace("trusted =", "trustd =").replace("name =", "nmae ="));
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(told[0].0, Some(3));
    assert!(told[0].1.contains("unknown key \"nmae\"") && told[0].1.contains("name, time_zone"), "{told:?}");
    assert_eq!(told[1].0, Some(7));
    assert!(told[1].1.contains("listen, trusted, phones, strangers, advertised, user_agent"), "{told:?}");
    assert_eq!(problems(&format!("{RIGHT}\n[[route]]\nfom = \"x\"\n"))[0].0, Some(20));
    assert_eq!(problems(&format!("{RIGHT}\n[telephone]\n"))[0].0, Some(19));
}

#[test]
fn a_wrong_type_is_told_beside_the_others() {
    let told = problems(&RIGHT.replace("\"Lakeside\"", "7").replace("data = \"data\"", "data = \"data\"\nrecording = \"no\""));
    let lines: Vec<_> = told.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [Some(3), Some(10)], "{told:?}");
    assert!(told[1].1.contains("boolean"), "{told:?}");
}

#[test]
fn every_wrong_value_is_told_at_once() {
    let wrong = RIGHT
        .replace("America/Chicago", "Mars/Base")
        .replace("udp:0.0.0.0:5060", "wss:0.0.0.0:5060")
        .replace("127.0.0.0/8", "localhost")
        .replace("sip:office@127.0.0.1:5070", "office")
        .replace("agent = \"tenants\"", "agent = \"nobody\"");
    let wrong = format!("{wrong}[http]\nlisten = \"0.0.0.0:8080\"\n[media]\nports = \"21-20\"\n[engines]\npack = \"huge\"\n");
    let told = problems(&wrong);
    let lines: Vec<_> = told.iter().filter_map(|(line, _)| *line).collect();
    assert_eq!(lines, [4, 6, 7, 11, 17, 19, 21, 23], "{told:#?}");
    assert!(told[5].1.contains("127.0.0.1:8080"), "{told:?}");
}

#[test]
fn what_is_missing_is_told_by_name() {
    let told = problems("");
    let words: String = told.iter().map(|(_, what)| what.as_str()).collect::<Vec<_>>().join("\n");
    for needed in ["name =", "time_zone =", "trusted =", "data =", "[[route]]"] {
        assert!(words.contains(needed), "{needed}: {words}");
    }
}

#[test]
fn broken_syntax_shows_its_line_and_a_missing_file_its_name() {
    assert_eq!(problems("[business]\nname = \n")[0].0, Some(2));
    let told = Config::load(Path::new("nowhere/nightbell.toml")).unwrap_err().to_string();
    assert!(told.starts_with("nowhere/nightbell.toml: cannot be read"), "{told}");
}

#[test]
fn errors_are_printed_as_file_line_and_words() {
    let (dir, file) = written(&RIGHT.replace("time_zone", "timezone"));
    let told = Config::load(&file).unwrap_err().to_string();
    let file = dir.path().join("nightbell.toml");
    assert!(told.starts_with(&format!("{}:4: unknown key", file.display())), "{told}");
}

#[test]
fn the_command_line_stands_over_the_file() {
    let (_dir, file) = written(RIGHT);
    let over = |sip: &str| Overrides { sip: Some(sip.to_owned()), http: Some("127.0.0.1:0".to_owned()), data: Some("elsewhere".into()) };
    let config = Config::load_with(&file, &over("udp:127.0.0.1:5080")).unwrap();
    assert_eq!(config.sip.listen[0].to_string(), "udp:127.0.0.1:5080");
    assert_eq!((config.http.listen.port(), config.store.data), (0, PathBuf::from("elsewhere")));
    let refused = Config::load_with(&file, &over("5060")).unwrap_err().to_string();
    assert!(refused.starts_with("command line: \"5060\""), "{refused}");
}

#[test]
fn a_missing_agent_is_told_once_and_only_to_who_needs_it() {
    let wrong = RIGHT.replace("agent = \"leasing\"", "agent = \"nobody\"").replace("agent = \"tenants\"", "agent = \"nobody\"");
    let (_dir, file) = written(&wrong);
    let told = Config::load(&file).unwrap_err().problems;
    assert_eq!(told.iter().map(|problem| problem.line).collect::<Vec<_>>(), [Some(14)], "{told:?}");
    assert!(Config::settings(&file, &Overrides::default()).is_ok());
}

#[test]
fn an_agent_that_is_wrong_or_knows_nobody_is_told_at_its_route() {
    let (dir, file) = written(&RIGHT.replace("[people.office]", "[people.janitor]"));
    let agent = dir.path().join("agents/leasing.toml");
    fs::write(&agent, fs::read_to_string(&agent).unwrap().replacen("time_zone", "timezone", 1)).unwrap();
    let told = Config::load(&file).unwrap_err().problems;
    assert_eq!(told.iter().map(|problem| problem.line).collect::<Vec<_>>(), [Some(14), Some(17)], "{told:?}");
    assert!(told[0].what.contains("leasing.toml:") && told[0].what.contains("timezone"), "{told:?}");
    assert!(told[1].what.contains("[people.office]"), "{told:?}");
}

#[test]
fn the_demonstration_is_right() {
    let config = Config::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("config/demo/nightbell.toml")).unwrap();
    assert_eq!((agent_for(&config, "leasing").as_deref(), agent_for(&config, "tenants").as_deref()), (Some("leasing"), Some("tenants")));
    assert!(config.trusts("127.0.0.1".parse().unwrap()) && !config.trusts("203.0.113.9".parse().unwrap()));
    assert!(config.people.contains_key("office") && !config.store.recording);
}

#[test]
fn no_text_makes_the_reader_panic() {
    use proptest::prelude::*;
    proptest!(|(cut in 0..RIGHT.len(), noise in "[\\[\\]=\"a-z.{},0-9\n#]{0,40}")| {
        let text: String = RIGHT.chars().take(cut).chain(noise.chars()).chain(RIGHT.chars().skip(cut)).collect();
        let (raw, mut problems) = raw::read(&text);
        let meant = check::check(Path::new("nightbell.toml"), &text, &raw, check::Depth::Settings, &mut problems);
        prop_assert!(meant.is_some() || !problems.is_empty());
    });
}

#[test]
fn a_trunk_starts_from_its_recipe_and_says_what_it_lacks() {
    let (dir, file) = written(&format!(
        "{RIGHT}\n[trunk.pbx]\nrecipe = \"freepbx-extension\"\nserver = \"sip:pbx.example.com;transport=tcp\"\nuser = \"201\"\nsecret_file = \"pbx.secret\"\nexpires_s = 120\n\
         [phones.reception]\nuser = \"101\"\nsecret_file = \"pbx.secret\"\n"
    ));
    fs::write(dir.path().join("pbx.secret"), "secret\n").unwrap();
    let config = Config::load(&file).unwrap();
    let trunk = &config.trunks["pbx"];
    assert_eq!((trunk.register, trunk.expires_s, trunk.domain.as_str()), (true, 120, "pbx.example.com"));
    assert_eq!((trunk.realms.as_slice(), trunk.transfer), (&["asterisk".to_owned()][..], TransferBy::Refer));
    assert_eq!((config.phones["reception"].user.as_str(), config.phones["reception"].contacts_max), ("101", 3));

    let told = problems(&format!(
        "{RIGHT}\n[trunk.a]\nserver = \"pbx\"\nregister = true\n[trunk.b]\nrecipe = \"teapot\"\n[trunk.c]\nserver = \"sip:c\"\ntransfer = \"magic\"\n\
         destinations = [\"abc\"]\n[phones.x]\nuser = \"1\"\n"
    ));
    let lines: Vec<_> = told.iter().map(|(line, _)| line.unwrap()).collect();
    assert_eq!(lines, [19, 20, 23, 26, 27, 28], "{told:#?}");
    assert!(told.iter().any(|(_, what)| what.contains("freepbx-extension")), "{told:?}");
}

#[test]
fn strangers_meet_silence_unless_the_configuration_says_otherwise() {
    let said = |line: &str| {
        let (_dir, file) = written(&RIGHT.replace("[sip]\n", &format!("[sip]\n{line}\n")));
        Config::settings(&file, &Overrides::default())
    };
    assert_eq!(said("").unwrap().sip.strangers, crate::sip::Strangers::Silence);
    assert_eq!(said("strangers = \"refuse\"").unwrap().sip.strangers, crate::sip::Strangers::Refuse);
    assert!(said("strangers = \"challenge\"").unwrap_err().to_string().contains("\"silence\""));
}

#[test]
fn people_are_reached_at_one_place_alone_or_in_a_group() {
    let more = r#"
[people.anna]
name = "Anna"
uri = "sip:anna@127.0.0.1:5071"
ring_s = 15
brief = false
transfer = "bridge"
context = "user-to-user"
hours = { monday = "9:00-17:00", sunday = "closed" }
[people.all]
group = ["office", "anna"]
ring = "in-turn"
[people.mobile]
number = "+13125550188"
"#;
    let (_dir, file) = written(&format!("{RIGHT}{more}"));
    let config = Config::load(&file).unwrap();
    let anna = &config.people["anna"];
    assert_eq!((&anna.at, anna.briefing), (&At::One(Reach::Uri("sip:anna@127.0.0.1:5071".to_owned())), crate::call::Briefing::None));
    assert_eq!((anna.transfer, &anna.context), (TransferBy::Bridge, &Context::UserToUser));
    let hours = anna.hours.as_ref().unwrap();
    assert!(hours.open_at("2026-11-23T10:00".parse().unwrap()) && !hours.open_at("2026-11-24T10:00".parse().unwrap()));
    assert_eq!(config.people["all"].at.to_string(), "office, anna in turn");
    assert_eq!(config.people["office"].briefing, crate::call::Briefing::Spoken);
}

#[test]
fn people_who_cannot_be_reached_so_are_told() {
    for (more, wanted) in [
        ("[people.x]\nname = \"X\"\n", "needs uri"),
        ("[people.x]\nuri = \"sip:a@b\"\nnumber = \"123\"\n", "more than once"),
        ("[people.x]\nphone = \"desk\"\n", "[phones.desk]"),
        ("[people.x]\nnumber = \"call me\"\n", "no telephone number"),
        ("[people.x]\ngroup = [\"nobody\"]\n", "[people.nobody]"),
        ("[people.x]\ngroup = [\"x\"]\n", "is a group itself"),
        ("[people.x]\ngroup = [\"office\"]\nring = \"soon\"\n", "\"in-turn\""),
        ("[people.x]\nuri = \"sip:a@b\"\nring = \"together\"\n", "belongs to a group"),
        ("[people.x]\nuri = \"sip:a@b\"\nhours = { monday = \"9 to 5\" }\n", "no hours"),
        ("[people.x]\nuri = \"sip:a@b\"\nhours = { someday = \"9:00-17:00\" }\n", "no day"),
        ("[people.x]\nnumber = \"+13125550188\"\ntransfer = \"refer\"\n", "\"bridge\""),
    ] {
        let told = problems(&format!("{RIGHT}{more}"));
        assert!(told.len() == 1 && told[0].0.is_some() && told[0].1.contains(wanted), "{wanted}: {told:?}");
    }
}
