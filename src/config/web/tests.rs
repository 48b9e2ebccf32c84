//! Web configurations, right and wrong.

use std::fs::File;
use std::io::Write as _;

use super::*;

const HASH: &str = "$2b$04$EGdrhbKUv8Oc9vGiXX0HQOxSg445d458Muh7DAHskb6QbtCvdxcie";

/// What is made of this text, in a folder with a certificate, its key and another key.
fn read(text: &str) -> Result<WebConfig, Vec<WebConfigError>> {
    let folder =
        std::env::temp_dir().join(format!("mailcanary-web-{}-{}", std::process::id(), std::thread::current().name().unwrap_or("x").len()));
    std::fs::create_dir_all(&folder).unwrap();
    let put = |name: &str, text: &str| File::create(folder.join(name)).unwrap().write_all(text.as_bytes()).unwrap();
    let rcgen::CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    put("cert.pem", &cert.pem());
    put("key.pem", &signing_key.serialize_pem());
    put("other.pem", &rcgen::KeyPair::generate().unwrap().serialize_pem());
    put("web.yml", text);
    web_config(&folder.join("web.yml"))
}

const TLS: &str = "tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n";

#[test]
fn the_whole_file_is_read() {
    let all = format!(
        "{TLS}  client_ca_file: cert.pem\n  client_auth_type: RequireAndVerifyClientCert\n  min_version: TLS13\nhttp_server_config:\n  headers:\n    Strict-Transport-Security: max-age=31536000\nbasic_auth_users:\n  ann: {HASH}\n"
    );
    let web = read(&all).unwrap();
    assert!(web.tls.is_some() && web.knows_clients && web.users.contains_key("ann"));
    assert_eq!((web.headers.len(), web.files.len()), (1, 4));
    for nothing in ["", "# nothing\n---\n", "{}"] {
        let web = read(nothing).unwrap();
        assert!(web.tls.is_none() && web.users.is_empty() && !web.knows_clients, "{nothing}");
    }
    assert!(!read(&format!("{TLS}  client_ca_file: cert.pem\n  client_auth_type: VerifyClientCertIfGiven\n")).unwrap().knows_clients);
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    for (text, what, hint) in [
        ("tls_server_confg:\n  cert_file: a\n".to_owned(), "line 1, column 1: there is no key `tls_server_confg`", "docs/api.md"),
        (format!("{TLS}  cipher_suites: [A]\n"), "line 4, column 3: there is no key `cipher_suites`", "rustls"),
        ("http_server_config:\n  http2: true\n".to_owned(), "no key `http2`", "HTTP/1.1"),
        ("basic_auth_users: S3CRET\n".to_owned(), "line 1, column 19: it is not written as it should be", "docs/api.md"),
        ("basic_auth_users:\n  ann: S3CRET\n".to_owned(), "basic_auth_users.`ann`: this is no bcrypt hash (not shown)", "htpasswd"),
        (format!("basic_auth_users:\n  ann: {}\n", HASH.replace("$04$", "$19$")), "a cost of 19", "htpasswd"),
        (format!("basic_auth_users:\n  ann: {HASH}\n  ann: {HASH}\n"), "a key stands there twice", "docs/api.md"),
        (format!("basic_auth_users:\n  'a:b': {HASH}\n"), "is no user's name", "no colon"),
        ("tls_server_config:\n  cert_file: cert.pem\n".to_owned(), "is not named", "key_file"),
        (TLS.replace("key.pem", "other.pem"), "tls_server_config: ", "the key is that"),
        (TLS.replace("key.pem", "gone.pem"), "gone.pem` cannot be used", "relative paths"),
        (format!("{TLS}  min_version: TLS10\n"), "`TLS10` is not spoken", "TLS12"),
        (format!("{TLS}  min_version: TLS13\n  max_version: TLS12\n"), "newer than", "leave"),
        (format!("{TLS}  client_auth_type: RequireAnyClientCert\n"), "proves nothing", "RequireAndVerifyClientCert"),
        (format!("{TLS}  client_auth_type: RequireAndVerifyClientCert\n"), "there is no `client_ca_file`", "authority"),
        (format!("{TLS}  client_ca_file: cert.pem\n"), "nobody is asked", "RequireAndVerifyClientCert"),
        ("http_server_config:\n  headers:\n    Server: x\n".to_owned(), "`Server` cannot be set here", "strict-transport-security"),
        ("tls_server_config: [\n".to_owned(), "it is not written as it should be", "docs/api.md"),
    ] {
        let errors = read(&text).unwrap_err();
        assert!(errors.len() == 1 && errors[0].to_string().contains("web.yml`: "), "{text}\n{errors:?}");
        let error = &errors[0];
        assert!(error.to_string().contains(what) && error.hint.contains(hint), "{text}\n{error}\n{}", error.hint);
        assert!(!format!("{error:?}").contains("S3CRET"), "{error:?}");
    }
}

#[test]
fn all_that_is_wrong_is_said_at_once_each_with_its_line() {
    let text = format!(
        "tls_server_config:\n  cert_file: gone.pem\n  key_file: lost.pem\n  cipher_suites:\n    - A\n  min_version: TLS10\nhttp_server_config:\n  http2: true\n  headers:\n    Server: x\nbasic_auth_users:\n  ann: S3CRET\n  bob: {HASH}\n"
    );
    let said: Vec<String> = read(&text).unwrap_err().iter().map(ToString::to_string).collect();
    for (part, key) in [
        ("line 4, column 3: ", "cipher_suites"),
        ("line 8, column 3: ", "http2"),
        ("line 12: ", "ann"),
        ("line 10: ", "Server"),
        ("line 6: ", "TLS10"),
        ("line 2: ", "gone.pem"),
        ("line 3: ", "lost.pem"),
    ] {
        assert!(said.iter().any(|one| one.contains(&format!("web.yml`: {part}")) && one.contains(key)), "{part}{key}\n{}", said.join("\n"));
    }
    assert!(said.len() == 7 && !said.join("").contains("S3CRET"), "{}", said.join("\n"));
}
