//! `check`: is the configuration right, and what would it watch.

use std::fmt::Display;
use std::net::SocketAddr;
use std::process::ExitCode;

use super::args::Check;
use super::check_live;
use super::out::Out;
use super::terminal::{Paper, fold};
use super::{FAILED, WRONG, warn, with_secrets};
use crate::config::{Budget, Complaint, ENDS_SOON, Forecast, Http, Inbox, Price, Settings};
use crate::model::{At, Name, Route, grouped};

/// More routes than this are counted, not listed.
const LISTED: usize = 50;

pub(super) fn execute(args: &Check) -> ExitCode {
    let (mut out, mut err) = (Out::stdout(), Out::stderr());
    let Some((settings, secrets)) = with_secrets(&args.config, "`mailcanary run` would not start with it", &mut err) else {
        return ExitCode::from(WRONG);
    };
    warn(&args.config, &ending(&settings, crate::run::clock()()), &mut err);
    summary(&settings, &mut Sheet { out: &mut out, paper: Paper::stdout(args.look) });
    if args.live && !check_live::execute(&settings, &secrets, args.resolver, args.look, &mut out) {
        return out.finish(FAILED);
    }
    out.finish(0)
}

/// What inboxes are logged in to with, where that ends soon.
fn ending(settings: &Settings, now: At) -> Vec<Complaint> {
    let soon = |(name, inbox): (&Name, &Inbox)| {
        let at = inbox.kind.expires().filter(|at| at.minus(ENDS_SOON) <= now)?;
        let what = if at <= now { format!("it ended at {}", at.minute()) } else { format!("it ends in {}", at.since(now)) };
        let hint = "make a new password, secret or refresh token, configure it, and write the day of its end".to_owned();
        Some(Complaint { place: None, key: format!("inbox.{name}.{}.expires", inbox.kind.as_str()), what, hint: Some(hint) })
    };
    settings.inboxes.iter().filter_map(soon).collect()
}

/// Where lines are written: on a terminal none is broken inside a word.
struct Sheet<'o> {
    out: &'o mut Out,
    paper: Paper,
}

impl Sheet<'_> {
    fn line(&mut self, line: impl Display) {
        fold(&line.to_string(), self.paper.width).iter().for_each(|line| self.out.line(line));
    }
}

/// What would be watched.
fn summary(settings: &Settings, out: &mut Sheet<'_>) {
    let per_day = |chosen: &dyn Fn(&Route) -> bool| settings.canaries_per_day(chosen);
    let count = settings.routes.len();
    out.line(format_args!(
        "{} route{}, a canary down each every {}: {} canaries a day with confirmations",
        grouped(count as u64),
        if count == 1 { "" } else { "s" },
        cadence(settings),
        whole(per_day(&|_| true))
    ));
    for route in settings.routes.iter().take(LISTED) {
        out.line(format_args!("  {route}"));
    }
    if count > LISTED {
        out.line(format_args!("  and {} more", grouped((count - LISTED) as u64)));
    }
    let all = settings.routine_per_day(|_| true);
    for (name, provider) in &settings.providers {
        let how = format!("{}, {}", provider.kind.as_str(), provider.kind.place());
        let forecast = settings.forecast(provider.budget, all, |r| r.provider == *name);
        let traffic = traffic(provider.budget, forecast);
        let standby = if provider.duty.standby { "stand-by " } else { "" };
        let cost = provider.duty.price.as_ref().map_or_else(String::new, |price| cost(price, forecast));
        let polls = polls(settings, name);
        out.line(format_args!("{standby}provider {name} ({how}): from {}, {traffic}{cost}{polls}", provider.from.address));
    }
    for (name, inbox) in &settings.inboxes {
        let how = format!("{}, {}", inbox.kind.as_str(), inbox.kind.place());
        let traffic = traffic(inbox.budget, settings.forecast(inbox.budget, all, |r| r.inbox == *name));
        out.line(format_args!("inbox {name} ({how}): {}, {traffic}", inbox.address));
    }
    for (name, sink) in &settings.sinks {
        let how = format!("{}, {}", sink.kind.as_str(), sink.kind.place());
        out.line(format_args!("sink {name} ({how}): {}", sink.takes));
    }
    for (name, window) in &settings.maintenance {
        out.line(format_args!("maintenance {name}: {}, {}", window.which(), window.every));
    }
    for (name, beat) in &settings.heartbeats {
        out.line(format_args!("heartbeat {name} ({}, {}): every {}", beat.kind.as_str(), beat.kind.place(), beat.every));
    }
    out.line(format_args!("status page and metrics: {}", settings.http.as_ref().map_or_else(|| "off".to_owned(), place)));
    if let Some(public) = &settings.public {
        out.line(format_args!("page for everybody: {}", at(public.listen, "http")));
    }
    let base = settings.http.as_ref().map_or_else(|| "off".to_owned(), reached);
    for (name, provider) in settings.providers.iter().filter(|(_, p)| p.kind.is_hooked()) {
        out.line(format_args!("webhook of {} {name}: {base}/hooks/{name}", provider.kind.as_str()));
    }
    for (name, sink) in settings.sinks.iter().filter(|(_, sink)| sink.kind.acknowledgements().is_some()) {
        out.line(format_args!("acknowledgements of {} {name}: {base}/hooks/sinks/{name}", sink.kind.as_str()));
    }
    let ledger = &settings.ledger;
    out.line(format_args!("ledger: {}, {} of successes and {} of failures", ledger.path.display(), ledger.keep, ledger.keep_failures));
}

