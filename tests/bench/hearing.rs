//! How well the ear hears: human voices over a telephone line, clean and in noise, beside plain energy thresholds.
//!
//! `cargo bench --bench hearing` reports on one half of the clips; `-- --tune` uses the other half, on which the settings were chosen;
//! `-- --brief` leaves out the noises. The method and a run's table stand in `docs/hearing.md`.
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "arithmetic of a measurement, far from any limit"
)]

#[path = "hearing/corpus.rs"]
mod corpus;
#[path = "hearing/listeners.rs"]
mod listeners;
#[path = "hearing/noise.rs"]
mod noise;
#[path = "hearing/score.rs"]
mod score;

use std::collections::VecDeque;
use std::fmt::Write as _;

use corpus::{Clip, decibels, power, through_the_line};
use listeners::{Log, Moment, Said, Threshold, ear, ear_on, energy};
use nightbell::base::TurnId;
use nightbell::base::clock::Clock;
use nightbell::hear::{Expectation, Hold, Settings};
use noise::Noise;
use score::{Score, Sums};

/// Silence before and after each clip.
const LEAD: usize = 12_000;
const TAIL: usize = 20_000;

/// A way to hear a sound.
type Listener<'a> = (&'a str, Box<dyn Fn(&[i16]) -> Log>);

fn main() {
    let Some(human) = corpus::shared() else {
        println!("skipped: no shared/corpora/human beside the package (set NIGHTBELL_SHARED)");
        return;
    };
    let asked = |flag: &str| std::env::args().any(|arg| arg == flag);
    let all = corpus::load(&human.join("commands"));
    let digits = corpus::load(&human.join("digits"));
    let keep = usize::from(!asked("--tune"));
    let clips: Vec<Clip> = all.iter().enumerate().filter(|(place, _)| place % 2 == keep).map(|(_, clip)| clip.padded(LEAD, TAIL)).collect();
    let others: Vec<Clip> = all.into_iter().enumerate().filter(|(place, _)| place % 2 != keep).map(|(_, clip)| clip).collect();
    pauses(&clips);
    let snrs: &[Option<f64>] = if asked("--brief") { &[None] } else { &[None, Some(20.0), Some(10.0), Some(5.0)] };
    let settings = changed(Settings::default());
    speech(&clips, &others, snrs, settings);
    noise_alone(&clips, &others, settings);
    over_ours(&clips, &others, settings);
    short_words(&digits, settings);
    expectations(&clips, settings);
    cost(&clips, settings);
}

/// `name=value` on the command line tries another setting.
fn changed(mut settings: Settings) -> Settings {
    for (name, value) in
        std::env::args().filter_map(|arg| arg.split_once('=').and_then(|(name, value)| Some((name.to_owned(), value.parse::<f32>().ok()?))))
    {
        match name.as_str() {
            "voiced_score" => settings.voiced_score = value,
            "onset_score" => settings.onset_score = value,
            "onset_score_playing" => settings.onset_score_playing = value,
            "onset_evidence" => settings.onset_evidence = value,
            "onset_evidence_playing" => settings.onset_evidence_playing = value,
            "floor_margin_db" => settings.floor_margin_db = value,
            "echo_margin_db" => settings.echo_margin_db = value,
            "behind_onset_db" => settings.behind_onset_db = value,
            "behind_voiced_db" => settings.behind_voiced_db = value,
            "yield_voiced_ms" => settings.yield_voiced_ms = value as u64,
            "resume_silence_ms" => settings.resume_silence_ms = value as u64,
            other => println!("no setting {other}"),
        }
    }
    settings
}

fn listeners(settings: Settings) -> Vec<Listener<'static>> {
    vec![
        ("ear", Box::new(move |pcm| ear(pcm, settings, Expectation::Open))),
        ("energy, -40 dB", Box::new(|pcm| energy(pcm, Threshold::Fixed))),
        ("energy, floor+9", Box::new(|pcm| energy(pcm, Threshold::AboveFloor))),
    ]
}

/// `clip` with `noise` that many decibels below its speech, through mu-law.
fn mix(clip: &Clip, noise: &[f64], snr_db: f64) -> Vec<i16> {
    let gain = (clip.power / 10_f64.powf(snr_db / 10.0)).sqrt() * 32_768.0;
    clip.pcm.iter().zip(noise).map(|(&voice, noise)| through_the_line(f64::from(voice) + gain * noise)).collect()
}

/// How long the pauses inside the orders are: what any end of turn by silence alone has to live with.
fn pauses(clips: &[Clip]) {
    let longest = |clip: &Clip| clip.runs.windows(2).map(|pair| pair[1].0 - pair[0].1).max().unwrap_or(0) / 8;
    let mut longest: Vec<usize> = clips.iter().map(longest).collect();
    longest.sort_unstable();
    let over = |ms: usize| longest.iter().filter(|&&pause| pause >= ms).count() * 100 / longest.len().max(1);
    println!("{} orders; longest pause inside: median {} ms;", clips.len(), longest[longest.len() / 2]);
    println!(
        "  at least 400 ms in {} %, 550 in {} %, 700 in {} %, 900 in {} %, 1200 in {} %\n",
        over(400),
        over(550),
        over(700),
        over(900),
        over(1_200)
    );
}

