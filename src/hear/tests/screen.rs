//! Who answered: made-up people, recorders and faxes, and human voices where the corpus is there.

use super::line::{Line, noise, tones, voice};
use crate::hear::{Answerer, Heard};

fn screened() -> Line {
    let mut line = Line::new();
    line.ear.screen();
    line
}

/// What was found, with the milliseconds at which it was.
fn found(line: &Line) -> Vec<(u64, Answerer)> {
    let answered = |(at, heard): &(u64, Heard)| if let Heard::Answered { who } = heard { Some((*at, *who)) } else { None };
    line.said.iter().filter_map(answered).collect()
}

fn who(line: &Line) -> Vec<Answerer> {
    found(line).into_iter().map(|(_, who)| who).collect()
}

fn beep(ms: usize) -> Vec<i16> {
    tones(ms, &[(1_000.0, 6_000.0)], 0.0)
}

#[test]
fn a_word_and_a_wait_is_a_person_and_is_told_at_once() {
    let mut line = screened();
    line.quiet(600).hear(&voice(700, 1)).quiet(3_000);
    let found = found(&line);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].1, Answerer::Person);
    assert!((1_900..2_300).contains(&found[0].0), "some 700 ms after the word: {found:?}");
}

#[test]
fn nobody_says_anything_for_two_seconds() {
    let mut line = screened();
    line.quiet(5_000);
    assert!(matches!(found(&line)[..], [(1_950..=2_100, Answerer::Silent)]), "{:?}", found(&line));
}

#[test]
fn a_recorder_is_known_by_its_beep_and_not_before() {
    for ms in [200, 500, 1_200] {
        let mut line = screened();
        line.quiet(400).hear(&voice(6_000, 2)).quiet(900);
        assert!(found(&line).is_empty(), "nothing is sure yet: {:?}", found(&line));
        line.hear(&beep(ms)).quiet(1_000);
        let found = found(&line);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].1, Answerer::Recorder);
        assert!(found[0].0 >= 7_300 + ms as u64, "never before its end: {found:?}");
    }
}

#[test]
fn a_recorder_that_says_hi_and_waits_is_found_out() {
    let mut line = screened();
    line.hear(&voice(500, 3)).quiet(900).hear(&voice(5_000, 4)).quiet(500).hear(&beep(400)).quiet(500);
    assert_eq!(who(&line), [Answerer::Person, Answerer::Recorder]);
}

#[test]
fn a_business_that_says_much_and_waits_is_a_person() {
    let mut line = screened();
    line.quiet(300).hear(&voice(5_000, 5)).quiet(3_000);
    assert_eq!(who(&line), [Answerer::Person]);
}

#[test]
fn a_fax_and_an_endless_voice_are_told_apart_from_people() {
    let mut fax = screened();
    fax.quiet(1_500).hear(&tones(3_000, &[(2_100.0, 6_000.0)], 0.0));
    assert_eq!(who(&fax), [Answerer::Fax]);
    let mut endless = screened();
    endless.hear(&voice(62_000, 6));
    assert_eq!(who(&endless), [Answerer::Endless]);
}

#[test]
fn keys_noise_and_ringing_are_no_beep() {
    let mut line = screened();
    for pair in [(697.0, 1_209.0), (440.0, 480.0), (941.0, 1_336.0)] {
        line.hear(&tones(300, &[(pair.0, 4_000.0), (pair.1, 4_000.0)], 0.0)).quiet(100);
    }
    line.hear(&noise(1_000, 500.0, 7)).hear(&beep(80)).quiet(200);
    assert!(!who(&line).contains(&Answerer::Recorder), "{:?}", found(&line));
}

#[test]
fn without_being_asked_nothing_is_screened() {
    let mut line = Line::new();
    line.hear(&voice(700, 1)).quiet(1_000).hear(&beep(400)).quiet(3_000);
    assert!(found(&line).is_empty());
}

/// Single words of three people: each is answered as a person would be; joined without pauses and with a beep they are a recorder's greeting.
#[test]
fn human_voices_are_screened_right() {
    let shared = std::env::var_os("NIGHTBELL_SHARED")
        .map_or_else(|| std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), std::path::PathBuf::from);
    let Ok(entries) = std::fs::read_dir(shared.join("corpora/human/digits")) else {
        println!("skipped: no corpora/human beside the package");
        return;
    };
    let mut names: Vec<_> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|ext| ext == "wav")).collect();
    names.sort();
    let clips: Vec<Vec<i16>> =
        names.iter().step_by(7).filter_map(|name| std::fs::read(name).ok()).filter_map(|bytes| mu_law(&bytes)).collect();
    let words = |clip: &Vec<i16>| {
        let mut line = screened();
        line.quiet(500).hear(clip).quiet(2_500);
        matches!(who(&line)[..], [Answerer::Person | Answerer::Silent])
    };
    let right = clips.iter().filter(|clip| words(clip)).count();
    assert_eq!(right, clips.len(), "of {} single words", clips.len());
    for group in clips.chunks_exact(12) {
        let mut line = screened();
        line.quiet(300).hear(&group.concat()).quiet(600).hear(&beep(350)).quiet(300);
        assert_eq!(who(&line).last(), Some(&Answerer::Recorder));
    }
}

/// The sound of a mu-law WAV file.
fn mu_law(bytes: &[u8]) -> Option<Vec<i16>> {
    let data = bytes.windows(4).position(|four| four == b"data")?;
    let mut pcm = vec![0; bytes.len() - data - 8];
    crate::audio::Codec::Pcmu.decode(&bytes[data + 8..], &mut pcm);
    Some(pcm)
}
