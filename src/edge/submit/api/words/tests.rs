//! Refusals in words that no provider's list has.

use Class::{Auth, Network, Permanent, Policy, Quota, Rate, Recipient, Sender, Suppressed, Suspended, Transient};
use http::{HeaderMap, HeaderValue};

use super::*;
use crate::model::At;

fn reply(status: u16, kind: &'static str, text: &str) -> Reply {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static(kind));
    Reply::new(status, headers, text.to_owned(), true, At::from_ms(0))
}

#[rustfmt::skip]
const CASES: &[(u16, &str, Class)] = &[
    (403, "Your account has been suspended. Please contact support.", Suspended),
    (400, "Account is currently under review", Suspended),
    (403, "Sending has been disabled for your account", Suspended),
    (401, "This API key has been disabled", Suspended),
    (403, "Your account has been locked due to unusual activity", Suspended),
    (403, "Your account was terminated for violating the terms of service", Suspended),
    (400, "Sending is paused for this domain", Suspended),
    (403, "account_under_validation", Suspended),
    (422, "Your account is pending approval", Suspended),
    (403, "Domain example.com is not allowed to send: Please activate your account", Suspended),
    (500, "Your account is blocked", Suspended),
    (403, "Your account has been placed on hold", Suspended),
    (422, "Delivery for this server has been placed on hold", Suspended),
    (403, "We have detected abnormal activity on your account", Suspended),
    (401, "You are not authorized to access SendGrid, please contact Support.", Suspended),
    (403, "Su cuenta ha sido bloqueada", Suspended),
    (403, "La cuenta está suspendida", Suspended),
    (403, "Ihr Konto wurde gesperrt", Suspended),
    (403, "Der Versand über Ihr Konto ist deaktiviert", Suspended),
    (403, "Votre compte a été bloqué", Suspended),
    (403, "Le compte est désactivé", Suspended),
    (403, "Ha superado el límite diario de envíos", Quota),
    (400, "Cuota de envío agotada", Quota),
    (403, "No tiene créditos suficientes", Quota),
    (403, "Ihr monatliches Kontingent ist aufgebraucht", Quota),
    (429, "Tageslimit erreicht", Quota),
    (402, "Ihr Guthaben reicht nicht aus", Quota),
    (403, "Limite quotidienne d'envoi atteinte", Quota),
    (403, "Votre quota mensuel est épuisé", Quota),
    (402, "Votre paiement a été refusé", Quota),
    (429, "Zu viele Anfragen", Rate),
    (429, "Trop de requêtes, réessayez plus tard", Rate),
    (400, "El destinatario no existe", Recipient),
    (400, "Der Empfänger ist unbekannt", Recipient),
    (400, "Adresse du destinataire invalide", Recipient),
    (400, "El remitente no está verificado", Sender),
    (400, "Der Absender ist nicht verifiziert", Sender),
    (400, "Le domaine n'est pas vérifié", Sender),
    (403, "Unable to process your last payment", Quota),
    (420, "You have hit the limit for the month", Quota),
    (429, "Domain example.com is not allowed to send: limit of 100 emails per day", Quota),
    (403, "Your account is not allowed to send more than 200 messages per day", Quota),
    (402, "Payment required", Quota),
    (400, "not_enough_credits", Quota),
    (403, "You have no credits left", Quota),
    (429, "You have reached your daily sending limit", Quota),
    (429, "monthly_quota_exceeded", Quota),
    (403, "Your plan limit has been reached", Quota),
    (400, "Sending limit exceeded", Quota),
    (403, "Your free trial has expired", Quota),
    (400, "Daily message quota exceeded.", Quota),
    (429, "Limit exceeded", Rate),
    (429, "slow down", Rate),
    (400, "Too many requests, try again in 5 seconds", Rate),
    (400, "Maximum sending rate exceeded.", Rate),
    (503, "Rate limit reached: 10 requests per second", Rate),
    (403, "The from address does not match a verified Sender Identity", Sender),
    (400, "The domain example.com is not verified", Sender),
    (422, "Sender address is not authorized for this account", Sender),
    (400, "Unconfigured or unverified sending domain", Sender),
    (404, "Domain not found", Sender),
    (400, "Email address is not verified. The following identities failed the check", Sender),
    (400, "`from` is missing", Sender),
    (406, "The recipient is on the suppression list", Suppressed),
    (400, "Recipient has previously bounced", Suppressed),
    (400, "Invalid recipient address", Recipient),
    (422, "The `to` field is invalid", Recipient),
    (400, "The mailbox of the recipient is disabled", Recipient),
    (400, "Does not contain a valid address. personalizations.0.to.0.email", Recipient),
    (400, "to parameter is not a valid address. please check documentation", Recipient),
    (400, "email is not valid in to", Recipient),
    (422, "The to.0.email must be a valid email address.", Recipient),
    (400, "\"x\" is an invalid email address. To[0].Email", Recipient),
    (400, "Invalid To header", Recipient),
    (407, "Proxy authentication required", Network),
    (407, "Your account is suspended", Network),
    (401, "The timestamp in the x-ms-date header is outside the allowed range", Auth),
    (403, "Sandbox subdomains are for test purposes only. Please add your own domain or add the address to authorized recipients", Policy),
    (401, "Unauthorized", Auth),
    (400, "Invalid API key", Auth),
    (403, "You do not have permission to do this", Auth),
    (403, "IP address 192.0.2.1 is not on the allowlist", Auth),
    (403, "{}", Permanent),
    (403, "This did not work", Permanent),
    (400, "The content looks like spam", Policy),
    (400, "Message rejected by policy", Policy),
    (400, "Request body is not valid", Permanent),
    (413, "Message size limit exceeded", Permanent),
    (404, "Template not found", Permanent),
    (302, "", Permanent),
    (500, "Internal server error", Transient),
    (503, "The service is unavailable", Transient),
    (500, "Authentication backend failed", Transient),
    (421, "maintenance", Transient),
    (408, "", Transient),
    (409, "conflict", Transient),
    (403, "Your account has been temporarily limited. Contact support", Suspended),
    (403, "Account frozen", Suspended),
    (403, "Your account is on probation and cannot send", Suspended),
    (403, "This account has been closed", Suspended),
    (403, "Sending privileges revoked", Suspended),
    (403, "You are not allowed to send emails", Suspended),
    (403, "Please verify your email address before sending", Suspended),
    (403, "Your sending has been stopped due to high bounce rate", Suspended),
    (400, "Your account is inactive due to non-payment", Suspended),
    (403, "AccountDisabled", Suspended),
    (400, "The tenant is disabled", Suspended),
    (429, "Your account is being rate limited", Rate),
    (403, "Sending stopped: the monthly limit of your account is reached", Quota),
    (402, "Your trial has ended", Quota),
    (403, "Your free plan allows 100 emails per day", Quota),
    (400, "You've run out of credits", Quota),
    (403, "Usage limit reached for your plan", Quota),
    (429, "You have exceeded the number of emails allowed per hour", Rate),
    (429, "Request was throttled. Expected available in 10 seconds.", Rate),
    (503, "SlowDown", Rate),
    (403, "This domain is not associated with your account", Sender),
    (422, "from.email domain must be verified", Sender),
    (400, "Unauthorized sender", Sender),
    (400, "Sender not allowed", Sender),
    (400, "DKIM is not set up for example.com", Sender),
    (400, "The From header does not match the authenticated user", Sender),
    (400, "unknown sender signature", Sender),
    (400, "Recipient address has been blocked because it bounced", Suppressed),
    (400, "Recipient unsubscribed", Suppressed),
    (400, "Recipient is blacklisted", Suppressed),
    (400, "No valid recipients", Recipient),
    (401, "The access token could not be decrypted", Auth),
    (403, "API key lacks scope mail.send", Auth),
    (400, "Content blocked: contains malicious link", Policy),
    (400, "Template variable missing: name", Permanent),
    (400, "subject is too long, limit 998 characters exceeded", Permanent),
    (400, "The attachment exceeds the limit", Permanent),
    (503, "Scheduled maintenance", Transient),
    (503, "The domain service is unavailable", Transient),
];

#[test]
fn refusals_that_nobody_listed_fall_into_a_sensible_class() {
    let wrong: Vec<_> = CASES
        .iter()
        .filter_map(|(status, text, expected)| {
            let json = serde_json::json!({ "error": { "message": text, "help": "https://docs.example/account-suspended" } }).to_string();
            let both = [general(&reply(*status, "application/json", &json)), general(&reply(*status, "text/plain", text))];
            (both != [Some(*expected); 2]).then(|| format!("{status} {text}: {both:?}, not {expected}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_page_for_people_is_judged_by_its_status() {
    let page = "<html><body>Your account is suspended. Enable cookies. Ray ID: 1</body></html>";
    let class = |status| general(&reply(status, "text/html", page));
    assert_eq!((class(403), class(429), class(503), class(401)), (Some(Policy), Some(Rate), Some(Transient), Some(Auth)));
    assert_eq!((class(200), class(502), class(504)), (None, None, None));
    assert_eq!(general(&reply(502, "application/json", r#"{"message":"Internal error"}"#)), Some(Transient));
}
