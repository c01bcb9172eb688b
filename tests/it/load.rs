//! Several callers at once.

use std::time::Duration;

use crate::daemon::{Call, Daemon};
use crate::phone::Phone;
use crate::wait;

const CALLERS: usize = 10;

#[test]
fn wall_ten_callers_are_answered_at_once() {
    let Some(daemon) = Daemon::start() else { return };
    let questions = [("Are dogs allowed?", "cats and dogs"), ("Is there a laundry room?", "laundry room")];
    let phones: Vec<Phone> = (0..CALLERS)
        .map(|number| {
            let (question, _) = questions[number % 2];
            Phone::call(
                &daemon,
                "leasing",
                &["--say", question, "--say", "No, thank you. Goodbye.", "--from", &format!("312555014{number}")],
            )
        })
        .collect();
    let at_once = wait::within(Duration::from_secs(10), || {
        let up = daemon.status()["calls"].as_array().map_or(0, Vec::len);
        (up == CALLERS).then_some(up)
    });
    assert_eq!(at_once, Some(CALLERS), "all are up together: {}", daemon.status());
    let heard: Vec<_> = phones.into_iter().map(|phone| phone.finish(Duration::from_mins(4))).collect();
    for (number, heard) in heard.iter().enumerate() {
        println!("caller {number}: {}", heard.report);
        assert!(heard.number("setup_ms") < 1_000, "{:#}", heard.report);
        assert!(heard.number("first_sound_ms") < 3_000, "{:#}", heard.report);
        assert!(heard.answer_ms(0) > 1_000, "{:#}", heard.report);
        assert!(heard.report["turns"][0]["gap_ms"].as_u64().is_some_and(|gap| gap < 4_000), "{:#}", heard.report);
        assert_eq!(heard.number("lost"), 0, "{:#}", heard.report);
    }
    let calls: Vec<Call> = daemon.calls().into_iter().map(Call).collect();
    assert_eq!(calls.len(), CALLERS);
    for call in &calls {
        let number = call.0["from"].as_str().and_then(|from| from.split('@').next()?.chars().last()?.to_digit(10)).unwrap();
        call.must("agent", questions[number as usize % 2].1);
        call.must_end("informed");
    }
    assert_eq!(daemon.status()["calls"].as_array().map(Vec::len), Some(0), "nothing is left over");
}
