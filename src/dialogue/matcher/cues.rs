//! Phrases that tell an intent. `a|b` is either, `..` is up to four words between, `^` and `$` are the ends.

use std::sync::OnceLock;

use super::super::event::Expected;
use super::super::fuzzy;
use super::super::proposal::Intent;
use super::super::words::Word;

/// Intent, how sure the phrases are, and the phrases.
const CUES: &[(Intent, f32, &[&str])] = &[
    (
        Intent::Emergency,
        0.97,
        &[
            "emergency",
            "smell gas|smoke",
            "smells like gas",
            "gas leak",
            "something burning",
            "there's .. fire",
            "on fire",
            "carbon monoxide",
            "water everywhere",
            "a flood",
            "is flooding|flooded",
            "call 911",
        ],
    ),
    (
        Intent::Robot,
        0.97,
        &[
            "are you .. robot|human|computer|machine|bot|ai|recording|automated|real",
            "am i talking|speaking to|with .. robot|human|computer|machine|bot|ai|real|person",
            "is this .. robot|computer|machine|bot|ai|recording|automated",
            "you a robot|human|computer|machine|bot",
            "talking to .. robot|computer|machine|bot",
        ],
    ),
    (
        Intent::Human,
        0.95,
        &[
            "speak|talk to|with .. person|human|someone|somebody|manager|agent|owner|representative|office|landlord|maintenance|leasing|staff|receptionist|operator",
            "speak|talk to|with a .. being",
            "connect|transfer|put|get me .. person|human|someone|somebody|manager|agent|owner|representative|office|leasing|maintenance|desk|landlord",
            "transfer|connect me",
            "put me through",
            "^ operator|agent|representative",
            "real|actual|live person|human",
            "don't want to talk .. robot|machine|computer",
            "human being|please",
            "^ human|person",
            "is .. there|available|in today $",
        ],
    ),
    (
        Intent::Repeat,
        0.93,
        &[
            "repeat that|it|please",
            "repeat $",
            "say that|it again",
            "come again",
            "didn't|couldn't hear|catch|get|understand that|you|it",
            "what did you say",
            "what was that",
            "^ sorry|pardon|what|huh $",
            "^ pardon me $",
            "^ excuse me $",
            "speak up|slower|slowly",
            "slow down",
            "one more time",
            "say again",
        ],
    ),
    (
        Intent::Wait,
        0.92,
        &[
            "^ hold on",
            "^ wait $",
            "^ wait a|one|please",
            "hang on",
            "^ one|just moment|second|minute",
            "^ just|give .. moment|second|minute|sec",
            "let me check|think|look|see|find|get|grab",
            "i need a second|minute|moment",
        ],
    ),
    (
        Intent::Goodbye,
        0.93,
        &[
            "^ .. goodbye|bye",
            "^ good night",
            "that's all|it|everything|about .. thank|thanks|bye|for|i .. needed|need|$",
            "that's all|everything $",
            "that will be all",
            "have a good|nice|great|lovely|wonderful .. day|night|weekend|evening|one",
            "nothing else|more",
            "i'm good|all set|done|fine .. thank|thanks|bye|$",
            "talk to you later",
            "see you then|later",
        ],
    ),
    (
        Intent::Cancel,
        0.92,
        &[
            "cancel",
            "call .. off",
            "never mind",
            "nevermind",
            "forget it|about",
            "don't want .. anymore|any",
            "don't need .. appointment|tour|booking",
        ],
    ),
    (
        Intent::Reschedule,
        0.9,
        &[
            "reschedule",
            "change|move .. appointment|booking|visit|tour|it|time to|$",
            "change|move my|the|our .. appointment|booking|visit|tour|time|day",
            "different|another time|day",
            "make it .. instead",
            "can't make it",
            "come in on .. instead",
            "rather .. instead",
        ],
    ),
    (
        Intent::Status,
        0.85,
        &[
            "when|what|where .. is my .. appointment|booking|technician|plumber|repair|request|tour",
            "status of",
            "confirm|check my .. appointment|booking|tour",
            "is my .. appointment|booking|tour still",
            "do i have .. appointment",
            "where is .. technician|plumber|driver|electrician",
            "when will .. technician|plumber|driver|electrician",
            "happening with my",
            "is|was the repair|technician|plumber|maintenance coming|scheduled",
        ],
    ),
    (
        Intent::Callback,
        0.9,
        &[
            "call me back|later|tomorrow|today",
            "call back",
            "have|get .. someone|somebody|them|him|her|manager|owner .. call|ring|phone me",
            "a callback",
            "return my call",
            "give me a call",
        ],
    ),
    (Intent::Message, 0.92, &["leave|take .. message", "tell them|him|her i called", "pass .. message|on", "a message for"]),
    (
        Intent::Book,
        0.9,
        &[
            "book|schedule|arrange|make|set|get|reserve .. appointment|tour|viewing|visit|showing|consultation|slot|reservation",
            "like|want|love|need|i'd .. to see|tour|visit|view|look .. apartment|apartments|place|unit|it|property|home|one|studio|bedroom|house",
            "come .. see|look|tour|visit|by|view",
            "can|could|may|when i .. see|tour|view|visit .. it|apartment|apartments|place|unit|property|one|studio|bedroom|house|home",
            "a tour",
            "book|schedule me|it|that|one",
            "any|anything openings|available .. on|today|tomorrow",
            "next available .. appointment|time|opening|tour",
            "earliest|first .. appointment|time|opening|available",
            "come in for",
            "i'd like an|to .. appointment",
            "make|set|schedule .. appointment",
            "^ book|schedule",
            "to book|schedule .. $",
            "available appointments",
        ],
    ),
    (
        Intent::Outage,
        0.88,
        &[
            "power|electricity|internet|wifi|water|gas|heat|heating|cable is .. out|down|off|working|back",
            "no power|electricity|internet|wifi|water|heat|heating",
            "lost power|electricity|internet|water|heat",
            "an|the .. outage",
            "power .. went out",
            "don't have .. power|electricity|internet|water|heat",
            "power|internet|water|heat .. stopped",
        ],
    ),
    (
        Intent::Maintenance,
        0.9,
        &[
            "maintenance|repair request|problem|issue",
            "is leaking|clogged|dripping|overflowing|broken|flickering|stuck|beeping|jammed",
            "not working",
            "isn't|doesn't|won't work|working|flush|start|close|open|lock|turn|stop|drain",
            "stopped working",
            "backed up",
            "a leak",
            "locked out",
            "no hot water",
            "there|is|are .. bugs|mice|mouse|roaches|ants|mold|leak",
            "fix my|the|it",
            "needs fixing|repair|fixed",
            "something .. wrong with|is",
            "report a|that|something|an .. problem|issue|leak|broken",
            "lost my key|keys",
            "too|very loud",
            "making .. noise",
            "about a repair",
            "water .. leaking|dripping|coming",
            "need|send .. plumber|electrician|technician|maintenance",
        ],
    ),
    (
        Intent::Availability,
        0.86,
        &[
            "do|what .. have .. available|vacant|vacancies|openings|open",
            "looking for|to .. apartment|place|home|rent|studio|bedroom|move|unit",
            "interested in",
            "any .. apartments|units|vacancies|rentals|places",
            "apartment|unit|studio|bedroom .. available",
            "is|are .. still available",
            "for rent $",
            "move in",
            "find|need|want an|a .. apartment|place to|studio|bedroom",
            "calling about .. apartment|listing|unit|bedroom",
            "what's available",
            "availability",
        ],
    ),
    (
        Intent::Price,
        0.86,
        &[
            "how much",
            "what .. cost|price|prices|rate|rates|charge|fee|fees|rent",
            "what's .. rent",
            "do you charge",
            "price of|for",
            "cost of|for",
            "the rent",
        ],
    ),
    (
        Intent::Hours,
        0.88,
        &[
            "your|the|office|business|opening .. hours",
            "what time .. open|close",
            "when .. open|close",
            "are you .. open|closed",
            "how late",
            "do you open|close",
            "hours $",
            "till what time",
            "what hours",
            "still open",
        ],
    ),
    (
        Intent::Location,
        0.86,
        &[
            "where are|is .. you|office|located|building|property|it",
            "your|the .. address|location",
            "how do i get there|to",
            "directions",
            "are you .. near|close",
            "located",
        ],
    ),
    (Intent::Area, 0.86, &["do you serve|cover|service", "what areas|area|cities|towns", "in your area|service", "come out to"]),
    (
        Intent::Question,
        0.62,
        &["^ .. do|does|is|are|can|could|may|will|would you|i|it|there|we|the|they", "^ .. what|how|when|where|which|who|why"],
    ),
    (
        Intent::Greeting,
        0.7,
        &[
            "^ hello|hi|hey $",
            "^ hello|hi|hey there $",
            "^ .. good morning|afternoon|evening $",
            "is anyone|anybody there",
            "can you hear me",
            "^ hello|hi|hey .. how are you",
        ],
    ),
];

