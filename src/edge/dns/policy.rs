//! The policy of MTA-STS (RFC 8461 3.3): fetched from the one host that may say it, over HTTPS, as a sender fetches it. What it means is said by
//! [`crate::records`].

use std::net::IpAddr;
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Response, StatusCode};

use super::{LookUpError, Resolver};
use crate::edge::dial::DialError;
use crate::model::{Class, Found};
use crate::records::{mta_sts, sts_policy};

/// RFC 8461 3.3: senders should not take more than 64 KiB…
const LONGEST: usize = 64 << 10;
/// …and may give up after a minute; a host that takes so long is no use to a queue of mail.
const DEADLINE: Duration = Duration::from_secs(20);
/// Addresses that are tried.
const ADDRESSES: usize = 8;

/// Why there is no policy.
enum Missing {
    /// The domain's fault: what senders get is none.
    Theirs(String),
    /// It could not be asked, or not now: that says nothing.
    Ours(String),
}

impl Resolver {
    /// The record of MTA-STS and, where that stands, the policy and the hosts that it has to name.
    pub(super) async fn transport_policy(&self, domain: &str) -> Result<Found, LookUpError> {
        let record = mta_sts(&self.texts("MTA-STS", &format!("_mta-sts.{domain}")).await?);
        if !record.grade.works() {
            return Ok(Found::Answer(record));
        }
        let host = format!("mta-sts.{domain}");
        let mut addresses = self.addresses(&host).await?;
        addresses.truncate(ADDRESSES);
        let policy = if addresses.is_empty() {
            Err(Missing::Theirs(format!("`{host}` has no address")))
        } else {
            let late = || Missing::Ours(format!("`{host}` did not answer within {} s", DEADLINE.as_secs()));
            tokio::time::timeout(DEADLINE, self.fetch(&host, &addresses)).await.unwrap_or_else(|_elapsed| Err(late()))
        };
        let policy = match policy {
            Err(Missing::Ours(why)) => return Ok(Found::Unknown(format!("the policy of MTA-STS could not be fetched: {why}"))),
            Err(Missing::Theirs(why)) => Err(why),
            Ok(text) => Ok(text),
        };
        let hosts: Vec<String> = self.hosts(domain).await?.into_iter().map(|(_, host)| host).collect();
        // Without an MX, mail goes to the host of the domain's own name (RFC 5321 5.1).
        let hosts = if hosts.is_empty() { vec![domain.to_owned()] } else { hosts };
        Ok(Found::Answer(sts_policy(&record, policy.as_deref().map_err(String::as_str), &hosts)))
    }

    async fn fetch(&self, host: &str, addresses: &[IpAddr]) -> Result<String, Missing> {
        let ours = |error: DialError| Missing::Ours(error.to_string());
        let failed = |error: &reqwest::Error| {
            let error = DialError::of_http(host, error);
            let why = error.to_string();
            // Whoever cannot be reached may be reached by others; a certificate is the same for everybody.
            if error.class == Class::Tls { Missing::Theirs(why) } else { Missing::Ours(why) }
        };
        // No redirect is followed (RFC 8461 3.3): the client follows none.
        let client = self.dialer.http_at(host, addresses).map_err(ours)?;
        let answer = client.get(format!("https://{host}/.well-known/mta-sts.txt")).send().await.map_err(|e| failed(&e))?;
        let status = answer.status();
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            return Err(Missing::Ours(format!("`{host}` answers {}", status.as_u16())));
        }
        if status != StatusCode::OK {
            return Err(Missing::Theirs(format!("`{host}` answers {}", status.as_u16())));
        }
        if !is_plain(&answer) {
            return Err(Missing::Theirs(format!("`{host}` gives it as something else than `text/plain`")));
        }
        let mut whole = Vec::new();
        let mut answer = answer;
        while let Some(piece) = answer.chunk().await.map_err(|e| failed(&e))? {
            whole.extend_from_slice(&piece);
            if whole.len() > LONGEST {
                return Err(Missing::Theirs(format!("it is longer than {LONGEST} bytes")));
            }
        }
        Ok(String::from_utf8_lossy(&whole).into_owned())
    }
}

/// Whether it is said to be text, or nothing is said.
fn is_plain(answer: &Response) -> bool {
    let kind = answer.headers().get(CONTENT_TYPE).map(|kind| String::from_utf8_lossy(kind.as_bytes()).to_ascii_lowercase());
    kind.is_none_or(|kind| kind.split(';').next().is_some_and(|kind| kind.trim() == "text/plain"))
}
