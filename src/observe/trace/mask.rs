//! What is not kept of a message: answers to digest challenges, tokens, keys of media.

/// What stands in place of what was masked.
const MASK: &str = "[masked]";

/// The message as text, with its secrets masked. Octets that are no text become dots.
pub(super) fn masked(bytes: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(bytes).chars().map(plain).collect();
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for line in text.split_inclusive('\n') {
        let folded = line.starts_with([' ', '\t']);
        inside = (folded && inside) || is_credentials(line);
        if inside {
            out.push_str(&credentials(line, folded));
        } else if let Some(at) = line.find("inline:").filter(|_| line.starts_with("a=crypto:")) {
            out.push_str(line.get(..at).unwrap_or_default());
            out.push_str("inline:");
            out.push_str(MASK);
            out.push_str(ending(line));
        } else {
            out.push_str(line);
        }
    }
    out
}

fn plain(letter: char) -> char {
    if letter.is_control() && !matches!(letter, '\r' | '\n' | '\t') { '.' } else { letter }
}

fn is_credentials(line: &str) -> bool {
    let name = line.split(':').next().unwrap_or_default().trim();
    ["authorization", "proxy-authorization"].iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// Of a digest the user, the realm and the like are kept: they say what is wrong. Of anything else nothing.
fn credentials(line: &str, folded: bool) -> String {
    let (head, value) = if folded { ("", line) } else { line.split_once(':').unwrap_or((line, "")) };
    let colon = if folded { "" } else { ":" };
    let digest = folded || value.trim_start().to_ascii_lowercase().starts_with("digest");
    if !digest {
        return format!("{head}{colon} {MASK}{}", ending(line));
    }
    let kept: Vec<String> = value.trim_end().split(',').map(parameter).collect();
    format!("{head}{colon}{}{}", kept.join(","), ending(line))
}

/// One parameter; only those that tell nothing of the password keep their value.
fn parameter(written: &str) -> String {
    let Some((name, _)) = written.split_once('=') else { return written.to_owned() };
    let word = name.trim().rsplit([' ', '\t']).next().unwrap_or_default().to_ascii_lowercase();
    let harmless = ["username", "realm", "uri", "algorithm", "qop", "nc", "opaque"].contains(&word.as_str());
    if harmless { written.to_owned() } else { format!("{name}=\"{MASK}\"") }
}

fn ending(line: &str) -> &'static str {
    if line.ends_with("\r\n") {
        "\r\n"
    } else if line.ends_with('\n') {
        "\n"
    } else {
        ""
    }
}
