//! What a page says, for every sink that writes texts: a title, a sentence, a few facts and a link. It fits a phone's screen.
//!
//! Everything in it is plain: one line each, without control characters, invisible signs or changes of direction. What else a receiver
//! would make something of, its own file escapes.

use serde_json::{Value, json};

use super::facts::{Fact, facts};
use super::{Origin, Outgoing, fit};
use crate::config::{Template, Wording};
use crate::model::{At, Change, Kind, Notice, NoticeId, PART_OF, Severity};

/// Bytes of a title: what a lock screen shows, and some more.
const TITLE: usize = 200;
/// Bytes of the sentence, or of the user's own text.
const TEXT: usize = 3000;
/// Bytes of evidence for those who show all of it.
const EVIDENCE: usize = 8000;

/// One page.
#[derive(Clone, Debug)]
pub(super) struct Page {
    /// The incident's key: the same in all its notices.
    pub(super) key: String,
    /// The same where what is acknowledged stays silent: another each time that the incident calls again.
    pub(super) alert: String,
    /// It is a test notice.
    pub(super) is_trial: bool,
    /// It tells how a known failure has moved, and calls nobody.
    pub(super) quiet: bool,
    pub(super) notice: NoticeId,
    pub(super) instance: String,
    pub(super) change: Change,
    pub(super) severity: Severity,
    pub(super) kind: Kind,
    /// In words.
    pub(super) culprit: String,
    pub(super) title: String,
    /// How the title begins, if it is ours: what follows in it the text says, too.
    lead: Option<String>,
    /// The summary, or the user's own text.
    pub(super) text: String,
    /// Empty where the user's own text stands.
    pub(super) facts: Vec<Fact>,
    /// To the incident's page.
    pub(super) link: Option<String>,
    /// To what is to be done about an incident of this kind.
    pub(super) runbook: Option<String>,
    pub(super) at: At,
    /// Cut, and as it came otherwise: for receivers that show data as data.
    pub(super) evidence: Value,
}

/// Makes pages of notices.
#[derive(Clone, Debug)]
pub(super) struct Pages {
    origin: Origin,
    wording: Wording,
}

impl Pages {
    pub(super) const fn new(origin: Origin, wording: Wording) -> Self {
        Self { origin, wording }
    }

    /// The same for whoever sits at this machine: where no address is said for people, links lead to the daemon's own.
    pub(super) fn at_home(mut self) -> Self {
        self.origin.public_url = self.origin.public_url.or_else(|| self.origin.own_url.clone());
        self
    }

    /// The page for `out`: the same each time.
    pub(super) fn page(&self, out: &Outgoing) -> Page {
        let notice = &out.notice;
        let mut page = Page {
            key: self.origin.key(notice),
            alert: self.origin.alert_key(notice),
            is_trial: notice.is_trial(),
            quiet: is_quiet(notice) || notice.change == Change::Acknowledged,
            notice: notice.notice,
            instance: fit::line(&self.origin.instance, 253),
            change: notice.change,
            severity: notice.severity,
            kind: notice.kind,
            culprit: notice.whose(),
            title: fit::line(&title(notice), TITLE),
            lead: Some(lead(notice)),
            text: fit::line(&notice.summary, TEXT),
            facts: facts(out),
            link: self.origin.link(notice),
            runbook: self.origin.runbook(notice),
            at: out.at,
            evidence: fit::evidence(&notice.evidence, EVIDENCE),
        };
        let context = page.context(out);
        // A template that fails on what it was not tried with must not keep a page from anybody.
        let own = |template: &Option<Template>| match template.as_ref()?.render(&context) {
            Ok(text) => Some(text),
            Err(error) => {
                tracing::warn!(%error, "a template failed on a notice, which went out in our own words");
                None
            }
        };
        let (title, text) = (own(&self.wording.title), own(&self.wording.text));
        if let Some(title) = title.map(|text| fit::line(&text, TITLE)).filter(|text| !text.is_empty()) {
            (page.title, page.lead) = (title, None);
        }
        if let Some(text) = text.map(|text| fit::lines(&text, TEXT)).filter(|text| !text.is_empty()) {
            page.text = text;
            page.facts.clear();
        }
        page
    }
}

impl Page {
    /// Title and text in one line, where nothing is said twice.
    pub(super) fn line(&self) -> String {
        match &self.lead {
            Some(lead) if lead.is_empty() => self.text.clone(),
            Some(lead) => format!("{lead}: {}", self.text),
            None => format!("{}: {}", self.title, self.text),
        }
    }

