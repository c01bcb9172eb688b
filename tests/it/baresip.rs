//! baresip as a caller: sound files in place of a sound card, keys by its standard input.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::screen::Screen;
use crate::sound;

/// A telephone that has dialled.
pub struct Baresip {
    pub screen: Screen,
    folder: TempDir,
}

impl Baresip {
    /// A telephone with this account, which dials `uri` at once, sends a tone (0 hertz: silence) and keeps what it hears.
    pub fn call(account: &str, uri: &str, hertz: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().display();
        let tone = sound::tone_file(folder.path(), hertz, 60);
        let config = format!(
            "sip_listen 127.0.0.1:0\nmodule_path /usr/lib/baresip/modules\nmodule g711.so\nmodule aufile.so\nmodule sndfile.so\nmodule stdio.so\n\
             module_app account.so\nmodule_app menu.so\naudio_source aufile,{tone}\naudio_player aufile,{path}/played.wav\n\
             audio_alert aufile,{tone}\nsnd_path {path}\nrtp_ports 30000-30400\nsip_verify_server no\n",
            tone = tone.display()
        );
        std::fs::write(folder.path().join("config"), config).unwrap();
        std::fs::write(folder.path().join("accounts"), format!("{account}\n")).unwrap();
        std::fs::write(folder.path().join("contacts"), "").unwrap();
        let mut command = Command::new("baresip");
        command.arg("-f").arg(folder.path()).args(["-t", "60", "-e", &format!("d {uri}")]);
        Self { screen: Screen::start(&mut command, folder.path()), folder }
    }

    /// What it has heard so far.
    pub fn heard(&self) -> Vec<i16> {
        let files = std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let kept = |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().ends_with("-dec.wav"));
        files.filter(|path| kept(path)).flat_map(|path| sound::samples(&path)).collect()
    }
}
