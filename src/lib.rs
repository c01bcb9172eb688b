//! Nightbell answers a small business's telephone by itself. This file is the map; the rooms are in reading order.
//!
//! ```text
//! control   caller <-UDP/TCP/TLS-> net <-> sip <-> route <-> call <-> dialogue -> store (committed effects and their receipts)
//! hearing   caller -UDP-> media: rtp > jitter > decode > [capture ring] > listen: hear::vad, hear::turn > engine(asr) > dialogue
//! speaking  dialogue > engine(llm) > guard > speak > engine(tts) > [playback ring] > media: encode > pacer -UDP-> caller
//! barge-in  listen: hear::barge_in > Pause > media: silent within one tick, the tail kept > Resume mid-sentence, or FlushBelow(turn)
//! ```
//!
//! Three kinds of code, visible from the path (tests/house.rs holds them to it):
//! *pure* modules take time and randomness as arguments and do no input or output;
//! *real-time* modules (`rt`, `media`, `listen`) are plain threads that neither allocate, lock nor log in a tick;
//! *shells* drive the other two.

pub mod base;

// Pure.
pub mod audio;
pub mod call;
pub mod dialogue;
pub mod engine;
pub mod hear;
pub mod outbox;
pub mod route;
pub mod rtp;
pub mod sdp;
pub mod sip;
pub mod speak;

// Real-time.
pub mod listen;
pub mod media;
pub mod rt;

// Shells.
pub mod cli;
pub mod config;
pub mod integrate;
pub mod net;
pub mod observe;
pub mod run;
pub mod store;
pub mod web;
