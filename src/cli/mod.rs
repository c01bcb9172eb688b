//! The command line: what it understands ([`args`]), and the commands that need no call of their own.

pub mod args;
pub mod call;
mod calling;
mod calls;
mod check;
mod dispatch;
mod drain;
mod failure;
mod models;
mod place;
mod print;
mod progress;
mod replay;
mod route_test;
mod run;
mod script;
mod sip;
mod status;
mod talk;
mod trunk;

pub use dispatch::{Commands, main};
pub use failure::{Done, Failure};
pub use script::{Script, Step};

#[cfg(test)]
mod tests;
