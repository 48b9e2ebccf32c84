//! The checked layer: settings that cannot be wrong.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use super::{
    Blocklist, Budget, Duty, ExpectedMail, HeartbeatKind, Honeytoken, InboxKind, Maintenance, NameServer, ProviderKind, Records, SecretRef,
    SinkKind, Takes, Wording,
};
use crate::model::{At, Name, Route, Severity, Span, Week};

/// A whole configuration. Routes name only providers, streams and inboxes that exist; there is at least one.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// `[watch]`.
    pub watch: Watch,
    /// `[stream.NAME]`.
    pub streams: BTreeMap<Name, Stream>,
    /// `[provider.NAME.KIND]`.
    pub providers: BTreeMap<Name, Provider>,
    /// `[inbox.NAME.KIND]`.
    pub inboxes: BTreeMap<Name, Inbox>,
    /// `[sink.NAME.KIND]`.
    pub sinks: BTreeMap<Name, Sink>,
    /// `[heartbeat.NAME.KIND]`.
    pub heartbeats: BTreeMap<Name, Heartbeat>,
    /// What is watched: the full product, or what `[[route]]` leaves of it. Sorted, without repetition.
    pub routes: Vec<Route>,
    /// `[maintenance.NAME]`.
    pub maintenance: BTreeMap<Name, Maintenance>,
    /// `[drill.NAME]`.
    pub drills: BTreeMap<Name, Drill>,
    /// `[[expected_mail]]`.
    pub expected_mail: Vec<ExpectedMail>,
    /// `[[honeytoken]]`.
    pub honeytokens: Vec<Honeytoken>,
    /// `[dns] server` and `servers`.
    pub name_server: NameServer,
    /// The rest of `[dns]`.
    pub records: Records,
    /// `[blocklist.NAME]`.
    pub blocklists: BTreeMap<Name, Blocklist>,
    /// `[http]`; absent: no listener.
    pub http: Option<Http>,
    /// `[public]`; absent: no such page.
    pub public: Option<Public>,
    /// `[ledger]`.
    pub ledger: LedgerSettings,
}

impl Settings {
    /// The address of runbooks, with `{kind}` to be filled in, if people can reach any.
    #[must_use]
    pub fn runbooks(&self) -> Option<String> {
        let own = || self.http.as_ref()?.public_url.as_ref().map(|url| format!("{url}/runbooks/{{kind}}"));
        self.watch.runbooks.clone().or_else(own)
    }
}

/// How the watch is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Watch {
    /// Names this installation in incident keys. Default: the host's name.
    pub instance: String,
    /// One routine canary a route in this time. At least 1 s.
    pub every: Span,
    /// Extra canaries that suspicion may spend, as a share of the routine ones (0.2 is 20 %). 0 turns them off.
    pub confirmations: f64,
    /// The promise for the whole installation, in false pages a year.
    pub false_pages_per_year: f64,
    /// An inbox that cannot be read for this long is an incident.
    pub blind_after: Span,
    /// A watcher without network for this long is an incident.
    pub cut_off_after: Span,
    /// Who was paged and has not acknowledged is reminded after this long, then at growing intervals. Zero: never.
    pub remind_after: Span,
    /// A page for an alarm waits at least this long.
    pub hold_at_least: Span,
    /// And no longer than this, whatever was learnt.
    pub hold_at_most: Span,
    /// Where runbooks stand; `{kind}` is to be filled in. Absent: the daemon's own.
    pub runbooks: Option<String>,
    /// Domains that are ours besides those of the providers' senders: lower case, A-labels.
    pub domains: Vec<String>,
}

/// One kind of transactional mail.
#[derive(Clone, Debug, PartialEq)]
pub struct Stream {
    /// The subject; the token is put behind it.
    pub subject: String,
    /// What comes later is as good as lost.
    pub deadline: Span,
    /// An incident of this stream alone is never louder.
    pub severity: Severity,
}

/// An address with an optional display name: `Example <no-reply@example.com>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// The display name, decoded.
    pub name: Option<String>,
    /// `local@domain`; ASCII, the domain in its A-label form.
    pub address: String,
}

impl Mailbox {
    /// What stands behind the `@`.
    #[must_use]
    pub fn domain(&self) -> &str {
        domain(&self.address)
    }
}

/// What stands behind the `@` of a checked address.
fn domain(address: &str) -> &str {
    address.rsplit_once('@').map_or(address, |(_, domain)| domain)
}

