//! RTP streams. Pure.
