//! `nightbell call`: a telephone of our own, made of the rooms that the daemon is made of, that says its lines and measures the answers.
//!
//! ```text
//! plan: script -> sound      line: SIP endpoint + media leg, polled      caller: turns by ear      ear: both sides on one clock      report
//! ```

mod caller;
mod ear;
mod line;
mod plan;
mod report;
mod voice;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::args::CallArgs;
use super::failure::{Done, Failure};
use crate::base::clock::Clock;
use crate::net::{local_towards, resolve};
use crate::rt::Ticker;
use crate::sdp::CodecKind;
use crate::sip::Uri;
use caller::{Caller, Manners};
use line::{Dialled, Line};

pub use caller::OnRefer;
pub use report::{CallReport, TurnReport};
pub use voice::Voice;

/// How often everything is polled: as often as the media thread ticks.
const POLL: Duration = Duration::from_millis(5);

/// What the telephone does beyond its script.
#[derive(Clone, Debug, Args)]
pub struct PhoneArgs {
    /// The one codec to offer [default: both].
    #[arg(long, value_enum, value_name = "CODEC")]
    pub codec: Option<CodecChoice>,
    /// The program that speaks --say [default: espeak-ng if it is installed, else flite].
    #[arg(long, value_enum, value_name = "PROGRAM")]
    pub voice: Option<Voice>,
    /// So many milliseconds of silence end the far end's turn.
    #[arg(long, value_name = "MS", default_value_t = 700, value_parser = clap::value_parser!(u64).range(100..=10_000))]
    pub quiet: u64,
    /// How many seconds to wait for the call to be answered, and for each answer to begin.
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub timeout: u64,
    /// What to answer when the far end asks us to call somebody else (REFER).
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = OnRefer::Decline)]
    pub on_refer: OnRefer,
}

/// A codec to offer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum CodecChoice {
    /// G.711 mu-law.
    Pcmu,
    /// G.711 A-law.
    Pcma,
}

/// Calls, performs the script, prints what was measured. Fails when the call could not be made, was refused, or did not come to its end.
pub fn run(args: &CallArgs) -> Done {
    let turns = plan::prepare(&args.script.steps, args.phone.voice).map_err(Failure::usage)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().map_err(Failure::failed)?;
    let dialled = runtime.block_on(dialled(args))?;
    let stopped = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&stopped);
    runtime.spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            stop.store(true, Ordering::Relaxed);
        }
    });
    let manners = Manners {
        quiet: Duration::from_millis(args.phone.quiet),
        patience: Duration::from_secs(args.phone.timeout),
        linger: Duration::from_secs(args.linger),
        limit: Duration::from_secs(args.limit),
        on_refer: args.phone.on_refer,
    };
    let clock = Clock::start();
    let now = clock.now();
    let line = Line::dial(clock, &dialled).map_err(Failure::failed)?;
    let mut caller = Caller::new(now, line, turns, manners);
    let mut ticker = Ticker::start(clock, POLL);
    while caller.poll(ticker.wait()) {
        caller.notices().iter().for_each(|notice| eprintln!("{notice}"));
        if stopped.load(Ordering::Relaxed) {
            caller.hang_up(clock.now(), "caller");
        }
    }
    let (report, said, heard) = caller.finish(clock.now());
    if let Some(path) = &args.record {
        let written = ear::write_recording(path, &said, &heard);
        written.map_err(|error| Failure::failed(format!("cannot write {}: {error}", path.display())))?;
    }
    told(args, &report)
}

fn told(args: &CallArgs, report: &CallReport) -> Done {
    if args.json {
        println!("{}", serde_json::to_string(report).map_err(Failure::failed)?);
    } else {
        print!("{}", report.lines());
    }
    match &report.error {
        Some(error) => Err(Failure::failed(format!("{}: {error}", args.uri))),
        None => Ok(()),
    }
}

/// Whom the command line names, as addresses.
async fn dialled(args: &CallArgs) -> Result<Dialled, Failure> {
    let uri = Uri::parse(args.uri.as_bytes()).filter(|uri| uri.scheme == "sip" && !uri.has_headers);
    let uri = uri.ok_or_else(|| Failure::usage(format!("{:?} is no address that can be called: write sip:USER@HOST[:PORT]", args.uri)))?;
    let remote = resolve(&uri.host, uri.port.unwrap_or(5060)).await.map_err(Failure::failed)?;
    let local = local_address(args, remote)?;
    let codecs = match args.phone.codec {
        Some(CodecChoice::Pcmu) => vec![CodecKind::Pcmu],
        Some(CodecChoice::Pcma) => vec![CodecKind::Pcma],
        None => CodecKind::ALL.to_vec(),
    };
    Ok(Dialled { target: args.uri.clone(), from_user: from_user(&args.from), remote, local, codecs })
}

fn local_address(args: &CallArgs, remote: SocketAddr) -> Result<SocketAddr, Failure> {
    let Some(text) = &args.local else {
        let ip = local_towards(remote).ok_or_else(|| Failure::failed(format!("no way leads to {remote}")))?;
        return Ok(SocketAddr::new(ip, 0));
    };
    let parsed = text.parse().or_else(|_| text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 0)));
    parsed.map_err(|_| Failure::usage(format!("--local {text:?} is neither an address nor an address with a port")))
}

/// The user of a URI, or a plain name as it is.
fn from_user(from: &str) -> String {
    Uri::parse(from.as_bytes()).and_then(|uri| uri.user).unwrap_or_else(|| from.to_owned())
}
