//! TOML text → settings that cannot be wrong. Every complaint at once, with line, value and hint.
//!
//! Two layers: `text` mirrors the text with its positions, and what `read` makes of it is [`Settings`], whose fields need no further
//! check. The list of all keys stands once, in `keys`.

mod advice;
mod authority;
mod blocklist;
mod budget;
mod complaint;
mod coverage;
mod forms;
mod heartbeat;
mod hook;
mod houses;
mod inbox;
mod independence;
mod keys;
mod kinds;
mod load;
mod mail;
mod maintenance;
mod name_server;
mod preset;
mod provider;
mod read;
mod reference;
mod schema;
mod secret;
mod secret_url;
mod secrets;
mod sending;
mod service_key;
mod settings;
mod signing;
mod signs;
mod sink;
mod starter;
mod takes;
mod template;
mod text;
mod trigger;
mod value;
mod web;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

pub use authority::{AuthorityError, authorities};
pub use blocklist::{Blocklist, Codes};
pub use budget::{BURST, Budget, Duty, Forecast, Price};
pub use complaint::{Complaint, Place};
pub use forms::forms;
pub use heartbeat::{AlertmanagerBeat, HealthchecksBeat, HeartbeatKind, KumaBeat, OnCallBeat, OpsgenieBeat};
pub use hook::{PublicKey, PublicKeyError};
pub use inbox::{ENDS_SOON, ImapSettings, InboxKind, JmapSettings, MaildirSettings, MxSettings};
pub use load::{LoadError, content, ledger_folder, load};
pub use mail::{ExpectedMail, Honeytoken};
pub use maintenance::Maintenance;
pub use name_server::{Carrier, NameServer, Records, Upstream};
pub use preset::Preset;
pub use provider::{
    AzureSettings, BrevoSettings, GmailSettings, MailerSendSettings, MailgunSettings, MailjetSettings, MandrillSettings, OAuth,
    PostmarkSettings, Proof, ProviderKind, ResendSettings, SendGridSettings, SesSettings, SmtpLogin, SmtpSettings, SparkPostSettings,
    Templates,
};
pub use read::matches;
pub use reference::reference;
pub use schema::schema;
pub use secret::{Resolved, Secret, SecretError, SecretRef};
pub use secret_url::{SecretUrl, SecretUrlError};
pub use secrets::Secrets;
pub use sending::{hosts_of, kind_of};
pub use service_key::{ServiceKey, ServiceKeyError};
pub use settings::{
    Drill, Family, Heartbeat, Http, Inbox, LedgerSettings, Mailbox, Provider, Proxy, Public, Settings, Sink, Stream, Tls, Watch, Wire,
};
pub use signing::{SigningKey, SigningKeyError};
pub use signs::Signs;
pub use sink::{
    AlertmanagerSettings, CommandSettings, DesktopSettings, DiscordSettings, EmailSettings, GrafanaSettings, JiraSettings, NtfySettings,
    OpsgenieSettings, PagerDutySettings, SinkKind, SlackBotSettings, SlackSettings, TeamsSettings, TelegramSettings, WebhookSettings,
};
pub use starter::starter;
pub use takes::{Scope, Takes};
pub use template::{Template, TemplateError, Wording, sample};
pub use trigger::{Header, Look, Payload, TriggerSettings, fill};

pub use value::span;
pub use web::{WebConfig, WebConfigError, in_one, web_config};

use complaint::Notes;

use crate::model::Name;

/// A configuration that can be run, and what is likely not meant in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// The settings.
    pub settings: Settings,
    /// What is likely not meant, sorted by place.
    pub warnings: Vec<Complaint>,
    /// Where each secret and each file is named, by its key's path.
    outside: BTreeMap<String, Place>,
    /// Sinks that are meant to share a path with what is watched.
    meant: BTreeSet<Name>,
}

