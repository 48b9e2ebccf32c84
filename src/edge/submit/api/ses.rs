//! Amazon SES v2, signed by SigV4.
//!
//! Nearly every refusal is a 400 or 403: the exception's name decides, and where the name is `MessageRejected` its text. The Message-ID and
//! the date of the mail become its own.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use serde_json::{Value, json};

use super::account::Account;
use super::letter::{Letter, TAG};
use super::said::said;
use super::trace::{self, Question, Said, Traces, escaped};
use super::words;
use super::{Call, Reply, Service, Verdict};
use crate::config::{Mailbox, Secret, SesSettings};
use crate::edge::submit::{After, Secrets, SetUpError, secret};
use crate::model::{At, Class, Fate, Sign, Standing};

/// An account in one region.
#[derive(Debug)]
pub(in crate::edge::submit) struct Ses {
    account: Account,
    region: String,
    access_key_id: String,
    session_token: Option<Secret>,
    configuration_set: Option<String>,
}

impl Service for Ses {
    type Settings = SesSettings;
    const TIMED: bool = true;

    fn new(_from: &Mailbox, settings: &SesSettings, secrets: Secrets<'_>) -> Result<Self, SetUpError> {
        Ok(Self {
            account: Account::new(&settings.base_url, &settings.secret_access_key, &settings.templates, secrets)?,
            region: settings.region.clone(),
            access_key_id: settings.access_key_id.clone(),
            session_token: settings.session_token.as_ref().map(|at| secret(secrets, at)).transpose()?,
            configuration_set: settings.configuration_set.clone(),
        })
    }

    fn account(&self) -> &Account {
        &self.account
    }

    fn secrets(&self) -> Vec<String> {
        self.account.secrets().into_iter().chain(self.session_token.iter().map(|token| token.expose().to_owned())).collect()
    }

    fn authorised(&self, call: Call, at: At) -> Call {
        let token = self.session_token.as_ref().map(|token| token.expose().to_owned());
        let credentials = Credentials::new(&self.access_key_id, self.account.key(), token, None, "mailcanary");
        let identity = credentials.into();
        let time: SystemTime = UNIX_EPOCH + Duration::from_millis(u64::try_from(at.as_ms()).unwrap_or_default());
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("ses")
            .time(time)
            .settings(SigningSettings::default())
            .build();
        let url = call.url(&self.account.base_url);
        let headers = call.content_type().map(|kind| ("content-type", kind));
        let request = SignableRequest::new(call.method().as_str(), url, headers.into_iter(), SignableBody::Bytes(call.body()));
        let signed = params.ok().zip(request.ok()).and_then(|(params, request)| sign(request, &params.into()).ok());
        // Without a signature the answer says what is wrong, in the provider's words.
        let Some(signed) = signed else { return call };
        let instructions = signed.into_parts().0;
        let made: Vec<_> = instructions.headers().map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
        made.iter().fold(call, |call, (name, value)| match name.as_str() {
            "authorization" => call.header("authorization", value),
            "x-amz-date" => call.header("x-amz-date", value),
            "x-amz-security-token" => call.header("x-amz-security-token", value),
            "x-amz-content-sha256" => call.header("x-amz-content-sha256", value),
            _ => call,
        })
    }

    fn send(&self, letter: &Letter<'_>) -> Call {
        let mail = letter.mail;
        let part = |text: &String| json!({ "Data": text, "Charset": "UTF-8" });
        let headers = letter.header_list("Name", "Value");
        let content = match letter.template(&self.account.templates) {
            Some(filled) => {
                // Texts by text: there is a JSON of it.
                let data = serde_json::to_string(&filled.variables).unwrap_or_default();
                json!({ "Template": { "TemplateName": filled.id, "TemplateData": data, "Headers": headers } })
            }
            None => json!({ "Simple": {
                "Subject": part(&mail.subject),
                "Body": { "Text": part(&mail.text), "Html": part(&mail.html) },
                "Headers": headers,
            } }),
        };
        let body = json!({
            "FromEmailAddress": letter.sender_ascii(),
            "Destination": { "ToAddresses": [mail.to] },
            "Content": content,
            "ConfigurationSetName": self.configuration_set,
            "EmailTags": [{ "Name": "source", "Value": TAG }, { "Name": "token", "Value": mail.token }],
        });
        Call::json("/v2/email/outbound-emails", body)
    }

