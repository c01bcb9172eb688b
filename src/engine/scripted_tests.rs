use std::sync::Arc;

use crate::base::Rate;

use super::*;

const STREAM: StreamId = StreamId { slot: 1, generation: 1 };

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

fn engines(seed: u64) -> Scripted {
    let rules = vec![("haircut".to_owned(), "{\"move\":\"book\"}".to_owned())];
    Scripted::new(ScriptedSettings { rules, delay_ms: [(50, 300), (100, 600), (20, 80)] }, Seed::new(seed))
}

fn transcribe(deadline: u64) -> ScriptedWork {
    let pcm = vec![0; 8_000];
    ScriptedWork::Transcribe(Transcribe { stream: STREAM, pcm, rate: Rate::K8, hint: String::new(), deadline: at(deadline) })
}

fn understand(prompt: &str) -> ScriptedWork {
    let (prefix, grammar) = (Arc::from(""), Arc::from(""));
    ScriptedWork::Understand(Understand { stream: STREAM, prefix, prompt: prompt.to_owned(), grammar, max_tokens: 50, deadline: at(5_000) })
}

fn run(engines: &mut Scripted) -> Vec<(u64, RequestId, ScriptedAnswer)> {
    let mut answers = Vec::new();
    while let Some(deadline) = engines.poll_deadline() {
        engines.handle_timeout(deadline);
        while let Some((id, answer)) = engines.poll_output() {
            answers.push((deadline.as_millis(), id, answer));
        }
    }
    answers
}

#[test]
fn the_same_seed_gives_the_same_answers_at_the_same_times() {
    let one_run = |seed| {
        let mut engines = engines(seed);
        engines.will_hear(STREAM, "I want a haircut");
        engines.handle_request(at(0), 1, transcribe(5_000));
        engines.handle_request(at(0), 2, understand("a haircut please"));
        run(&mut engines)
    };
    let answers = one_run(7);
    assert_eq!(answers, one_run(7));
    assert_ne!(answers, one_run(8));
    let heard = answers.iter().find_map(|(_, _, answer)| match answer {
        ScriptedAnswer::Heard(Ok(transcript)) => Some(transcript.text.clone()),
        _ => None,
    });
    assert_eq!(heard.as_deref(), Some("I want a haircut"));
}

#[test]
fn a_worker_that_dies_fails_what_it_holds_at_once_and_what_comes_until_it_is_back() {
    let mut engines = engines(7);
    engines.handle_request(at(0), 1, transcribe(5_000));
    engines.handle_gone(at(10), WorkerKind::Asr);
    engines.handle_request(at(20), 2, transcribe(5_000));
    engines.handle_back(at(30), WorkerKind::Asr);
    engines.handle_request(at(30), 3, transcribe(31));
    let gone = ScriptedAnswer::Heard(Err(EngineError::Gone));
    let expired = ScriptedAnswer::Heard(Err(EngineError::Expired));
    let answers: Vec<_> = run(&mut engines).into_iter().map(|(_, id, answer)| (id, answer)).collect();
    assert_eq!(answers, [(1, gone.clone()), (2, gone), (3, expired)]);
}

#[test]
fn speech_is_a_tone_as_long_as_the_words_and_its_clauses_cover_them() {
    let mut engines = engines(7);
    let text = "Thank you for calling, how can I help you?";
    engines.handle_request(
        at(0),
        1,
        ScriptedWork::Speak(Speak { stream: STREAM, text: text.to_owned(), rate: Rate::K8, fixed: true, deadline: at(5_000) }),
    );
    let chunks: Vec<SpeechChunk> = run(&mut engines)
        .into_iter()
        .map(|(_, _, answer)| match answer {
            ScriptedAnswer::Spoken(Ok(chunk)) => chunk,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(chunks.iter().map(|chunk| chunk.last).collect::<Vec<_>>(), [false, true]);
    assert_eq!(chunks[0].text_range.start, 0);
    assert_eq!(chunks[1].text_range.end, text.len());
    let samples: usize = chunks.iter().map(|chunk| chunk.pcm.len()).sum();
    assert!((20_000..30_000).contains(&samples), "{samples} samples");
}
