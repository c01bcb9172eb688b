//! From what is written to what is meant. Every problem is collected; nothing is guessed.

mod hours;
mod outbound;
mod people;
mod routes;
mod sip;
mod trunks;

pub(super) use sip::listener;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use toml::Spanned;

use super::error::Problem;
use super::raw::{self, Raw};
use super::{Business, Config, Engines, Http, Media, PackChoice, Store};
use crate::base::civil::Zone;

/// How far a configuration is checked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Depth {
    /// Its own file.
    Settings,
    /// The agents that it names as well.
    Agents,
}

/// Checks `raw`, which was read from `text` in `file`.
pub(super) fn check(file: &Path, text: &str, raw: &Raw, depth: Depth, problems: &mut Vec<Problem>) -> Option<Config> {
    let mut check = Check { file, text, depth, problems };
    let business = check.business(&raw.business);
    let sip = check.sip(&raw.sip);
    let media = check.media(&raw.media);
    let http = check.http(&raw.http);
    let store = check.store(&raw.store);
    let engines = check.engines(&raw.engines);
    let trunks = check.trunks(&raw.trunk);
    let phones = check.phones(&raw.phones);
    let people = check.people(&raw.people, &raw.phones);
    let (plan, agents) = check.plan(raw);
    let dial_plan = check.dial_plan(raw, &plan.book, &trunks);
    let outbound = check.outbound(raw, &plan.book);
    problems.is_empty().then(|| Config {
        file: file.to_owned(),
        business,
        sip,
        media,
        http,
        store,
        engines,
        trunks,
        phones,
        people,
        agents,
        plan,
        dial_plan,
        outbound,
    })
}

struct Check<'a> {
    file: &'a Path,
    text: &'a str,
    depth: Depth,
    problems: &'a mut Vec<Problem>,
}

impl Check<'_> {
    fn business(&mut self, raw: &raw::Business) -> Business {
        let name = self.required(raw.name.as_ref(), "[business] needs name = \"...\": the business's name, as it is spoken");
        let zone = self.required(raw.time_zone.as_ref(), "[business] needs time_zone = \"...\": an IANA name such as \"America/Chicago\"");
        let zone = zone.map_or(Ok(Zone::utc()), |zone| Zone::named(zone.get_ref()).map_err(|error| (zone.clone(), error)));
        let zone = zone.unwrap_or_else(|(at, error)| {
            self.problem(&at, &error.to_string());
            Zone::utc()
        });
        Business { name: name.map(plain).unwrap_or_default(), zone }
    }

    fn media(&mut self, raw: &raw::Media) -> Media {
        let address = self.address(raw.address.as_ref()).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let advertised = self.address(raw.advertised.as_ref());
        let ports = match &raw.ports {
            None => 20_000..=20_999,
            Some(text) => ports(text.get_ref()).unwrap_or_else(|| {
                self.problem(text, "ports are written \"20000-20999\": the first even and from 1024 up, the last at least one more");
                20_000..=20_999
            }),
        };
        Media { address, advertised, ports }
    }

    fn http(&mut self, raw: &raw::Http) -> Http {
        let default = SocketAddr::from((Ipv4Addr::LOCALHOST, 8080));
        let Some(text) = &raw.listen else { return Http { listen: default } };
        let listen = http_address(text.get_ref());
        Http { listen: listen.map_err(|what| self.problem(text, &what)).unwrap_or(default) }
    }

    fn store(&mut self, raw: &raw::Store) -> Store {
        let data = self.required(raw.data.as_ref(), "[store] needs data = \"...\": the folder for the database and its key");
        let data = data.map(|data| self.relative(data.get_ref())).unwrap_or_default();
        Store { data, recording: raw.recording.unwrap_or(false) }
    }

    fn engines(&mut self, raw: &raw::Engines) -> Engines {
        let pack = match raw.pack.as_ref().map(|pack| pack.get_ref().as_str()) {
            None | Some("auto") => PackChoice::Auto,
            Some(name) => PackChoice::Named(name.to_owned()),
        };
        if let (PackChoice::Named(name), Some(at)) = (&pack, &raw.pack)
            && !super::models::Manifest::built_in().packs.contains_key(name)
        {
            self.problem(at, &format!("no pack is called {name:?}: write \"auto\", or one that `nightbell models list` shows"));
        }
        if let Some(threads) = raw.threads.as_ref().filter(|threads| !(1..=256).contains(threads.get_ref())) {
            self.problem(threads, "threads is 1 to 256; leave it out for as many as there are cores");
        }
        let models = raw.models.as_ref().map(|folder| self.relative(folder.get_ref()));
        Engines {
            pack,
            models,
            threads: raw.threads.as_ref().map(|threads| *threads.get_ref()),
            phrase_cache: raw.phrase_cache.unwrap_or(true),
        }
    }

    fn required<'b, T>(&mut self, value: Option<&'b Spanned<T>>, what: &str) -> Option<&'b Spanned<T>> {
        if value.is_none() {
            self.problems.push(Problem::missing(what));
        }
        value
    }

    fn address(&mut self, text: Option<&Spanned<String>>) -> Option<IpAddr> {
        let text = text?;
        let address = text.get_ref().parse().ok();
        if address.is_none() {
            self.problem(text, &format!("{:?} is no IP address", text.get_ref()));
        }
        address
    }

    /// A path as the file means it.
    fn relative(&self, path: &str) -> PathBuf {
        self.file.parent().unwrap_or(Path::new("")).join(path)
    }

    fn problem<T>(&mut self, at: &Spanned<T>, what: &str) {
        self.problems.push(Problem::at(self.text, Some(at.span()), what));
    }
}

fn plain(text: &Spanned<String>) -> String {
    text.get_ref().clone()
}

/// An address of this machine only, because nobody has to log in yet.
pub(super) fn http_address(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text.parse().map_err(|_| format!("{text:?} is no address: write \"127.0.0.1:8080\""))?;
    if !address.ip().is_loopback() {
        return Err(format!("{text:?} is open to others, and nobody has to log in yet: write \"127.0.0.1:{}\"", address.port()));
    }
    Ok(address)
}

fn ports(text: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.split_once('-')?;
    let (first, last): (u16, u16) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (first >= 1024 && first.is_multiple_of(2) && last > first).then_some(first..=last)
}

fn is_sip_uri(text: &str) -> bool {
    let host = text.strip_prefix("sip:").map(|rest| rest.rsplit_once('@').map_or(rest, |(_, host)| host));
    host.is_some_and(|host| !host.is_empty()) && text.is_ascii() && !text.contains(|letter: char| letter.is_whitespace() || letter == '"')
}
