//! What the caller is saying: from the ear through recognition to one sentence that the kernel may act upon.
//!
//! People pause in mid-sentence, so recognition starts early and at its own risk, and what follows before our answer began is joined to what came before.

use crate::base::limits::UTTERANCE_CHARS_MAX;
use crate::base::{Instant, Pii};
use crate::hear::EndReason;

use super::event::{Failure, Transcript};

/// Recognitions of one utterance that may fail before we give up.
const ATTEMPTS_MAX: u32 = 8;

/// Utterances that wait at once; more, and the oldest words are dropped.
const UTTERANCES_MAX: usize = 8;

/// How far the recognition of one utterance has come.
#[derive(Clone, Debug, PartialEq)]
enum Recognition {
    /// Not begun, or stale.
    Wanted,
    /// On its way.
    Running,
    /// The engine is gone: later.
    Postponed,
    /// The words.
    Done(Transcript),
    /// Given up.
    Lost,
}

#[derive(Clone, Debug)]
struct Utterance {
    number: u32,
    attempt: u32,
    failures: u32,
    ended: bool,
    /// When its last voiced sample reached us.
    silent_since: Option<Instant>,
    recognition: Recognition,
}

/// One sentence, perhaps of several utterances.
#[derive(Clone, Debug, PartialEq)]
pub struct Sentence {
    /// The words.
    pub text: Pii<String>,
    /// The lowest of the parts.
    pub confidence: f32,
    /// When its last voiced sample reached us.
    pub silent_since: Option<Instant>,
    /// True when something was said that no engine could make words of.
    pub lost: bool,
}

/// The caller's utterances that have not been answered yet.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    speaking: bool,
    waiting: Vec<Utterance>,
}

/// What has to be done about an utterance now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing.
    Wait,
    /// Recognise this one, as this attempt.
    Transcribe {
        /// Which.
        utterance: u32,
        /// Which try.
        attempt: u32,
    },
    /// The engine is gone: come back later.
    Postponed,
}

impl Caller {
    /// Whether a voice is heard right now.
    pub fn is_speaking(&self) -> bool {
        self.speaking
    }

    /// Whether anything waits for an answer.
    pub fn is_pending(&self) -> bool {
        self.speaking || !self.waiting.is_empty()
    }

    /// The caller began to speak. Answers the utterances whose sound is no longer needed, because too many wait.
    pub fn began(&mut self, number: u32) -> Option<u32> {
        self.speaking = true;
        let dropped = (self.waiting.len() >= UTTERANCES_MAX).then(|| self.waiting.remove(0).number);
        self.waiting.push(Utterance {
            number,
            attempt: 0,
            failures: 0,
            ended: false,
            silent_since: None,
            recognition: Recognition::Wanted,
        });
        dropped
    }

    /// A first silence.
    pub fn settling(&mut self, number: u32) -> Next {
        self.start(number)
    }

    /// The caller went on: what is being recognised is only the beginning.
    pub fn continued(&mut self, number: u32) {
        if let Some(utterance) = self.find(number) {
            utterance.recognition = Recognition::Wanted;
            utterance.attempt += 1;
        }
    }

    /// The end of an utterance.
    pub fn ended(&mut self, number: u32, why: EndReason, silent_since: Instant) -> Next {
        self.speaking = false;
        if why == EndReason::NoSpeech {
            self.waiting.retain(|utterance| utterance.number != number);
            return Next::Wait;
        }
        let Some(utterance) = self.find(number) else { return Next::Wait };
        utterance.ended = true;
        utterance.silent_since = Some(silent_since);
        match utterance.recognition {
            Recognition::Wanted => self.start(number),
            _ => Next::Wait,
        }
    }

    /// The recogniser's answer. A stale one changes nothing.
    pub fn transcribed(&mut self, number: u32, attempt: u32, result: Result<Transcript, Failure>) -> Next {
        let Some(utterance) = self.find(number).filter(|utterance| utterance.attempt == attempt) else { return Next::Wait };
        match result {
            Ok(transcript) => {
                utterance.recognition = Recognition::Done(transcript);
                Next::Wait
            }
            Err(Failure::Refused) => {
                utterance.recognition = Recognition::Lost;
                Next::Wait
            }
            Err(Failure::Gone | Failure::Late) => {
                utterance.failures += 1;
                utterance.attempt += 1;
                let over = utterance.failures >= ATTEMPTS_MAX;
                utterance.recognition = if over { Recognition::Lost } else { Recognition::Postponed };
                if over { Next::Wait } else { Next::Postponed }
            }
        }
    }

    /// Whether this answer is still waited for.
    pub fn awaits(&self, number: u32, attempt: u32) -> bool {
        self.waiting.iter().any(|utterance| utterance.number == number && utterance.attempt == attempt)
    }

    /// Words that have not come by now are lost: answers to what was asked are stale.
    pub fn give_up(&mut self) {
        for utterance in self.waiting.iter_mut().filter(|utterance| utterance.ended) {
            if !matches!(utterance.recognition, Recognition::Done(_) | Recognition::Lost) {
                utterance.attempt += 1;
                utterance.recognition = Recognition::Lost;
            }
        }
    }

    /// The engine may be back: what was postponed is wanted again.
    pub fn retry(&mut self) -> Vec<Next> {
        let postponed = self.waiting.iter().filter(|utterance| utterance.recognition == Recognition::Postponed);
        let numbers: Vec<u32> = postponed.map(|utterance| utterance.number).collect();
        numbers.into_iter().map(|number| self.start(number)).collect()
    }

    /// All that was said and is recognised, when nothing of it is outstanding. The last utterance may still be open when `early`: the sentence is then a guess.
    pub fn sentence(&self, early: bool) -> Option<Sentence> {
        let mut sentence = Sentence { text: Pii::default(), confidence: 1.0, silent_since: None, lost: false };
        let mut words = String::new();
        for utterance in &self.waiting {
            if !utterance.ended && !early {
                return None;
            }
            match &utterance.recognition {
                Recognition::Done(transcript) if transcript.text.expose().is_empty() => {}
                Recognition::Done(transcript) => {
                    if !words.is_empty() {
                        words.push(' ');
                    }
                    words.push_str(transcript.text.expose());
                    sentence.confidence = sentence.confidence.min(transcript.confidence);
                }
                Recognition::Lost => sentence.lost = true,
                _ => return None,
            }
            sentence.silent_since = utterance.silent_since.or(sentence.silent_since);
        }
        if self.waiting.is_empty() {
            return None;
        }
        sentence.text = Pii::new(words.chars().take(UTTERANCE_CHARS_MAX).collect());
        Some(sentence)
    }

    /// Everything that waits is answered. Answers whose sound may be forgotten.
    pub fn answered(&mut self) -> Vec<u32> {
        let ended = self.waiting.iter().filter(|utterance| utterance.ended).map(|utterance| utterance.number).collect();
        self.waiting.retain(|utterance| !utterance.ended);
        ended
    }

    /// What waits is no longer ours to answer. Answers whose sound may be forgotten.
    pub fn forget(&mut self) -> Vec<u32> {
        self.speaking = false;
        std::mem::take(&mut self.waiting).into_iter().map(|utterance| utterance.number).collect()
    }

    fn start(&mut self, number: u32) -> Next {
        let Some(utterance) = self.find(number) else { return Next::Wait };
        utterance.recognition = Recognition::Running;
        Next::Transcribe { utterance: number, attempt: utterance.attempt }
    }

    fn find(&mut self, number: u32) -> Option<&mut Utterance> {
        self.waiting.iter_mut().find(|utterance| utterance.number == number)
    }
}
