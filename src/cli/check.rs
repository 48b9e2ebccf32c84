//! `check`: is the configuration right, and what would it watch.

use std::process::ExitCode;

use super::args::Check;
use super::check_live;
use super::out::Out;
use super::{FAILED, WRONG, with_secrets};
use crate::config::{InboxKind, Settings, SinkKind};
use crate::model::Route;

/// More routes than this are counted, not listed.
const LISTED: usize = 50;

pub(super) fn execute(args: &Check) -> ExitCode {
    let (mut out, mut err) = (Out::stdout(), Out::stderr());
    let Some((settings, secrets)) = with_secrets(&args.config, &mut err) else { return ExitCode::from(WRONG) };
    summary(&settings, &mut out);
    if args.live && !check_live::execute(&settings, &secrets, args.resolver, &mut out) {
        return out.finish(FAILED);
    }
    out.finish(0)
}

/// What would be watched.
fn summary(settings: &Settings, out: &mut Out) {
    let per_day = |chosen: &dyn Fn(&Route) -> bool| settings.canaries_per_day(chosen);
    let count = settings.routes.len();
    out.line(format_args!(
        "{count} route{}, a canary down each every {}: {:.0} canaries a day with confirmations",
        if count == 1 { "" } else { "s" },
        settings.watch.every,
        per_day(&|_| true)
    ));
    for route in settings.routes.iter().take(LISTED) {
        out.line(format_args!("  {route}"));
    }
    if count > LISTED {
        out.line(format_args!("  and {} more", count - LISTED));
    }
    for (name, provider) in &settings.providers {
        let how = format!("{}, {}", provider.kind.as_str(), provider.kind.place());
        let canaries = per_day(&|r| r.provider == *name);
        out.line(format_args!("provider {name} ({how}): from {}, {canaries:.0} canaries a day", provider.from.address));
    }
    for (name, inbox) in &settings.inboxes {
        let InboxKind::Imap(imap) = &inbox.kind;
        let how = format!("imap, {}:{}, tls {}", imap.host, imap.port, imap.tls.as_str());
        let canaries = per_day(&|r| r.inbox == *name);
        out.line(format_args!("inbox {name} ({how}): {}, {canaries:.0} canaries a day", inbox.address));
    }
    for (name, sink) in &settings.sinks {
        let how = match &sink.kind {
            SinkKind::Alertmanager { urls } => format!("alertmanager, {}", urls.join(", ")),
            // The path of a webhook is often its secret.
            SinkKind::Webhook { url, .. } => format!("webhook, {}", origin(url)),
        };
        let severities: Vec<_> = sink.severities.iter().rev().map(|s| s.as_str()).collect();
        out.line(format_args!("sink {name} ({how}): {}", severities.join(", ")));
    }
    let http = settings.http.as_ref().map_or_else(|| "off".to_owned(), |http| format!("http://{}", http.listen));
    out.line(format_args!("status page and metrics: {http}"));
    let ledger = &settings.ledger;
    out.line(format_args!("ledger: {}, {} of successes and {} of failures", ledger.path.display(), ledger.keep, ledger.keep_failures));
}

/// Scheme and host of a web address.
fn origin(url: &str) -> String {
    url::Url::parse(url).map_or_else(|_| "…".to_owned(), |url| url.origin().ascii_serialization())
}
