//! Every example in the documents is a configuration that `check` takes, as it stands.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::json;
use toml_edit::{DocumentMut, Item, TableLike};

use crate::support::alertmanager::Folder;
use crate::support::certs::Authority;

/// What an example may leave to the reader: taken in where the example names it.
const ELSEWHERE: [(&str, &str); 3] = [
    ("sign-", "[stream.sign-up]\nsubject = \"Confirm your address\"\n"),
    (
        "outlook-",
        "[inbox.outlook-1.imap]\naddress = \"seed7f3@outlook.com\"\nhost = \"outlook.example\"\nusername = \"seed7f3\"\npassword = { env = \"PATH\" }\n",
    ),
    ("provider.backup.smtp", "[provider.backup.smtp]\nfrom = \"Example <no-reply@example.com>\"\nhost = \"backup.example.net\"\n"),
];

/// The first configuration of the README, which the other examples are parts of.
const FIRST: &str = "[stream.password-reset]";

/// The TOML examples of a document, without what they are indented by.
fn examples(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let indent = line.len() - line.trim_start().len();
        if line.trim() == "```toml" {
            let body = lines.by_ref().take_while(|line| line.trim() != "```");
            found.push(body.map(|line| format!("{}\n", line.get(indent..).unwrap_or_default())).collect());
        }
    }
    found
}

/// Puts `part` into `whole`, table by table: what both have is `part`'s.
fn merge(whole: &mut dyn TableLike, part: &dyn TableLike) {
    for (key, item) in part.iter() {
        match (whole.get_mut(key).and_then(Item::as_table_like_mut), item.as_table_like()) {
            (Some(mine), Some(theirs)) if !item.is_inline_table() => merge(mine, theirs),
            _ => drop(whole.insert(key, item.clone())),
        }
    }
}

fn document(text: &str) -> DocumentMut {
    text.parse().unwrap_or_else(|e| panic!("{text}\n{e}"))
}

/// What stands in a secret of this name.
fn secret(name: &str) -> String {
    match name {
        "hook.secret" => "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned(),
        "google.json" => {
            let made = Command::new("openssl").args(["genrsa", "2048"]).output().expect("openssl is installed").stdout;
            let key = String::from_utf8(made).unwrap();
            json!({ "type": "service_account", "private_key_id": "0a1b2c", "private_key": key, "client_email": "c@p.iam.gserviceaccount.com" })
                .to_string()
        }
        _ if name.ends_with("url") => "https://hooks.example.net/services/x".to_owned(),
        _ => "0123456789abcdef0123456789abcdef".to_owned(),
    }
}

/// Makes the secrets that `text` names, in `folder`, and points it there.
fn with_secrets(text: &str, folder: &Folder) -> String {
    let quoted = |text: &'_ str| text.split('"').map(str::to_owned).collect::<Vec<_>>();
    let after = |mark: &str| text.match_indices(mark).map(|(at, _)| quoted(&text[at + mark.len()..])[1].clone()).collect::<Vec<_>>();
    let files = after("{ file = ").into_iter().map(|path| Path::new(&path).file_name().unwrap().to_str().unwrap().to_owned());
    for name in files.chain(after("{ credential = ")) {
        folder.write(&name, &secret(&name));
    }
    if text.contains("/etc/mailcanary/web.yml") {
        web(folder);
    }
    text.replace("/etc/mailcanary/", &format!("{}/", folder.path().display()))
}

/// The web configuration of the documents, with what it names beside it.
fn web(folder: &Folder) {
    let text = include_str!("../../../docs/api.md");
    folder.write("web.yml", text.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap());
    let authority = Authority::new();
    let issued = authority.issue(&["localhost"]);
    for (name, from) in [("server.pem", issued.cert), ("server.key", issued.key), ("clients.pem", authority.file())] {
        folder.write(name, &std::fs::read_to_string(from).unwrap());
    }
}

/// What `check` says of it.
fn check(text: &str) -> Result<(), String> {
    let folder = Folder::new("documents");
    let file = folder.write("mailcanary.toml", &with_secrets(text, &folder));
    let mut command = Command::new(env!("CARGO_BIN_EXE_mailcanary"));
    let said = command.args(["check", "-c"]).arg(file).env("CREDENTIALS_DIRECTORY", folder.path()).output().unwrap();
    if said.status.success() { Ok(()) } else { Err(format!("{text}\n{}", String::from_utf8_lossy(&said.stderr))) }
}

#[test]
fn every_example_in_the_documents_passes_check() {
    let read = |name: &str| std::fs::read_to_string(format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let documents = crate::documents::names();
    let first = examples(&read("README.md")).into_iter().find(|example| example.starts_with(FIRST)).unwrap();
    check(&first).unwrap();
    let (mut wrong, mut kinds) = (Vec::new(), BTreeSet::new());
    for name in documents {
        for example in examples(&read(&name)) {
            let mut whole = document(&first);
            let elsewhere = ELSEWHERE.iter().filter(|(mark, _)| example.contains(mark)).map(|(_, text)| *text);
            for text in elsewhere.chain([example.as_str()]) {
                merge(whole.as_table_mut(), document(text).as_table());
            }
            wrong.extend(check(&whole.to_string()).err().map(|why| format!("{name}: {why}")));
            let providers = document(&example)
                .get("provider")
                .and_then(Item::as_table_like)
                .map(|all| all.iter().filter_map(|(_, one)| Some(one.as_table_like()?.iter().next()?.0.to_owned())).collect::<Vec<_>>());
            kinds.extend(providers.into_iter().flatten());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(kinds.len(), 14, "there is an example of every kind of provider: {kinds:?}");
}
