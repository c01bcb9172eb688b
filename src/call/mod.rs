//! The conductor of one call. Pure.
