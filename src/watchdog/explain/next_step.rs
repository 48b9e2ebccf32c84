//! What to do first, for who is woken at night: by what is known most exactly of a failure. What its answer gives away beats the class of a
//! refusal, and what a provider says of its canaries beats the mere name of the culprit.

use super::others::{is_anybody_well, meets};
use crate::model::{Class, Culprit, Fate, Kind, Outcome};
use crate::watchdog::canary::Canary;
use crate::watchdog::evidence;
use crate::watchdog::judge::Finding;
use crate::watchdog::plan::Plan;
use crate::watchdog::state::State;

/// One sentence. `mismatched`: mail comes that does not look as it should.
pub(in crate::watchdog) fn next_step(plan: &Plan, state: &State, finding: &Finding, mismatched: bool) -> String {
    let spare = plan.spares(&finding.culprit, &finding.routes);
    let first = first_step(plan, state, finding, mismatched);
    let elsewhere = if spare || !stops_users(finding) || is_own(plan, &finding.culprit) || !is_anybody_well(plan, state, &finding.culprit) {
        ""
    } else {
        "; meanwhile move urgent mail to another provider"
    };
    let before = if spare { "no failover to it before it delivers again; " } else { "" };
    format!("{before}{first}{elsewhere}")
}

/// Whether what users wait for has to take another way meanwhile.
fn stops_users(finding: &Finding) -> bool {
    let of_provider = matches!(finding.culprit, Culprit::Provider(_) | Culprit::Stream(..));
    of_provider && finding.kind != Kind::Junked && !finding.is_of_seed()
}

/// Whether it is an application of our own: nobody else can be asked, and no other takes its place.
fn is_own(plan: &Plan, culprit: &Culprit) -> bool {
    matches!(culprit, Culprit::Provider(provider) | Culprit::Stream(provider, _) | Culprit::Path(provider, _) if plan.is_own(provider))
}

fn first_step(plan: &Plan, state: &State, finding: &Finding, mismatched: bool) -> String {
    let of_mail = matches!(finding.kind, Kind::Stopped | Kind::Loss | Kind::Slow);
    if mismatched && of_mail {
        return "mail comes, but not as it should: look at one in the inbox and at the application that sends it; if it is meant to be so, change what is expected of it".to_owned();
    }
    if let Some(class) = finding.class.filter(|_| of_mail || finding.kind == Kind::Refused) {
        let first = hint(plan, state, finding, class).unwrap_or_else(|| of_class(plan, finding, class));
        let closed = matches!(class, Class::Suspended | Class::Auth | Class::Sender | Class::Policy);
        return and_who_else(&first, break_in(state, finding).filter(|_| closed));
    }
    if finding.kind == Kind::Junked {
        return "read what the receiver's filter wrote (`filters` in the evidence; on the page of a canary in Junk): it says what counts against the mail; if it wrote nothing, see Authentication-Results in the headers (`mailcanary incident evidence` has some)".to_owned();
    }
    if is_own(plan, &finding.culprit) {
        return "look into your application's log and mail queue for the requests of these canaries: it took them, and no mail with their token came. If a mail came without its token, the template does not show it".to_owned();
    }
    let told = evidence::said(plan, state, &finding.routes).first().and_then(|(_, said)| of_fate(said.fate));
    let told = told.filter(|_| finding.culprit != (Culprit::Watcher {}));
    match (told, break_in(state, finding)) {
        (Some(told), which) => and_who_else(told, which),
        (None, Some(which)) => {
            format!(
                "ask the provider's support whether it has suspended the account: somebody else may be in it ({which}); revoke its keys"
            )
        }
        (None, None) => place(plan, finding).unwrap_or_else(|| of_culprit(&finding.culprit).to_owned()),
    }
}

/// Where it shows that one provider and one inbox meet: either may be the reason.
fn place(plan: &Plan, finding: &Finding) -> Option<String> {
    let ((Culprit::Path(provider, inbox), _)
    | (Culprit::Provider(provider) | Culprit::Stream(provider, _), Some(Culprit::Inbox(inbox)))
    | (Culprit::Inbox(inbox), Some(Culprit::Provider(provider)))) = (finding.culprit.clone(), meets(plan, finding))
    else {
        return None;
    };
    Some(format!(
        "it shows where provider `{provider}` and inbox `{inbox}` meet: ask `{provider}` what became of the canaries named here, and whoever runs `{inbox}` whether it drops or delays mail of `{provider}`"
    ))
}

/// What to do first, and what that must not let forget.
fn and_who_else(first: &str, which: Option<String>) -> String {
    let who = which.map_or_else(String::new, |which| format!("; somebody else may be in the account ({which}): revoke its keys"));
    format!("{first}{who}")
}

/// A provider that is silent after foreign values stood in its mail, or mail that nobody sent came through it, may have closed an account that
/// somebody else was in: the incidents that say so.
fn break_in(state: &State, finding: &Finding) -> Option<String> {
    let provider = finding.culprit.parts().0.filter(|_| matches!(finding.kind, Kind::Stopped | Kind::Refused))?;
    let strange = |kind: Kind| matches!(kind, Kind::Identity | Kind::UnexpectedMail);
    let open = state.open().map(|i| &i.shown).filter(|shown| strange(shown.kind) && shown.culprit.parts().0 == Some(provider));
    let before: Vec<String> = open.take(2).map(|shown| shown.incident.to_string()).collect();
    match &*before {
        [] => None,
        [one] => Some(format!("incident {one}")),
        [one, two, ..] => Some(format!("incidents {one} and {two}")),
    }
}

