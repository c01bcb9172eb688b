//! The fetcher against a small server of our own, and the choice of a pack.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::thread::{self, JoinHandle};

use super::choose::{choose_for, sum_of};
use super::*;
use crate::base::sha256;
use crate::config::{Config, Overrides, PackChoice};
use crate::dialogue::PromptStyle;

const BODY: &[u8] = b"a model, as far as a fetcher knows: it is long enough to be cut somewhere in the middle";

/// What the server does with one request.
enum Reply {
    /// Sends the file from where it was asked, and hangs up after so many bytes of it.
    File { cut_after: usize },
    /// Sends the whole file, wherever it was asked to begin.
    WholeFile,
    /// Answers with this status and nothing else.
    Status(u16),
    /// States a digest, as the hub does.
    Stated(sha256::Sum),
}

/// A server for as many requests as there are replies; what it was asked comes back at the end: the first line and the range.
fn server(replies: Vec<Reply>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/model.bin", listener.local_addr().unwrap());
    let serve = move || replies.into_iter().map(|reply| answer(&listener, &reply)).collect();
    (address, thread::spawn(serve))
}

fn answer(listener: &TcpListener, reply: &Reply) -> String {
    let (mut stream, _) = listener.accept().unwrap();
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    let first = lines.next().unwrap_or_default();
    let range =
        lines.take_while(|line| !line.is_empty()).find_map(|line| line.to_ascii_lowercase().strip_prefix("range: ").map(str::to_owned));
    let from = range.as_deref().and_then(|range| range.trim_start_matches("bytes=").trim_end_matches('-').parse().ok()).unwrap_or(0_usize);
    let head = "Connection: close\r\n\r\n";
    match reply {
        Reply::File { .. } if from > 0 => {
            write!(stream, "HTTP/1.1 206 Partial\r\nContent-Range: bytes {from}-{}/{}\r\n", BODY.len() - 1, BODY.len()).unwrap();
            write!(stream, "Content-Length: {}\r\n{head}", BODY.len() - from).unwrap();
        }
        Reply::File { .. } | Reply::WholeFile => write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{head}", BODY.len()).unwrap(),
        Reply::Status(status) => write!(stream, "HTTP/1.1 {status} No\r\nContent-Length: 0\r\n{head}").unwrap(),
        Reply::Stated(sum) => {
            let tag = sha256::hex(sum);
            write!(stream, "HTTP/1.1 302 Found\r\nLocation: /x\r\nX-Linked-Etag: \"{tag}\"\r\nContent-Length: 0\r\n{head}").unwrap();
        }
    }
    match reply {
        Reply::File { cut_after } => stream.write_all(&BODY[from..BODY.len().min(from + cut_after)]).unwrap(),
        Reply::WholeFile => stream.write_all(BODY).unwrap(),
        Reply::Status(_) | Reply::Stated(_) => {}
    }
    format!("{first} {}", range.unwrap_or_default())
}

fn model(address: &str) -> ModelFile {
    let bytes = Some(BODY.len() as u64);
    ModelFile {
        file: "model.bin".to_owned(),
        address: Some(address.to_owned()),
        bytes,
        sha256: Some(sha256::hex(&sha256::of(BODY))),
        licence: String::new(),
    }
}

