//! Webhooks of providers: their keys, and whether anybody can reach them.

use super::super::complaint::{Fault, quoted};
use super::super::hook::PublicKey;
use super::super::text::Section;
use super::super::{Http, Provider, ProviderKind};
use super::{Field, Read};

impl Field for Option<PublicKey> {
    fn read(section: &Section<'_>, name: &'static str) -> Option<Self> {
        let Some(text) = section.maybe::<String>(name)? else { return Some(None) };
        match PublicKey::new(&text) {
            Ok(key) => Some(Some(key)),
            Err(error) => {
                let what = format!("{} is no key: {error}", quoted(&text));
                section
                    .refuse(name, Fault::hinted(what, "copy the verification key from the settings of the signed event webhook, as it is"));
                None
            }
        }
    }
}

/// Refuses a webhook whose signatures nobody could check: Mandrill's cover the address that it posts to.
pub(super) fn signed_by_address(providers: &Read<'_, Provider>, http: Option<&Http>) {
    let addressed = http.is_some_and(|http| http.public_url.is_some());
    for (name, section) in &providers.sections {
        let Some(ProviderKind::Mandrill(settings)) = providers.parts.get(name).map(|provider| &provider.kind) else { continue };
        if settings.webhook_secret.is_some() && !addressed {
            let hint = format!(
                "write the address that others reach it by under [http], for example public_url = \"https://canary.example.com\"; \
                 the webhook is then at https://canary.example.com/hooks/{name}"
            );
            section.refuse("webhook_secret", Fault::hinted("its signatures cover the webhook's address, which is not known", hint));
        }
    }
}