/// Words that agree, when they are all there is, or come first.
const YES: &[&str] = &[
    "yes",
    "yeah",
    "yep",
    "yup",
    "sure",
    "correct",
    "right",
    "absolutely",
    "definitely",
    "okay",
    "ok",
    "exactly",
    "perfect",
    "certainly",
    "indeed",
    "alright",
    "agreed",
    "fine",
    "great",
    "good",
    "uh-huh",
    "yea",
    "ya",
    "affirmative",
];
const YES_PHRASES: &[&str] = &[
    "that's|it's|sounds|looks|everything right|correct|fine|good|perfect|great|works|true|okay|ok|it",
    "that|it works|does|would",
    "that will|would work|do|be fine|great|perfect|good|suit",
    "please do",
    "go ahead",
    "go for it",
    "of course",
    "why not",
    "i would|do|am|did",
    "i'd like|love that|to",
    "let's do|go",
    "that one",
    "works for me",
    "you got it",
    "that's the one",
    "that'd be",
    "i'll take",
    "all right",
];
const NO: &[&str] = &["no", "nope", "nah", "negative", "wrong", "incorrect", "never"];
const NO_PHRASES: &[&str] = &[
    "not really|today|now|right|yet|correct|quite|exactly|interested|necessary",
    "don't think so",
    "i don't|won't|wouldn't|can't",
    "that's|that is|it's not|wrong|incorrect",
    "no thank|thanks",
    "that doesn't|won't|isn't",
    "not what i",
    "rather not",
    "i'm not",
    "i don't $",
    "^ i don't",
    "i won't",
];

