//! Who answered a call of ours: a person, a recorder, a fax. People say a word or two and wait; recorders talk on, and then there is a beep.
//!
//! ```text
//! nothing for 2 s                          -> Silent: whoever listens may be spoken to
//! up to 3 s of voice, then 700 ms silence  -> Person
//! more voice, then 2.5 s silence, no beep  -> Person (a long greeting of a business)
//! a single tone of 120 ms or more, its end -> Recorder: now it records. Also when a person was presumed up to 20 s ago
//! 2,100 Hz for 400 ms                      -> Fax
//! a minute without any of these            -> Endless
//! ```

use super::level::Level;
use super::sense::Hop;
use super::vad::HOP_MS;

/// Silence after which somebody who answered may be spoken to.
const SILENT_MS: u64 = 2_000;

/// Voice that a person's first words have at most.
const WORD_MS: u64 = 3_000;

/// Silence in which a person waits for an answer.
const WAITS_MS: u64 = 700;

/// Silence after many words without a beep: no recorder waits so long for its own tone.
const NO_BEEP_MS: u64 = 2_500;

/// How long a tone has to be for a beep, and how long at most.
const BEEP_MS: (u64, u64) = (120, 1_500);

/// The tones of beeps, in hertz.
const BEEP_HZ: std::ops::RangeInclusive<u16> = 350..=2_050;

/// How long the tone of an answering fax has to be, and its frequency in hertz (ITU-T T.30 §4.3.3).
const FAX: (u64, u16) = (400, 2_100);

/// How far a tone may wander and still be one, in hertz: one bin.
const WANDERS_HZ: u16 = 70;

/// How far its loudness may move from hop to hop, in decibels. Two tones close together, as telephones ring, beat against each other.
const WANDERS_DB: f32 = 3.0;

/// How long after a person was presumed a beep still shows that it was none.
const REVISED_MS: u64 = 20_000;

/// After so long nobody is there.
const ENDLESS_MS: u64 = 60_000;

/// Who answered.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answerer {
    /// Somebody who waits for us to speak.
    Person,
    /// Nobody has said anything.
    Silent,
    /// A recorder, and from now on it records.
    Recorder,
    /// A fax.
    Fax,
    /// A voice or a noise that never ends.
    Endless,
}

/// A tone that goes on.
#[derive(Clone, Copy, Debug)]
struct Tone {
    hertz: u16,
    level: Level,
    ms: u64,
}

/// Listens from the moment of the answer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Screen {
    at_ms: u64,
    voiced_ms: u64,
    silent_ms: u64,
    tone: Option<Tone>,
    presumed_ms: Option<u64>,
    over: bool,
}

impl Screen {
    /// The next hop, and whether it is voice.
    pub(super) fn hear(&mut self, hop: &Hop, voiced: bool) -> Option<Answerer> {
        if self.over {
            return None;
        }
        self.at_ms += HOP_MS;
        if hop.gap {
            // Nothing is known: a lost packet neither ends a tone nor makes a silence.
            return None;
        }
        let found = self.tone(hop).or_else(|| self.voice(voiced && hop.pure_hz.is_none()))?;
        match found {
            Answerer::Person | Answerer::Silent => self.presumed_ms = Some(self.at_ms),
            Answerer::Recorder | Answerer::Fax | Answerer::Endless => self.over = true,
        }
        Some(found)
    }

    /// Whether nothing more will be found.
    pub(super) fn is_over(self) -> bool {
        self.over
    }

    fn tone(&mut self, hop: &Hop) -> Option<Answerer> {
        let next = hop.pure_hz.map(|hertz| Tone { hertz, level: hop.level, ms: HOP_MS });
        if let Some((tone, next)) = self.tone.zip(next).filter(|(tone, next)| tone.goes_on_as(*next)) {
            let ms = tone.ms + HOP_MS;
            self.tone = Some(Tone { ms, level: next.level, ..tone });
            return (tone.hertz.abs_diff(FAX.1) <= WANDERS_HZ && ms >= FAX.0).then_some(Answerer::Fax);
        }
        let ended = std::mem::replace(&mut self.tone, next);
        ended.filter(|tone| tone.is_beep()).map(|_| Answerer::Recorder)
    }

    fn voice(&mut self, voiced: bool) -> Option<Answerer> {
        if let Some(presumed) = self.presumed_ms {
            self.over = self.at_ms - presumed > REVISED_MS;
            return None;
        }
        if voiced {
            self.voiced_ms += HOP_MS;
            self.silent_ms = 0;
        } else if self.tone.is_none() {
            self.silent_ms += HOP_MS;
        }
        let waits = if self.voiced_ms <= WORD_MS { WAITS_MS } else { NO_BEEP_MS };
        if self.voiced_ms == 0 {
            return (self.silent_ms >= SILENT_MS).then_some(Answerer::Silent);
        }
        if self.silent_ms >= waits {
            return Some(Answerer::Person);
        }
        (self.at_ms >= ENDLESS_MS).then_some(Answerer::Endless)
    }
}

impl Tone {
    fn goes_on_as(self, next: Self) -> bool {
        self.hertz.abs_diff(next.hertz) <= WANDERS_HZ && next.level.above(self.level).abs() <= WANDERS_DB
    }

    fn is_beep(self) -> bool {
        BEEP_HZ.contains(&self.hertz) && (BEEP_MS.0..=BEEP_MS.1).contains(&self.ms)
    }
}
