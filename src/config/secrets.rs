//! All secrets of a configuration, had at once; and whether they and the private authorities can be used.

use std::collections::BTreeMap;

use super::authority::authorities;
use super::complaint::quoted;
use super::secret_url::SecretUrl;
use super::service_key::ServiceKey;
use super::signing::SigningKey;
use super::text::join;
use super::{
    Complaint, PostmarkSettings, Provider, ProviderKind, ResendSettings, Secret, SecretRef, Settings, SinkKind, WebConfigError,
    WebhookSettings, Wire, web_config,
};
use crate::model::Name;

/// The end of the path of a key whose secret is a whole file.
const SERVICE_ACCOUNT: &str = ".service_account";
/// The end of the path of a key whose secret is a web address.
const URL: &str = ".url";

/// Every secret that the settings name.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    found: BTreeMap<SecretRef, Secret>,
    warnings: Vec<Complaint>,
}

impl Secrets {
    /// Reads all of them, now, and sees to it that those which sign can sign and that every `ca_file` holds authorities: what is found only
    /// when a connection is made is found too late.
    ///
    /// # Errors
    /// One complaint for each that cannot be had or used, without a place; [`super::Checked::secrets`] gives the places too.
    pub fn resolve(settings: &Settings) -> Result<Self, Vec<Complaint>> {
        let mut secrets = Self::default();
        let mut complaints = Vec::new();
        for (key, at) in named(settings) {
            let resolved = if key.ends_with(SERVICE_ACCOUNT) { at.resolve_lines() } else { at.resolve() };
            match resolved {
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
        complaints.extend(unfit_to_sign(settings, &secrets));
        complaints.extend(no_addresses(settings, &secrets));
        complaints.extend(unfit_for_hooks(settings, &secrets));
        complaints.extend(no_service_keys(settings, &secrets));
        complaints.extend(without_authorities(settings));
        complaints.extend(unfit_for_the_web(settings));
        if complaints.is_empty() { Ok(secrets) } else { Err(complaints) }
    }

    /// The secrets that can be had here, and how many cannot: for who looks for them in texts.
    #[must_use]
    pub fn at_hand(settings: &Settings) -> (Vec<Secret>, usize) {
        let resolve = |(key, at): (String, &SecretRef)| if key.ends_with(SERVICE_ACCOUNT) { at.resolve_lines() } else { at.resolve() };
        let all: Vec<_> = named(settings).into_iter().map(resolve).collect();
        let count = all.len();
        let had: Vec<Secret> = all.into_iter().filter_map(|one| Some(one.ok()?.secret)).collect();
        let unknown = count - had.len();
        (had, unknown)
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

/// Secrets of webhooks that were had and cannot sign.
fn unfit_to_sign(settings: &Settings, secrets: &Secrets) -> Vec<Complaint> {
    let unfit = |(name, sink): (&Name, &super::Sink)| {
        let SinkKind::Webhook(WebhookSettings { secret: Some(at), .. }) = &sink.kind else { return None };
        let error = SigningKey::new(secrets.get(at)?).err()?;
        let what = format!("the secret {} cannot sign: {error}", quoted(&at.to_string()));
        let hint = "take it from the receiver's settings, and give both sides the same".to_owned();
        Some(Complaint { place: None, key: key("sink", name, "webhook.secret"), what, hint: Some(hint) })
    };
    settings.sinks.iter().filter_map(unfit).collect()
}

/// Secrets of providers' webhooks that were had and are not of the form that these have.
fn unfit_for_hooks(settings: &Settings, secrets: &Secrets) -> Vec<Complaint> {
    let unfit = |(name, provider): (&Name, &Provider)| {
        let (at, why, hint) = if let ProviderKind::Resend(ResendSettings { webhook_secret: Some(at), .. }) = &provider.kind {
            let error = SigningKey::new(secrets.get(at)?).err()?;
            (at, error.to_string(), "copy the signing secret of the webhook from Resend's console, as it is")
        } else if let ProviderKind::Postmark(PostmarkSettings { webhook_secret: Some(at), .. }) = &provider.kind {
            let (user, password) = secrets.get(at)?.expose().split_once(':').unwrap_or_default();
            if !user.is_empty() && !password.is_empty() {
                return None;
            }
            let hint = "write `user:password`, and the same two into the webhook's basic authentication at Postmark";
            (at, "it is no user name and password with a colon between them".to_owned(), hint)
        } else {
            return None;
        };
        let what = format!("the secret {} does not fit a webhook: {why}", quoted(&at.to_string()));
        let key = key("provider", name, &format!("{}.webhook_secret", provider.kind.as_str()));
        Some(Complaint { place: None, key, what, hint: Some(hint.to_owned()) })
    };
    settings.providers.iter().filter_map(unfit).collect()
}

/// Secrets that were had and are no keys of service accounts.
fn no_service_keys(settings: &Settings, secrets: &Secrets) -> Vec<Complaint> {
    let unfit = |(key, at): (String, &SecretRef)| {
        let error = ServiceKey::new(secrets.get(at).filter(|_| key.ends_with(SERVICE_ACCOUNT))?).err()?;
        let what = format!("the secret {} is no key: {error}", quoted(&at.to_string()));
        let hint = "take the JSON file that the console gives when a key is added to the service account, as it is".to_owned();
        Some(Complaint { place: None, key, what, hint: Some(hint) })
    };
    named(settings).into_iter().filter_map(unfit).collect()
}

/// Secrets that were had and are no web addresses.
fn no_addresses(settings: &Settings, secrets: &Secrets) -> Vec<Complaint> {
    let unfit = |(key, at): (String, &SecretRef)| {
        let error = SecretUrl::new(secrets.get(at).filter(|_| key.ends_with(URL))?).err()?;
        let what = format!("the secret {} is no address to write to: {error}", quoted(&at.to_string()));
        let hint = "take the whole URL from the receiver's settings, and write it there alone".to_owned();
        Some(Complaint { place: None, key, what, hint: Some(hint) })
    };
    named(settings).into_iter().filter_map(unfit).collect()
}

/// Files of private authorities that cannot be used.
fn without_authorities(settings: &Settings) -> Vec<Complaint> {
    let complaint = |(key, wire): (String, &Wire)| {
        let path = wire.ca_file.as_ref()?;
        let error = authorities(path).err()?;
        let why = std::error::Error::source(&error).map_or_else(String::new, |cause| format!(": {cause}"));
        let what = format!("{} gives no certificate authority: {error}{why}", quoted(&path.display().to_string()));
        let hint = "write the path of a file with the authority's certificate in PEM form, which mailcanary's user may read".to_owned();
        Some(Complaint { place: None, key, what, hint: Some(hint) })
    };
    wires(settings).into_iter().filter_map(complaint).collect()
}

/// Why a web configuration cannot be used: each mistake on its own.
fn unfit_for_the_web(settings: &Settings) -> Vec<Complaint> {
    let path = settings.http.as_ref().and_then(|http| http.web_config.as_ref());
    let errors = path.and_then(|path| web_config(path).err()).unwrap_or_default();
    let complaint = |error: WebConfigError| Complaint {
        place: None,
        key: "http.web_config".to_owned(),
        what: error.to_string(),
        hint: Some(error.hint),
    };
    errors.into_iter().map(complaint).collect()
}

/// The path of a key under the name of a provider, an inbox, a sink or a heartbeat.
fn key(group: &str, name: &Name, rest: &str) -> String {
    format!("{}.{rest}", join(group, name.as_str()))
}

/// Every way out, with the path of its `ca_file`.
fn wires(settings: &Settings) -> Vec<(String, &Wire)> {
    let providers = settings
        .providers
        .iter()
        .map(|(name, provider)| (key("provider", name, &format!("{}.ca_file", provider.kind.as_str())), &provider.wire));
    let inboxes =
        settings.inboxes.iter().map(|(name, inbox)| (key("inbox", name, &format!("{}.ca_file", inbox.kind.as_str())), &inbox.wire));
    let sinks = settings.sinks.iter().map(|(name, sink)| (key("sink", name, &format!("{}.ca_file", sink.kind.as_str())), &sink.wire));
    let heartbeats =
        settings.heartbeats.iter().map(|(name, beat)| (key("heartbeat", name, &format!("{}.ca_file", beat.kind.as_str())), &beat.wire));
    let dns = [("dns.ca_file".to_owned(), &settings.records.wire)];
    providers.chain(inboxes).chain(sinks).chain(heartbeats).chain(dns).collect()
}

/// Every secret with its key's path, in the order of the paths.
fn named(settings: &Settings) -> Vec<(String, &SecretRef)> {
    let mut all = Vec::new();
    for (name, provider) in &settings.providers {
        let kind = provider.kind.as_str();
        all.extend(provider.kind.secrets().into_iter().map(|(secret, at)| (key("provider", name, &format!("{kind}.{secret}")), at)));
    }
    for (name, inbox) in &settings.inboxes {
        let kind = inbox.kind.as_str();
        all.extend(inbox.kind.secrets().into_iter().map(|(secret, at)| (key("inbox", name, &format!("{kind}.{secret}")), at)));
    }
    for (name, sink) in &settings.sinks {
        let kind = sink.kind.as_str();
        all.extend(sink.kind.secrets().into_iter().map(|(secret, at)| (key("sink", name, &format!("{kind}.{secret}")), at)));
    }
    for (name, beat) in &settings.heartbeats {
        let kind = beat.kind.as_str();
        all.extend(beat.kind.secrets().into_iter().map(|(secret, at)| (key("heartbeat", name, &format!("{kind}.{secret}")), at)));
    }
    all.extend(settings.blocklists.iter().filter_map(|(name, list)| Some((key("blocklist", name, "key"), list.key.as_ref()?))));
    all.extend(settings.http.iter().filter_map(|http| Some(("http.token".to_owned(), http.token.as_ref()?))));
    all
}
