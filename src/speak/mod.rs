//! From sentences to sound: cutting, normalising, what was heard. Pure.
