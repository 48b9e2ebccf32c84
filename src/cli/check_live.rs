//! `check --live`: logs in everywhere, asks how accounts stand, asks the DNS, and tells every sink a test notice; sends no canary.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::stream::{self, StreamExt};

use super::mended;
use super::out::{Out, chain};
use super::progress::Progress;
use super::terminal::{Look, Paper, Tone, visible, wrap};
use crate::config::{self, Inbox, InboxKind, NameServer, Preset, Provider, SecretRef, Secrets, Settings, Signs};
use crate::edge::beat::Heartbeat;
use crate::edge::dial::Dialer;
use crate::edge::dns::{Dkim, Dmarc, LookUpError, Mx, Question, Resolver, Spf, usual_selectors};
use crate::edge::inbox::{Credentials, log_in};
use crate::edge::notify::{Origin, Sink, trial};
use crate::edge::submit::{Submitter, Unread};
use crate::model::{Class, Found, Name, Now, Outcome, Placement, Sign, Span, Subject, Topic};
use crate::watchdog::is_early;

/// Domains that are asked about at the same time.
const AT_ONCE: usize = 8;

/// How something was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// As it should be.
    Fine,
    /// Questionable, or not known.
    Warning,
    /// It cannot work.
    Failed,
}

/// One thing that was looked at.
#[derive(Debug)]
struct Finding {
    state: State,
    about: String,
    text: String,
}

impl State {
    /// The word that stands before a finding, and what it is worth.
    const fn word(self) -> (&'static str, Tone) {
        match self {
            Self::Fine => ("ok", Tone::Good),
            Self::Warning => ("warning", Tone::Warn),
            Self::Failed => ("FAILED", Tone::Bad),
        }
    }
}

/// The column in which a finding begins.
const INDENT: usize = 8;

impl Finding {
    /// The word, and what was found: in one line, or in several under each other on a terminal.
    fn print(&self, paper: Paper, out: &mut Out) {
        let (word, tone) = self.state.word();
        let (text, about) = (visible(&format!("{}: {}", self.about, self.text)), self.about.len() + 1);
        let lines = paper.width.map_or_else(|| vec![text.clone()], |most| wrap(&text, most.saturating_sub(INDENT)));
        for (at, line) in lines.iter().enumerate() {
            let word =
                if at == 0 { format!("{}{:pad$}", paper.paint(word, tone), "", pad = INDENT - word.len()) } else { " ".repeat(INDENT) };
            let line = match line.split_at_checked(about).filter(|_| at == 0) {
                Some((about, found)) => paper.paint(about, Tone::Strong) + found,
                None => line.clone(),
            };
            out.line(format_args!("{word}{line}"));
        }
    }
}

/// How many are looked at, and how many have been; on a terminal it shows.
struct Steps {
    progress: Progress,
    done: AtomicU64,
    of: u64,
}

impl Steps {
    /// What `work` finds, and one step more.
    async fn step<T>(&self, work: impl Future<Output = T>) -> T {
        let found = work.await;
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        self.progress.show(done, self.of, &format!("{done} of {} looked at", self.of));
        found
    }
}

/// Prints what it finds; false if something cannot work.
pub(super) fn execute(settings: &Settings, secrets: &Secrets, server: Option<SocketAddr>, look: Look, out: &mut Out) -> bool {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            Out::stderr().error(&error, None);
            return false;
        }
    };
    let senders: BTreeSet<&str> = settings.providers.values().map(|p| p.from.domain()).collect();
    let of = settings.providers.len() + keyrings(settings).len() + 2 * settings.inboxes.len() + senders.len() + settings.sinks.len();
    let of = u64::try_from(of).unwrap_or(u64::MAX);
    let steps = &Steps { progress: Progress::new("looked at", look), done: AtomicU64::new(0), of };
    steps.progress.show(0, of, &format!("0 of {of} looked at"));
    let server = server.map_or_else(|| settings.name_server.clone(), NameServer::from);
    let all = async { tokio::join!(log_ins(settings, secrets, steps), dns(settings, &server, steps), sinks(settings, secrets, steps)) };
    let (log_ins, dns, mut sinks) = runtime.block_on(all);
    drop(runtime);
    for finding in sinks.iter_mut().filter(|finding| finding.state == State::Fine) {
        let known = settings.sinks.keys().find(|name| finding.about == about_sink(name));
        finding.text += &known.map_or_else(String::new, |sink| mended::tell(&settings.ledger.path, sink));
    }
    let findings: Vec<Finding> = log_ins.into_iter().chain(dns).chain(sinks).collect();
    let paper = Paper::stdout(look);
    findings.iter().for_each(|finding| finding.print(paper, out));
    !findings.iter().any(|f| f.state == State::Failed)
}

