//! What the mail of a world says of itself: the same of a provider's every mail, unless something breaks.

use std::net::IpAddr;

use super::trouble::{Harm, Trouble};
use crate::model::{At, Check, Claim, Examination, Finding, Mark, Method, Part, Placement, Route, Stranger};

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
        subject: "Reset your password".to_owned(),
        placement,
        arrived_at,
        claim,
        to: None,
        copy,
        rule: None,
        via: Vec::new(),
        marks: Vec::new(),
        account: Vec::new(),
    }
}
