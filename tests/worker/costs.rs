//! What a turn costs on the machine at hand. Printed, and held only to bounds that a slow machine keeps: `--nocapture` shows them.

use std::time::Duration;

use nightbell::base::Rate;
use nightbell::engine::{Speak, Transcribe};

use super::engines::{prefix, understand};
use super::tools::{Running, settings, stream, telephoned};

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

#[tokio::test]
async fn wall_what_a_turn_costs() {
    let running = Running::start(settings()).await;
    let (engines, clock) = (&running.engines, running.clock);
    let mut pcm = Vec::new();
    let mut sentences = Vec::new();
    for number in ["one", "two", "three", "four", "five"] {
        let text = format!("I would like to book an appointment for number {number} on Tuesday afternoon.");
        let began = clock.now();
        let mut chunks = engines.speak(Speak { stream: stream(0), text, fixed: true, rate: Rate::K8, deadline: running.patience() });
        pcm.clear();
        while let Some(chunk) = chunks.recv().await {
            pcm.extend(chunk.unwrap().pcm);
        }
        sentences.push(clock.now().since(began));
    }
    let seconds = f64::from(u32::try_from(pcm.len()).unwrap()) / 8_000.0;
    println!("voice: {:?} a sentence of {seconds:.1} s", median(sentences));
    let pcm = telephoned(&pcm);
    for together in [1_u16, 4, 10] {
        let work = |number| Transcribe {
            stream: stream(number),
            pcm: pcm.clone(),
            rate: Rate::K8,
            hint: String::new(),
            deadline: running.patience(),
        };
        let began = clock.now();
        let tasks: Vec<_> = (0..together)
            .map(|number| {
                tokio::spawn({
                    let (engines, work) = (engines.clone(), work(number));
                    async move { engines.transcribe(work).await }
                })
            })
            .collect();
        let mut times = Vec::new();
        for task in tasks {
            times.push(task.await.unwrap().unwrap().took);
        }
        let all = clock.now().since(began);
        let factor = all.as_secs_f64() / (seconds * f64::from(together));
        println!("recogniser, {together} at once: median {:?}, real time factor {factor:.3}", median(times));
        assert!(factor < 2.0);
    }
    let prefix = prefix("Main Street Salon");
    engines.understand(understand(&running, 0, &prefix, "hello")).await.unwrap();
    for together in [1_u16, 4, 10] {
        let tasks: Vec<_> = (0..together)
            .map(|number| {
                let (engines, work) =
                    (engines.clone(), understand(&running, number, &prefix, "I want to book a haircut for Tuesday at three"));
                tokio::spawn(async move { engines.understand(work).await })
            })
            .collect();
        let mut times = Vec::new();
        let mut tokens = 0;
        for task in tasks {
            let answer = task.await.unwrap().unwrap();
            tokens = answer.generated_tokens;
            times.push(answer.took);
        }
        println!("language model, {together} at once: median {:?} for {tokens} tokens", median(times));
    }
}
