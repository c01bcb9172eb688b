//! Calls of ours: who we are comes first, that we are a machine with it, and then why we call. A recorder gets a short message.

use super::machine::Kernel;
use super::state::{Calling, Then};
use crate::dialogue::event::{Effect, SpeechAct};
use crate::dialogue::wording::Key;

impl Kernel {
    /// The first words of a call of ours. They take the place of the greeting, which thanks people for calling.
    pub(super) fn introduce(&mut self, calling: Calling, out: &mut Vec<Effect>) {
        let key = match calling {
            Calling::Callback => Key::CallingCallback,
            Calling::Reminder => Key::CallingReminder,
            Calling::Lead => Key::CallingLead,
        };
        let (business, abilities) = (self.agent.parts.business.clone(), self.agent.parts.abilities.clone());
        self.say(&SpeechAct::Greet, key, &[("business", &business), ("abilities", &abilities)], out);
    }

    /// It records. Nothing personal is said to a box that anybody may play back; an owner who words no message leaves none.
    pub(super) fn leave_message(&mut self, out: &mut Vec<Effect>) {
        self.journal("recorder", "a recorder answered, and its beep has ended", None, out);
        let business = self.agent.parts.business.clone();
        (self.task, self.interrupted, self.recorded) = (None, None, true);
        self.say(&SpeechAct::Inform, Key::Voicemail, &[("business", &business)], out);
        self.after_speaking(Then::HangUp);
    }
}
