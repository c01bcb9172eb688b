//! The small grammar of header values (RFC 3261 §25.1), over bytes: texts may be Latin-1 or no text at all.

/// A byte of a token.
pub const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~')
}

/// Whether this is a token: at least one byte, all of the token kind.
pub fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|&byte| is_token_byte(byte))
}

/// Without the white space around it.
pub const fn trim(bytes: &[u8]) -> &[u8] {
    bytes.trim_ascii()
}

/// The bytes as text: as UTF-8 where they are that, else as Latin-1.
pub fn text(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| bytes.iter().map(|&byte| char::from(byte)).collect(), str::to_owned)
}

/// The bytes as text for people and for rules: control characters become U+FFFD, which no number and no name holds, and what is longer
/// than `letters_max` is cut.
pub fn plain_text(bytes: &[u8], letters_max: usize) -> String {
    text(bytes).chars().take(letters_max).map(|letter| if letter.is_control() { char::REPLACEMENT_CHARACTER } else { letter }).collect()
}

/// A number of decimal digits alone, up to `max`.
pub fn number(bytes: &[u8], max: u64) -> Option<u64> {
    let digits = trim(bytes);
    if digits.is_empty() || digits.len() > 20 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value = std::str::from_utf8(digits).ok()?.parse::<u64>().ok()?;
    (value <= max).then_some(value)
}

/// Where `wanted` first stands outside of quotes and angle brackets; `Err` when a quote or bracket never closes.
pub fn find(bytes: &[u8], wanted: u8) -> Result<Option<usize>, Unbalanced> {
    let mut scan = Scan::default();
    for (at, &byte) in bytes.iter().enumerate() {
        if scan.is_outside() && byte == wanted {
            return Ok(Some(at));
        }
        scan.step(byte);
    }
    if scan.is_outside() { Ok(None) } else { Err(Unbalanced) }
}

/// The parts between `separator`s that stand outside of quotes and angle brackets, trimmed; an empty part stays.
pub fn split(bytes: &[u8], separator: u8) -> Result<Vec<&[u8]>, Unbalanced> {
    let mut parts = Vec::new();
    let mut rest = bytes;
    while let Some(at) = find(rest, separator)? {
        let (part, after) = rest.split_at(at);
        parts.push(trim(part));
        rest = after.get(1..).unwrap_or_default();
    }
    parts.push(trim(rest));
    Ok(parts)
}

/// A quote or an angle bracket was opened and never closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unbalanced;

#[derive(Default)]
struct Scan {
    quoted: bool,
    escaped: bool,
    bracketed: bool,
}

impl Scan {
    const fn is_outside(&self) -> bool {
        !self.quoted && !self.bracketed
    }

    const fn step(&mut self, byte: u8) {
        if self.quoted {
            let closes = byte == b'"' && !self.escaped;
            self.escaped = byte == b'\\' && !self.escaped;
            self.quoted = !closes;
        } else {
            match byte {
                b'"' if !self.bracketed => self.quoted = true,
                b'<' => self.bracketed = true,
                b'>' => self.bracketed = false,
                _ => {}
            }
        }
    }
}

/// Without the quotes around it and the backslashes inside; as it is when there are no quotes.
pub fn unquote(bytes: &[u8]) -> Vec<u8> {
    let Some(inner) = bytes.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")) else {
        return bytes.to_vec();
    };
    let mut plain = Vec::with_capacity(inner.len());
    let mut escaped = false;
    for &byte in inner {
        if byte == b'\\' && !escaped {
            escaped = true;
        } else {
            plain.push(byte);
            escaped = false;
        }
    }
    plain
}

/// With quotes around it, and a backslash before what needs one; control characters become spaces.
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            other if other.is_control() => quoted.push(' '),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// With `%41` read as `A`; what is no such escape stays.
pub fn unescape(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, after)) = rest.split_first() {
        let hex = |at: usize| after.get(at).and_then(|&digit| char::from(digit).to_digit(16)).and_then(|digit| u8::try_from(digit).ok());
        if first == b'%'
            && let (Some(high), Some(low)) = (hex(0), hex(1))
        {
            plain.push((high << 4) | low);
            rest = after.get(2..).unwrap_or_default();
        } else {
            plain.push(first);
            rest = after;
        }
    }
    plain
}

/// A parameter: its name, and its value where it has one, still quoted.
pub type Param<'a> = (&'a [u8], Option<&'a [u8]>);

/// The parameters in `;a=1;b`, which may be empty. `None` where one breaks the grammar.
pub fn params(bytes: &[u8]) -> Option<Vec<Param<'_>>> {
    let bytes = trim(bytes);
    if bytes.is_empty() {
        return Some(Vec::new());
    }
    let after = bytes.strip_prefix(b";")?;
    split(after, b';').ok()?.into_iter().map(param).collect()
}

fn param(part: &[u8]) -> Option<Param<'_>> {
    let (name, value) = match find(part, b'=').ok()? {
        Some(at) => (trim(part.get(..at)?), Some(trim(part.get(at + 1..)?))),
        None => (part, None),
    };
    let value_is_sound =
        value.is_none_or(|value| !value.is_empty() && (value.starts_with(b"\"") || !value.iter().any(u8::is_ascii_whitespace)));
    (is_token(name) && value_is_sound).then_some((name, value))
}

/// Whether the parameter `name` is there, with a value or without.
pub fn has_param(params: &[Param<'_>], name: &str) -> bool {
    params.iter().any(|(found, _)| found.eq_ignore_ascii_case(name.as_bytes()))
}

/// The value of the parameter `name`.
pub fn param_value<'a>(params: &[Param<'a>], name: &str) -> Option<&'a [u8]> {
    params.iter().find(|(found, _)| found.eq_ignore_ascii_case(name.as_bytes())).and_then(|(_, value)| *value)
}
