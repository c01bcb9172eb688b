//! Continuous batching: every step computes one token of each request that generates, and as much of the waiting prompts as fits beside them.

use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::token::LlamaToken;
use nightbell::base::Pii;
use nightbell::engine::wire::FromWorker;

use super::Work;
use super::cache::{Found, Prefixes};
use super::pick::{Grammar, pick};
use super::worker::{Desk, Task};

/// Tokens computed in one step at most. More would make those who generate wait for those who begin.
pub const STEP_TOKENS_MAX: u32 = 512;

/// How much the worker holds at once.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Requests in work.
    pub slots: usize,
    /// Agents' prompts.
    pub prefixes: usize,
    /// Tokens of all together.
    pub cells: usize,
}

impl Sizes {
    /// Tokens of the agents' prompts together.
    pub fn prefix_cells(self) -> usize {
        self.cells / 2
    }
}

/// One request in work.
struct Slot {
    task: Task<Work>,
    place: Option<usize>,
    /// The prefix is shared into this slot's sequence.
    joined: bool,
    /// Tokens of prefix and tail in the sequence, then of the answer.
    position: usize,
    /// Tokens of the tail computed.
    tail_done: usize,
    /// The last token picked, to compute next.
    next: Option<LlamaToken>,
    grammar: Option<Grammar>,
    /// Where in the batch its logits will be.
    logits: Option<i32>,
    text: Vec<u8>,
    generated: usize,
    probabilities: f32,
    prompt_tokens: usize,
}

/// The one thread of the language model.
pub struct Scheduler {
    model: &'static LlamaModel,
    context: LlamaContext<'static>,
    slots: Vec<Option<Slot>>,
    prefixes: Prefixes,
    /// Have their turn, but no room for their prefix yet.
    pending: Vec<Task<Work>>,
}

impl Scheduler {
    /// Nothing in work.
    pub fn new(model: &'static LlamaModel, context: LlamaContext<'static>, sizes: Sizes) -> Self {
        let slots = (0..sizes.slots).map(|_| None).collect();
        Self { model, context, slots, prefixes: Prefixes::new(sizes.prefixes, sizes.prefix_cells()), pending: Vec::new() }
    }

    /// Works for ever.
    pub fn run(mut self, desk: &Desk<Work>, thread: usize) {
        let size = usize::try_from(STEP_TOKENS_MAX).unwrap_or(512);
        let mut batch = LlamaBatch::new(size, 1);
        loop {
            if self.slots.iter().all(Option::is_none) && self.pending.is_empty() {
                desk.step_ends(thread);
                let task = desk.take(thread);
                self.admit(task, desk);
            }
            desk.step_begins(thread);
            for task in std::mem::take(&mut self.pending) {
                self.admit(task, desk);
            }
            while let Some(task) = desk.try_take() {
                self.admit(task, desk);
            }
            self.sweep(desk);
            self.join();
            self.fill(&mut batch, size);
            if batch.n_tokens() == 0 {
                continue;
            }
            match self.context.decode(&mut batch) {
                Ok(()) => self.sample(desk),
                Err(error) => self.lose_all(desk, &error.to_string()),
            }
        }
    }

    /// A request has its turn: it gets a slot and its prefix.
    fn admit(&mut self, task: Task<Work>, desk: &Desk<Work>) {
        if task.stopped() {
            desk.abandon(task.id);
            return;
        }
        let (place, fresh) = match self.place_of(&task) {
            Ok(Some(found)) => found,
            Ok(None) => return self.pending.push(task),
            Err(why) => return refuse(desk, &task, why),
        };
        let prefix_tokens = place.and_then(|place| self.prefixes.at(place)).map_or(0, |prefix| prefix.tokens.len());
        let length = prefix_tokens + task.work.tail.len() + task.work.max_tokens;
        let trained = usize::try_from(self.model.n_ctx_train()).unwrap_or(usize::MAX);
        let grammar = match task.work.grammar.as_str() {
            _ if length > trained => Err(format!("{length} tokens with the answer, more than the model's context of {trained}")),
            "" => Ok(None),
            text => Grammar::read(self.model, text).map(Some),
        };
        let free = self.slots.iter().position(Option::is_none);
        match (grammar, free) {
            (Ok(grammar), Some(free)) => {
                let prompt_tokens = task.work.tail.len() + if fresh { prefix_tokens } else { 0 };
                self.slots[free] = Some(Slot::new(task, place, grammar, prompt_tokens));
            }
            (Err(why), _) => {
                self.release(place);
                refuse(desk, &task, why);
            }
            // The desk gives out no more tasks than there are slots.
            (Ok(_), None) => {
                self.release(place);
                refuse(desk, &task, "no free slot".to_owned());
            }
        }
    }

