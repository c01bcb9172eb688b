//! The thread that owns RTP. Real-time.
