//! Templates of titles and texts: Jinja, with bounds on work and size, tried with a sample before anything is told.

use std::io::{self, Write};

use minijinja::{Environment, UndefinedBehavior};
use serde_json::{Value, json};

use crate::model::{Change, Kind, Severity};

/// Steps that one rendering may take. A long list of facts needs a few hundred.
const FUEL: u64 = 50_000;
/// Bytes that one rendering may write; sinks cut to their own limits afterwards.
const LIMIT: usize = 16 * 1024;

/// A template that renders the sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(String);

/// Why a template is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct TemplateError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub what: String,
}

/// The words of one sink, where they are the user's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wording {
    /// Of the title.
    pub title: Option<Template>,
    /// Of what stands below it.
    pub text: Option<Template>,
}

impl Template {
    /// Reads `source` and renders the [`sample`] with it, as each kind of notice. A name that the sample lacks is a mistake.
    ///
    /// # Errors
    /// [`TemplateError`].
    pub fn new(source: String) -> Result<Self, TemplateError> {
        let template = Self(source);
        samples().try_for_each(|sample| template.rendered(&sample, UndefinedBehavior::Strict).map(drop))?;
        Ok(template)
    }

    /// The text for `context`, which has the [`sample`]'s names; what is not there is empty.
    ///
    /// # Errors
    /// [`TemplateError`] if it takes too much work or writes too much.
    pub fn render(&self, context: &Value) -> Result<String, TemplateError> {
        self.rendered(context, UndefinedBehavior::Chainable)
    }

    fn rendered(&self, context: &Value, undefined: UndefinedBehavior) -> Result<String, TemplateError> {
        let mut environment = Environment::new();
        environment.set_fuel(Some(FUEL));
        environment.set_recursion_limit(20);
        environment.set_undefined_behavior(undefined);
        // `range` and repeated texts make much out of little.
        environment.remove_global("range");
        let mut out = Bounded(Vec::new());
        let template = environment.template_from_str(&self.0).map_err(|error| TemplateError::of(&error))?;
        match template.render_captured_to(minijinja::value::Serde(context), &mut out) {
            Ok(_) => Ok(String::from_utf8_lossy(&out.0).into_owned()),
            Err(_) if out.0.len() >= LIMIT => Err(TemplateError { line: 1, what: format!("it writes more than {LIMIT} bytes") }),
            Err(error) => Err(TemplateError::of(&error)),
        }
    }
}

impl TemplateError {
    fn of(error: &minijinja::Error) -> Self {
        let detail = error.detail().map_or_else(String::new, |detail| format!(": {detail}"));
        let what = format!("{}{detail}", error.kind());
        Self { line: error.line().unwrap_or(1), what: what.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect() }
    }
}

