//! From a clause to the numbers a Piper voice reads.

use std::collections::BTreeMap;

use nightbell::engine::is_stop;
use serde::Deserialize;

/// What lies beside a Piper voice as `.onnx.json`, as far as it matters here.
#[derive(Deserialize)]
pub struct Description {
    /// The sound.
    pub audio: Audio,
    /// How to get phonemes.
    #[serde(default)]
    pub espeak: EspeakVoice,
    /// How lively it speaks.
    #[serde(default)]
    pub inference: Inference,
    /// Phonemes (one character or several) and their numbers.
    pub phoneme_id_map: BTreeMap<String, Vec<i32>>,
    /// Phonemes that stand for others.
    #[serde(default)]
    pub phoneme_map: BTreeMap<String, Vec<String>>,
    /// Speakers; more than one are chosen by number.
    #[serde(default)]
    pub num_speakers: u32,
    /// "espeak" or "text".
    #[serde(default)]
    pub phoneme_type: String,
}

/// The sound of a voice.
#[derive(Deserialize)]
pub struct Audio {
    /// Samples a second.
    pub sample_rate: u32,
}

/// Which espeak-ng voice makes the phonemes.
#[derive(Deserialize)]
pub struct EspeakVoice {
    /// Its name.
    pub voice: String,
}

impl Default for EspeakVoice {
    fn default() -> Self {
        Self { voice: "en-us".to_owned() }
    }
}

/// How lively a voice speaks.
#[derive(Clone, Copy, Deserialize)]
pub struct Inference {
    /// Variation of the sound.
    pub noise_scale: f32,
    /// Slowness.
    pub length_scale: f32,
    /// Variation of the lengths.
    pub noise_w: f32,
}

impl Default for Inference {
    fn default() -> Self {
        Self { noise_scale: 0.667, length_scale: 1.0, noise_w: 0.8 }
    }
}

/// Phonemes of a voice.
pub struct PhonemeIds {
    map: BTreeMap<String, Vec<i32>>,
    replaced: BTreeMap<String, Vec<String>>,
    longest: usize,
    pad: Vec<i32>,
    begin: Vec<i32>,
    end: Vec<i32>,
}

impl PhonemeIds {
    /// Reads the tables of `description`.
    pub fn new(description: &Description) -> Self {
        let map = description.phoneme_id_map.clone();
        let of = |key: &str| map.get(key).cloned().unwrap_or_default();
        let longest = map.keys().map(|key| key.chars().count()).max().unwrap_or(1);
        let (pad, begin, end) = (of("_"), of("^"), of("$"));
        Self { replaced: description.phoneme_map.clone(), map, longest, pad, begin, end }
    }

    /// The numbers for `phonemes`: begin, each phoneme, end, with a pad behind each but the last, as Piper interleaves them. The longest entry that
    /// fits is taken; what the voice does not know is left out.
    pub fn ids(&self, phonemes: &str) -> Vec<i32> {
        let mut ids = [self.begin.as_slice(), self.pad.as_slice()].concat();
        for phoneme in self.cut(phonemes) {
            ids.extend_from_slice(phoneme);
            ids.extend_from_slice(&self.pad);
        }
        ids.extend_from_slice(&self.end);
        ids
    }

    fn cut(&self, phonemes: &str) -> Vec<&[i32]> {
        let mut found = Vec::new();
        let mut rest = phonemes;
        while !rest.is_empty() {
            let ends = rest.char_indices().map(|(at, c)| at + c.len_utf8()).take(self.longest).collect::<Vec<_>>();
            let known = ends.iter().rev().find_map(|end| Some((*end, self.known(rest.get(..*end)?)?)));
            let step = known.as_ref().map_or_else(|| ends.first().copied().unwrap_or(rest.len()), |(end, _)| *end);
            if let Some((_, ids)) = known {
                found.extend(ids);
            }
            rest = rest.get(step..).unwrap_or_default();
        }
        found
    }

    fn known(&self, phoneme: &str) -> Option<Vec<&[i32]>> {
        if let Some(others) = self.replaced.get(phoneme) {
            return Some(others.iter().filter_map(|other| self.map.get(other)).map(Vec::as_slice).collect());
        }
        self.map.get(phoneme).map(|ids| vec![ids.as_slice()])
    }
}

/// Phonemes with the punctuation that espeak-ng dropped, and without its marks of a change of language, "(en)".
pub fn with_punctuation(phonemes: &str, clause: &str) -> String {
    let mut kept = String::with_capacity(phonemes.len() + 1);
    let mut inside = false;
    for c in phonemes.chars() {
        match c {
            '(' => inside = true,
            ')' => inside = false,
            '\n' => kept.push(' '),
            _ if !inside => kept.push(c),
            _ => {}
        }
    }
    let mut kept = kept.trim().to_owned();
    let mark = clause.trim_end().chars().next_back().filter(|c| is_stop(*c));
    kept.extend(mark.map(|mark| if matches!(mark, '？') { '?' } else { mark }));
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids() -> PhonemeIds {
        let json = r#"{"audio":{"sample_rate":22050},"phoneme_id_map":{"_":[0],"^":[1],"$":[2]," ":[3],".":[10],"a":[14],"i":[21],"aɪ":[99],"t":[32]},
            "phoneme_map":{"x":["t","a"]}}"#;
        PhonemeIds::new(&serde_json::from_str(json).unwrap())
    }

    #[test]
    fn phonemes_become_numbers_with_pads_between_and_the_longest_entry_wins() {
        assert_eq!(ids().ids("ta."), [1, 0, 32, 0, 14, 0, 10, 0, 2]);
        assert_eq!(ids().ids("taɪ"), [1, 0, 32, 0, 99, 0, 2]);
        assert_eq!(ids().ids("ai"), [1, 0, 14, 0, 21, 0, 2]);
    }

    #[test]
    fn unknown_phonemes_are_left_out_and_replaced_ones_replaced() {
        assert_eq!(ids().ids("qat"), [1, 0, 14, 0, 32, 0, 2]);
        assert_eq!(ids().ids("x"), [1, 0, 32, 0, 14, 0, 2]);
    }

    #[test]
    fn punctuation_comes_back_and_marks_of_language_go() {
        assert_eq!(with_punctuation("hɐlˈoʊ", "Hello?"), "hɐlˈoʊ?");
        assert_eq!(with_punctuation("ðə (fr)kafe(en) baɹ", "the café bar"), "ðə kafe baɹ");
    }
}
