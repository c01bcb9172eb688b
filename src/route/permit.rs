//! Whether an agent may call somebody: do-not-call, consent, the hour where they are, how often, how many at once, and for how much money.
//! What is refused is refused in words, and always for the first rule that it breaks.

use super::pattern::longest;
use super::{Hours, Number};
use crate::base::civil::DateTime;

/// Why an agent calls.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// They asked to be called back.
    Callback,
    /// An appointment of theirs.
    Reminder,
    /// They asked about the business's services.
    Lead,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 3] = [Self::Callback, Self::Reminder, Self::Lead];

    /// The word in records and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Callback => "callback",
            Self::Reminder => "reminder",
            Self::Lead => "lead",
        }
    }

    /// The purpose with this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == word)
    }
}

/// That somebody has agreed to be called.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Consent {
    /// For what.
    pub purpose: Purpose,
    /// Where it is written or was said.
    pub source: String,
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: i64,
}

/// What a minute costs where a number begins so.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rate {
    /// The prefix, such as `+44`; empty is everywhere else.
    pub prefix: String,
    /// Cents a minute.
    pub cents: u32,
}

/// The rules of calling out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rules {
    /// When people may be called, where they are.
    pub hours: Hours,
    /// Tries for one number in one day.
    pub attempts_a_day: u32,
    /// Calls of ours at once.
    pub calls_at_once: u32,
    /// What a day may cost, in cents.
    pub cents_a_day: u32,
    /// What a minute costs; the longest prefix counts.
    pub rates: Vec<Rate>,
    /// How long a call may last, in minutes: so much is set aside before it.
    pub minutes_max: u32,
}

/// Money of one day, in cents.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Spent {
    /// For calls that are over.
    pub settled: u32,
    /// Set aside for calls in progress.
    pub reserved: u32,
}

/// A call that somebody wants to place, with all that is known about it.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// Whom.
    pub number: &'a Number,
    /// Why.
    pub purpose: Purpose,
    /// What the wall shows where they probably are.
    pub there: DateTime,
    /// Whether they want no calls.
    pub do_not_call: bool,
    /// What they have agreed to.
    pub consents: &'a [Consent],
    /// Tries today.
    pub attempts: u32,
    /// Calls of ours in progress.
    pub calls: u32,
    /// Money of today.
    pub spent: Spent,
}

/// Leave to call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Permit {
    /// What is set aside for it, in cents.
    pub reserve_cents: u32,
    /// On whose word.
    pub consent: Consent,
}

/// Why somebody is not called.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    /// They said so.
    #[error("this number is on the do-not-call list")]
    DoNotCall,
    /// Nobody has put on record that they agreed.
    #[error("no consent to a {} call is on record for this number: `nightbell consents add NUMBER --kind {} --source \"...\"`", .0.as_str(), .0.as_str())]
    NoConsent(Purpose),
    /// It is too early, too late, or a day off.
    #[error("it is {there} where this number probably is, outside the hours for calling: {why}")]
    Hour {
        /// Their wall.
        there: String,
        /// The hours.
        why: String,
    },
    /// Tried often enough.
    #[error("this number was called {attempts} times today; attempts_a_day under [outbound] allows {most}")]
    Attempts {
        /// So often.
        attempts: u32,
        /// The bound.
        most: u32,
    },
    /// Every line for calling out is in use.
    #[error("{calls} calls out are in progress; calls_at_once under [outbound] allows {most}")]
    Lines {
        /// So many.
        calls: u32,
        /// The bound.
        most: u32,
    },
    /// The day's money is spent or set aside.
    #[error("{used} cents of {most} are spent or set aside today, and this call could cost {needs}: cents_a_day under [outbound]")]
    Money {
        /// Spent and set aside.
        used: u32,
        /// The bound.
        most: u32,
        /// What the call could cost.
        needs: u32,
    },
}

impl Refusal {
    /// One word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::DoNotCall => "do_not_call",
            Self::NoConsent(_) => "no_consent",
            Self::Hour { .. } => "outside_hours",
            Self::Attempts { .. } => "too_many_attempts",
            Self::Lines { .. } => "lines_busy",
            Self::Money { .. } => "spend_cap",
        }
    }
}

impl Rules {
    /// Leave to call, or the first rule that forbids it.
    pub fn consider(&self, asked: &Asked<'_>) -> Result<Permit, Refusal> {
        if asked.do_not_call {
            return Err(Refusal::DoNotCall);
        }
        let agreed = asked.consents.iter().filter(|consent| consent.purpose == asked.purpose).max_by_key(|consent| consent.at_ms);
        let consent = agreed.cloned().ok_or(Refusal::NoConsent(asked.purpose))?;
        let state = self.hours.at(asked.there);
        if !state.open {
            let there = format!("{:?} {}:{:02}", asked.there.weekday(), asked.there.hour(), asked.there.minute());
            return Err(Refusal::Hour { there, why: state.why });
        }
        if asked.attempts >= self.attempts_a_day {
            return Err(Refusal::Attempts { attempts: asked.attempts, most: self.attempts_a_day });
        }
        if asked.calls >= self.calls_at_once {
            return Err(Refusal::Lines { calls: asked.calls, most: self.calls_at_once });
        }
        let needs = self.cost(asked.number, self.minutes_max);
        let used = asked.spent.settled.saturating_add(asked.spent.reserved);
        if used.saturating_add(needs) > self.cents_a_day {
            return Err(Refusal::Money { used, most: self.cents_a_day, needs });
        }
        Ok(Permit { reserve_cents: needs, consent })
    }

    /// What so many minutes to `number` cost, in cents.
    pub fn cost(&self, number: &Number, minutes: u32) -> u32 {
        let prefix = longest(number, self.rates.iter().map(|rate| rate.prefix.as_str()));
        let rate = self.rates.iter().find(|rate| Some(rate.prefix.as_str()) == prefix);
        rate.map_or(0, |rate| rate.cents).saturating_mul(minutes)
    }

    /// What a call of this length cost, in cents: a minute begun is a minute paid.
    pub fn settle(&self, number: &Number, seconds: u32) -> u32 {
        self.cost(number, seconds.div_ceil(60).min(self.minutes_max))
    }
}
