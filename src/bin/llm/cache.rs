//! The agents' prompts in the cache: each computed once, shared by all requests that begin with it, the least recently used forgotten first.

use llama_cpp_2::token::LlamaToken;

/// One prompt.
pub struct Prefix {
    /// Its text, by which it is found.
    text: String,
    /// Its tokens.
    pub tokens: Vec<LlamaToken>,
    /// Tokens computed so far.
    pub done: usize,
    /// Requests in work that begin with it.
    pub users: usize,
    used: u64,
}

impl Prefix {
    /// All of it is in the cache.
    pub fn ready(&self) -> bool {
        self.done == self.tokens.len()
    }
}

/// Where a request's prefix is.
pub enum Found {
    /// At this place, computed or being computed.
    Here(usize),
    /// Newly put at this place, after what was there has been forgotten: its sequence is to be cleared and computed.
    New(usize),
    /// No room until a request ends.
    Full,
    /// Longer than all the room there is.
    TooLong,
}

/// The prompts by place; a place is a sequence of the cache.
pub struct Prefixes {
    places: Vec<Option<Prefix>>,
    cells_max: usize,
    clock: u64,
}

impl Prefixes {
    /// Nothing computed yet; room for `count` prompts of `cells_max` tokens together.
    pub fn new(count: usize, cells_max: usize) -> Self {
        Self { places: (0..count).map(|_| None).collect(), cells_max, clock: 0 }
    }

    /// Finds or makes a place for `text`, and counts one user more of it. `cut` gives its tokens. `evicted` hears of each place that was forgotten.
    pub fn find(&mut self, text: &str, cut: impl FnOnce() -> Vec<LlamaToken>, mut evicted: impl FnMut(usize)) -> Found {
        self.clock += 1;
        let known = self.places.iter().position(|place| place.as_ref().is_some_and(|prefix| prefix.text == text));
        if let Some(prefix) = known.and_then(|place| self.places[place].as_mut()) {
            prefix.users += 1;
            prefix.used = self.clock;
            return Found::Here(known.unwrap_or_default());
        }
        let tokens = cut();
        if tokens.len() > self.cells_max {
            return Found::TooLong;
        }
        loop {
            let free = self.places.iter().position(Option::is_none);
            if let Some(place) = free.filter(|_| self.cells() + tokens.len() <= self.cells_max) {
                self.places[place] = Some(Prefix { text: text.to_owned(), tokens, done: 0, users: 1, used: self.clock });
                return Found::New(place);
            }
            let Some(place) = self.oldest_unused() else { return Found::Full };
            self.places[place] = None;
            evicted(place);
        }
    }

    /// The prompt at `place`.
    pub fn at(&self, place: usize) -> Option<&Prefix> {
        self.places.get(place)?.as_ref()
    }

    /// A request that began with it is over.
    pub fn release(&mut self, place: usize) {
        if let Some(Some(prefix)) = self.places.get_mut(place) {
            prefix.users = prefix.users.saturating_sub(1);
        }
    }

    /// Prompts with tokens still to compute.
    pub fn unfinished(&mut self) -> impl Iterator<Item = (usize, &mut Prefix)> {
        self.places
            .iter_mut()
            .enumerate()
            .filter_map(|(place, prefix)| Some((place, prefix.as_mut()?)))
            .filter(|(_, prefix)| !prefix.ready())
    }

    /// Everything is forgotten: the cache was cleared.
    pub fn clear(&mut self) {
        self.places.iter_mut().for_each(|place| *place = None);
    }

    fn cells(&self) -> usize {
        self.places.iter().flatten().map(|prefix| prefix.tokens.len()).sum()
    }

    fn oldest_unused(&self) -> Option<usize> {
        let unused = self.places.iter().enumerate().filter_map(|(place, prefix)| Some((place, prefix.as_ref()?)));
        unused.filter(|(_, prefix)| prefix.users == 0).min_by_key(|(_, prefix)| prefix.used).map(|(place, _)| place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(prefixes: &mut Prefixes, text: &str, length: usize) -> Found {
        prefixes.find(text, || vec![LlamaToken(1); length], |_| {})
    }

    #[test]
    fn the_least_recently_used_prompt_without_a_user_makes_room() {
        let mut prefixes = Prefixes::new(2, 100);
        assert!(matches!(find(&mut prefixes, "salon", 40), Found::New(0)));
        assert!(matches!(find(&mut prefixes, "dentist", 40), Found::New(1)));
        assert!(matches!(find(&mut prefixes, "plumber", 40), Found::Full), "both are in use");
        prefixes.release(1);
        assert!(matches!(find(&mut prefixes, "plumber", 40), Found::New(1)));
        assert!(matches!(find(&mut prefixes, "salon", 40), Found::Here(0)));
        assert!(matches!(find(&mut prefixes, "novel", 101), Found::TooLong));
    }
}
