//! Whole dialogues as data: tests/scenarios/*.toml.
