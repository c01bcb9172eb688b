//! The script as the caller will perform it: sound made beforehand, so that no turn waits for a synthesiser.

use std::time::Duration;

use super::voice::{self, Voice, VoiceError};
use crate::cli::script::Step;

/// When a turn begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Cue {
    /// When the far end has spoken and fallen silent.
    Silence,
    /// So long after the far end has begun to speak.
    Into(Duration),
}

/// What a turn is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Act {
    /// Sound at 8 kHz.
    Sound(Vec<i16>),
    /// Keys pressed.
    Keys(String),
    /// The end of the call.
    HangUp,
}

/// One turn of the caller.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Turn {
    /// For the reader.
    pub(super) said: String,
    pub(super) cue: Cue,
    pub(super) act: Act,
}

/// Makes the sound of every turn.
pub(super) fn prepare(steps: &[Step], voice: Option<Voice>) -> Result<Vec<Turn>, VoiceError> {
    let mut turns = Vec::new();
    let mut cue = Cue::Silence;
    for step in steps {
        let (said, act) = match step {
            Step::Interrupt(ms) => {
                cue = Cue::Into(Duration::from_millis(*ms));
                continue;
            }
            Step::HangUp(ms) => {
                let turn = Turn { said: "hangs up".to_owned(), cue: Cue::Into(Duration::from_millis(*ms)), act: Act::HangUp };
                turns.push(turn);
                break;
            }
            Step::Say(text) => (text.clone(), Act::Sound(voice::say(text, voice)?)),
            Step::Wav(path) => (path.display().to_string(), Act::Sound(voice::read_wav(path)?)),
            Step::Digits(keys) => (format!("keys {keys}"), Act::Keys(keys.clone())),
        };
        turns.push(Turn { said, cue: std::mem::replace(&mut cue, Cue::Silence), act });
    }
    Ok(turns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interruption_belongs_to_the_turn_after_it_and_a_hang_up_ends_the_script() {
        let steps = [
            Step::Interrupt(900),
            Step::Digits("12".to_owned()),
            Step::Digits("#".to_owned()),
            Step::HangUp(500),
            Step::Digits("3".to_owned()),
        ];
        let turns = prepare(&steps, None).unwrap();
        let cues: Vec<Cue> = turns.iter().map(|turn| turn.cue).collect();
        let into = |ms| Cue::Into(Duration::from_millis(ms));
        assert_eq!(cues, [into(900), Cue::Silence, into(500)]);
        assert_eq!((&turns[0].act, &turns[2].act), (&Act::Keys("12".to_owned()), &Act::HangUp));
    }
}
