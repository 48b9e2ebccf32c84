//! One question of the watch: which records are asked for. What they mean is said by [`crate::records`].

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use trust_dns_resolver::proto::rr::{RData, RecordType};

use super::dmarc::walk;
use super::{LookUpError, Resolver};
use crate::config::{Blocklist, Secret};
use crate::model::{Answer, Found, Span, Subject, Topic};
use crate::records::{Ask, Walk, chain, exchanges, key, listing, names_of, policy, question, reversed, tls_rpt};

/// One subject, with all that is asked for it, ends by then.
const DEADLINE: Duration = Duration::from_secs(45);
/// Names of one address that are looked at.
const NAMES: usize = 10;

/// A blocklist, and the key that it is asked with.
#[derive(Clone, Debug)]
pub struct List {
    /// Its settings.
    pub settings: Blocklist,
    /// A label that says who asks.
    pub key: Option<Secret>,
}

/// What is asked about.
#[derive(Clone, Debug)]
pub struct Question {
    /// What, and of what.
    pub subject: Subject,
    /// The list that is asked, where one is.
    pub list: Option<List>,
    /// Addresses of which it is asked whether they may send: of SPF.
    pub hosts: Vec<IpAddr>,
}

/// How a question ended.
#[derive(Clone, Debug)]
pub struct Look {
    /// What was answered.
    pub found: Found,
    /// For how long the answer may be kept, by whoever gave it: the shortest of all that was asked. None where nobody said.
    pub holds: Option<Span>,
}

impl Resolver {
    /// Asks one question; takes 45 s at most. What no name server answers is [`Found::Unknown`].
    pub async fn look(&self, question: &Question) -> Look {
        let mine = Self { holds: Arc::new(AtomicU32::new(u32::MAX)), ..self.clone() };
        let found = match tokio::time::timeout(DEADLINE, mine.find(question)).await {
            Ok(Ok(found)) => found,
            Ok(Err(error)) => Found::Unknown(error.to_string()),
            Err(_elapsed) => Found::Unknown(format!("not answered within {} s", DEADLINE.as_secs())),
        };
        let holds = mine.holds.load(Ordering::Relaxed);
        Look { found, holds: (holds < u32::MAX).then(|| Span::from_secs(u64::from(holds))) }
    }

    async fn find(&self, question: &Question) -> Result<Found, LookUpError> {
        let name = question.subject.name.as_str();
        let answer = match question.subject.topic {
            Topic::Spf => self.sender_policy(name, &question.hosts).await?,
            Topic::Dkim => key(&self.texts("DKIM", name).await?),
            Topic::Dmarc => self.message_policy(name).await?,
            Topic::Mx => self.exchangers(name).await?,
            Topic::Reverse => self.reverse(name).await?,
            Topic::MtaSts => return self.transport_policy(name).await,
            Topic::TlsRpt => tls_rpt(&self.texts("TLS-RPT", &format!("_smtp._tls.{name}")).await?),
            Topic::Dnssec => self.zone(name).await?,
            Topic::Listed => return self.listed(question).await,
        };
        Ok(Found::Answer(answer))
    }

    async fn sender_policy(&self, domain: &str, hosts: &[IpAddr]) -> Result<Answer, LookUpError> {
        let mut walk = Walk::new(domain, &self.texts("SPF", domain).await?).seen(hosts);
        while let Some(ask) = walk.next() {
            let answered = match &ask {
                Ask::Texts(name) => self.texts("SPF", name).await,
                Ask::Addresses(name) => self.addresses(name).await.map(|all| all.iter().map(ToString::to_string).collect()),
                Ask::Mx(name) => self.hosts(name).await.map(|all| all.into_iter().map(|(_, host)| host).collect()),
            };
            match answered {
                Ok(answer) => walk.take(&answer),
                // What is no name has no records.
                Err(error) if error.is_no_name() => walk.take(&[]),
                Err(error) => return Err(error),
            }
        }
        Ok(walk.answer())
    }

