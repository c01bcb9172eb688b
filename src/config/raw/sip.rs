//! `[sip]`, `[trunk.*]` and `[phones.*]` as written.

use serde::Deserialize;
use toml::Spanned;

use super::Written;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Sip {
    pub(in crate::config) listen: Option<Vec<Spanned<String>>>,
    pub(in crate::config) trusted: Option<Vec<Spanned<String>>>,
    pub(in crate::config) phones: Option<Vec<Spanned<String>>>,
    pub(in crate::config) strangers: Written<String>,
    pub(in crate::config) advertised: Written<String>,
    pub(in crate::config) user_agent: Written<String>,
    pub(in crate::config) realm: Written<String>,
    pub(in crate::config) digest: Written<String>,
    pub(in crate::config) tls: Option<Spanned<Tls>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Tls {
    pub(in crate::config) certificate: Written<String>,
    pub(in crate::config) key: Written<String>,
    pub(in crate::config) client_ca: Written<String>,
    pub(in crate::config) ca: Written<String>,
}

/// A trunk as written, or the recipe that it starts from.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Trunk {
    pub(in crate::config) recipe: Written<String>,
    pub(in crate::config) server: Written<String>,
    pub(in crate::config) servers: Option<Vec<Spanned<String>>>,
    pub(in crate::config) register: Written<bool>,
    pub(in crate::config) user: Written<String>,
    pub(in crate::config) auth_user: Written<String>,
    pub(in crate::config) secret_file: Written<String>,
    pub(in crate::config) domain: Written<String>,
    pub(in crate::config) realms: Option<Vec<Spanned<String>>>,
    pub(in crate::config) expires_s: Written<u64>,
    pub(in crate::config) from: Option<Vec<Spanned<String>>>,
    pub(in crate::config) advertised: Written<String>,
    pub(in crate::config) local: Written<String>,
    pub(in crate::config) options_s: Written<u64>,
    pub(in crate::config) calls_max: Written<u64>,
    pub(in crate::config) calls_per_s_max: Written<u64>,
    pub(in crate::config) minutes_a_day_max: Written<u64>,
    pub(in crate::config) destinations: Option<Vec<Spanned<String>>>,
    pub(in crate::config) number: Written<String>,
    pub(in crate::config) number_format: Written<String>,
    pub(in crate::config) caller_id: Written<String>,
    pub(in crate::config) transfer: Written<String>,
    pub(in crate::config) context: Written<String>,
    pub(in crate::config) session_timer: Written<bool>,
    pub(in crate::config) reliable_provisional: Written<bool>,
    pub(in crate::config) codecs: Option<Vec<Spanned<String>>>,
    pub(in crate::config) strict_media: Written<bool>,
}

macro_rules! first_of {
    ($ours:ident, $other:ident, [$($field:ident),* $(,)?]) => { Trunk { $($field: $ours.$field.clone().or_else(|| $other.$field.clone())),* } };
}

impl Trunk {
    /// What is written here, and from `other` what is not.
    pub(in crate::config) fn over(&self, other: &Self) -> Self {
        first_of!(
            self,
            other,
            [
                recipe,
                server,
                servers,
                register,
                user,
                auth_user,
                secret_file,
                domain,
                realms,
                expires_s,
                from,
                advertised,
                local,
                options_s,
                calls_max,
                calls_per_s_max,
                minutes_a_day_max,
                destinations,
                number,
                number_format,
                caller_id,
                transfer,
                context,
                session_timer,
                reliable_provisional,
                codecs,
                strict_media,
            ]
        )
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Phone {
    pub(in crate::config) name: Written<String>,
    pub(in crate::config) user: Written<String>,
    pub(in crate::config) secret_file: Written<String>,
    pub(in crate::config) contacts_max: Written<u64>,
}
