//! The telephones of people: they ring, are answered or not, take a call by a key or do not, hold, pass callers on and hang up, all from the seed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use nightbell::base::civil::Time;
use nightbell::base::{Pii, Seed};
use nightbell::call::{Briefing, Input, LegNews, LegNo, Means, Member, Order, Output, Plan, Tune};
use nightbell::dialogue::{Hours, Span};

use crate::world::{Ev, World};

/// What a telephone does when it is rung.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Habit {
    Takes,
    Declines,
    Mailbox,
    Busy,
    NobodyThere,
    HangsUpInTheBrief,
    Unreachable,
}

/// One telephone that was rung and not given up.
#[derive(Clone, Debug)]
struct Phone {
    habit: Habit,
    answered: bool,
    briefing: Briefing,
}

/// All of them.
pub struct Phones {
    seed: Seed,
    rung: BTreeMap<LegNo, Phone>,
    /// Legs whose person took the call: only these may be joined.
    pub takers: BTreeSet<LegNo>,
    /// The leg that the caller talks to.
    pub joined: Option<LegNo>,
    /// What the caller hears of ours, beside words.
    pub tune: Tune,
    /// Legs by which a person passed the caller on.
    passed_on: BTreeSet<LegNo>,
    numbered: BTreeSet<LegNo>,
}

impl Phones {
    pub fn new(seed: Seed) -> Self {
        Self {
            seed,
            rung: BTreeMap::new(),
            takers: BTreeSet::new(),
            joined: None,
            tune: Tune::None,
            passed_on: BTreeSet::new(),
            numbered: BTreeSet::new(),
        }
    }

    /// Whether any telephone still knows of the call.
    pub fn are_quiet(&self) -> bool {
        self.rung.is_empty()
    }

    pub fn rings_for_caller(&self) -> bool {
        !self.rung.is_empty() && self.joined.is_none()
    }

    /// Whom the door leads to in this world.
    pub fn people(seed: &mut Seed) -> Arc<BTreeMap<String, Plan>> {
        let names: &[&str] = if seed.one_in(2) { &["office"] } else { &["anna", "ben", "cleo"] };
        let noon = Span { from: Time::new(12, 0, 0, 0).unwrap(), to: Time::new(13, 0, 0, 0).unwrap() };
        let hours = seed.one_in(6).then_some(Hours { week: [Some(noon); 7] });
        let members = names.iter().map(|name| Member {
            who: Pii::new((*name).to_owned()),
            ring_ms: 5_000 + seed.below(20_000),
            hours: hours.clone(),
            briefing: if seed.one_in(4) { Briefing::None } else { Briefing::Spoken },
        });
        let members = members.collect();
        let means = [Means::Refer, Means::Auto, Means::Bridge][usize::try_from(seed.below(3)).unwrap()];
        let order = if seed.one_in(2) { Order::Together } else { Order::InTurn };
        Arc::new(BTreeMap::from([("office".to_owned(), Plan { means, order, members })]))
    }
}

impl World {
    /// What is asked of the telephones.
    pub fn at_phones(&mut self, output: &Output) {
        match output {
            Output::Ring { leg, member, .. } => self.phone_rings(*leg, member),
            Output::Tell { leg, text } => self.phone_told(*leg, text.expose()),
            Output::Bridge { leg } => self.phone_joined(*leg),
            Output::Drop { leg, why } => {
                assert!(self.phones.rung.remove(leg).is_some(), "only a leg that is there is given up: {leg:?}");
                self.note("phone", &format!("{} is given up: {why:?}", leg.0));
                self.phones.joined = self.phones.joined.filter(|joined| joined != leg);
            }
            Output::Tune { leg: LegNo::CALLER, tune } => self.phones.tune = *tune,
            Output::AnswerRefer { leg, answer: Ok(()) } => {
                self.shadow.seen.insert("passed-on");
                let hangs_up = self.phones.seed.one_in(2);
                if hangs_up {
                    self.phone_news(*leg, 300, LegNews::Gone);
                }
            }
            _ => {}
        }
    }

