//! A private Dovecot that does nothing but check access tokens for a Postfix: XOAUTH2 with JSON web tokens (RFC 7519), which it validates by
//! itself.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use data_encoding::{BASE64, BASE64URL_NOPAD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;

use super::group;
use super::postfix::Builder;
use super::temp_dir::TempDir;

/// Whom tokens are for.
pub const USER: &str = "canary@test.example";
/// What tokens are signed with.
const KEY: &[u8] = b"thirty-two bytes and some more of them";

/// A running one. Ends with its value.
#[derive(Debug)]
pub struct Tokens {
    folder: TempDir,
    master: Child,
}

impl Tokens {
    /// Starts one and waits until a Postfix can ask it.
    pub fn start() -> Self {
        let folder = TempDir::new("tokens");
        let here = folder.path().display();
        let passdb = passdb(folder.path());
        let config = format!(
            "base_dir = {here}/run\nstate_dir = {here}/run\nlog_path = {here}/log\nprotocols =\nssl = no\n\
             auth_mechanisms = xoauth2\nauth_failure_delay = 0\nauth_verbose = yes\n\
             {passdb}userdb {{\n  driver = static\n  args = uid=65534 gid=65534 home=/nonexistent\n}}\n\
             service auth {{\n  unix_listener {here}/auth {{\n    mode = 0666\n  }}\n}}\n"
        );
        std::fs::write(folder.path().join("dovecot.conf"), config).unwrap();
        let mut command = Command::new("dovecot");
        command.args(["-F", "-c"]).arg(folder.path().join("dovecot.conf")).process_group(0);
        let master = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("dovecot is installed");
        let tokens = Self { folder, master };
        let deadline = Instant::now() + Duration::from_secs(30);
        while !tokens.socket().exists() {
            assert!(Instant::now() < deadline, "dovecot does not start: {}", tokens.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        tokens
    }

    /// `postfix`, asking this one who may send.
    pub fn ask(&self, postfix: Builder) -> Builder {
        let socket = format!("smtpd_sasl_path = {}", self.socket().display());
        let lines = [
            "smtpd_sasl_auth_enable = yes",
            "smtpd_sasl_type = dovecot",
            &socket,
            "smtpd_sasl_security_options = noanonymous",
            "smtpd_tls_auth_only = yes",
            "smtpd_relay_restrictions = permit_sasl_authenticated, reject",
        ];
        lines.into_iter().fold(postfix, Builder::setting)
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("auth")
    }
}

impl Drop for Tokens {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("dovecot's log:\n{}", self.log());
        }
        group::end(&mut self.master);
    }
}

/// What Dovecot checks tokens by, with its files in `folder`.
pub fn passdb(folder: &Path) -> String {
    let here = folder.display();
    let keys = folder.join("keys/default/HS256");
    std::fs::create_dir_all(&keys).unwrap();
    std::fs::write(keys.join("default"), BASE64.encode(KEY)).unwrap();
    let oauth2 =
        format!("introspection_mode = local\nlocal_validation_key_dict = fs:posix:prefix={here}/keys/\nusername_attribute = sub\n");
    std::fs::write(folder.join("oauth2.conf"), oauth2).unwrap();
    format!("passdb {{\n  driver = oauth2\n  mechanisms = xoauth2 oauthbearer\n  args = {here}/oauth2.conf\n}}\n")
}

/// A token that ends so many seconds from now; `number` tells it from others.
pub fn token(ends_in: i64, number: u32) -> String {
    token_of(USER, ends_in, number)
}

/// The same for another user.
pub fn token_of(user: &str, ends_in: i64, number: u32) -> String {
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
    let encoded = |value: serde_json::Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let claims = json!({ "sub": user, "iat": now - 7200, "exp": now + ends_in, "jti": number.to_string() });
    let signed = format!("{}.{}", encoded(json!({ "alg": "HS256", "typ": "JWT" })), encoded(claims));
    let signature = Hmac::<Sha256>::new_from_slice(KEY).unwrap().chain_update(&signed).finalize().into_bytes();
    format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature))
}