fn fetched(file: &ModelFile, folder: &Path) -> Result<bool, FetchError> {
    Fetcher::new().fetch(file, folder, &mut Lock::read(folder).unwrap(), &mut ())
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

const WHOLE: Reply = Reply::File { cut_after: usize::MAX >> 1 };

#[test]
fn a_file_is_fetched_checked_and_not_fetched_again() {
    let dir = tempfile::tempdir().unwrap();
    let (address, asked) = server(vec![WHOLE]);
    assert!(fetched(&model(&address), dir.path()).unwrap());
    asked.join().unwrap();
    assert_eq!(fs::read(dir.path().join("model.bin")).unwrap(), BODY);
    assert!(!fetched(&model(&address), dir.path()).unwrap(), "the server is gone: nothing may be asked");
    assert_eq!(names(dir.path()), ["model.bin"]);
}

#[test]
fn a_connection_that_is_cut_is_taken_up_where_it_ended() {
    let dir = tempfile::tempdir().unwrap();
    let (address, asked) = server(vec![Reply::File { cut_after: 10 }, Reply::File { cut_after: 20 }, WHOLE]);
    fetched(&model(&address), dir.path()).unwrap();
    assert_eq!(
        asked.join().unwrap(),
        ["GET /model.bin HTTP/1.1 ", "GET /model.bin HTTP/1.1 bytes=10-", "GET /model.bin HTTP/1.1 bytes=30-"]
    );
    assert_eq!(fs::read(dir.path().join("model.bin")).unwrap(), BODY);
}

#[test]
fn a_second_run_goes_on_from_what_the_first_left() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("model.bin.part"), &BODY[..33]).unwrap();
    let (address, asked) = server(vec![WHOLE]);
    fetched(&model(&address), dir.path()).unwrap();
    assert_eq!(asked.join().unwrap(), ["GET /model.bin HTTP/1.1 bytes=33-"]);
    assert_eq!(names(dir.path()), ["model.bin"]);
}

#[test]
fn a_server_that_cannot_resume_sends_everything_again() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("model.bin.part"), "something else entirely").unwrap();
    let (address, asked) = server(vec![Reply::WholeFile]);
    fetched(&model(&address), dir.path()).unwrap();
    asked.join().unwrap();
    assert_eq!(fs::read(dir.path().join("model.bin")).unwrap(), BODY);
}

#[test]
fn a_wrong_digest_leaves_neither_the_file_nor_half_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let (address, asked) = server(vec![WHOLE]);
    let wrong = ModelFile { sha256: Some("00".repeat(32)), ..model(&address) };
    assert!(matches!(fetched(&wrong, dir.path()), Err(FetchError::WrongDigest { .. })));
    asked.join().unwrap();
    assert!(names(dir.path()).is_empty());
}

#[test]
fn a_refusal_a_wrong_length_and_a_dead_server_are_told_in_a_line() {
    let dir = tempfile::tempdir().unwrap();
    let (address, asked) = server(vec![Reply::Status(403), WHOLE]);
    let refused = fetched(&model(&address), dir.path()).unwrap_err().to_string();
    assert_eq!(refused, format!("{address}: refused with status 403"));
    let longer = ModelFile { bytes: Some(5), ..model(&address) };
    assert!(matches!(fetched(&longer, dir.path()), Err(FetchError::WrongLength { found, expected: 5, .. }) if found == BODY.len() as u64));
    asked.join().unwrap();
    let dead = fetched(&model(&address), dir.path()).unwrap_err();
    assert!(matches!(dead, FetchError::Network { .. }) && !dead.to_string().contains('\n'), "{dead}");
    assert!(names(dir.path()).is_empty());
}

#[test]
fn a_digest_that_nobody_wrote_down_is_pinned_when_the_file_first_comes() {
    let dir = tempfile::tempdir().unwrap();
    let (address, asked) = server(vec![WHOLE, Reply::Stated(sha256::of(BODY)), WHOLE, Reply::Status(404)]);
    let unknown = ModelFile { sha256: None, bytes: None, ..model(&address) };
    fetched(&unknown, dir.path()).unwrap();
    assert_eq!(Lock::read(dir.path()).unwrap().sum(&address), Some(sha256::of(BODY)));
    assert!(!fetched(&unknown, dir.path()).unwrap());
    // Where nobody states one, nothing is kept.
    let other = ModelFile { address: Some(format!("{address}2")), file: "other.bin".to_owned(), ..unknown };
    assert!(matches!(fetched(&other, dir.path()), Err(FetchError::NoDigest { .. })));
    asked.join().unwrap();
    assert_eq!(names(dir.path()), ["lock.toml", "model.bin"]);
}

