//! SDP offer and answer. Pure.
