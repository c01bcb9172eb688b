//! Where the time of an answer went, by the journal of the call: every input of the conductor with its time in microseconds.

use nightbell::base::TurnId;
use nightbell::call::{Answer, Hearing, Input, Journalled, Sound, Stock};
use nightbell::store::{CallRecord, JournalEntry, Who};

/// One answer, in milliseconds.
#[derive(Clone, Copy, Default)]
pub struct Split {
    /// From the last voiced sample to the decision that the caller has finished.
    pub wait: f64,
    /// From there to the transcript; zero when it was there before.
    pub asr: f64,
    /// From there to the language model's answer.
    pub llm: f64,
    /// From there to the first clip of our turn.
    pub tts: f64,
    /// From there to the report of the media thread that its first packet was sent.
    pub play: f64,
}

impl Split {
    /// What is neither waiting for the end of the turn nor an engine's.
    pub fn after_wait(&self) -> f64 {
        self.asr + self.llm + self.tts + self.play
    }
}

/// The answers of a call, in order, fillers left out.
pub fn splits(entries: &[JournalEntry]) -> Vec<Split> {
    let inputs: Vec<(f64, Input)> = entries
        .iter()
        .filter(|entry| entry.kind == "input")
        .filter_map(|entry| serde_json::from_slice::<Journalled>(&entry.payload).ok())
        .filter_map(|entry| Some((entry.at_us as f64 / 1_000.0, entry.input?)))
        .collect();
    let ends: Vec<usize> = (0..inputs.len()).filter(|at| matches!(inputs[*at].1, Input::Hearing(Hearing::Ended { .. }))).collect();
    // What comes after the caller has begun again belongs to the next answer.
    let until =
        |at: usize| (at..inputs.len()).find(|next| matches!(inputs[*next].1, Input::Hearing(Hearing::Began(_)))).unwrap_or(inputs.len());
    ends.iter().filter_map(|at| split(&inputs, *at, until(*at))).collect()
}

fn split(inputs: &[(f64, Input)], at: usize, until: usize) -> Option<Split> {
    let (ended, Input::Hearing(Hearing::Ended { utterance, silent_ms, .. })) = &inputs[at] else { return None };
    let heard = |input: &Input| matches!(input, Input::Engine(Answer::Transcribed { utterance: of, .. }) if of == utterance);
    let transcribed = inputs[..until].iter().filter(|(_, input)| heard(input)).map(|(time, _)| *time).next_back()?.max(*ended);
    let after = &inputs[at..until];
    let understood = after.iter().find(|(_, input)| matches!(input, Input::Engine(Answer::Understood { .. })));
    let understood = understood.map_or(transcribed, |(time, _)| time.max(transcribed));
    let begun = inputs[..at].iter().filter_map(|(_, input)| turn_of(input)).max().unwrap_or(TurnId(0));
    let clip = after.iter().find(|(time, input)| {
        *time >= understood && matches!(input, Input::Engine(Answer::Clip { turn, samples, .. }) if *turn > begun && *samples > 0)
    });
    let (made, turn) = clip.and_then(|(time, input)| Some((*time, turn_of(input)?)))?;
    let first = |input: &Input| matches!(input, Input::Sound(Sound::Played { turn: of, samples, .. }) if *of == turn && *samples > 0);
    let played = after.iter().find(|(_, input)| first(input)).map(|(time, _)| *time)?;
    Some(Split {
        wait: *silent_ms as f64,
        asr: transcribed - ended,
        llm: understood - transcribed,
        tts: made - understood,
        play: played - made,
    })
}

fn turn_of(input: &Input) -> Option<TurnId> {
    match input {
        Input::Engine(Answer::Clip { turn, .. }) | Input::Sound(Sound::Played { turn, .. }) => Some(*turn),
        _ => None,
    }
}

/// From the caller's last voiced sample to the first word of content, by the daemon's own record: turns of ours that are no filler.
pub fn content_gaps(record: &CallRecord) -> Vec<u64> {
    let ours = record.turns.iter().filter(|turn| turn.who == Who::Agent && !is_filler(turn.text.as_deref()));
    ours.filter_map(|turn| turn.gap_ms).collect()
}

/// How many fillers were said.
pub fn fillers(record: &CallRecord) -> usize {
    record.turns.iter().filter(|turn| turn.who == Who::Agent && is_filler(turn.text.as_deref())).count()
}

fn is_filler(text: Option<&str>) -> bool {
    text.is_some_and(|text| Stock::ALL.iter().any(|stock| stock.text() == text))
}