/// Logs in at every provider and every inbox.
async fn log_ins(settings: &Settings, secrets: &Secrets, steps: &Steps) -> Vec<Finding> {
    let now = &crate::run::clock();
    let providers =
        stream::iter(&settings.providers).map(|(name, provider)| steps.step(account(name, provider, secrets, now))).buffered(AT_ONCE);
    let inboxes = stream::iter(&settings.inboxes).map(|(name, inbox)| steps.step(mailbox(name, inbox, secrets, now))).buffered(AT_ONCE);
    let (providers, inboxes) = tokio::join!(providers.collect::<Vec<_>>(), inboxes.collect::<Vec<_>>());
    providers.into_iter().flatten().chain(inboxes).collect()
}

/// Connects to a provider and authenticates, and asks how the account stands; hands nothing over.
async fn account(name: &Name, provider: &Provider, secrets: &Secrets, now: &Now) -> Vec<Finding> {
    let about = format!("provider {name}: log-in");
    let lookup = |at: &SecretRef| secrets.get(at).cloned();
    let submitter = match Submitter::new(provider, &lookup) {
        Ok(submitter) => submitter,
        Err(error) => return vec![Finding { state: State::Failed, about, text: error.to_string() }],
    };
    let (answer, signs) = submitter.look(now()).await;
    let said = answer.reply.map_or_else(String::new, |reply| format!(": {}", reply.replace('\n', " / ")));
    let failed = |text| vec![Finding { state: State::Failed, about: about.clone(), text }];
    match answer.outcome {
        Outcome::Accepted => {
            let took: u64 = answer.legs.iter().map(|(_, span)| span.as_ms()).sum();
            let works = Finding { state: State::Fine, about, text: format!("works, in {}", Span::from_ms(took)) };
            std::iter::once(works).chain(signs.map(|read| standing(name, &provider.duty.signs, read))).collect()
        }
        Outcome::Refused(class) => failed(format!("refused ({class}){said}")),
        Outcome::Unknown => failed(format!("no answer{said}")),
    }
}

/// What a provider says of the account. A key that may send and may not ask is no failure.
fn standing(name: &Name, by: &Signs, read: Result<Vec<Sign>, Unread>) -> Finding {
    let about = format!("provider {name}: account");
    match read {
        Ok(signs) => {
            let state = if signs.iter().any(|sign| is_early(sign, by)) { State::Warning } else { State::Fine };
            Finding { state, about, text: signs.iter().map(Sign::to_string).collect::<Vec<_>>().join(", ") }
        }
        Err(Unread { class, why, .. }) => {
            Finding { state: State::Warning, about, text: format!("cannot be read ({class}): {}", why.replace('\n', " / ")) }
        }
    }
}

