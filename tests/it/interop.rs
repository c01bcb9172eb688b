//! Behaviours of the signalling, each as a scenario that sipp plays against the daemon: tests/it/sipp/*.xml. docs/interop.md says which is which.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::Value;

use crate::cases::{
    ASKED_BY_KEY, BURST, CALLS_IN, Case, OVER_IPV6, OVER_TCP, PHONES, PHONES_WITH_MD5, Pair, RUNG_FIRST, Rung, STRANGERS, TRUNKS,
};
use crate::daemon::Daemon;
use crate::setup::Setup;
use crate::sipp::{self, Sipp, free_port, installed};
use crate::wait;

/// How many scenarios are played at once.
const AT_ONCE: usize = 6;

/// Does `work` with each of `all`, some at once; what went wrong comes back.
fn each<T: Sync>(all: &[T], work: impl Fn(&T) -> Result<(), String> + Sync) -> Vec<String> {
    let waiting = Mutex::new(all.iter());
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let next = waiting.lock().unwrap().next();
                    let Some(one) = next else { return };
                    if let Err(told) = work(one) {
                        wrong.lock().unwrap().push(told);
                    }
                }
            });
        }
    });
    wrong.into_inner().unwrap()
}

/// Compares what is on record with what `cases` say.
fn compare(recorded: &[Value], cases: &[Case]) -> Vec<String> {
    let wanted = |case: &Case| case.record.map(|(number, outcome)| (case.file, "from", number.to_owned(), outcome));
    differences(recorded, cases.iter().filter_map(wanted))
}

/// What is not on record as wanted: whose, by which field, its value, and the outcome.
fn differences<'a>(recorded: &[Value], wanted: impl Iterator<Item = (&'a str, &'a str, String, Option<&'a str>)>) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, field, value, outcome) in wanted {
        let calls = recorded.iter().filter(|call| call[field] == *value);
        let outcomes: Vec<_> = calls.map(|call| call["outcome"].as_str()).collect();
        let wanted: Vec<_> = outcome.iter().map(|outcome| Some(*outcome)).collect();
        if outcomes != wanted {
            wrong.push(format!("{name}: on record {outcomes:?}, wanted {wanted:?}"));
        }
    }
    wrong
}

/// The differences that are left once the last record had time to be written.
fn settled(daemon: &Daemon, compare: impl Fn(&[Value]) -> Vec<String>) -> Vec<String> {
    wait::within(Duration::from_secs(5), || compare(&daemon.calls_of(500)).is_empty().then_some(()));
    compare(&daemon.calls_of(500))
}

/// The daemon lives, and no call is left over in it.
fn must_be_empty(daemon: &mut Daemon) {
    assert!(daemon.is_alive());
    wait::until(Duration::from_secs(10), "no call is left over", || {
        daemon.status()["calls"].as_array().is_some_and(Vec::is_empty).then_some(())
    });
}

/// Plays and compares, and fails with everything that went wrong.
fn must_hold(daemon: &mut Daemon, to: SocketAddr, cases: &[Case]) {
    let mut wrong = each(cases, |case| Sipp::call(to, case.file, case.arguments).end());
    must_be_empty(daemon);
    wrong.extend(settled(daemon, |recorded| compare(recorded, cases)));
    assert!(wrong.is_empty(), "{} of {} scenarios:\n\n{}", wrong.len(), cases.len(), wrong.join("\n\n"));
}

#[test]
fn wall_sipp_calls_in_all_its_ways() {
    if !installed("sipp", "-v") {
        return;
    }
    let Some(mut daemon) = Daemon::start() else { return };
    let to = daemon.sip;
    must_hold(&mut daemon, to, CALLS_IN);
}

#[test]
fn wall_sipp_is_rung_before_the_agent_answers() {
    if installed("sipp", "-v") {
        must_hold_together(RUNG_FIRST);
    }
}

