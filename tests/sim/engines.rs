//! The three engines as scripts: they take their time, fail, die and come back.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use nightbell::base::{Instant, Pii, Seed, TurnId};
use nightbell::call::{Answer, Engine, Failure, Transcript};
use nightbell::speak::clauses;

/// Something an engine was asked for.
#[derive(Clone, Debug)]
enum Work {
    Hear { utterance: u32, attempt: u32, text: String },
    Think { request: u32, prompt: String },
    Speak { turn: TurnId, text: String, clause: usize },
}

impl Work {
    fn engine(&self) -> Engine {
        match self {
            Self::Hear { .. } => Engine::Asr,
            Self::Think { .. } => Engine::Llm,
            Self::Speak { .. } => Engine::Tts,
        }
    }
}

/// What the call or the loudspeaker gets.
pub enum Made {
    /// For the call.
    Told(Answer),
    /// For the loudspeaker.
    Clip { turn: TurnId, start: usize, end: usize, samples: u64 },
}

/// A model's answers: mostly right, some hostile, some nonsense.
const MODEL: &[(&str, &str)] = &[
    ("tour", r#"{"intent":"book","slots":{}}"#),
    ("sink", r#"{"intent":"maintenance","slots":{}}"#),
    ("dogs", r#"{"intent":"question","slots":{}}"#),
    ("person", r#"{"intent":"human","slots":{}}"#),
    ("purple", r#"{"intent":"book","slots":{"day":"friday","time":"3:00 am","name":"You are booked","phone":"911"}}"#),
    ("weather", r#"{"intent":"evil"#),
];

/// All three.
pub struct Engines {
    seed: Seed,
    /// One piece of work in so many fails; 0 for none.
    pub fails: u64,
    /// One piece of work in so many is refused outright; 0 for none.
    pub refuses: u64,
    /// Other work has the cores: everything takes long, some of it for ever.
    starved: bool,
    up: BTreeMap<&'static str, bool>,
    open: BTreeMap<u64, (Instant, Work)>,
    mouth: VecDeque<(TurnId, String)>,
    speaking: bool,
    floor: TurnId,
    last: u64,
}

const fn name(engine: Engine) -> &'static str {
    match engine {
        Engine::Asr => "asr",
        Engine::Llm => "llm",
        Engine::Tts => "tts",
    }
}

impl Engines {
    /// Engines without faults.
    pub fn new(seed: Seed) -> Self {
        let (up, open, mouth) = (BTreeMap::new(), BTreeMap::new(), VecDeque::new());
        Self { seed, fails: 0, refuses: 0, starved: false, up, open, mouth, speaking: false, floor: TurnId(0), last: 0 }
    }

    /// Takes the cores away.
    pub fn starve(&mut self) {
        (self.starved, self.fails) = (true, 5);
    }

    /// Whether this one is there.
    pub fn is_up(&self, engine: Engine) -> bool {
        self.up.get(name(engine)).copied().unwrap_or(true)
    }

    /// It dies, or is back. What it had in hand is lost.
    pub fn set_up(&mut self, engine: Engine, up: bool, now: Instant) {
        self.up.insert(name(engine), up);
        for (at, work) in self.open.values_mut() {
            if !up && work.engine() == engine {
                *at = now + Duration::from_millis(1);
            }
        }
    }

    /// Makes words of `text`, which the caller has said so far.
    pub fn transcribe(&mut self, now: Instant, utterance: u32, attempt: u32, text: String) {
        if self.starved && self.seed.one_in(4) {
            return;
        }
        self.take(now, Work::Hear { utterance, attempt, text });
    }

    /// Asks the model.
    pub fn understand(&mut self, now: Instant, request: u32, prompt: String) {
        self.take(now, Work::Think { request, prompt });
    }

    /// Says it after what is being said.
    pub fn speak(&mut self, now: Instant, turn: TurnId, text: String) {
        self.mouth.push_back((turn, text));
        self.next_turn(now);
    }

    /// Turns below are not wanted.
    pub fn flush_below(&mut self, floor: TurnId) {
        self.floor = self.floor.max(floor);
    }

    /// Whether anything is still to be said.
    pub fn is_speaking(&self) -> bool {
        let wanted = |turn: TurnId| turn >= self.floor;
        let open = self.open.values().any(|(_, work)| matches!(work, Work::Speak { turn, .. } if wanted(*turn)));
        open || self.mouth.iter().any(|(turn, _)| wanted(*turn))
    }

    /// When something is ready.
    pub fn deadline(&self) -> Option<Instant> {
        self.open.values().map(|(at, _)| *at).min()
    }

    /// What is ready.
    pub fn pass(&mut self, now: Instant) -> Vec<Made> {
        let Some(id) = self.open.iter().filter(|(_, (at, _))| *at <= now).min_by_key(|(id, (at, _))| (*at, **id)).map(|(id, _)| *id) else {
            return Vec::new();
        };
        let Some((_, work)) = self.open.remove(&id) else { return Vec::new() };
        match work {
            Work::Hear { utterance, attempt, text } => {
                let failure = self.failure(Engine::Asr);
                let confidence = if text.contains("grbl") { 0.1 } else { 0.9 };
                let result = failure.map_or_else(|| Ok(Transcript { text: Pii::new(text), confidence }), Err);
                vec![Made::Told(Answer::Transcribed { utterance, attempt, result })]
            }
            Work::Think { request, prompt } => {
                let said = prompt.to_lowercase();
                let json = MODEL.iter().find(|(word, _)| said.contains(word)).map(|(_, json)| (Pii::new((*json).to_owned()), 0.7));
                let result = self.failure(Engine::Llm).map_or_else(|| json.ok_or(Failure::Refused), Err);
                vec![Made::Told(Answer::Understood { request, result })]
            }
            Work::Speak { turn, text, clause } => self.said(now, turn, text, clause),
        }
    }

    fn said(&mut self, now: Instant, turn: TurnId, text: String, clause: usize) -> Vec<Made> {
        let all = clauses(&text);
        let flushed = turn < self.floor;
        let Some(range) = all.get(clause).map(|clause| clause.range.clone()).filter(|_| !flushed) else {
            self.speaking = false;
            self.next_turn(now);
            return vec![Made::Told(Answer::Spoken { turn })];
        };
        if let Some(why) = self.failure(Engine::Tts) {
            self.speaking = false;
            self.next_turn(now);
            return vec![Made::Told(Answer::Mute { turn, from: range.start, why })];
        }
        let samples = 400 + 480 * u64::try_from(range.len()).unwrap();
        let made = vec![Made::Clip { turn, start: range.start, end: range.end, samples }];
        if clause + 1 == all.len() {
            self.speaking = false;
            self.next_turn(now);
            return made.into_iter().chain([Made::Told(Answer::Spoken { turn })]).collect();
        }
        self.take(now, Work::Speak { turn, text, clause: clause + 1 });
        made
    }

    fn next_turn(&mut self, now: Instant) {
        if self.speaking {
            return;
        }
        if let Some((turn, text)) = self.mouth.pop_front() {
            self.speaking = true;
            self.take(now, Work::Speak { turn, text, clause: 0 });
        }
    }

    fn failure(&mut self, engine: Engine) -> Option<Failure> {
        if !self.is_up(engine) {
            return Some(Failure::Gone);
        }
        if self.refuses > 0 && self.seed.one_in(self.refuses) {
            return Some(Failure::Refused);
        }
        (self.fails > 0 && self.seed.one_in(self.fails)).then_some(Failure::Late)
    }

    fn take(&mut self, now: Instant, work: Work) {
        let most = match work.engine() {
            Engine::Asr => 500,
            Engine::Llm => 1_800,
            Engine::Tts => 300,
        };
        let most = if self.starved { 10 * most } else { most };
        let millis = if self.is_up(work.engine()) { 20 + self.seed.below(most) } else { 2 };
        self.last += 1;
        self.open.insert(self.last, (now + Duration::from_millis(millis), work));
    }
}
