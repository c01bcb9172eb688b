//! Memory that a real-time thread is done with goes back to be freed elsewhere.

use super::{Consumer, Producer, ring};

/// Makes a way back for `capacity` things at a time.
pub fn trash(capacity: usize) -> (Trash, TrashBin) {
    let (producer, consumer) = ring(capacity);
    (Trash(producer), TrashBin(consumer))
}

/// The real-time thread's end.
#[derive(Debug)]
pub struct Trash(Producer<Box<dyn Send>>);

impl Trash {
    /// Hands `thing` back to be freed. When the way is full the caller keeps it and tries again later.
    pub fn throw(&mut self, thing: Box<dyn Send>) -> Result<(), Box<dyn Send>> {
        self.0.push(thing)
    }

    /// Whether one more thing fits.
    pub fn has_room(&self) -> bool {
        self.0.vacant() > 0
    }
}

/// The end at which memory is freed.
#[derive(Debug)]
pub struct TrashBin(Consumer<Box<dyn Send>>);

impl TrashBin {
    /// Frees all that was thrown; says how many things.
    pub fn empty(&mut self) -> usize {
        let mut freed = 0;
        while self.0.pop().is_some() {
            freed += 1;
        }
        freed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_are_freed_at_the_other_end() {
        let (mut trash, mut bin) = trash(1);
        let thing = std::sync::Arc::new(());
        assert!(trash.has_room());
        assert!(trash.throw(Box::new(std::sync::Arc::clone(&thing))).is_ok());
        assert!(trash.throw(Box::new(())).is_err());
        assert!(!trash.has_room());
        assert_eq!(std::sync::Arc::strong_count(&thing), 2);
        assert_eq!((bin.empty(), bin.empty()), (1, 0));
        assert_eq!(std::sync::Arc::strong_count(&thing), 1);
    }
}
