use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;

use super::*;

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

fn batch(slots: usize) -> Batch {
    Batch::new(BatchSettings { slots, budget: 100, waiting_max: 4 })
}

fn job(id: RequestId, deadline_ms: u64) -> Job {
    let stream = StreamId { slot: u16::try_from(id).unwrap(), generation: 0 };
    Job { id, stream, urgency: Urgency::Awaited, deadline: at(deadline_ms), cost: 1 }
}

fn drain(batch: &mut Batch) -> Vec<BatchOutput> {
    std::iter::from_fn(|| batch.poll_output()).collect()
}

#[test]
fn what_is_awaited_goes_before_previews_and_the_nearest_deadline_goes_first() {
    let mut batch = batch(1);
    batch.handle_request(at(0), job(1, 9_000));
    batch.handle_request(at(0), Job { urgency: Urgency::Preview, ..job(2, 1_000) });
    batch.handle_request(at(0), job(3, 8_000));
    batch.handle_request(at(0), job(4, 5_000));
    assert_eq!(drain(&mut batch), [BatchOutput::Start(1)]);
    let mut order = Vec::new();
    for id in [1, 4, 3] {
        assert!(batch.handle_done(at(10), id));
        order.extend(drain(&mut batch));
    }
    assert_eq!(order, [BatchOutput::Start(4), BatchOutput::Start(3), BatchOutput::Start(2)]);
}

#[test]
fn a_deadline_answers_expired_at_once_but_the_slot_is_free_only_when_the_work_stops() {
    let mut batch = batch(1);
    batch.handle_request(at(0), job(1, 100));
    batch.handle_request(at(0), job(2, 500));
    drain(&mut batch);
    assert_eq!(batch.poll_deadline(), Some(at(100)));
    batch.handle_timeout(at(100));
    assert_eq!(drain(&mut batch), [BatchOutput::Expire(1)]);
    assert!(!batch.handle_done(at(150), 1), "nobody wants that answer any more");
    assert_eq!(drain(&mut batch), [BatchOutput::Start(2)]);
}

#[test]
fn a_newer_utterance_of_a_stream_replaces_its_preview() {
    let mut batch = batch(2);
    let stream = StreamId { slot: 5, generation: 1 };
    batch.handle_request(at(0), Job { stream, urgency: Urgency::Preview, ..job(1, 1_000) });
    drain(&mut batch);
    batch.handle_request(at(1), Job { stream, ..job(2, 1_000) });
    assert_eq!(drain(&mut batch), [BatchOutput::Cancel(1), BatchOutput::Start(2)]);
}

#[test]
fn a_marker_comes_back_when_all_before_it_is_answered_and_not_earlier() {
    let mut batch = batch(1);
    batch.handle_request(at(0), job(1, 1_000));
    batch.handle_request(at(0), job(2, 1_000));
    batch.handle_marker(at(0), 77);
    batch.handle_request(at(0), job(3, 1_000));
    assert_eq!(drain(&mut batch), [BatchOutput::Start(1)]);
    batch.handle_cancel(at(1), 2);
    assert_eq!(drain(&mut batch), [BatchOutput::Cancel(2)]);
    batch.handle_done(at(2), 1);
    assert_eq!(drain(&mut batch), [BatchOutput::Start(3), BatchOutput::Marker(77)]);
}

#[test]
fn a_full_queue_and_a_request_larger_than_the_worker_are_refused_at_once() {
    let mut batch = batch(1);
    for id in 1..=6 {
        batch.handle_request(at(0), job(id, 1_000));
    }
    assert_eq!(drain(&mut batch), [BatchOutput::Start(1), BatchOutput::Refuse(6)]);
    batch.handle_request(at(0), Job { cost: 101, ..job(7, 1_000) });
    assert_eq!(drain(&mut batch), [BatchOutput::Refuse(7)]);
}

proptest! {
    #[test]
    fn every_request_is_answered_exactly_once(steps in proptest::collection::vec((0_u8..5, 0_u64..40), 0..300)) {
        let mut batch = Batch::new(BatchSettings { slots: 3, budget: 10, waiting_max: 5 });
        let (mut now, mut next, mut running) = (at(0), 0, BTreeSet::new());
        let mut open: BTreeSet<RequestId> = BTreeSet::new();
        for (step, number) in steps {
            now += Duration::from_millis(number);
            match step {
                0 | 1 => {
                    next += 1;
                    open.insert(next);
                    let urgency = if step == 0 { Urgency::Awaited } else { Urgency::Preview };
                    let stream = StreamId { slot: u16::try_from(number % 4).unwrap(), generation: 0 };
                    batch.handle_request(now, Job { id: next, stream, urgency, deadline: now + Duration::from_millis(number * 7), cost: number % 12 });
                }
                2 => batch.handle_cancel(now, next.saturating_sub(number % 5)),
                3 => if let Some(id) = running.pop_first() {
                    let wanted = batch.handle_done(now, id);
                    prop_assert_eq!(wanted, open.remove(&id), "an answer is wanted exactly while the request is open");
                },
                _ => batch.handle_timeout(now),
            }
            for output in drain(&mut batch) {
                match output {
                    BatchOutput::Start(id) => prop_assert!(running.insert(id), "started twice"),
                    BatchOutput::Expire(id) | BatchOutput::Cancel(id) | BatchOutput::Refuse(id) => prop_assert!(open.remove(&id), "answered twice"),
                    BatchOutput::Marker(_) => {}
                }
            }
        }
        prop_assert!(open.len() <= 8, "no more open than slots and queue");
    }
}
