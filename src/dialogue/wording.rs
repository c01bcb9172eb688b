//! The scripted sentences. Every one can be worded by the owner; what stands in braces is filled in.

use std::collections::BTreeMap;

/// A sentence cannot be worded like that.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WordingError {
    /// There is no such sentence.
    #[error("there is no sentence called {key:?}; the nearest is {nearest:?}")]
    UnknownKey {
        /// As written.
        key: String,
        /// One that exists.
        nearest: String,
    },
    /// It has a gap that nothing fills.
    #[error("the sentence {key:?} has a gap {{{gap}}} that nothing fills; it may have: {may}")]
    UnknownGap {
        /// The sentence.
        key: String,
        /// The gap.
        gap: String,
        /// Those that it may have.
        may: String,
    },
    /// It claims what only a receipt may say.
    #[error("the sentence {key:?} says {claim:?}, which is said only after something was done")]
    Claims {
        /// The sentence.
        key: String,
        /// The words.
        claim: String,
    },
}

macro_rules! wordings {
    ($($key:ident $name:literal $text:literal,)*) => {
        /// The name of a scripted sentence.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[allow(missing_docs, reason = "the sentence itself stands beside each name")]
        pub enum Key { $($key,)* }

        /// Key, name in the agent file, the sentence unless the owner words it.
        const DEFAULTS: &[(Key, &str, &str)] = &[$((Key::$key, $name, $text),)*];
    };
}

