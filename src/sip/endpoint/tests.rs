//! Whole calls between two endpoints, and single messages as a peer would write them.

mod calls;
mod flood;
mod flows;
mod joining;
mod lossy;
mod rig;
mod rules;
mod torture;
mod uac;