fn speech(clips: &[Clip], others: &[Clip], snrs: &[Option<f64>], settings: Settings) {
    println!("{}", Sums::head());
    for &snr in snrs {
        for noise in Noise::UNDER_SPEECH.into_iter().take(if snr.is_some() { 4 } else { 1 }) {
            let condition = snr.map_or("clean".to_owned(), |snr| format!("{noise:?} {snr:.0} dB"));
            let sounds: Vec<Vec<i16>> = clips
                .iter()
                .enumerate()
                .map(|(place, clip)| match snr {
                    None => clip.pcm.clone(),
                    Some(snr) => mix(clip, &noise.make(clip.pcm.len(), place as u64 + 1, others), snr),
                })
                .collect();
            for (name, listen) in listeners(settings) {
                let mut sums = Sums::default();
                for (clip, sound) in clips.iter().zip(&sounds) {
                    sums.add(&Score::of(clip, &listen(sound)));
                }
                println!("{}", sums.row(&condition, name));
            }
        }
    }
    println!();
}

/// Two minutes of each noise without any voice, as loud as 10 dB below speech (babble and music as loud as 5 dB below).
fn noise_alone(clips: &[Clip], others: &[Clip], settings: Settings) {
    let speech_power = clips.iter().map(|clip| clip.power).sum::<f64>() / clips.len().max(1) as f64;
    println!("false voices per minute of noise alone (utterances that would reach the recogniser per minute)");
    for noise in Noise::UNDER_SPEECH.into_iter().chain(Noise::ALONE) {
        for snr in [20.0, 10.0, 5.0] {
            let gain = (speech_power / 10_f64.powf(snr / 10.0)).sqrt() * 32_768.0;
            let sound: Vec<i16> = noise.make(8_000 * 120, 77, others).iter().map(|x| through_the_line(gain * x)).collect();
            let mut row = format!("  {:8} {snr:3.0} dB below speech ({:5.1} dBov):", format!("{noise:?}"), decibels(power(&sound)));
            for (name, listen) in listeners(settings) {
                let log = listen(&sound);
                let began = log.iter().filter(|(_, said)| *said == Said::Began).count();
                let speech = log.iter().filter(|(_, said)| matches!(said, Said::Ended { speech: true, .. })).count();
                let _ = write!(row, "  {name} {:.1} ({:.1})", began as f64 / 2.0, speech as f64 / 2.0);
            }
            println!("{row}");
        }
    }
    println!();
}

/// Our own voice on the line: what is played next, and what of it comes back 120 ms later.
struct Ours {
    sound: Vec<f64>,
    played_until: usize,
    on_the_line: VecDeque<f64>,
    turn: TurnId,
    gain: f64,
}

impl Ours {
    /// The speech of `clip` at -20 dBov, over and over, and its echo so many decibels below.
    fn of(clip: &Clip, echo_db: Option<f64>) -> Self {
        let level = (0.01 / clip.power.max(1e-9)).sqrt();
        let sound = clip.runs.iter().flat_map(|&(from, to)| clip.pcm[from..to].iter().map(|&x| f64::from(x) * level)).collect();
        let gain = echo_db.map_or(0.0, |db| 10_f64.powf(-db / 20.0));
        Self { sound, played_until: 0, on_the_line: std::iter::repeat_n(0.0, 960).collect(), turn: TurnId(1), gain }
    }

    /// The next frame with the caller in it: a turn that was given up is followed by the next one.
    fn moment(&mut self, caller: &[i16; 160], hold: Hold) -> Moment {
        if let Hold::Yielded(given_up) = hold {
            self.turn = self.turn.max(given_up.next());
        }
        let silent = matches!(hold, Hold::Paused(_));
        let mut played = [0_i16; 160];
        for sample in played.iter_mut().filter(|_| !silent) {
            *sample = self.sound[self.played_until % self.sound.len()] as i16;
            self.played_until += 1;
        }
        self.on_the_line.extend(played.iter().map(|&x| f64::from(x) * self.gain));
        let heard = std::array::from_fn(|at| through_the_line(f64::from(caller[at]) + self.on_the_line.pop_front().unwrap_or(0.0)));
        Moment { heard, playing: Some(self.turn), level: (power(&played).sqrt() * 32_768.0) as u16 }
    }
}