#[test]
fn the_manifest_is_whole_and_its_digests_are_digests() {
    let text = include_str!("../../../models/manifest.toml");
    let manifest = Manifest::parse(text).unwrap();
    assert_eq!(&manifest, Manifest::built_in());
    assert_eq!(manifest.packs.len(), 4);
    for (name, pack) in &manifest.packs {
        for (_, file) in pack.files() {
            let fetched = name != "starter";
            assert_eq!(
                (file.address.is_some(), file.sum().is_some(), file.bytes.is_some()),
                (fetched, fetched, fetched),
                "{name} {}",
                file.file
            );
            assert!(!file.file.contains('/') && !file.file.contains("lessac"), "{}", file.file);
            assert!(
                file.address
                    .as_deref()
                    .is_none_or(|address| address.starts_with("https://huggingface.co/") && address.ends_with(&file.file))
            );
        }
    }
}

/// A configuration that looks for models in `folder` first.
fn config(folder: &Path, pack: PackChoice) -> Config {
    let text = "business = { name = 'B', time_zone = 'UTC' }\nsip.trusted = []\nstore.data = 'data'\nengines.models = '.'\n[[route]]\nto = '*'\nagent = 'a'\n";
    fs::write(folder.join("nightbell.toml"), text).unwrap();
    let mut config = Config::settings(&folder.join("nightbell.toml"), &Overrides::default()).unwrap();
    config.engines.pack = pack;
    config
}

fn install(models: &Path, folder: &str, pack: &PackEntry) {
    fs::create_dir_all(models.join(folder)).unwrap();
    for (_, file) in pack.files() {
        let made = fs::File::create(models.join(folder).join(&file.file)).unwrap();
        made.set_len(file.bytes.unwrap_or(7)).unwrap();
    }
}

#[test]
fn the_best_pack_that_is_installed_and_fits_the_machine_is_used() {
    let dir = tempfile::tempdir().unwrap();
    let manifest = Manifest::built_in();
    install(dir.path(), "starter", &manifest.packs["starter"]);
    let (plain, gpu) = (Hardware { gpu: false }, Hardware { gpu: true });
    let auto = config(dir.path(), PackChoice::Auto);
    let chosen = choose_for(&auto, plain).unwrap();
    assert_eq!((chosen.pack.as_str(), chosen.prompt_style), ("starter", PromptStyle::Compact));
    assert!(
        chosen.notice.contains("900 words") && chosen.notice.contains("models fetch cpu") && !chosen.notice.contains('\n'),
        "{}",
        chosen.notice
    );
    let named = choose_for(&config(dir.path(), PackChoice::Named("cpu".to_owned())), plain).unwrap_err();
    assert!(named.to_string().contains("nightbell models fetch cpu"), "{named}");
    install(dir.path(), "packs/cpu", &manifest.packs["cpu"]);
    install(dir.path(), "packs/gpu-8g", &manifest.packs["gpu-8g"]);
    assert_eq!(choose_for(&auto, plain).unwrap().pack, "cpu");
    assert_eq!(choose_for(&auto, gpu).unwrap().pack, "gpu-8g");
    // A file that is cut short is not installed.
    fs::File::options().write(true).open(dir.path().join("packs/gpu-8g/Qwen3-4B-Q4_K_M.gguf")).unwrap().set_len(9).unwrap();
    assert_eq!(choose_for(&auto, gpu).unwrap().pack, "cpu");
}

#[test]
fn verifying_a_pack_names_the_file_that_is_not_right() {
    let dir = tempfile::tempdir().unwrap();
    install(dir.path(), "packs/cpu", &Manifest::built_in().packs["cpu"]);
    // Only the small file: the others hold holes of a gigabyte.
    let config_file = dir.path().join("packs/cpu/en_US-ljspeech-medium.onnx.json");
    assert_ne!(Some(sum_of(&config_file).unwrap()), Manifest::built_in().packs["cpu"].voice_config.sum());
    let pack = packs(Some(dir.path())).into_iter().find(|pack| pack.name == "starter").unwrap();
    assert_eq!(pack.verify(&Lock::default()).len(), if pack.folder.is_some() { 4 } else { 1 });
}