    fn taken(&self, reply: &Reply) -> Option<Verdict> {
        reply.id_at("/MessageId").map(|id| Verdict::accepted(Some(id)))
    }

    fn refused(&self, reply: &Reply) -> Option<Class> {
        let name = name(reply)?;
        let said = said(reply).to_ascii_lowercase();
        if said.contains("sending paused") || said.contains("sending suspended") {
            return Some(Class::Suspended);
        }
        Some(match name.as_str() {
            "AccountSuspendedException"
            | "SendingPausedException"
            | "AccountSendingPausedException"
            | "ConfigurationSetSendingPausedException" => Class::Suspended,
            "TooManyRequestsException" | "ThrottlingException" | "Throttling" if said.contains("quota") => Class::Quota,
            "TooManyRequestsException" | "ThrottlingException" | "Throttling" | "RequestLimitExceeded" => Class::Rate,
            "LimitExceededException" => Class::Quota,
            "MailFromDomainNotVerifiedException" => Class::Sender,
            "MessageRejected" if said.contains("not verified") => Class::Sender,
            "MessageRejected" if said.contains("address blacklisted") => Class::Suppressed,
            "MessageRejected" => words::class(&said).unwrap_or(Class::Policy),
            "InvalidSignatureException"
            | "SignatureDoesNotMatch"
            | "UnrecognizedClientException"
            | "InvalidClientTokenId"
            | "ExpiredTokenException"
            | "ExpiredToken"
            | "AccessDeniedException"
            | "AccessDenied"
            | "MissingAuthenticationToken"
            | "MissingAuthenticationTokenException"
            | "IncompleteSignature"
            | "IncompleteSignatureException"
            | "NotAuthorized"
            | "OptInRequired"
            | "RequestExpired"
            | "RequestTimeTooSkewed" => Class::Auth,
            "InternalFailure" | "InternalServerError" | "InternalServiceError" | "ServiceUnavailable" | "ServiceUnavailableException" => {
                Class::Transient
            }
            "NotFoundException" => words::class(&said).filter(|class| *class == Class::Sender).unwrap_or(Class::Permanent),
            _ => return None,
        })
    }

    fn hint(&self, reply: &Reply, class: Class) -> Option<&'static str> {
        if reply.text.to_ascii_lowercase().contains("configuration set") {
            return Some("see to `configuration_set`: there is none of this name in the region, or it may not be used");
        }
        match (class, reply.text.contains("subscription")) {
            (Class::Sender, _) => {
                Some("identities belong to one region, and while the account is in the sandbox the recipient has to be verified too")
            }
            (Class::Auth, true) => Some("sign the account of this key up for Amazon SES, or use a key of one that is: the key is known"),
            _ => None,
        }
    }

    fn ping(&self) -> Call {
        Call::get("/v2/email/account")
    }

    fn standing(&self) -> Option<Call> {
        Some(Call::get("/v2/email/account"))
    }

    fn signs(&self, reply: &Reply) -> Vec<Sign> {
        let enabled = reply.json.as_ref().and_then(|json| json.get("SendingEnabled")?.as_bool());
        let sandboxed = reply.json.as_ref().and_then(|json| json.get("ProductionAccessEnabled")?.as_bool()) == Some(false);
        let standing = reply.text_at("/EnforcementStatus").map(|word| match enabled {
            Some(false) => Sign::Standing { state: Standing::Stopped, word: format!("{word}, sending is paused") },
            Some(true) | None if sandboxed => {
                let (state, word) =
                    (enforcement(&word).max(Standing::Warned), format!("{word}, in the sandbox: writes to verified recipients only"));
                Sign::Standing { state, word }
            }
            Some(true) | None => Sign::Standing { state: enforcement(&word), word },
        });
        // An account without a limit says -1.
        let limit = reply.figure_at("/SendQuota/Max24HourSend");
        let quota = limit.zip(reply.figure_at("/SendQuota/SentLast24Hours"));
        // What was sent is counted over the last 24 hours: there is no instant at which it renews.
        let left = |(limit, sent): (u64, u64)| Sign::Quota { remaining: limit.saturating_sub(sent), limit: Some(limit), renews_at: None };
        let quota = quota.map(left);
        standing.into_iter().chain(quota).collect()
    }

    fn let_in(&self, reply: &Reply) -> bool {
        // A key that may send and may not read the account was known all the same.
        name(reply).is_some_and(|name| name.starts_with("AccessDenied")) && reply.text.contains("ses:GetAccount")
    }
}