/// What the newest refusal gives away besides its class.
fn hint(plan: &Plan, state: &State, finding: &Finding, class: Class) -> Option<String> {
    let routes = finding.routes.iter().filter(|slot| **slot < plan.routes.len()).filter_map(|slot| state.routes.get(*slot));
    let refused = |c: &&Canary| c.outcome() == Some(Outcome::Refused(class));
    let newest = routes.filter_map(|r| Some((r, r.canaries.iter().rev().find(refused)?))).max_by_key(|(_, c)| c.sent_at());
    newest.and_then(|(r, c)| r.canaries.hint(c)).map(str::to_owned)
}

fn of_class(plan: &Plan, finding: &Finding, class: Class) -> String {
    let first = match class {
        // Everybody is refused there: it is nobody's account.
        Class::Policy | Class::Permanent | Class::Transient | Class::Rate | Class::Unknown
            if matches!(finding.culprit, Culprit::Inbox(_)) =>
        {
            "read the reply and log in to the mailbox: is it full, disabled or filtered? If not, ask whoever runs its server why it takes mail from no provider"
        }
        Class::Suspended => {
            "log in to the provider's console and read what it wrote to the account's owner: the account, its key or its domain may not send; open a ticket"
        }
        Class::Auth => "check whether the key or password was changed, revoked or has expired, and configure the new one",
        Class::Quota => {
            "see in the provider's console what is used up or unpaid: pay, buy credits or raise the plan, unless it renews soon"
        }
        Class::Sender => {
            "check in the provider's console that the sender's address and domain are verified, and that their DNS records still stand"
        }
        Class::Policy => {
            "read the reply: it says whether the mail's content, the sender's SPF, DKIM or DMARC, or this host's address is refused; mend that one"
        }
        Class::Permanent => {
            "read the reply: it names what is not taken; undo what was changed last here or in the provider's console, and if nothing was, send the reply to its support"
        }
        Class::Rate => {
            "see in the provider's console what else sends through this account now, and slow it down; if nothing does, raise `every`, or ask the provider for a higher rate"
        }
        Class::Transient => "look at the provider's status page: it takes no mail at the moment, and mailcanary goes on trying",
        Class::Unknown => "find out what answers in the provider's place: check its address in the configuration, and any proxy on the way",
        Class::Network if finding.culprit == (Culprit::Watcher {}) => of_culprit(&finding.culprit),
        Class::Network => {
            "connect to the provider's host by hand, from here and from another network: if only this host fails, it is its network"
        }
        Class::Tls => "look at the certificate that the provider's host presents, and at this host's clock and `ca_file`",
        Class::Recipient => "check that the seeded mailbox exists and is not disabled: users are not affected",
        Class::Suppressed => {
            let list = finding.routes.first().and_then(|slot| plan.routes.get(*slot)).map(|r| plan.suppression_list(&r.route.provider));
            let known = |list: &&str| finding.is_of_seed() && !list.is_empty();
            let place = list.filter(known).map_or_else(String::new, |list| format!("; where: {list}"));
            return format!("take the seed's address off the provider's suppression list: users are not affected{place}");
        }
    };
    first.to_owned()
}

/// By what the provider says of what it took; nothing if it does not say.
const fn of_fate(fate: Fate) -> Option<&'static str> {
    match fate {
        Fate::Blind => None,
        Fate::Vanished => Some(
            "log in to the provider's console: it took the canaries and knows nothing of them, as suspended accounts do; open a ticket with their ids",
        ),
        Fate::Stuck => {
            Some("log in to the provider's console: it holds the mail; look for a suspension or a limit, and at its status page")
        }
        Fate::Deferred => {
            Some("read the receiver's words: it puts the mail off; ask the provider whether its addresses are listed or throttled there")
        }
        Fate::HandedOff => Some(
            "look in the mailbox and its service's quarantine, filters and rules: the receiver took the mail; ask its support with the ids",
        ),
        Fate::Bounced => Some("read the bounce in the provider's words: it names who refused the mail and why"),
        Fate::Suppressed => Some("take the seed's address off the provider's suppression list"),
    }
}

const fn of_culprit(culprit: &Culprit) -> &'static str {
    match culprit {
        Culprit::Provider(_) | Culprit::Stream(..) => {
            "look in the provider's console, or ask its support, what became of the canaries named here"
        }
        Culprit::Inbox(_) => {
            "log in to the mailbox: is it full, disabled, or filtered? Users are affected only if its whole service is down"
        }
        Culprit::Path(..) | Culprit::Route(..) => {
            "send one mail by hand over this route, and look for a filter or a block between this provider and this inbox"
        }
        Culprit::Watcher {} => {
            "check the network and the clock of the host that runs mailcanary, then what all providers have in common (DNS, the sender's domain)"
        }
    }
}
