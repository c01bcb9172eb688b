//! From a rule's wish to sentences that may be spoken: wording, guard, one turn a step.

use super::machine::Kernel;
use super::state::{Asked, Stage, Then};
use crate::base::{Pii, limits};
use crate::dialogue::event::{Decision, Effect, EffectId, Sentence, SpeechAct};
use crate::dialogue::guard::{self, Grounds};
use crate::dialogue::proposal::Proposal;
use crate::dialogue::wording::Key;
use crate::dialogue::words::plain;

/// Words and numbers remembered as grounds. Beyond: new ones are not learnt, and sentences with them fall back.
pub(super) const GROUNDS_MAX: usize = 4_096;

impl Kernel {
    /// Says a scripted sentence.
    pub(super) fn say(&mut self, act: &SpeechAct, key: Key, values: &[(&str, &str)], out: &mut Vec<Effect>) {
        let text = self.agent.wording.render(key, values);
        self.say_text(act, &text, out);
    }

    /// Says `text`, sentence by sentence, each through the guard.
    pub(super) fn say_text(&mut self, act: &SpeechAct, text: &str, out: &mut Vec<Effect>) {
        for sentence in crate::base::text::sentences(text) {
            let sentence: String = sentence.chars().take(limits::SENTENCE_CHARS_MAX).collect();
            let grounds = Grounds { agent: &self.agent.grounds, call: &self.grounds, forbidden: &self.agent.parts.forbidden };
            let receipts: Vec<(EffectId, &str)> = self.done.iter().map(|done| (done.effect, done.receipt.kind.as_str())).collect();
            match guard::check(&sentence, act, &receipts, &grounds) {
                Ok(()) => self.draft.push(Sentence { text: Pii::new(sentence), act: act.clone() }),
                Err(violation) => {
                    self.journal("guard", &violation.to_string(), None, out);
                    let fallback = self.agent.wording.render(Key::Fallback, &[]);
                    self.draft.push(Sentence { text: Pii::new(fallback), act: SpeechAct::Fallback });
                }
            }
        }
    }

    /// Asks a scripted question: `asked` is what it opens.
    pub(super) fn ask(&mut self, asked: Asked, key: Key, values: &[(&str, &str)], out: &mut Vec<Effect>) {
        let text = self.agent.wording.render(key, values);
        self.ask_text(asked, &text, out);
    }

    /// Asks in these words.
    pub(super) fn ask_text(&mut self, asked: Asked, text: &str, out: &mut Vec<Effect>) {
        let act = if asked == Asked::Confirm { SpeechAct::ReadBack } else { SpeechAct::Ask };
        let before = self.draft.len();
        self.say_text(&act, text, out);
        self.question = self.draft.get(before..).map(<[Sentence]>::to_vec).unwrap_or_default();
        self.asked = asked;
        if self.deaf {
            self.say_keys(out);
        }
    }

    /// The open question once more, after something else was said.
    pub(super) fn ask_again(&mut self, out: &mut Vec<Effect>) {
        if self.question.is_empty() {
            self.ask(Asked::Open, Key::HowHelp, &[], out);
        } else {
            self.draft.extend(self.question.clone());
        }
    }

    /// A fact that later sentences may contain.
    pub(super) fn learn(&mut self, text: &str) {
        for ground in guard::to_ground(text).into_iter().chain(plain(text)) {
            if self.grounds.len() < GROUNDS_MAX {
                self.grounds.insert(ground);
            }
        }
    }

    /// What follows once this step's words have been played.
    pub(super) fn after_speaking(&mut self, then: Then) {
        self.draft_then = Some(then);
    }

    /// A line for the journal.
    #[expect(clippy::unused_self, reason = "reads as a verb of the kernel, like its neighbours")]
    pub(super) fn journal(&self, rule: &str, why: &str, proposal: Option<&Proposal>, out: &mut Vec<Effect>) {
        out.push(Effect::Journal(Decision {
            rule: rule.to_owned(),
            why: why.to_owned(),
            intent: proposal.map(|proposal| proposal.intent),
            source: proposal.map(|proposal| proposal.source),
            confidence: proposal.map(|proposal| proposal.confidence),
        }));
    }

    /// The id of a new effect.
    pub(super) fn effect(&mut self) -> EffectId {
        self.effects = self.effects.saturating_add(1);
        EffectId(self.effects)
    }

    /// Everything drafted in this step becomes one turn.
    pub(super) fn flush(&mut self, out: &mut Vec<Effect>) {
        if self.draft.is_empty() {
            // Nothing to say: what was to follow the words follows at once.
            if let Some(then) = self.draft_then.take() {
                self.follow(then, out);
            }
            return;
        }
        self.turn = self.turn.next();
        let sentences = std::mem::take(&mut self.draft);
        self.last_said.clone_from(&sentences);
        // What was to follow earlier words follows the latest ones.
        self.then = self.draft_then.take().or(self.then.map(|(_, then)| then)).map(|then| (self.turn, then));
        if self.stage == Stage::Greet {
            self.stage = Stage::Inform;
        }
        out.push(Effect::Say { turn: self.turn, sentences, expected: self.expected() });
    }
}
