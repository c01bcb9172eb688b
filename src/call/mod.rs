//! The conductor of one call: pure, four doors, no work of its own. It routes what happens to the rooms that know what to do:
//!
//! - `caller`: utterances on their way from the ear through recognition to one joined sentence;
//! - `voice`: our turns, what of each was heard, and what to do when synthesis fails in the middle of one;
//! - `transfer`: a caller on the way to a person;
//! - the dialogue kernel decides what is said and done.