    /// Text and facts, a line each.
    pub(super) fn body(&self) -> String {
        let mut body = self.text.clone();
        for Fact { name, value } in &self.facts {
            body.push_str(&format!("\n{name}: {value}"));
        }
        body
    }

    /// The links, a line each, for receivers that make links of addresses by themselves; behind an empty line, if there are any.
    pub(super) fn links(&self) -> String {
        let runbook = self.runbook.as_ref().map(|runbook| format!("Runbook: {runbook}"));
        let all: Vec<String> = self.link.iter().cloned().chain(runbook).collect();
        if all.is_empty() { String::new() } else { format!("\n\n{}", all.join("\n")) }
    }

    /// Whether it ends an incident.
    pub(super) fn is_over(&self) -> bool {
        self.change == Change::Resolved
    }

    /// What templates may name, as `config::sample`.
    fn context(&self, out: &Outgoing) -> Value {
        let facts: Vec<Value> = self.facts.iter().map(|fact| json!({ "name": fact.name, "value": fact.value })).collect();
        json!({
            "title": self.title, "text": self.text, "change": self.change.as_str(), "kind": self.kind.as_str(),
            "severity": self.severity.as_str(), "culprit": self.culprit, "incident": out.notice.incident, "instance": self.instance,
            "link": self.link, "runbook": self.runbook, "opened_at": out.opened_at.rfc3339(), "at": self.at.rfc3339(), "facts": facts, "evidence": self.evidence,
        })
    }
}

fn title(notice: &Notice) -> String {
    if notice.is_trial() {
        return if notice.change == Change::Resolved { "TEST, over" } else { "TEST: nothing is wrong" }.to_owned();
    }
    let updated = if notice.change == Change::Updated && !is_quiet(notice) { " (changed)" } else { "" };
    format!("{}: {}, {}{updated}", lead(notice), notice.whose(), notice.what())
}

/// How loud it is, and why it comes. Nothing of a trial, whose text says that itself.
fn lead(notice: &Notice) -> String {
    if notice.is_trial() {
        return String::new();
    }
    let word = match (notice.change, notice.severity) {
        (Change::Resolved, _) if notice.summary.starts_with(PART_OF) => "NOW PART OF A LARGER FAILURE",
        (Change::Resolved, _) => "RESOLVED",
        (Change::Reminder, Severity::Page) => "STILL PAGE",
        (Change::Reminder, Severity::Warn | Severity::Info) => "STILL",
        (Change::Acknowledged, _) => "ACKNOWLEDGED",
        (Change::Updated, _) if is_quiet(notice) => "UPDATE",
        (Change::Opened | Change::Updated, Severity::Page) => "PAGE",
        (Change::Opened | Change::Updated, Severity::Warn) => "WARNING",
        (Change::Opened | Change::Updated, Severity::Info) => "INFO",
    };
    let drill = if notice.evidence.get("drill").is_some() { "DRILL, " } else { "" };
    let escalated = if notice.evidence.get("escalation").is_some() { "ESCALATED " } else { "" };
    format!("{drill}{escalated}{word}")
}

/// Marks the evidence of what calls nobody.
pub(super) const QUIET: &str = "quiet";

