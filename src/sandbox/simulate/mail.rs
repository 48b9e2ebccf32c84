//! What the mail of a world says of itself: the same of a provider's every mail, unless something breaks.

use std::fmt::Write as _;
use std::net::IpAddr;

use serde::Deserialize;

use super::text::Duration;
use super::trouble::{Harm, Trouble};
use crate::config::ExpectedMail;
use crate::model::{At, Check, Claim, Examination, Finding, Mark, Method, Name, Part, Placement, Route, Span, Stranger};

/// The mail of a canary that is sent at `now`, and leaves by `sender`.
pub(super) fn examined(route: &Route, sender: IpAddr, now: At, placement: Placement, troubles: &[Trouble]) -> Examination {
    let provider = &route.provider;
    let mark = |part, value: String| Mark { part, value };
    let mut marks = vec![
        mark(Part::From, "no-reply@example.com".to_owned()),
        mark(Part::ReturnPath, format!("bounces.{provider}.example")),
        mark(Part::DkimDomain, "example.com".to_owned()),
        mark(Part::DkimSelector, format!("{provider}._domainkey.example.com")),
        mark(Part::MessageId, format!("{provider}.example")),
        mark(Part::Network, format!("{provider}.example")),
        mark(Part::Link, "example.com".to_owned()),
    ];
    let mut failed: Vec<Method> = Vec::new();
    for trouble in troubles.iter().filter(|t| t.is_on(now)) {
        if let Harm::Foreign(culprit, foreign) = &trouble.harm
            && culprit.covers(route)
        {
            // A mail comes from one network; addresses and links stand beside the others.
            marks.retain(|mark| mark.part != foreign.part || matches!(foreign.part, Part::Header | Part::Address | Part::Link));
            marks.push(foreign.clone());
        }
        if let Harm::Fails(culprit, method) = &trouble.harm
            && culprit.covers(route)
        {
            failed.push(*method);
        }
    }
    let checks = [Method::Spf, Method::Dkim, Method::Dmarc].map(|method| {
        let failed = failed.contains(&method) || method == Method::Dmarc && failed.contains(&Method::Dkim);
        let finding = if failed { Finding::Fail } else { Finding::Pass };
        Check { method, finding, by_receiver: false, why: if failed { "example.com".to_owned() } else { String::new() } }
    });
    let filter = if placement == Placement::Junk { vec!["X-Spam-Flag: YES".to_owned()] } else { Vec::new() };
    Examination { marks, checks: checks.into(), sender: Some(sender), filter, ..Examination::default() }
}

/// A mail that nobody sent.
pub(super) fn stranger(claim: Claim, from: String, number: u64, arrived_at: At) -> Stranger {
    let (placement, copy) = (Placement::Inbox, Some(format!("INBOX/1/{number}")));
    Stranger {
        from,
        names: None,
        nameless: false,
        cut: false,
        subject: "Reset your password".to_owned(),
        placement,
        arrived_at,
        claim,
        to: None,
        copy,
        rule: None,
        via: Vec::new(),
        marks: Vec::new(),
        ours: Vec::new(),
        account: Vec::new(),
    }
}

/// A mail that the company sends to all its customers again and again, a seed among them: it is no canary, and it is expected.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recurring {
    /// Where it comes to.
    pub inbox: Name,
    provider: Name,
    from: String,
    subject: String,
    every: Duration,
    /// Who of the company's stands in it.
    #[serde(default)]
    ours: Vec<Mark>,
    /// Who else does.
    #[serde(default)]
    marks: Vec<Mark>,
}

impl Recurring {
    /// Between two of them.
    #[must_use]
    pub const fn every(&self) -> Span {
        self.every.0
    }

    /// Over which provider it comes to which inbox, if it were of this stream.
    pub(in crate::sandbox) fn route(&self, stream: &Name) -> Route {
        Route { provider: self.provider.clone(), stream: stream.clone(), inbox: self.inbox.clone() }
    }

    /// Its `[[expected_mail]]`.
    pub(in crate::sandbox) fn configure(&self, toml: &mut String) {
        let quoted = |text: &str| toml_edit::Value::from(text).to_string();
        let _ = write!(toml, "[[expected_mail]]\nfrom = {}\nsubject = {}\n", quoted(&self.from), quoted(&self.subject));
    }

    /// The one that comes at this time.
    pub(super) fn at(&self, at: At, troubles: &[Trouble]) -> Stranger {
        let (from, subject) = (vec![self.from.to_lowercase()], Some(self.subject.to_lowercase()));
        let mut mail = stranger(Claim::Allowed, self.from.clone(), u64::try_from(at.as_ms()).unwrap_or_default(), at);
        mail.subject.clone_from(&self.subject);
        mail.rule = Some(ExpectedMail { from, subject, inbox: Vec::new() }.words());
        mail.via.push(self.provider.clone());
        mail.ours = [Mark { part: Part::From, value: self.from.clone() }].into_iter().chain(self.ours.iter().cloned()).collect();
        mail.marks = self.marks.clone();
        for part in [Part::ReturnPath, Part::MessageId] {
            let host = if part == Part::ReturnPath { "bounces." } else { "" };
            mail.marks.push(Mark { part, value: format!("{host}{}.example", self.provider) });
        }
        for trouble in troubles.iter().filter(|t| t.is_on(at)) {
            if let Harm::ForeignRecurring(culprit, foreign) = &trouble.harm
                && culprit.covers(&self.route(&self.provider))
            {
                // An author is one; whoever else is named stands beside the others.
                mail.ours.retain(|mark| mark.part != foreign.part);
                mail.marks.push(foreign.clone());
            }
        }
        mail
    }
}
