//! What must hold for every call that anybody can think of.

use proptest::prelude::*;

use super::tests::{query, salon};
use super::*;

fn dialled() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9]{1,16}",
        "\\+[0-9]{1,16}",
        "1?(312|773|900|876|242|800|911)[0-9]{7}",
        "(00|011)[1-9][0-9]{5,12}",
        "[ 0-9().+-]{0,20}",
        "\\PC{0,24}",
        Just("911".to_owned()),
        Just("anonymous".to_owned()),
    ]
}

fn via() -> impl Strategy<Value = Via> {
    prop_oneof![
        Just(Via::Trunk("acme".to_owned())),
        Just(Via::Trunk("other".to_owned())),
        Just(Via::Phone("desk".to_owned())),
        Just(Via::Peer)
    ]
}

fn local() -> impl Strategy<Value = String> {
    (2024..2032_i32, 1..=12_u32, 1..=28_u32, 0..24_u32, 0..60_u32)
        .prop_map(|(y, mo, d, h, mi)| format!("{y}-{mo:02}-{d:02}T{h:02}:{mi:02}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn every_call_gets_a_decision_whose_reasons_name_the_rule(to in dialled(), from in dialled(), via in via(), local in local()) {
        let plan = salon();
        let decision = plan.decide(&query(&to, &from, &via, &local));
        let lines = decision.lines();
        match &decision.choice {
            Choice::Do(action) => {
                let rule = decision.rule().unwrap();
                prop_assert!(lines.last().unwrap().starts_with(rule) && lines.last().unwrap().ends_with("fits"));
                prop_assert!(plan.rules.iter().any(|known| known.name == rule && known.action == *action));
                prop_assert!(*action != Action::Outside || matches!(via, Via::Phone(_)), "only our own are let out");
            }
            Choice::Nobody => prop_assert_eq!(lines.len(), plan.rules.len()),
            Choice::Emergency(number) => prop_assert!(plan.book.emergency.contains(number)),
        }
        prop_assert!(lines.iter().take(lines.len().saturating_sub(1)).all(|line| line.contains("does not fit: ")));
    }

    #[test]
    fn no_emergency_number_is_refused_or_sent_to_an_agent(
        number in prop::sample::select(vec!["911", "933", "112"]),
        spelling in 0..5_usize,
        from in dialled(),
        via in via(),
        local in local(),
    ) {
        let spelt = match spelling {
            0 => number.to_owned(),
            1 => format!("1{number}"),
            2 => format!("+1{number}"),
            3 => number.chars().flat_map(|digit| [digit, ' ']).collect(),
            _ => format!("+{number}"),
        };
        let decision = salon().decide(&query(&spelt, &from, &via, &local));
        prop_assert_eq!(decision.choice, Choice::Emergency(number.to_owned()));
    }

    #[test]
    fn no_number_is_read_twice_differently(text in dialled()) {
        let country = Country::named("US").unwrap();
        if let Dialled::Number(number) = country.read(&text) {
            prop_assert_eq!(country.read(number.as_str()), Dialled::Number(number.clone()));
            prop_assert_eq!(country.read(&number.written(Format::National, country)), Dialled::Number(number));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn no_number_outside_the_plan_gets_a_way(text in dialled()) {
        let country = Country::named("US").unwrap();
        let mut plan = DialPlan::shut(country);
        let carrier = |trunk: &str, serves: Vec<String>| Carrier { trunk: trunk.to_owned(), serves, format: Format::Plus, caller: None };
        plan.allow = vec!["+1312".to_owned(), "+44".to_owned()];
        plan.deny = vec!["+4470".to_owned()];
        plan.carriers = vec![carrier("local", vec!["+1312".to_owned()]), carrier("world", vec!["+".to_owned()])];
        let Ok(ways) = plan.ways(&country.read(&text)) else { return Ok(()) };
        for way in ways {
            let inside = way.user.starts_with("+1312") || way.user.starts_with("+44") && !way.user.starts_with("+4470") && way.trunk == "world";
            prop_assert!(inside || country.short.contains(&way.user.as_str()), "{} by {}", way.user, way.trunk);
        }
    }
}
