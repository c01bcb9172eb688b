//! What to send to other systems, when again, when to give up. Pure.