wordings! {
    HowHelp "how_help" "How can I help you?",
    GoAhead "go_ahead" "Please go ahead.",
    AnythingElse "anything_else" "Is there anything else I can help you with?",
    Sorry "sorry" "Sorry, I didn't catch that.",
    Noted "noted" "Thank you.",
    CallingCallback "calling_callback" "Hello, this is the AI assistant of {business}. You asked us for a call. How can I help you?",
    CallingReminder "calling_reminder" "Hello, this is the AI assistant of {business}, about your appointment. If you want to change it or to cancel it, please tell me.",
    CallingLead "calling_lead" "Hello, this is the AI assistant of {business}. You asked about what we offer. I can {abilities}. What would you like to know?",
    Voicemail "voicemail" "Hello, this is the AI assistant of {business}. Please call us when you have a moment. Goodbye.",
    TakeYourTime "take_your_time" "Of course, take your time.",
    StillThere "still_there" "Are you still there?",
    Trouble "trouble" "I'm sorry, I'm having trouble understanding.",
    TroubleOfferHuman "trouble_offer_human" "I'm sorry, I'm having trouble understanding. Shall I put you through to a person?",
    OfferHuman "offer_human" "Shall I put you through to a person?",
    Robot "robot" "Yes, I'm an AI assistant, not a person. I can {abilities}.",
    PuttingThrough "putting_through" "I'm putting you through to {door}.",
    NobodyAnswered "nobody_answered" "I'm sorry, nobody could take the call just now.",
    NobodyThere "nobody_there" "I'm sorry, nobody is there to take a call right now.",
    BriefOpen "brief_open" "Hello, this is the assistant at {business}, with a caller for you.",
    BriefWho "brief_who" "The caller is {who}.",
    BriefAbout "brief_about" "It is about this: {about}.",
    BriefDone "brief_done" "So far in this call: {done}.",
    BriefKeys "brief_keys" "Press 1 to take the call, or 2 to decline.",
    Emergency "emergency" "If anyone is in danger, please leave the building and call 911 right away.",
    OfferBooking "offer_booking" "Would you like to book a {what}?",
    OfferTimes "offer_times" "Let me see.",
    OfferOne "offer_one" "I have {when}. Does that suit you?",
    OfferTwo "offer_two" "I have {one}, or {other}. Which would you like?",
    OfferOneOfDay "offer_one_of_day" "For {day} I have {time}. Does that suit you?",
    OfferDay "offer_day" "For {day} I have {times}. What time would you like?",
    AskDay "ask_day" "What day and time would suit you?",
    TimePast "time_past" "That time is too soon or has passed.",
    TimeTooFar "time_too_far" "I can't book that far ahead.",
    TimeOutside "time_outside" "You can come {hours}.",
    TimeTaken "time_taken" "I'm sorry, {when} is taken.",
    TimeNearest "time_nearest" "I don't have exactly that time.",
    NothingFree "nothing_free" "I'm sorry, I have no free time to offer.",
    CannotBookNow "cannot_book_now" "I'm sorry, I can't save that right now.",
    CannotKeep "cannot_keep" "I'm sorry, I can't save anything at the moment.",
    NotBookedHere "not_booked_here" "I can't make that appointment from here. Shall I have someone call you back about it?",
    ChangeByOffice "change_by_office" "For an appointment made earlier, the office first checks who is calling. Shall I have them call you back?",
    StatusByOffice "status_by_office" "I can't see that from here. Shall I have the office call you back about it?",
    AskName "ask_name" "May I have your name, please?",
    AskNameAgain "ask_name_again" "What name should I put down?",
    AskPhone "ask_phone" "What is the best number to reach you?",
    AskPhoneAgain "ask_phone_again" "Please tell me your phone number, digit by digit, or enter it on the keypad.",
    AskRestOfNumber "ask_rest_of_number" "I have {digits} so far. What is the rest of the number?",
    AskCallerNumber "ask_caller_number" "Is the number you are calling from, ending in {ending}, the best one to reach you?",
    ConfirmBooking "confirm_booking" "So that is a {what} {when}, for {name}, and the number is {phone}. Is that right?",
    ConfirmBookingNoName "confirm_booking_short" "So that is a {what} {when}. Is that right?",
    ConfirmCancel "confirm_cancel" "Do you want me to cancel your appointment {when}?",
    WhatToChange "what_to_change" "What should I change?",
    Booked "booked" "You're booked: a {what} {when}.",
    Moved "moved" "It's moved: you're booked for {when}.",
    Cancelled "cancelled" "Your appointment is cancelled.",
    Kept "kept" "All right, it stays as it is.",
    Dropped "dropped" "All right, I'll leave that.",
    AskProblem "ask_problem" "What is the problem?",
    AskUnit "ask_unit" "Which unit are you in?",
    AskUnitAgain "ask_unit_again" "What is your unit number, please?",
    ConfirmRequest "confirm_request" "So the problem is: {problem}, in unit {unit}. The name is {name}, and the number is {phone}. Is that right?",
    ConfirmRequestShort "confirm_request_short" "So the problem is: {problem}. Is that right?",
    ConfirmRequestUnread "confirm_request_unread" "Shall I save your request as you told it?",
    RequestKept "request_kept" "Your maintenance request is on record.",
    AskMessage "ask_message" "Please tell me your message, I'm listening.",
    ConfirmMessage "confirm_message" "That is a message from {name}, and the number is {phone}. Shall I save it?",
    ConfirmMessageShort "confirm_message_short" "Shall I save your message?",
    MessageKept "message_kept" "Your message is on record. You'll hear from {door} by {when}.",
    MessageKeptNoPhone "message_kept_no_phone" "Your message is on record for {door}.",
    CallbackKept "callback_kept" "I've put a callback on record: someone from {door} will call you at {phone} by {when}.",
    CallbackKeptLine "callback_kept_line" "I've put a callback on record: someone from {door} will call you back on this line by {when}.",
    UnknownOfferCallback "unknown_offer_callback" "I don't have that information. Shall I have the office call you back about it?",
    Hours "hours" "We are open {hours}.",
    HoursOfDay "hours_of_day" "We are open {day} {span}.",
    ClosedOn "closed_on" "We are closed {day}. We are open {hours}.",
    HomeNow "home_now" "Yes, we have a {home} for {rent} a month, available now.",
    HomeFrom "home_from" "Yes, we have a {home} for {rent} a month, available from {from}.",
    HomeNotFree "home_not_free" "I'm sorry, no {home} is free right now.",
    NoSuchHome "no_such_home" "We have no apartments of that size.",
    HomesFree "homes_free" "Right now we have {homes} a month.",
    NothingToRent "nothing_to_rent" "I'm sorry, nothing is free right now.",
    BeforeGoodbye "before_goodbye" "Before you go, shall we finish this?",
    Goodbye "goodbye" "Thank you for calling {business}. Goodbye.",
    Fallback "fallback" "I'd rather have the office answer that.",
    CannotHear "cannot_hear" "I'm sorry, I can't hear words at the moment.",
    CanHearAgain "can_hear_again" "I can hear you again.",
    KeysBook "keys_book" "Press 1 to book a {what}, 2 to be called back, 3 for our hours, or 0 for a person.",
    KeysMessage "keys_message" "Press 1 to be called back, 3 for our hours, or 0 for a person.",
    KeysYesNo "keys_yes_no" "Press 1 for yes, 2 for no, or 0 for a person.",
    KeysChoice "keys_choice" "Press 1 for the first, 2 for the second, or 0 for a person.",
    KeysPhone "keys_phone" "Please enter your number on the keypad, and then the pound key.",
    KeysUnit "keys_unit" "Please enter your unit number on the keypad, and then the pound key.",
}

