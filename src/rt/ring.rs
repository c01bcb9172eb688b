//! A bounded ring between one writing and one reading thread. The only file that names `ringbuf`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ringbuf::traits::{Consumer as _, Observer as _, Producer as _, Split as _};
use ringbuf::{HeapCons, HeapProd, HeapRb};

/// Makes a ring that holds `capacity` items (at least one). All its memory is taken here.
pub fn ring<T: Send>(capacity: usize) -> (Producer<T>, Consumer<T>) {
    let (producer, consumer) = HeapRb::new(capacity.max(1)).split();
    let refused = Arc::new(AtomicU64::new(0));
    (Producer { inner: producer, refused: Arc::clone(&refused) }, Consumer { inner: consumer, refused })
}

/// The writing half.
pub struct Producer<T> {
    inner: HeapProd<T>,
    refused: Arc<AtomicU64>,
}

impl<T> Producer<T> {
    /// Appends `item`; a full ring hands it back and counts it as refused.
    pub fn push(&mut self, item: T) -> Result<(), T> {
        let pushed = self.inner.try_push(item);
        if pushed.is_err() {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        pushed
    }

    /// How many items fit at present, at least.
    pub fn vacant(&self) -> usize {
        self.inner.vacant_len()
    }

    /// How many items wait for the reader, at most.
    pub fn len(&self) -> usize {
        self.inner.occupied_len()
    }

    /// Whether the reader has taken everything.
    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    /// Pushes that found the ring full.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Whether the reading half is gone for good.
    pub fn is_abandoned(&self) -> bool {
        !self.inner.read_is_held()
    }
}

/// The reading half.
pub struct Consumer<T> {
    inner: HeapCons<T>,
    refused: Arc<AtomicU64>,
}

impl<T> Consumer<T> {
    /// Takes the oldest item.
    pub fn pop(&mut self) -> Option<T> {
        self.inner.try_pop()
    }

    /// Looks at the oldest item without taking it.
    pub fn peek(&self) -> Option<&T> {
        self.inner.try_peek()
    }

    /// How many items wait, at least.
    pub fn len(&self) -> usize {
        self.inner.occupied_len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    /// Pushes of the writer that found the ring full.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Whether the writing half is gone for good (what it wrote may still wait here).
    pub fn is_abandoned(&self) -> bool {
        !self.inner.write_is_held()
    }
}

impl<T> std::fmt::Debug for Producer<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Producer({} waiting)", self.len())
    }
}

impl<T> std::fmt::Debug for Consumer<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Consumer({} waiting)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_ring_hands_the_newest_back_and_counts_it() {
        let (mut producer, mut consumer) = ring(2);
        assert_eq!((producer.push(1), producer.push(2), producer.push(3)), (Ok(()), Ok(()), Err(3)));
        assert_eq!((producer.refused(), consumer.refused(), producer.vacant()), (1, 1, 0));
        assert_eq!((consumer.peek().copied(), consumer.pop(), consumer.pop(), consumer.pop()), (Some(1), Some(1), Some(2), None));
    }

    #[test]
    fn each_half_learns_that_the_other_is_gone() {
        let (producer, consumer) = ring::<u8>(2);
        assert!(!producer.is_abandoned());
        drop(consumer);
        assert!(producer.is_abandoned());
    }

    #[test]
    fn order_holds_between_two_threads() {
        let (mut producer, mut consumer) = ring(64);
        let writer = std::thread::spawn(move || {
            let mut next = 0_u32;
            while next < 20_000 {
                next += u32::from(producer.push(next).is_ok());
            }
        });
        let mut expected = 0;
        while expected < 20_000 {
            if let Some(item) = consumer.pop() {
                assert_eq!(item, expected);
                expected += 1;
            }
        }
        writer.join().unwrap();
    }
}
