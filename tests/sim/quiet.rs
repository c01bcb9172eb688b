//! Nobody waits in silence: whatever engines, disk and network do, a caller who is on the line hears somebody again before long.

use std::time::Duration;

use nightbell::call::{Call, Tune};

use crate::world::World;

/// The caller's own silence of 7 s, and a voice that is slow to break it.
const SILENCE: Duration = Duration::from_millis(9_500);

impl World {
    /// After every step.
    pub fn nobody_waits_in_silence(&mut self) {
        let on_the_line =
            self.connected && !self.shadow.gone && !self.hung_up && self.call.as_ref().is_some_and(|call| !Call::is_over(call));
        let people = self.phones.tune != Tune::None || self.phones.joined.is_some();
        let heard = people || self.sound.is_busy() || self.shadow.voiced || self.ringing;
        if !on_the_line || heard {
            self.quiet_from = self.now;
            return;
        }
        let since = self.quiet_from.max(self.sound.audible_at);
        assert!(self.now - since <= SILENCE, "nobody is heard since {} ms", since.as_millis());
    }
}
