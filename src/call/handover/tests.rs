//! The way to people, step by step in virtual time.

use super::*;
use crate::base::Pii;
use crate::base::civil::Time;
use crate::dialogue::{EffectId, Hours, Span};

const FX: Purpose = Purpose::Transfer(EffectId(1));
const REFER_MS: u64 = 30_000;
const CALLER: LegNo = LegNo::CALLER;

fn member(who: &str) -> Member {
    Member { who: Pii::new(who.to_owned()), ring_ms: 20_000, hours: None, briefing: Briefing::Spoken }
}

fn plan(means: Means, order: Order, who: &[&str]) -> Plan {
    Plan { means, order, members: who.iter().map(|who| member(who)).collect() }
}

struct Rig {
    now: Instant,
    handover: Handover,
}

impl Rig {
    fn begin(plan: Plan) -> (Self, Vec<Act>) {
        Self::begin_for(FX, plan)
    }

    fn begin_for(purpose: Purpose, plan: Plan) -> (Self, Vec<Act>) {
        let mut rig = Self { now: Instant::ZERO, handover: Handover::default() };
        rig.handover.begin(rig.now, "2026-11-24T10:00".parse().unwrap(), purpose, plan, REFER_MS);
        let acts = rig.acts();
        (rig, acts)
    }

    fn acts(&mut self) -> Vec<Act> {
        self.handover.check_invariants();
        std::iter::from_fn(|| self.handover.poll_act()).collect()
    }

    fn news(&mut self, leg: u16, news: LegNews) -> Vec<Act> {
        self.handover.handle(self.now, LegNo(leg), news);
        self.acts()
    }

    /// Lets time pass to the next deadline; how long it took, and what was asked for.
    fn wait(&mut self) -> (u64, Vec<Act>) {
        let before = self.now;
        self.now = self.handover.poll_deadline().unwrap();
        self.handover.handle_timeout(self.now);
        let passed = self.now.as_millis() - before.as_millis();
        (passed, self.acts())
    }
}

fn rings(acts: &[Act]) -> Vec<(u16, String)> {
    let rung = acts.iter().filter_map(|act| match act {
        Act::Ring(leg, member) => Some((leg.0, member.who.expose().clone())),
        _ => None,
    });
    rung.collect()
}

fn declined(status: u16) -> Act {
    Act::Progress(FX, TransferProgress::Declined { status })
}

fn taken(evidence: &str) -> Act {
    Act::Progress(FX, TransferProgress::Succeeded { evidence: evidence.to_owned() })
}

#[test]
fn a_refer_is_done_with_its_notify_alone() {
    let (mut rig, acts) = Rig::begin(plan(Means::Refer, Order::Together, &["office"]));
    assert_eq!(acts, [Act::Refer(Pii::new("office".to_owned()))]);
    rig.handover.refer_status(rig.now, 180, Told::Notified);
    assert_eq!(rig.acts(), [Act::Progress(FX, TransferProgress::Started)]);
    rig.handover.refer_status(rig.now, 200, Told::Notified);
    assert_eq!(rig.acts(), [Act::Tune(CALLER, Tune::None), taken("NOTIFY 200")]);
    assert!(rig.handover.has_left_us() && !rig.handover.is_under_way());
    rig.handover.refer_status(rig.now, 486, Told::Notified);
    assert_eq!(rig.acts(), [], "nothing follows the last word");
}

#[test]
fn a_refer_that_nobody_answers_is_given_up() {
    let (mut rig, _) = Rig::begin(plan(Means::Refer, Order::Together, &["office"]));
    let (passed, acts) = rig.wait();
    assert_eq!((passed, acts), (REFER_MS, vec![Act::Tune(CALLER, Tune::None), Act::Progress(FX, TransferProgress::TimedOut)]));
}

/// RFC 3515 §2.4.2: a peer may refuse the method itself. That says nothing of the person.
#[test]
fn where_refer_is_refused_as_a_method_we_ring_ourselves() {
    for status in [403, 405, 420, 501, 603] {
        let (mut rig, _) = Rig::begin(plan(Means::Auto, Order::Together, &["office"]));
        rig.handover.refer_status(rig.now, status, Told::Refused);
        let acts = rig.acts();
        assert_eq!(acts.first(), Some(&Act::Tune(CALLER, Tune::Ringing)), "the caller hears it ring");
        assert_eq!(rings(&acts), [(1, "office".to_owned())], "{status}");
    }
    for (means, status, told) in [(Means::Refer, 405, Told::Refused), (Means::Auto, 603, Told::Notified), (Means::Auto, 404, Told::Refused)]
    {
        let (mut rig, _) = Rig::begin(plan(means, Order::Together, &["office"]));
        rig.handover.refer_status(rig.now, status, told);
        assert_eq!(rig.acts(), [Act::Tune(CALLER, Tune::None), declined(status)]);
    }
}

