//! Other people's telephones: sipp and baresip.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::daemon::{Daemon, root};
use crate::phone::has_voice;
use crate::wait;

/// Whether this program is installed; says so when it is not.
fn installed(program: &str, argument: &str) -> bool {
    let there = Command::new(program).arg(argument).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !there {
        println!("skipped: {program} is not installed");
    }
    there
}

/// Runs one scenario of tests/data/sipp `calls` times.
fn sipp(daemon: &Daemon, scenario: &str, calls: u32) {
    let folder = tempfile::tempdir().unwrap();
    let file = root().join("tests/data/sipp").join(scenario);
    let output = File::create(folder.path().join("screen.log")).unwrap();
    let mut command = Command::new("sipp");
    command.arg(daemon.sip.to_string()).args(["-s", "leasing", "-i", "127.0.0.1", "-mi", "127.0.0.1", "-nostdin", "-sf"]).arg(file);
    command
        .args(["-m", &calls.to_string(), "-l", &calls.to_string(), "-r", "5", "-trace_err", "-error_file"])
        .arg(folder.path().join("errors.log"));
    command.args(["-timeout", "40", "-timeout_error"]).current_dir(folder.path());
    let mut child = command.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output).spawn().unwrap();
    let status = wait::exit(&mut child, Duration::from_secs(50), "sipp");
    assert!(status.success(), "{scenario}: {status}\n{}", told(folder.path()));
}

fn told(folder: &Path) -> String {
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_default();
    let screen = read("screen.log");
    let lines: Vec<&str> = screen.lines().collect();
    format!("{}\n{}", read("errors.log"), lines[lines.len().saturating_sub(60)..].join("\n"))
}

#[test]
fn wall_sipp_calls_in_all_its_ways() {
    if !installed("sipp", "-v") {
        return;
    }
    let Some(mut daemon) = Daemon::start() else { return };
    for (scenario, calls) in
        [("options.xml", 3), ("basic.xml", 5), ("pcma.xml", 2), ("hold.xml", 2), ("offerless.xml", 2), ("cancel.xml", 2), ("info.xml", 1)]
    {
        sipp(&daemon, scenario, calls);
    }
    assert!(daemon.is_alive());
    wait::until(Duration::from_secs(5), "no call is left over", || {
        daemon.status()["calls"].as_array().is_some_and(Vec::is_empty).then_some(())
    });
}

#[test]
fn wall_the_status_page_shows_the_workers() {
    let Some(daemon) = Daemon::start() else { return };
    let mut stream = TcpStream::connect(daemon.http).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    stream.write_all(format!("GET /status HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", daemon.http).as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
    assert!(answer.starts_with("HTTP/1.1 200") && body.contains("\"workers\""), "{answer}");
}

/// The largest sample of a recording by baresip.
fn loudest(folder: &Path, side: &str) -> u16 {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let recording =
        files.filter(|path| path.to_string_lossy().contains(side)).find(|path| path.extension().is_some_and(|kind| kind == "wav"));
    let Some(recording) = recording else { return 0 };
    let reader = hound::WavReader::open(recording).unwrap();
    reader.into_samples::<i16>().filter_map(Result::ok).map(i16::unsigned_abs).max().unwrap_or(0)
}

#[test]
fn wall_baresip_is_answered_and_hears_the_greeting() {
    if !installed("baresip", "-h") || !has_voice("espeak-ng") {
        return;
    }
    let Some(daemon) = Daemon::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display();
    let silence = folder.path().join("silence.wav");
    let spec = hound::WavSpec { channels: 1, sample_rate: 8_000, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
    let mut file = hound::WavWriter::create(&silence, spec).unwrap();
    (0..8_000 * 20).for_each(|_| file.write_sample(0_i16).unwrap());
    file.finalize().unwrap();
    let config = format!(
        "sip_listen 127.0.0.1:0\nmodule_path /usr/lib/baresip/modules\nmodule g711.so\nmodule aufile.so\nmodule sndfile.so\n\
         module_app account.so\nmodule_app menu.so\naudio_source aufile,{path}/silence.wav\naudio_player aufile,{path}/played.wav\n\
         audio_alert aufile,{path}/silence.wav\nsnd_path {path}\nrtp_ports 30000-30100\n"
    );
    std::fs::write(folder.path().join("config"), config).unwrap();
    std::fs::write(folder.path().join("accounts"), "<sip:3125550188@127.0.0.1>;regint=0;audio_codecs=pcma\n").unwrap();
    std::fs::write(folder.path().join("contacts"), "").unwrap();
    let output = File::create(folder.path().join("screen.log")).unwrap();
    let mut command = Command::new("baresip");
    command.arg("-f").arg(folder.path()).args(["-t", "8", "-e", &format!("d {}", daemon.uri("leasing"))]);
    let mut child = command.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output).spawn().unwrap();
    wait::exit(&mut child, Duration::from_secs(30), "baresip");
    let screen = std::fs::read_to_string(folder.path().join("screen.log")).unwrap();
    assert!(screen.contains("Call established") || screen.contains("call: answered"), "{screen}");
    assert!(loudest(folder.path(), "dec") > 2_000, "the greeting is in what baresip decoded\n{screen}");
    let on_record = daemon.last_call();
    on_record.must_end("abandoned");
    on_record.must("agent", "AI assistant");
}
