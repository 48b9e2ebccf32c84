//! Whether a mail is what it says, checked by ourselves on the copy that arrived: SPF, DKIM, DMARC, ARC.

use std::time::Duration;

use mail_auth::dkim::Signature;
use mail_auth::spf::verify::SpfParameters;
use mail_auth::{ArcOutput, AuthenticatedMessage, DkimOutput, DkimResult, DnsError, Error, MessageAuthenticator, SpfOutput, SpfResult};
use trust_dns_resolver::proto::op::ResponseCode;

use super::{Dmarc, Resolver, shown, tags};
use crate::canary::{Envelope, without_tokens};
use crate::model::{Check, Finding, Method, organisation};

/// One mail's checks end by then, whatever the name servers do.
const DEADLINE: Duration = Duration::from_secs(10);
/// Signatures of one mail that are checked; each is a question.
const SIGNATURES: usize = 8;
/// Characters of a reason.
const WHY: usize = 200;

/// What a check found and why; or what kept it from finding anything.
type Found = (Finding, String);

impl Resolver {
    /// Checks a whole message that arrived as `envelope` says. What a name server does not answer is [`Finding::Unsure`].
    ///
    /// Takes 10 s at most. The answers are kept for as long as they hold.
    pub async fn verify(&self, message: &[u8], envelope: Option<&Envelope>) -> Vec<Check> {
        match tokio::time::timeout(DEADLINE, self.checks(message, envelope)).await {
            Ok(checks) => checks,
            Err(_elapsed) => {
                let why = || format!("no answer from a name server within {} s", DEADLINE.as_secs());
                Method::ALL.into_iter().filter(|m| *m != Method::Arc).map(|method| check(method, (Finding::Unsure, why()))).collect()
            }
        }
    }

    async fn checks(&self, message: &[u8], envelope: Option<&Envelope>) -> Vec<Check> {
        let Some(mut parsed) = AuthenticatedMessage::parse(message) else { return Vec::new() };
        parsed.dkim_headers.truncate(SIGNATURES);
        parsed.errors.truncate(SIGNATURES);
        let Ok(servers) = self.servers.reach().await else {
            let unsure = |method| check(method, (Finding::Unsure, "no name server can be reached".to_owned()));
            return [Method::Spf, Method::Dkim, Method::Dmarc].into_iter().map(unsure).collect();
        };
        let authenticator = MessageAuthenticator(servers.clone());
        let dkim = async { authenticator.verify_dkim(&parsed).await };
        let arc = async { authenticator.verify_arc(&parsed).await };
        let (dkim, arc, spf) = tokio::join!(dkim, arc, spf(&authenticator, envelope));
        let mut checks = Vec::new();
        checks.extend(spf.as_ref().map(|(found, _)| check(Method::Spf, found.clone())));
        if dkim.is_empty() {
            checks.push(check(Method::Dkim, (Finding::None, "it is not signed".to_owned())));
        }
        checks.extend(dkim.iter().map(|output| check(Method::Dkim, of_dkim(output))));
        let aligned = Aligned { dkim: &dkim, spf: spf.as_ref().map(|(_, output)| output), mail_from: envelope.map_or("", domain_of) };
        checks.push(check(Method::Dmarc, self.aligned(&parsed.from, &aligned).await));
        checks.extend(of_arc(&arc).map(|found| check(Method::Arc, found)));
        checks
    }

    /// Whether a check that passed is of the domain in From, by the rules that this domain states (RFC 7489 3.1).
    async fn aligned(&self, from: &[String], found: &Aligned<'_>) -> Found {
        let mut domains: Vec<&str> = from.iter().filter_map(|address| address.rsplit_once('@')).map(|(_, domain)| domain).collect();
        domains.dedup();
        let [domain] = *domains else { return (Finding::None, "From names no domain, or several".to_owned()) };
        let text = match self.dmarc(domain).await {
            Ok(Dmarc::Policy { text, .. }) => text,
            Ok(other @ (Dmarc::Broken { .. } | Dmarc::Several { .. } | Dmarc::Absent)) => {
                return (Finding::None, format!("{domain}: {other}"));
            }
            Err(error) => return (Finding::Unsure, error.to_string()),
        };
        let strict = |tag: &str| tags(&text).any(|(name, value)| name == tag && value.eq_ignore_ascii_case("s"));
        found.with(domain, strict("adkim"), strict("aspf"))
    }
}

/// What was checked, to be held against the domain in From.
struct Aligned<'a> {
    dkim: &'a [DkimOutput<'a>],
    spf: Option<&'a SpfOutput>,
    mail_from: &'a str,
}

