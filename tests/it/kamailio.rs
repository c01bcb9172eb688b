//! Kamailio as the PBX of these tests: a registrar and proxy with digest over UDP, TCP and TLS.

use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::daemon::root;
use crate::screen::Screen;
use crate::sipp::free_port;

/// A Kamailio of this test's own.
pub struct Kamailio {
    pub screen: Screen,
    /// Where it listens over UDP and TCP.
    pub plain: u16,
    /// Where it listens over TLS.
    pub tls: u16,
    folder: TempDir,
}

impl Kamailio {
    /// One that challenges with `algorithm`, MD5 or SHA-256. The password of `user` is `secret-of-user`, the realm `office.test`.
    /// Calls to `leasing` go to `back`, as a trunk's do; all others to whoever has registered.
    pub fn start(algorithm: &str, back: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().display().to_string();
        let certificate = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        std::fs::write(folder.path().join("cert.pem"), certificate.cert.pem()).unwrap();
        std::fs::write(folder.path().join("key.pem"), certificate.signing_key.serialize_pem()).unwrap();
        let domain = format!(
            "method = TLSv1.2+\nprivate_key = {at}/key.pem\ncertificate = {at}/cert.pem\nverify_certificate = no\nrequire_certificate = no\n"
        );
        std::fs::write(folder.path().join("tls.cfg"), format!("[server:default]\n{domain}[client:default]\nverify_certificate = no\n"))
            .unwrap();
        let (plain, tls) = (free_port(), free_port());
        let template = std::fs::read_to_string(root().join("tests/it/kamailio/kamailio.cfg")).unwrap();
        let words = [
            ("@PLAIN@", plain.to_string()),
            ("@TLS@", tls.to_string()),
            ("@FOLDER@", at.clone()),
            ("@ALGORITHM@", algorithm.to_owned()),
            ("@BOX@", back.to_owned()),
        ];
        let config = words.iter().fold(template, |text, (word, value)| text.replace(word, value));
        std::fs::write(folder.path().join("kamailio.cfg"), config).unwrap();
        let mut command = Command::new("kamailio");
        command.args(["-DD", "-f", &format!("{at}/kamailio.cfg"), "-Y", &at, "-P", &format!("{at}/pid")]);
        let screen = Screen::start(&mut command, folder.path());
        let kamailio = Self { screen, plain, tls, folder };
        kamailio.screen.must_say(Duration::from_secs(10), "TLSc<default>: Server MAY present invalid certificate");
        kamailio
    }

    /// The certificate that it shows.
    pub fn certificate(&self) -> std::path::PathBuf {
        self.folder.path().join("cert.pem")
    }
}
