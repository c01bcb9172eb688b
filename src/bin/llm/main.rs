//! The worker that understands: llama.cpp, in a process of its own.

mod cache;
mod pick;
mod scheduler;
#[path = "../worker/mod.rs"]
#[allow(dead_code, unused_imports, reason = "each engine uses its own part of it")]
mod worker;

use std::num::NonZeroU32;
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use llama_cpp_2::context::params::LlamaContextParams;
use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::model::params::LlamaModelParams;
use llama_cpp_2::token::LlamaToken;
use nightbell::base::Pii;
use nightbell::base::limits::WORKER_QUEUE_MAX;
use nightbell::engine::wire::ToWorker;
use nightbell::engine::{BatchSettings, Urgency, WorkerKind};

use scheduler::{Scheduler, Sizes};
use worker::{Args, Flag, Loaded, Request};

const FLAGS: &[Flag] = &[
    Flag { name: "model", value: "FILE", help: "The language model, a .gguf file." },
    Flag { name: "threads", value: "N", help: "Threads of one step at most, fewer for small models; 0 for as many as there are cores." },
    Flag { name: "slots", value: "N", help: "Requests in one step at most; 16 unless given." },
    Flag { name: "prefixes", value: "N", help: "Agents' prompts kept computed at most; 8 unless given." },
    Flag {
        name: "cells",
        value: "N",
        help: "Tokens that the cache holds for all together; 16384 unless given. Half of it is for the agents' prompts.",
    },
    Flag { name: "gpu-layers", value: "N", help: "Layers on the graphics card where the program was built for one; 999 unless given." },
];

/// Parameters that are worth a thread of their own.
const PARAMETERS_A_THREAD: u64 = 100_000_000;

/// A request whose own part is tokens already.
pub struct Work {
    prefix: Pii<String>,
    tail: Vec<LlamaToken>,
    grammar: String,
    max_tokens: usize,
}

fn main() -> ExitCode {
    worker::main(WorkerKind::Llm, FLAGS, load)
}

fn load(args: &Args) -> anyhow::Result<Loaded<Work>> {
    let path = args.path("model").context("--model is missing")?;
    let number = |name, default| args.number(name, default).map_err(|why| anyhow!(why));
    let threads_max = u64::try_from(worker::threads_of(args).map_err(|why| anyhow!(why))?)?;
    let sizes = Sizes {
        slots: usize::try_from(number("slots", 16)?)?.clamp(1, 128),
        prefixes: usize::try_from(number("prefixes", 8)?)?.clamp(1, 64),
        cells: usize::try_from(number("cells", 16_384)?)?.clamp(1_024, 1 << 20),
    };
    let digest = worker::digest_of(&path)?;
    let mut backend = LlamaBackend::init()?;
    backend.void_logs();
    let params = LlamaModelParams::default().with_n_gpu_layers(u32::try_from(number("gpu-layers", 999)?)?);
    // Both live as long as the process; the scheduler's context borrows them.
    let backend: &'static LlamaBackend = Box::leak(Box::new(backend));
    let model = LlamaModel::load_from_file(backend, &path, &params).with_context(|| format!("{} cannot be loaded", path.display()))?;
    let model: &'static LlamaModel = Box::leak(Box::new(model));
    let threads = i32::try_from(threads_for(model.n_params(), threads_max))?;
    let context_params = LlamaContextParams::default()
        .with_n_ctx(NonZeroU32::new(u32::try_from(sizes.cells)?))
        .with_n_batch(scheduler::STEP_TOKENS_MAX)
        .with_n_ubatch(scheduler::STEP_TOKENS_MAX)
        .with_n_seq_max(u32::try_from(sizes.slots + sizes.prefixes)?)
        .with_kv_unified(true)
        .with_n_threads(threads)
        .with_n_threads_batch(threads);
    let context = model.new_context(backend, context_params).context("no memory for the cache: fewer --cells")?;
    let details = details(model, sizes, threads);
    let scheduler = Scheduler::new(model, context, sizes);
    let budget = u64::try_from(sizes.cells - sizes.prefix_cells())?;
    Ok(Loaded {
        model: worker::name_of(&path),
        digest,
        details,
        batch: BatchSettings { slots: sizes.slots, budget, waiting_max: WORKER_QUEUE_MAX },
        read: Box::new(move |message, _| read(model, message)),
        threads: vec![Box::new(move |desk, index| scheduler.run(&desk, index))],
    })
}

/// Threads meet after every operation. When other work takes the processor away from one, the others wait for it: in a small model that costs far
/// more than they gain (measured on two busy cores: 38 s for a turn that takes 40 ms of one core's time).
fn threads_for(parameters: u64, most: u64) -> u64 {
    (parameters / PARAMETERS_A_THREAD).clamp(1, most.max(1))
}

fn details(model: &LlamaModel, sizes: Sizes, threads: i32) -> String {
    let name = model.meta_val_str("general.name").unwrap_or_default();
    let (millions, layers, trained) = (model.n_params() / 1_000_000, model.n_layer(), model.n_ctx_train());
    let Sizes { slots, cells, .. } = sizes;
    format!(
        "llama.cpp, {name}, {millions} M parameters in {layers} layers, context {trained}; {slots} at once in {cells} cells, {threads} threads"
    )
}

fn read(model: &LlamaModel, message: ToWorker) -> Result<Request<Work>, String> {
    let ToWorker::Understand { id, stream, left_ms, prefix, prompt, grammar, max_tokens } = message else {
        return Err("a language model only understands".to_owned());
    };
    let vocab = model.vocab();
    let tail = vocab.tokenize(prompt.expose().as_bytes(), prefix.expose().is_empty(), true);
    let max_tokens = usize::try_from(max_tokens).unwrap_or(usize::MAX);
    if tail.is_empty() || max_tokens == 0 {
        return Err("nothing to complete".to_owned());
    }
    let trained = usize::try_from(model.n_ctx_train()).unwrap_or(usize::MAX);
    let length = tail.len().saturating_add(max_tokens);
    if length > trained {
        return Err(format!("{} tokens and {max_tokens} to come, more than the model's context of {trained}", tail.len()));
    }
    let cost = u64::try_from(length).unwrap_or(u64::MAX);
    Ok(Request { id, stream, left_ms, urgency: Urgency::Awaited, cost, work: Work { prefix, tail, grammar, max_tokens } })
}