#[test]
fn who_presses_1_has_the_caller_and_who_does_not_does_not() {
    let (mut rig, acts) = Rig::begin(plan(Means::Bridge, Order::Together, &["office"]));
    assert_eq!(rings(&acts), [(1, "office".to_owned())]);
    assert_eq!(rig.news(1, LegNews::Ringing), [Act::Progress(FX, TransferProgress::Started)]);
    assert_eq!(rig.news(1, LegNews::Key('1')), [], "a key before the answer is nobody's");
    assert_eq!(rig.news(1, LegNews::Answered), [Act::Brief(LegNo(1))]);
    assert_eq!(rig.news(1, LegNews::Key('5')), []);
    assert_eq!(rig.news(1, LegNews::Told), []);
    let acts = rig.news(1, LegNews::Key('1'));
    assert_eq!(acts, [Act::Tune(CALLER, Tune::None), taken("answered and accepted by key"), Act::Bridge(LegNo(1))]);
    assert!(rig.handover.is_joined());

    let (mut rig, _) = Rig::begin(plan(Means::Bridge, Order::Together, &["office"]));
    rig.news(1, LegNews::Answered);
    let acts = rig.news(1, LegNews::Key('2'));
    assert_eq!(acts, [Act::Drop(LegNo(1), Parting::Declined), Act::Tune(CALLER, Tune::None), declined(603)]);
}

#[test]
fn a_mailbox_hears_the_brief_twice_and_never_gets_the_caller() {
    let (mut rig, _) = Rig::begin(plan(Means::Bridge, Order::Together, &["office"]));
    rig.news(1, LegNews::Answered);
    rig.news(1, LegNews::Told);
    assert_eq!(rig.wait(), (7_000, vec![Act::Brief(LegNo(1))]));
    // This time nobody even tells that it was played.
    assert_eq!(rig.wait(), (30_000, vec![]));
    let silent = Act::Progress(FX, TransferProgress::TimedOut);
    assert_eq!(rig.wait(), (7_000, vec![Act::Drop(LegNo(1), Parting::NoAnswer), Act::Tune(CALLER, Tune::None), silent]));
    assert_eq!(rig.handover.poll_deadline(), None);
}

#[test]
fn without_a_brief_the_answer_is_enough() {
    let mut plan = plan(Means::Bridge, Order::Together, &["office"]);
    plan.members[0].briefing = Briefing::None;
    let (mut rig, _) = Rig::begin(plan);
    assert_eq!(rig.news(1, LegNews::Answered), [Act::Tune(CALLER, Tune::None), taken("answered"), Act::Bridge(LegNo(1))]);
}

#[test]
fn of_a_group_rung_together_the_first_to_take_the_call_has_it() {
    let (mut rig, acts) = Rig::begin(plan(Means::Auto, Order::Together, &["anna", "ben", "cleo"]));
    assert_eq!(rings(&acts).len(), 3, "a group is rung by us, whatever the peer could do");
    assert_eq!(rig.news(1, LegNews::Failed(486)), []);
    rig.news(2, LegNews::Answered);
    rig.news(3, LegNews::Answered);
    let acts = rig.news(3, LegNews::Key('1'));
    assert_eq!(acts.first(), Some(&Act::Drop(LegNo(2), Parting::Elsewhere)), "the other is told that it was taken elsewhere");
    assert_eq!(acts.last(), Some(&Act::Bridge(LegNo(3))));
    assert_eq!(rig.news(2, LegNews::Key('1')), [], "too late");
}

#[test]
fn a_group_rung_in_turn_goes_on_until_somebody_takes_the_call() {
    let (mut rig, acts) = Rig::begin(plan(Means::Bridge, Order::InTurn, &["anna", "ben", "cleo"]));
    assert_eq!(rings(&acts), [(1, "anna".to_owned())]);
    assert_eq!(rings(&rig.news(1, LegNews::Failed(486))), [(2, "ben".to_owned())]);
    let (passed, acts) = rig.wait();
    assert_eq!((passed, &acts[0]), (20_000, &Act::Drop(LegNo(2), Parting::NoAnswer)));
    assert_eq!(rings(&acts), [(3, "cleo".to_owned())]);
    rig.news(3, LegNews::Answered);
    let acts = rig.news(3, LegNews::Gone);
    assert_eq!(acts, [Act::Tune(CALLER, Tune::None), declined(603)], "a hang-up in the brief is a no");
}

