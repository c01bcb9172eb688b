//! What the caller is doing: voice activity, end of turn, barge-in. Pure.
