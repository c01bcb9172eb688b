//! What to send to other systems, when again, when to give up. Pure. Empty until there is a system to send to: what is committed so far stays on this machine.
