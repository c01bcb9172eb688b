//! Whole decisions, with their reasons.

use super::*;
use crate::base::civil::Weekday;

fn at(text: &str) -> crate::base::civil::DateTime {
    text.parse().unwrap()
}

/// A salon that closes at six, with a front desk, a trunk, a desk phone and friends.
pub(super) fn salon() -> Plan {
    let country = Country::named("US").unwrap();
    let mut book = Book::of(country);
    let mut week = Hours::default();
    for day in &mut week.week[..5] {
        *day = spans("9:00-18:00").unwrap();
    }
    book.hours.insert("office".to_owned(), week);
    book.holidays.push(Holiday { name: "Christmas".to_owned(), day: Yearly::parse("christmas").unwrap() });
    book.lists.insert("vip".to_owned(), vec![Pattern::parse("+13125550199", country).unwrap(), Pattern::parse("+1773*", country).unwrap()]);
    let pattern = |text: &str| vec![Pattern::parse(text, country).unwrap()];
    let rule = |name: &str, to: &str, action: Action| Rule {
        name: name.to_owned(),
        line: None,
        to: pattern(to),
        from: Vec::new(),
        trunks: Vec::new(),
        phones: Vec::new(),
        when: When::default(),
        action,
    };
    let agent = |name: &str| Action::Agent(name.to_owned());
    let rules = vec![
        Rule { phones: vec!["*".to_owned()], ..rule("extensions", "200-299", Action::People(vec!["desk".to_owned()])) },
        Rule { phones: vec!["*".to_owned()], ..rule("outside", "*", Action::Outside) },
        Rule { from: pattern("anonymous"), ..rule("withheld", "*", Action::Reject { status: 433, words: "show your number".to_owned() }) },
        Rule { when: When { holidays: vec!["*".to_owned()], ..When::default() }, ..rule("holidays", "*", agent("holiday")) },
        Rule { from: pattern("@vip"), ..rule("friends", "*", Action::People(vec!["anna".to_owned()])) },
        Rule {
            when: When { open: Some("office".to_owned()), ..When::default() },
            ..rule("staff first", "+13125550100", Action::First { people: vec!["front".to_owned()], agent: "salon".to_owned() })
        },
        Rule { when: When { weekdays: vec![Weekday::Sunday], ..When::default() }, ..rule("sundays", "*", agent("sunday")) },
        Rule { trunks: vec!["acme".to_owned()], ..rule("night", "+1312*", agent("night")) },
    ];
    Plan { book, rules }
}

pub(super) fn query<'a>(dialled: &'a str, caller: &'a str, via: &Via, local: &str) -> Query<'a> {
    Query { dialled, caller, via: via.clone(), local: at(local) }
}

fn decided(dialled: &str, caller: &str, via: &Via, local: &str) -> Decision {
    salon().decide(&query(dialled, caller, via, local))
}

#[test]
fn the_first_rule_that_fits_decides() {
    let trunk = || Via::Trunk("acme".to_owned());
    let phone = || Via::Phone("desk".to_owned());
    for (dialled, caller, via, local, rule) in [
        ("3125550100", "+12175550142", trunk(), "2026-11-23T10:00", "staff first"),
        ("+13125550100", "+12175550142", trunk(), "2026-11-23T18:00", "night"),
        ("13125550100", "+12175550142", trunk(), "2026-11-22T10:00", "sundays"),
        ("13125550100", "7735550123", trunk(), "2026-11-22T10:00", "friends"),
        ("13125550100", "7735550123", trunk(), "2026-12-25T10:00", "holidays"),
        ("13125550100", "anonymous", trunk(), "2026-11-23T10:00", "withheld"),
        ("201", "desk", phone(), "2026-11-23T10:00", "extensions"),
        ("7735550123", "desk", phone(), "2026-11-23T10:00", "outside"),
    ] {
        let decision = decided(dialled, caller, &via, local);
        assert_eq!(decision.rule(), Some(rule), "{dialled} {local}: {:#?}", decision.lines());
    }
    let nobody = decided("3125550100", "+12175550142", &Via::Trunk("other".to_owned()), "2026-11-23T19:00");
    assert_eq!(nobody.choice, Choice::Nobody);
    assert!(nobody.told().contains("404"));
}

