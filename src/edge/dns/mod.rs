//! Look-ups in the DNS: where mail for an inbox goes, and who may send for a domain.
//!
//! What is absent (NXDOMAIN, no data) is a finding. A resolver that does not answer is a failure, and says nothing about the domain.

mod dkim;
mod dmarc;
mod mx;
mod policy;
mod servers;
mod spf;
mod verify;
mod watch;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use trust_dns_resolver::net::{DnsError, NetError};
use trust_dns_resolver::proto::rr::{RData, RecordType};

pub use dkim::{Dkim, DkimKey, usual_selectors};
pub use dmarc::Dmarc;
pub use mx::Mx;
pub use servers::ResolverError;
pub use spf::Spf;
pub use watch::{List, Look, Question};

use crate::config::{NameServer, Wire};
use crate::edge::dial::Dialer;
use servers::Servers;

/// One question, with all its retries, ends by then.
const DEADLINE: Duration = Duration::from_secs(8);
/// Texts of records are cut to this many characters.
const SHOWN: usize = 300;

/// Asks the system's name servers, or those that are named. Cheap to clone.
#[derive(Clone)]
pub struct Resolver {
    servers: Servers,
    /// What fetches policies.
    dialer: Dialer,
    /// Seconds for which the answers so far hold, all of them: the least.
    holds: Arc<AtomicU32>,
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resolver")
    }
}

/// A question that got no answer. It says nothing about the domain.
#[derive(Debug, thiserror::Error)]
#[error("asking for {kind} of `{name}`: {why}")]
pub struct LookUpError {
    kind: &'static str,
    name: String,
    why: Why,
}

impl LookUpError {
    /// Whether nobody was asked, because there is no such name.
    pub(super) const fn is_no_name(&self) -> bool {
        matches!(self.why, Why::NotAName)
    }

    /// Why there was no answer, without the name that was asked for.
    pub(super) fn reason(&self) -> String {
        match &self.why {
            Why::NotAName | Why::Late => self.why.to_string(),
            Why::Failed(NetError::Dns(DnsError::ResponseCode(code))) => format!("the name server says: {code}"),
            Why::Failed(_) => "the name server could not be asked".to_owned(),
        }
    }
}

/// Why there was no answer.
#[derive(Debug, thiserror::Error)]
enum Why {
    /// The domain cannot be put in a question.
    #[error("it is not a domain name")]
    NotAName,
    /// Nothing came in time.
    #[error("the name server did not answer in {} s", DEADLINE.as_secs())]
    Late,
    /// The server would not or could not say.
    #[error("{0}")]
    Failed(#[source] NetError),
}

impl Resolver {
    /// A resolver that asks `server`, or the system's name servers.
    ///
    /// # Errors
    /// If the system's configuration cannot be read.
    pub fn new(server: Option<SocketAddr>) -> Result<Self, ResolverError> {
        Self::asking(&server.map_or(NameServer::System, NameServer::from), &Wire::default())
    }

    /// A resolver that asks these; of [`NameServer::Off`] the system's. Answers are kept for as long as they hold.
    ///
    /// # Errors
    /// If the system's configuration, or its authorities, cannot be read.
    pub fn asking(server: &NameServer, wire: &Wire) -> Result<Self, ResolverError> {
        Self::with(server, wire, true)
    }

    /// The same, which keeps no answer: what has changed is to be seen at once.
    ///
    /// # Errors
    /// As [`Resolver::asking`].
    pub fn forgetful(server: &NameServer, wire: &Wire) -> Result<Self, ResolverError> {
        Self::with(server, wire, false)
    }

    fn with(server: &NameServer, wire: &Wire, cached: bool) -> Result<Self, ResolverError> {
        let dialer = Dialer::new(wire).map_err(ResolverError::Authorities)?;
        Ok(Self { servers: Servers::new(server, dialer.clone(), cached)?, dialer, holds: Arc::new(AtomicU32::new(u32::MAX)) })
    }

    /// Where mail for `domain` goes.
    ///
    /// # Errors
    /// If there was no answer.
    pub async fn mx(&self, domain: &str) -> Result<Mx, LookUpError> {
        mx::find(self, domain).await
    }

    /// Who may send for `domain`, by SPF.
    ///
    /// # Errors
    /// If there was no answer.
    pub async fn spf(&self, domain: &str) -> Result<Spf, LookUpError> {
        Ok(spf::read(self.texts("SPF", domain).await?))
    }

    /// What receivers are asked to do with mail of `domain` that fails; from the domain or, if it says nothing, those above it.
    ///
    /// # Errors
    /// If there was no answer.
    pub async fn dmarc(&self, domain: &str) -> Result<Dmarc, LookUpError> {
        dmarc::find(self, domain).await
    }

    /// The keys that `domain` signs with, under each of `selectors`.
    ///
    /// # Errors
    /// If one of the questions got no answer.
    pub async fn dkim(&self, domain: &str, selectors: &[&str]) -> Result<Dkim, LookUpError> {
        dkim::find(self, domain, selectors).await
    }

    /// Every TXT record of `name`, its strings joined; none if there are none.
    async fn texts(&self, kind: &'static str, name: &str) -> Result<Vec<String>, LookUpError> {
        let records = self.records(kind, name, RecordType::TXT).await?;
        let texts = records.into_iter().filter_map(|data| if let RData::TXT(text) = data { Some(text.txt_data.concat()) } else { None });
        Ok(texts.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect())
    }

    /// An answer holds for so many seconds.
    fn hold(&self, secs: u32) {
        self.holds.fetch_min(secs, Ordering::Relaxed);
    }

    /// Every record of a type; none if the name, or a record of this type, does not exist.
    async fn records(&self, kind: &'static str, name: &str, record: RecordType) -> Result<Vec<RData>, LookUpError> {
        let failed = |why| LookUpError { kind, name: shown(name), why };
        let bare = name.strip_suffix('.').unwrap_or(name);
        if bare.is_empty() || bare.len() > 253 || bare.split('.').any(|label| label.is_empty() || label.len() > 63) {
            return Err(failed(Why::NotAName));
        }
        // The dot at the end keeps the system's search list out of it.
        let asked = async { self.servers.reach().await?.lookup(format!("{bare}."), record).await };
        match tokio::time::timeout(DEADLINE, asked).await {
            Err(_elapsed) => Err(failed(Why::Late)),
            Ok(Ok(found)) => {
                found.answers().iter().for_each(|answer| self.hold(answer.ttl));
                Ok(found.answers().iter().filter(|r| r.record_type() == record).map(|r| r.data.clone()).collect())
            }
            Ok(Err(NetError::Dns(DnsError::NoRecordsFound(none)))) => {
                none.negative_ttl.iter().for_each(|ttl| self.hold(*ttl));
                Ok(Vec::new())
            }
            Ok(Err(NetError::Timeout)) => Err(failed(Why::Late)),
            Ok(Err(error)) => Err(failed(Why::Failed(error))),
        }
    }
}

/// `text` fit for a terminal: cut, with control characters escaped.
fn shown(text: &str) -> String {
    let cut: String = text.chars().take(SHOWN).collect();
    let more = if cut.len() < text.len() { "…" } else { "" };
    let plain: String = cut.chars().flat_map(|c| if c.is_control() { c.escape_unicode().collect::<Vec<_>>() } else { vec![c] }).collect();
    plain + more
}

/// The tags of a `tag=value; …` record (RFC 6376 3.2), in order; without spaces around.
fn tags(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split(';').filter_map(|part| part.split_once('=')).map(|(tag, value)| (tag.trim(), value.trim()))
}