/// Whether a notice calls nobody: what was told before is no smaller.
pub(super) fn is_quiet(notice: &Notice) -> bool {
    notice.change == Change::Updated && notice.evidence.get(QUIET).is_some()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{facts::FACTS, nasty};
    use super::*;
    use crate::config::sample;
    use crate::model::Culprit;

    fn template(source: &str) -> Option<Template> {
        Some(Template::new(source.to_owned()).unwrap())
    }

    #[test]
    fn a_page_fits_a_phone() {
        let page = nasty::pages().page(&nasty::opened());
        assert_eq!(page.title, "PAGE: provider mailchimp, stopped");
        assert_eq!(
            page.body(),
            "provider `mailchimp` stopped: 9 canaries have not arrived in 3 inboxes\n\
             Since: 2022-08-08 19:26:00 UTC (4m ago, canary 1); last good 2022-08-08 19:25:00 UTC (5m ago)\n\
             Missing: 9 of the last 20 canaries, 3 inboxes\nMail: reset, sign-up\nSaid: 550 5.7.1 account suspended\n\
             Others: sendgrid delivers\nNext: open the provider's status page\nCertainty: 97 %"
        );
        assert_eq!(page.link.as_deref(), Some("https://canary.example/incidents/3"));
        assert_eq!(page.runbook.as_deref(), Some("https://canary.example/runbooks/stopped"));
        assert_eq!(page.links(), "\n\nhttps://canary.example/incidents/3\nRunbook: https://canary.example/runbooks/stopped");
        let over = nasty::pages().page(&nasty::out(Change::Resolved, "all is well"));
        assert_eq!((over.title.as_str(), &over.runbook), ("RESOLVED: provider mailchimp, stopped", &None));
        let joined = nasty::pages().page(&nasty::out(Change::Resolved, &format!("{PART_OF}mail through every provider (incident 8)")));
        assert_eq!(joined.title, "NOW PART OF A LARGER FAILURE: provider mailchimp, stopped", "it goes on");
        assert_eq!(over.body(), "all is well\nOpened: 2022-08-08 19:30:00 UTC\nLasted: 1m");
    }

    #[test]
    fn how_many_of_how_many_since_when_is_said_of_every_kind() {
        for (kind, what, since, expected) in [
            (Kind::Stopped, "missing", true, "Missing: 4 of 4 canaries sent since 2022-08-08 19:26:00 UTC, 1 inbox"),
            (Kind::Loss, "missing", true, "Missing: 4 of 9 canaries sent since 2022-08-08 19:26:00 UTC, 1 inbox"),
            (Kind::Slow, "late", true, "Late: 4 of 9 canaries sent since 2022-08-08 19:26:00 UTC, 1 inbox"),
            (Kind::Refused, "refused", true, "Refused: 1 of 1 canary sent since 2022-08-08 19:26:00 UTC, 1 inbox"),
            (Kind::Junked, "in_junk", false, "In junk: 4 of the newest 9 that arrived, 1 inbox"),
        ] {
            let mut out = nasty::opened();
            let (count, of) = if kind == Kind::Refused { (1, 1) } else { (4, if kind == Kind::Stopped { 4 } else { 9 }) };
            let since = since.then_some("2022-08-08T19:26:00.000Z");
            Arc::make_mut(&mut out.notice).kind = kind;
            // Of what has only just stopped the window of the newest holds few that are missing.
            let how_many = json!({ "what": what, "count": count, "of": of, "since": since });
            Arc::make_mut(&mut out.notice).evidence =
                json!({ "not_arrived": 4, "missing": 1, "of": 20, "inboxes": ["a"], "how_many": how_many });
            let body = nasty::pages().page(&out).body();
            assert!(body.lines().any(|line| line == expected), "{expected}: {body}");
        }
    }

    #[test]
    fn a_move_that_calls_nobody_says_so_and_a_line_says_nothing_twice() {
        let mut out = nasty::out(Change::Updated, "provider `mailchimp` loses mail, about 50 %");
        assert_eq!(nasty::pages().page(&out).title, "PAGE: provider mailchimp, stopped (changed)");
        Arc::make_mut(&mut out.notice).evidence = json!({ "quiet": true });
        let page = nasty::pages().page(&out);
        assert_eq!((page.title.as_str(), page.quiet), ("UPDATE: provider mailchimp, stopped", true));
        assert_eq!(page.line(), "UPDATE: provider `mailchimp` loses mail, about 50 %");
        let wording = Wording { title: template("{{ kind }}!"), text: None };
        assert_eq!(Pages::new(nasty::origin(), wording).page(&out).line(), "stopped!: provider `mailchimp` loses mail, about 50 %");
    }

    #[test]
    fn a_sink_that_refuses_is_no_blind_watcher() {
        let mut out = nasty::out(Change::Opened, "sink `oncall` refuses notices (answered 401)");
        let notice = Arc::make_mut(&mut out.notice);
        (notice.kind, notice.culprit) = (Kind::Blind, Culprit::Watcher {});
        notice.evidence = json!({ "sink": "oncall", "why": "answered 401", "next_step": "mend it" });
        let page = nasty::pages().page(&out);
        assert_eq!((page.title.as_str(), page.culprit.as_str()), ("PAGE: sink oncall, refuses notices", "sink oncall"));
        assert_eq!(page.runbook.as_deref(), Some("https://canary.example/runbooks/sink"));
        assert_eq!(page.body(), "sink `oncall` refuses notices (answered 401)\nSince: 2022-08-08 19:30:00 UTC\nNext: mend it");
    }

    #[test]
    fn since_when_it_is_what_is_found_later_than_it_began() {
        let mut out = nasty::out(Change::Opened, "no inbox can be read for 5m");
        let notice = Arc::make_mut(&mut out.notice);
        (notice.kind, notice.culprit) = (Kind::Blind, Culprit::Watcher {});
        notice.evidence = json!({ "since": "2022-08-08T19:25:00.000Z" });
        assert_eq!(nasty::pages().page(&out).body(), "no inbox can be read for 5m\nSince: 2022-08-08 19:25:00 UTC");
        // A record on which everybody depends is not the watcher's.
        let notice = Arc::make_mut(&mut out.notice);
        (notice.kind, notice.evidence) = (Kind::Dns, json!({ "changes": [{}] }));
        assert_eq!(nasty::pages().page(&out).title, "PAGE: all mail, dns");
        // What was refused this very moment has no age.
        let mut out = nasty::opened();
        Arc::make_mut(&mut out.notice).evidence =
            json!({ "first_bad": { "canary": "1", "sent_at": "2022-08-08T19:26:00.000Z", "age": "21ms" } });
        assert!(nasty::pages().page(&out).body().ends_with("\nSince: 2022-08-08 19:26:00 UTC (just now, canary 1)"));
    }

    #[test]
    fn a_command_among_what_to_do_is_whole() {
        let next = format!(
            "ask who changed it. {}If it is right: `mailcanary identity approve p s link 'x.example' -c FILE`",
            "Or so. ".repeat(30)
        );
        let mut out = nasty::out(Change::Opened, "mail of provider `p` carries something foreign");
        Arc::make_mut(&mut out.notice).evidence = json!({ "next_step": next });
        let body = nasty::pages().page(&out).body();
        assert!(body.ends_with(&format!("\nNext: {next}")), "{body}");
    }

    #[test]
    fn what_is_told_late_says_of_when_it_is() {
        let now = nasty::opened().at.plus(crate::model::Span::from_secs(1200));
        let page = nasty::pages().page(&nasty::opened().told_at(now));
        let head = "as of 2022-08-08 19:31:00 UTC (20m ago): provider `mailchimp` stopped: 9 canaries have not arrived in 3 inboxes\n\
                    Since: 2022-08-08 19:26:00 UTC (25m ago, canary 1); last good 2022-08-08 19:25:00 UTC (26m ago)\n";
        assert!(page.body().starts_with(head), "{}", page.body());
        let over = nasty::pages().page(&nasty::out(Change::Resolved, "all is well").told_at(now));
        assert!(over.text.starts_with("over since 2022-08-08 19:31:00 UTC (20m ago): all is well"), "{}", over.text);
        assert_eq!(nasty::opened().told_at(nasty::opened().at), nasty::opened());
    }

    #[test]
    fn templates_have_the_names_that_they_are_tried_with() {
        let out = nasty::opened();
        let context = nasty::pages().page(&out).context(&out);
        let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&context), names(&sample()));
        let wording = Wording { title: template("{{ kind }}!"), text: template("{{ text }}\n{{ evidence.reply }}") };
        let page = Pages::new(nasty::origin(), wording).page(&out);
        assert_eq!((page.title.as_str(), page.facts.len()), ("stopped!", 0));
        assert!(page.body().ends_with("inboxes\n550 5.7.1 account suspended"));
        let silent = Wording { title: template("{% if kind == 'loss' or kind == 'stopped' %}{% endif %}"), text: None };
        assert_eq!(Pages::new(nasty::origin(), silent).page(&out).title, "PAGE: provider mailchimp, stopped", "an empty title is none");
    }

    #[test]
    fn nothing_from_outside_passes_as_it_came() {
        let own = Wording { title: None, text: template("{{ text }}\n{{ evidence.reply }}") };
        for pages in [nasty::pages(), Pages::new(nasty::origin(), own)] {
            for out in nasty::all() {
                let page = pages.page(&out);
                nasty::assert_plain(&page.title);
                page.body().lines().for_each(nasty::assert_plain);
                assert!(page.body().len() < 5000, "{}", page.body().len());
                assert!(page.is_over() || page.facts.len() == FACTS || page.facts.is_empty(), "{:?}", page.facts);
                let certain = page.facts.last().is_none_or(|fact| page.is_over() || fact.name == "Certainty");
                assert!(certain, "how certain it is, is not what is left out: {:?}", page.facts);
            }
        }
    }
}