/// Every scripted sentence of one agent.
#[derive(Clone, Debug)]
pub struct Wording(BTreeMap<Key, String>);

impl Wording {
    /// The defaults, with the owner's `own` wording in place of some.
    pub fn new(own: &BTreeMap<String, String>) -> Result<Self, WordingError> {
        let mut texts: BTreeMap<Key, String> = DEFAULTS.iter().map(|(key, _, text)| (*key, (*text).to_owned())).collect();
        for (name, text) in own {
            let Some((key, _, default)) = DEFAULTS.iter().find(|(_, known, _)| known == name) else {
                return Err(WordingError::UnknownKey { key: name.clone(), nearest: nearest(name) });
            };
            let may = gaps(default);
            if let Some(gap) = gaps(text).into_iter().find(|gap| !may.contains(gap)) {
                return Err(WordingError::UnknownGap { key: name.clone(), gap, may: may.join(", ") });
            }
            if !key.claims()
                && let Some(claim) = super::guard::claim_in(text)
            {
                return Err(WordingError::Claims { key: name.clone(), claim: claim.to_owned() });
            }
            texts.insert(*key, text.clone());
        }
        Ok(Self(texts))
    }

    /// The sentence with its gaps filled; a gap without a value becomes empty.
    pub fn render(&self, key: Key, values: &[(&str, &str)]) -> String {
        let template = self.0.get(&key).map_or("", String::as_str);
        let mut text = String::with_capacity(template.len() + 32);
        let mut rest = template;
        while let Some((front, behind)) = rest.split_once('{') {
            text.push_str(front);
            let Some((gap, after)) = behind.split_once('}') else { break };
            text.push_str(values.iter().find(|(name, _)| *name == gap).map_or("", |(_, value)| value));
            rest = after;
        }
        text.push_str(rest);
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Every sentence as it is worded, gaps and all.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(String::as_str)
    }

    /// Those without gaps: the same in every call.
    pub fn fixed(&self) -> impl Iterator<Item = &str> {
        self.texts().filter(|text| !text.contains('{'))
    }
}

impl Key {
    /// Whether the sentence is a claim, said only with its receipt.
    pub const fn claims(self) -> bool {
        matches!(
            self,
            Self::Booked
                | Self::Moved
                | Self::Cancelled
                | Self::RequestKept
                | Self::MessageKept
                | Self::MessageKeptNoPhone
                | Self::CallbackKept
                | Self::CallbackKeptLine
        )
    }
}

fn gaps(text: &str) -> Vec<String> {
    text.split('{').skip(1).filter_map(|piece| piece.split_once('}').map(|(gap, _)| gap.to_owned())).collect()
}

fn nearest(name: &str) -> String {
    let best =
        DEFAULTS.iter().map(|(_, known, _)| (super::fuzzy::alike(known, name), *known)).max_by(|one, other| one.0.total_cmp(&other.0));
    best.map_or_else(String::new, |(_, known)| known.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owners_wording_is_checked() {
        let own = |key: &str, text: &str| BTreeMap::from([(key.to_owned(), text.to_owned())]);
        assert_eq!(Wording::new(&own("how_help", "What can I do for you?")).unwrap().render(Key::HowHelp, &[]), "What can I do for you?");
        assert!(matches!(Wording::new(&own("how_halp", "")), Err(WordingError::UnknownKey { nearest, .. }) if nearest == "how_help"));
        assert!(matches!(Wording::new(&own("booked", "See you {then}.")), Err(WordingError::UnknownGap { .. })));
        assert!(matches!(Wording::new(&own("noted", "You're booked.")), Err(WordingError::Claims { .. })));
    }

    #[test]
    fn every_default_that_claims_is_marked_and_no_other_claims() {
        for (key, name, text) in DEFAULTS {
            assert_eq!(key.claims(), super::super::guard::claim_in(text).is_some(), "{name}");
        }
    }
}
