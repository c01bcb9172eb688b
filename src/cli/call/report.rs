//! What a call came to: for a reader, or as one JSON object for a script.

use std::fmt::Write as _;

use serde::Serialize;

/// What was measured of one turn of the caller.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct TurnReport {
    /// What was said, the file played, or the keys pressed.
    pub said: String,
    /// From the call's answer to the first sound of this turn, in milliseconds.
    pub at_ms: Option<u64>,
    /// From the last sound of this turn to the first sound of the answer, at the caller's ear. Nothing when there was no answer, or when the far
    /// end was speaking already.
    pub gap_ms: Option<u64>,
    /// From the first to the last sound of the answer.
    pub agent_ms: Option<u64>,
    /// For a turn that interrupted: from its first sound to the far end's silence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub barge_in_ms: Option<u64>,
}

/// What was measured of a call.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct CallReport {
    /// From INVITE to 200.
    pub setup_ms: Option<u64>,
    /// From 200 to the far end's first sound.
    pub first_sound_ms: Option<u64>,
    /// From the first to the last sound before the caller's first turn.
    pub greeting_ms: Option<u64>,
    /// The caller's turns as far as the call came.
    pub turns: Vec<TurnReport>,
    /// Turns that were never spoken.
    pub unsaid: usize,
    /// The first interruption: from the caller's first sound to the far end's silence.
    pub barge_in_ms: Option<u64>,
    /// RTP packets received.
    pub received: u64,
    /// RTP packets lost.
    pub lost: u64,
    /// The largest interarrival jitter (RFC 3550 A.8).
    pub jitter_ms: f64,
    /// The codec.
    pub codec: Option<&'static str>,
    /// Whom the far end asked us to call.
    pub refer_to: Option<String>,
    /// What we answered to that.
    pub refer_answer: Option<&'static str>,
    /// How the call ended: `caller`, `agent`, `limit`, `refused`, `no answer`, `lost`.
    pub ended_by: &'static str,
    /// The Reason header of the far end's BYE.
    pub reason: Option<String>,
    /// From 200 to the end.
    pub seconds: f64,
    /// Why the call failed.
    pub error: Option<String>,
}

impl CallReport {
    /// For a reader.
    pub(super) fn lines(&self) -> String {
        let mut text = String::new();
        if let Some(setup) = self.setup_ms {
            let codec = self.codec.unwrap_or("?");
            let _ = writeln!(text, "answered        after {setup} ms, {codec}");
            let _ = writeln!(text, "first sound     {}", self.first_sound_ms.map_or("never".to_owned(), |ms| format!("{ms} ms later")));
        }
        if let Some(greeting) = self.greeting_ms {
            let _ = writeln!(text, "greeting        {}", seconds(greeting));
        }
        for (number, turn) in self.turns.iter().enumerate() {
            let _ = writeln!(text, "turn {:<10} {}", number + 1, turn.said);
            let answer = match (turn.gap_ms, turn.agent_ms) {
                (Some(gap), Some(agent)) => format!("after {gap} ms, {}", seconds(agent)),
                (None, Some(agent)) => format!("without a gap, {}", seconds(agent)),
                (_, None) => "none".to_owned(),
            };
            let _ = writeln!(text, "  answer        {answer}");
            if let Some(ms) = turn.barge_in_ms {
                let _ = writeln!(text, "  interrupted   silent {ms} ms after the caller's first sound");
            }
        }
        if let (Some(target), Some(answer)) = (&self.refer_to, self.refer_answer) {
            let _ = writeln!(text, "asked to call   {target}: {answer}");
        }
        if self.setup_ms.is_some() {
            let _ = writeln!(text, "packets         {} received, {} lost, jitter {:.1} ms", self.received, self.lost, self.jitter_ms);
            let reason = self.reason.as_deref().map_or(String::new(), |reason| format!(" ({reason})"));
            let _ = writeln!(text, "ended           by {}{reason} after {:.1} s", self.ended_by, self.seconds);
        }
        text
    }
}

fn seconds(ms: u64) -> String {
    format!("{}.{} s of sound", ms / 1_000, ms % 1_000 / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_has_the_promised_names() {
        let turn = TurnReport { said: "hello".to_owned(), gap_ms: Some(640), agent_ms: Some(2_100), ..TurnReport::default() };
        let report = CallReport { setup_ms: Some(9), turns: vec![turn], ended_by: "agent", ..CallReport::default() };
        let json: serde_json::Value = serde_json::to_value(&report).unwrap();
        assert_eq!(
            (&json["setup_ms"], &json["turns"][0]["gap_ms"], &json["turns"][0]["agent_ms"]),
            (&9.into(), &640.into(), &2_100.into())
        );
        for name in ["barge_in_ms", "lost", "jitter_ms", "ended_by", "refer_to"] {
            assert!(json.get(name).is_some(), "{name}");
        }
        assert!(report.lines().contains("after 640 ms, 2.1 s of sound"), "{}", report.lines());
    }
}