#[test]
fn outside_their_hours_nobody_is_rung() {
    let time = |hour| Time::new(hour, 0, 0, 0).unwrap();
    let mut shut = plan(Means::Auto, Order::Together, &["office"]);
    shut.members[0].hours = Some(Hours { week: [Some(Span { from: time(12), to: time(13) }); 7] });
    let (rig, acts) = Rig::begin(shut);
    assert_eq!(acts, [Act::Tune(CALLER, Tune::None), declined(480)]);
    assert!(!rig.handover.is_under_way());
}

#[test]
fn a_caller_who_hangs_up_leaves_no_telephone_ringing() {
    let (mut rig, _) = Rig::begin(plan(Means::Bridge, Order::Together, &["anna", "ben"]));
    rig.handover.caller_gone();
    assert_eq!(rig.acts(), [Act::Drop(LegNo(1), Parting::Over), Act::Drop(LegNo(2), Parting::Over)]);
    assert_eq!((rig.handover.poll_deadline(), rig.news(1, LegNews::Answered)), (None, vec![]));
}

fn joined() -> Rig {
    let (mut rig, _) = Rig::begin(plan(Means::Bridge, Order::Together, &["office"]));
    rig.news(1, LegNews::Answered);
    rig.news(1, LegNews::Key('1'));
    rig
}

#[test]
fn two_who_talk_hear_each_others_keys_and_music_and_part_together() {
    let mut rig = joined();
    assert!(rig.handover.caller_key('7'));
    rig.handover.caller_held(Tune::Hold);
    assert_eq!(rig.acts(), [Act::Press(LegNo(1), '7'), Act::Tune(LegNo(1), Tune::Hold)]);
    assert_eq!(rig.news(1, LegNews::Key('0')), [Act::Press(CALLER, '0')], "keys belong to the people now");
    assert_eq!(rig.news(1, LegNews::Held(true)), [Act::Tune(CALLER, Tune::Hold)]);
    assert_eq!(rig.news(1, LegNews::Held(false)), [Act::Tune(CALLER, Tune::None)]);
    assert_eq!(rig.news(1, LegNews::Gone), [Act::Parted]);
    let mut rig = joined();
    rig.handover.caller_gone();
    assert_eq!(rig.acts(), [Act::Drop(LegNo(1), Parting::Over)]);
}

/// RFC 3515 §2.4.4: who asked for it is told how it goes; the last word is a final status.
#[test]
fn a_person_passes_the_caller_on() {
    let to = || LegNews::Referred { to: Pii::new("sip:22@pbx.example".to_owned()) };
    let mut rig = joined();
    let acts = rig.news(1, to());
    assert_eq!(acts[0], Act::AnswerRefer(LegNo(1), Ok(())));
    assert_eq!(rings(&acts), [(2, "sip:22@pbx.example".to_owned())]);
    assert_eq!(rig.news(1, to()), [Act::AnswerRefer(LegNo(1), Err(603))], "one at a time");
    assert_eq!(rig.news(2, LegNews::Ringing), [Act::NotifyRefer(LegNo(1), 180)]);
    let acts = rig.news(2, LegNews::Answered);
    let done = [Act::Tune(CALLER, Tune::None), Act::Bridge(LegNo(2)), Act::NotifyRefer(LegNo(1), 200), Act::Drop(LegNo(1), Parting::Over)];
    assert_eq!(acts, done);
    assert_eq!(rig.news(1, LegNews::Gone), []);
    assert_eq!(rig.news(2, LegNews::Gone), [Act::Parted]);

    let mut rig = joined();
    rig.news(1, to());
    assert_eq!(rig.news(2, LegNews::Failed(486)), [Act::NotifyRefer(LegNo(1), 486)], "the person still has the caller");
    assert!(rig.handover.is_joined());
}

#[test]
fn a_caller_passed_on_to_nobody_comes_back() {
    let mut rig = joined();
    rig.news(1, LegNews::Referred { to: Pii::new("sip:22@pbx.example".to_owned()) });
    assert_eq!(rig.news(1, LegNews::Gone), [Act::Tune(CALLER, Tune::Ringing)], "the person hangs up at once, as telephones do");
    let (passed, acts) = rig.wait();
    assert_eq!(passed, 45_000);
    let back = Act::Progress(Purpose::PassedOn, TransferProgress::Declined { status: 408 });
    assert_eq!(acts, [Act::Drop(LegNo(2), Parting::NoAnswer), Act::Tune(CALLER, Tune::None), back]);
    assert!(!rig.handover.is_joined());
}

#[test]
fn people_first_are_rung_by_us_even_where_a_refer_would_do() {
    let (mut rig, acts) = Rig::begin_for(Purpose::First, plan(Means::Auto, Order::Together, &["office"]));
    assert_eq!(rings(&acts).len(), 1);
    assert_eq!(rig.news(1, LegNews::Failed(480)).last(), Some(&Act::Progress(Purpose::First, TransferProgress::Declined { status: 480 })));
}
