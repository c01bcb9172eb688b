//! The whole appliance under test: the built program with its workers, real SIP and RTP on loopback, callers that speak.
//!
//! Every test here needs real time, so its name begins with `wall_`. They want the built programs: `make build`, or NIGHTBELL_BIN for another place. Where
//! these are missing a test says so and is passed over, unless NIGHTBELL_IT is set: then it fails.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod address;
mod baresip;
mod barge_in;
mod callee;
mod cases;
mod crash;
mod daemon;
mod desk;
mod dialogues;
mod handover;
mod interop;
mod joining;
mod kamailio;
mod linphone;
mod load;
mod office;
mod peers;
mod people;
mod phone;
mod registrars;
mod routing;
mod rtp;
mod screen;
mod setup;
mod sip;
mod sipp;
mod sound;
mod storm;
mod torture;
mod transports;
mod ua;
mod wait;
