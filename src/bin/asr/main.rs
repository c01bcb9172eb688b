//! The worker that recognises speech: whisper.cpp, in a process of its own.

mod recogniser;
mod sound;
#[path = "../worker/mod.rs"]
#[allow(dead_code, unused_imports, reason = "each engine uses its own part of it")]
mod worker;

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use nightbell::base::limits::{UTTERANCE_MS_MAX, WORKER_QUEUE_MAX};
use nightbell::base::{Pii, Rate, Samples};
use nightbell::engine::wire::{FromWorker, ToWorker};
use nightbell::engine::{BatchSettings, Urgency, WorkerKind};

use recogniser::{Model, Recogniser};
use worker::{Args, Desk, EngineThread, Flag, Loaded, Request};

const FLAGS: &[Flag] = &[
    Flag { name: "model", value: "FILE", help: "The Whisper model, a ggml .bin file." },
    Flag { name: "threads", value: "N", help: "Utterances recognised at once, one thread each; 0 for as many as there are cores." },
    Flag { name: "language", value: "CODE", help: "The language spoken, for models that know several; en unless given." },
];

/// An utterance at 16 kHz between -1 and 1.
struct Work {
    sound: Vec<f32>,
    hint: Pii<String>,
}

fn main() -> ExitCode {
    worker::main(WorkerKind::Asr, FLAGS, load)
}

fn load(args: &Args) -> anyhow::Result<Loaded<Work>> {
    let path = args.path("model").context("--model is missing")?;
    let threads = worker::threads_of(args).map_err(|why| anyhow!(why))?;
    let digest = worker::digest_of(&path)?;
    let model = Arc::new(Model::load(&path, args.text("language").unwrap_or("en"), threads)?);
    let engine_threads = (0..threads).map(|_| -> anyhow::Result<EngineThread<Work>> {
        let mut recogniser = Recogniser::new(Arc::clone(&model))?;
        Ok(Box::new(move |desk, index| recognise(&mut recogniser, &desk, index)))
    });
    Ok(Loaded {
        model: worker::name_of(&path),
        digest,
        details: model.details(threads),
        batch: BatchSettings { slots: threads, budget: u64::MAX, waiting_max: WORKER_QUEUE_MAX },
        read: Box::new(|message, sound| read(message, &sound)),
        threads: engine_threads.collect::<anyhow::Result<_>>()?,
    })
}

fn read(message: ToWorker, pcm: &[i16]) -> Result<Request<Work>, String> {
    let ToWorker::Transcribe { id, stream, left_ms, rate, hint, partial } = message else {
        return Err("a recogniser only transcribes".to_owned());
    };
    let millis = Samples(u64::try_from(pcm.len()).unwrap_or(u64::MAX)).to_millis(rate);
    if millis > UTTERANCE_MS_MAX {
        return Err(format!("an utterance of {millis} ms, more than {UTTERANCE_MS_MAX}"));
    }
    let sound = match rate {
        Rate::K8 => sound::doubled(pcm),
        Rate::K16 => sound::as_floats(pcm),
        Rate::K48 => return Err("utterances come at 8 or 16 kHz".to_owned()),
    };
    let urgency = if partial { Urgency::Preview } else { Urgency::Awaited };
    Ok(Request { id, stream, left_ms, urgency, cost: 1, work: Work { sound, hint } })
}

fn recognise(recogniser: &mut Recogniser, desk: &Desk<Work>, index: usize) {
    loop {
        let task = desk.take(index);
        match recogniser.recognise(&task.work.sound, task.work.hint.expose(), &task.stop) {
            Ok(heard) => {
                let recogniser::Heard { text, confidence, no_speech } = heard;
                let answer = FromWorker::Transcript { id: task.id, stream: task.stream, text: Pii::new(text), confidence, no_speech };
                desk.finish(task.id, &answer, &[]);
            }
            Err(_) if task.stopped() => desk.abandon(task.id),
            Err(error) => desk.finish(task.id, &FromWorker::Refused { id: Some(task.id), why: error.to_string() }, &[]),
        }
        desk.step_ends(index);
    }
}
