//! The rules of the house, held by a test: who imports whom, one owner file per foreign crate, rooms small enough to hold in the head.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Lines a source file may have; beyond that a room is crowded and wants another wall.
const LINES_MAX: usize = 450;

/// What each room may import of ours (itself always). Rooms not named here are shells and may import what they drive.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("sip", &["base"]),
    ("sdp", &["base"]),
    ("rtp", &["base"]),
    ("audio", &["base"]),
    ("rt", &["base"]),
    ("engine", &["base"]),
    ("dialogue", &["base"]),
    ("outbox", &["base"]),
    ("route", &["base"]),
    ("hear", &["base", "audio"]),
    ("speak", &["base", "audio"]),
    ("media", &["base", "rt", "rtp", "audio"]),
    ("listen", &["base", "rt", "hear"]),
    ("call", &["base", "sip", "sdp", "rtp", "audio", "hear", "engine", "dialogue", "speak", "outbox", "route"]),
];

/// Foreign crates with one owner: nobody outside this path (a file, or a folder of one worker) may name them.
const OWNERS: &[(&str, &str)] = &[
    ("rsip", "src/sip/"),
    ("sdp_types", "src/sdp/"),
    ("rtp_rs", "src/rtp/"),
    ("ringbuf", "src/rt/ring.rs"),
    ("audio_codec_algorithms", "src/audio/"),
    ("earshot", "src/hear/"),
    ("rusqlite", "src/store/"),
    ("chacha20poly1305", "src/store/"),
    ("jiff", "src/base/civil.rs"),
    ("axum", "src/web/"),
    ("ureq", "src/config/"),
    ("clap", "src/cli/"),
    ("whisper_rs", "src/bin/asr/"),
    ("llama_cpp_2", "src/bin/llm/"),
    ("rten", "src/bin/tts/"),
    ("tracing_subscriber", "src/observe/"),
    ("md5", "src/sip/digest"),
    ("hmac", "src/sip/"),
    ("tokio_rustls", "src/net/"),
    ("rustls_native_certs", "src/net/"),
    ("hickory_resolver", "src/net/"),
    ("toml_edit", "src/config/"),
];

/// Rooms that must not know the outside world.
const PURE: &[&str] = &["sip", "sdp", "rtp", "audio", "hear", "engine", "dialogue", "speak", "outbox", "route", "call"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources(below: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(below).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// (path as written in the rules, code without comments and without its test module)
fn code() -> BTreeMap<String, String> {
    let root = root();
    let read = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        let lines = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]"));
        let plain: Vec<&str> = lines.filter(|line| !line.trim_start().starts_with("//")).collect();
        (path.strip_prefix(&root).unwrap().to_string_lossy().into_owned(), plain.join("\n"))
    };
    sources(&root.join("src")).iter().map(read).collect()
}

fn room(path: &str) -> &str {
    path.trim_start_matches("src/").split('/').next().unwrap()
}

/// A file that is compiled for tests only: named so, or declared so by the file above it.
fn is_test_file(path: &str) -> bool {
    let path = Path::new(path);
    let name = path.file_stem().unwrap().to_string_lossy().into_owned();
    let folder = path.parent().unwrap();
    let above = [folder.join("mod.rs"), folder.with_extension("rs")];
    let declared = above
        .iter()
        .filter_map(|file| fs::read_to_string(root().join(file)).ok())
        .any(|text| lines_after_cfg_test(&text).any(|line| line == format!("mod {name};")));
    name.ends_with("tests") || folder.ends_with("tests") || declared
}

fn lines_after_cfg_test(text: &str) -> impl Iterator<Item = &str> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines.windows(2).filter(|pair| pair[0] == "#[cfg(test)]").map(|pair| pair[1]).collect::<Vec<_>>().into_iter()
}

/// Every `crate::room` or `nightbell::room` named in `text`.
fn rooms_named(text: &str) -> Vec<String> {
    let mut named = Vec::new();
    for marker in ["crate::", "nightbell::"] {
        for (at, _) in text.match_indices(marker) {
            let rest = &text[at + marker.len()..];
            if let Some(group) = rest.strip_prefix('{') {
                let group = group.split('}').next().unwrap_or_default();
                named.extend(group.split(',').map(|name| name.trim().split("::").next().unwrap_or_default().to_owned()));
            } else {
                named.push(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
            }
        }
    }
    named
}

#[test]
fn every_room_imports_only_what_the_map_allows() {
    let mut broken = Vec::new();
    for (path, text) in code() {
        let Some((own, allowed)) = MAY_IMPORT.iter().find(|(name, _)| *name == room(&path)) else { continue };
        if is_test_file(&path) {
            continue;
        }
        for named in rooms_named(&text) {
            if named != *own && MAY_IMPORT.iter().any(|(name, _)| *name == named) && !allowed.contains(&named.as_str()) {
                broken.push(format!("{path} imports {named}"));
            }
            if ["net", "run", "store", "integrate", "web", "cli", "config", "observe"].contains(&named.as_str()) {
                broken.push(format!("{path} imports the shell {named}"));
            }
        }
    }
    assert!(broken.is_empty(), "who may import whom is in ARCHITECTURE.md:\n{}", broken.join("\n"));
}

#[test]
fn every_foreign_crate_has_one_owner() {
    let mut broken = Vec::new();
    for (path, text) in code() {
        for (krate, owner) in OWNERS {
            let named = text.contains(&format!("{krate}::")) || text.contains(&format!("use {krate}"));
            if named && !path.starts_with(owner) {
                broken.push(format!("{path} names {krate}, which belongs to {owner}"));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn pure_rooms_know_no_clock_thread_socket_or_file() {
    let forbidden = ["tokio::", "std::thread", "std::net::UdpSocket", "std::fs", "std::process", "base::clock", "getrandom::"];
    let mut broken = Vec::new();
    for (path, text) in code() {
        if PURE.contains(&room(&path)) && !is_test_file(&path) {
            broken.extend(forbidden.iter().filter(|word| text.contains(**word)).map(|word| format!("{path} names {word}")));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn files_are_small_enough_to_hold_in_the_head() {
    let root = root();
    let mut crowded = Vec::new();
    for path in sources(&root.join("src")) {
        let name = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        if lines > LINES_MAX && !is_test_file(&name) {
            crowded.push(format!("{name}: {lines} lines"));
        }
    }
    assert!(crowded.is_empty(), "more than {LINES_MAX} lines, move the walls:\n{}", crowded.join("\n"));
}

#[test]
fn no_test_is_ignored_and_nothing_is_left_to_do() {
    let root = root();
    let files = sources(&root.join("src")).into_iter().chain(sources(&root.join("tests")));
    for path in files.filter(|path| !path.ends_with("house.rs")) {
        let text = fs::read_to_string(&path).unwrap();
        for word in ["#[ignore", "#[should_panic", "todo!(", "unimplemented!("] {
            assert!(!text.contains(word), "{} has {word}", path.display());
        }
    }
}

#[test]
fn the_program_itself_links_no_native_engine() {
    for (path, text) in code() {
        if !path.starts_with("src/bin/") {
            for word in ["whisper_rs", "llama_cpp_2", "rten::", "espeak_"] {
                assert!(!text.contains(word), "{path} names {word}: engines live in their workers alone");
            }
        }
    }
}
