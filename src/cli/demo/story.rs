//! The story: normal mail, the stop, the page, the recovery.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{interval, timeout};

use super::hold::Next;
use super::pager::Page;
use super::{DemoError, line};
use crate::edge::show::facts;
use crate::model::{At, Change, Culprit, Kind, Notice, Now, Span};
use crate::sandbox::{Fault, World};
use crate::sandbox::{Inbox, Provider};

/// Canaries that must have arrived before anything is broken: what is usual has to be known.
const NORMAL: u64 = 60;
/// Who the company's mail is from: resets, and what goes out to all its customers every day, with how the subject of that begins.
pub(super) const RESETS: &str = "no-reply@example.test";
pub(super) const USAGE: &str = "usage@example.test";
pub(super) const SUBJECT: &str = "Your daily usage";
/// No part of the story takes longer, or something is wrong.
const PATIENCE: Span = Span::from_secs(90);

/// Tells it. `hold`: the outage goes on until somebody says that it may end.
pub(super) async fn tell(
    world: &World,
    now: &Now,
    pages: &mut mpsc::Receiver<Page>,
    address: Option<SocketAddr>,
    hold: bool,
) -> Result<Next, DemoError> {
    let began = now();
    let say = |text: &str| line(format_args!("[{:>6.1} s] {text}", now().since(began).as_secs_f64()));
    line("mailcanary demo: three providers, three inboxes, nine routes, a canary over each every 2 s.");
    line("Mailchimp is spoken to by its HTTP API, postmark and relay by SMTP, the inboxes by IMAP; all of it on loopback.");
    if let Some(address) = address {
        line(format_args!("Status page while this runs: http://{address}/   metrics: http://{address}/metrics"));
    }
    line("");
    let (Some(mailchimp), Some(seed)) = (world.provider("mailchimp"), world.inbox("gmail")) else { return Err(DemoError::Silent) };
    say("normal mail; and the report that the company sends every day through Mailchimp, of 4, 5 and 6 August 2022");
    (4..=6).for_each(|day| report(mailchimp, seed, day, "support@example.test"));
    let arrived = arrivals(world, NORMAL, &say).await?;
    say(&format!("{arrived} mails have arrived, canaries over all nine routes among them; no page: all is well"));
    let warning = day_before(mailchimp, seed, pages, now, &say).await?;
    mailchimp.set(Fault::SuspendSilently)?;
    let stopped = now();
    say("8 August 2022, 15:30 in New York: Mailchimp suspends the account. It says nothing, and goes on answering `queued`.");
    let (paged, page) = wait_for(pages, now, (Kind::Stopped, Change::Opened), "the page").await?;
    let detected = paged.since(stopped);
    say(&format!("PAGED, {:.1} s after the stop", detected.as_secs_f64()));
    show(&page);
    if hold && super::hold::hold(pages, address, page.data.incident).await? == Next::End {
        return Ok(Next::End);
    }
    let right = page.data.culprit == crate::model::Name::new("mailchimp").map_or(Culprit::Watcher {}, Culprit::Provider);
    mailchimp.clear();
    let released = mailchimp.release();
    let healed = now();
    say(&format!("the account is back; {released} canaries that were held arrive now"));
    let (over, page) = wait_for(pages, now, (Kind::Stopped, Change::Resolved), "the recovery").await?;
    say(&format!("RESOLVED, {:.1} s after the account was back", over.since(healed).as_secs_f64()));
    show(&page);
    let blame = if right { "mailchimp, rightly" } else { "the wrong one" };
    line(format_args!("time to detect: {:.1} s; blamed: {blame}; pages for this failure: 1", detected.as_secs_f64()));
    line(format_args!("time to see the recovery: {:.1} s", over.since(healed).as_secs_f64()));
    line("Would DigitalOcean have been warned on 7 August 2022, the day before?");
    line(format_args!("Yes, of {}, with these words: {}", super::whom(&warning.culprit), warning.summary));
    Ok(Next::Go)
}

