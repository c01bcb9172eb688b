//! The owner of libespeak-ng: phonemes for the voice, and sound when there is no voice. The library is not made for threads, so one lock holds it.

use std::ffi::{CString, c_char, c_int, c_uint, c_void};
use std::ptr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{bail, ensure};

/// Sound is handed over when the call returns (`AUDIO_OUTPUT_SYNCHRONOUS`).
const SYNCHRONOUS: c_int = 2;
/// `espeakINITIALIZE_DONT_EXIT`: without its data the library would end the process.
const DONT_EXIT: c_int = 0x8000;
/// `espeakCHARS_UTF8`.
const UTF8: c_int = 1;
/// `espeakPHONEMES_IPA`.
const IPA: c_int = 2;
/// `espeakRATE`, words a minute.
const RATE: c_int = 1;
/// Words a minute of the voice of last resort: a little slower than its own, for telephones.
const WORDS_A_MINUTE: c_int = 160;
/// Clauses in one text at most; the library returns one at a time.
const CLAUSES_MAX: usize = 64;

type Callback = extern "C" fn(*mut i16, c_int, *mut c_void) -> c_int;

#[link(name = "espeak-ng")]
unsafe extern "C" {
    fn espeak_Initialize(output: c_int, buffer_ms: c_int, path: *const c_char, options: c_int) -> c_int;
    fn espeak_SetSynthCallback(callback: Callback);
    fn espeak_SetVoiceByName(name: *const c_char) -> c_int;
    fn espeak_SetParameter(parameter: c_int, value: c_int, relative: c_int) -> c_int;
    fn espeak_TextToPhonemes(text: *mut *const c_void, text_mode: c_int, phoneme_mode: c_int) -> *const c_char;
    fn espeak_Synth(
        text: *const c_void,
        size: usize,
        position: c_uint,
        position_type: c_int,
        end_position: c_uint,
        flags: c_uint,
        identifier: *mut c_uint,
        user_data: *mut c_void,
    ) -> c_int;
}

/// The library's one user at a time.
static IN_USE: Mutex<()> = Mutex::new(());

/// What the library has said since the present synthesis began.
static SAID: Mutex<Vec<i16>> = Mutex::new(Vec::new());

/// espeak-ng speaking one language.
pub struct Espeak {
    hertz: u32,
}

impl Espeak {
    /// Loads the library's data and chooses `language` ("en-us"). Make one only: the library is one for the whole process.
    pub fn load(language: &str) -> anyhow::Result<Self> {
        let language = CString::new(language)?;
        let _use = in_use();
        // SAFETY: a null path means the library's own; the lock keeps every other call out.
        let hertz = unsafe { espeak_Initialize(SYNCHRONOUS, 0, ptr::null(), DONT_EXIT) };
        ensure!(hertz > 0, "espeak-ng cannot find its data");
        // SAFETY: the callback has the signature of the header and lives as long as the process; the name is a C string for the call.
        let found = unsafe {
            espeak_SetSynthCallback(keep);
            espeak_SetParameter(RATE, WORDS_A_MINUTE, 0);
            espeak_SetVoiceByName(language.as_ptr())
        };
        ensure!(found == 0, "espeak-ng does not speak {language:?}");
        Ok(Self { hertz: hertz.unsigned_abs() })
    }

    /// The rate of [`Espeak::synthesise`].
    pub fn hertz(&self) -> u32 {
        self.hertz
    }

    /// The phonemes of `text` in the International Phonetic Alphabet, its parts joined by spaces; its punctuation is lost.
    #[expect(clippy::unused_self, reason = "proof that the library is loaded")]
    pub fn phonemes(&self, text: &str) -> anyhow::Result<String> {
        let text = CString::new(text)?;
        let _use = in_use();
        let mut rest: *const c_void = text.as_ptr().cast();
        let mut phonemes = String::new();
        for _ in 0..CLAUSES_MAX {
            if rest.is_null() {
                return Ok(phonemes);
            }
            // SAFETY: `rest` points into `text`, which ends with a zero and outlives the loop; the library moves it on or sets it to null.
            let part = unsafe { espeak_TextToPhonemes(&raw mut rest, UTF8, IPA) };
            if part.is_null() {
                return Ok(phonemes);
            }
            // SAFETY: the library returns a C string that stays until its next call, which the lock keeps out.
            let part = unsafe { std::ffi::CStr::from_ptr(part) }.to_string_lossy();
            if !phonemes.is_empty() && !part.is_empty() {
                phonemes.push(' ');
            }
            phonemes.push_str(part.trim());
        }
        bail!("more than {CLAUSES_MAX} clauses")
    }

    /// `text` in espeak-ng's own voice, at [`Espeak::hertz`].
    #[expect(clippy::unused_self, reason = "proof that the library is loaded")]
    pub fn synthesise(&self, text: &str) -> anyhow::Result<Vec<i16>> {
        let text = CString::new(text)?;
        let size = text.as_bytes_with_nul().len();
        let _use = in_use();
        said().clear();
        // SAFETY: the text and its size with the final zero are right; the call is synchronous, so the text outlives it.
        let result = unsafe {
            let flags = UTF8.unsigned_abs();
            espeak_Synth(text.as_ptr().cast(), size, 0, 0, 0, flags, ptr::null_mut(), ptr::null_mut())
        };
        ensure!(result == 0, "espeak-ng failed with {result}");
        Ok(std::mem::take(&mut *said()))
    }
}

/// Called by the library with each piece of sound.
extern "C" fn keep(samples: *mut i16, count: c_int, _events: *mut c_void) -> c_int {
    if let (false, Ok(count)) = (samples.is_null(), usize::try_from(count)) {
        // SAFETY: the library passes `count` samples that stay for the call.
        said().extend_from_slice(unsafe { std::slice::from_raw_parts(samples, count) });
    }
    0
}

fn in_use() -> MutexGuard<'static, ()> {
    IN_USE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn said() -> MutexGuard<'static, Vec<i16>> {
    SAID.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_has_phonemes_and_a_sound() {
        let espeak = Espeak::load("en-us").unwrap();
        assert_eq!(espeak.phonemes("Hello").unwrap(), "həlˈoʊ");
        assert!(espeak.phonemes("one, two (three).").unwrap().split(' ').count() >= 3);
        let sound = espeak.synthesise("Good morning.").unwrap();
        assert!(sound.len() > 10_000 && sound.iter().any(|sample| *sample > 2_000), "{} samples", sound.len());
        assert!(Espeak::load("no-such-language").is_err());
    }
}
