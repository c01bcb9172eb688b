//! From people as they are configured to the plans that a call follows.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::Pii;
use crate::call::{Means, Member, Order, Plan};
use crate::config::{At, Person, Reach, TransferBy};

type People = BTreeMap<String, Person>;

/// A plan for each person and group.
pub fn plans(people: &People) -> BTreeMap<String, Plan> {
    people.iter().map(|(name, person)| (name.clone(), plan(name, person, people))).collect()
}

/// A plan that rings these people, before a call is answered: each by their own rules, groups taken apart.
pub fn first(names: &[String], order: Order, people: &People) -> Plan {
    let members = names.iter().filter_map(|name| people.get(name).map(|person| plan(name, person, people)));
    Plan { means: Means::Bridge, order, members: members.flat_map(|plan| plan.members).collect() }
}

/// The same plans for a caller who came by a trunk that puts through in this way.
pub fn by_trunk(plans: &Arc<BTreeMap<String, Plan>>, by: TransferBy) -> Arc<BTreeMap<String, Plan>> {
    let means = match by {
        TransferBy::Auto => return Arc::clone(plans),
        TransferBy::Bridge => Means::Bridge,
        TransferBy::Refer => Means::Refer,
    };
    let of_trunk = |plan: &Plan| Plan { means: if plan.means == Means::Auto { means } else { plan.means }, ..plan.clone() };
    Arc::new(plans.iter().map(|(name, plan)| (name.clone(), of_trunk(plan))).collect())
}

fn plan(name: &str, person: &Person, people: &People) -> Plan {
    match &person.at {
        At::One(reach) => Plan { means: means(person.transfer, reach), order: Order::Together, members: vec![member(name, person)] },
        At::Group { people: names, order } => {
            let members = names.iter().filter_map(|name| people.get(name).map(|one| (name, one)));
            let members = members.filter(|(_, one)| matches!(one.at, At::One(_))).map(|(name, one)| {
                let mut one = member(name, one);
                // The hours of a group are those of its people, within its own.
                one.hours = one.hours.or_else(|| person.hours.clone());
                one
            });
            Plan { means: Means::Bridge, order: *order, members: members.collect() }
        }
    }
}

fn member(name: &str, person: &Person) -> Member {
    Member {
        who: Pii::new(name.to_owned()),
        ring_ms: u64::try_from(person.ring.as_millis()).unwrap_or(u64::MAX),
        hours: person.hours.clone(),
        briefing: person.briefing,
    }
}

/// The caller's side cannot call a telephone that is registered here, nor a number by our trunk.
const fn means(by: TransferBy, reach: &Reach) -> Means {
    match (by, reach) {
        (TransferBy::Bridge, _) | (_, Reach::Phone(_) | Reach::Number(_)) => Means::Bridge,
        (TransferBy::Refer, Reach::Uri(_)) => Means::Refer,
        (TransferBy::Auto, Reach::Uri(_)) => Means::Auto,
    }
}