/// A box with telephones of its own that are asked for `digest`, one trunk, and everybody else a stranger.
fn neighbours(digest: &str) -> (Setup, u16) {
    let port = free_port();
    let setup = Setup::new(&format!(
        "[sip]\nlisten = [\"udp:127.0.0.1:{port}\", \"tcp:127.0.0.1:{port}\"]\ntrusted = [\"127.0.0.2\"]\nphones = [\"127.0.0.1\"]\ndigest = \"{digest}\"\n\
         [phones.desk]\nuser = \"desk\"\nsecret_file = \"desk.secret\"\n\
         [phones.kiosk]\nuser = \"kiosk\"\nsecret_file = \"desk.secret\"\n\
         [trunk.small]\nrecipe = \"generic-trunk\"\nserver = \"sip:127.0.0.5\"\nfrom = [\"127.0.0.5\"]\noptions_s = 0\ncalls_max = 1\n\
         [people.office]\nname = \"the office\"\nuri = \"sip:office@127.0.0.1:9\"\n\
         [[route]]\nto = \"leasing\"\nagent = \"leasing\"\n[[route]]\nto = \"closed\"\nreject = \"calls to this number are not taken\"\nstatus = 403\n\
         [hours.never]\nmonday = \"closed\"\n[[route]]\nto = \"by-hour\"\nclosed = \"never\"\nreject = \"we are closed now\"\nstatus = 480\n"
    ));
    setup.secret("desk.secret", "secret-of-desk");
    (setup, port)
}

#[test]
fn wall_sipp_is_a_telephone_a_stranger_and_a_trunk() {
    if !installed("sipp", "-v") {
        return;
    }
    let (setup, port) = neighbours("both");
    let Some(mut daemon) = Daemon::start_of(setup, &[]) else { return };
    let to = SocketAddr::from(([127, 0, 0, 1], port));
    must_hold(&mut daemon, to, PHONES);
    must_hold(&mut daemon, to, STRANGERS);
    must_hold(&mut daemon, to, TRUNKS);
}

#[test]
fn wall_sipp_registers_where_md5_is_asked_for() {
    if !installed("sipp", "-v") {
        return;
    }
    let (setup, port) = neighbours("md5");
    let Some(mut daemon) = Daemon::start_of(setup, &[]) else { return };
    must_hold(&mut daemon, SocketAddr::from(([127, 0, 0, 1], port)), PHONES_WITH_MD5);
}

#[test]
fn wall_sipp_comes_over_tcp_and_ipv6_and_in_a_burst() {
    if !installed("sipp", "-v") {
        return;
    }
    let port = free_port();
    let listen = ["udp:127.0.0.1", "tcp:127.0.0.1", "udp:[::1]", "tcp:[::1]"].map(|at| format!("\"{at}:{port}\"")).join(", ");
    let setup = Setup::new(&format!(
        "[sip]\nlisten = [{listen}]\ntrusted = [\"127.0.0.1\", \"::1\"]\n\
         [people.office]\nname = \"the office\"\nuri = \"sip:office@127.0.0.1:9\"\n[[route]]\nto = \"*\"\nagent = \"leasing\"\n"
    ));
    let Some(mut daemon) = Daemon::start_of(setup, &[]) else { return };
    must_hold(&mut daemon, SocketAddr::from(([127, 0, 0, 1], port)), OVER_TCP);
    must_hold(&mut daemon, SocketAddr::from((std::net::Ipv6Addr::LOCALHOST, port)), OVER_IPV6);
    must_hold(&mut daemon, SocketAddr::from(([127, 0, 0, 1], port)), BURST);
}