/// The report of one day in August, which is no canary.
fn report(mailchimp: &Provider, seed: &Inbox, day: u32, answers_go_to: &str) {
    let to = seed.address();
    let mail = format!(
        "From: Example <{USAGE}>\nTo: {to}\nReply-To: {answers_go_to}\nSubject: {SUBJECT} of {day} August\nMIME-Version: 1.0\n\
         Content-Type: text/plain\n\nWhat you used: https://example.test/usage\n"
    );
    mailchimp.send(USAGE, to, &mail);
}

/// 7 August: what goes out every day carries a foreign address; canaries are as ever. Then a reset that nobody asked for. The warning.
async fn day_before(
    mailchimp: &Provider,
    seed: &Inbox,
    pages: &mut mpsc::Receiver<Page>,
    now: &Now,
    say: &impl Fn(&str),
) -> Result<Notice, DemoError> {
    let changed = now();
    report(mailchimp, seed, 7, "someone@arxxwalls.com");
    say(
        "7 August 2022: somebody else is in the account at Mailchimp. One mail, today's report, carries an address at arxxwalls.com; no canary does.",
    );
    let (warned, page) = wait_for(pages, now, (Kind::Identity, Change::Opened), "the warning").await?;
    say(&format!("WARNED, {:.1} s after that mail was sent", warned.since(changed).as_secs_f64()));
    show(&page);
    let reset = format!("From: Example <{RESETS}>\nTo: {}\nSubject: Reset your password\n\nhttps://example.test/reset\n", seed.address());
    let asked = now();
    mailchimp.send(RESETS, seed.address(), &reset);
    say("Somebody asks for password resets with addresses from the list; one that nobody asked for reaches the seed.");
    let (paged, reset) = wait_for(pages, now, (Kind::UnexpectedMail, Change::Opened), "the page of the day before").await?;
    say(&format!("PAGED, {:.1} s after it was sent, for both together", paged.since(asked).as_secs_f64()));
    show(&reset);
    Ok(page.data)
}

/// Waits until so many canaries lie in the inboxes, and says now and then how many do.
async fn arrivals(world: &World, wanted: u64, say: &impl Fn(&str)) -> Result<u64, DemoError> {
    let count = || world.inboxes().map(|i| i.counts()).map(|c| c.delivered + c.junked).sum::<u64>();
    let progress = async {
        let mut second = interval(Duration::from_secs(1));
        let mut told = 0;
        loop {
            second.tick().await;
            let arrived = count();
            if arrived >= wanted {
                return arrived;
            }
            if arrived >= told + wanted / 4 {
                told = arrived;
                say(&format!("{arrived} canaries have arrived"));
            }
        }
    };
    timeout(PATIENCE.into(), progress).await.or(Err(DemoError::Overdue("normal mail", PATIENCE)))
}

/// The notice of this kind and change. Whatever comes before it is shown.
async fn wait_for(
    pages: &mut mpsc::Receiver<Page>,
    now: &Now,
    (kind, change): (Kind, Change),
    what: &'static str,
) -> Result<(At, Page), DemoError> {
    let coming = async {
        loop {
            let page = pages.recv().await.ok_or(DemoError::Silent)?;
            if page.data.change == change && page.data.kind == kind {
                return Ok((now(), page));
            }
            show(&page);
        }
    };
    timeout(PATIENCE.into(), coming).await.or(Err(DemoError::Overdue(what, PATIENCE)))?
}

/// The page as the pager would get it.
pub(super) fn show(page: &Page) {
    show_notice(&page.timestamp, &page.data);
}

/// A notice as the pager would get it.
pub(super) fn show_notice(when: &str, notice: &Notice) {
    let rule = "─".repeat(72);
    line(&rule);
    let word = if notice.change == Change::Resolved { "RESOLVED".to_owned() } else { notice.severity.as_str().to_uppercase() };
    line(format_args!("  {word} · incident.{} · incident {} · {when}", notice.change.as_str(), notice.incident));
    line(format_args!("  {}", notice.summary));
    if notice.change != Change::Resolved {
        let left = |key: &&str| !["since", "last_good", "first_bad", "routes", "certainty", "open_too", "next_step"].contains(key);
        let keys: Vec<&str> = notice.evidence.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).filter(left).collect();
        for fact in facts(notice.kind, &notice.evidence, &keys) {
            line(format_args!("    {:<22}{}", fact.name, fact.said));
        }
    }
    line(&rule);
}
