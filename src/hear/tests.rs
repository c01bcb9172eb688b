//! Whole ears on made-up and human voices.

mod barge;
mod line;
mod properties;
mod screen;
mod turns;
