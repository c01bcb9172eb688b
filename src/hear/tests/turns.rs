//! When a turn begins and ends, and what is no turn at all.

use super::line::{Line, noise, tones, voice};
use crate::base::limits::UTTERANCE_MS_MAX;
use crate::base::{Captured, CapturedKind, Frame, Instant, Rate, Samples};
use crate::hear::{EndReason, Expectation, Heard, Verdict};

fn ended(line: &Line) -> (u64, EndReason, u64) {
    let last = line.said.iter().rev().find_map(|(at, heard)| match heard {
        Heard::Ended { why, voiced_ms, .. } => Some((*at, *why, *voiced_ms)),
        _ => None,
    });
    last.expect("an end")
}

#[test]
fn a_sentence_begins_settles_and_ends_once() {
    let mut line = Line::new();
    line.quiet(1_000).hear(&voice(1_500, 1)).quiet(1_500);
    assert_eq!(line.story(), ["began", "settling", "ended"]);
    let (at, why, voiced_ms) = ended(&line);
    assert_eq!(why, EndReason::Silence);
    assert!((1_200..=1_700).contains(&voiced_ms), "{voiced_ms}");
    assert!((3_000..=3_400).contains(&at), "700 ms after 2500, and what the detector adds: {at}");
    assert!(line.when("began").unwrap() <= 1_200);
}

#[test]
fn the_recogniser_gets_the_sound_from_300_ms_before_the_onset_without_a_hole() {
    let mut line = Line::new();
    let (before, sentence) = (noise(1_000, 6.0, 3), voice(1_200, 2));
    line.hear(&before).hear(&sentence).quiet(1_500);
    let whole: Vec<i16> = before.iter().chain(&sentence).copied().collect();
    let Some(Heard::VoiceBegan { at, .. }) = line.said.iter().map(|(_, heard)| *heard).next() else { panic!("{:?}", line.story()) };
    let at = usize::try_from(at.0).unwrap();
    assert!((7_900..9_000).contains(&at), "the onset is placed where the voice begins: {at}");
    let first = whole.windows(64).position(|piece| piece == &line.sound[..64]).expect("a piece of what was on the line");
    assert!((at - 2_400 - 160..=at - 2_240).contains(&first), "onset {at}, sound from {first}");
    let length = whole.len() - first;
    assert_eq!(&line.sound[..length], &whole[first..]);
}

#[test]
fn a_pause_in_a_sentence_settles_and_is_continued() {
    let mut line = Line::new();
    line.quiet(1_000).hear(&voice(1_000, 1)).quiet(450).hear(&voice(1_000, 2)).quiet(1_500);
    assert_eq!(line.story(), ["began", "settling", "continued", "settling", "ended"]);
}

#[test]
fn the_expectation_says_how_long_a_silence_may_be() {
    let delay = |expectation| {
        let mut line = Line::expecting(expectation);
        line.quiet(1_000).hear(&voice(800, 1)).quiet(2_000);
        ended(&line).0
    };
    let (yes, open, digits) = (delay(Expectation::YesNo), delay(Expectation::Open), delay(Expectation::Digits));
    assert!(yes + 100 <= open && open + 150 <= digits, "{yes} {open} {digits}");
}

#[test]
fn an_expectation_that_changes_in_mid_sentence_counts_at_its_end() {
    let mut line = Line::expecting(Expectation::Digits);
    line.quiet(1_000).hear(&voice(800, 1));
    line.ear.expect(Expectation::YesNo);
    line.quiet(1_500);
    let mut plain = Line::expecting(Expectation::YesNo);
    plain.quiet(1_000).hear(&voice(800, 1)).quiet(1_500);
    assert_eq!(ended(&line).0, ended(&plain).0);
}

