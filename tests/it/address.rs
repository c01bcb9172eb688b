//! The box gets another address in the middle of a call: two network namespaces, a cable between them, and a caller at its other end.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::os::fd::AsRawFd as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::daemon::{program, root};
use crate::ua::Ua;
use crate::wait;

/// Two namespaces, removed when this is dropped.
struct Cable {
    ours: String,
    theirs: String,
}

fn ip(arguments: &str) -> bool {
    let mut command = Command::new("ip");
    command.args(arguments.split(' ')).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

impl Cable {
    /// None where this user may not make namespaces.
    fn lay() -> Option<Self> {
        let id = std::process::id();
        let cable = Self { ours: format!("nb-ours-{id}"), theirs: format!("nb-theirs-{id}") };
        let (ours, theirs) = (&cable.ours, &cable.theirs);
        let laid = [
            format!("netns add {ours}"),
            format!("netns add {theirs}"),
            format!("link add nbo{id} netns {ours} type veth peer name nbt{id} netns {theirs}"),
            format!("-n {ours} link set lo up"),
            format!("-n {ours} addr add 198.51.100.1/24 dev nbo{id}"),
            format!("-n {ours} link set nbo{id} up"),
            format!("-n {theirs} link set lo up"),
            format!("-n {theirs} addr add 198.51.100.9/24 dev nbt{id}"),
            format!("-n {theirs} link set nbt{id} up"),
        ];
        laid.iter().all(|step| ip(step)).then_some(cable)
    }

    /// What `make` gives when it runs at the far end: its sockets stay there.
    fn beyond<T: Send>(&self, make: impl FnOnce() -> T + Send) -> T {
        let namespace = File::open(Path::new("/run/netns").join(&self.theirs)).unwrap();
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                // SAFETY: the descriptor is open and names a network namespace; only this thread moves there, and it ends with its work.
                let moved = unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNET) };
                assert_eq!(moved, 0, "{}", std::io::Error::last_os_error());
                make()
            });
            thread.join().unwrap()
        })
    }

    /// The box has 198.51.100.2 instead of 198.51.100.1.
    fn move_us(&self) {
        let (ours, id) = (&self.ours, std::process::id());
        assert!(ip(&format!("-n {ours} addr add 198.51.100.2/24 dev nbo{id}")));
        assert!(ip(&format!("-n {ours} addr del 198.51.100.1/24 dev nbo{id}")));
        // The second address of a network goes with its first one, on most systems.
        ip(&format!("-n {ours} addr add 198.51.100.2/24 dev nbo{id}"));
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        ip(&format!("netns del {}", self.ours));
        ip(&format!("netns del {}", self.theirs));
    }
}

const SOON: Duration = Duration::from_secs(2);

/// Ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        if wait::within(Duration::from_secs(8), || self.0.try_wait().ok().flatten()).is_none() {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap_or_default()
}

/// RFC 3261 §14.1: the call goes on at the new address, by a re-INVITE that the peer answers.
#[test]
fn wall_a_call_outlives_a_change_of_the_boxes_address() {
    let (program, there) = program();
    if !there {
        return;
    }
    let Some(cable) = Cable::lay() else {
        println!("skipped: this user may not make network namespaces");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let agents = root().join("config/demo/agents").display().to_string();
    let demo = std::fs::read_to_string(root().join("config/demo/nightbell.toml")).unwrap();
    let text = demo.replace("folder = \"agents\"", &format!("folder = {agents:?}")).replace("\"127.0.0.0/8\"", "\"198.51.100.0/24\"");
    std::fs::write(path.join("nightbell.toml"), text).unwrap();
    let inside = |namespace: &str| {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", namespace]).stdin(Stdio::null()).current_dir(path);
        command
    };
    let mut daemon = inside(&cable.ours);
    daemon.arg(program).args(["run", "--http", "127.0.0.1:0", "--config"]).arg(path.join("nightbell.toml")).arg("--data").arg(path);
    let log = File::create(path.join("stderr.log")).unwrap();
    let mut daemon = Running(daemon.current_dir(root()).stdout(Stdio::piped()).stderr(log).spawn().unwrap());
    let mut lines = BufReader::new(daemon.0.stdout.take().unwrap()).lines();
    let ready = lines.by_ref().map_while(Result::ok).find(|line| line.starts_with("ready "));
    assert!(ready.is_some(), "{}", read(path, "stderr.log"));

    let mut ua = cable.beyond(|| Ua::at("198.51.100.9", "198.51.100.1:5060".parse().unwrap()));
    let offer = ua.offer("0 8", "");
    ua.call(&offer);
    assert!(ua.packet(SOON).is_some(), "sound comes");
    cable.move_us();
    ua.daemon = "198.51.100.2:5060".parse().unwrap();
    let invite = wait::until(Duration::from_secs(15), "the sound is offered anew", || {
        ua.next(Duration::ZERO).filter(|message| message.line().starts_with("INVITE "))
    });
    assert_eq!(invite.sdp("c="), Some("IN IP4 198.51.100.2"), "{}", invite.text);
    assert!(invite.header("Contact").is_some_and(|contact| contact.contains("@198.51.100.2:5060")), "{}", invite.text);
    let body = ua.offer("0 8", "");
    let head = ["Via", "From", "To", "Call-ID", "CSeq"].map(|name| format!("{name}: {}\r\n", invite.header(name).unwrap())).concat();
    let us = ua.sip.local_addr().unwrap();
    let kind = format!("Contact: <sip:hand@{us}>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n", body.len());
    ua.send(&format!("SIP/2.0 200 OK\r\n{head}{kind}\r\n{body}"));
    let ack = ua.next(Duration::from_secs(5)).unwrap_or_else(|| panic!("an ACK for the 200"));
    assert!(ack.line().starts_with("ACK "), "{}", ack.text);
    while ua.packet(Duration::ZERO).is_some() {}
    assert!(ua.packet(SOON).is_some(), "and the sound goes on\n{}", read(path, "stderr.log"));
    ua.bye();
}
