//! The box as one who registers: at registrars that sipp plays, and at Kamailio over TLS.

use std::fmt::Write as _;
use std::time::Duration;

use crate::baresip::Baresip;
use crate::daemon::Daemon;
use crate::kamailio::Kamailio;
use crate::setup::Setup;
use crate::sipp::{Sipp, free_port, installed};
use crate::sound::loud_ms;
use crate::wait;

/// A registrar: its scenario, and what `nightbell status` says of the trunk in the end.
struct Registrar {
    file: &'static str,
    state: &'static str,
}

const REGISTRARS: &[Registrar] = &[
    Registrar { file: "registrar-md5", state: "registered" },
    Registrar { file: "registrar-sha256", state: "registered" },
    Registrar { file: "registrar-brief", state: "registered" },
    Registrar { file: "registrar-refresh", state: "registered" },
    Registrar { file: "registrar-no", state: "not registered" },
    Registrar { file: "registrar-stranger", state: "not registered" },
];

/// A trunk that registers as `nightbell` in `office.test`.
fn trunk(name: &str, servers: &str) -> String {
    format!(
        "[trunk.{name}]\nrecipe = \"generic-register\"\nservers = [{servers}]\nuser = \"nightbell\"\nsecret_file = \"trunk.secret\"\n\
         domain = \"office.test\"\noptions_s = 0\n"
    )
}

const LISTENERS: &str = "[sip]\nlisten = [\"udp:127.0.0.1:0\"]\ntrusted = [\"127.0.0.1\"]\n";
const PEOPLE_AND_ROUTES: &str =
    "[people.office]\nname = \"the office\"\nuri = \"sip:office@127.0.0.1:9\"\n[[route]]\nto = \"*\"\nagent = \"leasing\"\n";

#[test]
fn wall_sipp_is_registrar_in_all_its_ways() {
    if !installed("sipp", "-v") {
        return;
    }
    let mut text = LISTENERS.to_owned();
    let mut playing = Vec::new();
    for registrar in REGISTRARS {
        let port = free_port();
        text.push_str(&trunk(registrar.file, &format!("\"sip:127.0.0.1:{port}\"")));
        playing.push(Sipp::answer(port, registrar.file, &[]));
    }
    let (full, second) = (free_port(), free_port());
    text.push_str(&trunk("registrar-full", &format!("\"sip:127.0.0.1:{full}\", \"sip:127.0.0.1:{second}\"")));
    playing.extend([Sipp::answer(full, "registrar-full", &[]), Sipp::answer(second, "registrar-second", &[])]);
    let asked = free_port();
    write!(text, "[trunk.registrar-options]\nrecipe = \"generic-trunk\"\nserver = \"sip:127.0.0.1:{asked}\"\noptions_s = 2\n").unwrap();
    playing.push(Sipp::answer(asked, "registrar-options", &[]));
    let setup = Setup::new(&(text + PEOPLE_AND_ROUTES));
    setup.secret("trunk.secret", "secret of the box");
    let Some(daemon) = Daemon::start_of(setup, &[]) else { return };
    let wrong: Vec<_> = playing.into_iter().filter_map(|sipp| sipp.end().err()).collect();
    assert!(wrong.is_empty(), "{}\n{:#}", wrong.join("\n\n"), daemon.status()["trunks"]);
    let trunks = daemon.status()["trunks"].clone();
    for registrar in REGISTRARS {
        assert_eq!(trunks[registrar.file]["state"], registrar.state, "{}: {trunks:#}", registrar.file);
    }
    assert_eq!(trunks["registrar-full"]["state"], "registered", "{trunks:#}");
    // A trunk that is misconfigured says in words what to change.
    assert!(trunks["registrar-no"].to_string().contains("403"), "{trunks:#}");
    assert!(trunks["registrar-stranger"].to_string().contains("thief.example"), "{trunks:#}");
}

/// Registers at a Kamailio that challenges with `algorithm` over TLS, and is called through it.
fn joins_kamailio(algorithm: &str) {
    if !installed("kamailio", "-v") || !installed("baresip", "-h") {
        return;
    }
    let proxy = Kamailio::start(algorithm, "127.0.0.1:9");
    let certificate = proxy.certificate();
    let text = format!(
        "[sip]\nlisten = [\"udp:127.0.0.1:0\", \"tls:127.0.0.1:0\"]\ntrusted = [\"127.0.0.1\"]\n\
         [sip.tls]\ncertificate = \"{cert}\"\nkey = \"{key}\"\nca = \"{cert}\"\n{trunk}",
        cert = certificate.display(),
        key = certificate.with_file_name("key.pem").display(),
        trunk = trunk("kamailio", &format!("\"sip:127.0.0.1:{};transport=tls\"", proxy.tls))
    );
    let setup = Setup::new(&(text + PEOPLE_AND_ROUTES));
    setup.secret("trunk.secret", "secret-of-nightbell");
    let Some(daemon) = Daemon::start_of(setup, &[]) else { return };
    proxy.screen.must_say(Duration::from_secs(15), "JOINED nightbell by tls");
    wait::until(Duration::from_secs(5), "the trunk is registered", || {
        (daemon.status()["trunks"]["kamailio"]["state"] == "registered").then_some(())
    });
    if algorithm != "MD5" {
        return; // baresip 1.0 knows MD5 alone.
    }
    let account =
        format!("<sip:caller@127.0.0.1:{}>;regint=300;auth_user=caller;auth_pass=secret-of-caller;audio_codecs=pcma", proxy.plain);
    let mut phone = Baresip::call(&account, &format!("sip:nightbell@127.0.0.1:{}", proxy.plain), 0);
    phone.screen.must_say(Duration::from_secs(10), "Call established");
    wait::until(Duration::from_secs(20), "the greeting is heard", || (loud_ms(&phone.heard()) > 1_000).then_some(()));
    phone.screen.type_keys("q");
    let on_record = daemon.last_call();
    on_record.must_end("abandoned");
    assert_eq!(on_record.0["from"], "caller", "{on_record}");
}

#[test]
fn wall_the_box_registers_at_kamailio_over_tls_and_is_called_by_that_way() {
    joins_kamailio("MD5");
}

#[test]
fn wall_the_box_registers_at_a_kamailio_that_wants_sha_256() {
    joins_kamailio("SHA-256");
}