/// Logs in to a mailbox and opens its folders, for reading only.
async fn mailbox(name: &Name, inbox: &Inbox, secrets: &Secrets, now: &Now) -> Finding {
    let about = format!("inbox {name}: log-in");
    let failed = |text| Finding { state: State::Failed, about: about.clone(), text };
    let dialer = match Dialer::new(&inbox.wire) {
        Ok(dialer) => dialer,
        Err(error) => return failed(error.to_string()),
    };
    let lookup = |at: &SecretRef| secrets.get(at).cloned();
    let credentials = match Credentials::new(inbox, &lookup, &dialer) {
        Ok(credentials) => credentials,
        Err(error) => return failed(chain(&error)),
    };
    match log_in(inbox, &credentials, &dialer, now).await {
        Ok(login) if matches!(inbox.kind, InboxKind::Smtp(_)) => {
            let taken = login.capabilities.contains(&"IN USE");
            let text = if taken { "somebody listens there already: this daemon, it is hoped" } else { "works; the port can be had" };
            Finding { state: if taken { State::Warning } else { State::Fine }, about, text: text.to_owned() }
        }
        Ok(login) => {
            let junk: Vec<&str> = login.folders.iter().filter(|(_, p)| *p == Placement::Junk).map(|(n, _)| n.as_str()).collect();
            let slow = match &inbox.kind {
                InboxKind::Imap(_) if !login.capabilities.contains(&"IDLE") => "; no IDLE: mail is seen some seconds later",
                InboxKind::Jmap(_) if !login.capabilities.contains(&"PUSH") => "; no push: mail is seen some seconds later",
                InboxKind::Imap(_) | InboxKind::Maildir(_) | InboxKind::Smtp(_) | InboxKind::Jmap(_) => "",
            };
            let (state, seen) = if junk.is_empty() {
                (State::Warning, no_junk(inbox))
            } else {
                (State::Fine, format!("junk is {}", junk.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")))
            };
            Finding { state, about, text: format!("works; {seen}{slow}") }
        }
        Err(blind) => {
            let preset = preset_of(inbox).filter(|_| blind.class == Class::Auth);
            let hint = preset.map_or_else(String::new, |preset| format!("; at {}: {}", preset.name, preset.hint));
            failed(format!("cannot be read ({}): {blind}{hint}", blind.class))
        }
    }
}

/// The public host that an inbox is at.
fn preset_of(inbox: &Inbox) -> Option<&'static Preset> {
    match &inbox.kind {
        InboxKind::Imap(imap) => imap.preset.or_else(|| Preset::of_host(&imap.host)),
        InboxKind::Jmap(jmap) => jmap.preset,
        InboxKind::Maildir(_) | InboxKind::Smtp(_) => None,
    }
}

/// What to do where there is no junk folder.
fn no_junk(inbox: &Inbox) -> String {
    let usual = preset_of(inbox).map_or_else(String::new, |preset| format!(" (at {} it is `{}`)", preset.name, preset.junk));
    match &inbox.kind {
        InboxKind::Maildir(_) => "no junk folder was found: name it with `junk`, unless nothing is filed as junk".to_owned(),
        InboxKind::Jmap(_) => format!("no junk mailbox was found{usual}: name it with `junk`"),
        InboxKind::Imap(_) | InboxKind::Smtp(_) => format!("no junk folder was found{usual}: name it with `junk`, or show it over IMAP"),
    }
}

/// Tells each sink a test notice, which says that it is one, and that it is over; and looks whether each heartbeat can be set up.
async fn sinks(settings: &Settings, secrets: &Secrets, steps: &Steps) -> Vec<Finding> {
    let now = &crate::run::clock();
    let tried =
        stream::iter(&settings.sinks).map(|(name, sink)| steps.step(try_sink(name, sink, settings, secrets, now))).buffered(AT_ONCE);
    let mut findings: Vec<Finding> = tried.collect().await;
    let lookup = |at: &SecretRef| secrets.get(at).cloned();
    for (name, own) in &settings.heartbeats {
        let (state, text) = match Heartbeat::new(name, own, &settings.watch.instance, &lookup) {
            Ok(_) => (State::Fine, "can be set up; nothing was sent".to_owned()),
            Err(error) => (State::Failed, chain(&error)),
        };
        findings.push(Finding { state, about: format!("heartbeat {name}"), text });
    }
    findings
}

fn about_sink(name: &Name) -> String {
    format!("sink {name}")
}

/// Tries one sink, as quietly as it takes notices.
async fn try_sink(name: &Name, sink: &config::Sink, settings: &Settings, secrets: &Secrets, now: &Now) -> Finding {
    let about = about_sink(name);
    let origin =
        Origin { instance: settings.watch.instance.clone(), installation: String::new(), public_url: None, own_url: None, runbooks: None };
    let lookup = |at: &SecretRef| secrets.get(at).cloned();
    let severity = sink.takes.quietest();
    let told = async {
        let sink = Sink::new(name, sink, &lookup, &origin, None).map_err(|error| chain(&error))?;
        sink.ready().await?;
        for notice in trial(name, severity, now()) {
            if let Some(why) = sink.deliver(&notice, now()).await.why() {
                return Err(format!("did not take the test notice: {}", why.replace('\n', " / ")));
            }
        }
        Ok(())
    };
    match told.await {
        Ok(()) => {
            Finding { state: State::Fine, about, text: format!("took a test notice ({}), and its end: look there", severity.as_str()) }
        }
        Err(text) => Finding { state: State::Failed, about, text },
    }
}

/// Asks for the MX of each inbox and SPF, DKIM and DMARC of each sender. Nothing here is a failure: what stands in the DNS of others, or
/// is reached by private relays, is for people to judge.
async fn dns(settings: &Settings, server: &NameServer, steps: &Steps) -> Vec<Finding> {
    let resolver = match Resolver::asking(server, &settings.records.wire) {
        Ok(resolver) => &resolver.clone(),
        Err(error) => return vec![Finding { state: State::Warning, about: "dns".to_owned(), text: error.to_string() }],
    };
    let mut senders: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, provider) in &settings.providers {
        senders.entry(provider.from.domain()).or_default().push(name.as_str());
    }
    let exchangers = stream::iter(&settings.inboxes).map(|(name, inbox)| steps.step(exchangers(resolver, name, inbox))).buffered(AT_ONCE);
    let policies = stream::iter(senders).map(|(domain, names)| steps.step(policies(resolver, domain, names))).buffered(AT_ONCE);
    let keys = stream::iter(keyrings(settings)).map(|(ring, names)| steps.step(keys(resolver, ring, names))).buffered(AT_ONCE);
    let (exchangers, policies, keys) = tokio::join!(exchangers.collect::<Vec<_>>(), policies.collect::<Vec<_>>(), keys.collect::<Vec<_>>());
    exchangers.into_iter().chain(policies.into_iter().flatten()).chain(keys).collect()
}

