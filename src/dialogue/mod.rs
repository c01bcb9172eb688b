//! The dialogue kernel. Pure.
