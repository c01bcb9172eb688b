//! What callers say, what is asked, what is understood.

use super::super::scenarios::agent;
use super::*;
use crate::dialogue::when;

fn understood(expected: Expected, said: &str) -> Proposal {
    propose(&agent("leasing"), expected, "2026-11-22T12:00".parse().unwrap(), said)
}

const TOLD: &[(Expected, &str, Intent)] = &[
    (Expected::Open, "Hello.", Intent::Greeting),
    (Expected::Open, "Hi there, good morning.", Intent::Greeting),
    (Expected::Open, "What time do you close on Friday?", Intent::Hours),
    (Expected::Open, "Are you open on weekends?", Intent::Hours),
    (Expected::Open, "I'd like to book an appointment for Tuesday at ten please.", Intent::Book),
    (Expected::Open, "Can I come by and see it tomorrow?", Intent::Book),
    (Expected::Open, "Do you have anything available on Monday?", Intent::Book),
    (Expected::Open, "Could I schedule a tour this weekend?", Intent::Book),
    (Expected::Open, "I need to reschedule my appointment.", Intent::Reschedule),
    (Expected::Open, "Can we move it to Friday?", Intent::Reschedule),
    (Expected::Open, "I want to cancel my appointment please", Intent::Cancel),
    (Expected::Open, "My name is Anna Smith.", Intent::GiveName),
    (Expected::Open, "My number is five five five one two three four.", Intent::GivePhone),
    (Expected::Open, "Can I speak to a manager?", Intent::Human),
    (Expected::Open, "Put me through to the office please.", Intent::Human),
    (Expected::Open, "Operator", Intent::Human),
    (Expected::Open, "I don't want to talk to a robot.", Intent::Human),
    (Expected::Open, "Are you a real person?", Intent::Robot),
    (Expected::Open, "Is this a recording?", Intent::Robot),
    (Expected::Open, "My sink is leaking.", Intent::Maintenance),
    (Expected::Open, "There is no hot water.", Intent::Maintenance),
    (Expected::Open, "Our power is out.", Intent::Outage),
    (Expected::Open, "Do you have a two bedroom apartment available?", Intent::Availability),
    (Expected::Open, "I'm looking for a place to rent.", Intent::Availability),
    (Expected::Open, "How much is the rent for a studio?", Intent::Price),
    (Expected::Open, "Where are you located?", Intent::Location),
    (Expected::Open, "Do you allow dogs?", Intent::Question),
    (Expected::Open, "Can I leave a message for the manager?", Intent::Message),
    (Expected::Open, "Could you have someone call me back?", Intent::Callback),
    (Expected::Open, "Could you say that again?", Intent::Repeat),
    (Expected::Open, "Hold on a second.", Intent::Wait),
    (Expected::Open, "Okay, thanks, bye.", Intent::Goodbye),
    (Expected::Open, "I smell gas in the hallway.", Intent::Emergency),
    (Expected::Open, "When is my appointment?", Intent::Status),
    (Expected::Open, "Is a two-bedroom available today?", Intent::Availability),
    (Expected::Open, "It's not an emergency but my oven is broken", Intent::Maintenance),
    (Expected::YesNo, "That won't work for me", Intent::No),
    (Expected::YesNo, "yes", Intent::Yes),
    (Expected::YesNo, "Sure, that would be great.", Intent::Yes),
    (Expected::YesNo, "sounds good", Intent::Yes),
    (Expected::YesNo, "I don't think so", Intent::No),
    (Expected::YesNo, "no thanks", Intent::No),
    (Expected::YesNo, "not right now", Intent::No),
    (Expected::Confirm, "That's right.", Intent::Yes),
    (Expected::Confirm, "that is correct", Intent::Yes),
    (Expected::Confirm, "that's not right", Intent::No),
    (Expected::Confirm, "No, that's wrong.", Intent::No),
    (Expected::Anything, "no that's all", Intent::Goodbye),
    (Expected::Anything, "No, thank you.", Intent::Goodbye),
    (Expected::Anything, "thank you so much", Intent::Goodbye),
    (Expected::Anything, "actually, how much is parking?", Intent::Price),
    (Expected::Name, "Mary Johnson", Intent::GiveName),
    (Expected::Phone, "five five five, oh one two three", Intent::GivePhone),
    (Expected::Time, "three thirty", Intent::GiveTime),
    (Expected::Day, "next Thursday", Intent::GiveTime),
    (Expected::Unit, "four oh two", Intent::GiveAddress),
    (Expected::Time, "Could it be Saturday at two?", Intent::GiveTime),
    (Expected::Open, "There's water on the floor in the hallway.", Intent::Maintenance),
    (Expected::Open, "The electricity went out.", Intent::Outage),
    (Expected::Open, "Can you check the time of my appointment?", Intent::Status),
    (Expected::Open, "Hi, I'm calling with a question.", Intent::Greeting),
];