/// An account at an e-mail service provider, or a relay.
#[derive(Clone, Debug, PartialEq)]
pub struct Provider {
    /// Who canaries are from.
    pub from: Mailbox,
    /// Selectors whose DKIM keys are watched from the start, besides those that mail shows; `check --live` looks them up, or if there are none
    /// the usual ones.
    pub dkim_selectors: Vec<String>,
    /// What it may be burdened with.
    pub budget: Budget,
    /// What it is there for.
    pub duty: Duty,
    /// How it is spoken to.
    pub kind: ProviderKind,
    /// How it is reached.
    pub wire: Wire,
}

impl Provider {
    /// Whether the words of its canaries of this stream are ours: neither an application's nor a stored template's.
    #[must_use]
    pub fn is_written_here(&self, stream: &Name) -> bool {
        let stored = self.kind.templates().is_some_and(|templates| templates.of(stream.as_str()).is_some());
        !stored && !matches!(self.kind, ProviderKind::HttpTrigger(_))
    }
}

/// How TLS is begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// In the clear, then `STARTTLS`, which must succeed.
    StartTls,
    /// TLS from the first byte.
    Implicit,
    /// Never: only to a loopback address.
    None,
}

impl Tls {
    /// The word in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StartTls => "starttls",
            Self::Implicit => "implicit",
            Self::None => "none",
        }
    }
}

/// A seeded mailbox.
#[derive(Clone, Debug, PartialEq)]
pub struct Inbox {
    /// Its address: ASCII, the domain in its A-label form.
    pub address: String,
    /// Further addresses of the same mailbox. Canaries go to each of all of them for a day.
    pub aliases: Vec<String>,
    /// Addresses of it that are bait, in lower case: the honeytokens that name it.
    pub baits: Vec<String>,
    /// Whether the token is also put in the address, as `local+TOKEN@domain`.
    pub plus_address: bool,
    /// Whether own canaries are deleted, by UID, once they are verified and counted.
    pub delete: bool,
    /// The one provider that knows the address, if it is bait.
    pub honeytoken_of: Option<Name>,
    /// What it may be burdened with.
    pub budget: Budget,
    /// How it is read.
    pub kind: InboxKind,
    /// How it is reached.
    pub wire: Wire,
}

impl Inbox {
    /// All of its addresses.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.address).chain(&self.aliases).map(String::as_str)
    }

    /// The address that canaries of this instant go to: each day (UTC) another one, in turn.
    #[must_use]
    pub fn address_at(&self, at: At) -> &str {
        const DAY_MS: i64 = 86_400_000;
        let count = self.aliases.len().saturating_add(1);
        let turn = i64::try_from(count).map_or(0, |count| at.as_ms().div_euclid(DAY_MS).rem_euclid(count));
        usize::try_from(turn).ok().and_then(|turn| self.addresses().nth(turn)).unwrap_or(&self.address)
    }

    /// What stands behind the `@` of its address.
    #[must_use]
    pub fn domain(&self) -> &str {
        domain(&self.address)
    }
}

/// How an outgoing connection is made.
#[derive(Clone, Debug, PartialEq, Default, Eq)]
pub struct Wire {
    /// A PEM file with private certificate authorities, trusted besides the system's.
    pub ca_file: Option<PathBuf>,
    /// Through whom.
    pub proxy: Option<Proxy>,
    /// From which local address.
    pub bind: Option<IpAddr>,
    /// Over which family.
    pub family: Family,
}

/// A proxy for outgoing connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proxy {
    /// `socks5://host:port`; names are resolved by the proxy.
    Socks5 {
        /// Host name or address.
        host: String,
        /// Port.
        port: u16,
    },
    /// `http://host:port`, by CONNECT.
    Http {
        /// Host name or address.
        host: String,
        /// Port.
        port: u16,
    },
}

/// Which family of addresses is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Family {
    /// Whatever the name resolves to, in the resolver's order.
    #[default]
    Any,
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
}

/// Where notices go.
#[derive(Clone, Debug, PartialEq)]
pub struct Sink {
    /// What it takes, and when.
    pub takes: Takes,
    /// When it is tried, once in these hours each time.
    pub try_at: Option<Week>,
    /// What it is.
    pub kind: SinkKind,
    /// How it is reached.
    pub wire: Wire,
    /// Its words, where they are the user's own.
    pub wording: Wording,
}

