use std::sync::Arc;
use std::time::Duration;

use nightbell::base::Rate;
use nightbell::engine::{EngineError, Transcribe, Understand, WorkerState};
use nightbell::run::workers::EngineSettings;

use super::tools::{Running, settings, stream};

pub const GRAMMAR: &str = r#"root ::= "{\"intent\":\"" intent "\",\"slots\":{" slots? "}}"
intent ::= "greeting"|"hours"|"price"|"book"|"cancel"|"yes"|"no"|"human"|"goodbye"|"other"
slots ::= slot ("," slot){0,3}
slot ::= "\"" key "\":\"" val "\""
key ::= "name"|"day"|"time"|"service"|"phone"
val ::= [A-Za-z0-9 :'-]{1,40}"#;

/// A prompt in the starter model's own format.
pub fn prefix(business: &str) -> Arc<str> {
    format!("<|im_start|>system\n{business}<|im_end|>\n").into()
}

pub fn understand(running: &Running, number: u16, prefix: &Arc<str>, said: &str) -> Understand {
    Understand {
        stream: stream(number),
        prefix: Arc::clone(prefix),
        prompt: format!("<|im_start|>user\nasked: open\n{said}<|im_end|>\n<|im_start|>assistant\n"),
        grammar: GRAMMAR.into(),
        max_tokens: 160,
        deadline: running.patience(),
    }
}

fn only_llm() -> EngineSettings {
    EngineSettings { asr: None, ..settings() }
}

#[tokio::test]
async fn sixteen_requests_at_once_share_one_computed_prompt_and_each_gets_the_answer_it_gets_alone() {
    let running = Running::start(only_llm()).await;
    let prefix = prefix("Main Street Salon");
    let said = ["I want to book a haircut for Tuesday", "what are your hours", "how much is a haircut", "let me talk to a person"];
    let first = running.engines.understand(understand(&running, 0, &prefix, said[0])).await.unwrap();
    let prefix_tokens = first.prompt_tokens;
    let mut alone = Vec::new();
    for words in said {
        alone.push(running.engines.understand(understand(&running, 0, &prefix, words)).await.unwrap());
    }
    assert!(alone[0].prompt_tokens + 5 < prefix_tokens, "{} tokens the first time, then {}", prefix_tokens, alone[0].prompt_tokens);
    let works = (0..16_u16).map(|number| understand(&running, number, &prefix, said[usize::from(number) % 4]));
    let tasks: Vec<_> = works
        .map(|work| {
            let engines = running.engines.clone();
            tokio::spawn(async move { engines.understand(work).await })
        })
        .collect();
    for (number, task) in tasks.into_iter().enumerate() {
        let together = task.await.unwrap().unwrap();
        let json: serde_json::Value = serde_json::from_str(&together.text).expect("the grammar makes JSON");
        assert!(json["intent"].is_string());
        let by_itself: serde_json::Value = serde_json::from_str(&alone[number % 4].text).unwrap();
        // Sums in another order may tip a slot that was near a tie, never what the caller wants.
        assert_eq!(json["intent"], by_itself["intent"], "batching changes no intent: {} and {by_itself}", together.text);
        assert!(together.confidence > 0.3 && together.confidence <= 1.0);
        assert!(together.prompt_tokens < prefix_tokens, "the prefix is there already");
    }
}

#[tokio::test]
async fn more_agents_than_prefix_places_take_turns_and_all_are_answered() {
    let running = Running::start(only_llm()).await;
    for number in 0..12 {
        let prefix = prefix(&format!("Salon number {number}"));
        let answer = running.engines.understand(understand(&running, number, &prefix, "yes please")).await.unwrap();
        assert!(answer.text.starts_with("{\"intent\":\""), "{answer:?}");
    }
}

#[tokio::test]
async fn a_grammar_that_cannot_be_read_and_a_prompt_that_is_too_long_are_refused_in_words() {
    let running = Running::start(only_llm()).await;
    let prefix = prefix("Main Street Salon");
    let broken = Understand { grammar: "root ::= \"unclosed".into(), ..understand(&running, 0, &prefix, "hello") };
    let Err(EngineError::Refused(why)) = running.engines.understand(broken).await else { panic!("a broken grammar was taken") };
    assert!(why.contains("grammar"), "{why}");
    let long = understand(&running, 0, &prefix, &"very long ".repeat(2_000));
    let Err(EngineError::Refused(why)) = running.engines.understand(long).await else { panic!("a long prompt was taken") };
    assert!(why.contains("context of 1024"), "{why}");
    assert!(running.engines.understand(understand(&running, 0, &prefix, "hello")).await.is_ok(), "the worker lives on");
}

#[tokio::test]
async fn a_deadline_that_passes_is_an_expiry_and_a_dropped_request_frees_the_worker() {
    let running = Running::start(only_llm()).await;
    let prefix = prefix("Main Street Salon");
    let late = Understand { deadline: running.clock.now() + Duration::from_millis(1), ..understand(&running, 0, &prefix, "hello") };
    assert_eq!(running.engines.understand(late).await, Err(EngineError::Expired));
    for number in 0..40 {
        // Cancelled by being dropped when the timeout of nothing at all has passed.
        let work = running.engines.understand(understand(&running, number, &prefix, "hello"));
        let _ = tokio::time::timeout(Duration::ZERO, work).await;
    }
    let answer = running.engines.understand(understand(&running, 0, &prefix, "hello")).await.unwrap();
    assert!(answer.took < Duration::from_secs(10), "{:?}", answer.took);
}

#[tokio::test]
async fn a_worker_without_a_model_is_absent_and_its_requests_fail_at_once() {
    let running = Running::start(only_llm()).await;
    assert_eq!(running.engines.status()[0].state, WorkerState::Absent);
    let work = Transcribe { stream: stream(1), pcm: vec![0; 800], rate: Rate::K8, hint: String::new(), deadline: running.patience() };
    assert_eq!(running.engines.transcribe(work).await, Err(EngineError::Gone));
}
