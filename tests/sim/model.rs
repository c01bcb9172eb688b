//! The shadow: what must hold whatever happens, told only by what went in and what came out.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use nightbell::base::{Instant, TurnId};
use nightbell::call::{Output, Stock, TurnRecord, Who};
use nightbell::dialogue::{EffectId, Outcome, Record};

use crate::disk::Disk;
use crate::sound::Loudspeaker;

/// Words that claim something, and the kind of receipt each needs.
const CLAIMS: &[(&str, &str)] = &[
    ("you're booked", "booking"),
    ("it's moved", "booking"),
    ("is cancelled", "cancellation"),
    ("request is on record", "request"),
    ("message is on record", "message"),
    ("callback on record", "callback"),
    ("transferred", "nothing: a caller who was put through no longer hears us"),
];

/// How long a person who pressed 0 may wait for the office to be rung.
const ZERO: Duration = Duration::from_secs(7);

/// One turn that the call asked to be spoken.
struct Spoken {
    text: String,
    at_ms: u64,
    clips: Vec<(usize, usize)>,
    filed: bool,
}

/// All that the shadow knows.
#[derive(Default)]
pub struct Shadow {
    commits: BTreeSet<EffectId>,
    forgotten: BTreeSet<u32>,
    turns: BTreeMap<TurnId, Spoken>,
    floor: TurnId,
    last_clip: Option<TurnId>,
    /// The caller is speaking, as far as the call was told.
    pub voiced: bool,
    /// Engines fail in this world.
    pub restless: bool,
    /// The call was told that the line is gone.
    pub gone: bool,
    /// The far end told that a person has the call.
    pub person: bool,
    /// A person who was rung took the call, by answering or by a key.
    pub taken: bool,
    /// The caller was not put through and was not told so yet.
    owes_words: bool,
    /// Our last words are being said.
    leaving: bool,
    /// What the call ended with.
    pub outcome: Option<Outcome>,
    /// It was asked to hang up.
    pub hung_up: bool,
    /// Since when 0 has waited for the office.
    pub zero_since: Option<Instant>,
    /// How often each kind of thing happened, to see that the runs get somewhere.
    pub seen: BTreeSet<&'static str>,
}

impl Shadow {
    /// Something came out of the call at `now` on its own clock.
    pub fn output(&mut self, now: Instant, output: &Output, disk: &Disk, sound: &Loudspeaker) {
        assert!(self.outcome.is_none(), "nothing comes after the end: {output:?}");
        let asks_the_line = matches!(
            output,
            Output::Transcribe { .. }
                | Output::Understand { .. }
                | Output::Speak { .. }
                | Output::SpeakStock { .. }
                | Output::Refer { .. }
                | Output::Ring { .. }
                | Output::Bridge { .. }
                | Output::LookUp { .. }
        );
        assert!(!(self.gone && asks_the_line), "nothing is asked for a caller who is gone: {output:?}");
        match output {
            Output::Transcribe { utterance, .. } => {
                assert!(!self.forgotten.contains(utterance), "sound that was forgotten is not recognised: {utterance}");
            }
            Output::Forget { utterance } => {
                self.forgotten.insert(*utterance);
            }
            Output::Speak { turn, text } => {
                self.owes_words = false;
                self.claims(text.expose(), disk);
                self.begin(now, *turn, text.expose());
            }
            Output::SpeakStock { turn, stock } => {
                self.leaving |= *stock == Stock::Broken;
                let excuse = *stock == Stock::Moment && !self.restless;
                assert!(!(excuse && self.voiced), "nobody is asked to wait while they speak");
                self.begin(now, *turn, stock.text());
            }
            Output::FlushBelow(turn) => self.floor = self.floor.max(*turn),
            Output::Commit { effect, record } => {
                assert!(self.commits.insert(*effect), "nothing is committed twice: {effect:?}");
                let same = |row: &&crate::disk::Row| !row.void && row.record == *record;
                assert!(!matches!(record, Record::Booking { .. }) || !disk.rows.values().any(|row| same(&row)), "booked twice: {record:?}");
                self.seen.insert(record.kind());
            }
            Output::Refer { .. } => {
                self.zero_since = None;
                self.seen.insert("refer");
            }
            Output::Ring { .. } => self.zero_since = None,
            Output::FileTransfer { .. } => {
                assert!(self.person || self.taken, "transferred is recorded with evidence alone");
                self.person = true;
            }
            Output::Decision(decision) if ["not-transferred", "came-back"].contains(&decision.rule.as_str()) => {
                self.owes_words = !self.leaving;
                // Outside their hours nobody is rung, and the caller is told.
                self.zero_since = None;
                if decision.rule == "came-back" {
                    self.seen.insert("came-back");
                }
            }
            Output::Turn(turn) => self.filed(turn, sound),
            Output::Hangup => self.hung_up = true,
            Output::Over { outcome } => {
                self.ends(*outcome, disk);
                self.outcome = Some(*outcome);
            }
            _ => {}
        }
    }

