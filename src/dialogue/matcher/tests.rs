//! What callers say, what is asked, what is understood.

use super::super::scenarios::agent;
use super::*;
use crate::dialogue::when;

fn understood(expected: Expected, said: &str) -> Proposal {
    propose(&agent("leasing"), expected, "2026-11-22T12:00".parse().unwrap(), said)
}

#[test]
fn intents_are_told_by_their_phrases() {
    use Intent::*;
    let open = Expected::Open;
    let table: &[(Expected, &str, Intent)] = &[
        (open, "Hello.", Greeting),
        (open, "Hi there, good morning.", Greeting),
        (open, "What time do you close on Friday?", Hours),
        (open, "Are you open on weekends?", Hours),
        (open, "I'd like to book an appointment for Tuesday at ten please.", Book),
        (open, "Can I come by and see it tomorrow?", Book),
        (open, "Do you have anything available on Monday?", Book),
        (open, "Could I schedule a tour this weekend?", Book),
        (open, "I need to reschedule my appointment.", Reschedule),
        (open, "Can we move it to Friday?", Reschedule),
        (open, "I want to cancel my appointment please", Cancel),
        (open, "My name is Anna Smith.", GiveName),
        (open, "My number is five five five one two three four.", GivePhone),
        (open, "Can I speak to a manager?", Human),
        (open, "Put me through to the office please.", Human),
        (open, "Operator", Human),
        (open, "I don't want to talk to a robot.", Human),
        (open, "Are you a real person?", Robot),
        (open, "Is this a recording?", Robot),
        (open, "My sink is leaking.", Maintenance),
        (open, "There is no hot water.", Maintenance),
        (open, "Our power is out.", Outage),
        (open, "Do you have a two bedroom apartment available?", Availability),
        (open, "I'm looking for a place to rent.", Availability),
        (open, "How much is the rent for a studio?", Price),
        (open, "Where are you located?", Location),
        (open, "Do you allow dogs?", Question),
        (open, "Can I leave a message for the manager?", Message),
        (open, "Could you have someone call me back?", Callback),
        (open, "Could you say that again?", Repeat),
        (open, "Hold on a second.", Wait),
        (open, "Okay, thanks, bye.", Goodbye),
        (open, "I smell gas in the hallway.", Emergency),
        (open, "When is my appointment?", Status),
        (open, "Is a two-bedroom available today?", Availability),
        (open, "It's not an emergency but my oven is broken", Maintenance),
        (Expected::YesNo, "That won't work for me", No),
        (Expected::YesNo, "yes", Yes),
        (Expected::YesNo, "Sure, that would be great.", Yes),
        (Expected::YesNo, "sounds good", Yes),
        (Expected::YesNo, "I don't think so", No),
        (Expected::YesNo, "no thanks", No),
        (Expected::YesNo, "not right now", No),
        (Expected::Confirm, "That's right.", Yes),
        (Expected::Confirm, "that is correct", Yes),
        (Expected::Confirm, "that's not right", No),
        (Expected::Confirm, "No, that's wrong.", No),
        (Expected::Anything, "no that's all", Goodbye),
        (Expected::Anything, "No, thank you.", Goodbye),
        (Expected::Anything, "thank you so much", Goodbye),
        (Expected::Anything, "actually, how much is parking?", Price),
        (Expected::Name, "Mary Johnson", GiveName),
        (Expected::Phone, "five five five, oh one two three", GivePhone),
        (Expected::Time, "three thirty", GiveTime),
        (Expected::Day, "next Thursday", GiveTime),
        (Expected::Unit, "four oh two", GiveAddress),
    ];
    let wrong: Vec<String> = table
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
