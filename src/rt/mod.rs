//! Rings and gates between threads. Real-time.