#[test]
fn every_reason_is_told_in_words() {
    let decision = decided("3125550100", "+12175550142", &Via::Trunk("acme".to_owned()), "2026-12-21T18:30");
    let lines = decision.lines();
    for (rule, words) in [
        ("extensions", "it is for 200 to 299, and +13125550100 was dialled"),
        ("outside", "for the business's own phones, and the call came by trunk \"acme\""),
        ("withheld", "it is for callers a withheld number, and +12175550142 calls"),
        ("holidays", "it is for holidays, and 2026-12-21 is none"),
        ("friends", "it is for callers the list \"vip\""),
        ("staff first", "it is for when \"office\" is open, and it is closed: Monday has 9:00-18:00"),
        ("sundays", "it is for Sunday, and today is Monday"),
    ] {
        let line = lines.iter().find(|line| line.starts_with(rule)).unwrap();
        assert!(line.contains("does not fit") && line.contains(words), "{line}");
    }
    assert_eq!(lines.last().unwrap(), "night fits");
    assert_eq!(decision.told(), "the agent \"night\" answers");
}

#[test]
fn an_emergency_call_passes_every_rule() {
    for dialled in ["911", "9911", "1911", "+1911", "9-1-1", "933", "112", "sos"] {
        let decision = decided(dialled, "anonymous", &Via::Phone("desk".to_owned()), "2026-12-25T03:00");
        assert!(matches!(decision.choice, Choice::Emergency(_)), "{dialled}");
        assert!(decision.told().contains("before every rule"));
    }
    // A number that only contains one is none.
    for dialled in ["3129115550", "9112", "91", "0911"] {
        assert!(!matches!(decided(dialled, "", &Via::Peer, "2026-12-25T03:00").choice, Choice::Emergency(_)), "{dialled}");
    }
}

fn carriers() -> DialPlan {
    let carrier = |trunk: &str, serves: &[&str], format| Carrier {
        trunk: trunk.to_owned(),
        serves: serves.iter().map(|&prefix| prefix.to_owned()).collect(),
        format,
        caller: Some("+13125550100".to_owned()),
    };
    let mut plan = DialPlan::shut(Country::named("US").unwrap());
    plan.carriers = vec![carrier("local", &["+1312"], Format::National), carrier("acme", &["+"], Format::Digits)];
    plan
}

fn dialled(text: &str) -> Dialled {
    Country::named("US").unwrap().read(text)
}

#[test]
fn the_dial_plan_chooses_trunks_in_order_and_writes_as_they_want() {
    let ways = |text: &str| {
        carriers().ways(&dialled(text)).map(|ways| ways.into_iter().map(|way| format!("{} {}", way.trunk, way.user)).collect::<Vec<_>>())
    };
    assert_eq!(ways("(312) 555-0142").unwrap(), ["local 3125550142", "acme 13125550142"]);
    assert_eq!(ways("2175550142").unwrap(), ["acme 12175550142"]);
    assert_eq!(ways("988").unwrap(), ["local 988", "acme 988"]);
    assert_eq!(ways("911"), Err(NotCarried::Emergency));
    assert_eq!(ways("201"), Err(NotCarried::NoNumber));
    assert_eq!(ways("442071234567"), Err(NotCarried::NoNumber));
    assert_eq!(ways("+442071234567"), Err(NotCarried::OutsidePlan));
    assert_eq!(ways("8765550142"), Err(NotCarried::OutsidePlan));
    assert!(matches!(ways("9005550142"), Err(NotCarried::Forbidden { prefix, .. }) if prefix == "+1900"));
}

