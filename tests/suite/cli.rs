//! The command line: what it prints and its exit codes.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use mailcanary::config::{self, Secret, SecretError, SecretRef, Secrets};

use super::dns::NameServer;

/// A folder of its own for each test, gone at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let path = std::env::temp_dir().join(format!("mailcanary-cli-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    /// Writes a file that only its owner may read.
    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

fn mailcanary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mailcanary"));
    command.env_remove("CREDENTIALS_DIRECTORY");
    command
}

fn check(file: &Path) -> Output {
    mailcanary().arg("check").arg("-c").arg(file).output().unwrap()
}

/// Exit code, standard output and standard error.
fn said(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().expect("not killed"), text(&output.stdout), text(&output.stderr))
}

/// A good configuration whose one secret is in `secret`.
fn good(secret: &str) -> String {
    format!(
        "[stream.password-reset]\n[provider.a.smtp]\nfrom = \"a@good.example\"\nhost = \"127.0.0.1\"\ntls = \"none\"\n\
         [inbox.i.imap]\naddress = \"i@good.example\"\nhost = \"127.0.0.1\"\ntls = \"none\"\nusername = \"i\"\npassword = {secret}\n"
    )
}

#[test]
fn a_good_configuration_is_summed_up() {
    let folder = Folder::new();
    let secret = folder.file("password", "hunter2\n");
    let file = folder.file("good.toml", good(&format!("{{ file = {secret:?} }}")));
    let (code, out, err) = said(&check(&file));
    assert_eq!(code, 0, "{err}");
    assert!(
        out.starts_with("1 route, a canary down each every 1m: 1,728 canaries a day with confirmations\n  a/password-reset/i\n"),
        "{out}"
    );
    assert!(out.contains("inbox i (imap, 127.0.0.1:143, tls none): i@good.example, 1,728 canaries a day"), "{out}");
    assert!(err.contains("warning: ") && err.contains("sink: there is none"), "{err}");
    assert!(!out.contains("hunter2") && !err.contains("hunter2"));
}

#[test]
fn budgets_are_forecast_with_their_cost() {
    let folder = Folder::new();
    let secret = folder.file("password", "hunter2\n");
    let text = good(&format!("{{ file = {secret:?} }}"))
        .replace("username", "canaries_per_day = 1700\nspacing = \"2s\"\nusername")
        .replace("[inbox", "price_per_1000 = 0.10\ncurrency = \"USD\"\n[provider.b.smtp]\nstandby = true\nfrom = \"b@good.example\"\nhost = \"::1\"\ntls = \"none\"\n[inbox");
    let (code, out, err) = said(&check(&folder.file("good.toml", text.clone())));
    assert_eq!(code, 0, "{err}");
    for line in [
        "2 routes, a canary down each every 1m to 15m: 1,843 canaries a day with confirmations\n",
        "\nprovider a (smtp, 127.0.0.1:25, tls none): from a@good.example, 1,728 canaries a day, 52,596 a month (at most 1,876 in 24h, as the routes allow), 5.26 USD a month\n",
        "\nstand-by provider b (smtp, ::1:25, tls none): from b@good.example, 115 canaries a day, 3,506 a month (at most 532 in 24h, as the routes allow)\n",
        "\ninbox i (imap, 127.0.0.1:143, tls none): i@good.example, 1,700 canaries a day, 51,744 a month (at most 1,700 in 24h, 2s apart)\n",
    ] {
        assert!(out.contains(line), "{line}{out}");
    }
    let asked = text
        .replace("[inbox", "[provider.g.sendgrid]\nfrom = \"g@good.example\"\napi_key = { env = \"PATH\" }\nsigns_per_day = 24\n[inbox");
    let (code, out, err) = said(&check(&folder.file("asked.toml", asked.replace("canaries_per_day = 1700\nspacing = \"2s\"\n", ""))));
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("as the routes allow), asked 24 times a day at most how the account stands\n"), "{out}");
    let (code, _, err) = said(&check(&folder.file("small.toml", text.replace("1700", "1500"))));
    assert_eq!(code, 2);
    assert!(
        err.contains("small.toml:17:20: inbox.i.imap.canaries_per_day: the routine canaries alone are 1536 a day, and 1500 are allowed"),
        "{err}"
    );
    assert!(err.contains("hint: write 1844, which holds the confirmations too, or raise `every`, or narrow the routes"), "{err}");
}