#[test]
fn intents_are_told_by_their_phrases() {
    let wrong: Vec<String> = TOLD
        .iter()
        .filter_map(|(expected, said, intent)| {
            let found = understood(*expected, said);
            (found.intent != *intent).then(|| format!("{said:?} is {intent:?}, not {:?} ({})", found.intent, found.confidence))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn values_are_read_from_words_and_digits() {
    type Row = (Expected, &'static str, &'static [(SlotKey, &'static str)]);
    let table: &[Row] = &[
        (
            Expected::Open,
            "a tour on Tuesday at three thirty p.m. for a two bedroom",
            &[(SlotKey::Day, "tuesday"), (SlotKey::Time, "3:30 pm"), (SlotKey::Beds, "2")],
        ),
        (Expected::Open, "the 3rd of March at half past nine", &[(SlotKey::Day, "march 3"), (SlotKey::Time, "9:30")]),
        (
            Expected::Open,
            "March third, quarter to five in the afternoon",
            &[(SlotKey::Day, "march 3"), (SlotKey::Time, "4:45 pm"), (SlotKey::Month, "")],
        ),
        (Expected::Time, "three", &[(SlotKey::Time, "3:00")]),
        (Expected::Time, "3 pm works", &[(SlotKey::Time, "3:00 pm")]),
        (Expected::Open, "my number is 312 555 0188", &[(SlotKey::Phone, "3125550188"), (SlotKey::Time, "")]),
        (Expected::Open, "I'm in apartment four twelve", &[(SlotKey::Unit, "412"), (SlotKey::Time, "")]),
        (Expected::Open, "an apartment for two people", &[(SlotKey::Time, ""), (SlotKey::Unit, "")]),
        (Expected::Open, "there will be three of us", &[(SlotKey::Time, "")]),
        (Expected::Name, "my name is smith, S M I T H", &[(SlotKey::Name, "Smith")]),
        (Expected::Name, "yeah it's anna smith", &[(SlotKey::Name, "Anna Smith")]),
        (Expected::Open, "Hi, this is Emma Wilson, I'm calling about an apartment", &[(SlotKey::Name, "Emma Wilson")]),
        (Expected::Open, "I'm looking for an apartment", &[(SlotKey::Name, "")]),
        (Expected::Name, "what do you need it for", &[(SlotKey::Name, "")]),
        (Expected::Name, "do you allow dogs", &[(SlotKey::Name, "")]),
        (Expected::Name, "can you repeat that", &[(SlotKey::Name, "")]),
        (Expected::Name, "Sure, Gary Cook", &[(SlotKey::Name, "Gary Cook")]),
        (Expected::Name, "robert price please", &[(SlotKey::Name, "Robert Price")]),
        (Expected::Name, "yes please", &[(SlotKey::Name, "")]),
        (Expected::Day, "the day after tomorrow in the morning", &[(SlotKey::Day, "day after tomorrow"), (SlotKey::Time, "morning")]),
        (Expected::Open, "good morning, is anyone there", &[(SlotKey::Time, "")]),
    ];
    for (expected, said, wanted) in table {
        let found = understood(*expected, said);
        for (key, value) in *wanted {
            let held = found.slots.get(key).map_or("", |held| held.expose().as_str());
            assert_eq!(held, *value, "{said:?} {}", key.as_str());
        }
    }
}

#[test]
fn days_land_on_the_calendar() {
    // Sunday, and a Wednesday in the same week.
    let table: &[(&str, &str, &str)] = &[
        ("2026-11-22", "tuesday", "2026-11-24"),
        ("2026-11-22", "sunday", "2026-11-29"),
        ("2026-11-22", "next thursday", "2026-11-26"),
        ("2026-11-25", "next thursday", "2026-12-03"),
        ("2026-11-25", "this friday", "2026-11-27"),
        ("2026-11-25", "next week", "2026-11-30"),
        ("2026-11-25", "next week on tuesday", "2026-12-01"),
        ("2026-11-25", "the weekend", "2026-11-28"),
        ("2026-11-25", "tomorrow", "2026-11-26"),
        ("2026-11-25", "december first", "2026-12-01"),
        ("2026-11-25", "march 3", "2027-03-03"),
        ("2026-11-25", "the twenty first", "2026-12-21"),
        ("2026-11-25", "12/24", "2026-12-24"),
    ];
    for (today, said, wanted) in table {
        let day = when::parse_day(said).unwrap_or_else(|| panic!("{said}")).resolve(today.parse().unwrap());
        assert_eq!(day, Some(wanted.parse().unwrap()), "{said} on {today}");
        let canonical = when::parse_day(said).unwrap().canonical();
        assert_eq!(when::parse_day(&canonical), when::parse_day(said), "{canonical}");
    }
    assert_eq!(when::parse_day("february 31").unwrap().resolve("2026-11-25".parse().unwrap()), None);
}