#[derive(Debug)]
enum Piece {
    Any(Vec<String>),
    Gap,
    Start,
    End,
}

struct Cue {
    intent: Intent,
    confidence: f32,
    pieces: Vec<Piece>,
}

fn compile(pattern: &str) -> Vec<Piece> {
    pattern
        .split_whitespace()
        .map(|piece| match piece {
            ".." => Piece::Gap,
            "^" => Piece::Start,
            "$" => Piece::End,
            words if words.ends_with("|$") => Piece::Any(words.split('|').map(str::to_owned).collect()),
            words => Piece::Any(words.split('|').map(str::to_owned).collect()),
        })
        .collect()
}

fn cues() -> &'static [Cue] {
    static COMPILED: OnceLock<Vec<Cue>> = OnceLock::new();
    COMPILED.get_or_init(|| {
        let phrases =
            CUES.iter().flat_map(|(intent, confidence, patterns)| patterns.iter().map(move |pattern| (*intent, *confidence, *pattern)));
        phrases.map(|(intent, confidence, pattern)| Cue { intent, confidence, pieces: compile(pattern) }).collect()
    })
}

fn yes_no_phrases() -> &'static (Vec<Vec<Piece>>, Vec<Vec<Piece>>) {
    static COMPILED: OnceLock<(Vec<Vec<Piece>>, Vec<Vec<Piece>>)> = OnceLock::new();
    COMPILED.get_or_init(|| {
        let compiled = |phrases: &[&str]| phrases.iter().map(|phrase| compile(phrase)).collect();
        (compiled(YES_PHRASES), compiled(NO_PHRASES))
    })
}

/// Words that a `..` stands for at most.
const GAP_MAX: usize = 4;

fn matches(words: &[Word], pieces: &[Piece], at: usize) -> bool {
    let Some((first, rest)) = pieces.split_first() else { return true };
    match first {
        Piece::Start => at == 0 && matches(words, rest, at),
        Piece::End => at == words.len(),
        Piece::Gap => (0..=GAP_MAX).any(|skip| at + skip <= words.len() && matches(words, rest, at + skip)),
        Piece::Any(choices) => {
            if at == words.len() {
                return choices.iter().any(|choice| choice == "$") && matches(words, rest, at);
            }
            words.get(at).is_some_and(|word| choices.iter().any(|choice| same(choice, &word.text))) && matches(words, rest, at + 1)
        }
    }
}

/// A slip is forgiven only in long words: short ones are one slip away from each other.
fn same(choice: &str, word: &str) -> bool {
    choice == word || choice.len() >= 7 && fuzzy::close(choice, word)
}

fn found(words: &[Word], pieces: &[Piece]) -> bool {
    (0..=words.len()).any(|at| matches(words, pieces, at))
}

