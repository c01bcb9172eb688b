//! Routing and calling out: through the command line, and with telephones on loopback.

use std::path::PathBuf;
use std::process::Output;

use serde_json::Value;
use tempfile::TempDir;

use crate::daemon::nightbell;

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
        ["staff first (line 32) does not fit", "Christmas Eve is a holiday", "holidays (line 38) fits", "the agent \"leasing\" answers"]
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
