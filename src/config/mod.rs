//! Configuration as written and as meant.
