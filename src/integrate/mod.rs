//! Other systems.
