//! The say-do gate: the last look at every sentence. What asserts an effect needs the receipt of that effect;
//! numbers, prices, days and times must stand in the knowledge, in a looked-up fact or in the caller's own words.

use std::collections::BTreeSet;

use super::event::{EffectId, SpeechAct};
use super::numbers;
use super::when;
use super::words::{plain, words};

/// Why a sentence may not be spoken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// It says that something was done, and is not marked as a claim.
    #[error("claims {claim:?} without being a claim")]
    UnmarkedClaim {
        /// The words.
        claim: &'static str,
    },
    /// It is a claim, and the receipt is not there.
    #[error("claims effect {} without its receipt", effect.0)]
    NoReceipt {
        /// The effect.
        effect: EffectId,
    },
    /// It claims another thing than the receipt proves.
    #[error("claims {claim:?} with a receipt for a {kind}")]
    WrongReceipt {
        /// The words.
        claim: &'static str,
        /// What the receipt proves.
        kind: String,
    },
    /// A number, day or time that nothing grounds.
    #[error("a number, day or name that nothing grounds")]
    Ungrounded,
    /// The owner forbids it.
    #[error("a forbidden phrase")]
    Forbidden,
}

/// What may stand in a sentence.
pub struct Grounds<'a> {
    /// From the owner's texts.
    pub agent: &'a BTreeSet<String>,
    /// From look-ups and the caller's own words.
    pub call: &'a BTreeSet<String>,
    /// What may never be said.
    pub forbidden: &'a [String],
}

/// Words that assert an effect, and the receipts that prove it.
const CLAIMS: &[(&str, &[&str])] = &[
    ("you're booked", &["booking"]),
    ("you are booked", &["booking"]),
    ("you're all set", &["booking", "request", "callback", "message"]),
    ("you are all set", &["booking", "request", "callback", "message"]),
    ("you're scheduled", &["booking"]),
    ("you are scheduled", &["booking"]),
    ("you're confirmed", &["booking"]),
    ("is booked", &["booking"]),
    ("it's booked", &["booking"]),
    ("is scheduled", &["booking", "request"]),
    ("is confirmed", &["booking"]),
    ("has been", &["booking", "cancellation", "request", "callback", "message"]),
    ("have been", &["booking", "cancellation", "request", "callback", "message"]),
    ("i've booked", &["booking"]),
    ("i have booked", &["booking"]),
    ("i booked", &["booking"]),
    ("i've scheduled", &["booking"]),
    ("i have scheduled", &["booking"]),
    ("i scheduled", &["booking"]),
    ("i've reserved", &["booking"]),
    ("i have reserved", &["booking"]),
    ("is reserved", &["booking"]),
    ("it's moved", &["booking"]),
    ("is moved", &["booking"]),
    ("i've moved", &["booking"]),
    ("i have moved", &["booking"]),
    ("i've rescheduled", &["booking"]),
    ("is cancelled", &["cancellation"]),
    ("is canceled", &["cancellation"]),
    ("i've cancelled", &["cancellation"]),
    ("i've canceled", &["cancellation"]),
    ("i have cancelled", &["cancellation"]),
    ("i have canceled", &["cancellation"]),
    ("i cancelled", &["cancellation"]),
    ("on record", &["request", "callback", "message"]),
    ("is logged", &["request"]),
    ("i've logged", &["request"]),
    ("i have logged", &["request"]),
    ("i've reported", &["request"]),
    ("i have reported", &["request"]),
    ("i've filed", &["request"]),
    ("i've submitted", &["request"]),
    ("i've put", &["request", "callback", "message"]),
    ("i have put", &["request", "callback", "message"]),
    ("i've told", &["message"]),
    ("i have told", &["message"]),
    ("i've sent", &["message"]),
    ("i have sent", &["message"]),
    ("i sent", &["message"]),
    ("i've informed", &["message", "request"]),
    ("i've notified", &["message", "request"]),
    ("i have notified", &["message", "request"]),
    ("i've passed", &["message"]),
    ("i have passed", &["message"]),
    ("i've left", &["message"]),
    ("i've arranged", &["booking", "callback"]),
    ("i have arranged", &["booking", "callback"]),
    ("will call you", &["callback"]),
    ("we'll call you", &["callback"]),
    ("will get back to you", &["callback", "message"]),
    ("you'll hear from", &["callback", "message"]),
    ("you will hear from", &["callback", "message"]),
    ("transferred", &[]),
    ("you are now connected", &[]),
    ("you're connected", &[]),
    ("i've connected", &[]),
    ("i have connected", &[]),
];

/// The first words of `text` that assert an effect.
pub fn claim_in(text: &str) -> Option<&'static str> {
    let said = format!(" {} ", plain(text).join(" "));
    CLAIMS.iter().map(|(claim, _)| *claim).find(|claim| said.contains(&format!(" {claim} ")))
}

/// The first of `phrases` that stands in `text`.
pub fn forbidden_in<'a>(text: &str, phrases: &'a [String]) -> Option<&'a str> {
    contains_any(text, phrases)
}

