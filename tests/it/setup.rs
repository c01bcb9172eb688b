//! A configuration of a test's own: the demonstration's business and agents, with other neighbours.

use std::path::PathBuf;

use tempfile::TempDir;

use crate::daemon::root;

/// A folder with `nightbell.toml`, its agents and its secrets.
pub struct Setup {
    folder: TempDir,
}

impl Setup {
    /// The configuration of the demonstration with `text` in place of its listeners, people and routes.
    pub fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let base = "[business]\nname = \"Lakeside Apartments\"\ntime_zone = \"America/Chicago\"\n\n[media]\naddress = \"0.0.0.0\"\nports = \"22000-23999\"\n\n\
                    [http]\nlisten = \"127.0.0.1:0\"\n\n[store]\ndata = \"data\"\nrecording = false\n\n[engines]\npack = \"auto\"\n\n[agents]\nfolder = \"agents\"\n\n";
        std::fs::write(folder.path().join("nightbell.toml"), format!("{base}{text}")).unwrap();
        std::fs::create_dir(folder.path().join("agents")).unwrap();
        let setup = Self { folder };
        setup.agent("leasing", "office");
        setup
    }

    /// The demonstration's leasing agent once more, under another name and with another person behind it.
    pub fn agent(&self, name: &str, person: &str) {
        for kind in ["toml", "md"] {
            let text = std::fs::read_to_string(root().join("config/demo/agents/leasing").with_extension(kind)).unwrap();
            let text = text.replace("target = \"office\"", &format!("target = {person:?}")).replace("leasing.md", &format!("{name}.md"));
            std::fs::write(self.folder.path().join("agents").join(name).with_extension(kind), text).unwrap();
        }
    }

    /// A file with a secret, beside the configuration.
    pub fn secret(&self, name: &str, secret: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.folder.path().join(name);
        std::fs::write(&path, secret).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// Where it is.
    pub fn config(&self) -> PathBuf {
        self.folder.path().join("nightbell.toml")
    }
}
