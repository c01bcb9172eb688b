//! linphone as a desk phone: `linphonec` with sound files in place of a sound card.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::screen::Screen;
use crate::sipp::free_port;
use crate::sound;

/// A desk phone that is registered, plays a tone while it talks, and keeps what it hears.
pub struct Linphone {
    pub screen: Screen,
    folder: TempDir,
}

/// Where it registers, and as whom.
pub struct Seat<'a> {
    /// `sip:127.0.0.1:5060`, with a transport where it is not UDP.
    pub registrar: &'a str,
    pub user: &'a str,
    pub secret: &'a str,
    pub realm: &'a str,
}

impl Linphone {
    pub fn start(seat: &Seat<'_>, hertz: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join(".local/share/linphone")).unwrap();
        let (tone, file) = (sound::tone_file(folder.path(), hertz, 60), folder.path().join("phone.rc"));
        let (sip, rtp) = (free_port(), free_port());
        let transport = if seat.registrar.contains("transport=t") { 0 } else { sip };
        let Seat { registrar, user, secret, realm } = seat;
        let config = format!(
            "[sip]\nsip_port={transport}\nsip_tcp_port=-1\nsip_tls_port=-1\nguess_hostname=0\ncontact=sip:{user}@127.0.0.1\ndefault_proxy=0\nuse_ipv6=0\n\
             register_only_when_network_is_up=0\nauto_net_state_mon=0\nverify_server_certs=0\nverify_server_cn=0\n\
             [rtp]\naudio_rtp_port={rtp}\n[sound]\nechocancellation=0\n\
             [proxy_0]\nreg_proxy=<{registrar}>\nreg_identity=sip:{user}@127.0.0.1\nreg_expires=300\nreg_sendregister=1\npublish=0\n\
             [auth_info_0]\nusername={user}\nuserid={user}\npasswd={secret}\nrealm={realm}\n\
             [video]\nenabled=0\ndisplay=0\ncapture=0\n"
        );
        std::fs::write(&file, config).unwrap();
        let log = folder.path().join("linphone.log");
        let screen =
            Screen::start(Command::new("linphonec").arg("-S").arg("-c").arg(&file).args(["-d", "6", "-l"]).arg(log), folder.path());
        let mut phone = Self { screen, folder };
        phone.screen.type_line("soundcard use files");
        phone.screen.type_line(&format!("play {}", tone.display()));
        phone.screen.type_line(&format!("record {}", phone.kept().display()));
        phone
    }

    /// Waits until it rings.
    pub fn must_ring(&self, limit: Duration) {
        self.screen.must_say(limit, "Receiving new incoming call");
    }

    /// What it has heard so far.
    pub fn heard(&self) -> Vec<i16> {
        sound::samples(&self.kept())
    }

    fn kept(&self) -> PathBuf {
        self.folder.path().join("heard.wav")
    }
}
