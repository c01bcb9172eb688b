//! The doors that are open at every moment: emergency, a person, "are you a robot", once more, a moment, goodbye.

use super::machine::Kernel;
use super::state::{Asked, Callback, Ringing, Stage, Task, Then, Which};
use crate::base::Pii;
use crate::dialogue::event::{Effect, EffectId, SpeechAct, TransferProgress};
use crate::dialogue::proposal::{Intent, Proposal};
use crate::dialogue::wording::Key;
use crate::dialogue::words::plain;

/// Minutes within which an emergency is called back when the agent file names none.
const EMERGENCY_CALLBACK_MINUTES: u32 = 15;

impl Kernel {
    pub(super) fn through_a_door(&mut self, heard: &str, proposal: &Proposal, out: &mut Vec<Effect>) -> bool {
        let interrupted = self.interrupted.take();
        match proposal.intent {
            Intent::Emergency => self.emergency(heard, out),
            Intent::Human => self.wants_human(out),
            Intent::Robot => {
                let abilities = self.agent.parts.abilities.clone();
                self.say(&SpeechAct::Inform, Key::Robot, &[("abilities", &abilities)], out);
                self.ask_again(out);
            }
            Intent::Repeat => {
                self.journal("repeat", "the last words once more", Some(proposal), out);
                let again = if self.last_said.is_empty() { self.question.clone() } else { self.last_said.clone() };
                self.draft.extend(again);
                self.draft_then = interrupted;
            }
            Intent::Wait => {
                self.say(&SpeechAct::Courtesy, Key::TakeYourTime, &[], out);
            }
            Intent::Goodbye => match interrupted {
                // "Okay, thanks" into "I'm putting you through" is no farewell.
                Some(Then::Transfer(which)) if !plain(heard).iter().any(|word| word == "bye" || word == "goodbye") => {
                    self.announce(which, out);
                }
                _ => return self.goodbye(interrupted, out),
            },
            _ => return self.after_interruption(interrupted, proposal, out),
        }
        if !matches!(proposal.intent, Intent::Wait | Intent::Repeat) {
            self.misses = 0;
        }
        true
    }

    /// The caller spoke into "I'm putting you through" or into the goodbye.
    fn after_interruption(&mut self, interrupted: Option<Then>, proposal: &Proposal, out: &mut Vec<Effect>) -> bool {
        match interrupted {
            Some(Then::Transfer(which)) if matches!(proposal.intent, Intent::Yes | Intent::Greeting) || proposal.confidence < 0.5 => {
                self.announce(which, out);
                true
            }
            Some(Then::Transfer(_)) => {
                self.journal("transfer-dropped", "the caller went on talking before the transfer began", Some(proposal), out);
                if proposal.intent == Intent::No {
                    self.ask(Asked::Open, Key::HowHelp, &[], out);
                    return true;
                }
                false
            }
            Some(Then::HangUp) => {
                self.stage = Stage::Inform;
                if matches!(proposal.intent, Intent::Yes | Intent::No | Intent::Greeting) || proposal.confidence < 0.5 {
                    self.close(out);
                    return true;
                }
                false
            }
            None => false,
        }
    }

    pub(super) fn emergency(&mut self, heard: &str, out: &mut Vec<Effect>) {
        self.journal("emergency", "safety first, then people", None, out);
        let text = self.agent.parts.emergency.as_ref().map(|emergency| emergency.say.clone());
        match text {
            Some(text) => self.say_text(&SpeechAct::Inform, &text, out),
            None => self.say(&SpeechAct::Inform, Key::Emergency, &[], out),
        }
        self.unknown = Some(Pii::new(heard.to_owned()));
        self.announce(Which::Emergency, out);
    }

    /// Says that the call is put through. The transfer begins when these words have been played.
    pub(super) fn announce(&mut self, which: Which, out: &mut Vec<Effect>) {
        let spoken = self.agent.parts.door.spoken.clone();
        self.say(&SpeechAct::Announce, Key::PuttingThrough, &[("door", &spoken)], out);
        self.after_speaking(Then::Transfer(which));
    }

    pub(super) fn wants_human(&mut self, out: &mut Vec<Effect>) {
        let there = self.agent.parts.door.hours.as_ref().is_none_or(|hours| hours.open_at(self.now));
        if there {
            self.journal("human", "asked for, and the door is open", None, out);
            self.announce(Which::People, out);
        } else {
            self.journal("human", "asked for, and nobody is there now", None, out);
            self.take_care(Key::NobodyThere, out);
        }
    }

    /// The words were played: what they announced happens.
    pub(super) fn follow(&mut self, then: Then, out: &mut Vec<Effect>) {
        match then {
            Then::Transfer(which) => {
                let id = self.effect();
                let emergency = self.agent.parts.emergency.as_ref().filter(|_| which == Which::Emergency);
                let target = emergency.map_or(&self.agent.parts.door.target, |emergency| &emergency.target).clone();
                self.stage = Stage::Act;
                self.ringing = Some(Ringing { effect: id, which });
                out.push(Effect::Transfer { id, target });
            }
            Then::HangUp => {
                self.stage = Stage::Ended;
                self.task = None;
                out.push(Effect::HangUp);
            }
        }
    }

