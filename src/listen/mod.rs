//! The thread that hears. Real-time.
