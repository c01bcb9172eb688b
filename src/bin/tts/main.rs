//! The worker that speaks: a Piper voice, and espeak-ng for its phonemes (and as the voice of last resort), in a process of its own. espeak-ng is
//! GPL-3, which is a reason more for the process.

mod cache;
mod espeak;
mod phonemes;
mod sound;
mod speaker;
mod voice;
#[path = "../worker/mod.rs"]
#[allow(dead_code, unused_imports, reason = "each engine uses its own part of it")]
mod worker;

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::anyhow;
use nightbell::base::limits::{SENTENCE_CHARS_MAX, SPEAK_CHUNKS_MAX, WORKER_QUEUE_MAX};
use nightbell::base::{Pii, Rate};
use nightbell::engine::wire::{FromWorker, RequestId, ToWorker};
use nightbell::engine::{BatchSettings, Urgency, WorkerKind, clauses};

use speaker::Speaker;
use worker::{Args, Desk, EngineThread, Flag, Loaded, Request, Task};

const FLAGS: &[Flag] = &[
    Flag {
        name: "model",
        value: "FILE",
        help: "The Piper voice, a .onnx file with its .onnx.json beside it; without one espeak-ng speaks.",
    },
    Flag { name: "threads", value: "N", help: "Sentences spoken at once, one thread each; 0 for as many as there are cores." },
    Flag { name: "cache", value: "DIR", help: "Where clauses once spoken are kept; without one they are spoken anew." },
    Flag { name: "cache-bytes", value: "N", help: "How much is kept there; 256 MiB unless given." },
    Flag { name: "language", value: "CODE", help: "What espeak-ng speaks when there is no voice; en-us unless given." },
];

/// How much of the disk the phrases may take.
const CACHE_BYTES: u64 = 256 << 20;

/// A sentence.
struct Work {
    text: Pii<String>,
    rate: Rate,
    fixed: bool,
}

fn main() -> ExitCode {
    worker::main(WorkerKind::Tts, FLAGS, load)
}

fn load(args: &Args) -> anyhow::Result<Loaded<Work>> {
    let threads = worker::threads_of(args).map_err(|why| anyhow!(why))?;
    let cache_bytes = args.number("cache-bytes", CACHE_BYTES).map_err(|why| anyhow!(why))?;
    let (path, cache) = (args.path("model"), args.path("cache"));
    let speaker = Arc::new(Speaker::load(path.as_deref(), args.text("language").unwrap_or("en-us"), cache.as_deref(), cache_bytes)?);
    let engine_threads = (0..threads).map(|_| -> EngineThread<Work> {
        let speaker = Arc::clone(&speaker);
        Box::new(move |desk, index| speak(&speaker, &desk, index))
    });
    Ok(Loaded {
        model: speaker.name().to_owned(),
        digest: speaker.digest().to_owned(),
        details: format!("{}, {threads} at once", speaker.details()),
        batch: BatchSettings { slots: threads, budget: u64::MAX, waiting_max: WORKER_QUEUE_MAX },
        read: Box::new(|message, _| read(message)),
        threads: engine_threads.collect(),
    })
}

fn read(message: ToWorker) -> Result<Request<Work>, String> {
    let ToWorker::Speak { id, stream, left_ms, rate, text, fixed } = message else { return Err("a voice only speaks".to_owned()) };
    // Numbers and names in words are longer than what they were written from.
    let chars = text.expose().chars().count();
    if chars > 2 * SENTENCE_CHARS_MAX {
        return Err(format!("a sentence of {chars} characters, more than {}", 2 * SENTENCE_CHARS_MAX));
    }
    Ok(Request { id, stream, left_ms, urgency: Urgency::Awaited, cost: 1, work: Work { text, rate, fixed } })
}

fn speak(speaker: &Speaker, desk: &Desk<Work>, index: usize) {
    loop {
        let task = desk.take(index);
        match speak_task(speaker, desk, &task) {
            Ok(()) => {}
            Err(why) => desk.finish(task.id, &FromWorker::Refused { id: Some(task.id), why }, &[]),
        }
        desk.step_ends(index);
    }
}

fn speak_task(speaker: &Speaker, desk: &Desk<Work>, task: &Task<Work>) -> Result<(), String> {
    let text = task.work.text.expose();
    let ranges = clauses(text);
    if ranges.len() > SPEAK_CHUNKS_MAX {
        return Err(format!("{} clauses, more than {SPEAK_CHUNKS_MAX}", ranges.len()));
    }
    let count = ranges.len();
    for (clause, range) in ranges.into_iter().enumerate() {
        if task.stopped() {
            desk.abandon(task.id);
            return Ok(());
        }
        let last = clause + 1 == count;
        let sound = speaker
            .speak(text.get(range.clone()).unwrap_or_default(), task.work.rate, last, task.work.fixed)
            .map_err(|error| format!("{error:#}"))?;
        let chunk = chunk(task.id, task, clause, &range, last);
        if last {
            desk.finish(task.id, &chunk, &sound);
        } else {
            desk.say_part(task.id, &chunk, &sound);
        }
    }
    if count == 0 {
        // Nothing that sounds: one empty chunk, so that the sentence has an end.
        desk.finish(task.id, &chunk(task.id, task, 0, &(0..text.len()), true), &[]);
    }
    Ok(())
}

fn chunk(id: RequestId, task: &Task<Work>, clause: usize, range: &std::ops::Range<usize>, last: bool) -> FromWorker {
    let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    FromWorker::Chunk { id, stream: task.stream, clause: small(clause), start: small(range.start), end: small(range.end), last }
}
