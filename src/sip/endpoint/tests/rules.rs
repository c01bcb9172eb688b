//! One message at a time, written by hand.
