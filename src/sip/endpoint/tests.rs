//! Whole calls between two endpoints, and single messages as a peer would write them.

mod callee;
mod calls;
mod flood;
mod flows;
mod hand;
mod headers;
mod joining;
mod lossy;
mod reliable;
mod replace;
mod rig;
mod rules;
mod session;
mod torture;
mod uac;