impl Aligned<'_> {
    fn with(&self, domain: &str, strict_dkim: bool, strict_spf: bool) -> Found {
        let is_of = |other: &str, strict: bool| {
            let (other, domain) = (other.to_ascii_lowercase(), domain.to_ascii_lowercase());
            other == domain || (!strict && organisation(&other) == organisation(&domain))
        };
        let signed = |finding: Finding| {
            let all = self.dkim.iter().filter(|output| of_result(output.result(), "").0 == finding);
            all.filter_map(DkimOutput::signature).any(|signature| is_of(&signature.d, strict_dkim))
        };
        let spf = self.spf.filter(|_| is_of(self.mail_from, strict_spf)).map(SpfOutput::result);
        if signed(Finding::Pass) {
            (Finding::Pass, format!("a signature that holds is of {domain}"))
        } else if spf == Some(SpfResult::Pass) {
            (Finding::Pass, format!("the sending host is allowed by {domain}"))
        } else if signed(Finding::Unsure) || spf == Some(SpfResult::TempError) {
            (Finding::Unsure, format!("what is of {domain} could not be checked"))
        } else {
            (Finding::Fail, format!("neither a signature that holds nor an allowed host is of {domain}"))
        }
    }
}

async fn spf(authenticator: &MessageAuthenticator, envelope: Option<&Envelope>) -> Option<(Found, SpfOutput)> {
    let envelope = envelope?;
    let return_path = envelope.return_path.as_deref()?;
    // A report has no sender: what is asked about is the host's own name (RFC 7208 2.4).
    let parameters = if return_path.is_empty() {
        SpfParameters::verify_ehlo(envelope.address, &envelope.helo, &envelope.by)
    } else {
        SpfParameters::verify_mail_from(envelope.address, &envelope.helo, &envelope.by, return_path)
    };
    let output = authenticator.verify_spf(parameters).await;
    let finding = match output.result() {
        SpfResult::Pass => Finding::Pass,
        SpfResult::Fail | SpfResult::SoftFail | SpfResult::PermError => Finding::Fail,
        SpfResult::Neutral | SpfResult::None => Finding::None,
        SpfResult::TempError => Finding::Unsure,
    };
    let said = match output.result() {
        SpfResult::Pass => "may send for",
        SpfResult::Fail => "may not send for",
        SpfResult::SoftFail => "probably may not send for",
        SpfResult::PermError => "cannot be looked up in the faulty record of",
        SpfResult::Neutral => "is neither allowed nor forbidden by",
        SpfResult::None => "is in no record of",
        SpfResult::TempError => "could not be looked up at",
    };
    Some(((finding, format!("{} {said} {}", envelope.address, output.domain())), output))
}

fn domain_of(envelope: &Envelope) -> &str {
    let path = envelope.return_path.as_deref().unwrap_or_default();
    path.rsplit_once('@').map_or(envelope.helo.as_str(), |(_, domain)| domain)
}

fn of_dkim(output: &DkimOutput<'_>) -> Found {
    let of = output.signature().map_or_else(|| "a signature".to_owned(), signature);
    of_result(output.result(), &of)
}

fn signature(signature: &Signature) -> String {
    format!("the signature of {} (selector {})", signature.d, signature.s)
}

fn of_arc(output: &ArcOutput<'_>) -> Option<Found> {
    (*output.result() != DkimResult::None).then(|| of_result(output.result(), "the chain of those who passed it on"))
}

/// A signature that is there and does not hold has failed, whatever the reason; except that nobody could be asked.
fn of_result(result: &DkimResult, of: &str) -> Found {
    match result {
        DkimResult::Pass => (Finding::Pass, format!("{of} holds")),
        DkimResult::None => (Finding::None, format!("there is not {of}")),
        DkimResult::Neutral(error) | DkimResult::Fail(error) | DkimResult::PermError(error) | DkimResult::TempError(error) => {
            let unsure = is_no_answer(error);
            (if unsure { Finding::Unsure } else { Finding::Fail }, format!("{of}: {}", reason(error)))
        }
    }
}

/// Whether an error is that of a name server, and says nothing of the mail.
fn is_no_answer(error: &Error) -> bool {
    match error {
        Error::Dns(DnsError::Resolver(_)) => true,
        Error::Dns(DnsError::RecordNotFound(code)) => !matches!(code, ResponseCode::NXDomain | ResponseCode::NoError),
        Error::Dns(DnsError::InvalidRecordType)
        | Error::ParseError
        | Error::MissingParameters
        | Error::NoHeadersFound
        | Error::Base64
        | Error::NotAligned
        | Error::Io(_)
        | Error::Crypto(_)
        | Error::Dkim(_)
        | Error::Arc(_)
        | Error::Dkim2(_) => false,
    }
}

fn reason(error: &Error) -> String {
    if *error == Error::Dns(DnsError::InvalidRecordType) {
        return "there is no valid key".to_owned();
    }
    let absent = matches!(error, Error::Dns(DnsError::RecordNotFound(ResponseCode::NXDomain | ResponseCode::NoError)));
    if absent { "there is no key".to_owned() } else { error.to_string() }
}

fn check(method: Method, (finding, why): Found) -> Check {
    let why = without_tokens(&shown(&why));
    Check { method, finding, by_receiver: false, why: why.chars().take(WHY).collect() }
}
