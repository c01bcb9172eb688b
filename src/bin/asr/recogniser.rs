//! The owner of whisper-rs.

use std::ffi::c_void;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::Context;
use nightbell::base::limits::UTTERANCE_CHARS_MAX;
use whisper_rs::{FullParams, SamplingStrategy, WhisperContext, WhisperContextParameters, WhisperState};

/// Samples at 16 kHz in one position of the encoder: 20 ms.
const POSITION_SAMPLES: usize = 320;

/// whisper.cpp's flash attention does not mask its padding: a context must be a multiple of this.
const POSITIONS_STEP: usize = 256;

/// Positions of quiet kept behind the utterance; Whisper expects to hear that somebody stopped.
const POSITIONS_AFTER: usize = 16;

/// whisper.cpp hears nothing in less than a second: shorter utterances get quiet behind them.
const SAMPLES_MIN: usize = 17_600;

/// Tokens of the hint. More would leave the utterance too little of the text context.
const HINT_TOKENS_MAX: usize = 120;

/// Width of the encoder from which on one utterance is worth several threads: that of Whisper's "base".
const WIDTH_A_THREAD: i32 = 512;

/// What was heard.
pub struct Heard {
    /// The words.
    pub text: String,
    /// Mean probability of their tokens.
    pub confidence: f32,
    /// Probability that nobody spoke.
    pub no_speech: f32,
}

/// A loaded model, shared by all threads.
pub struct Model {
    context: WhisperContext,
    params: Params,
    positions: usize,
    threads: usize,
    /// A small model gains nothing from a second thread, and on a busy machine loses much: threads meet after every operation.
    small: bool,
    active: AtomicUsize,
}

/// Made once: whisper-rs leaks the language's text each time it is set.
struct Params(FullParams<'static, 'static>);

// SAFETY: the parameters hold a language that is never freed, no callback and no closure; they are only cloned.
unsafe impl Send for Params {}
// SAFETY: as above.
unsafe impl Sync for Params {}

impl Model {
    /// Loads the model at `path`, for `threads` utterances at once.
    pub fn load(path: &Path, language: &str, threads: usize) -> anyhow::Result<Self> {
        whisper_rs::install_logging_hooks();
        let mut parameters = WhisperContextParameters::default();
        parameters.flash_attn(true);
        let context =
            WhisperContext::new_with_params(path, parameters).with_context(|| format!("{} is no Whisper model", path.display()))?;
        let positions = usize::try_from(context.n_audio_ctx()).unwrap_or(0);
        let mut params = FullParams::new(SamplingStrategy::Greedy { best_of: 1 });
        // The parameters live as long as the process, and so does their language.
        params.set_language(Some(if context.is_multilingual() { String::leak(language.to_owned()) } else { "en" }));
        params.set_no_context(true);
        params.set_no_timestamps(true);
        params.set_single_segment(true);
        params.set_suppress_blank(true);
        params.set_suppress_nst(true);
        params.set_temperature(0.0);
        params.set_temperature_inc(0.0);
        params.set_print_special(false);
        params.set_print_progress(false);
        params.set_print_realtime(false);
        params.set_print_timestamps(false);
        let small = context.model_n_audio_state() < WIDTH_A_THREAD;
        Ok(Self { context, params: Params(params), positions, threads, small, active: AtomicUsize::new(0) })
    }

    /// A line for people.
    pub fn details(&self, threads: usize) -> String {
        let context = &self.context;
        format!(
            "whisper.cpp {}, {} encoder and {} decoder layers of {}, {}, {threads} at once",
            whisper_rs::WHISPER_CPP_VERSION,
            context.model_n_audio_layer(),
            context.model_n_text_layer(),
            context.model_n_audio_state(),
            if context.is_multilingual() { "many languages" } else { "English only" },
        )
    }
}

/// One thread's state.
pub struct Recogniser {
    model: Arc<Model>,
    state: WhisperState,
}

impl Recogniser {
    /// A state of its own on the shared model.
    pub fn new(model: Arc<Model>) -> anyhow::Result<Self> {
        let state = model.context.create_state().context("no memory for another recogniser")?;
        Ok(Self { model, state })
    }

