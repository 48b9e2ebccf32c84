//! The words that the API uses. A new word of the core does not compile until it is given one here.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::model;

/// The API's own words for those of the core.
macro_rules! words {
    ($($(#[doc = $doc:literal])* $name:ident { $($variant:ident = $word:literal),+ $(,)? })+) => { $(
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub(in crate::edge::show) enum $name { $(#[serde(rename = $word)] $variant),+ }

        impl $name {
            /// Every word.
            pub(in crate::edge::show) const WORDS: &[&str] = &[$($word),+];
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "enum": Self::WORDS, "description": concat!($($doc),*).trim() })
            }
        }

        impl From<model::$name> for $name {
            fn from(word: model::$name) -> Self {
                match word { $(model::$name::$variant => Self::$variant),+ }
            }
        }

        impl From<$name> for model::$name {
            fn from(word: $name) -> Self {
                match word { $($name::$variant => Self::$variant),+ }
            }
        }
    )+ };
}

words! {
    /// How a route, provider, stream or inbox is doing. `unknown`: we cannot tell, or not yet.
    Verdict { Delivering = "delivering", Degraded = "degraded", Stopped = "stopped", Unknown = "unknown" }

    /// What a route's own canaries show: all that was sent arrives; it is late; it lies in junk; some of it is missing; nothing arrives.
    Own {
        Delivering = "delivering", Late = "late", Junk = "junk", Missing = "missing", Nothing = "nothing", Unknown = "unknown",
    }

    /// How loud: `page` gets somebody up, `warn` is looked at in working hours, `info` is read some time.
    Severity { Info = "info", Warn = "warn", Page = "page" }

    /// What kind of failure.
    Kind {
        Stopped = "stopped", Loss = "loss", Slow = "slow", Junked = "junked", Refused = "refused", Blind = "blind", CutOff = "cut_off",
        Identity = "identity", UnexpectedMail = "unexpected_mail", Authentication = "authentication", Dns = "dns", Listed = "listed",
        EarlySign = "early_sign",
    }

    /// What a notice tells of its incident.
    Change { Opened = "opened", Updated = "updated", Reminder = "reminder", Acknowledged = "acknowledged", Resolved = "resolved" }

    /// The kind of a refusal or failure.
    Class {
        Network = "network", Tls = "tls", Auth = "auth", Suspended = "suspended", Quota = "quota", Rate = "rate", Sender = "sender",
        Suppressed = "suppressed", Recipient = "recipient", Policy = "policy", Transient = "transient", Permanent = "permanent",
        Unknown = "unknown",
    }

    /// Where a canary was seen.
    Placement {
        Inbox = "inbox", Junk = "junk", Other = "other", Promotions = "promotions", Social = "social", Updates = "updates",
        Forums = "forums",
    }

    /// Why a canary was sent: its turn came, or suspicion asked.
    Reason { Routine = "routine", Confirmation = "confirmation" }

    /// Where in a mail a value stands.
    Part {
        From = "from", Sender = "sender", ReplyTo = "reply_to", ReturnPath = "return_path", DkimDomain = "dkim_domain",
        DkimSelector = "dkim_selector", MessageId = "message_id", List = "list", Header = "header", Network = "network", Address = "address",
        Link = "link", Content = "content",
    }

    /// What of a mail is checked.
    Method { Spf = "spf", Dkim = "dkim", Dmarc = "dmarc", Arc = "arc" }

    /// What is asked of the DNS.
    Topic {
        Spf = "spf", Dkim = "dkim", Dmarc = "dmarc", Mx = "mx", Reverse = "reverse", MtaSts = "mta_sts", TlsRpt = "tls_rpt",
        Dnssec = "dnssec", Listed = "listed",
    }

    /// How good it is: nothing is there; what is there does not work; it says little; it could be better; it is as it should be.
    Grade { Absent = "absent", Broken = "broken", Weak = "weak", Fair = "fair", Sound = "sound" }

    /// Whether an account may send.
    Standing { Good = "good", Warned = "warned", Stopped = "stopped" }
}

/// What became of a canary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::edge::show) enum Became {
    InFlight,
    Arrived,
    Late,
    Lost,
    Refused,
    Forgotten,
}

impl From<model::past::Became> for Became {
    fn from(became: model::past::Became) -> Self {
        match became {
            model::past::Became::InFlight => Self::InFlight,
            model::past::Became::Arrived => Self::Arrived,
            model::past::Became::Late => Self::Late,
            model::past::Became::Lost => Self::Lost,
            model::past::Became::Refused => Self::Refused,
            model::past::Became::Forgotten => Self::Forgotten,
        }
    }
}