    fn phone_rings(&mut self, leg: LegNo, member: &Member) {
        assert!(self.phones.numbered.insert(leg), "no leg is numbered twice");
        let seed = &mut self.phones.seed;
        let habits = [
            Habit::Takes,
            Habit::Takes,
            Habit::Declines,
            Habit::Mailbox,
            Habit::Busy,
            Habit::NobodyThere,
            Habit::HangsUpInTheBrief,
            Habit::Unreachable,
        ];
        let habit = habits[usize::try_from(seed.below(habits.len() as u64)).unwrap()];
        let (rings_after, answers_after) = (50 + seed.below(500), 1_000 + seed.below(20_000));
        if self.phones.joined.is_some() {
            self.phones.passed_on.insert(leg);
        }
        self.phones.rung.insert(leg, Phone { habit, answered: false, briefing: member.briefing });
        self.note("phone", &format!("{} rings ({habit:?})", leg.0));
        match habit {
            Habit::Unreachable => self.phone_news(leg, rings_after, LegNews::Failed(503)),
            Habit::Busy => self.phone_news(leg, rings_after, LegNews::Failed(486)),
            Habit::NobodyThere => self.phone_news(leg, rings_after, LegNews::Ringing),
            _ => {
                self.phone_news(leg, rings_after, LegNews::Ringing);
                self.phone_news(leg, answers_after, LegNews::Answered);
            }
        }
    }

    fn phone_told(&mut self, leg: LegNo, text: &str) {
        assert!(text.ends_with("Press 1 to take the call, or 2 to decline."), "a brief says how to take the call: {text}");
        let Some(phone) = self.phones.rung.get(&leg) else { return };
        assert!(phone.answered, "who has not answered is told nothing");
        let (habit, at) = (phone.habit, 500 + self.phones.seed.below(6_000));
        match habit {
            Habit::Takes => self.phone_news(leg, at, LegNews::Key('1')),
            Habit::Declines => self.phone_news(leg, at, LegNews::Key('2')),
            Habit::HangsUpInTheBrief => self.phone_news(leg, at, LegNews::Gone),
            _ => {}
        }
        if !self.phones.seed.one_in(5) {
            self.phone_news(leg, 4_000, LegNews::Told);
        }
    }

    fn phone_joined(&mut self, leg: LegNo) {
        assert!(self.phones.takers.contains(&leg), "only who took the call is joined to the caller: {leg:?}");
        assert!(self.phones.rung.contains_key(&leg), "and only while they are there");
        self.phones.joined = Some(leg);
        self.shadow.seen.insert("joined");
        let talk = 2_000 + self.phones.seed.below(20_000);
        if self.phones.seed.one_in(3) {
            self.phone_news(leg, talk / 2, LegNews::Held(true));
            self.phone_news(leg, talk / 2 + 500, LegNews::Held(false));
        }
        if self.phones.seed.one_in(3) {
            self.phone_news(leg, talk / 3, LegNews::Referred { to: Pii::new("sip:22@192.0.2.9".to_owned()) });
        }
        self.phone_news(leg, talk + 30_000, LegNews::Gone);
    }

    fn phone_news(&mut self, leg: LegNo, after_ms: u64, news: LegNews) {
        self.after(Duration::from_millis(after_ms), Ev::Phone { leg, news });
    }

    /// Something happens at a telephone, if it still knows of the call.
    pub fn phone(&mut self, leg: LegNo, news: LegNews) {
        let Some(phone) = self.phones.rung.get_mut(&leg) else { return };
        let takes = match &news {
            LegNews::Answered => {
                phone.answered = true;
                phone.briefing == Briefing::None
            }
            LegNews::Key('1') => phone.answered,
            LegNews::Failed(_) | LegNews::Gone => {
                self.phones.rung.remove(&leg);
                self.phones.joined = self.phones.joined.filter(|joined| *joined != leg);
                false
            }
            _ => false,
        };
        if takes {
            self.phones.takers.insert(leg);
            self.shadow.taken = true;
        }
        let before = self.phones.passed_on.contains(&leg);
        self.note("phone", &format!("{}: {news:?}{}", leg.0, if before { " (passed on)" } else { "" }));
        self.tell(Input::Leg { leg, news });
    }
}
