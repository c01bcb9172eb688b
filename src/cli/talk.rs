//! `nightbell talk`: an agent in writing. The kernel, its guard and the records are those of a call; sound and signalling are left out.
//! Bookings and promises go into a database of their own that is thrown away at the end.

use std::io::BufRead as _;
use std::sync::Arc;
use std::time::Duration;

use super::args::{TalkArgs, Understanding};
use super::failure::{Done, Failure};
use crate::base::civil::DateTime;
use crate::base::clock::{Clock, unix_millis};
use crate::base::limits::UTTERANCE_CHARS_MAX;
use crate::base::{CallId, Pii, StreamId};
use crate::call::Filed;
use crate::config::{self, Config};
use crate::dialogue::{Agent, CallFacts, Effect, Event, Kernel, PromptStyle, Proposal, TransferProgress};
use crate::engine::Understand;
use crate::run::Scribe;
use crate::run::workers::{EngineSettings, Engines, ModelPaths, Threads};
use crate::store::{MasterKey, NewCall, Store};

/// How long the model may take for one line. Nobody waits on a telephone here.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long the model may take to load.
const LOADING: Duration = Duration::from_mins(1);

/// Holds the conversation until one side ends it.
pub(super) fn talk(args: &TalkArgs) -> Done {
    let config = args.place.load(None, None)?;
    let agent = config.agents.get(&args.agent).cloned().ok_or_else(|| unknown(&args.agent, &config))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::failed)?;
    runtime.block_on(hold(args, &config, agent))
}

fn unknown(agent: &str, config: &Config) -> Failure {
    let known: Vec<&str> = config.agents.keys().map(String::as_str).collect();
    Failure::not_found(format!("there is no agent {agent:?}; there are: {}", known.join(", ")))
}

async fn hold(args: &TalkArgs, config: &Config, agent: Arc<Agent>) -> Done {
    let scratch = Scratch::new()?;
    let key = MasterKey::new(crate::base::entropy::bytes().map_err(Failure::failed)?);
    let store = Store::open(&scratch.0, &key, unix_millis()).map_err(Failure::failed)?;
    let model = match args.engine {
        Understanding::Matcher => None,
        Understanding::Models => Some(Model::load(config, &scratch.0).await?),
    };
    let call = CallId::new(unix_millis(), 0);
    let new = NewCall {
        id: call.clone(),
        started_ms: unix_millis(),
        from: Pii::new("terminal".to_owned()),
        to: agent.name().to_owned(),
        agent: agent.name().to_owned(),
        agent_version: agent.version().to_owned(),
    };
    store.begin_call(new).await.map_err(Failure::failed)?;
    let zone = agent.zone().clone();
    let scribe = Scribe::new(store.clone(), call, agent.name().to_owned(), zone.clone());
    let facts = CallFacts { caller_number: None, dialled: agent.name().to_owned(), number_trusted: false, calling: None };
    let mut talk = Talk { kernel: Kernel::new(agent, facts), scribe, model, local: zone.at(unix_millis()), over: false };
    talk.step(Event::Began).await;
    let stdin = std::io::stdin();
    let mut line = String::new();
    while !talk.over {
        line.clear();
        if stdin.lock().read_line(&mut line).map_err(Failure::failed)? == 0 {
            talk.step(Event::HungUp).await;
            break;
        }
        let said: String = line.trim().chars().take(UTTERANCE_CHARS_MAX).collect();
        talk.local = zone.at(unix_millis());
        talk.hear(&said).await;
    }
    println!("outcome: {}", talk.kernel.outcome().as_str());
    if let Some(model) = &talk.model {
        model.engines.stop().await;
    }
    store.close().await.map_err(Failure::failed)
}

struct Talk {
    kernel: Kernel,
    scribe: Scribe,
    model: Option<Model>,
    local: DateTime,
    over: bool,
}

impl Talk {
    async fn hear(&mut self, said: &str) {
        println!("caller: {said}");
        if said.is_empty() {
            self.step(Event::Silence { nth: 1 }).await;
            return;
        }
        if let Some(key) = single_key(said) {
            self.step(Event::Digit(key)).await;
            return;
        }
        let mut proposals: Vec<Proposal> = Vec::new();
        if let Some(model) = &self.model {
            proposals.extend(model.propose(&self.kernel, said).await);
        }
        proposals.push(self.kernel.matcher(self.local, said));
        self.step(Event::Said { text: Pii::new(said.to_owned()), confidence: 1.0, proposals }).await;
    }

