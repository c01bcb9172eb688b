//! What a request asks for.

use std::fmt;

macro_rules! methods {
    ($($variant:ident => $text:literal),* $(,)?) => {
        /// A SIP method. The names are case-sensitive (RFC 3261 §7.1).
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Method {
            $(#[doc = $text] $variant,)*
            /// A method this program has never heard of.
            Other(Box<str>),
        }

        impl Method {
            /// The method that `text` names.
            pub fn named(text: &str) -> Self {
                match text {
                    $($text => Self::$variant,)*
                    other => Self::Other(other.into()),
                }
            }

            /// As written on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Other(text) => text,
                }
            }
        }
    };
}

methods! {
    Invite => "INVITE",
    Ack => "ACK",
    Bye => "BYE",
    Cancel => "CANCEL",
    Options => "OPTIONS",
    Info => "INFO",
    Update => "UPDATE",
    Refer => "REFER",
    Notify => "NOTIFY",
    Register => "REGISTER",
    Subscribe => "SUBSCRIBE",
    Message => "MESSAGE",
    Prack => "PRACK",
    Publish => "PUBLISH",
}

/// What the Allow header says (RFC 3261 §20.5).
pub const ALLOW: &str = "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, PRACK, UPDATE, REFER, NOTIFY";

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