impl Checked {
    /// Reads everything outside the text that the settings rest on, now: every secret, which must also be fit for its use, and every
    /// `ca_file`.
    ///
    /// # Errors
    /// One complaint for each that cannot be had or used, with the place that names it.
    pub fn secrets(&self) -> Result<Secrets, Vec<Complaint>> {
        let place = |complaint: &mut Complaint| complaint.place = self.outside.get(&complaint.key).copied();
        match Secrets::resolve(&self.settings) {
            Ok(mut secrets) => {
                let mut complaints = independence::of_secrets(&self.settings, &secrets, &self.meant);
                complaints.iter_mut().for_each(place);
                secrets.warnings_mut().iter_mut().for_each(place);
                if complaints.is_empty() { Ok(secrets) } else { Err(complaints) }
            }
            Err(mut complaints) => {
                complaints.iter_mut().for_each(place);
                complaints.sort_by_key(|c| c.place);
                Err(complaints)
            }
        }
    }
}

/// Reads `text`. Pure: opens no file, resolves no secret, looks up no name. `host_name` is the default of `[watch] instance`.
///
/// # Errors
/// Every complaint there is, sorted by place. A text that is not TOML gives only the first.
pub fn parse(text: &str, host_name: &str) -> Result<Checked, Vec<Complaint>> {
    let notes = Notes::new(text);
    let document = match toml_edit::Document::parse(text) {
        Ok(document) => document,
        Err(error) => return Err(vec![syntax(&notes, &error)]),
    };
    let mut meant = BTreeSet::new();
    let settings = read::whole(text::Root::new(document.as_table(), &notes), host_name).and_then(|whole| {
        read::fit(&whole);
        advice::give(&whole);
        if let Some(settings) = &whole.settings {
            coverage::gaps(&whole, settings);
            meant = independence::demand(&whole, settings);
        }
        whole.settings
    });
    let (mut complaints, warnings, outside) = notes.finish();
    match settings {
        Some(settings) if complaints.is_empty() => Ok(Checked { settings, warnings, outside, meant }),
        _ => {
            if complaints.is_empty() {
                let what = "the configuration cannot be read, and no reason was found".to_owned();
                complaints.push(Complaint { place: None, key: String::new(), what, hint: None });
            }
            Err(complaints)
        }
    }
}

/// The ledger's folder that `text` names, or its default, whatever else is wrong in it. Pure.
///
/// # Errors
/// What is wrong there; and where no folder is named, what may be a misspelt or misplaced one: the default would be another daemon's.
fn whereabouts(text: &str) -> Result<PathBuf, Vec<Complaint>> {
    let notes = Notes::new(text);
    let document = toml_edit::Document::parse(text).map_err(|error| vec![syntax(&notes, &error)])?;
    let root = text::Root::new(document.as_table(), &notes);
    let section = keys::table("ledger").map(|table| root.single(table));
    let (path, is_said) = (section.as_ref().and_then(|s| s.get("path")), section.is_some_and(|s| s.has("path")));
    let doubtful = |complaint: &Complaint| {
        let last = complaint.key.rsplit('.').next().unwrap_or_default();
        matches!(complaint.key.as_str(), "ledger" | "ledger.path")
            || !is_said && complaint.what.ends_with(UNKNOWN) && complaint::meant(last, ["ledger", "path"]).is_some()
    };
    let complaints = parse(text, "").err().unwrap_or_default();
    let doubts: Vec<Complaint> = complaints.iter().filter(|complaint| doubtful(complaint)).cloned().collect();
    match path {
        Some(path) if doubts.is_empty() => Ok(path),
        _ => Err(if doubts.is_empty() { complaints } else { doubts }),
    }
}

/// How what is said of an unknown key or table ends.
const UNKNOWN: &str = "that mailcanary knows";

/// What the TOML parser says, without the line that it stands in: that may hold a secret.
fn syntax(notes: &Notes<'_>, error: &toml_edit::TomlError) -> Complaint {
    let place = error.span().map(|span| notes.place(span.start));
    let message = error.message().replace('\n', ", ");
    let hint = if message.contains("duplicate") {
        "it stands above already: remove one of the two"
    } else {
        "texts stand in quotes, tables in [brackets], and each key is on a line of its own"
    };
    let bare = error.span().is_some_and(|span| notes.is_bare_word(span.start));
    let what = format!("this is not TOML: {}", if bare { "a text without quotes" } else { &message });
    Complaint { place, key: String::new(), what, hint: Some(format!("{hint}; nothing behind it was read")) }
}