    /// The prefix's place (none for an empty one), and whether it is new there. `Ok(None)` when there is no room before something ends.
    fn place_of(&mut self, task: &Task<Work>) -> Result<Option<(Option<usize>, bool)>, String> {
        let text = task.work.prefix.expose();
        if text.is_empty() {
            return Ok(Some((None, false)));
        }
        let (model, context, slots) = (self.model, &mut self.context, self.slots.len());
        let cut = || model.vocab().tokenize(text.as_bytes(), true, true);
        match self.prefixes.find(text, cut, |place| forget(context, slots + place)) {
            Found::Here(place) => Ok(Some((Some(place), false))),
            Found::New(place) => Ok(Some((Some(place), true))),
            Found::Full => Ok(None),
            Found::TooLong => Err("the agent's prompt is longer than the cache's half".to_owned()),
        }
    }

    /// Requests that nobody wants any more leave at once.
    fn sweep(&mut self, desk: &Desk<Work>) {
        for index in 0..self.slots.len() {
            if let Some(slot) = self.slots[index].take_if(|slot| slot.task.stopped()) {
                self.leave(index, slot.place);
                desk.abandon(slot.task.id);
            }
        }
    }

    /// Slots whose prefix is computed share it.
    fn join(&mut self) {
        let base = self.slots.len();
        for (index, slot) in self.slots.iter_mut().enumerate() {
            let Some(slot) = slot.as_mut().filter(|slot| !slot.joined) else { continue };
            let Some(place) = slot.place else {
                slot.joined = true;
                continue;
            };
            let Some(prefix) = self.prefixes.at(place).filter(|prefix| prefix.ready()) else { continue };
            // Both numbers are far below what the conversion refuses.
            if self.context.kv_cache_seq_cp(sequence(base + place), sequence(index), None, None).is_ok() {
                slot.joined = true;
                slot.position = prefix.tokens.len();
            }
        }
    }

    /// Fills one step: first those who generate, then prefixes, then tails.
    fn fill(&mut self, batch: &mut LlamaBatch<'_>, size: usize) {
        batch.clear();
        let mut room = size;
        let base = self.slots.len();
        for (index, slot) in self.slots.iter_mut().enumerate() {
            let Some(slot) = slot else { continue };
            slot.logits = None;
            let Some(token) = slot.next.take() else { continue };
            slot.logits = Some(batch.n_tokens());
            add(batch, token, slot.position, index, true);
            slot.position += 1;
            room = room.saturating_sub(1);
        }
        for (place, prefix) in self.prefixes.unfinished() {
            let from = prefix.done;
            prefix.done = (from + room).min(prefix.tokens.len());
            for position in from..prefix.done {
                add(batch, prefix.tokens[position], position, base + place, false);
            }
            room -= prefix.done - from;
        }
        for (index, slot) in self.slots.iter_mut().enumerate() {
            let Some(slot) = slot.as_mut().filter(|slot| slot.joined) else { continue };
            let tail = &slot.task.work.tail;
            let until = (slot.tail_done + room).min(tail.len());
            for place in slot.tail_done..until {
                let last = place + 1 == tail.len();
                if last {
                    slot.logits = Some(batch.n_tokens());
                }
                add(batch, tail[place], slot.position, index, last);
                slot.position += 1;
                room -= 1;
            }
            slot.tail_done = until;
        }
    }

    fn sample(&mut self, desk: &Desk<Work>) {
        for index in 0..self.slots.len() {
            let Some(slot) = &mut self.slots[index] else { continue };
            let Some(logits) = slot.logits.take() else { continue };
            let Some(answer) = slot.advance(self.model, self.context.get_logits_ith(logits)) else { continue };
            let place = slot.place;
            let id = slot.task.id;
            self.slots[index] = None;
            self.leave(index, place);
            desk.finish(id, &answer, &[]);
        }
    }