#[test]
fn every_complaint_is_printed_with_its_place() {
    let folder = Folder::new();
    let file = folder.file("bad.toml", good("\"hunter2\"").replace("[stream.password-reset]", "[stream.password-reset]\nsubjekt = \"x\""));
    let (code, out, err) = said(&check(&file));
    assert_eq!((code, out.as_str()), (2, ""));
    let place = file.display();
    assert!(
        err.contains(&format!(
            "{place}:2:1: stream.password-reset.subjekt: is not a key that mailcanary knows\n  hint: did you mean `subject`?\n"
        )),
        "{err}"
    );
    assert!(err.contains(&format!("{place}:12:12: inbox.i.imap.password: a secret in plain text (not shown)\n")), "{err}");
    assert!(err.ends_with("2 complaints: `mailcanary run` would not start with it\n"), "{err}");
}

#[test]
fn of_a_spoilt_file_only_where_the_ledger_is_must_be_right() {
    let folder = Folder::new();
    let ask = |text: &str| said(&mailcanary().arg("health").arg("-c").arg(folder.file("spoilt.toml", text)).output().unwrap());
    let asked = |text: &str, ledger: &str| {
        let (code, _, err) = ask(text);
        let socket = format!("error: no daemon answers at `{ledger}/control.sock`");
        assert!(code == 1 && err.lines().count() == 3 && err.contains(&socket), "{text}\n{err}");
        assert!(err.starts_with("warning: ") && err.contains("spoilt.toml` is wrong by now, `mailcanary check -c "), "{err}");
    };
    for spoilt in ["[ledger]\npath = \"/tmp/nobody\"\n", "ledger.path = \"/tmp/nobody\"\nsubjekt = 1\n[ledgr]\n[stream.x]\npaths = 1\n"] {
        asked(spoilt, "/tmp/nobody");
    }
    // A table that has nothing to do with it is no reason to doubt the default.
    asked("[stram.x]\nsubject = \"x\"\n[ledger]\nkeeep = \"1d\"\n", "/var/lib/mailcanary");
    // What may have been the path: the default may be the ledger of another daemon.
    for (spoilt, why) in [
        ("[ledgr]\npath = \"/tmp/nobody\"\n", ":1:1: ledgr: is not a table that mailcanary knows"),
        ("[ledger]\npth = \"/tmp/nobody\"\n", ":2:1: ledger.pth: is not a key that mailcanary knows"),
        ("[http]\npath = \"/tmp/nobody\"\n", ":2:1: http.path: is not a key that mailcanary knows"),
        ("path = \"/tmp/nobody\"\n", ":1:1: path: is not a table that mailcanary knows"),
        ("[ledger]\npath = 1\n", ":2:8: ledger.path: `1` is a whole number"),
        ("ledger = \"/tmp/nobody\"\n", ":1:1: ledger: this is a text, not a table"),
        ("[ledger\npath = \"/tmp/nobody\"\n", ":1:8: this is not TOML: "),
    ] {
        let (code, out, err) = ask(spoilt);
        assert!(code == 2 && out.is_empty() && err.contains(why) && !err.contains("started"), "{spoilt}\n{err}");
        assert!(err.contains("1 complaint: no daemon was asked\n  hint: to reach the daemon meanwhile, name a file"), "{err}");
    }
}

#[test]
fn a_probe_leaves_no_key_that_the_daemon_could_not_read() {
    let folder = Folder::new();
    let ledger = folder.0.join("ledger");
    let text = good("{ env = \"PASSWORD\" }") + &format!("[ledger]\npath = {ledger:?}\n");
    let file = folder.file("mailcanary.toml", text);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    fs::create_dir(&ledger).unwrap();
    // Each may write there, and the folder is root's, as whom the daemon runs.
    fs::set_permissions(&ledger, fs::Permissions::from_mode(0o777)).unwrap();
    let mut probe = mailcanary();
    probe.arg("probe").arg("-c").arg(&file).env("PASSWORD", "hunter2").uid(65534).gid(65534);
    let (code, out, err) = said(&probe.output().unwrap());
    assert_eq!((code, out.as_str()), (1, ""), "{err}");
    assert!(err.contains("canary.key`: the folder is another user's, who could not read it\n  hint: nothing was sent"), "{err}");
    assert_eq!(fs::read_dir(&ledger).unwrap().count(), 0, "not even a draft");
}

