//! An agent's files, as written by the owner (one TOML, one Markdown) and as meant ([`dialogue::Agent`]).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::base::civil::{Date, UnknownZone, Zone, clock_time};
use crate::base::text::sentences;
use crate::dialogue::{
    Agent, AgentError, AgentParts, Bookable, Door, Emergency, Home, Hours, Price, Qualify, Requests, SlotKey, Span, Topic,
};

/// Bytes of one of an agent's files. Larger: refused.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Why an agent's files do not make an agent. Every message names the file and says what to do.
#[derive(Debug, thiserror::Error)]
pub enum AgentFileError {
    /// The file cannot be read.
    #[error("{path}: cannot be read ({why})", path = .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's words.
        why: std::io::Error,
    },
    /// The file is too large to be written by hand.
    #[error("{path}: larger than 1 MiB", path = .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The file is no TOML, or names something that does not exist.
    #[error("{path}:{line}: {what}", path = .path.display())]
    Toml {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// The time zone is unknown.
    #[error("{path}: {why}", path = .path.display())]
    Zone {
        /// The file.
        path: PathBuf,
        /// Which.
        why: UnknownZone,
    },
    /// A value cannot be understood.
    #[error("{path}: {place} = {value:?}: {hint}", path = .path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// Where in it.
        place: String,
        /// As written.
        value: String,
        /// What to write instead.
        hint: &'static str,
    },
    /// The parts do not fit together.
    #[error("{path}: {why}", path = .path.display())]
    Agent {
        /// The file.
        path: PathBuf,
        /// Why.
        why: AgentError,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    name: String,
    business: String,
    time_zone: String,
    /// The Markdown file with questions and answers, beside this one.
    knowledge: String,
    greeting: String,
    abilities: String,
    hours: RawWeek,
    person: RawDoor,
    emergency: Option<RawEmergency>,
    booking: Option<RawBooking>,
    requests: Option<RawRequests>,
    elsewhere: Option<String>,
    #[serde(default)]
    home: Vec<RawHome>,
    #[serde(default)]
    price: Vec<RawPrice>,
    #[serde(default)]
    ask: Vec<RawAsk>,
    #[serde(default)]
    bulletins: Vec<String>,
    #[serde(default)]
    never_say: Vec<String>,
    #[serde(default)]
    wording: BTreeMap<String, String>,
}

