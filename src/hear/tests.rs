//! Whole ears on made-up and human voices.
