//! The torture messages of RFC 4475 and what becomes of each: the one table that the pure tests and the live ones read.

/// What answers a message first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    /// A response with this status; after a 100 the agent's own answer follows.
    Answered(u16),
    /// It is a response, and it is read.
    Taken,
    /// Nothing.
    Dropped,
}

use Class::{Answered, Dropped, Taken};

/// One message: its file, its section of RFC 4475, and what becomes of it by UDP.
pub struct Torture {
    /// Without `.dat`.
    pub file: &'static str,
    /// Where the RFC says what it is about.
    pub section: &'static str,
    /// What answers it.
    pub class: Class,
}

const fn row(file: &'static str, section: &'static str, class: Class) -> Torture {
    Torture { file, section, class }
}

/// The 49 messages of the RFC and one of its making.
pub const TABLE: [Torture; 50] = [
    // It has a To tag, and the call it belongs to is not here.
    row("wsinv", "3.1.1.1", Answered(481)),
    // The method is unknown, however sound it is.
    row("intmeth", "3.1.1.2", Answered(501)),
    row("esc01", "3.1.1.3", Answered(100)),
    // REGISTER is sound; it is not for us.
    row("escnull", "3.1.1.4", Answered(405)),
    row("esc02", "3.1.1.5", Answered(501)),
    row("lwsdisp", "3.1.1.6", Answered(200)),
    row("longreq", "3.1.1.7", Answered(100)),
    // Two in one datagram: the second counts as what follows the first. Over a stream both are answered.
    row("dblreq", "3.1.1.8", Answered(405)),
    row("semiuri", "3.1.1.9", Answered(200)),
    row("transports", "3.1.1.10", Answered(200)),
    // MESSAGE is sound; it is not for us.
    row("mpart01", "3.1.1.11", Answered(405)),
    row("unreason", "3.1.1.12", Taken),
    row("noreason", "3.1.1.13", Taken),
    // The Via is broken, so the answer goes to where it came from.
    row("badinv01", "3.1.2.1", Answered(400)),
    // Content-Length says more than there is. A stream waits for the rest, which never comes.
    row("clerr", "3.1.2.2", Answered(400)),
    // A length below zero: a stream cannot go on after it.
    row("ncl", "3.1.2.3", Answered(400)),
    row("scalar02", "3.1.2.4", Answered(400)),
    // A response with numbers too large is no response to anything.
    row("scalarlg", "3.1.2.5", Dropped),
    // A quote is never closed.
    row("quotbal", "3.1.2.6", Answered(400)),
    row("ltgtruri", "3.1.2.7", Answered(400)),
    row("lwsruri", "3.1.2.8", Answered(400)),
    row("lwsstart", "3.1.2.9", Answered(400)),
    row("trws", "3.1.2.10", Answered(400)),
    // The Request-URI has headers.
    row("escruri", "3.1.2.11", Answered(400)),
    // A wrong Date may be ignored.
    row("baddate", "3.1.2.12", Answered(100)),
    row("regbadct", "3.1.2.13", Answered(400)),
    // Spaces inside the brackets may be forgiven.
    row("badaspec", "3.1.2.14", Answered(200)),
    // A comma in a name without quotes may be forgiven too, but the file also lacks the empty line after the headers.
    row("baddn", "3.1.2.15", Answered(400)),
    row("badvers", "3.1.2.16", Answered(505)),
    row("mismatch01", "3.1.2.17", Answered(400)),
    row("mismatch02", "3.1.2.18", Answered(400)),
    row("bigcode", "3.1.2.19", Dropped),
    // The branch is the cookie alone, so the rules of RFC 2543 name the transaction.
    row("badbranch", "3.2.1", Answered(200)),
    row("insuf", "3.3.1", Answered(400)),
    row("unkscm", "3.3.2", Answered(416)),
    row("novelsc", "3.3.3", Answered(416)),
    row("unksm2", "3.3.4", Answered(405)),
    row("bext01", "3.3.5", Answered(420)),
    row("invut", "3.3.6", Answered(415)),
    row("regaut01", "3.3.7", Answered(405)),
    row("multi01", "3.3.8", Answered(400)),
    // Two lengths: a stream cannot go on after them.
    row("mcl01", "3.3.9", Answered(400)),
    row("bcast", "3.3.10", Taken),
    // An OPTIONS that ends here is answered.
    row("zeromf", "3.3.11", Answered(200)),
    row("cparam01", "3.3.12", Answered(405)),
    row("cparam02", "3.3.13", Answered(405)),
    row("regescrt", "3.3.14", Answered(405)),
    // Accept leaves SDP out.
    row("sdp01", "3.3.15", Answered(406)),
    row("inv2543", "3.4.1", Answered(100)),
    // Not in the RFC's text: no version, no CSeq, no Via. Nobody can be answered.
    row("test", "-", Dropped),
];

/// The folder with the messages; none where it is not beside the project.
pub fn corpus() -> Option<std::path::PathBuf> {
    let beside = || std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let folder = std::env::var_os("NIGHTBELL_SHARED").map_or_else(beside, std::path::PathBuf::from).join("corpora/rfc4475");
    folder.is_dir().then_some(folder)
}