#[derive(Deserialize, Default, Clone)]
#[serde(deny_unknown_fields)]
struct RawWeek {
    monday: Option<String>,
    tuesday: Option<String>,
    wednesday: Option<String>,
    thursday: Option<String>,
    friday: Option<String>,
    saturday: Option<String>,
    sunday: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDoor {
    target: String,
    spoken: String,
    hours: Option<RawWeek>,
    callback_minutes: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEmergency {
    words: Vec<String>,
    say: String,
    target: String,
    callback_minutes: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBooking {
    what: String,
    hours: RawWeek,
    minutes: u16,
    capacity: u16,
    notice_minutes: u32,
    days_ahead: u16,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRequests {
    promise: String,
    urgent_promise: String,
    urgent: Vec<String>,
    working_minutes: u32,
    urgent_minutes: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawHome {
    bedrooms: u8,
    name: String,
    rent: u32,
    from: Option<String>,
    free: u16,
    note: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPrice {
    name: String,
    #[serde(default)]
    also: Vec<String>,
    answer: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAsk {
    about: String,
    question: String,
}

/// The agent in the TOML file at `path` and the Markdown file that it names.
pub fn load(path: &Path) -> Result<Agent, AgentFileError> {
    let toml = read(path)?;
    let raw: Raw = toml::from_str(&toml).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        let line = toml.get(..at).unwrap_or("").matches('\n').count() + 1;
        AgentFileError::Toml { path: path.to_owned(), line, what: error.message().to_owned() }
    })?;
    let knowledge_path = path.with_file_name(&raw.knowledge);
    let markdown = read(&knowledge_path)?;
    let version = version(&[toml.as_bytes(), markdown.as_bytes()]);
    let parts = meant(path, raw, topics(&markdown), version)?;
    Agent::new(parts).map_err(|why| AgentFileError::Agent { path: path.to_owned(), why })
}

fn read(path: &Path) -> Result<String, AgentFileError> {
    let unreadable = |why| AgentFileError::Unreadable { path: path.to_owned(), why };
    if std::fs::metadata(path).map_err(unreadable)?.len() > FILE_BYTES_MAX {
        return Err(AgentFileError::TooLarge { path: path.to_owned() });
    }
    std::fs::read_to_string(path).map_err(|why| AgentFileError::Unreadable { path: path.to_owned(), why })
}

/// SHA-256 over the files with their lengths, in hex.
fn version(files: &[&[u8]]) -> String {
    let mut digest = Sha256::new();
    for file in files {
        digest.update(u64::try_from(file.len()).unwrap_or(u64::MAX).to_be_bytes());
        digest.update(file);
    }
    digest.finalize().iter().fold(String::with_capacity(64), |text, byte| text + &format!("{byte:02x}"))
}

fn meant(path: &Path, raw: Raw, topics: Vec<Topic>, version: String) -> Result<AgentParts, AgentFileError> {
    let zone = Zone::named(&raw.time_zone).map_err(|why| AgentFileError::Zone { path: path.to_owned(), why })?;
    let hours = week(path, "hours", &raw.hours)?;
    let door_hours = raw.person.hours.as_ref().map(|hours| week(path, "person.hours", hours)).transpose()?;
    let bookable = raw.booking.map(|booking| bookable(path, booking)).transpose()?;
    let homes = raw.home.into_iter().map(|home| meant_home(path, home)).collect::<Result<_, _>>()?;
    let qualify = raw.ask.into_iter().map(|ask| qualify(path, ask)).collect::<Result<_, _>>()?;
    let one_line = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    Ok(AgentParts {
        name: raw.name,
        business: raw.business,
        version,
        zone,
        greeting: one_line(raw.greeting),
        abilities: one_line(raw.abilities),
        hours,
        door: Door {
            target: raw.person.target,
            spoken: raw.person.spoken,
            hours: door_hours,
            callback_minutes: raw.person.callback_minutes,
        },
        emergency: raw.emergency.map(|emergency| Emergency {
            words: emergency.words,
            say: one_line(emergency.say),
            target: emergency.target,
            callback_minutes: emergency.callback_minutes,
        }),
        bookable,
        requests: raw.requests.map(|requests| Requests {
            promise: one_line(requests.promise),
            urgent_promise: one_line(requests.urgent_promise),
            urgent: requests.urgent,
            due_minutes: requests.working_minutes,
            urgent_due_minutes: requests.urgent_minutes,
        }),
        elsewhere: raw.elsewhere.map(one_line),
        homes,
        prices: raw.price.into_iter().map(|price| Price { name: price.name, also: price.also, answer: one_line(price.answer) }).collect(),
        qualify,
        topics,
        bulletins: raw.bulletins,
        forbidden: raw.never_say,
        wording: raw.wording,
    })
}

fn bookable(path: &Path, raw: RawBooking) -> Result<Bookable, AgentFileError> {
    if !(5..=720).contains(&raw.minutes) {
        return Err(value(path, "booking.minutes", &raw.minutes.to_string(), "write minutes from 5 to 720"));
    }
    if raw.days_ahead == 0 || raw.days_ahead > 366 {
        return Err(value(path, "booking.days_ahead", &raw.days_ahead.to_string(), "write days from 1 to 366"));
    }
    Ok(Bookable {
        resource: raw.what,
        hours: week(path, "booking.hours", &raw.hours)?,
        minutes: raw.minutes,
        capacity: raw.capacity.max(1),
        notice_minutes: raw.notice_minutes,
        horizon_days: raw.days_ahead,
    })
}

fn meant_home(path: &Path, raw: RawHome) -> Result<Home, AgentFileError> {
    let from = match raw.from.as_deref() {
        None | Some("now") => None,
        Some(text) => {
            Some(text.parse::<Date>().map_err(|_| value(path, "home.from", text, "write \"now\" or a date such as \"2027-01-15\""))?)
        }
    };
    Ok(Home { beds: raw.bedrooms, name: raw.name, rent: raw.rent, from, free: raw.free, note: raw.note })
}

fn qualify(path: &Path, raw: RawAsk) -> Result<Qualify, AgentFileError> {
    let hint = "write one of: name, service, unit, beds, area, address, people, month, number";
    let slot = SlotKey::parse(&raw.about).ok_or_else(|| value(path, "ask.about", &raw.about, hint))?;
    Ok(Qualify { slot, ask: raw.question })
}

fn week(path: &Path, place: &str, raw: &RawWeek) -> Result<Hours, AgentFileError> {
    let days = [&raw.monday, &raw.tuesday, &raw.wednesday, &raw.thursday, &raw.friday, &raw.saturday, &raw.sunday];
    let mut hours = Hours::default();
    for (at, day) in days.into_iter().enumerate() {
        let Some(text) = day.as_deref().filter(|text| *text != "closed") else { continue };
        let span = span(text).ok_or_else(|| value(path, place, text, "write hours such as \"9:00-18:00\", or \"closed\""))?;
        if let Some(slot) = hours.week.get_mut(at) {
            *slot = Some(span);
        }
    }
    Ok(hours)
}

pub(super) fn span(text: &str) -> Option<Span> {
    let (from, to) = text.split_once('-')?;
    let span = Span { from: clock_time(from)?, to: clock_time(to)? };
    (span.from < span.to).then_some(span)
}

fn value(path: &Path, place: &str, value: &str, hint: &'static str) -> AgentFileError {
    AgentFileError::Value { path: path.to_owned(), place: place.to_owned(), value: value.to_owned(), hint }
}

/// Topics of a Markdown file: `## Heading`, paragraphs as the answer, and a list of questions after "Also asked as:".
fn topics(markdown: &str) -> Vec<Topic> {
    let mut topics: Vec<Topic> = Vec::new();
    let mut answer = String::new();
    let mut asking = false;
    for line in markdown.lines().map(str::trim) {
        if let Some(title) = line.strip_prefix("## ") {
            finish(&mut topics, &mut answer);
            topics.push(Topic { title: title.trim().to_owned(), answer: Vec::new(), asked: Vec::new() });
            asking = false;
        } else if line.to_lowercase().starts_with("also asked as") {
            asking = true;
        } else if let Some(question) = line.strip_prefix("- ").filter(|_| asking) {
            if let Some(topic) = topics.last_mut() {
                topic.asked.push(question.trim().trim_matches('"').to_owned());
            }
        } else if !line.starts_with('#') && !topics.is_empty() {
            if !line.is_empty() {
                asking = false;
            }
            answer.push_str(line);
            answer.push('\n');
        }
    }
    finish(&mut topics, &mut answer);
    topics.retain(|topic| !topic.answer.is_empty());
    topics
}

fn finish(topics: &mut [Topic], answer: &mut String) {
    if let Some(topic) = topics.last_mut() {
        topic.answer = sentences(&answer.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    answer.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demo(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("config/demo/agents").join(name)
    }

    #[test]
    fn the_demo_agents_load_and_have_versions_of_their_own() {
        let leasing = load(&demo("leasing.toml")).unwrap();
        let tenants = load(&demo("tenants.toml")).unwrap();
        assert_eq!((leasing.name(), tenants.name()), ("leasing", "tenants"));
        assert_eq!(leasing.version().len(), 64);
        assert_ne!(leasing.version(), tenants.version());
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let text = std::fs::read_to_string(demo("leasing.toml")).unwrap().replacen("time_zone", "timezone", 1);
        let line = text.lines().position(|line| line.starts_with("timezone")).unwrap() + 1;
        std::fs::write(folder.path().join("leasing.toml"), text).unwrap();
        let error = load(&folder.path().join("leasing.toml")).unwrap_err();
        assert!(matches!(&error, AgentFileError::Toml { line: at, what, .. } if *at == line && what.contains("timezone")), "{error}");
    }

    #[test]
    fn headings_are_topics_and_also_asked_as_are_examples() {
        let topics = topics(
            "# Title\n\nIntro.\n\n## Pets\n\nCats are welcome. Dogs too.\n\nAlso asked as:\n- Do you allow dogs?\n- \"I have a cat.\"\n\n## Empty\n",
        );
        assert_eq!(
            topics,
            [Topic {
                title: "Pets".to_owned(),
                answer: vec!["Cats are welcome.".to_owned(), "Dogs too.".to_owned()],
                asked: vec!["Do you allow dogs?".to_owned(), "I have a cat.".to_owned()],
            }]
        );
    }
}