/// A buffer that takes so many bytes and no more.
struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = LIMIT.saturating_sub(self.0.len());
        self.0.extend(bytes.iter().take(room));
        if bytes.len() > room { Err(io::ErrorKind::StorageFull.into()) } else { Ok(bytes.len()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The sample as each change at each severity, and of each kind: a template may have words of its own for some alone.
fn samples() -> impl Iterator<Item = Value> {
    let varied = |parts: &[(&str, &str)]| {
        let mut sample = sample();
        if let Some(all) = sample.as_object_mut() {
            all.extend(parts.iter().map(|(name, word)| ((*name).to_owned(), Value::from(*word))));
        }
        sample
    };
    let changes = Change::ALL.iter().flat_map(|change| Severity::ALL.iter().map(move |severity| (change, severity)));
    let by_change = changes.map(move |(change, severity)| varied(&[("change", change.as_str()), ("severity", severity.as_str())]));
    std::iter::once(sample()).chain(by_change).chain(Kind::ALL.iter().map(move |kind| varied(&[("kind", kind.as_str())])))
}

/// What templates are tried with: every name that they may use.
#[must_use]
pub fn sample() -> Value {
    json!({
        "title": "PAGE: provider mailchimp, stopped",
        "text": "provider `mailchimp` stopped: 9 canaries have not arrived in 3 inboxes, the oldest after 4m",
        "change": "opened",
        "kind": "stopped",
        "severity": "page",
        "culprit": "provider mailchimp",
        "incident": 1,
        "instance": "watch-1",
        "link": "https://canary.example.com/incidents/1",
        "runbook": "https://canary.example.com/runbooks/stopped",
        "opened_at": "2022-08-08T19:30:00.000Z",
        "at": "2022-08-08T19:30:00.000Z",
        "facts": [{ "name": "Since", "value": "2022-08-08 19:26:00 UTC (4m ago)" }, { "name": "Missing", "value": "9 of the last 20 canaries, 1 inbox" }],
        "evidence": {
            "at": "2022-08-08T19:30:00.000Z",
            "since": "2022-08-08T19:26:00.000Z",
            "first_bad": { "canary": "1", "sent_at": "2022-08-08T19:26:00.000Z", "age": "4m" },
            "last_good": { "canary": "0", "sent_at": "2022-08-08T19:25:00.000Z", "age": "5m" },
            "not_arrived": 9, "missing": 9, "of": 20, "usual": "4s", "certainty": 0.97, "rivals": ["inbox `gmail-1`"], "nats": 14.2,
            "share_lost": 0.4, "times_slower": 3.5, "alarm_at": "2022-08-08T19:29:00.000Z", "held_for": "1m",
            "routes": ["mailchimp/reset/gmail-1"], "routes_count": 1, "streams": ["reset"], "inboxes": ["gmail-1"], "class": "suspended",
            "reply": "550 5.7.1 account suspended", "cannot_be_told_apart": ["inbox `gmail-1`"], "others": "sendgrid delivers",
            "next_step": "open the provider's status page", "why": "disk full",
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(source: &str) -> String {
        Template::new(source.to_owned()).unwrap_err().to_string()
    }

    #[test]
    fn templates_render_what_there_is() {
        let template =
            Template::new("{% for f in facts %}{{ f.name }}: {{ f.value }}\n{% endfor %}{{ evidence.reply }}".to_owned()).unwrap();
        let text = template.render(&sample()).unwrap();
        let since = "Since: 2022-08-08 19:26:00 UTC (4m ago)";
        assert_eq!(text, format!("{since}\nMissing: 9 of the last 20 canaries, 1 inbox\n550 5.7.1 account suspended"));
        assert_eq!(template.render(&json!({"title": "{{ key }}", "facts": []})).unwrap(), "");
        let title = Template::new("{{ title }}".to_owned()).unwrap();
        assert_eq!(title.render(&json!({"title": "{{ secret }} <b>"})).unwrap(), "{{ secret }} <b>", "what is put in is no template");
    }

    #[test]
    fn mistakes_are_named_by_line() {
        assert_eq!(error("a\n{{ titel }}"), "line 2: undefined value: `titel` is undefined");
        assert!(error("a\nb\n{% if x").starts_with("line 3: syntax error"), "{}", error("a\nb\n{% if x"));
        for rare in ["severity == 'warn'", "change == 'resolved' and severity == 'info'", "kind == 'junked'"] {
            assert!(error(&format!("{{% if {rare} %}}{{{{ oops }}}}{{% endif %}}")).contains("`oops` is undefined"), "{rare}");
        }
        assert!(error("{{ evidence.repply }}").starts_with("line 1: undefined value"));
        assert!(error("{% include 'other' %}").starts_with("line 1: "));
    }

    #[test]
    fn nothing_grows_without_end() {
        let loops = "{% for a in evidence %}".repeat(8) + "x" + &"{% endfor %}".repeat(8);
        assert!(error(&loops).contains("fuel"), "{}", error(&loops));
        let much = "{{ evidence }}".repeat(200);
        assert!(error(&much).contains("more than 16384 bytes"), "{}", error(&much));
        assert!(error("{{ range(1000000) }}").contains("range"));
    }
}
