//! Whose a call is, how one goes out, and what the owner reads.

use std::path::Path;

use super::known::{Known, of_arrival};
use super::secrets;
use crate::base::{Instant, Pii};
use crate::config::{Config, Overrides};
use crate::sip::register::{RegistrationState, RegistrationTrouble};
use crate::sip::{AccountId, Arrival, Flow, HealthState, Party, SipCall};

fn trunks(text: &str) -> Vec<Known> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("secret"), "hush hush\nnot this\n").unwrap();
    let file = folder.path().join("nightbell.toml");
    let demo = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("config/demo/nightbell.toml")).unwrap();
    std::fs::write(&file, format!("{demo}\n{text}")).unwrap();
    let config = Config::settings(&file, &Overrides::default()).unwrap();
    let mut all: Vec<Known> = config.trunks.values().zip(1..).map(|(trunk, number)| Known::new(trunk.clone(), AccountId(number))).collect();
    for known in &mut all {
        assert_eq!(
            known.credentials().map(|credentials| credentials.secret),
            known.trunk.secret_file.as_ref().map(|_| Pii::new("hush hush".to_owned()))
        );
    }
    all
}

const TWO: &str = r#"
[trunk.first]
recipe = "provider"
server = "sip:sip.provider.example"
user = "13125550100"
secret_file = "secret"

[trunk.second]
recipe = "provider"
server = "sip:sip.provider.example"
user = "13125550200"
secret_file = "secret"

[trunk.third]
recipe = "generic-trunk"
server = "sip:198.51.100.9"
from = ["198.51.100.0/24"]
"#;

fn flow(remote: &str) -> Flow {
    Flow::udp("192.0.2.1:5060".parse().unwrap(), remote.parse().unwrap())
}

fn arrival(from: &str, dialled: &str, to_host: &str) -> Arrival {
    let party = |user: &str, host: &str| Pii::new(Box::new(Party { user: user.to_owned(), host: host.to_owned(), ..Party::default() }));
    Arrival {
        call: SipCall(1),
        flow: flow(from),
        from: party("3125550188", "caller.example"),
        asserted: None,
        is_private: false,
        to: party(dialled, to_host),
        request_user: Pii::new(dialled.to_owned()),
        request_host: "192.0.2.1".to_owned(),
        offer: None,
        call_id: "c".to_owned(),
        max_forwards: 70,
        diverted: Vec::new(),
        user_to_user: None,
        phone: None,
        replaces: None,
        headers: Vec::new(),
    }
}

#[test]
fn a_call_belongs_to_the_trunk_it_came_by() {
    let mut all = trunks(TWO);
    let of = |all: &[Known], arrival: &Arrival| of_arrival(all, arrival).map(|known| known.trunk.name.clone());
    assert_eq!(of(&all, &arrival("203.0.113.5:5060", "13125550200", "x")), None, "its address is not known yet");
    for known in all.iter_mut().take(2) {
        known.ways = vec![flow("203.0.113.5:5060"), flow("203.0.113.6:5060")];
    }
    assert_eq!(of(&all, &arrival("203.0.113.6:5060", "13125550200", "x")).as_deref(), Some("second"), "two accounts at one provider");
    assert_eq!(of(&all, &arrival("203.0.113.6:5060", "anything", "x")).as_deref(), Some("first"));
    assert_eq!(of(&all, &arrival("198.51.100.77:5080", "900", "x")).as_deref(), Some("third"), "by a network in from");
    assert_eq!(of(&all, &arrival("198.18.0.1:5060", "13125550200", "sip.provider.example")), None, "a name alone proves nothing");
    all[1].trunk.domain = "two.provider.example".to_owned();
    assert_eq!(of(&all, &arrival("203.0.113.5:5060", "anything", "TWO.provider.example")).as_deref(), Some("second"), "by the domain");
}

#[test]
fn a_trunk_that_is_down_says_why_and_what_to_change() {
    let mut all = trunks(TWO);
    let now = Instant::from_millis(10_000);
    let (first, third) = (0, 2);
    assert!(all[first].ways().unwrap_err().to_string().contains("its address is not known yet"));
    assert_eq!(all[first].status(now)["state"], "registering");
    all[first].ways = vec![flow("203.0.113.5:5060"), flow("203.0.113.6:5060")];
    let trouble = RegistrationTrouble::Forbidden { status: 403, reason: "Forbidden".to_owned() };
    all[first].registration = Some(RegistrationState::Failed { trouble, retry: Instant::from_millis(70_000) });
    let status = all[first].status(now);
    assert_eq!(
        status["trouble"],
        "the registrar answered 403 Forbidden: user or secret is wrong, or the account may not be used from here"
    );
    assert_eq!((status["state"].as_str(), status["next_try_in_s"].as_u64()), (Some("not registered"), Some(60)));
    assert!(!status.to_string().contains("hush") && !format!("{:?}", all[first]).contains("hush"), "the password shows nowhere");
    all[first].registration = Some(RegistrationState::Registered { flow: flow("203.0.113.6:5060"), until: Instant::from_millis(60_000) });
    let ways = all[first].ways().unwrap();
    assert_eq!(ways.iter().map(|way| way.flow).collect::<Vec<_>>(), [flow("203.0.113.6:5060"), flow("203.0.113.5:5060")]);
    assert_eq!(
        (ways[0].account, ways[0].domain.as_str(), ways[0].user.as_deref()),
        (Some(AccountId(1)), "sip.provider.example", Some("13125550100"))
    );

    all[third].ways = vec![flow("198.51.100.9:5060")];
    assert_eq!((all[third].ways().unwrap()[0].account, all[third].status(now)["state"].as_str()), (None, Some("not asked")));
    all[third].health = HealthState::Down;
    assert!(all[third].ways().unwrap_err().to_string().contains("check server, its port and its transport"));
    assert_eq!(all[third].status(now)["state"], "down");
}

#[test]
fn a_password_is_the_first_line_of_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("s");
    assert!(secrets::read(&file).unwrap_err().to_string().contains("cannot be read"));
    std::fs::write(&file, " \n").unwrap();
    assert!(secrets::read(&file).unwrap_err().to_string().contains("is empty"));
    std::fs::write(&file, "p\u{e4}ss word \r\nsecond").unwrap();
    assert_eq!(secrets::read(&file).unwrap(), "p\u{e4}ss word");
}