/// Where the status page is: the address that others reach it by, and the one that is listened on.
fn place(http: &Http) -> String {
    let here = at(http.listen, scheme(http.tls));
    http.public_url.as_ref().map_or_else(|| here.clone(), |url| format!("{url}, listening on {here}"))
}

/// The address by which the status page is asked.
fn reached(http: &Http) -> String {
    http.public_url.clone().unwrap_or_else(|| format!("{}://{}", scheme(http.tls), host(http.listen)))
}

/// What is spoken there: the web configuration may have it be TLS.
const fn scheme(tls: bool) -> &'static str {
    if tls { "https" } else { "http" }
}

/// An address that can be asked; of one that stands for all of them, one of them.
fn at(listen: SocketAddr, scheme: &str) -> String {
    let all = if listen.ip().is_unspecified() { " (and on every other address of this host)" } else { "" };
    format!("{scheme}://{}{all}", host(listen))
}

fn host(listen: SocketAddr) -> String {
    if listen.ip().is_unspecified() { format!("localhost:{}", listen.port()) } else { listen.to_string() }
}

/// How often a canary goes down each route.
fn cadence(settings: &Settings) -> String {
    let each = || settings.routes.iter().map(|r| settings.every(r));
    match (each().min(), each().max()) {
        (Some(least), Some(most)) if least < most => format!("{least} to {most}"),
        (Some(every), _) => every.to_string(),
        (None, _) => settings.watch.every.to_string(),
    }
}

/// Canaries a day and a month, with confirmations, and the limits.
fn traffic(budget: Budget, forecast: Forecast) -> String {
    let Forecast { per_day, per_month, cap } = forecast;
    let from = if budget.canaries_per_day.is_some() { "" } else { ", as the routes allow" };
    let apart = budget.spacing.map_or_else(String::new, |spacing| format!(", {spacing} apart"));
    let [day, month, most] = [per_day, per_month, cap].map(whole);
    format!("{day} canaries a day, {month} a month (at most {most} in 24h{from}{apart})")
}

/// A number of things, with its thousands apart.
fn whole(number: f64) -> String {
    grouped(number.round().max(0.0) as u64)
}

/// Requests besides canaries.
fn polls(settings: &Settings, provider: &Name) -> String {
    let per_day = settings.polls_per_day(provider);
    per_day.map_or_else(String::new, |polls| format!(", asked {} times a day at most how the account stands", whole(polls)))
}

fn cost(price: &Price, forecast: Forecast) -> String {
    let currency = price.currency.as_deref().map_or_else(String::new, |c| format!(" {c}"));
    format!(", {:.2}{currency} a month", price.per_1000 * forecast.per_month / 1000.0)
}
