//! A foreign program that is driven as a person would: lines go in, and what it writes is watched.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use crate::wait;

/// One such program; it ends with this value.
pub struct Screen {
    child: Child,
    stdin: ChildStdin,
    file: std::path::PathBuf,
}

impl Screen {
    /// Starts it with `folder` as its home and working directory.
    pub fn start(command: &mut Command, folder: &Path) -> Self {
        let file = folder.join("screen.log");
        let output = File::create(&file).unwrap();
        command.env("HOME", folder).current_dir(folder);
        let mut child = command.stdin(Stdio::piped()).stdout(output.try_clone().unwrap()).stderr(output).spawn().unwrap();
        let stdin = child.stdin.take().unwrap();
        Self { child, stdin, file }
    }

    /// Types something, without a line's end.
    pub fn type_keys(&mut self, keys: &str) {
        self.stdin.write_all(keys.as_bytes()).unwrap();
        self.stdin.flush().unwrap();
    }

    /// Types a line.
    pub fn type_line(&mut self, line: &str) {
        self.type_keys(&format!("{line}\n"));
    }

    /// All that it has written.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.file).unwrap_or_default()).replace('\r', "\n")
    }

    /// Waits until it has written `words`.
    pub fn must_say(&self, limit: Duration, words: &str) {
        let said = wait::within(limit, || self.text().contains(words).then_some(()));
        assert!(said.is_some(), "not within {limit:?}: {words:?} in\n{}", self.text());
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("--- {}\n{}", self.file.display(), self.text());
        }
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        if wait::within(Duration::from_secs(3), || self.child.try_wait().ok().flatten()).is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