#[test]
fn early_recognition_may_shorten_or_lengthen_the_wait_and_a_stale_verdict_does_nothing() {
    let with = |verdict: Option<(u32, Verdict)>| {
        let mut line = Line::new();
        line.quiet(1_000).hear(&voice(1_200, 1)).quiet(320);
        if let Some((utterance, verdict)) = verdict {
            line.ear.judge(utterance, verdict);
        }
        line.quiet(2_500);
        (ended(&line).0, ended(&line).1)
    };
    let plain = with(None);
    let complete = with(Some((1, Verdict::Complete)));
    let incomplete = with(Some((1, Verdict::Incomplete)));
    assert!(complete.0 + 200 <= plain.0 && plain.0 + 500 <= incomplete.0, "{complete:?} {plain:?} {incomplete:?}");
    assert_eq!(complete.1, EndReason::Complete);
    assert_eq!(with(Some((7, Verdict::Complete))), plain);
}

#[test]
fn a_caller_who_was_cut_off_is_given_more_time() {
    let mut line = Line::new();
    line.quiet(1_000).hear(&voice(1_000, 1)).quiet(860).hear(&voice(1_000, 2)).quiet(2_000);
    assert_eq!(line.story().iter().filter(|said| **said == "ended").count(), 2);
    let mut calm = Line::new();
    calm.quiet(1_000).hear(&voice(1_000, 2)).quiet(2_000);
    assert!(ended(&line).0 - 3_860 >= ended(&calm).0 - 2_000 + 60, "{} {}", ended(&line).0, ended(&calm).0);
}

#[test]
fn a_minute_of_noise_is_nobody() {
    for rms in [100.0, 1_000.0] {
        let mut line = Line::new();
        line.hear(&noise(60_000, rms, 5));
        assert!(line.story().is_empty(), "rms {rms}: {:?}", line.story());
    }
}

#[test]
fn keys_hum_clicks_and_ringing_are_nobody() {
    let mut clicks = vec![0_i16; 80_000];
    clicks.chunks_mut(4_000).for_each(|half_second| half_second[..12].fill(12_000));
    let mut keys = Vec::new();
    for (row, column) in [(697.0, 1_209.0), (770.0, 1_336.0), (852.0, 1_477.0), (941.0, 1_336.0)] {
        keys.extend(tones(200, &[(row, 4_000.0), (column, 4_000.0)], 0.0));
        keys.extend(vec![0; 1_600]);
    }
    let hum = |mains: f64| tones(20_000, &[(mains, 600.0), (3.0 * mains, 300.0), (5.0 * mains, 180.0)], 2_000.0);
    let ringing = tones(2_000, &[(440.0, 3_000.0), (480.0, 3_000.0)], 0.0);
    for (name, sound) in [("clicks", clicks), ("keys", keys), ("50 Hz", hum(50.0)), ("60 Hz", hum(60.0)), ("ringing", ringing)] {
        let mut line = Line::new();
        line.quiet(1_000).hear(&sound).quiet(1_000);
        assert!(line.story().is_empty(), "{name}: {:?}", line.said.iter().map(|(at, _)| at).next());
    }
}

#[test]
fn a_voice_is_heard_through_noise_five_decibels_below_it() {
    let mut line = Line::new();
    let sentence = voice(1_500, 1);
    let hiss = noise(6_000, 1_850.0, 8);
    let mut sound = hiss;
    sound[24_000..24_000 + sentence.len()].iter_mut().zip(&sentence).for_each(|(sum, voice)| *sum = sum.saturating_add(*voice));
    line.hear(&sound);
    assert_eq!(line.story().first(), Some(&"began"));
    assert!((3_000..3_500).contains(&line.when("began").unwrap()), "{:?}", line.when("began"));
    assert!(line.when("ended").is_some());
}

