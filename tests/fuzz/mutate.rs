//! A small mutator: cuts, doubles, swaps and splices what the corpus has, and puts in what has broken parsers before.

use nightbell::base::Seed;

/// Inputs longer than this are cut.
const LENGTH_MAX: usize = 16 << 10;

/// Pieces that have broken parsers before.
const WORDS: [&[u8]; 40] = [
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b" ",
    b"\t",
    b"\r\n ",
    b"\r\n\r\n",
    b":",
    b";",
    b",",
    b"=",
    b"\"",
    b"\\",
    b"<",
    b">",
    b"@",
    b"%",
    b"%00",
    b"%0d%0a",
    b"[",
    b"]",
    b"[::1]",
    b"z9hG4bK",
    b"-1",
    b"0",
    b"2147483648",
    b"4294967296",
    b"18446744073709551616",
    b"99999999999999999999999",
    b"\xff\xfe",
    b"\xc3",
    b";tag=",
    b";branch=",
    b";rport",
    b"sip:",
    b"SIP/2.0",
    b"Content-Length: ",
    b"Via: SIP/2.0/UDP h\r\n",
    b"\xfe",
];

/// A new input from one or two of the corpus.
pub fn mutate(seed: &mut Seed, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut input = pick(seed, corpus).clone();
    for _ in 0..=seed.below(6) {
        change(seed, &mut input, corpus);
    }
    input.truncate(LENGTH_MAX);
    input
}

fn pick<'a>(seed: &mut Seed, corpus: &'a [Vec<u8>]) -> &'a Vec<u8> {
    &corpus[place(seed, corpus.len())]
}

fn place(seed: &mut Seed, length: usize) -> usize {
    usize::try_from(seed.below(length.max(1) as u64)).unwrap()
}

/// A range inside `length`, mostly short.
fn range(seed: &mut Seed, length: usize) -> std::ops::Range<usize> {
    let from = place(seed, length + 1);
    let most = if seed.one_in(4) { length } else { 16 };
    from..(from + place(seed, most + 1)).min(length)
}

fn change(seed: &mut Seed, input: &mut Vec<u8>, corpus: &[Vec<u8>]) {
    let at = place(seed, input.len() + 1);
    match seed.below(9) {
        0 => {
            let byte = (seed.next_u32() & 0xff) as u8;
            if let Some(old) = input.get_mut(at) {
                *old = byte;
            }
        }
        1 => {
            if let Some(old) = input.get_mut(at) {
                *old ^= 1 << seed.below(8);
            }
        }
        2 => drop(input.drain(range(seed, input.len()))),
        3 => {
            let piece = input[range(seed, input.len())].to_vec();
            input.splice(at..at, piece);
        }
        4 | 5 => {
            let word = WORDS[place(seed, WORDS.len())];
            let end = if seed.one_in(2) { at } else { (at + word.len()).min(input.len()) };
            input.splice(at..end, word.iter().copied());
        }
        6 => {
            let other = pick(seed, corpus);
            let piece = other[range(seed, other.len())].to_vec();
            input.splice(at..at, piece);
        }
        7 => {
            let word = WORDS[place(seed, WORDS.len())].repeat(1 + place(seed, 300));
            input.splice(at..at, word);
        }
        _ => swap_lines(seed, input),
    }
}

fn swap_lines(seed: &mut Seed, input: &mut Vec<u8>) {
    let mut lines: Vec<Vec<u8>> = input.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    if lines.is_empty() {
        return;
    }
    let (one, two) = (place(seed, lines.len()), place(seed, lines.len()));
    if seed.one_in(3) {
        let line = lines[one].clone();
        lines.insert(two, line);
    } else {
        lines.swap(one, two);
    }
    *input = lines.concat();
}