    fn leave(&mut self, index: usize, place: Option<usize>) {
        forget(&mut self.context, index);
        self.release(place);
    }

    fn release(&mut self, place: Option<usize>) {
        if let Some(place) = place {
            self.prefixes.release(place);
        }
    }

    /// A step failed: nothing in the cache can be trusted, so all begin again with the next request.
    fn lose_all(&mut self, desk: &Desk<Work>, why: &str) {
        eprintln!("a step failed: {why}");
        self.context.clear_kv_cache();
        self.prefixes.clear();
        for slot in &mut self.slots {
            if let Some(slot) = slot.take() {
                refuse(desk, &slot.task, format!("a step failed: {why}"));
            }
        }
    }
}

impl Slot {
    fn new(task: Task<Work>, place: Option<usize>, grammar: Option<Grammar>, prompt_tokens: usize) -> Self {
        Self {
            task,
            place,
            joined: false,
            position: 0,
            tail_done: 0,
            next: None,
            grammar,
            logits: None,
            text: Vec::new(),
            generated: 0,
            probabilities: 0.0,
            prompt_tokens,
        }
    }

    /// Picks the next token; the answer when that ends the text.
    fn advance(&mut self, model: &LlamaModel, logits: &[f32]) -> Option<FromWorker> {
        let vocab = model.vocab();
        let id = self.task.id;
        let Some(picked) = pick(logits, self.grammar.as_mut()) else {
            return Some(FromWorker::Refused { id: Some(id), why: "the grammar permits nothing more".to_owned() });
        };
        if vocab.is_eog(picked.token) {
            return Some(self.answer());
        }
        self.generated += 1;
        self.probabilities += picked.probability;
        self.text.extend(vocab.token_to_piece(picked.token, false, None));
        let closed = matches!(self.text.last(), Some(b'}' | b']'));
        let ended = match &mut self.grammar {
            Some(grammar) => {
                grammar.accept(picked.token);
                // An object that may end has ended: a step is saved that would only compute the end token.
                closed && grammar.permits(vocab.eos())
            }
            None => false,
        };
        if ended || (self.grammar.is_none() && self.generated >= self.task.work.max_tokens) {
            return Some(self.answer());
        }
        if self.generated >= self.task.work.max_tokens {
            return Some(FromWorker::Refused { id: Some(id), why: format!("not finished within {} tokens", self.generated) });
        }
        self.next = Some(picked.token);
        None
    }

    #[expect(clippy::cast_precision_loss, reason = "a few hundred tokens")]
    fn answer(&self) -> FromWorker {
        let confidence = if self.generated == 0 { 0.0 } else { self.probabilities / self.generated as f32 };
        FromWorker::Understood {
            id: self.task.id,
            stream: self.task.stream,
            text: Pii::new(String::from_utf8_lossy(&self.text).into_owned()),
            prompt_tokens: u32::try_from(self.prompt_tokens).unwrap_or(u32::MAX),
            generated_tokens: u32::try_from(self.generated).unwrap_or(u32::MAX),
            confidence: if confidence.is_finite() { confidence.clamp(0.0, 1.0) } else { 0.0 },
        }
    }
}

fn refuse(desk: &Desk<Work>, task: &Task<Work>, why: String) {
    desk.finish(task.id, &FromWorker::Refused { id: Some(task.id), why }, &[]);
}

/// The batch was made for as many tokens as are ever added.
fn add(batch: &mut LlamaBatch<'_>, token: LlamaToken, position: usize, sequence_index: usize, logits: bool) {
    let position = i32::try_from(position).unwrap_or(i32::MAX);
    let added = batch.add(token, position, &[sequence(sequence_index)], logits);
    debug_assert!(added.is_ok(), "a step has room for what is added");
}

fn forget(context: &mut LlamaContext<'_>, sequence_index: usize) {
    // Removing a whole sequence never fails.
    let _ = context.kv_cache_seq_rm(sequence(sequence_index), None, None);
}

fn sequence(index: usize) -> i32 {
    i32::try_from(index).unwrap_or(i32::MAX)
}
