//! Logs and measures.
