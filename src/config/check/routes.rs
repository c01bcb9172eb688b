//! `[[route]]`: which agent answers what was dialled.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use toml::Spanned;

use super::{Check, Depth, plain};
use crate::config::error::Problem;
use crate::config::raw::{self, Raw};
use crate::config::{Route, agent};
use crate::dialogue::Agent;

impl Check<'_> {
    pub(super) fn routes(&mut self, raw: &Raw) -> (Vec<Route>, BTreeMap<String, Arc<Agent>>) {
        let folder = self.relative(raw.agents.folder.as_ref().map_or("agents", |folder| folder.get_ref()));
        let mut routes = Vec::new();
        // None: it was tried, and its problem is told.
        let mut agents: BTreeMap<String, Option<Arc<Agent>>> = BTreeMap::new();
        if raw.route.is_empty() {
            self.problems
                .push(Problem::missing("there is no [[route]]: write one with to = \"*\" and agent = \"...\", so that somebody answers"));
        }
        for at in &raw.route {
            let (Some(to), Some(agent)) = (&at.get_ref().to, &at.get_ref().agent) else {
                self.problem(at, "a [[route]] needs to = \"...\" (what is dialled, or \"*\") and agent = \"...\"");
                continue;
            };
            if self.depth == Depth::Agents && !agents.contains_key(agent.get_ref()) {
                agents.insert(plain(agent), self.agent(&folder, agent, &raw.people));
            }
            routes.push(Route { to: plain(to), agent: plain(agent) });
        }
        let agents = agents.into_iter().filter_map(|(name, agent)| Some((name, agent?)));
        (routes, agents.collect())
    }

    fn agent(&mut self, folder: &Path, name: &Spanned<String>, people: &BTreeMap<String, Spanned<raw::Person>>) -> Option<Arc<Agent>> {
        let plain_name = name.get_ref().chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_'));
        if !plain_name || name.get_ref().is_empty() {
            self.problem(name, "an agent's name has letters, digits, - and _ only: it is the name of its file");
            return None;
        }
        let file = folder.join(format!("{}.toml", name.get_ref()));
        if !file.is_file() {
            self.problem(name, &format!("there is no agent {:?}: {} does not exist", name.get_ref(), file.display()));
            return None;
        }
        let agent = agent::load(&file).map_err(|error| self.problem(name, &error.to_string())).ok()?;
        for target in agent.targets().into_iter().filter(|target| !people.contains_key(*target)) {
            self.problem(
                name,
                &format!("the agent {:?} puts callers through to {target:?}: write [people.{target}] with its uri", name.get_ref()),
            );
        }
        Some(Arc::new(agent))
    }
}