    async fn message_policy(&self, domain: &str) -> Result<Answer, LookUpError> {
        for at in walk(domain) {
            if let Some(answer) = policy(domain, &at, &self.texts("DMARC", &format!("_dmarc.{at}")).await?) {
                return Ok(answer);
            }
        }
        Ok(Answer::absent())
    }

    async fn exchangers(&self, domain: &str) -> Result<Answer, LookUpError> {
        let hosts = self.hosts(domain).await?;
        let has_address = hosts.is_empty() && !self.addresses(domain).await?.is_empty();
        Ok(exchanges(&hosts, has_address))
    }

    /// The hosts that mail for a domain goes to, each with its preference.
    pub(super) async fn hosts(&self, domain: &str) -> Result<Vec<(u16, String)>, LookUpError> {
        let host = |data| if let RData::MX(mx) = data { Some((mx.preference, mx.exchange.to_ascii())) } else { None };
        Ok(self.records("MX", domain, RecordType::MX).await?.into_iter().filter_map(host).collect())
    }

    /// The names of an address; each is asked whether it leads back.
    async fn reverse(&self, address: &str) -> Result<Answer, LookUpError> {
        let Ok(address) = address.parse::<IpAddr>() else { return Ok(Answer::absent()) };
        let zone = if address.is_ipv4() { "in-addr.arpa" } else { "ip6.arpa" };
        let records = self.records("PTR", &format!("{}.{zone}", reversed(address)), RecordType::PTR).await?;
        let mut names = Vec::new();
        for data in records.into_iter().take(NAMES) {
            let RData::PTR(name) = data else { continue };
            let name = name.0.to_ascii();
            let leads = match self.addresses(&name).await {
                Ok(addresses) => addresses.contains(&address),
                Err(error) if error.is_no_name() => false,
                Err(error) => return Err(error),
            };
            names.push((name, leads));
        }
        Ok(names_of(&names))
    }

    /// The keys of the zone that a domain is in, and what the zone above says of them.
    async fn zone(&self, domain: &str) -> Result<Answer, LookUpError> {
        for apex in walk(domain) {
            let keys = self.records("DNSKEY", &apex, RecordType::DNSKEY).await?;
            let ds = self.records("DS", &apex, RecordType::DS).await?;
            if !keys.is_empty() || !ds.is_empty() {
                let bytes = |all: Vec<RData>| all.into_iter().filter_map(bytes).collect::<Vec<_>>();
                return Ok(chain(&apex, &bytes(ds), &bytes(keys)));
            }
        }
        Ok(chain(domain, &[], &[]))
    }

    async fn listed(&self, asked: &Question) -> Result<Found, LookUpError> {
        let Some(List { settings, key }) = &asked.list else { return Ok(Found::Unknown("the blocklist is not configured".to_owned())) };
        let name = question(&asked.subject.name, key.as_ref().map(Secret::expose), &settings.zone);
        // The name may have the key in it: what went wrong is told without it.
        let told = |error: &LookUpError| Found::Unknown(format!("`{}` did not answer: {}", settings.zone, error.reason()));
        let codes = match self.records("a listing", &name, RecordType::A).await {
            Ok(records) => records,
            Err(error) => return Ok(told(&error)),
        };
        let codes: Vec<Ipv4Addr> = codes.into_iter().filter_map(|data| if let RData::A(a) = data { Some(a.0) } else { None }).collect();
        let texts = if codes.is_empty() { Vec::new() } else { self.texts("a listing", &name).await.unwrap_or_default() };
        Ok(listing(settings, &codes, &texts))
    }

    /// The addresses of a name, of either family.
    pub(super) async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, LookUpError> {
        let (v4, v6) = tokio::join!(self.records("an address", name, RecordType::A), self.records("an address", name, RecordType::AAAA));
        Ok(v4?.iter().chain(&v6?).filter_map(RData::ip_addr).collect())
    }
}

/// A record that the resolver does not read, as it stood in the message.
fn bytes(data: RData) -> Option<Vec<u8>> {
    if let RData::Unknown { rdata, .. } = data { Some(rdata.anything) } else { None }
}