#[test]
fn an_endless_voice_is_cut_and_the_rest_begins_anew() {
    let mut line = Line::new();
    line.quiet(500);
    for sentence in 0..UTTERANCE_MS_MAX / 1_200 + 4 {
        line.hear(&voice(1_000, sentence)).quiet(200);
    }
    line.quiet(1_500);
    let ends: Vec<EndReason> =
        line.said.iter().filter_map(|(_, heard)| if let Heard::Ended { why, .. } = heard { Some(*why) } else { None }).collect();
    assert_eq!(ends, [EndReason::Cut, EndReason::Silence]);
    assert!(line.sound.len() / 8 < usize::try_from(UTTERANCE_MS_MAX).unwrap() + 8_000);
}

#[test]
fn lost_packets_are_no_pause_and_a_full_ring_keeps_the_clock() {
    let mut line = Line::new();
    let sentence = voice(1_600, 1);
    line.quiet(1_000);
    for (place, frame) in sentence.chunks(160).enumerate() {
        match place {
            30 | 31 => line.frame(CapturedKind::Gap, &[0; 160]),
            50..=52 => line.at += 160,
            _ => line.frame(CapturedKind::Sound, frame),
        }
    }
    line.quiet(1_500);
    assert_eq!(line.story(), ["began", "settling", "ended"]);
    let Some((_, Heard::Ended { last_voiced, .. })) = line.said.last() else { panic!("{:?}", line.story()) };
    assert!((20_000..21_600).contains(&last_voiced.0), "places count the missing frames: {last_voiced:?}");
}

#[test]
fn silence_is_counted_by_the_clock_when_frames_stop() {
    let mut line = Line::new();
    line.quiet(1_000).hear(&voice(1_000, 1));
    assert!(line.story() == ["began"]);
    let mut steps = 0;
    while let Some(deadline) = line.ear.poll_deadline() {
        line.ear.handle_timeout(deadline);
        line.drain();
        steps += 1;
        assert!(steps < 100, "the deadline moves on");
    }
    assert_eq!(line.story(), ["began", "settling", "ended"]);
}

#[test]
fn a_jump_of_the_clock_ends_what_was_open_and_the_next_voice_is_heard() {
    let mut line = Line::new();
    line.quiet(1_000).hear(&voice(1_000, 1));
    line.at += 1_000_000;
    line.quiet(1_000).hear(&voice(1_000, 2)).quiet(1_500);
    assert_eq!(line.story(), ["began", "ended", "began", "settling", "ended"]);
}

#[test]
fn a_wide_band_leg_hears_the_same() {
    for (rate, times) in [(Rate::K16, 2_usize), (Rate::K48, 6)] {
        let mut line = Line::new();
        let sound: Vec<i16> = noise(1_000, 6.0, 1).into_iter().chain(voice(1_000, 1)).chain(noise(1_500, 6.0, 2)).collect();
        let padded: Vec<i16> =
            sound.windows(2).flat_map(|pair| (0..times).map(move |step| between(pair[0], pair[1], step, times))).collect();
        for (place, frame) in padded.chunks(160 * times).enumerate() {
            let at = Samples((place * 160 * times) as u64);
            let captured = Captured { at, kind: CapturedKind::Sound, frame: Frame::new(rate, frame) };
            line.ear.handle_frame(Instant::from_millis(20 * place as u64), &captured, None, 0);
            line.drain();
        }
        assert_eq!(line.story(), ["began", "settling", "ended"], "{rate:?}");
    }
}

fn between(a: i16, b: i16, step: usize, of: usize) -> i16 {
    let (step, of) = (i32::try_from(step).unwrap(), i32::try_from(of).unwrap());
    i16::try_from((i32::from(a) * (of - step) + i32::from(b) * step) / of).unwrap()
}

#[test]
fn a_quiet_caller_is_heard() {
    let mut line = Line::new();
    let whisper: Vec<i16> = voice(1_200, 4).iter().map(|sample| sample / 16).collect();
    line.quiet(1_000).hear(&whisper).quiet(1_500);
    assert_eq!(line.story(), ["began", "settling", "ended"]);
}
