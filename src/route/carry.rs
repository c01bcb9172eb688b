//! The dial plan: which numbers may be called at all, and which trunk carries them, in order. What is not allowed here has no way out.

use super::pattern::longest;
use super::{Country, Dialled, Number};

/// How a trunk wants numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Format {
    /// `+13125550142`
    #[default]
    Plus,
    /// `13125550142`
    Digits,
    /// As people of the country dial it: `3125550142`, `02071234567`; abroad with the international prefix.
    National,
}

/// A trunk that carries calls out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Carrier {
    /// The trunk's name.
    pub trunk: String,
    /// Prefixes that it may carry, such as `+1`, or without a `+` as it writes numbers; `+` is every number. None: nothing but emergency calls.
    pub serves: Vec<String>,
    /// How it wants numbers.
    pub format: Format,
    /// The number that we show; none is the trunk's own.
    pub caller: Option<String>,
}

/// One way for one call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Carriage {
    /// The trunk.
    pub trunk: String,
    /// The user part of the Request-URI.
    pub user: String,
    /// The number that we show.
    pub caller: Option<String>,
}

/// Why no trunk carries a call.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotCarried {
    /// It is no number of the public network.
    #[error("what was dialled is no telephone number")]
    NoNumber,
    /// A prefix is forbidden.
    #[error("numbers that begin with {prefix} are forbidden: {why}")]
    Forbidden {
        /// The prefix.
        prefix: String,
        /// The rule in words.
        why: &'static str,
    },
    /// No prefix allows it.
    #[error("the dial plan does not allow numbers there: add their prefix to allow under [outbound] if it should")]
    OutsidePlan,
    /// Every trunk serves other destinations.
    #[error("no trunk carries numbers there: see destinations under [trunk.NAME]")]
    NoTrunk,
    /// An emergency number, and this is no way to call one.
    #[error("an emergency number is dialled by people, on the business's own phones")]
    Emergency,
}

impl NotCarried {
    /// What the one who dialled is answered.
    pub const fn status(&self) -> u16 {
        match self {
            Self::NoNumber => 404,
            Self::Forbidden { .. } | Self::OutsidePlan | Self::Emergency => 403,
            Self::NoTrunk => 480,
        }
    }
}

/// Which numbers may be called, and how.
#[derive(Clone, PartialEq, Debug)]
pub struct DialPlan {
    /// How numbers are dialled here.
    pub country: &'static Country,
    /// Prefixes that may be called; none is the own country without its islands and premium numbers.
    pub allow: Vec<String>,
    /// Prefixes that may not; the longest prefix of both lists decides, and of two equal ones this.
    pub deny: Vec<String>,
    /// Trunks in the order in which they are tried.
    pub carriers: Vec<Carrier>,
    /// Emergency numbers: never by this way.
    pub emergency: Vec<String>,
    /// Trunks for emergency calls, in order; none is every trunk in the order above.
    pub emergency_trunks: Vec<String>,
    /// The number that emergency calls show, so that they can be called back; none is the trunk's own.
    pub emergency_caller: Option<String>,
}

impl DialPlan {
    /// A plan that lets nothing out.
    pub fn shut(country: &'static Country) -> Self {
        Self {
            country,
            allow: Vec::new(),
            deny: Vec::new(),
            carriers: Vec::new(),
            emergency: country.emergency.iter().map(|&number| number.to_owned()).collect(),
            emergency_trunks: Vec::new(),
            emergency_caller: None,
        }
    }

    /// The ways for what was dialled, in the order in which they are tried.
    pub fn ways(&self, dialled: &Dialled) -> Result<Vec<Carriage>, NotCarried> {
        let number = match dialled {
            Dialled::Number(number) => number,
            Dialled::Short(digits) if self.emergency.contains(digits) => return Err(NotCarried::Emergency),
            Dialled::Short(digits) if self.country.short.contains(&digits.as_str()) => {
                // Help lines belong to no prefix: whoever carries anything carries them.
                return self.carried(|carrier| (!carrier.serves.is_empty()).then(|| digits.clone()));
            }
            Dialled::Short(_) | Dialled::Name(_) => return Err(NotCarried::NoNumber),
        };
        self.must_be_allowed(number)?;
        self.carried(|carrier| {
            let user = number.written(carrier.format, self.country);
            let full = number.as_str();
            let spelt = |prefix: &String| if prefix.starts_with('+') { full } else { user.as_str() };
            let serves = carrier.serves.iter().any(|prefix| spelt(prefix).starts_with(prefix.as_str()));
            serves.then_some(user)
        })
    }

    /// The ways for an emergency call: nothing is asked, no cap and no list. A call that came by a trunk does not go back there.
    pub fn emergency_ways(&self, number: &str, came_by: Option<&str>) -> Vec<Carriage> {
        let named = self.emergency_trunks.iter().filter_map(|name| self.carriers.iter().find(|carrier| carrier.trunk == *name));
        let all = self.carriers.iter().filter(|_| self.emergency_trunks.is_empty());
        let way = |carrier: &Carrier| Carriage {
            trunk: carrier.trunk.clone(),
            user: number.to_owned(),
            caller: self.emergency_caller.clone().or_else(|| carrier.caller.clone()),
        };
        named.chain(all).filter(|carrier| Some(carrier.trunk.as_str()) != came_by).map(way).collect()
    }

    /// Whether the plan lets a number out, whatever trunks there are.
    pub fn must_be_allowed(&self, number: &Number) -> Result<(), NotCarried> {
        let allowed = longest(number, self.allow.iter().map(String::as_str));
        let denied = longest(number, self.deny.iter().map(String::as_str));
        let premium = longest(number, self.country.premium.iter().copied());
        let weighs = |prefix: Option<&str>| prefix.map_or(0, str::len);
        let forbidden = |prefix: &str, why| Err(NotCarried::Forbidden { prefix: prefix.to_owned(), why });
        match (denied, premium) {
            (Some(prefix), _) if weighs(denied) >= weighs(allowed) => forbidden(prefix, "deny under [outbound] says so"),
            (_, Some(prefix)) if weighs(premium) > weighs(allowed) => {
                forbidden(prefix, "they cost extra; name the prefix in allow if they should pass")
            }
            _ if allowed.is_some() => self.must_be_no_island(number, weighs(allowed)),
            _ if self.allow.is_empty() && self.country.is_home(number) => Ok(()),
            _ => Err(NotCarried::OutsidePlan),
        }
    }

    /// `allow = ["+1"]` means the country that one thinks of: islands behind the same code are named by themselves.
    fn must_be_no_island(&self, number: &Number, allowed: usize) -> Result<(), NotCarried> {
        let island = longest(number, self.country.abroad.iter().copied()).filter(|prefix| prefix.len() > allowed);
        let why = "they look like home and are billed as abroad; name the prefix in allow if they should pass";
        island.map_or(Ok(()), |prefix| Err(NotCarried::Forbidden { prefix: prefix.to_owned(), why }))
    }

    /// The trunks for which `by` has the number as it is written there.
    fn carried(&self, by: impl Fn(&Carrier) -> Option<String>) -> Result<Vec<Carriage>, NotCarried> {
        let way = |carrier: &Carrier| Some(Carriage { trunk: carrier.trunk.clone(), user: by(carrier)?, caller: carrier.caller.clone() });
        let ways: Vec<Carriage> = self.carriers.iter().filter_map(way).collect();
        if ways.is_empty() { Err(NotCarried::NoTrunk) } else { Ok(ways) }
    }
}