#[test]
fn secrets_that_cannot_be_had_are_complaints_with_places() {
    let folder = Folder::new();
    for (secret, expected) in [
        ("{ file = \"/nonexistent/secret\" }", "the file cannot be read: No such file"),
        ("{ env = \"MAILCANARY_TEST_NOT_SET\" }", "the environment variable is not set"),
        ("{ credential = \"i\" }", "`$CREDENTIALS_DIRECTORY` is not set"),
        ("{ file = \"/\" }", "it is not a file"),
    ] {
        let file = folder.file("secret.toml", good(secret));
        let (code, _, err) = said(&check(&file));
        assert_eq!(code, 2);
        assert!(err.contains(&format!("{}:11:12: inbox.i.imap.password: the secret ", file.display())) && err.contains(expected), "{err}");
    }
}

#[test]
fn what_cannot_sign_and_what_holds_no_authority_is_a_complaint_for_every_command() {
    let folder = Folder::new();
    let (plain, empty, broken) = (folder.file("plain", "hunter2\n"), folder.file("empty.pem", ""), folder.file("broken.pem", "nonsense\n"));
    let text = good(&format!("{{ file = {plain:?} }}"))
        .replace("from =", &format!("ca_file = {empty:?}\nfrom ="))
        .replace("address =", "ca_file = \"/nonexistent/ca.pem\"\naddress =");
    let sink = format!("[sink.hook.webhook]\nurl = \"http://127.0.0.1:1/\"\nsecret = {{ file = {plain:?} }}\nca_file = {broken:?}\n");
    let sink = format!("{sink}[sink.chat.slack]\nurl = {{ file = {plain:?} }}\n");
    let ledger = folder.0.join("ledger");
    let file = folder.file("outside.toml", format!("{text}{sink}[ledger]\npath = {ledger:?}\n"));
    let undone = [("check", "`mailcanary run` would not start with it"), ("run", "nothing was started"), ("probe", "nothing was sent")];
    for (command, undone) in undone {
        let (code, out, err) = said(&mailcanary().arg(command).arg("-c").arg(&file).output().unwrap());
        assert_eq!((code, out.as_str()), (2, ""), "{command}: {err}");
        for (place, complaint) in [
            (
                "3:11",
                "provider.a.smtp.ca_file: ".to_owned()
                    + &format!("`{}` gives no certificate authority: it holds no certificate", empty.display()),
            ),
            (
                "8:11",
                "inbox.i.imap.ca_file: `/nonexistent/ca.pem` gives no certificate authority: the file cannot be read: No such file"
                    .to_owned(),
            ),
            ("16:10", "sink.hook.webhook.secret: the secret `{ file = ".to_owned()),
            ("17:11", "sink.hook.webhook.ca_file: ".to_owned()),
            ("19:7", "sink.chat.slack.url: the secret `{ file = ".to_owned()),
        ] {
            assert!(err.contains(&format!("{}:{place}: {complaint}", file.display())), "{place} {complaint}\n{err}");
        }
        assert!(err.contains("cannot sign: the secret does not start with `whsec_`") && !err.contains("hunter2"), "{err}");
        assert!(err.contains("is no address to write to: it does not begin with https:// and a host"), "{err}");
        assert!(err.ends_with(&format!("5 complaints: {undone}\n")), "{err}");
    }
    assert!(!ledger.exists(), "nothing was begun");
}