/// A configuration in which every pair has a number, an agent and a person of its own; and where each person is.
fn house_of(pairs: &[Pair]) -> (Setup, Vec<u16>) {
    let ports: Vec<u16> = pairs.iter().map(|_| free_port()).collect();
    let mut text = "[sip]\nlisten = [\"udp:127.0.0.1:0\"]\ntrusted = [\"127.0.0.0/8\"]\n".to_owned();
    let mut trunks = Vec::new();
    for (index, (pair, port)) in pairs.iter().zip(&ports).enumerate() {
        let name = number_of(index);
        let place = if pair.rung == Rung::FirstByTrunk {
            trunks.push(format!("\"{name}\""));
            write!(text, "[trunk.{name}]\nserver = \"sip:127.0.0.1:{port}\"\ndestinations = [\"+13125550{index:03}\"]\n{PASSWORD}")
                .unwrap();
            format!("number = \"+13125550{index:03}\"")
        } else {
            format!("uri = \"sip:{name}@127.0.0.1:{port}\"")
        };
        write!(text, "[people.{name}]\nname = \"the office\"\n{place}\n{}\n", pair.person).unwrap();
        let first = if pair.rung == Rung::Asked { String::new() } else { format!("first = \"{name}\"\n") };
        write!(text, "[[route]]\nto = \"{name}\"\n{first}agent = \"{name}\"\n").unwrap();
    }
    if !trunks.is_empty() {
        write!(text, "[outbound]\ntrunks = [{}]\n", trunks.join(", ")).unwrap();
    }
    let setup = Setup::new(&text);
    setup.secret("trunk.secret", "secret of the box");
    (0..pairs.len()).map(number_of).for_each(|name| setup.agent(&name, &name));
    (setup, ports)
}

/// What a trunk of these tests has besides its server: who we are there.
const PASSWORD: &str = "recipe = \"provider\"\nregister = false\nuser = \"nightbell\"\nsecret_file = \"trunk.secret\"\ndomain = \"office.test\"\noptions_s = 0\n";

/// What is dialled to play the pair at `index`.
fn number_of(index: usize) -> String {
    format!("pair{index}")
}

/// Plays both sides of each pair, and compares how the calls ended.
fn must_hold_together(pairs: &'static [Pair]) {
    let (setup, ports) = house_of(pairs);
    let Some(mut daemon) = Daemon::start_of(setup, &[]) else { return };
    let to = daemon.sip;
    let all: Vec<_> = pairs.iter().zip(ports).enumerate().collect();
    let mut wrong = each(&all, |(index, (pair, port))| {
        let other = free_port();
        let elsewhere = pair.elsewhere.map(|file| Sipp::answer(other, file, &[]));
        let called = Sipp::answer(*port, pair.called, &["-key", "elsewhere", &other.to_string()]);
        let caller = Sipp::call(to, pair.caller, &["-s", &number_of(*index)]).end();
        let called = called.end().and(elsewhere.map_or(Ok(()), Sipp::end));
        caller.and(called).map_err(|told| format!("{} with {}: {told}", pair.caller, pair.called))
    });
    must_be_empty(&mut daemon);
    let wanted = |(index, pair): (usize, &'static Pair)| (pair.called, "to", number_of(index), Some(pair.outcome));
    wrong.extend(settled(&daemon, |recorded| differences(recorded, pairs.iter().enumerate().map(wanted))));
    assert!(wrong.is_empty(), "{} of {} pairs:\n\n{}", wrong.len(), pairs.len(), wrong.join("\n\n"));
}

#[test]
fn wall_sipp_asks_for_people_who_take_it_or_do_not() {
    if installed("sipp", "-v") {
        must_hold_together(ASKED_BY_KEY);
    }
}

#[test]
fn every_scenario_is_played_and_is_in_the_book() {
    let book = std::fs::read_to_string(crate::daemon::root().join("docs/interop.md")).unwrap();
    let sources = ["callee.rs", "cases.rs", "interop.rs", "registrars.rs"]
        .map(|file| std::fs::read_to_string(crate::daemon::root().join("tests/it").join(file)).unwrap());
    let source = sources.concat();
    for entry in std::fs::read_dir(sipp::folder()).unwrap() {
        let name = entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned();
        assert!(source.contains(&format!("\"{name}\"")), "tests/it/sipp/{name}.xml is played by no test");
        assert!(book.contains(&format!("`{name}`")), "docs/interop.md does not say what {name} is");
    }
}
