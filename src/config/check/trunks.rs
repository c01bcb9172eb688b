//! `[trunk.*]` and `[phones.*]`: the PBXs and providers that the box joins, and the telephones that join the box.

use std::collections::BTreeMap;
use std::path::Path;

use toml::Spanned;

use super::{Check, is_sip_uri, plain};
use crate::config::recipes;
use crate::config::{Advertised, CallerId, Caps, Context, NumberFormat, Phone, TransferBy, Trunk, raw};

/// The codecs that a trunk may name.
const CODECS: [&str; 2] = ["PCMA", "PCMU"];

impl Check<'_> {
    pub(super) fn trunks(&mut self, raw: &BTreeMap<String, Spanned<raw::Trunk>>) -> BTreeMap<String, Trunk> {
        raw.iter().filter_map(|(name, at)| Some((name.clone(), self.trunk(name, at)?))).collect()
    }

    fn trunk(&mut self, name: &str, at: &Spanned<raw::Trunk>) -> Option<Trunk> {
        let written = at.get_ref();
        let recipe = match written.recipe.as_ref().map(|recipe| (recipe, recipes::find(recipe.get_ref()))) {
            None => raw::Trunk::default(),
            Some((_, Some(recipe))) => recipe,
            Some((text, None)) => {
                self.problem(text, &format!("no recipe is called {:?}: write one of {}", text.get_ref(), recipes::names().join(", ")));
                return None;
            }
        };
        let raw = written.over(&recipe);
        let servers: Vec<&Spanned<String>> = raw.server.iter().chain(raw.servers.iter().flatten()).collect();
        if servers.is_empty() {
            self.problem(at, &format!("[trunk.{name}] needs server = \"sip:...\": where the PBX or provider is"));
            return None;
        }
        for text in servers.iter().filter(|text| !is_sip_uri(text.get_ref()) || text.get_ref().contains('@')) {
            self.problem(
                text,
                &format!("{:?} is no server: write \"sip:pbx.example.com\" or \"sip:192.0.2.10:5060;transport=tcp\"", text.get_ref()),
            );
        }
        let servers: Vec<String> = servers.into_iter().map(plain).collect();
        let register = raw.register.as_ref().is_some_and(|register| *register.get_ref());
        let secret_file = raw.secret_file.as_ref().map(|file| self.secret_file(file));
        if register && (raw.user.is_none() || secret_file.is_none()) {
            self.problem(
                at,
                &format!("[trunk.{name}] registers, so it needs user = \"...\" and secret_file = \"...\" (a file with the password alone)"),
            );
        }
        let domain = raw.domain.as_ref().map_or_else(|| host_of(&servers[..]), plain);
        let realms = raw.realms.as_ref().map_or_else(|| vec![domain.clone()], |realms| realms.iter().map(plain).collect());
        Some(Trunk {
            name: name.to_owned(),
            recipe: raw.recipe.as_ref().map(plain),
            register,
            user: raw.user.as_ref().map(plain),
            auth_user: raw.auth_user.as_ref().map(plain),
            secret_file,
            domain,
            realms,
            expires_s: self.within(raw.expires_s.as_ref(), 60..=86_400, "expires_s").unwrap_or(600),
            from: self.networks(raw.from.as_deref()),
            advertised: raw.advertised.as_ref().map(|text| self.advertised(text)).unwrap_or_default(),
            local: self.address(raw.local.as_ref()),
            options_s: self.within(raw.options_s.as_ref(), 0..=3_600, "options_s").filter(|seconds| *seconds > 0),
            caps: self.caps(&raw),
            number: raw.number.as_ref().map(plain),
            number_format: self.word(raw.number_format.as_ref(), &NUMBER_FORMATS),
            caller_id: self.word(raw.caller_id.as_ref(), &CALLER_IDS),
            transfer: self.word(raw.transfer.as_ref(), &TRANSFERS),
            context: raw.context.as_ref().map(|text| self.context(text)).unwrap_or_default(),
            session_timer: raw.session_timer.as_ref().is_none_or(|on| *on.get_ref()),
            reliable_provisional: raw.reliable_provisional.as_ref().is_none_or(|on| *on.get_ref()),
            codecs: self.codecs(raw.codecs.as_deref()),
            strict_media: raw.strict_media.as_ref().is_some_and(|on| *on.get_ref()),
            servers,
        })
    }

    fn caps(&mut self, raw: &raw::Trunk) -> Caps {
        let destination = |text: &Spanned<String>| {
            let plain: String = text.get_ref().trim_end_matches('*').to_owned();
            let sound =
                !plain.is_empty() && plain.trim_start_matches('+').bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'*' | b'#'));
            if !sound {
                self.problem(text, &format!("{:?} is no beginning of a number: write \"+1\" or \"+1312\"", text.get_ref()));
            }
            plain
        };
        let destinations = raw.destinations.iter().flatten().map(destination).collect();
        Caps {
            calls_max: self.within(raw.calls_max.as_ref(), 1..=10_000, "calls_max"),
            calls_per_s_max: self.within(raw.calls_per_s_max.as_ref(), 1..=10_000, "calls_per_s_max"),
            minutes_a_day_max: self.within(raw.minutes_a_day_max.as_ref(), 1..=1_000_000, "minutes_a_day_max"),
            destinations,
        }
    }

    fn codecs(&mut self, texts: Option<&[Spanned<String>]>) -> Vec<String> {
        let texts = texts.unwrap_or_default();
        for text in texts.iter().filter(|text| !CODECS.iter().any(|codec| codec.eq_ignore_ascii_case(text.get_ref()))) {
            self.problem(text, &format!("{:?} is no codec of this version: write {}", text.get_ref(), CODECS.join(" or ")));
        }
        texts.iter().map(|text| text.get_ref().to_ascii_uppercase()).collect()
    }

    fn advertised(&mut self, text: &Spanned<String>) -> Advertised {
        match (text.get_ref().as_str(), text.get_ref().parse()) {
            ("own", _) => Advertised::Own,
            ("registrar", _) => Advertised::Registrar,
            (_, Ok(address)) => Advertised::Fixed(address),
            (other, Err(_)) if other.len() > 5 && other.starts_with("stun:") => {
                Advertised::Stun(other.trim_start_matches("stun:").to_owned())
            }
            (other, Err(_)) => {
                self.problem(text, &format!("{other:?} is no address: write \"203.0.113.5\", \"registrar\", \"stun:HOST\" or \"own\""));
                Advertised::Own
            }
        }
    }

    pub(super) fn context(&mut self, text: &Spanned<String>) -> Context {
        match text.get_ref().as_str() {
            "none" => Context::None,
            "user-to-user" => Context::UserToUser,
            name if name.starts_with("X-") && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') => {
                Context::Header(name.to_owned())
            }
            other => {
                self.problem(
                    text,
                    &format!(
                        "{other:?} is no way for the context: write \"user-to-user\", a header such as \"X-Caller-Context\", or \"none\""
                    ),
                );
                Context::None
            }
        }
    }

    pub(super) fn phones(&mut self, raw: &BTreeMap<String, Spanned<raw::Phone>>) -> BTreeMap<String, Phone> {
        let phone = |(key, at): (&String, &Spanned<raw::Phone>)| {
            let raw = at.get_ref();
            let (Some(user), Some(secret)) = (&raw.user, &raw.secret_file) else {
                self.problem(
                    at,
                    &format!(
                        "[phones.{key}] needs user = \"...\" (its extension) and secret_file = \"...\" (a file with its password alone)"
                    ),
                );
                return None;
            };
            let name = raw.name.as_ref().map_or_else(|| key.clone(), plain);
            let secret_file = self.secret_file(secret);
            let contacts_max = self.within(raw.contacts_max.as_ref(), 1..=16, "contacts_max").unwrap_or(3);
            let contacts_max = usize::try_from(contacts_max).unwrap_or(1);
            Some((key.clone(), Phone { key: key.clone(), name, user: plain(user), secret_file, contacts_max }))
        };
        raw.iter().filter_map(phone).collect()
    }

    /// The password's file. systemd's credentials come first: there the name alone counts.
    fn secret_file(&mut self, text: &Spanned<String>) -> std::path::PathBuf {
        let path = self.relative(text.get_ref());
        let credential = std::env::var_os("CREDENTIALS_DIRECTORY").map(|folder| Path::new(&folder).join(text.get_ref()));
        if let Some(credential) = credential.filter(|credential| credential.is_file()) {
            return credential;
        }
        if !path.is_file() {
            self.problem(
                text,
                &format!("{} does not exist: write the password into a file of that name, readable by Nightbell alone", path.display()),
            );
        }
        path
    }

    pub(super) fn within(&mut self, value: Option<&Spanned<u64>>, range: std::ops::RangeInclusive<u64>, key: &str) -> Option<u64> {
        let value = value?;
        if !range.contains(value.get_ref()) {
            self.problem(value, &format!("{key} is {} to {}", range.start(), range.end()));
        }
        Some(*value.get_ref())
    }

    pub(super) fn word<T: Copy + Default>(&mut self, text: Option<&Spanned<String>>, words: &[(&str, T)]) -> T {
        let Some(text) = text else { return T::default() };
        let found = words.iter().find(|(word, _)| word == text.get_ref()).map(|(_, meant)| *meant);
        found.unwrap_or_else(|| {
            let words: Vec<String> = words.iter().map(|(word, _)| format!("{word:?}")).collect();
            self.problem(text, &format!("{:?} is not known here: write {}", text.get_ref(), words.join(" or ")));
            T::default()
        })
    }
}

const NUMBER_FORMATS: [(&str, NumberFormat); 4] = [
    ("e164", NumberFormat::E164),
    ("e164-no-plus", NumberFormat::E164NoPlus),
    ("national", NumberFormat::National),
    ("as-written", NumberFormat::AsWritten),
];
const CALLER_IDS: [(&str, CallerId); 3] =
    [("from", CallerId::From), ("asserted", CallerId::Asserted), ("remote-party", CallerId::RemoteParty)];
pub(super) const TRANSFERS: [(&str, TransferBy); 3] =
    [("auto", TransferBy::Auto), ("refer", TransferBy::Refer), ("bridge", TransferBy::Bridge)];

/// The host of the first server.
fn host_of(servers: &[String]) -> String {
    let first = servers.first().map(String::as_str).unwrap_or_default();
    let rest = first.split_once(':').map_or(first, |(_, rest)| rest);
    let rest = rest.split([';', '?']).next().unwrap_or_default();
    match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address.to_owned(),
        None => rest.split(':').next().unwrap_or_default().to_owned(),
    }
}