/// The first of `phrases` whose words stand in `text`, in order and side by side.
pub fn contains_any<'a>(text: &str, phrases: &'a [String]) -> Option<&'a str> {
    let said = format!(" {} ", plain(text).join(" "));
    phrases.iter().map(String::as_str).find(|phrase| {
        let wanted = plain(phrase).join(" ");
        !wanted.is_empty() && said.contains(&format!(" {wanted} "))
    })
}

/// What in `text` needs a ground: numbers (also in words), days, months, half days, and names inside a sentence.
pub fn to_ground(text: &str) -> Vec<String> {
    let words = words(text);
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let has_digit = word.text.bytes().any(|byte| byte.is_ascii_digit());
        if has_digit {
            found.push(word.text.clone());
        } else if numbers::small(&word.text).is_some_and(|value| value > 1) || numbers::tens(&word.text).is_some() {
            let (value, used) = numbers::cardinal(&words, at).unwrap_or((0, 1));
            found.push(value.to_string());
            at += used;
            continue;
        } else if when::weekday(&word.text).is_some() && word.text.len() >= 6 {
            found.push(word.text.trim_end_matches('s').to_owned());
        } else if when::month(&word.text).is_some() && (word.text != "may" || word.capital && !word.after_stop) && word.text.len() >= 3 {
            found.push(word.text.clone());
        } else if word.capital
            && !word.after_stop
            && !matches!(word.text.as_str(), "i" | "i'm" | "i've" | "i'll" | "i'd" | "ai" | "am" | "pm")
        {
            found.push(word.text.trim_end_matches("'s").to_owned());
        }
        at += 1;
    }
    found
}

/// Whether `sentence` may be spoken as `act`. `receipts`: what was done in this call, with its kind.
pub fn check(sentence: &str, act: &SpeechAct, receipts: &[(EffectId, &str)], grounds: &Grounds<'_>) -> Result<(), Violation> {
    if forbidden_in(sentence, grounds.forbidden).is_some() {
        return Err(Violation::Forbidden);
    }
    let claim = claim_in(sentence);
    match (act, claim) {
        (SpeechAct::Claim { effect }, claim) => {
            let kind =
                receipts.iter().find(|(held, _)| held == effect).map(|(_, kind)| *kind).ok_or(Violation::NoReceipt { effect: *effect })?;
            let proven = |claim: &str| CLAIMS.iter().filter(|(words, _)| *words == claim).any(|(_, kinds)| kinds.contains(&kind));
            if let Some(claim) = claim.filter(|claim| !proven(claim)) {
                return Err(Violation::WrongReceipt { claim, kind: kind.to_owned() });
            }
        }
        (_, None) => {}
        (_, Some(claim)) => return Err(Violation::UnmarkedClaim { claim }),
    }
    let grounded = |ground: &String| {
        let bare = ground.trim_start_matches('0');
        grounds.agent.contains(ground) || grounds.call.contains(ground) || !bare.is_empty() && grounds.call.contains(bare)
    };
    if to_ground(sentence).iter().all(grounded) { Ok(()) } else { Err(Violation::Ungrounded) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(sentence: &str, act: &SpeechAct, receipts: &[(EffectId, &str)]) -> Result<(), Violation> {
        let agent: BTreeSet<String> =
            to_ground("We are Lakeside Apartments. The rent is $1,450, the office opens at nine on Monday.").into_iter().collect();
        let call = BTreeSet::from(["tuesday".to_owned(), "3:30".to_owned(), "anna".to_owned()]);
        check(sentence, act, receipts, &Grounds { agent: &agent, call: &call, forbidden: &["cheap".to_owned()] })
    }

    #[test]
    fn a_claim_needs_its_own_receipt() {
        let claim = SpeechAct::Claim { effect: EffectId(7) };
        assert_eq!(verdict("You're booked.", &SpeechAct::Inform, &[]), Err(Violation::UnmarkedClaim { claim: "you're booked" }));
        assert_eq!(verdict("You're booked.", &claim, &[]), Err(Violation::NoReceipt { effect: EffectId(7) }));
        assert!(matches!(verdict("You're booked.", &claim, &[(EffectId(7), "message")]), Err(Violation::WrongReceipt { .. })));
        assert_eq!(verdict("You're booked.", &claim, &[(EffectId(7), "booking")]), Ok(()));
        assert!(verdict("I've transferred you.", &claim, &[(EffectId(7), "booking")]).is_err());
    }

    #[test]
    fn what_nothing_grounds_is_not_said() {
        assert_eq!(verdict("The rent is $1,450.", &SpeechAct::Inform, &[]), Ok(()));
        assert_eq!(verdict("The rent is $1,250.", &SpeechAct::Inform, &[]), Err(Violation::Ungrounded));
        assert_eq!(verdict("The rent is fourteen fifty.", &SpeechAct::Inform, &[]), Err(Violation::Ungrounded));
        assert_eq!(verdict("Is Tuesday at 3:30 right, Anna?", &SpeechAct::Ask, &[]), Ok(()));
        assert_eq!(verdict("Is Friday right?", &SpeechAct::Ask, &[]), Err(Violation::Ungrounded));
        assert_eq!(verdict("Please ask for Robert.", &SpeechAct::Inform, &[]), Err(Violation::Ungrounded));
        assert_eq!(verdict("It is cheap.", &SpeechAct::Inform, &[]), Err(Violation::Forbidden));
    }
}