#[test]
fn webhooks_have_an_address_and_secrets_of_their_form() {
    let folder = Folder::new();
    let provider = |name: &str, kind: &str, secret: &str| {
        let file = folder.file(&format!("{name}.secret"), secret);
        format!(
            "[provider.{name}.{kind}]\nfrom = \"a@example.com\"\napi_key = {{ file = {file:?} }}\nwebhook_secret = {{ file = {file:?} }}\n"
        )
    };
    let seed = good(&format!("{{ file = {:?} }}", folder.file("password", "hunter2")));
    let text = |resend: &str, postmark: &str| {
        let http = "[http]\nlisten = \"127.0.0.1:9999\"\npublic_url = \"https://canary.example\"\n";
        format!(
            "{seed}{}{}{}{http}",
            provider("r", "resend", resend),
            provider("p", "postmark", postmark),
            provider("m", "mandrill", "key")
        )
    };
    let (code, out, err) = said(&check(&folder.file("good.toml", text("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "hook:hunter2"))));
    assert_eq!(code, 0, "{err}");
    for (kind, name) in [("mandrill", "m"), ("postmark", "p"), ("resend", "r")] {
        assert!(out.contains(&format!("webhook of {kind} {name}: https://canary.example/hooks/{name}\n")), "{out}");
    }
    let (code, _, err) = said(&check(&folder.file("bad.toml", text("hunter2", "hunter2"))));
    assert_eq!(code, 2);
    assert!(
        err.contains("provider.r.resend.webhook_secret: the secret `{ file = ") && err.contains("does not start with `whsec_`"),
        "{err}"
    );
    assert!(
        err.contains("provider.p.postmark.webhook_secret: the secret `{ file = ") && err.contains("with a colon between them"),
        "{err}"
    );
    assert!(err.contains("2 complaints") && !err.contains("hunter2"), "{err}");
}

#[test]
fn a_start_that_fails_has_logged_in_nowhere() {
    let folder = Folder::new();
    let (imap, taken) = (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let password = folder.file("password", "hunter2\n");
    let port = format!("port = {}\nusername = \"i\"", imap.local_addr().unwrap().port());
    let text = good(&format!("{{ file = {password:?} }}")).replace("username = \"i\"", &port);
    let (listen, ledger) = (taken.local_addr().unwrap(), folder.0.join("ledger"));
    let file = folder.file("taken.toml", format!("{text}[http]\nlisten = \"{listen}\"\n[ledger]\npath = {ledger:?}\n"));
    let (code, _, err) = said(&mailcanary().arg("run").arg("-c").arg(&file).output().unwrap());
    assert!(code == 1 && err.contains(&format!("listening on `{listen}`")), "{code} {err}");
    imap.set_nonblocking(true).unwrap();
    assert_eq!(imap.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "somebody came");
}

#[test]
fn secrets_come_from_files_the_environment_and_credentials() {
    let folder = Folder::new();
    folder.file("i", "hunter2");
    let run = |secret: &str, name: &str, value: &std::ffi::OsStr| {
        let file = folder.file("from.toml", good(secret));
        said(&mailcanary().arg("check").arg("-c").arg(file).env(name, value).output().unwrap())
    };
    assert_eq!(run("{ credential = \"i\" }", "CREDENTIALS_DIRECTORY", folder.0.as_os_str()).0, 0);
    assert_eq!(run("{ env = \"THE_PASSWORD\" }", "THE_PASSWORD", "hunter2".as_ref()).0, 0);
    let (code, _, err) = run("{ env = \"THE_PASSWORD\" }", "THE_PASSWORD", "".as_ref());
    assert!(code == 2 && err.contains("it is empty"), "{err}");
    fs::set_permissions(folder.0.join("i"), fs::Permissions::from_mode(0o644)).unwrap();
    let (code, _, err) = run(&format!("{{ file = {:?} }}", folder.0.join("i")), "X", "".as_ref());
    assert!(code == 0 && err.contains("others than its owner may read") && err.contains("(mode 644)"), "{err}");
}

#[test]
fn what_stands_in_a_secret_file_is_cut_by_one_newline() {
    let folder = Folder::new();
    let resolve = |content: &[u8]| SecretRef::File(folder.file("s", content)).resolve().map(|found| found.secret.expose().to_owned());
    for (content, secret) in [("a", "a"), ("a\n", "a"), ("a\r\n", "a"), (" a ", " a "), ("pässword\n", "pässword")] {
        assert_eq!(resolve(content.as_bytes()).unwrap(), secret);
    }
    assert!(matches!(resolve(b"a\n\n"), Err(SecretError::NotALine)));
    assert!(matches!(resolve(b"a\0b"), Err(SecretError::NotALine)));
    assert!(matches!(resolve(b"\n"), Err(SecretError::Empty)));
    assert!(matches!(resolve(b"\xff"), Err(SecretError::NotText)));
    assert!(matches!(resolve(&vec![b'a'; 65_537]), Err(SecretError::TooLarge)));
}

/// Tries to print a secret by every way there is.
#[test]
fn a_secret_cannot_be_printed() {
    #[derive(Debug)]
    #[expect(dead_code, reason = "it is there to be printed")]
    struct Holder<'a> {
        secret: Secret,
        option: Option<Secret>,
        secrets: &'a Secrets,
    }
    let folder = Folder::new();
    let at = SecretRef::File(folder.file("s", "hunter2\n"));
    let secret = at.resolve().unwrap().secret;
    assert_eq!(secret.expose(), "hunter2");
    let secrets = Secrets::from_iter([(at.clone(), secret.clone())]);
    assert_eq!(secrets.get(&at), Some(&secret));
    let holder = Holder { secret: secret.clone(), option: Some(secret.clone()), secrets: &secrets };
    let resolved = at.resolve();
    let settings = config::parse(&good(&format!("{{ file = {:?} }}", folder.0.join("s"))), "h").unwrap();
    let mut printed = format!("{holder:?} {holder:#?} {resolved:?} {settings:?} {:?} {:?}", settings.secrets(), at);
    for content in ["hunter2\nhunter2", "hunter2\0", "hunter2\u{0}\n\n"] {
        let error = SecretRef::File(folder.file("bad", content)).resolve().unwrap_err();
        printed += &format!("{error} {error:?} {} {settings:?}", error.hint());
    }
    printed += &format!(
        "{:?}",
        std::panic::catch_unwind(|| assert_eq!(secret, Secret::new("hunter3".to_owned()))).unwrap_err().downcast_ref::<String>()
    );
    assert!(printed.contains("***"));
    assert!(!printed.contains("hunter"), "{printed}");
}

#[test]
fn bad_files_are_named_and_refused() {
    let folder = Folder::new();
    let cases = [
        (folder.0.join("missing.toml"), "the configuration cannot be read: No such file or directory"),
        (folder.0.clone(), "the configuration is not a file"),
        (PathBuf::from("/dev/zero"), "the configuration is not a file"),
        (folder.file("latin1.toml", b"a = \"\xe4\""), "the configuration is not UTF-8 text: byte 6 is wrong"),
        (folder.file("large.toml", vec![b'#'; 2 << 20]), "the configuration is larger than 1 MiB"),
        (folder.file("empty.toml", ""), "provider: there is none"),
        (folder.file("nul.toml", "a = \"\0\""), "this is not TOML"),
    ];
    for (file, expected) in cases {
        for command in ["check", "run", "probe", "step"] {
            let output = mailcanary().arg(command).arg("-c").arg(&file).stdin(Stdio::null()).output().unwrap();
            let (code, out, err) = said(&output);
            assert_eq!((code, out.as_str()), (2, ""), "{command}");
            assert!(err.contains(expected) && err.contains(&file.display().to_string()), "{command}: {err}");
        }
    }
}

#[test]
fn an_unreadable_file_is_refused() {
    let folder = Folder::new();
    let file = folder.file("mine.toml", good("{ env = \"X\" }"));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    fs::set_permissions(&folder.0, fs::Permissions::from_mode(0o755)).unwrap();
    // Root may read everything: ask as nobody.
    let binary = folder.0.join("mailcanary");
    fs::copy(env!("CARGO_BIN_EXE_mailcanary"), &binary).unwrap();
    let mut command = Command::new(&binary);
    if fs::metadata("/proc/self").is_ok_and(|m| std::os::unix::fs::MetadataExt::uid(&m) == 0) {
        std::os::unix::process::CommandExt::uid(&mut command, 65_534);
    }
    let (code, _, err) = said(&command.arg("check").arg("-c").arg(&file).output().unwrap());
    assert_eq!(code, 2);
    assert!(err.contains("the configuration cannot be read: Permission denied"), "{err}");
}

#[test]
fn wrong_arguments_end_with_two_and_for_a_monitoring_plugin_with_three() {
    let code = |arguments: &[&str]| said(&mailcanary().args(arguments).output().unwrap()).0;
    for wrong in [
        &["check"][..],
        &["nonsense"],
        &["check", "-c"],
        &["probe", "-c", "x", "--output", "xml"],
        &["probe", "-c", "x", "--timeout", "soon"],
        &["print", "nothing"],
        &[],
    ] {
        assert_eq!(code(wrong), 2, "{wrong:?}");
    }
    assert_eq!(code(&["probe", "--output", "nagios"]), 3);
    assert_eq!(code(&["probe", "--output=nagios", "--nonsense"]), 3);
    for fine in [&["--help"][..], &["--version"], &["probe", "--help"], &["print", "schema"], &["print", "reference-config"]] {
        assert_eq!(code(fine), 0, "{fine:?}");
    }
    let (_, out, err) = said(&mailcanary().arg("--version").output().unwrap());
    assert_eq!((out.trim(), err.as_str()), (concat!("mailcanary ", env!("CARGO_PKG_VERSION")), ""));
}

#[test]
fn a_monitoring_system_is_told_on_standard_output_what_is_wrong() {
    let folder = Folder::new();
    let password = folder.file("password", "hunter2\n");
    let fine = folder.file("fine.toml", good(&format!("{{ file = {password:?} }}")));
    let wrong = folder.file("wrong.toml", good("{ file = \"/nonexistent/a|b\" }").replace("from =", "form ="));
    let unfit = folder.file("unfit.toml", good("{ file = \"/nonexistent/a|b\" }"));
    let nagios = |arguments: &[&str]| said(&mailcanary().args(["probe", "--output", "nagios"]).args(arguments).output().unwrap());
    let at = |file: &Path| file.display().to_string();
    for (arguments, expected) in [
        (vec![], "the following required arguments were not provided:".to_owned()),
        (vec!["-c", "/nonexistent/x"], "/nonexistent/x: the configuration cannot be read".to_owned()),
        (vec!["-c", &at(&wrong)], format!("{}:", at(&wrong))),
        (vec!["-c", &at(&unfit)], format!("{}:11:12: inbox.i.imap.password: the secret", at(&unfit))),
        (vec!["-c", &at(&fine), "--route", "x|y/*"], "no route matches x y/*".to_owned()),
    ] {
        let (code, out, err) = nagios(&arguments);
        assert_eq!(code, 3, "{arguments:?}");
        assert!(out.starts_with(&format!("MAILCANARY UNKNOWN - {expected}")), "{arguments:?}: {out}");
        assert!(out.lines().count() == 1 && !out.contains('|') && !err.is_empty(), "{out}{err}");
    }
}

#[test]
fn what_is_printed_is_what_the_library_has() {
    let printed = |what: &str| said(&mailcanary().args(["print", what]).output().unwrap()).1;
    assert_eq!(printed("reference-config"), config::reference());
    assert_eq!(serde_json::from_str::<serde_json::Value>(&printed("schema")).unwrap(), config::schema());
}

#[test]
fn a_reader_that_goes_away_is_no_failure_and_a_full_disk_is() {
    let mut child = mailcanary().args(["print", "schema"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!((child.wait().unwrap().code(), err.as_str()), (Some(0), ""));
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = mailcanary().args(["print", "schema"]).stdout(full).output().unwrap();
    let (code, _, err) = said(&output);
    assert!(code == 1 && err.contains("No space left on device"), "{code} {err}");
}

#[test]
fn check_live_asks_the_dns() {
    let folder = Folder::new();
    let server = NameServer::start(&["--mx-host=good.example,mx.good.example,10", "--txt-record=good.example,v=spf1 -all"]);
    let file = folder.file("live.toml", good("{ env = \"THE_PASSWORD\" }"));
    let output = mailcanary()
        .args(["check", "--live", "--resolver", &server.address.to_string(), "-c"])
        .arg(file)
        .env("THE_PASSWORD", "hunter2")
        .output();
    let (_, out, _) = said(&output.unwrap());
    for line in [
        "ok      inbox i: MX of good.example: mail goes to mx.good.example",
        "ok      provider a: SPF of good.example: SPF is `v=spf1 -all`",
        "warning provider a: DMARC of good.example: no DMARC record",
        "warning provider a: DKIM of good.example: no DKIM key under the selectors default, ",
    ] {
        assert!(out.contains(line), "{line}\nis not in\n{out}");
    }
}

#[test]
fn check_live_says_how_the_account_stands() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        [r#"{"scopes":["mail.send"]}"#, r#"{"remain":9,"total":100,"used":91}"#].map(|body| {
            let (mut stream, _) = listener.accept().unwrap();
            let mut heard = Vec::new();
            while !heard.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                heard.extend(byte);
            }
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n", body.len());
            stream.write_all(format!("{head}\r\n{body}").as_bytes()).unwrap();
            String::from_utf8(heard).unwrap().lines().next().unwrap().to_owned()
        })
    });
    let folder = Folder::new();
    let text = good("{ env = \"THE_PASSWORD\" }").replace(
        "[inbox",
        &format!("[provider.grid.sendgrid]\nfrom = \"a@good.example\"\napi_key = {{ env = \"THE_PASSWORD\" }}\nbase_url = \"http://127.0.0.1:{port}\"\n[inbox"),
    );
    let file = folder.file("live.toml", text);
    let output =
        mailcanary().args(["check", "--live", "--resolver", "127.0.0.1:9", "-c"]).arg(file).env("THE_PASSWORD", "hunter2").output();
    let (_, out, _) = said(&output.unwrap());
    assert!(out.contains("warning provider grid: account: 9 of 100 left of the quota"), "{out}");
    assert_eq!(server.join().unwrap(), ["GET /v3/scopes HTTP/1.1", "GET /v3/user/credits HTTP/1.1"]);
}