async fn exchangers(resolver: &Resolver, name: &Name, inbox: &Inbox) -> Finding {
    let domain = inbox.domain();
    finding(format!("inbox {name}: MX of {domain}"), resolver.mx(domain).await, Mx::takes_mail)
}

async fn policies(resolver: &Resolver, domain: &str, names: Vec<&str>) -> [Finding; 2] {
    let about = |what: &str| format!("provider {}: {what} of {domain}", names.join(", "));
    let (spf, dmarc, cost) = tokio::join!(resolver.spf(domain), resolver.dmarc(domain), cost(resolver, domain));
    let mut spf = finding(about("SPF"), spf, Spf::is_fine);
    if let Some((works, cost)) = cost {
        spf.text += &cost;
        spf.state = if works { spf.state } else { State::Warning };
    }
    [spf, finding(about("DMARC"), dmarc, Dmarc::is_fine)]
}

/// Where keys of DKIM are looked for: a domain, the selectors, and whether the configuration names them.
type Keyring<'s> = (&'s str, Vec<&'s str>, bool);

/// Where keys are looked for, and for which providers: several often share a domain, and what is missing there is said once.
fn keyrings(settings: &Settings) -> BTreeMap<Keyring<'_>, Vec<&str>> {
    let mut rings: BTreeMap<Keyring<'_>, Vec<&str>> = BTreeMap::new();
    for (name, provider) in &settings.providers {
        let named: Vec<&str> = provider.dkim_selectors.iter().map(String::as_str).collect();
        let is_named = !named.is_empty();
        let selectors = if is_named { named } else { usual_selectors(&provider.kind).to_vec() };
        rings.entry((provider.from.domain(), selectors, is_named)).or_default().push(name.as_str());
    }
    rings
}

/// What a domain's SPF costs a receiver with all that it includes, and what is wrong with it; and whether receivers can use it.
async fn cost(resolver: &Resolver, domain: &str) -> Option<(bool, String)> {
    let subject = Subject::new(Topic::Spf, domain)?;
    let Found::Answer(answer) = resolver.look(&Question { subject, list: None, hosts: Vec::new() }).await.found else { return None };
    let cost = answer.lookups.map_or_else(String::new, |lookups| format!("; {lookups} of 10 look-ups"));
    let notes: String = answer.notes.iter().map(|note| format!("; {note}")).collect();
    answer.lookups.map(|_| (answer.grade.works(), cost + &notes))
}

async fn keys(resolver: &Resolver, (domain, selectors, is_named): Keyring<'_>, names: Vec<&str>) -> Finding {
    let found = resolver.dkim(domain, &selectors).await;
    let guessed = !is_named && found.as_ref().is_ok_and(|dkim| !dkim.has_key());
    let mut finding = finding(format!("provider {}: DKIM of {domain}", names.join(", ")), found, Dkim::has_key);
    if guessed {
        finding.text += "; name yours with `dkim_selectors`";
    }
    finding
}

fn finding<T: fmt::Display>(about: String, found: Result<T, LookUpError>, fine: impl Fn(&T) -> bool) -> Finding {
    match found {
        Ok(found) => Finding { state: if fine(&found) { State::Fine } else { State::Warning }, about, text: found.to_string() },
        Err(error) => Finding { state: State::Warning, about, text: error.to_string() },
    }
}
