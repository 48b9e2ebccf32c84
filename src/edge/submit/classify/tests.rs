//! Every reply that the providers are known to give, and its class.

use Class::{Auth, Permanent, Policy, Quota, Rate, Recipient, Sender, Suppressed, Suspended, Tls, Transient, Unknown};

use super::Phase as P;
use super::*;

/// Replies that providers are known to give, with the phase in which they give them.
#[rustfmt::skip]
const KNOWN: &[(P, &str, Class)] = &[
    // Mandrill
    (P::Auth, "535 Incorrect authentication data", Auth),
    // Exim
    (P::Auth, "435 Unable to authenticate at present", Transient),
    (P::Mail, "550-Verification failed for <no-reply@example.com>\n550-Unrouteable address\n550 Sender verify failed", Sender),
    (P::Rcpt, "550 relay not permitted", Policy),
    (P::Rcpt, "550 relay not permitted, authentication required", Auth),
    (P::Rcpt, "550 Unrouteable address", Recipient),
    (P::Rcpt, "451 Temporary local problem - please try later", Transient),
    // OpenSMTPD
    (P::Rcpt, "550 Invalid recipient: <seed@example.net>", Recipient),
    (P::Rcpt, "524 5.2.4 Mailing list expansion problem: <seed@example.net>", Recipient),
    (P::Mail, "530 5.5.1 Invalid command: Must issue an AUTH command first", Auth),
    (P::EndOfData, "554 5.3.4 Message too big for system: Transaction failed, message too big", Permanent),
    // SendGrid
    (P::Auth, "451 Authentication failed: Maximum credits exceeded", Quota),
    (P::Auth, "535 Authentication failed: Bad username / password", Auth),
    (P::Mail, "550 Unauthenticated senders not allowed", Auth),
    (P::EndOfData, "550 The from address does not match a verified Sender Identity. Mail cannot be sent until this error is resolved.", Sender),
    (P::Mail, "550 The from address does not match a verified Sender Identity", Sender),
    (P::Auth, "535 You are not authorized to access SendGrid, please contact Support.", Suspended),
    (P::Auth, "535 Authentication failed: account under review, abnormal activity", Suspended),
    (P::Auth, "535 Authentication failed: unable to process your last payment", Quota),
    (P::EndOfData, "550 Invalid recipient address: does not contain a valid address", Recipient),
    // Mailgun
    (P::Auth, "535 5.7.0 Mailgun is not loving your login or password", Auth),
    (P::Auth, "535 5.7.0 Invalid login or password", Auth),
    (P::Rcpt, "421 Domain mg.example.com is not allowed to send: Please activate your Mailgun account.", Suspended),
    (P::EndOfData, "421 Domain sandbox1.mailgun.org is not allowed to send: Free accounts are for test purposes only.", Policy),
    (P::Rcpt, "550 5.7.1 Sandbox subdomains are for test purposes only. Please add your own domain or add the address to authorized recipients in Account Settings.", Policy),
    (P::EndOfData, "421 Domain mg.example.com is not allowed to send: limit of 100 emails per day", Quota),
    (P::EndOfData, "452 4.3.1 You have hit the limit for the month", Quota),
    (P::Rcpt, "550 5.1.2 <seed@example.net>: Recipient address rejected: Domain not found", Recipient),
    (P::EndOfData, "421 Domain mg.example.com is not allowed to send: recipient limit exceeded, try again after Mon, 08 Aug 2022 20:00:00 GMT", Rate),
    (P::Rcpt, "605 Not delivering to previously bounced address", Suppressed),
    (P::Rcpt, "606 unsubscribed", Suppressed),
    (P::Rcpt, "607 complained", Suppressed),
    // Amazon SES
    (P::Auth, "535 Authentication Credentials Invalid", Auth),
    (P::EndOfData, "454 Throttling failure: Maximum sending rate exceeded", Rate),
    (P::EndOfData, "454 Throttling failure: Daily message quota exceeded", Rate),
    (P::EndOfData, "554 Message rejected: Email address is not verified. The following identities failed the check in region EU-WEST-1: a@b.example", Sender),
    (P::EndOfData, "554 Message rejected: Sending paused for this account. For more information, please check the inbox", Suspended),
    (P::EndOfData, "451 Temporary service failure, please try again later", Transient),
    (P::EndOfData, "454 Temporary service failure", Transient),
    // SparkPost
    (P::Auth, "535 5.7.8 Sorry...No authentication type succeeded", Auth),
    (P::EndOfData, "550 5.7.1 Unconfigured Sending Domain <example.com>", Sender),
    (P::EndOfData, "550 5.6.0 Invalid X-MSYS-API header", Permanent),
    (P::EndOfData, "554 5.7.1 recipient address was suppressed due to customer policy", Suppressed),
    (P::Rcpt, "554 5.7.1 recipient address was suppressed due to system policy", Suppressed),
    // Brevo
    (P::Auth, "535 5.7.8 Authentication failed", Auth),
    (P::Auth, "525 5.7.1 Unauthorized IP address", Auth),
    (P::Auth, "502 5.7.0 Your SMTP account is not yet activated", Suspended),
    (P::Mail, "502 5.7.0 Your SMTP account is not yet activated", Suspended),
    // smtp2go
    (P::Mail, "552 account has been suspended", Suspended),
    (P::EndOfData, "552 Your account has been suspended", Suspended),
    // MailerSend
    (P::EndOfData, "554 5.7.1 The account has been suspended. #MS40304", Suspended),
    (P::EndOfData, "550 SMTP access is switched off #MS40302", Suspended),
    (P::EndOfData, "550 The from.email domain must be verified in your account. #MS42207", Sender),
    (P::EndOfData, "550 You have reached your email sending limit. #MS42222", Quota),
    (P::EndOfData, "451 Too many requests. #MS42903", Rate),
    // Gmail and its relay
    (P::Auth, "535-5.7.8 Username and Password not accepted. For more information, go to\n535 5.7.8 https://support.google.com/mail/?p=BadCredentials gsmtp", Auth),
    (P::Auth, "534-5.7.9 Application-specific password required. For more information, go to\n534 5.7.9 https://support.google.com gsmtp", Auth),
    (P::Auth, "454 4.7.0 Too many login attempts, please try again later.", Transient),
    (P::Rcpt, "550-5.4.5 Daily user sending limit exceeded. For more information\n550 5.4.5 https://support.google.com gsmtp", Quota),
    (P::Banner, "421 4.7.0 Temporary System Problem.  Try again later.", Transient),
    (P::Rcpt, "550 5.7.0 Mail relay denied", Policy),
    (P::Rcpt, "421 4.7.0 IP not in whitelist for RCPT domain, closing connection.", Transient),
    (P::Rcpt, "450 4.2.1 Peak SMTP relay limit exceeded for customer.", Rate),
    (P::Rcpt, "550 5.4.5 Daily SMTP relay limit exceeded for customer.", Quota),
    (P::EndOfData, "550-5.7.1 Daily user sending quota exceeded.", Quota),
    (P::EndOfData, "550 5.7.1 This API key is not allowed. The from.email domain must be verified", Sender),
    // Postmark
    (P::EndOfData, "550 5.7.1 Delivery for this server has been placed on hold", Suspended),
    (P::Auth, "535 5.7.8 Error: authentication failed: UGFzc3dvcmQ6", Auth),
    // Mailjet
    (P::Mail, "550 5.7.1 Sender address rejected: the sender is not validated", Sender),
    // Resend
    (P::EndOfData, "450 You have reached your daily email sending quota", Quota),
    (P::EndOfData, "450 Too many requests. You can only make 2 requests per second", Rate),
    // Microsoft 365
    (P::Auth, "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled", Auth),
    (P::Auth, "535 5.7.3 Authentication unsuccessful", Auth),
    (P::Auth, "432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending", Rate),
    (P::Mail, "530 5.7.57 Client not authenticated to send mail.", Auth),
    (P::EndOfData, "550 5.7.1 Client was not authenticated", Auth),
    (P::EndOfData, "550 5.7.60 SMTP; Client does not have permissions to send as this sender", Sender),
    (P::EndOfData, "554 5.2.252 SendAsDenied; a@example.com not allowed to send as b@example.com", Sender),
    (P::EndOfData, "550 5.1.8 Access denied, bad outbound sender", Suspended),
    (P::EndOfData, "550 5.7.705 Access denied, tenant has exceeded threshold", Suspended),
    (P::EndOfData, "451 4.7.650 The mail server [192.0.2.1] has been temporarily rate limited due to IP reputation.", Rate),
    // Azure
    (P::EndOfData, "450 4.5.127 Message rejected. Excessive message rate from sender.", Rate),
    // Amazon SES
    (P::EndOfData, "554 Access denied: User `arn:aws:iam::1:user/x' is not authorized to perform `ses:SendRawEmail' on resource", Auth),
    // Zoho, IONOS and others
    (P::EndOfData, "550 5.4.6 Unusual sending activity detected. Please try after sometime", Suspended),
    (P::Mail, "450 Requested mail action not taken: Mail send limit exceeded", Rate),
    (P::Auth, "535 5.7.8 Ihr Konto wurde gesperrt", Suspended),
    (P::Mail, "550 Su cuenta está bloqueada", Suspended),
    (P::Mail, "550 Votre quota mensuel est épuisé", Quota),
    (P::Rcpt, "552 Tageslimit erreicht", Quota),
    (P::Rcpt, "550 5.7.1 <seed@example.net>: Empfänger unbekannt", Recipient),
    (P::EndOfData, "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints", Transient),
    (P::EndOfData, "554 5.7.9 Message not accepted for policy reasons", Policy),
    // Gmail as a receiver
    (P::EndOfData, "421-4.7.28 Gmail has detected an unusual rate of unsolicited mail\n421 4.7.28 gsmtp", Rate),
    (P::EndOfData, "421-4.7.26 This mail has been rate limited because it is unauthenticated.\n421 4.7.26 gsmtp", Rate),
    (P::EndOfData, "550-5.7.26 This mail has been blocked because the sender is unauthenticated.\n550 5.7.26 gsmtp", Policy),
    (P::EndOfData, "550-5.7.26 Unauthenticated email from example.com is not accepted due to domain's DMARC policy.", Policy),
    (P::EndOfData, "550-5.7.1 Our system has detected that this message is likely unsolicited mail, to reduce spam it is blocked.", Policy),
    (P::Rcpt, "450 4.2.1 The user you are trying to contact is receiving mail too quickly.", Rate),
    (P::Rcpt, "452 4.2.2 The email account that you tried to reach is over quota.", Transient),
    (P::Rcpt, "552 5.2.2 The email account that you tried to reach is over quota.", Recipient),
    (P::Rcpt, "550-5.1.1 The email account that you tried to reach does not exist.", Recipient),
    (P::Rcpt, "550 5.2.1 The email account that you tried to reach is disabled.", Recipient),
    (P::EndOfData, "550 5.7.515 Access denied, sending domain example.com does not meet the required authentication level.", Policy),
    // The rules' own examples
    (P::StartTls, "454 4.7.0 TLS not available due to local problem", Tls),
    (P::Auth, "530 5.7.0 Must issue a STARTTLS command first", Auth),
    (P::Mail, "530 5.7.0 Authentication required", Auth),
    (P::Auth, "538 Encryption required for requested authentication mechanism", Auth),
    (P::Auth, "432 4.7.12 A password transition is needed", Auth),
    (P::Auth, "525 5.7.13 Account not usable", Auth),
    (P::Auth, "525 5.7.13 User account disabled", Suspended),
    (P::Auth, "535 5.7.8 Your account is blocked", Suspended),
    (P::Auth, "535 5.7.8 Account deactivated", Suspended),
    (P::Auth, "535 monthly quota used up", Quota),
    (P::Auth, "504 5.7.4 Unrecognized authentication type", Auth),
    (P::Auth, "503 5.5.1 Error: authentication not enabled", Auth),
    (P::Auth, "454 4.7.0 Temporary authentication failure: Connection lost to authentication server", Transient),
    (P::Rcpt, "452 4.5.3 Too many recipients", Rate),
    (P::Banner, "421 4.7.0 Too many connections", Rate),
    (P::Mail, "421 sending rate is too high", Rate),
    (P::Banner, "421 mail.example.net Service not available, closing transmission channel", Transient),
    (P::EndOfData, "550 You have exceeded your plan limit", Quota),
    (P::Mail, "550 5.1.8 Sender domain does not exist", Sender),
    (P::Rcpt, "553 5.7.1 <a@b.example>: Sender address rejected: not owned by user canary", Sender),
    (P::Mail, "553 5.7.1 Sender address not owned", Sender),
    (P::Rcpt, "554 recipient is an inactive recipient", Suppressed),
    (P::Rcpt, "550 5.1.1 <x@y.example>: Recipient address rejected: User unknown in virtual mailbox table", Recipient),
    (P::Rcpt, "556 5.1.10 Recipient address has null MX", Recipient),
    (P::Rcpt, "551 User not local", Recipient),
    (P::Rcpt, "553 5.1.3 Bad recipient address syntax", Recipient),
    (P::Rcpt, "550 No such user here", Recipient),
    (P::EndOfData, "554 5.7.1 Spam message rejected", Policy),
    (P::EndOfData, "550 message blocked: spam", Policy),
    (P::Rcpt, "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org", Policy),
    (P::Banner, "554 your address is listed at bl.example", Policy),
    (P::EndOfData, "550 DKIM signature missing", Policy),
    (P::Rcpt, "554 5.7.1 <x@y.example>: Relay access denied", Policy),
    (P::Rcpt, "451 4.7.1 Greylisted, please try again in 300 seconds", Transient),
    (P::Rcpt, "450 4.7.1 <x@y.example>: Recipient address rejected: Greylisted", Transient),
    (P::EndOfData, "452 4.3.1 Insufficient system storage", Transient),
    (P::EndOfData, "451 4.3.0 Temporary lookup failure of the operator's corporate moderators", Transient),
    (P::Hello, "502 5.5.1 Command not implemented", Permanent),
    (P::EndOfData, "552 5.3.4 Message size exceeds fixed limit", Permanent),
    (P::Mail, "501 5.5.4 Syntax error", Permanent),
    (P::Mail, "250 2.1.0 Ok", Unknown),
    (P::EndOfData, "354 go ahead", Unknown),
];

#[test]
fn every_known_reply_has_its_class() {
    let wrong: Vec<_> = KNOWN
        .iter()
        .filter_map(|(phase, reply, expected)| {
            let code = reply.get(..3).unwrap().parse().unwrap();
            let got = classify(*phase, code, reply);
            (got != *expected).then(|| format!("{phase:?} {reply}: {got}, not {expected}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn enhanced_codes_are_found_where_they_stand() {
    assert_eq!(enhanced(550, "550-5.7.26 text\n550 5.7.26 more"), Some((5, 7, 26)));
    assert_eq!(enhanced(421, "421 host 4.7.0 text"), Some((4, 7, 0)));
    assert_eq!(enhanced(550, "550 version 1.2.3 of 192.0.2.1"), None);
    assert_eq!(enhanced(550, "550 2.1.0 contradicts"), None);
    assert_eq!(enhanced(550, "550 5.7.9999 x"), None);
    assert_eq!(enhanced(451, "451 5.7.1 sloppy"), Some((5, 7, 1)));
}
