//! Amazon SES v2; the signature is computed here by the published steps, without the client's library.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::*;

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    Hmac::<Sha256>::new_from_slice(key).unwrap().chain_update(text).finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Signature Version 4, as the server checks it: over whatever headers the client says that it signed.
fn signature(asked: &Asked) {
    let authorization = asked.header("authorization");
    let rest = authorization.strip_prefix("AWS4-HMAC-SHA256 ").unwrap();
    let parts: Vec<&str> = rest.split(',').map(str::trim).collect();
    let part = |name: &str| parts.iter().find_map(|part| part.strip_prefix(name)).unwrap().to_owned();
    let (credential, signed, given) = (part("Credential="), part("SignedHeaders="), part("Signature="));
    let date = asked.header("x-amz-date");
    assert_eq!(date, "20220808T193000Z", "the time that was handed in");
    let scope = "20220808/eu-west-1/ses/aws4_request";
    assert_eq!(credential, format!("AKIDEXAMPLE/{scope}"));
    let names: Vec<&str> = signed.split(';').collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert_eq!(names, sorted);
    for must in ["host", "x-amz-date"] {
        assert!(names.contains(&must), "{signed}");
    }
    for (name, signed) in [("x-amz-security-token", asked.has("x-amz-security-token")), ("content-type", asked.has("content-type"))] {
        assert_eq!(names.contains(&name), signed, "{name}");
    }
    let canonical: String = names.iter().map(|name| format!("{name}:{}\n", asked.header(name).trim())).collect();
    let request =
        format!("{}\n{}\n{}\n{canonical}\n{signed}\n{}", asked.method, asked.path, asked.query, hex(&Sha256::digest(&asked.body)));
    let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hex(&Sha256::digest(request.as_bytes())));
    let mut key = format!("AWS4{}", secret_of("KEY")).into_bytes();
    for step in ["20220808", "eu-west-1", "ses", "aws4_request"] {
        key = hmac(&key, step);
    }
    assert_eq!(given, hex(&hmac(&key, &to_sign)));
}

fn strict(asked: &Asked) {
    asked.is_post("/v2/email/outbound-emails");
    signature(asked);
    let (body, mail) = (asked.json(), mail());
    let from = body["FromEmailAddress"].as_str().unwrap();
    assert_eq!(from, format!("=?UTF-8?B?{}?= <{FROM}>", BASE64.encode(NAME.as_bytes())));
    assert_eq!(body["Destination"], json!({ "ToAddresses": [mail.to] }));
    for tag in body["EmailTags"].as_array().unwrap() {
        assert!(tag["Value"].as_str().unwrap().chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c)), "{tag}");
    }
    let content = &body["Content"];
    let text = |text: &str| json!({ "Data": text, "Charset": "UTF-8" });
    if content.get("Template").is_some() {
        has_keys(content, &["Template"]);
        let template = &content["Template"];
        let data: Value = serde_json::from_str(template["TemplateData"].as_str().unwrap()).unwrap();
        assert_eq!((&template["TemplateName"], data), (&json!("TEMPLATE"), filled()));
        assert_eq!(template["Headers"], header_list("Name", "Value"));
    } else {
        let (subject, body) = (text(&mail.subject), json!({ "Text": text(&mail.text), "Html": text(&mail.html) }));
        assert_eq!(*content, json!({ "Simple": { "Subject": subject, "Body": body, "Headers": header_list("Name", "Value") } }));
    }
}

