//! Google's service accounts, which act for a mailbox of their domain.

use std::process::Command;

use data_encoding::BASE64URL_NOPAD;

use super::*;
use crate::support::temp_dir::TempDir;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// A key file as the console gives it, and the public half of its key, both in a folder of their own.
pub(crate) fn key_file() -> TempDir {
    let folder = TempDir::new("service-account");
    let at = |name: &str| folder.path().join(name);
    let made = Command::new("openssl").args(["genrsa", "-out"]).arg(at("key.pem")).arg("2048").output().expect("openssl is installed");
    assert!(made.status.success());
    assert!(
        Command::new("openssl")
            .args(["rsa", "-pubout", "-in"])
            .arg(at("key.pem"))
            .arg("-out")
            .arg(at("public.pem"))
            .output()
            .unwrap()
            .status
            .success()
    );
    let file = json!({
        "type": "service_account", "project_id": "p", "private_key_id": "0a1b2c", "private_key": std::fs::read_to_string(at("key.pem")).unwrap(),
        "client_email": "canary@p.iam.gserviceaccount.com", "client_id": "1", "token_uri": "https://elsewhere.example/token",
    });
    std::fs::write(at("key.json"), serde_json::to_string_pretty(&file).unwrap()).unwrap();
    folder
}

fn configured(kind: &str, folder: &TempDir, keys: &str) -> config::Checked {
    let file = folder.path().join("key.json");
    let text = format!(
        "[stream.password-reset]\n[provider.p.{kind}]\nfrom = \"{FROM}\"\nservice_account = {{ file = \"{}\" }}\n{keys}\n[inbox.i.imap]\naddress = \"i@example.org\"\nhost = \"h.example\"\nusername = \"u\"\npassword = {{ env = \"PATH\" }}\n",
        file.display()
    );
    config::parse(&text, "w").unwrap_or_else(|complaints| panic!("{complaints:?}"))
}

fn made(checked: &config::Checked) -> Submitter {
    let secrets = checked.secrets().unwrap();
    Submitter::new(&checked.settings.providers["p"], &|at| secrets.get(at).cloned()).unwrap()
}

/// What an assertion claims, after openssl found its signature good.
pub(crate) fn claims(assertion: &str, folder: &TempDir) -> Value {
    let parts: Vec<&str> = assertion.split('.').collect();
    let decoded = |part: &str| BASE64URL_NOPAD.decode(part.as_bytes()).unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("said"), format!("{}.{}", parts[0], parts[1])).unwrap();
    std::fs::write(at("signature"), decoded(parts[2])).unwrap();
    let mut verify = Command::new("openssl");
    verify.args(["dgst", "-sha256", "-verify"]).arg(at("public.pem")).arg("-signature").arg(at("signature")).arg(at("said"));
    assert!(verify.output().unwrap().status.success(), "{assertion}");
    let header: Value = serde_json::from_slice(&decoded(parts[0])).unwrap();
    assert_eq!(header, json!({ "alg": "RS256", "typ": "JWT", "kid": "0a1b2c" }));
    serde_json::from_slice(&decoded(parts[1])).unwrap()
}

#[tokio::test]
async fn a_token_is_got_for_what_it_signs() {
    let folder = key_file();
    let token = Told::new(200, json!({ "access_token": "ya29.one", "expires_in": 3599, "token_type": "Bearer" }).to_string());
    let taken = Told::new(200, r#"{"id":"18283b8c1a2b3c4d"}"#);
    for (more, user) in [("", FROM), ("acts_for = \"box@example.com\"", "box@example.com")] {
        let desk = Desk::new([token.clone(), taken.clone(), taken.clone()]).await;
        let base = format!("http://127.0.0.1:{}", desk.port);
        let submitter = made(&configured("gmail", &folder, &format!("base_url = \"{base}\"\ntoken_url = \"{base}/token\"\n{more}")));
        for _ in 0..2 {
            assert_eq!(submit(&submitter).await.outcome, Outcome::Accepted);
        }
        let asked = desk.asked(|_| ());
        asked[0].is_post("/token");
        asked[1].is_bearer("ya29.one");
        let form = asked[0].form();
        assert_eq!((form.len(), form["grant_type"].as_str()), (2, GRANT));
        let issued = AT.as_ms() / 1000;
        let claims = claims(&form["assertion"], &folder);
        let left = claims["iat"].as_i64().unwrap() - issued;
        assert!((0..60).contains(&left), "{left}");
        let expected = json!({
            "iss": "canary@p.iam.gserviceaccount.com", "sub": user, "scope": "https://www.googleapis.com/auth/gmail.send",
            "aud": format!("{base}/token"), "iat": issued + left, "exp": issued + left + 3600,
        });
        assert_eq!(claims, expected);
        assert!(!format!("{submitter:?}").contains("PRIVATE KEY"));
    }
}

#[tokio::test]
async fn who_may_not_act_for_a_mailbox_is_told_so() {
    let folder = key_file();
    let refusal = json!({ "error": "unauthorized_client", "error_description": "Client is unauthorized to retrieve access tokens" });
    let desk = Desk::new([Told::new(401, refusal.to_string())]).await;
    let base = format!("http://127.0.0.1:{}", desk.port);
    let submitter = made(&configured("gmail", &folder, &format!("base_url = \"{base}\"\ntoken_url = \"{base}/token\"")));
    refused(&submit(&submitter).await, Class::Auth, "unauthorized_client");
    assert_eq!(desk.asked(|_| ()).len(), 1, "no mail without a token");
}

#[test]
fn who_logs_in_by_smtp_needs_the_whole_mailbox() {
    let folder = key_file();
    let checked = configured("smtp", &folder, "host = \"smtp.gmail.com\"\nusername = \"u@example.com\"");
    let ProviderKind::Smtp(settings) = &checked.settings.providers["p"].kind else { panic!("another kind") };
    let Some(SmtpLogin { proof: Proof::OAuth(config::OAuth::ServiceAccount { scope, .. }), .. }) = &settings.login else {
        panic!("another login")
    };
    assert_eq!(*scope, "https://mail.google.com/");
}

#[test]
fn what_is_no_key_file_is_refused_with_the_configuration() {
    let folder = key_file();
    std::fs::write(folder.path().join("key.json"), "{\n\"client_email\": \"a@b.example\"\n}\n").unwrap();
    let complaints = configured("gmail", &folder, "").secrets().unwrap_err();
    let text = format!("{complaints:?}");
    assert_eq!(complaints.len(), 1, "{text}");
    assert!(
        text.contains("it is not the JSON key file of a service account") && text.contains("provider.p.gmail.service_account"),
        "{text}"
    );
}