    /// Sound of a turn is on its way.
    pub fn clip(&mut self, turn: TurnId, start: usize, end: usize) {
        let before = self.last_clip.replace(turn);
        if let Some(spoken) = self.turns.get_mut(&turn) {
            let torn = !spoken.clips.is_empty() && before != Some(turn) && turn >= self.floor;
            assert!(!torn, "no other words land in the middle of a turn: {:?}", spoken.text);
            spoken.clips.push((start, end));
        }
    }

    /// What must hold at every moment.
    pub fn sweep(&mut self, now: Instant) {
        assert!(!self.owes_words || self.gone, "whoever could not be put through is told what happens next");
        if let Some(since) = self.zero_since {
            assert!(now - since <= ZERO, "0 is a person at every moment: pressed at {since:?}, and nobody was rung by {now:?}");
        }
    }

    fn begin(&mut self, now: Instant, turn: TurnId, text: &str) {
        assert!(turn >= self.floor, "nothing is begun below the floor");
        assert!(self.turns.last_key_value().is_none_or(|(last, _)| *last < turn), "turns count up");
        self.turns.insert(turn, Spoken { text: text.to_owned(), at_ms: now.as_millis(), clips: Vec::new(), filed: false });
    }

    fn claims(&mut self, text: &str, disk: &Disk) {
        let said = text.to_lowercase();
        for (words, kind) in CLAIMS {
            if !said.contains(words) {
                continue;
            }
            let proof = disk.rows.values().filter(|row| row.told && row.receipt.kind == *kind);
            let fits = |record: &Record| match record {
                Record::Booking { start, .. } => said.contains(&clock(start.hour(), start.minute())),
                Record::Callback { due, .. } => said.contains(&clock(due.hour(), due.minute())),
                _ => true,
            };
            assert!(proof.into_iter().any(|row| fits(&row.record)), "said without its receipt: {text}");
            self.seen.insert("claim");
        }
    }

    fn filed(&mut self, record: &TurnRecord, sound: &Loudspeaker) {
        let (text, heard) = (record.text.expose(), record.heard.expose());
        let rest = text.strip_prefix(heard.as_str());
        assert!(rest.is_some_and(|rest| rest.is_empty() || heard.is_empty() || rest.starts_with(' ')), "{heard:?} is a part of {text:?}");
        if record.who == Who::Caller {
            return;
        }
        let mine = |spoken: &Spoken| !spoken.filed && spoken.at_ms == record.at_ms && spoken.text.starts_with(text.as_str());
        let keys: Vec<TurnId> = self.turns.keys().copied().collect();
        for key in keys {
            let Some(spoken) = self.turns.get_mut(&key).filter(|spoken| mine(spoken)) else { continue };
            spoken.filed = true;
            let began = |clip: usize| u32::try_from(clip).is_ok_and(|clip| sound.truth.contains_key(&(key, clip)));
            let played = spoken.clips.iter().enumerate().filter(|(at, _)| began(*at)).map(|(_, (_, end))| *end).max().unwrap_or(0);
            assert!(heard.len() <= played, "{heard:?} was not all played: {played} bytes of {text:?}");
            if heard.len() < text.len() {
                self.seen.insert("cut");
            }
            return;
        }
        // What was owed and then not wanted was never begun.
        assert!(heard.is_empty(), "a turn is filed once, and only when it was spoken: {text:?}");
    }

    fn ends(&mut self, outcome: Outcome, disk: &Disk) {
        let kinds: BTreeSet<&str> = disk.rows.values().map(|row| row.receipt.kind.as_str()).collect();
        let needs: &[&str] = match outcome {
            Outcome::Booked | Outcome::Moved => &["booking"],
            Outcome::Cancelled => &["booking", "cancellation"],
            Outcome::Callback => &["callback"],
            Outcome::Message => &["message"],
            Outcome::Request => &["request"],
            _ => &[],
        };
        assert!(needs.iter().all(|kind| kinds.contains(kind)), "{outcome:?} is in the ledger: {kinds:?}");
        assert_eq!(outcome == Outcome::Transferred, self.person, "transferred only with the proof in hand");
        let told = disk.rows.values().any(|row| row.told);
        let nothing = matches!(outcome, Outcome::Abandoned | Outcome::Informed | Outcome::Failed);
        assert!(!told || !nothing, "what was kept is what the call ended with, not {outcome:?}");
        if outcome == Outcome::Transferred {
            assert!(disk.transferred, "the transfer is on disk");
        }
        self.seen.insert(outcome.as_str());
    }
}

/// "3:30 pm", "10 am".
fn clock(hour: i8, minute: i8) -> String {
    let (shown, half) = (if hour % 12 == 0 { 12 } else { hour % 12 }, if hour < 12 { "am" } else { "pm" });
    if minute == 0 { format!("{shown} {half}") } else { format!("{shown}:{minute:02} {half}") }
}
