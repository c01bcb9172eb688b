//! Codecs and tones. Pure.