    /// One step, and everything that follows from it by itself.
    async fn step(&mut self, event: Event) {
        let mut events = vec![event];
        while let Some(event) = events.pop() {
            let mut effects = Vec::new();
            self.kernel.step(self.local, event, &mut effects);
            let mut following = Vec::new();
            for effect in effects {
                following.extend(self.perform(effect).await);
            }
            following.reverse();
            events.extend(following);
        }
    }

    async fn perform(&mut self, effect: Effect) -> Option<Event> {
        match effect {
            Effect::Say { turn, sentences, .. } => {
                let words: Vec<&str> = sentences.iter().map(|sentence| sentence.text.expose().as_str()).collect();
                println!("agent: {}", words.join(" "));
                Some(Event::Spoke { turn })
            }
            Effect::LookUp { id, resource, from, to } => event(self.scribe.look_up(id, resource, from, to).await),
            Effect::Commit { id, record } => event(self.scribe.commit(id, record).await),
            Effect::Transfer { id, target } => {
                println!("(the telephone of {target} rings; in writing nobody answers)");
                Some(Event::Transfer { effect: id, progress: TransferProgress::Declined { status: 480 } })
            }
            Effect::HangUp => {
                self.over = true;
                None
            }
            Effect::CancelTransfer { .. } | Effect::Journal(_) => None,
        }
    }
}

fn event(filed: Filed) -> Option<Event> {
    Some(match filed {
        Filed::Committed { effect, receipt } => {
            println!("(on disk: {} {})", receipt.kind, receipt.id);
            Event::Committed { effect, receipt }
        }
        Filed::Refused { effect, why } => Event::CommitFailed { effect, why },
        Filed::Busy { effect, busy: Some(busy) } => Event::LookedUp { effect, busy },
        Filed::Busy { effect, busy: None } => Event::LookUpFailed { effect },
        Filed::TransferFiled => return None,
    })
}

/// A line that is one key of a telephone counts as that key.
fn single_key(said: &str) -> Option<char> {
    let mut characters = said.chars();
    let key = characters.next().filter(|key| key.is_ascii_digit() || matches!(key, '*' | '#'))?;
    characters.next().is_none().then_some(key)
}

/// The language model alone, in its worker.
struct Model {
    engines: Engines,
    clock: Clock,
    style: PromptStyle,
}

impl Model {
    async fn load(config: &Config, data: &std::path::Path) -> Result<Self, Failure> {
        let chosen = config::models::choose(config).map_err(Failure::usage)?;
        eprintln!("{}", chosen.notice);
        let clock = Clock::start();
        let llm = Some(ModelPaths { model: chosen.llm.clone() });
        let settings = EngineSettings { llm, threads: Threads::default(), ..EngineSettings::default() };
        let engines = Engines::start(settings, clock, data.to_owned()).await;
        if !engines.wait_ready(LOADING).await {
            return Err(Failure::failed("the language model did not start; `--engine matcher` does without"));
        }
        Ok(Self { engines, clock, style: chosen.prompt_style })
    }

    async fn propose(&self, kernel: &Kernel, said: &str) -> Option<Proposal> {
        let ask = kernel.understanding(self.style, said);
        let (prefix, prompt, grammar, max_tokens) = (ask.prefix, ask.prompt, ask.grammar, ask.max_tokens);
        let deadline = self.clock.now() + PATIENCE;
        let work = Understand { stream: StreamId::default(), prefix, prompt, grammar, max_tokens, deadline };
        let understood = self.engines.understand(work).await.ok()?;
        kernel.parse_proposal(&understood.text, understood.confidence).ok()
    }
}

/// A directory that is gone afterwards.
struct Scratch(std::path::PathBuf);

impl Scratch {
    fn new() -> Result<Self, Failure> {
        let name = crate::base::entropy::number().map_err(Failure::failed)?;
        let path = std::env::temp_dir().join(format!("nightbell-talk-{name:016x}"));
        std::fs::create_dir(&path).map_err(|error| Failure::failed(format!("cannot make {}: {error}", path.display())))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