    pub(super) fn transfer_news(&mut self, effect: EffectId, progress: &TransferProgress, out: &mut Vec<Effect>) {
        let Some(ringing) = self.ringing.filter(|ringing| ringing.effect == effect) else { return };
        match progress {
            TransferProgress::Started => {}
            TransferProgress::Succeeded { evidence } => {
                self.ringing = None;
                self.hand_over(evidence, out);
            }
            TransferProgress::Declined { status } => self.not_put_through(ringing, &format!("declined with {status}"), out),
            TransferProgress::TimedOut => self.not_put_through(ringing, "nobody answered in time", out),
        }
    }

    /// A person has the call, and this proves it.
    fn hand_over(&mut self, evidence: &str, out: &mut Vec<Effect>) {
        self.journal("transferred", evidence, None, out);
        self.transferred = true;
        self.task = None;
        self.deferred = None;
        self.stage = Stage::Handed;
    }

    /// People were rung before the call was answered. Where nobody took it the greeting will say so.
    pub(super) fn rang_before_us(&mut self, progress: &TransferProgress, out: &mut Vec<Effect>) {
        if self.stage != Stage::Greet {
            return;
        }
        match progress {
            TransferProgress::Started => {}
            TransferProgress::Succeeded { evidence } => self.hand_over(evidence, out),
            TransferProgress::Declined { .. } | TransferProgress::TimedOut => {
                self.journal("rang-first", "people were rung, and nobody took the call", None, out);
                self.rang_first = true;
            }
        }
    }

    /// The person passed the caller on and is gone, and nobody took the call there.
    pub(super) fn came_back(&mut self, out: &mut Vec<Effect>) {
        if self.stage != Stage::Handed {
            return;
        }
        self.journal("came-back", "a person passed the caller on, and nobody took the call", None, out);
        self.stage = Stage::Inform;
        self.take_care(Key::NobodyAnswered, out);
    }

    /// Nobody took the call: the caller is told, and a callback goes on record.
    fn not_put_through(&mut self, ringing: Ringing, why: &str, out: &mut Vec<Effect>) {
        self.journal("not-transferred", why, None, out);
        self.ringing = None;
        if ringing.which == Which::Emergency {
            let minutes = self.agent.parts.emergency.as_ref().map_or(EMERGENCY_CALLBACK_MINUTES, |emergency| emergency.callback_minutes);
            let reason = self.unknown.take().unwrap_or_else(|| Pii::new("emergency".to_owned()));
            self.say(&SpeechAct::Courtesy, Key::NobodyAnswered, &[], out);
            self.task = Some(Task::Callback(Callback { reason, plain_minutes: Some(minutes) }));
            self.advance(out);
            return;
        }
        self.take_care(Key::NobodyAnswered, out);
    }

    /// No person and no answer: whoever calls is called back. `key` says why.
    pub(super) fn take_care(&mut self, key: Key, out: &mut Vec<Effect>) {
        self.say(&SpeechAct::Courtesy, key, &[], out);
        let reason = self.unknown.take().or_else(|| self.matter()).unwrap_or_else(|| Pii::new("asked to speak with a person".to_owned()));
        self.task = Some(Task::Callback(Callback { reason, plain_minutes: None }));
        self.advance(out);
    }

    /// What the caller was about when the task was left.
    pub(super) fn matter(&self) -> Option<Pii<String>> {
        match &self.task {
            Some(Task::Booking(_)) => Some(Pii::new("wanted to book".to_owned())),
            Some(Task::Request(request)) => request.problem.clone(),
            Some(Task::Message(text)) => text.clone(),
            Some(Task::Callback(callback)) => Some(callback.reason.clone()),
            Some(Task::Cancelling(_)) => Some(Pii::new("wanted to cancel".to_owned())),
            None => None,
        }
    }

    /// While the other telephone rings the caller may come back; everything else has to wait.
    pub(super) fn said_while_ringing(&mut self, proposal: &Proposal, out: &mut Vec<Effect>) {
        if matches!(proposal.intent, Intent::No | Intent::Cancel | Intent::Goodbye)
            && proposal.confidence >= 0.5
            && let Some(ringing) = self.ringing.take()
        {
            self.journal("transfer-cancelled", "the caller came back", Some(proposal), out);
            out.push(Effect::CancelTransfer { id: ringing.effect });
            self.stage = Stage::Inform;
            if proposal.intent == Intent::Goodbye {
                self.close(out);
            } else {
                self.ask(Asked::Open, Key::HowHelp, &[], out);
            }
        }
    }
}
