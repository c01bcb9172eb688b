//! Other people's telephones: baresip, and a browser that looks at the status page.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::daemon::Daemon;
use crate::phone::has_voice;
use crate::sipp::installed;
use crate::wait;

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