fn taken() -> Told {
    Told::new(200, r#"{"MessageId":"010201827f1e5a9c-8a7b-000000"}"#)
}

#[tokio::test]
async fn a_canary_is_sent_as_documented() {
    for more in ["", TEMPLATE, "session_token = { env = \"SESSION\" }", "configuration_set = \"transactional\""] {
        let (answer, asked) = sent("ses", more, taken(), strict).await;
        assert_eq!((answer.outcome, answer.message_id.as_deref()), (Outcome::Accepted, Some("010201827f1e5a9c-8a7b-000000")));
        assert_eq!(asked.has("x-amz-security-token"), more.contains("session"));
        assert_eq!(asked.json().get("ConfigurationSetName").is_some(), more.contains("configuration"));
    }
}

fn error(status: u16, name: &str, message: &str) -> Told {
    Told::new(status, json!({ "message": message }).to_string()).with("x-amzn-errortype", name)
}

#[tokio::test]
async fn every_documented_answer_has_its_class() {
    let unverified = "Email address is not verified. The following identities failed the check in region EU-WEST-1: no-reply@example.com";
    let paused = "Sending paused for this account. For more information, please check the inbox of the email address associated with your AWS account.";
    let cases = [
        (400, "AccountSuspendedException", "The account is permanently suspended", Class::Suspended),
        (400, "SendingPausedException", "x", Class::Suspended),
        (400, "AccountSendingPausedException", "x", Class::Suspended),
        (400, "ConfigurationSetSendingPausedException", "x", Class::Suspended),
        (400, "MessageRejected", paused, Class::Suspended),
        (400, "MessageRejected", unverified, Class::Sender),
        (403, "MessageRejected", unverified, Class::Sender),
        (400, "MessageRejected", "Message contains a virus", Class::Policy),
        (400, "MailFromDomainNotVerifiedException", "x", Class::Sender),
        (429, "TooManyRequestsException", "Too many requests", Class::Rate),
        (400, "ThrottlingException:http://internal.amazon.com/", "Maximum sending rate exceeded.", Class::Rate),
        (400, "ThrottlingException", "Daily message quota exceeded.", Class::Quota),
        (400, "LimitExceededException", "x", Class::Quota),
        (404, "NotFoundException", "Template TEMPLATE does not exist", Class::Permanent),
        (404, "NotFoundException", "Email identity example.com does not exist", Class::Sender),
        (400, "BadRequestException", "Missing required header 'From'.", Class::Sender),
        (403, "InvalidSignatureException", "The request signature we calculated does not match", Class::Auth),
        (403, "SignatureDoesNotMatch", "x", Class::Auth),
        (403, "UnrecognizedClientException", "The security token included in the request is invalid", Class::Auth),
        (403, "ExpiredTokenException", "The security token included in the request is expired", Class::Auth),
        (403, "AccessDeniedException", "User is not authorized to perform: ses:SendEmail", Class::Auth),
        (500, "InternalFailure", "x", Class::Transient),
        (503, "ServiceUnavailable", "x", Class::Transient),
    ];
    let mut all: Vec<_> =
        cases.iter().map(|(status, name, message, class)| (error(*status, name, message), Outcome::Refused(*class))).collect();
    let named_inside = json!({ "__type": "com.amazonaws.sesv2#SendingPausedException", "message": "x" });
    all.push((Told::new(400, named_inside.to_string()), Outcome::Refused(Class::Suspended)));
    all.push((Told::new(200, "{}"), Outcome::Unknown));
    means("ses", all).await;
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_told_from_a_key_that_is() {
    let mismatch = || error(403, "SignatureDoesNotMatch", "The request signature we calculated does not match");
    let cases = [
        (mismatch().with("date", "Mon, 08 Aug 2022 19:18:00 GMT"), "clock is 12m ahead of the provider's"),
        (mismatch().with("date", "Mon, 08 Aug 2022 20:30:00 GMT"), "clock is 1h behind the provider's"),
        (mismatch().with("date", "Mon, 08 Aug 2022 19:30:02 GMT"), "it is the key"),
        (error(403, "RequestTimeTooSkewed", "The difference is too large").with("date", "Mon, 08 Aug 2022 19:30:02 GMT"), "mend the clock"),
    ];
    for (told, words) in cases {
        let (answer, _) = sent("ses", "", told, |_| ()).await;
        refused(&answer, Class::Auth, words);
    }
}

#[tokio::test]
async fn a_key_that_may_only_send_is_let_in() {
    let denied = error(403, "AccessDeniedException", "User: x is not authorized to perform: ses:GetAccount");
    let desk = Desk::new([Told::new(200, r#"{"SendingEnabled":true}"#), denied, error(403, "UnrecognizedClientException", "x")]).await;
    let submitter = at("ses", desk.port, "");
    for expected in [Outcome::Accepted, Outcome::Accepted, Outcome::Refused(Class::Auth)] {
        assert_eq!(submitter.log_in(AT).await.outcome, expected);
    }
    desk.asked(|asked| {
        assert_eq!((asked.method.as_str(), asked.path.as_str()), ("GET", "/v2/email/account"));
        signature(asked);
    });
}

#[test]
fn each_region_has_its_own_address() {
    let place = |more: &str| {
        let text = format!(
            "[stream.s]\n[provider.p.{more}\n[inbox.i.imap]\naddress = \"i@example.org\"\nhost = \"h.example\"\nusername = \"u\"\npassword = {{ env = \"I\" }}\n"
        );
        config::parse(&text, "w").unwrap().settings.providers["p"].kind.place()
    };
    let ses = "ses]\nfrom = \"a@example.com\"\naccess_key_id = \"A\"\nsecret_access_key = { env = \"K\" }\nregion = ";
    assert_eq!(place(&format!("{ses}\"ap-south-1\"")), "https://email.ap-south-1.amazonaws.com");
    assert_eq!(place(&format!("{ses}\"cn-north-1\"")), "https://email.cn-north-1.amazonaws.com.cn");
    let keys = "]\nfrom = \"a@example.com\"\napi_key = { env = \"K\" }\n";
    assert_eq!(place(&format!("mailgun{keys}region = \"eu\"")), "https://api.eu.mailgun.net");
    assert_eq!(place(&format!("mailgun{keys}")), "https://api.mailgun.net");
    assert_eq!(place(&format!("sparkpost{keys}region = \"eu\"")), "https://api.eu.sparkpost.com");
    assert_eq!(place(&format!("sparkpost{keys}base_url = \"https://x.example/\"")), "https://x.example");
}
