//! All secrets of a configuration, had at once.

use std::collections::BTreeMap;

use super::complaint::quoted;
use super::text::join;
use super::{Complaint, InboxKind, ProviderKind, Secret, SecretRef, Settings, SinkKind};
use crate::model::Name;

/// Every secret that the settings name.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    found: BTreeMap<SecretRef, Secret>,
    warnings: Vec<Complaint>,
}

impl Secrets {
    /// Reads all of them, now.
    ///
    /// # Errors
    /// One complaint for each that cannot be had, without a place; [`super::Checked::secrets`] gives the places too.
    pub fn resolve(settings: &Settings) -> Result<Self, Vec<Complaint>> {
        let mut secrets = Self::default();
        let mut complaints = Vec::new();
        for (key, at) in named(settings) {
            match at.resolve() {
                Ok(resolved) => {
                    if let Some(mode) = resolved.loose {
                        secrets.warnings.push(loose(&key, at, mode));
                    }
                    secrets.found.insert(at.clone(), resolved.secret);
                }
                Err(error) => {
                    let what = format!("the secret {} cannot be had: {error}", quoted(&at.to_string()));
                    complaints.push(Complaint { place: None, key, what, hint: Some(error.hint().to_owned()) });
                }
            }
        }
        if complaints.is_empty() { Ok(secrets) } else { Err(complaints) }
    }

    /// The secret that `at` names; `None` only if the settings that were resolved do not name it.
    #[must_use]
    pub fn get(&self, at: &SecretRef) -> Option<&Secret> {
        self.found.get(at)
    }

    /// What is questionable: files that others may read.
    #[must_use]
    pub fn warnings(&self) -> &[Complaint] {
        &self.warnings
    }

    pub(super) fn warnings_mut(&mut self) -> &mut [Complaint] {
        &mut self.warnings
    }
}

/// Secrets that need no resolving, for worlds of one's own.
impl FromIterator<(SecretRef, Secret)> for Secrets {
    fn from_iter<I: IntoIterator<Item = (SecretRef, Secret)>>(pairs: I) -> Self {
        Self { found: pairs.into_iter().collect(), warnings: Vec::new() }
    }
}

fn loose(key: &str, at: &SecretRef, mode: u32) -> Complaint {
    let what = format!("others than its owner may read {} (mode {mode:o})", quoted(&at.to_string()));
    Complaint { place: None, key: key.to_owned(), what, hint: Some("chmod 0400, and let the service's user own it".to_owned()) }
}

/// Every secret with its key's path, in the order of the paths.
fn named(settings: &Settings) -> Vec<(String, &SecretRef)> {
    let key = |group: &str, name: &Name, rest: &str| format!("{}.{rest}", join(group, name.as_str()));
    let mut all = Vec::new();
    for (name, provider) in &settings.providers {
        match &provider.kind {
            ProviderKind::Smtp(smtp) => all.extend(smtp.login.iter().map(|(_, at)| (key("provider", name, "smtp.password"), at))),
            ProviderKind::Mandrill(mandrill) => all.push((key("provider", name, "mandrill.api_key"), &mandrill.api_key)),
        }
    }
    for (name, inbox) in &settings.inboxes {
        let InboxKind::Imap(imap) = &inbox.kind;
        all.push((key("inbox", name, "imap.password"), &imap.password));
    }
    for (name, sink) in &settings.sinks {
        match &sink.kind {
            SinkKind::Webhook { secret, .. } => all.extend(secret.iter().map(|at| (key("sink", name, "webhook.secret"), at))),
            SinkKind::Alertmanager { .. } => {}
        }
    }
    all
}
