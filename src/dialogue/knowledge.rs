//! What the business knows: topics with answers, found by what callers ask. Pure and small: stems, rarity, spelling tolerance.

use std::collections::{BTreeMap, BTreeSet};

use super::fuzzy;
use super::words::{plain, stem};

/// A topic of the knowledge file: a heading, the answer, and what callers say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// The heading.
    pub title: String,
    /// The answer, sentence by sentence.
    pub answer: Vec<String>,
    /// The lines "Also asked as:".
    pub asked: Vec<String>,
}

/// Topics, indexed.
#[derive(Clone, Debug)]
pub struct Knowledge {
    topics: Vec<Topic>,
    /// The stems of the title and of every example, a set each.
    examples: Vec<(usize, BTreeSet<String>)>,
    /// How telling a stem is: rare ones are.
    weight: BTreeMap<String, f32>,
}

/// A topic that fits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit<'a> {
    /// The topic.
    pub topic: &'a Topic,
    /// 0 to 1: how much of what was said and of the example is covered.
    pub score: f32,
}

/// From this score on a topic is an answer; below, the question is unknown and a person is offered.
pub const KNOWN: f32 = 0.5;

/// Words that say nothing about the topic.
const HOLLOW: &str = "a an the is are am was be been do does did you your yours i i'm i'd i've me my mine we our us it it's its this that there \
    there's have has had can could would will may might should to of for in on at by with from and or if so what what's when where who how which why \
    please tell about know like want need any some get got hi hello hey yes no okay ok um uh well just also much many long go going one thing question \
    ask apartment apartments unit place bedroom bedrooms studio one two three four wondering calling call sure thanks thank allowed allow permitted possible let";

/// Words that mean the same here.
const SAME: &[&[&str]] = &[
    &["pet", "dog", "cat", "animal", "puppy", "kitten"],
    &["parking", "park", "garage", "car", "lot"],
    &["gym", "fitness", "workout"],
    &["laundry", "washer", "dryer", "washing"],
    &["wifi", "internet", "broadband"],
    &["deposit", "bond"],
    &["smoking", "smoke", "cigarette"],
    &["trash", "garbage", "rubbish", "dumpster", "recycling"],
    &["package", "parcel", "delivery", "mail"],
    &["guest", "visitor", "friend"],
    &["lease", "contract", "term"],
    &["apply", "application", "applying"],
    &["noise", "loud", "quiet", "party", "noisy"],
    &["key", "lockout"],
    &["utility", "electricity", "water", "heat"],
    &["expensive", "pricey", "cheaper", "discount", "special"],
    &["address", "located", "location", "directions"],
    &["pay", "payment", "paying"],
];

impl Knowledge {
    /// Indexes `topics`.
    pub fn new(topics: Vec<Topic>) -> Self {
        let mut examples = Vec::new();
        for (at, topic) in topics.iter().enumerate() {
            for text in std::iter::once(&topic.title).chain(&topic.asked) {
                let stems = telling(text);
                if !stems.is_empty() {
                    examples.push((at, stems));
                }
            }
        }
        let mut in_topics: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
        for (at, stems) in &examples {
            for stem in stems {
                in_topics.entry(stem.clone()).or_default().insert(*at);
            }
        }
        let weight = in_topics.into_iter().map(|(stem, topics)| (stem, 1.0 / rarity(topics.len()))).collect();
        Self { topics, examples, weight }
    }

    /// All topics, in the order of the file.
    pub fn topics(&self) -> &[Topic] {
        &self.topics
    }

    /// The topic that fits `said` best, however little.
    pub fn find(&self, said: &str) -> Option<Hit<'_>> {
        let said = telling(said);
        let mut best: Option<(usize, f32)> = None;
        for (at, example) in &self.examples {
            let score = self.score(&said, example);
            if best.is_none_or(|(_, highest)| score > highest) {
                best = Some((*at, score));
            }
        }
        best.filter(|(_, score)| *score > 0.0).and_then(|(at, score)| self.topics.get(at).map(|topic| Hit { topic, score }))
    }

    /// Twice the weight that both share, over the weight of both: 1 when they say the same, 0 when nothing is shared.
    fn score(&self, said: &BTreeSet<String>, example: &BTreeSet<String>) -> f32 {
        let (mut shared, mut of_said, mut of_example) = (0.0_f32, 0.0_f32, 0.0_f32);
        for stem in example {
            let weight = self.weight.get(stem).copied().unwrap_or(1.0);
            of_example += weight;
            if said.iter().any(|word| word == stem || fuzzy::close(stem, word)) {
                shared += weight;
            }
        }
        for word in said {
            // A word that no topic knows says little about which topic it is, but it says that the topic may be none.
            of_said += self.weight.get(word).copied().unwrap_or(0.35);
        }
        if of_said + of_example == 0.0 {
            return 0.0;
        }
        // "The rent" is not "the pet rent": an example of which the telling half is missing is another question.
        let missing = if shared < 0.5 * of_example { 0.6 } else { 1.0 };
        missing * 2.0 * shared / (of_said + of_example)
    }
}

#[expect(clippy::cast_precision_loss, reason = "topics are few")]
fn rarity(topics: usize) -> f32 {
    (topics as f32).sqrt()
}

/// The telling stems of `text`, synonyms folded into one.
fn telling(text: &str) -> BTreeSet<String> {
    let hollow: BTreeSet<&str> = HOLLOW.split_whitespace().collect();
    plain(text).iter().filter(|word| !hollow.contains(word.as_str())).map(|word| fold(&stem(word))).collect()
}

fn fold(word: &str) -> String {
    let group = SAME.iter().find(|group| group.iter().any(|same| stem(same) == word));
    group.and_then(|group| group.first()).map_or_else(|| word.to_owned(), |first| stem(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(title: &str, asked: &[&str]) -> Topic {
        Topic { title: title.to_owned(), answer: vec!["Yes.".to_owned()], asked: asked.iter().map(|text| (*text).to_owned()).collect() }
    }

    #[test]
    fn the_topic_is_found_by_other_words_and_with_slips() {
        let knowledge = Knowledge::new(vec![
            topic("Pets", &["Do you allow dogs?", "What is your pet policy?", "How much is the pet deposit?"]),
            topic("Parking", &["Is there parking?", "Do you have a garage?"]),
            topic("Deposit", &["How much is the security deposit?"]),
        ]);
        for (said, title) in [
            ("are cats okay", "Pets"),
            ("I have a large dog", "Pets"),
            ("is there a place to park my car", "Parking"),
            ("how much would the deposit be", "Deposit"),
            ("what's the pet depositt", "Pets"),
        ] {
            let hit = knowledge.find(said).unwrap();
            assert_eq!(hit.topic.title, title, "{said}");
            assert!(hit.score >= KNOWN, "{said} {}", hit.score);
        }
        assert!(knowledge.find("who won the football game last night").is_none_or(|hit| hit.score < KNOWN));
    }
}