#[test]
fn allow_and_deny_are_weighed_by_their_length() {
    let plan = |allow: &[&str], deny: &[&str]| DialPlan {
        allow: allow.iter().map(|&prefix| prefix.to_owned()).collect(),
        deny: deny.iter().map(|&prefix| prefix.to_owned()).collect(),
        ..carriers()
    };
    let passes = |plan: &DialPlan, text: &str| plan.ways(&dialled(text)).is_ok();
    let europe = plan(&["+1", "+44"], &["+4470", "+1312"]);
    assert!(passes(&europe, "+442071234567") && !passes(&europe, "+447012345678") && !passes(&europe, "3125550142"));
    assert!(!passes(&europe, "+18765550142"), "an island is named by itself");
    assert!(passes(&plan(&["+1", "+1876"], &[]), "+18765550142"));
    assert!(!passes(&plan(&["+1"], &["+1"]), "3125550142"), "of two equal ones the prohibition counts");
    assert!(passes(&plan(&["+1900"], &[]), "9005550142") && !passes(&plan(&["+1"], &[]), "9005550142"));
}

#[test]
fn an_emergency_call_has_every_trunk_but_the_one_it_came_by() {
    let mut plan = carriers();
    let trunks =
        |plan: &DialPlan, came: Option<&str>| plan.emergency_ways("911", came).into_iter().map(|way| way.trunk).collect::<Vec<_>>();
    assert_eq!(trunks(&plan, None), ["local", "acme"]);
    assert_eq!(trunks(&plan, Some("local")), ["acme"]);
    plan.emergency_trunks = vec!["acme".to_owned()];
    plan.emergency_caller = Some("+13125550111".to_owned());
    let ways = plan.emergency_ways("911", None);
    assert_eq!((ways.len(), ways[0].user.as_str(), ways[0].caller.as_deref()), (1, "911", Some("+13125550111")));
}

fn rules() -> Rules {
    let hours = Hours { week: std::array::from_fn(|_| spans("8:00-21:00").unwrap()), ..Hours::default() };
    let rates = vec![Rate { prefix: String::new(), cents: 10 }, Rate { prefix: "+1".to_owned(), cents: 2 }];
    Rules { hours, attempts_a_day: 3, calls_at_once: 2, cents_a_day: 100, rates, minutes_max: 10 }
}

#[test]
fn who_may_be_called_is_called_and_everybody_else_is_refused_for_the_first_rule_broken() {
    let number = Number::parse("+13125550142").unwrap();
    let consents = [Consent { purpose: Purpose::Callback, source: "call 1".to_owned(), at_ms: 1 }];
    let right = Asked {
        number: &number,
        purpose: Purpose::Callback,
        there: at("2026-11-23T20:59"),
        do_not_call: false,
        consents: &consents,
        attempts: 2,
        calls: 1,
        spent: Spent { settled: 60, reserved: 20 },
    };
    let permit = rules().consider(&right).unwrap();
    assert_eq!((permit.reserve_cents, permit.consent.source.as_str()), (20, "call 1"));
    let refused = |asked: Asked<'_>| rules().consider(&asked).unwrap_err().code();
    assert_eq!(refused(Asked { do_not_call: true, there: at("2026-11-23T23:00"), ..right.clone() }), "do_not_call");
    assert_eq!(refused(Asked { purpose: Purpose::Lead, ..right.clone() }), "no_consent");
    assert_eq!(refused(Asked { there: at("2026-11-23T21:00"), ..right.clone() }), "outside_hours");
    assert_eq!(refused(Asked { there: at("2026-11-23T07:59"), ..right.clone() }), "outside_hours");
    assert_eq!(refused(Asked { attempts: 3, ..right.clone() }), "too_many_attempts");
    assert_eq!(refused(Asked { calls: 2, ..right.clone() }), "lines_busy");
    assert_eq!(refused(Asked { spent: Spent { settled: 61, reserved: 20 }, ..right.clone() }), "spend_cap");
    let told = rules().consider(&Asked { there: at("2026-11-23T21:05"), ..right }).unwrap_err().to_string();
    assert!(told.contains("Monday 21:05") && told.contains("Monday has 8:00-21:00"), "{told}");
}

#[test]
fn a_minute_begun_is_a_minute_paid_at_the_longest_prefix() {
    let (home, abroad) = (Number::parse("+13125550142").unwrap(), Number::parse("+442071234567").unwrap());
    assert_eq!([0, 1, 60, 61, 6_000].map(|seconds| rules().settle(&home, seconds)), [0, 2, 2, 4, 20]);
    assert_eq!(rules().settle(&abroad, 61), 20);
}
