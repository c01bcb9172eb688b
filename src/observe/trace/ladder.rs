//! A call's messages as a ladder: when, which way, what, and what it says about sound and refusals.

use super::hint::{codecs, hints};
use super::ring::{Exchange, Line, Towards};

/// The ladder of one exchange, line by line; `full` shows every message whole.
pub fn ladder(exchange: &Exchange, detail: Detail) -> Vec<String> {
    let mut out = vec![title(exchange)];
    let Some(first) = exchange.lines.front() else { return out };
    let mut peer = None;
    for line in &exchange.lines {
        if peer != Some((line.remote, line.transport.as_str())) {
            peer = Some((line.remote, line.transport.as_str()));
            out.push(format!("            them {} ({})    us {}", line.remote, line.transport, line.local));
        }
        out.push(rung(line, first.at_us));
        if detail == Detail::Full && !line.again {
            out.extend(line.text.lines().map(|text| format!("              | {text}")));
        }
    }
    if exchange.left_out > 0 {
        out.push(format!("            ({} messages in the middle were left out)", exchange.left_out));
    }
    out.extend(hints(exchange).into_iter().map(|hint| format!("  hint: {hint}")));
    out
}

/// How much is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Detail {
    /// A line for each message.
    Lines,
    /// Every message whole.
    Full,
}

fn title(exchange: &Exchange) -> String {
    let call = exchange.call.as_ref().map_or_else(String::new, |call| format!("call {call}  "));
    format!("{call}Call-ID {}", exchange.call_id)
}

fn rung(line: &Line, begin_us: u64) -> String {
    let micros = line.at_us.saturating_sub(begin_us);
    let arrow = match line.towards {
        Towards::Us => "---->",
        Towards::Them => "<----",
    };
    let again = if line.again { "  (again)" } else { "" };
    format!("{:>6}.{:03} s  {arrow}  {}{again}{}", micros / 1_000_000, micros / 1_000 % 1_000, what(line), more(line))
}

/// The method and whom, or the status and what it answers.
fn what(line: &Line) -> String {
    match line.status() {
        Some(_) => format!("{}  [{} {}]", line.start().trim_start_matches("SIP/2.0 "), line.seq(), line.method()),
        None => format!("{}  [{}]", line.start().trim_end_matches(" SIP/2.0"), line.seq()),
    }
}

/// What helps to understand it: codecs and the place of sound, the Warning, the Reason.
fn more(line: &Line) -> String {
    let mut parts = Vec::new();
    let codecs = codecs(line);
    if !codecs.is_empty() {
        let place = line.sdp("c=").next().unwrap_or_default().rsplit(' ').next().unwrap_or_default().to_owned();
        let port = line.sdp("m=audio ").next().and_then(|media| media.split(' ').next()).unwrap_or_default().to_owned();
        let held = ["sendonly", "recvonly", "inactive"].iter().find(|word| line.sdp("a=").any(|found| found == **word));
        parts.push(format!("sound {} at {place}:{port}{}", codecs.join(" "), held.map_or_else(String::new, |word| format!(" {word}"))));
    }
    for name in ["Warning", "Reason", "Retry-After", "Refer-To", "Subscription-State"] {
        parts.extend(line.header(name).map(|value| format!("{name}: {value}")));
    }
    parts.insert(0, String::new());
    parts.join("\n                     ")
}
