use nightbell::base::Rate;
use nightbell::engine::{Speak, SpeechChunk, Transcribe};
use nightbell::run::workers::EngineSettings;

use super::tools::{Running, settings, stream, telephoned};

const SENTENCE: &str = "Thank you for calling Oak Street Dental, how can I help you today?";

async fn spoken(running: &Running, text: &str, rate: Rate) -> Vec<SpeechChunk> {
    let mut chunks = Vec::new();
    let mut receiver =
        running.engines.speak(Speak { stream: stream(1), text: text.to_owned(), fixed: true, rate, deadline: running.patience() });
    while let Some(chunk) = receiver.recv().await {
        chunks.push(chunk.unwrap());
    }
    chunks
}

fn loudness(pcm: &[i16]) -> f64 {
    let energy: f64 = pcm.iter().map(|sample| f64::from(*sample).powi(2)).sum();
    (energy / f64::from(u32::try_from(pcm.len()).unwrap())).sqrt()
}

#[tokio::test]
async fn a_sentence_comes_clause_by_clause_as_sound_of_the_right_length() {
    let running = Running::start(settings()).await;
    for rate in [Rate::K8, Rate::K16] {
        let chunks = spoken(&running, SENTENCE, rate).await;
        let clauses: Vec<&str> = chunks.iter().map(|chunk| &SENTENCE[chunk.text_range.clone()]).collect();
        assert_eq!(clauses, ["Thank you for calling Oak Street Dental,", "how can I help you today?"]);
        assert_eq!(chunks.iter().map(|chunk| (chunk.clause, chunk.last)).collect::<Vec<_>>(), [(0, false), (1, true)]);
        for chunk in &chunks {
            assert!(loudness(&chunk.pcm) > 500.0, "clause {} is silent", chunk.clause);
            let seconds = f64::from(u32::try_from(chunk.pcm.len()).unwrap()) / f64::from(rate.hertz());
            assert!((0.8..4.0).contains(&seconds), "clause {} takes {seconds} s", chunk.clause);
            assert!(chunk.pcm.iter().take(rate.hertz() as usize / 10).any(|sample| sample.abs() > 300), "speech begins at once");
        }
    }
}

#[tokio::test]
async fn a_sentence_spoken_before_comes_from_the_disk_and_is_the_same() {
    let running = Running::start(settings()).await;
    let first = spoken(&running, SENTENCE, Rate::K8).await;
    let files = std::fs::read_dir(running.folder.path().join("phrases")).unwrap().count();
    assert_eq!(files, 2, "one file a clause");
    assert!(first == spoken(&running, SENTENCE, Rate::K8).await);
    assert_eq!(std::fs::read_dir(running.folder.path().join("phrases")).unwrap().count(), 2);
}

#[tokio::test]
async fn text_without_a_word_ends_in_one_silent_chunk() {
    let running = Running::start(settings()).await;
    let chunks = spoken(&running, "...", Rate::K8).await;
    assert_eq!(chunks.len(), 1);
    assert!(chunks[0].last && chunks[0].pcm.is_empty());
}

#[tokio::test]
async fn what_espeak_says_through_a_telephone_line_is_understood_and_silence_is_nothing() {
    let running = Running::start(EngineSettings { tts: None, ..settings() }).await;
    let work = |pcm, rate| Transcribe { stream: stream(1), pcm, rate, hint: String::new(), deadline: running.patience() };
    for rate in [Rate::K8, Rate::K16] {
        let chunks = spoken(&running, "I would like to book an appointment for Tuesday.", rate).await;
        let mut pcm = vec![0; 2_000];
        pcm.extend(chunks.iter().flat_map(|chunk| chunk.pcm.iter().copied()));
        pcm.extend(vec![0; 2_000]);
        let heard = running.engines.transcribe(work(telephoned(&pcm), rate)).await.unwrap();
        let text = heard.text.to_lowercase();
        assert!(text.contains("appointment") && text.contains("tuesday"), "heard {text:?}");
        assert!(heard.confidence > 0.5, "confidence {}", heard.confidence);
        assert!(heard.no_speech < 0.5, "no speech {}", heard.no_speech);
    }
    let silence = running.engines.transcribe(work(vec![0; 16_000], Rate::K8)).await.unwrap();
    assert_eq!(silence.text, "");
    assert!(silence.confidence < 0.01);
}
