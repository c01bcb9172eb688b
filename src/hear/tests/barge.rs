//! The caller's voice over ours.

use super::line::{Line, voice};
use crate::base::TurnId;
use crate::hear::{EndReason, FalseStop, Heard, Hold};

fn playing(turn: u32) -> Line {
    let mut line = Line::new();
    line.playing = Some(TurnId(turn));
    line.level = 3_000;
    line
}

#[test]
fn without_our_voice_there_is_nothing_to_pause() {
    let mut line = Line::new();
    line.quiet(1_000).hear(&voice(2_000, 1)).quiet(1_500);
    assert!(line.when("pause").is_none());
    assert_eq!(line.ear.hold(), Hold::Open);
}

#[test]
fn an_interruption_pauses_within_160_ms_and_is_given_way_to() {
    let mut line = playing(3);
    line.quiet(3_000).hear(&voice(2_000, 1)).quiet(1_500);
    assert_eq!(line.story(), ["began", "pause", "yield", "settling", "ended"]);
    let (pause, yielded) = (line.when("pause").unwrap(), line.when("yield").unwrap());
    assert!(pause <= 3_160, "{pause}");
    assert!((3_400..=3_700).contains(&yielded), "{yielded}");
    assert_eq!(line.ear.hold(), Hold::Yielded(TurnId(3)));
}

#[test]
fn a_cough_pauses_and_our_voice_goes_on() {
    let mut line = playing(3);
    line.quiet(3_000).hear(&voice(220, 1)).quiet(1_500);
    assert_eq!(line.story(), ["began", "pause", "resume", "settling", "ended"]);
    assert!(line.said.iter().any(|(_, heard)| matches!(heard, Heard::Resume { why: FalseStop::Short, .. })));
    assert!(line.said.iter().any(|(_, heard)| matches!(heard, Heard::Ended { why: EndReason::Backchannel, .. })));
    assert!(line.when("resume").unwrap() <= 3_700, "{:?}", line.when("resume"));
    assert_eq!(line.ear.hold(), Hold::Open);
}

#[test]
fn two_coughs_are_two_false_stops_and_then_a_sentence_is_still_an_interruption() {
    let mut line = playing(3);
    line.quiet(3_000).hear(&voice(220, 1)).quiet(1_500).hear(&voice(220, 2)).quiet(1_500).hear(&voice(1_500, 3)).quiet(1_500);
    let story = line.story();
    assert_eq!(story.iter().filter(|said| **said == "resume").count(), 2, "{story:?}");
    assert_eq!(story.iter().filter(|said| **said == "yield").count(), 1, "{story:?}");
}

#[test]
fn a_turn_that_was_given_up_is_not_paused_again_and_the_next_one_is() {
    let mut line = playing(3);
    line.quiet(3_000).hear(&voice(1_500, 1));
    assert_eq!(line.ear.hold(), Hold::Yielded(TurnId(3)));
    line.playing = Some(TurnId(3));
    line.hear(&voice(600, 2));
    assert_eq!(line.story().iter().filter(|said| **said == "pause").count(), 1);
    line.playing = Some(TurnId(4));
    line.hear(&voice(1_500, 3));
    assert_eq!(line.story().iter().filter(|said| **said == "pause").count(), 2);
    assert_eq!(line.ear.hold(), Hold::Yielded(TurnId(4)));
}

#[test]
fn a_voice_that_was_there_first_stops_us_when_we_begin() {
    let mut line = Line::new();
    line.quiet(1_000).hear(&voice(600, 1));
    line.playing = Some(TurnId(1));
    line.level = 3_000;
    line.hear(&voice(900, 2)).quiet(1_500);
    assert_eq!(line.story(), ["began", "pause", "yield", "settling", "ended"]);
}

#[test]
fn a_pause_is_decided_when_frames_stop_in_its_middle() {
    let mut line = playing(2);
    line.quiet(3_000).hear(&voice(200, 1));
    assert_eq!(line.ear.hold(), Hold::Paused(TurnId(2)));
    while let Some(deadline) = line.ear.poll_deadline() {
        line.ear.handle_timeout(deadline);
    }
    line.drain();
    assert_eq!(line.ear.hold(), Hold::Open);
    assert!(line.when("resume").is_some() && line.when("ended").is_some());
}

#[test]
fn our_own_echo_does_not_talk_us_down() {
    let ours = voice(30_000, 7);
    let mut line = playing(1);
    let mut on_the_line: std::collections::VecDeque<i16> = std::iter::repeat_n(0, 960).collect();
    let mut played = ours.chunks(160);
    line.quiet(1_000);
    for _ in 0..1_200 {
        let silent = matches!(line.ear.hold(), Hold::Paused(_));
        let frame: Vec<i16> = if silent { vec![0; 160] } else { played.next().map_or(vec![0; 160], <[i16]>::to_vec) };
        on_the_line.extend(frame.iter().map(|sample| sample / 4));
        let back: Vec<i16> = on_the_line.drain(..160).collect();
        line.level = crate::audio::rms(&frame);
        line.hear(&back);
    }
    let story = line.story();
    assert!(!story.contains(&"yield"), "{story:?}");
    let late = line.said.iter().filter(|(at, heard)| *at > 6_000 && matches!(heard, Heard::Pause { .. })).count();
    assert!(late == 0, "the echo is learnt within five seconds: {:?}", line.said.last().map(|(at, _)| at));
}
