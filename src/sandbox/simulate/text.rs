//! The text of a scenario: TOML, its keys and their defaults.

use std::fmt::Write as _;

use serde::{Deserialize, Deserializer, de};
use thiserror::Error;

use super::scenario::{Failure, Runs, Scenario, matrix};
use super::trouble::Harm;
use super::weather::{Extent, Sort, Spell, Weather};
use crate::config;
use crate::model::{Answer, Claim, Class, Culprit, Grade, Mark, Method, Name, Span, Subject};

/// More routes than this are no experiment any more, but a load test.
const ROUTES_AT_MOST: usize = 20_000;

/// Why a scenario cannot be played.
#[derive(Debug, Error)]
pub enum ScenarioError {
    /// The text is not as it should be; says where, and what is expected.
    #[error("{0}")]
    Text(#[from] toml_edit::de::Error),
    /// It contradicts itself.
    #[error("`{key}`: {what}")]
    Sense {
        /// Which key.
        key: String,
        /// What is wrong, and what to do.
        what: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    #[serde(default)]
    matrix: Matrix,
    #[serde(default)]
    watch: Watch,
    #[serde(default)]
    mail: Mail,
    #[serde(default)]
    mail_of: Vec<MailOf>,
    #[serde(default)]
    failure: Vec<Broken>,
    #[serde(default)]
    runs: Playing,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Matrix {
    providers: usize,
    streams: usize,
    inboxes: usize,
}

impl Default for Matrix {
    fn default() -> Self {
        Self { providers: 1, streams: 1, inboxes: 1 }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Watch {
    every: Duration,
    confirmations: String,
    false_pages: String,
    deadline: Duration,
}

impl Default for Watch {
    fn default() -> Self {
        let (confirmations, false_pages) = ("20%".to_owned(), "1 per year".to_owned());
        Self { every: Duration(Span::from_secs(60)), confirmations, false_pages, deadline: Duration(Span::from_secs(900)) }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Mail {
    median: Duration,
    sigma: f64,
    greylisted: Share,
    greylisted_from: Duration,
    greylisted_to: Duration,
    lost: Share,
    tail: Share,
    tail_exponent: f64,
    day_and_night: f64,
    spell: Vec<Bad>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MailOf {
    culprit: Culprit,
    #[serde(default)]
    mail: Mail,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bad {
    kind: BadKind,
    per_year: f64,
    lasts: Duration,
    #[serde(default = "ten")]
    factor: f64,
    #[serde(default = "most")]
    share: Share,
    #[serde(default = "everything")]
    of: Extent,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum BadKind {
    Slow,
    Greylist,
    Stall,
}

/// One failure, as a scenario writes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sandbox) struct Broken {
    kind: BrokenKind,
    culprit: Option<Culprit>,
    #[serde(default)]
    after: Duration,
    #[serde(default)]
    lasts: Duration,
    share: Option<Share>,
    factor: Option<f64>,
    class: Option<Class>,
    /// What is foreign.
    mark: Option<Mark>,
    /// What fails.
    method: Option<Method>,
    /// What a mail that nobody sent has to do with us, and who it says it is from.
    claim: Option<Claim>,
    from: Option<String>,
    /// What the DNS is asked, and what it answers without the failure (of a blocklist: nothing) and with it.
    pub(in crate::sandbox) subject: Option<Subject>,
    before: Option<Answer>,
    answer: Option<Answer>,
    /// What is told of it, where it is a story.
    #[serde(default)]
    pub(in crate::sandbox) say: String,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
enum BrokenKind {
    Stop,
    Hold,
    Loss,
    Slow,
    Junk,
    Refuse,
    Twice,
    Foreign,
    ForeignRecurring,
    Fails,
    Record,
    Stranger,
    Blind,
    Sleep,
    CutOff,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Playing {
    count: u64,
    learn: Duration,
    watch: Duration,
    quiet: u64,
    quiet_lasts: Duration,
    seed: u64,
}

impl Default for Playing {
    fn default() -> Self {
        let (learn, watch, year) =
            (Duration(Span::from_secs(2 * 86_400)), Duration(Span::from_secs(1800)), Duration(Span::from_secs(365 * 86_400)));
        Self { count: 100, learn, watch, quiet: 4, quiet_lasts: year, seed: 1 }
    }
}

impl Default for Mail {
    fn default() -> Self {
        let weather = Weather::steady();
        Self {
            median: Duration(weather.median),
            sigma: weather.sigma,
            greylisted: Share(weather.grey),
            greylisted_from: Duration(weather.grey_takes.0),
            greylisted_to: Duration(weather.grey_takes.1),
            lost: Share(weather.lost),
            tail: Share(weather.tail),
            tail_exponent: weather.tail_exponent,
            day_and_night: weather.day_and_night,
            spell: Vec::new(),
        }
    }
}

/// A duration as the configuration writes it.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::sandbox) struct Duration(pub(in crate::sandbox) Span);

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let span = config::span(&text).ok_or_else(|| {
            de::Error::custom(format_args!("`{text}` is not a duration: write it as \"90s\", \"1m30s\", \"2h\" or \"30d\""))
        })?;
        Ok(Self(span))
    }
}

/// A share as `"3%"`.
#[derive(Clone, Copy)]
struct Share(f64);

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let percent = text.strip_suffix('%').and_then(|number| number.trim().parse::<f64>().ok()).filter(|p| (0.0..=100.0).contains(p));
        percent.map(|p| Self(p / 100.0)).ok_or_else(|| de::Error::custom(format_args!("`{text}` is not a share: write it as \"3%\"")))
    }
}

const fn ten() -> f64 {
    10.0
}

const fn most() -> Share {
    Share(0.6)
}

const fn everything() -> Extent {
    Extent::Everything
}

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    /// If a key is unknown, missing, or of another type; or if it makes no sense.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let text: Text = toml_edit::de::from_str(text)?;
        let routes = matrix(text.matrix.providers, text.matrix.streams, text.matrix.inboxes);
        if routes.is_empty() || routes.len() > ROUTES_AT_MOST {
            return Err(sense("matrix", format!("{} routes: there must be at least one, and at most {ROUTES_AT_MOST}", routes.len())));
        }
        let configuration = text.watch.configuration(&text.matrix);
        let deadline = text.watch.deadline.0;
        let checked = config::parse(&configuration, "simulation").map_err(|complaints| {
            let first = complaints.into_iter().next();
            first.map_or_else(
                || sense("watch", "it cannot be used".to_owned()),
                |c| sense(&c.key, format!("{}{}", c.what, c.hint.map_or_else(String::new, |h| format!(" ({h})")))),
            )
        })?;
        let mut climate = vec![(Culprit::Watcher {}, text.mail.weather("mail")?)];
        for of in text.mail_of {
            climate.push((of.culprit, of.mail.weather("mail_of.mail")?));
        }
        let mut failures = Vec::new();
        for broken in text.failure {
            let failure = broken.failure()?;
            let culprit = failure.harm.culprit();
            if !routes.iter().any(|r| culprit.covers(r)) {
                return Err(sense("failure.culprit", format!("`{culprit}` is not in the matrix: its names are p0…, s0… and i0…")));
            }
            failures.push(failure);
        }
        let Playing { count, learn, watch, quiet, quiet_lasts, seed } = text.runs;
        let runs = Runs { count, learn: learn.0, watch: watch.0, quiet, quiet_lasts: quiet_lasts.0, seed };
        let (every, false_pages) = (checked.settings.watch.every, checked.settings.watch.false_pages_per_year);
        Ok(Self { routes, configuration, every, deadline, false_pages, climate, failures, runs })
    }
}

pub(in crate::sandbox) fn sense(key: &str, what: String) -> ScenarioError {
    ScenarioError::Sense { key: key.to_owned(), what }
}

impl Watch {
    /// The configuration of a daemon that would watch this matrix.
    fn configuration(&self, matrix: &Matrix) -> String {
        let quoted = |text: &str| toml_edit::Value::from(text).to_string();
        let (confirmations, false_pages) = (quoted(&self.confirmations), quoted(&self.false_pages));
        let mut text = format!("[watch]\nevery = \"{}\"\nconfirmations = {confirmations}\nfalse_pages = {false_pages}\n", self.every.0);
        for n in 0..matrix.streams {
            let _ = write!(text, "[stream.s{n}]\nsubject = \"Reset\"\ndeadline = \"{}\"\n", self.deadline.0);
        }
        for n in 0..matrix.providers {
            let _ = write!(text, "[provider.p{n}.smtp]\nfrom = \"p{n}@example.com\"\nhost = \"127.0.0.1\"\ntls = \"none\"\n");
        }
        for n in 0..matrix.inboxes {
            let login = "username = \"u\"\npassword = { env = \"UNUSED\" }";
            let _ = write!(text, "[inbox.i{n}.imap]\naddress = \"i{n}@example.net\"\nhost = \"127.0.0.1\"\ntls = \"none\"\n{login}\n");
        }
        text
    }
}

impl Mail {
    fn weather(&self, key: &str) -> Result<Weather, ScenarioError> {
        let positive = |name: &str, value: f64| {
            if value.is_finite() && value > 0.0 {
                Ok(value)
            } else {
                Err(sense(&format!("{key}.{name}"), format!("`{value}` must be greater than 0")))
            }
        };
        let spells: Result<Vec<Spell>, ScenarioError> = self
            .spell
            .iter()
            .map(|bad| {
                let sort = match bad.kind {
                    BadKind::Slow => Sort::Slow(positive("spell.factor", bad.factor)?),
                    BadKind::Greylist => Sort::Grey(bad.share.0),
                    BadKind::Stall => Sort::Stall,
                };
                Ok(Spell { sort, per_year: positive("spell.per_year", bad.per_year)?, lasts: bad.lasts.0, of: bad.of })
            })
            .collect();
        Ok(Weather {
            median: self.median.0,
            sigma: positive("sigma", self.sigma)?,
            grey: self.greylisted.0,
            grey_takes: (self.greylisted_from.0, self.greylisted_to.0.max(self.greylisted_from.0)),
            lost: self.lost.0,
            tail: self.tail.0,
            tail_exponent: positive("tail_exponent", self.tail_exponent)?,
            day_and_night: positive("day_and_night", self.day_and_night)?,
            spells: spells?,
        })
    }
}

/// The inbox that a culprit is.
fn inbox(culprit: Culprit) -> Result<Name, ScenarioError> {
    match culprit {
        Culprit::Inbox(inbox) => Ok(inbox),
        Culprit::Provider(_) | Culprit::Stream(..) | Culprit::Path(..) | Culprit::Route(..) | Culprit::Watcher {} => {
            Err(sense("failure.culprit", "only an inbox can be that: write { inbox = \"i0\" }".to_owned()))
        }
    }
}

impl Broken {
    pub(in crate::sandbox) fn failure(self) -> Result<Failure, ScenarioError> {
        let kind = self.kind;
        let needs = |key: &str| sense(&format!("failure.{key}"), format!("a failure of this kind ({kind:?}) needs it").to_lowercase());
        let culprit = |given: Option<Culprit>| given.ok_or_else(|| needs("culprit"));
        let harm = match kind {
            BrokenKind::Stop => Harm::Stop(culprit(self.culprit)?),
            BrokenKind::Hold => Harm::Hold(culprit(self.culprit)?, self.share.map_or(1.0, |share| share.0)),
            BrokenKind::Loss => Harm::Loss(culprit(self.culprit)?, self.share.ok_or_else(|| needs("share"))?.0),
            BrokenKind::Slow => Harm::Slow(culprit(self.culprit)?, self.factor.ok_or_else(|| needs("factor"))?),
            BrokenKind::Junk => Harm::Junk(culprit(self.culprit)?, self.share.ok_or_else(|| needs("share"))?.0),
            BrokenKind::Refuse => {
                let class = self.class.ok_or_else(|| needs("class"))?;
                Harm::Refuse(culprit(self.culprit)?, class, self.share.map_or(1.0, |share| share.0))
            }
            BrokenKind::Twice => Harm::Twice(culprit(self.culprit)?),
            BrokenKind::Foreign => Harm::Foreign(culprit(self.culprit)?, self.mark.ok_or_else(|| needs("mark"))?),
            BrokenKind::ForeignRecurring => Harm::ForeignRecurring(culprit(self.culprit)?, self.mark.ok_or_else(|| needs("mark"))?),
            BrokenKind::Fails => Harm::Fails(culprit(self.culprit)?, self.method.ok_or_else(|| needs("method"))?),
            BrokenKind::Record => {
                let (subject, after) = (self.subject.ok_or_else(|| needs("subject"))?, self.answer.ok_or_else(|| needs("answer"))?);
                let before = self.before.unwrap_or_else(|| Answer::new(Grade::Sound, ""));
                Harm::Record(culprit(self.culprit)?, subject, Box::new([before, after]))
            }
            BrokenKind::Stranger => {
                let (claim, from) = (self.claim.ok_or_else(|| needs("claim"))?, self.from.ok_or_else(|| needs("from"))?);
                Harm::Stranger(inbox(culprit(self.culprit)?)?, claim, from)
            }
            BrokenKind::Blind => Harm::Blind(inbox(culprit(self.culprit)?)?),
            BrokenKind::Sleep => Harm::Sleep,
            BrokenKind::CutOff => Harm::Cut,
        };
        Ok(Failure { harm, after: self.after.0, lasts: self.lasts.0 })
    }
}