/// What an enforcement status means. `PROBATION` is a review, and comes before the pause.
fn enforcement(word: &str) -> Standing {
    match word {
        "HEALTHY" => Standing::Good,
        "SHUTDOWN" => Standing::Stopped,
        _ => Standing::Warned,
    }
}

/// Needs `ses:GetMessageInsights` (with the Virtual Deliverability Manager on) and `ses:GetSuppressedDestination`.
impl Traces for Ses {
    fn questions(&self, after: &After<'_>) -> Vec<Question> {
        let mail = after.message_id.map(|id| Question::of_mail(Call::get(format!("/v2/email/insights/{}/", escaped(id))), insights));
        let seed = Call::get(format!("/v2/email/suppression/addresses/{}", escaped(after.recipient)));
        mail.into_iter().chain([Question::of_seed(seed, suppressed)]).collect()
    }
}

fn insights(reply: &Reply, _after: &After<'_>) -> Option<Said> {
    let events: Vec<Value> =
        trace::list(reply, "/Insights")?.iter().filter_map(|insight| insight.pointer("/Events")?.as_array()).flatten().cloned().collect();
    Some(trace::events(&events, |event| {
        let bounce = ["/Type", "/Details/Bounce/BounceType", "/Details/Bounce/BounceSubType", "/Details/Bounce/DiagnosticCode"];
        let words = trace::words(event, &bounce);
        let fate = match (trace::text(event, "/Type"), trace::text(event, "/Details/Bounce/BounceSubType")) {
            ("BOUNCE", "OnAccountSuppressionList" | "Suppressed" | "SUPPRESSED" | "ON_ACCOUNT_SUPPRESSION_LIST") => Fate::Suppressed,
            ("BOUNCE" | "REJECT" | "RENDERING_FAILURE", _) => Fate::Bounced,
            ("DELIVERY" | "COMPLAINT" | "OPEN" | "CLICK", _) => Fate::HandedOff,
            ("DELIVERY_DELAY", _) => Fate::Deferred,
            ("SEND", _) => Fate::Stuck,
            _ => return None,
        };
        Some((fate, words))
    }))
}

fn suppressed(reply: &Reply, _after: &After<'_>) -> Option<Said> {
    let entry = reply.json.as_ref().filter(|_| reply.is_success())?.pointer("/SuppressedDestination").filter(|entry| entry.is_object())?;
    Some(trace::suppressed(entry, &["/Reason", "/LastUpdateTime"]))
}

/// The exception's name: `x-amzn-errortype: NAME:URL`, or `__type: NAMESPACE#NAME` in the body.
fn name(reply: &Reply) -> Option<String> {
    let found = reply.header("x-amzn-errortype").map(str::to_owned);
    let found = found.or_else(|| ["/__type", "/code", "/Error/Code"].iter().find_map(|at| reply.text_at(at)))?;
    let found = found.rsplit('#').next().unwrap_or_default();
    Some(found.split(':').next().unwrap_or_default().to_owned())
}