/// The caller speaks over ours, six seconds into it: how soon we stop, and what an echo of ours does before.
fn over_ours(clips: &[Clip], others: &[Clip], settings: Settings) {
    println!("over our own voice (ours at -20 dBov; its echo so many decibels below, 120 ms late)");
    for echo_db in [None, Some(40.0), Some(30.0), Some(20.0), Some(12.0), Some(6.0)] {
        let (mut pauses, mut yields, mut missed) = (Vec::new(), Vec::new(), 0);
        let (mut echo_pauses, mut echo_yields, mut minutes) = (0.0, 0.0, 0.0);
        for (clip, ours) in clips.iter().zip(others.iter().cycle()) {
            let caller: Vec<i16> = std::iter::repeat_n(0, 48_000).chain(clip.pcm.iter().copied()).collect();
            let mut ours = Ours::of(ours, echo_db);
            let mut frames = caller.as_chunks::<160>().0.iter();
            let log = ear_on(settings, Expectation::Open, |hold| frames.next().map(|frame| ours.moment(frame, hold)));
            let onset = clip.runs[0].0 + 48_000;
            let before = |said: Said| log.iter().filter(|one| one.0 < onset && one.1 == said).count() as f64;
            let after = |said: Said| log.iter().find(|one| one.0 >= onset && one.1 == said).map(|one| (one.0 - onset) / 8);
            echo_pauses += before(Said::Pause);
            echo_yields += before(Said::Yield);
            minutes += onset as f64 / 480_000.0;
            match after(Said::Pause) {
                Some(late) if late < 1_000 => pauses.push(late),
                _ => missed += 1,
            }
            yields.extend(after(Said::Yield));
        }
        println!(
            "  {:12} pause p50 {} p95 {} ms, later than 1 s or never {missed}/{}; yield p50 {} p95 {} ms; by echo alone: {:.2} pauses, {:.2} yields a minute",
            echo_db.map_or("no echo".to_owned(), |db| format!("echo -{db:.0} dB")),
            score::quantile(&mut pauses, 50),
            score::quantile(&mut pauses, 95),
            clips.len(),
            score::quantile(&mut yields, 50),
            score::quantile(&mut yields, 95),
            echo_pauses / minutes,
            echo_yields / minutes,
        );
    }
    println!();
}

/// Single digits, as short as a "yes": heard at all, and over ours no interruption.
fn short_words(digits: &[Clip], settings: Settings) {
    let (mut missed, mut dropped, mut delays) = (0, 0, Vec::new());
    let (mut paused, mut yielded) = (0, 0);
    for clip in digits {
        let clip = clip.padded(8_000, 12_000);
        let log = ear(&clip.pcm, settings, Expectation::YesNo);
        missed += usize::from(!log.iter().any(|(_, said)| *said == Said::Began));
        dropped += log.iter().filter(|(_, said)| matches!(said, Said::Ended { speech: false, .. })).count();
        let end = clip.runs.last().map_or(0, |run| run.1);
        if let Some((at, _)) = log.iter().find(|(_, said)| matches!(said, Said::Ended { speech: true, .. })) {
            delays.push(at.saturating_sub(end) / 8);
        }
        let mut frames = clip.pcm.as_chunks::<160>().0.iter();
        let over = |heard: &[i16; 160]| Moment { heard: *heard, playing: Some(TurnId(1)), level: 0 };
        let log = ear_on(settings, Expectation::Open, |_| frames.next().map(over));
        paused += usize::from(log.iter().any(|(_, said)| *said == Said::Pause));
        yielded += usize::from(log.iter().any(|(_, said)| *said == Said::Yield));
    }
    println!(
        "{} single digits: {missed} unheard, {dropped} dropped as no speech; end (yes or no expected) p50 {} p95 {} ms after; over ours: {paused} paused, {yielded} taken as an interruption\n",
        digits.len(),
        score::quantile(&mut delays, 50),
        score::quantile(&mut delays, 95)
    );
}

/// What each expectation does to orders with hesitations.
fn expectations(clips: &[Clip], settings: Settings) {
    for expectation in [Expectation::Open, Expectation::YesNo, Expectation::Digits, Expectation::Name, Expectation::DateTime] {
        let mut sums = Sums::default();
        for clip in clips {
            sums.add(&Score::of(clip, &ear(&clip.pcm, settings, expectation)));
        }
        println!("{}", sums.row("clean", &format!("{expectation:?}")));
    }
    println!();
}

/// Processor time of a frame of 20 ms.
fn cost(clips: &[Clip], settings: Settings) {
    let clock = Clock::start();
    let frames: usize = clips.iter().map(|clip| clip.pcm.len() / 160).sum();
    for clip in clips {
        std::hint::black_box(ear(&clip.pcm, settings, Expectation::Open));
    }
    let micros = clock.now().as_micros() as f64 / frames as f64;
    println!("{micros:.1} us a frame of 20 ms; 64 legs take {:.1} % of a core", micros * 64.0 / 20_000.0 * 100.0);
}