    /// Recognises one utterance at 16 kHz; gives up when `stop` is set.
    pub fn recognise(&mut self, sound: &[f32], hint: &str, stop: &AtomicBool) -> anyhow::Result<Heard> {
        let active = self.model.active.fetch_add(1, Ordering::Relaxed) + 1;
        let threads = if self.model.small { 1 } else { (self.model.threads / active).max(1) };
        let heard = self.recognise_with(sound, hint, stop, threads);
        self.model.active.fetch_sub(1, Ordering::Relaxed);
        heard
    }

    fn recognise_with(&mut self, sound: &[f32], hint: &str, stop: &AtomicBool, threads: usize) -> anyhow::Result<Heard> {
        let hint_tokens = if hint.is_empty() { Vec::new() } else { self.model.context.tokenize(hint, HINT_TOKENS_MAX).unwrap_or_default() };
        let mut params = self.model.params.0.clone();
        params.set_n_threads(i32::try_from(threads).unwrap_or(1));
        params.set_audio_ctx(i32::try_from(positions_for(sound.len(), self.model.positions)).unwrap_or(0));
        if !hint_tokens.is_empty() {
            params.set_tokens(&hint_tokens);
        }
        // SAFETY: the callback only loads an AtomicBool through the pointer, and `stop` outlives the call below.
        unsafe {
            params.set_abort_callback(Some(stop_wanted));
            params.set_abort_callback_user_data(std::ptr::from_ref(stop).cast_mut().cast());
        }
        let mut padded = sound.to_vec();
        padded.resize(sound.len().max(SAMPLES_MIN), 0.0);
        self.state.full(params, &padded)?;
        Ok(self.heard())
    }

    fn heard(&self) -> Heard {
        let end = self.model.context.token_eot();
        let (mut text, mut sum, mut count, mut no_speech) = (String::new(), 0.0_f32, 0.0_f32, 1.0_f32);
        for segment in self.state.as_iter() {
            no_speech = segment.no_speech_probability();
            text.push_str(&segment.to_str_lossy().unwrap_or_default());
            let tokens = (0..segment.n_tokens()).filter_map(|place| segment.get_token(place));
            for token in tokens.filter(|token| token.token_id() < end) {
                sum += token.token_probability();
                count += 1.0;
            }
        }
        let text = words_of(&text);
        let confidence = if text.is_empty() || count == 0.0 { 0.0 } else { finite(sum / count) };
        Heard { text, confidence, no_speech: finite(no_speech) }
    }
}

unsafe extern "C" fn stop_wanted(stop: *mut c_void) -> bool {
    // SAFETY: the pointer is the AtomicBool that `recognise_with` keeps alive while whisper.cpp runs.
    unsafe { &*stop.cast::<AtomicBool>() }.load(Ordering::Relaxed)
}

/// Encoder positions for so many samples: the utterance and a little quiet, in whole steps, the model's own at most.
fn positions_for(samples: usize, most: usize) -> usize {
    let needed = samples.div_ceil(POSITION_SAMPLES) + POSITIONS_AFTER;
    (needed.div_ceil(POSITIONS_STEP) * POSITIONS_STEP).min(most)
}

/// What Whisper writes for noise and silence ("[BLANK_AUDIO]", "(music)", ".", "?") is no word of a caller.
fn words_of(text: &str) -> String {
    let mut words = String::with_capacity(text.len());
    let mut depth = 0_u32;
    for c in text.chars() {
        match c {
            '[' | '(' => depth += 1,
            ']' | ')' => depth = depth.saturating_sub(1),
            '♪' | '*' => {}
            _ if depth == 0 => words.push(c),
            _ => {}
        }
    }
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.chars().any(char::is_alphanumeric) { words.chars().take(UTTERANCE_CHARS_MAX).collect() } else { String::new() }
}

fn finite(value: f32) -> f32 {
    if value.is_finite() { value.clamp(0.0, 1.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_context_is_cut_to_the_utterance_in_whole_steps() {
        assert_eq!(positions_for(16_000, 1_500), 256);
        assert_eq!(positions_for(5 * 16_000, 1_500), 512);
        assert_eq!(positions_for(28 * 16_000, 1_500), 1_500);
    }

    #[test]
    fn noises_and_lonely_marks_are_no_words() {
        assert_eq!(words_of(" [BLANK_AUDIO]"), "");
        assert_eq!(words_of(" ."), "");
        assert_eq!(words_of("?"), "");
        assert_eq!(words_of(" (door slams) I need  a plumber."), "I need a plumber.");
    }
}
