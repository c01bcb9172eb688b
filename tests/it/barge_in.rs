//! Interrupting the agent.

use crate::daemon::Daemon;
use crate::phone::call;

#[test]
fn wall_the_agent_falls_silent_when_the_caller_speaks_and_knows_what_was_heard() {
    let Some(daemon) = Daemon::start() else { return };
    let arguments = ["--interrupt", "2000", "--say", "Do you have a two-bedroom apartment available?", "--say", "No, thank you. Goodbye."];
    let heard = call(&daemon, "leasing", &arguments);
    let on_record = daemon.last_call();
    println!("{on_record}\n{:#}", heard.report);
    assert!(heard.number("barge_in_ms") <= 700, "{:#}", heard.report);
    let greeting = &on_record.turns()[0];
    let (text, part) = (greeting["text"].as_str().unwrap(), greeting["heard"].as_str().unwrap_or_default());
    assert!(!part.is_empty() && part.len() < text.len(), "of {text:?} only the beginning was heard, not {part:?}");
    on_record.must("agent", "two-bedroom apartment");
    heard.must_be_whole();
}
