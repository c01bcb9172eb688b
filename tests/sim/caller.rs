//! The caller's side of the world: its telephone, its office and what it does next.

use std::time::Duration;

use nightbell::call::{Input, Line, Output};
use nightbell::dialogue::Expected;
use nightbell::sip::{Command, Event};

use crate::actions::{Act, Office};
use crate::world::{CALLER, Ev, World};

impl World {
    pub fn at_caller(&mut self, event: &Event) {
        match event {
            Event::Answered { .. } => {
                self.caller_up = true;
                let delay = self.some(80);
                // The first packet of sound.
                if !self.net.is_dead(self.now) {
                    self.after(delay, Ev::Tell(Input::Line(Line::Connected)));
                }
            }
            Event::Referred { .. } => {
                let call = self.caller_sip;
                if self.person.office == Office::NoTransfer {
                    return self.ends[CALLER].handle_command(self.now, Command::RejectRefer { call, status: 603 });
                }
                self.ends[CALLER].handle_command(self.now, Command::AcceptRefer { call });
                let delay = self.some(400);
                self.after(delay, Ev::Office(180));
            }
            Event::Ended { .. } | Event::Cancelled { .. } | Event::Failed { .. } => {
                self.caller_over = true;
                self.note("caller", "is out of the call");
            }
            _ => {}
        }
    }

    pub fn office(&mut self, status: u16) {
        self.note("office", &status.to_string());
        let call = self.caller_sip;
        self.ends[CALLER].handle_command(self.now, Command::NotifyRefer { call, status });
        if status == 180 {
            let rings = Duration::from_millis(1_000 + self.seed.below(12_000));
            match self.person.office {
                Office::Answers => self.after(rings, Ev::Office(200)),
                Office::Declines(status) => self.after(rings, Ev::Office(status)),
                Office::Silent | Office::NoTransfer => {}
            }
        }
    }

    pub fn think(&mut self) {
        if self.caller_over {
            return;
        }
        let pause = self.person.pause();
        self.after(pause, Ev::Think);
        if self.net.is_dead(self.now) {
            // Somebody who hears nothing any more puts the receiver down in the end.
            let patient = self.net.dead_from.is_some_and(|from| self.now < from + Duration::from_secs(90));
            return self.act(if patient { Act::Nothing } else { Act::HangUp });
        }
        if !self.caller_up {
            if self.seed.one_in(80) {
                self.act(Act::HangUp);
            }
            return;
        }
        if self.shadow.gone || self.call.is_none() {
            return;
        }
        let quiet = self.now - self.sound.audible_at;
        let act = self.person.think(self.now, self.sound.is_busy(), quiet);
        self.act(act);
    }

    /// Does it.
    pub fn act(&mut self, act: Act) {
        if act == Act::Nothing {
            return;
        }
        self.shadow.zero_since = None;
        match act {
            Act::Say(text) => {
                self.note("caller", &format!("says {text:?}"));
                self.speak_up(text);
            }
            Act::Noise => {
                self.note("caller", "coughs");
                self.speak_up("");
            }
            Act::Press(key) => {
                self.note("caller", &format!("presses {key}"));
                // Who is dialling digits is not kept waiting.
                self.quiet_from = self.now;
                let first =
                    !self.outputs.iter().any(|output| matches!(output, Output::Refer { .. } | Output::Ring { .. } | Output::Commit { .. }));
                if key == '0' && !self.shadow.restless && first && self.expects_no_number() && self.is_open() && self.connected {
                    self.shadow.zero_since = Some(self.call_now());
                }
                self.after(Duration::from_millis(5), Ev::Tell(Input::Line(Line::Key(key))));
            }
            Act::HangUp => {
                self.note("caller", "hangs up");
                self.ends[CALLER].handle_command(self.now, Command::Hangup { call: self.caller_sip, reason: None });
            }
            Act::Nothing => {}
        }
    }

    fn expects_no_number(&self) -> bool {
        !matches!(self.person.expected, Expected::Phone | Expected::Unit)
    }

    fn is_open(&self) -> bool {
        (9..17).contains(&self.local().hour()) && self.local().date().day() != 22
    }
}
