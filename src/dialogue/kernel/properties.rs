//! Random calls with hostile proposals.
