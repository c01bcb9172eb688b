use proptest::prelude::*;

use super::*;

fn request(text: &str) -> ToWorker {
    ToWorker::Speak {
        id: 7,
        stream: StreamId { slot: 3, generation: 9 },
        left_ms: 1_500,
        rate: Rate::K8,
        text: Pii::new(text.to_owned()),
        fixed: true,
    }
}

#[test]
fn a_frame_survives_any_cut_of_the_bytes() {
    let sound: Vec<i16> = (-500..500).collect();
    let mut bytes = encode(&request("Good morning."), &sound).unwrap();
    bytes.extend(encode(&ToWorker::Cancel { id: 7 }, &[]).unwrap());
    for step in [1, 2, 3, 7, 100, 5_000] {
        let mut decoder = Decoder::new();
        let mut seen = Vec::new();
        for part in bytes.chunks(step) {
            decoder.push(part);
            while let Some(frame) = decoder.next_frame::<ToWorker>().unwrap() {
                seen.push(frame);
            }
        }
        assert_eq!(seen, [(request("Good morning."), sound.clone()), (ToWorker::Cancel { id: 7 }, Vec::new())]);
    }
}

#[test]
fn a_frame_that_announces_too_much_is_refused_before_its_bytes_come() {
    let mut decoder = Decoder::new();
    decoder.push(&u32::MAX.to_be_bytes());
    assert_eq!(decoder.next_frame::<ToWorker>(), Err(WireError::TooLarge { bytes: 0xffff_ffff }));
    decoder.push(&encode(&ToWorker::Ping { number: 1 }, &[]).unwrap());
    assert!(decoder.next_frame::<ToWorker>().is_err(), "a connection that lost its rhythm stays broken");
}

#[test]
fn too_much_sound_is_not_sent() {
    let sound = vec![0; WORKER_FRAME_BYTES_MAX / 2];
    assert!(matches!(encode(&ToWorker::Ping { number: 1 }, &sound), Err(WireError::TooLarge { .. })));
}

#[test]
fn a_fault_in_a_message_is_told_without_its_words() {
    let mut decoder = Decoder::new();
    let header = br#"{"kind":"speak","text":"my name is Anna"}"#;
    let mut frame = Vec::new();
    frame.extend(u32::try_from(header.len() + 4).unwrap().to_be_bytes());
    frame.extend(u32::try_from(header.len()).unwrap().to_be_bytes());
    frame.extend(header);
    decoder.push(&frame);
    let error = decoder.next_frame::<ToWorker>().unwrap_err();
    assert!(!error.to_string().contains("Anna"), "{error}");
    assert!(!format!("{:?}", request("my name is Anna")).contains("Anna"));
}

proptest! {
    #[test]
    fn hostile_bytes_never_panic_and_never_make_the_decoder_grow(parts in proptest::collection::vec(any::<Vec<u8>>(), 0..40)) {
        let mut decoder = Decoder::new();
        let mut pushed = 0;
        for part in parts {
            decoder.push(&part);
            pushed += part.len();
            while let Ok(Some(_)) = decoder.next_frame::<FromWorker>() {}
            prop_assert!(decoder.bytes.len() <= pushed);
        }
    }

    #[test]
    fn a_damaged_frame_is_an_error_or_another_message_never_a_panic(at in 0_usize..200, value: u8) {
        let mut bytes = encode(&request("Good morning."), &[1, 2, 3]).unwrap();
        let at = at % bytes.len();
        bytes[at] = value;
        let mut decoder = Decoder::new();
        decoder.push(&bytes);
        while let Ok(Some(_)) = decoder.next_frame::<ToWorker>() {}
    }
}
