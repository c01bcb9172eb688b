use std::process::Command;

use nightbell::engine::WorkerKind;

use super::tools::bin_dir;

/// Functions that only the engine itself has.
const MARKS: [(&str, WorkerKind); 3] =
    [("whisper_full_with_state", WorkerKind::Asr), ("llama_model_load", WorkerKind::Llm), ("espeak_TextToPhonemes", WorkerKind::Tts)];

fn symbols(program: &str) -> String {
    let path = bin_dir().join(program);
    let of = |flag: &str| String::from_utf8_lossy(&Command::new("nm").arg(flag).arg(&path).output().unwrap().stdout).into_owned();
    of("--defined-only") + &of("--dynamic")
}

#[test]
fn each_worker_holds_its_own_engine_and_no_other_and_the_daemon_holds_none() {
    for kind in WorkerKind::ALL {
        let symbols = symbols(kind.program());
        for (mark, owner) in MARKS {
            assert_eq!(symbols.contains(mark), owner == kind, "{} and {mark}", kind.program());
        }
    }
    let daemon = symbols("nightbell");
    for mark in ["whisper_", "llama_", "ggml_", "espeak_", "rten"] {
        assert!(!daemon.contains(mark), "the daemon has {mark} inside");
    }
}