/// Who is told again and again that all is well here, and calls somebody when that ends.
#[derive(Clone, Debug, PartialEq)]
pub struct Heartbeat {
    /// The time between two beats. At least 15 s.
    pub every: Span,
    /// What it is.
    pub kind: HeartbeatKind,
    /// How it is reached.
    pub wire: Wire,
}

/// `[drill.NAME]`: one drill in these hours, each time they come.
#[derive(Clone, Debug, PartialEq)]
pub struct Drill {
    /// Whose canaries are withheld.
    pub provider: Name,
    /// When.
    pub every: Week,
    /// How long it waits for the page.
    pub lasts: Span,
}

/// `[http]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    /// Where metrics and the status page listen.
    pub listen: SocketAddr,
    /// The address that people and the webhooks of providers reach it by; without a slash at its end.
    pub public_url: Option<String>,
    /// Who has it may read, and say things of incidents; absent: nobody may by a token.
    pub token: Option<SecretRef>,
    /// Beyond loopback everybody may read, too.
    pub open: bool,
    /// Further names by which it may be asked.
    pub hosts: Vec<String>,
    /// The file with TLS and users.
    pub web_config: Option<PathBuf>,
    /// Users of that file who may also say things of incidents.
    pub writers: Vec<String>,
    /// The host's own name.
    pub host_name: String,
    /// That file makes it TLS, as it was when the configuration was read.
    pub tls: bool,
}

impl Http {
    /// Listening there, with everything else as it is when nothing is said.
    #[must_use]
    pub const fn at(listen: SocketAddr) -> Self {
        Self {
            listen,
            public_url: None,
            token: None,
            open: false,
            hosts: Vec::new(),
            web_config: None,
            writers: Vec::new(),
            host_name: String::new(),
            tls: false,
        }
    }

    /// Where people reach the status page: the address that is said, or else the one that is listened on; where that is every address of
    /// this host, by the first name in `hosts`, or else by the host's own. Nothing if the system chooses the port, or the host's name is none.
    #[must_use]
    pub fn url(&self) -> Option<String> {
        if self.public_url.is_some() || self.listen.port() == 0 {
            return self.public_url.clone();
        }
        let scheme = if self.tls { "https" } else { "http" };
        if !self.listen.ip().is_unspecified() {
            return Some(format!("{scheme}://{}", self.listen));
        }
        let name = self.hosts.first().unwrap_or(&self.host_name);
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        is_name.then(|| format!("{scheme}://{name}:{}", self.listen.port()))
    }
}

/// `[public]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Public {
    /// Where the page for everybody is, alone.
    pub listen: SocketAddr,
    /// Its heading.
    pub title: String,
    /// What streams are called there: only these are shown. Absent: all, by their own names.
    pub streams: Option<BTreeMap<Name, String>>,
}

/// `[ledger]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerSettings {
    /// A folder; in it `ledger.sqlite` and `canary.key`.
    pub path: PathBuf,
    /// How long canaries that arrived are kept.
    pub keep: Span,
    /// How long canaries that did not, and incidents, are kept. Never shorter than `keep`.
    pub keep_failures: Span,
}

#[cfg(test)]
mod tests {
    #[test]
    fn runbooks_are_the_daemons_own_unless_others_are_named() {
        let runbooks = |lines: &str| {
            let text = format!(
                "[stream.s]\n[provider.p.smtp]\nfrom = \"a@example.com\"\nhost = \"127.0.0.1\"\ntls = \"none\"\n[inbox.i.imap]\naddress = \"i@example.com\"\n\
                 host = \"127.0.0.1\"\ntls = \"none\"\nusername = \"i\"\npassword = {{ env = \"X\" }}\n{lines}"
            );
            crate::config::parse(&text, "h").unwrap().settings.runbooks()
        };
        let own = "[http]\npublic_url = \"https://canary.example/\"\n";
        let named = "[watch]\nrunbooks = \"https://wiki.example/{kind}?from=mail\"\n";
        assert_eq!(runbooks(""), None, "nobody could follow it");
        assert_eq!(runbooks(own).as_deref(), Some("https://canary.example/runbooks/{kind}"));
        assert_eq!(runbooks(&format!("{own}{named}")).as_deref(), Some("https://wiki.example/{kind}?from=mail"));
    }
}