/// Two words and the one that says the same: phrases are written with the short form only.
const SHORT: &[(&str, &str, &str)] = &[
    ("that", "is", "that's"),
    ("it", "is", "it's"),
    ("i", "am", "i'm"),
    ("i", "would", "i'd"),
    ("what", "is", "what's"),
    ("there", "is", "there's"),
    ("did", "not", "didn't"),
    ("do", "not", "don't"),
    ("does", "not", "doesn't"),
    ("is", "not", "isn't"),
    ("can", "not", "can't"),
    ("could", "not", "couldn't"),
    ("will", "not", "won't"),
    ("i", "will", "i'll"),
    ("all", "right", "alright"),
];

fn shortened(words: &[Word]) -> Vec<Word> {
    let mut short: Vec<Word> = Vec::with_capacity(words.len());
    for word in words {
        let joined =
            short.last().and_then(|last| SHORT.iter().find(|(one, other, _)| last.text == *one && word.text == *other && !word.after_stop));
        match (joined, short.last_mut()) {
            (Some((.., joined)), Some(last)) => (*joined).clone_into(&mut last.text),
            _ => short.push(Word { text: if word.text == "cannot" { "can't".to_owned() } else { word.text.clone() }, ..word.clone() }),
        }
    }
    short
}

/// The intent whose phrases fit best, and how sure that is.
pub fn best(words: &[Word], expected: Expected) -> (Intent, f32) {
    if words.is_empty() {
        return (Intent::Other, 0.0);
    }
    let words = &shortened(words)[..];
    let mut best = (Intent::Other, 0.2_f32);
    for cue in cues() {
        if cue.confidence > best.1 && found(words, &cue.pieces) {
            best = (cue.intent, cue.confidence);
        }
    }
    if best.0 == Intent::Goodbye && matches!(expected, Expected::Message) && words.len() > 6 {
        best.1 = 0.5;
    }
    yes_or_no(words, expected, best)
}

/// Agreement and refusal. They are certain when asked for; a wish that follows them wins.
fn yes_or_no(words: &[Word], expected: Expected, best: (Intent, f32)) -> (Intent, f32) {
    let asked = !matches!(expected, Expected::Open | Expected::Message | Expected::Problem);
    let first = words.iter().find(|word| {
        !matches!(word.text.as_str(), "um" | "uh" | "oh" | "well" | "so" | "hmm" | "ah" | "actually" | "i" | "think" | "guess")
    });
    let first = first.map_or("", |word| word.text.as_str());
    let thanks = words.iter().any(|word| matches!(word.text.as_str(), "thanks" | "thank"));
    let refusing =
        NO.contains(&first) || words.len() <= 8 && yes_no_phrases().1.iter().any(|phrase| found(words, phrase)) && !YES.contains(&first);
    let agreeing = YES.contains(&first) || words.len() <= 8 && yes_no_phrases().0.iter().any(|phrase| found(words, phrase));
    let leaving = words.iter().any(|word| matches!(word.text.as_str(), "goodbye" | "bye")) && best.0 == Intent::Goodbye;
    let door = leaving
        || matches!(
            best.0,
            Intent::Emergency | Intent::Human | Intent::Robot | Intent::Repeat | Intent::Callback | Intent::Message | Intent::Cancel
        ) && best.1 >= 0.9;
    if door && !(best.0 == Intent::Cancel && expected == Expected::Confirm) {
        return best;
    }
    if expected == Expected::Anything && refusing && (words.len() <= 6 || thanks || best.0 == Intent::Goodbye) && !wish(best) {
        return (Intent::Goodbye, 0.95);
    }
    if refusing && (asked || words.len() <= 3) {
        return if wish(best) && best.0 != Intent::Reschedule { best } else { (Intent::No, 0.93) };
    }
    if agreeing && (asked || words.len() <= 3 && YES.contains(&first)) && !(best.0 == Intent::Goodbye && expected == Expected::Anything) {
        return if wish(best) && !matches!(expected, Expected::YesNo | Expected::Confirm)
            || wish(best) && words.len() > 6 && best.0 != Intent::Book
        {
            best
        } else {
            (Intent::Yes, 0.93)
        };
    }
    if thanks && best.1 < 0.9 && words.len() <= 6 && matches!(expected, Expected::Anything | Expected::Open) {
        return (Intent::Goodbye, 0.88);
    }
    best
}

/// Whether the phrases tell a wish of its own.
fn wish(best: (Intent, f32)) -> bool {
    best.1 >= 0.85 && !matches!(best.0, Intent::Goodbye | Intent::Wait | Intent::Greeting)
}
