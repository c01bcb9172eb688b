//! Where a call goes, as data: who answers what arrives ([`Plan`]), which trunk carries what is dialled ([`DialPlan`]), and whether we may call
//! somebody at all ([`Rules`]). Pure: a decision is a function of what is known, and comes with the reasons in words.
//!
//! ```text
//! arrival -> Plan::decide -> agent | people, then agent | person | outside | refusal | emergency
//! number  -> DialPlan::ways -> trunks in order, each with the number as that trunk wants it, or the rule that forbids it
//! dial    -> Rules::consider (hours, do-not-call, consent, attempts, lines, money) -> a permit, or the rule that forbids it
//! ```

mod book;
mod carry;
mod countries;
mod holiday;
mod hours;
mod number;
mod pattern;
mod permit;
mod plan;

pub use book::Book;
pub use carry::{Carriage, Carrier, DialPlan, Format, NotCarried};
pub use countries::Country;
pub use holiday::{Holiday, Yearly, weekday};
pub use hours::{Hours, Span, State, spans};
pub use number::{Dialled, Number};
pub use pattern::Pattern;
pub use permit::{Asked, Consent, Permit, Purpose, Rate, Refusal, Rules, Spent};
pub use plan::{Action, Choice, Decision, Plan, Query, Rule, Step, Via, When};

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
