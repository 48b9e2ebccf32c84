//! Configurations: good ones, bad ones with their exact messages, and the reference.

mod documents;
mod sinks;

use std::collections::BTreeSet;
use std::net::SocketAddr;

use mailcanary::config::{
    self, AlertmanagerSettings, ImapSettings, Inbox, InboxKind, Preset, Proof, ProviderKind, SecretRef, SinkKind, SmtpLogin, Tls,
};
use mailcanary::model::{Name, Severity, Span};
use serde_json::Value;

/// The configuration of the design, but for the kinds of sinks that are not there yet.
const EXAMPLE: &str = r#"
[watch]
every = "1m"
confirmations = "15%"
false_pages = "1 per year"

[stream.password-reset]
subject = "Reset your password"
deadline = "15m"

[provider.mailchimp.mandrill]
from = "Example <no-reply@example.com>"
api_key = { credential = "mandrill" }

[provider.relay.smtp]
from = "Example <no-reply@example.com>"
host = "smtp.example.net"
port = 587
tls = "starttls"
username = "canary"
password = { file = "/etc/mailcanary/relay.password" }

[inbox.gmail-1.imap]
address = "seed7f3@gmail.com"
preset = "gmail"
host = "imap.gmail.com"
username = "seed7f3@gmail.com"
password = { credential = "gmail-1" }

[sink.alertmanager.alertmanager]
urls = ["http://127.0.0.1:9093"]

[sink.hook.webhook]
url = "https://hooks.example.net/mail"
secret = { credential = "hook" }

[http]
listen = "127.0.0.1:9825"

[ledger]
path = "/var/lib/mailcanary"
"#;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn good(text: &str) -> config::Checked {
    config::parse(text, "watch-1")
        .unwrap_or_else(|complaints| panic!("{}", complaints.iter().map(|c| format!("{c}\n")).collect::<String>()))
}

#[test]
fn the_example_is_understood_to_the_last_key() {
    let settings = good(EXAMPLE).settings;
    assert_eq!(settings.watch.instance, "watch-1");
    assert_eq!((settings.watch.every, settings.watch.confirmations), (Span::from_secs(60), 0.15));
    assert_eq!((settings.watch.blind_after, settings.watch.cut_off_after), (Span::from_secs(300), Span::from_secs(120)));
    assert_eq!(settings.watch.remind_after, Span::from_secs(1800));
    assert_eq!(
        settings.routes.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["mailchimp/password-reset/gmail-1", "relay/password-reset/gmail-1"]
    );
    let ProviderKind::Smtp(smtp) = &settings.providers["relay"].kind else { panic!("not SMTP") };
    assert_eq!((smtp.host.as_str(), smtp.port, smtp.tls), ("smtp.example.net", 587, Tls::StartTls));
    let proof = Proof::Password(SecretRef::File("/etc/mailcanary/relay.password".into()));
    assert_eq!(smtp.login, Some(SmtpLogin { user: "canary".to_owned(), proof }));
    let ProviderKind::Mandrill(mandrill) = &settings.providers["mailchimp"].kind else { panic!("not Mandrill") };
    assert_eq!((mandrill.base_url.as_str(), &mandrill.subaccount), ("https://mandrillapp.com/api/1.0", &None));
    assert_eq!(settings.providers["relay"].from.name.as_deref(), Some("Example"));
    let inbox = &settings.inboxes["gmail-1"];
    let imap = ImapSettings {
        host: "imap.gmail.com".to_owned(),
        port: 993,
        tls: Tls::Implicit,
        username: "seed7f3@gmail.com".to_owned(),
        proof: Proof::Password(SecretRef::Credential("gmail-1".to_owned())),
        expires: None,
        junk: None,
        junk_tabs: Vec::new(),
        preset: Preset::of_host("imap.gmail.com"),
    };
    let address = "seed7f3@gmail.com".to_owned();
    assert_eq!(
        *inbox,
        Inbox {
            honeytoken_of: None,
            address,
            aliases: Vec::new(),
            baits: Vec::new(),
            plus_address: false,
            delete: false,
            budget: config::Budget::default(),
            kind: InboxKind::Imap(imap),
            wire: config::Wire::default()
        }
    );
    assert_eq!(settings.sinks["hook"].takes.severities, Severity::ALL);
    assert_eq!(
        settings.sinks["alertmanager"].kind,
        SinkKind::Alertmanager(AlertmanagerSettings { urls: vec!["http://127.0.0.1:9093".to_owned()] })
    );
    assert_eq!(settings.http.unwrap().listen, SocketAddr::from(([127, 0, 0, 1], 9825)));
    assert_eq!((settings.ledger.keep, settings.ledger.keep_failures), (Span::from_secs(30 * 86_400), Span::from_secs(400 * 86_400)));
}

/// Where the bad ones are: `NAME.toml`, and what is said of it in `NAME.txt`.
const BAD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/suite/bad_configs");

/// What `check` would print of a bad configuration.
fn complaints_of(name: &str, text: &str) -> String {
    let file = format!("{name}.toml");
    match config::parse(text, "watch-1") {
        Ok(_) => "no complaint\n".to_owned(),
        Err(complaints) => complaints.iter().map(|c| format!("{}\n", c.in_file(file.as_ref()))).collect(),
    }
}

/// What differs, line by line.
fn difference(expected: &str, found: &str) -> String {
    let (expected, found): (Vec<_>, Vec<_>) = (expected.lines().collect(), found.lines().collect());
    let gone = expected.iter().filter(|line| !found.contains(line)).map(|line| format!("- {line}\n"));
    let new = found.iter().filter(|line| !expected.contains(line)).map(|line| format!("+ {line}\n"));
    gone.chain(new).collect()
}

/// Every bad configuration has its exact message. `BLESS=1` rewrites the messages: review them as a diff.
#[test]
fn every_bad_configuration_has_its_exact_message() {
    let bless = std::env::var("BLESS").is_ok_and(|v| v == "1");
    let mut wrong = String::new();
    let mut count = 0;
    for entry in std::fs::read_dir(BAD).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "toml") {
            continue;
        }
        count += 1;
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let found = complaints_of(&name, &std::fs::read_to_string(&path).unwrap());
        let message = path.with_extension("txt");
        let expected = std::fs::read_to_string(&message).unwrap_or_default();
        if expected == found && found != "no complaint\n" {
            continue;
        }
        if bless {
            std::fs::write(&message, &found).unwrap();
        } else {
            wrong += &format!("{name}: (BLESS=1 rewrites)\n{}\n", difference(&expected, &found));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(count >= 30, "only {count} bad configurations");
}

#[test]
fn no_complaint_shows_a_secret() {
    for entry in std::fs::read_dir(BAD).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let said = format!("{:?}", config::parse(&text, "watch-1"));
        assert!(!said.contains("hunter2"), "{}: {said}", path.display());
    }
}

/// The reference with the keys behind `#` put in force: all of them, or those that state a default.
fn put_in_force(reference: &str, defaults_only: bool) -> String {
    let mut out = String::new();
    let mut before = "";
    for line in reference.lines() {
        let key = line.strip_prefix('#').filter(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase() || c == '['));
        let wanted = !defaults_only || before.starts_with("# Default: ");
        out += key.filter(|_| wanted).unwrap_or(line);
        out.push('\n');
        before = line;
    }
    out
}

#[test]
fn the_reference_is_a_configuration_and_states_the_true_defaults() {
    let reference = config::reference();
    let printed = good(&reference).settings;
    let with_defaults = put_in_force(&reference, true);
    assert!(with_defaults.lines().filter(|l| !l.starts_with('#')).count() > reference.lines().filter(|l| !l.starts_with('#')).count() + 15);
    assert_eq!(good(&with_defaults).settings, printed);
    // One name server or several: `check` says that both are too many.
    let all = put_in_force(&reference, false).replacen("\nserver = \"system\"\n", "\n", 1);
    assert!(!all.lines().any(|l| l.starts_with('#') && !l.starts_with("# ") && l != "#"), "{all}");
    assert_ne!(good(&all).settings, printed);
}

/// Walks the objects of the schema that have keys: calls `each` with the table's path, the key and the key's schema.
fn keys_of_schema(schema: &Value, path: &str, each: &mut impl FnMut(&str, &str, &Value)) {
    let join = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        if inner.get("examples").is_some() {
            each(path, name, inner);
        } else {
            keys_of_schema(inner.get("items").unwrap_or(inner), &join(name), each);
        }
    }
    if schema["additionalProperties"].is_object() {
        keys_of_schema(&schema["additionalProperties"], &join("NAME"), each);
    }
}

#[test]
fn the_reference_has_every_key_with_its_default_and_reason() {
    let reference = config::reference();
    let flat = reference.replace("\n# ", " ");
    let mut keys = 0;
    let mut tables = BTreeSet::new();
    keys_of_schema(&config::schema(), "", &mut |path, key, schema| {
        keys += 1;
        tables.insert(path.to_owned());
        let why = schema["description"].as_str().unwrap();
        assert!(why.len() > 8, "{path}.{key} has no reason");
        assert!(flat.contains(why), "the reference does not say of {path}.{key}: {why}");
        assert!(reference.contains(&format!("\n{key} = ")) || reference.contains(&format!("\n#{key} = ")), "{path}.{key}");
        if let Some(default) = schema.get("default").filter(|d| d.is_string()) {
            assert!(reference.contains(&format!("# Default: {default}\n#{key} = {default}\n")), "{path}.{key}: {default}");
        }
    });
    assert!(keys > 60, "{keys}");
    assert_eq!(tables.len(), 50, "{tables:?}");
}

#[test]
fn the_documents_have_every_kind_of_provider_and_its_keys() {
    let read = |name: &str| std::fs::read_to_string(format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let (readme, table) = (read("README.md"), read("docs/providers.md"));
    let shared = ["from", "dkim_selectors", "ca_file", "proxy", "bind", "family", "base_url", "templates", "variables"];
    let of_all = ["standby", "every", "price_per_1000", "currency", "canaries_per_day", "spacing", "trace"];
    let of_signs = ["signs", "signs_every", "signs_per_day", "quota_warning", "credits_warning", "backlog_warning", "reputation_warning"];
    of_all.iter().chain(&of_signs).for_each(|key| assert!(table.contains(&format!("`{key}`")), "docs/providers.md lacks `{key}`"));
    let mut kinds = BTreeSet::new();
    keys_of_schema(&config::schema(), "", &mut |path, key, _| {
        let Some(kind) = path.strip_prefix("provider.NAME.") else { return };
        kinds.insert(kind.to_owned());
        assert!(readme.contains(&format!("`{kind}`")), "README.md does not name `{kind}`");
        let row = table
            .lines()
            .find(|line| line.starts_with(&format!("| [`{kind}`](providers/{kind}.md)")))
            .unwrap_or_else(|| panic!("no row of `{kind}`"));
        let elsewhere = kind == "smtp" && row.contains("the OAuth 2 keys of `gmail`");
        assert!(
            elsewhere || [&shared[..], &of_all, &of_signs].concat().contains(&key) || row.contains(&format!("`{key}`")),
            "the row of `{kind}` lacks `{key}`"
        );
    });
    assert_eq!(kinds.len(), 14, "{kinds:?}");
}

#[test]
fn the_documents_have_every_kind_of_sink_and_its_keys() {
    let read = |name: &str| std::fs::read_to_string(format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let (readme, sinks) = (read("README.md"), read("docs/sinks.md"));
    let of_oauth = ["refresh_token", "client_id", "client_secret", "scope", "token_url", "access_token", "service_account", "acts_for"];
    let mut kinds = BTreeSet::new();
    keys_of_schema(&config::schema(), "", &mut |path, key, _| {
        let Some(kind) = path.strip_prefix("sink.NAME.") else { return };
        kinds.insert(kind.to_owned());
        assert!(readme.contains(&format!("`{kind}`")), "README.md does not name `{kind}`");
        let named = [format!("`{key}`"), format!("`{key} = "), format!("\n{key} = ")].iter().any(|name| sinks.contains(name));
        assert!(named || of_oauth.contains(&key), "docs/sinks.md lacks `{key}` of `{kind}`");
    });
    assert_eq!(kinds.len(), 15, "{kinds:?}");
}

#[test]
fn the_documents_have_every_kind_of_heartbeat_and_its_keys() {
    let read = |name: &str| std::fs::read_to_string(format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let (readme, heartbeats) = (read("README.md"), read("docs/heartbeats.md"));
    let mut kinds = BTreeSet::new();
    keys_of_schema(&config::schema(), "", &mut |path, key, _| {
        let Some(kind) = path.strip_prefix("heartbeat.NAME.") else { return };
        kinds.insert(kind.to_owned());
        assert!(readme.contains(&format!("`{kind}`")), "README.md does not name `{kind}`");
        assert!(heartbeats.contains(&format!("`{key}`")), "docs/heartbeats.md lacks `{key}` of `{kind}`");
    });
    assert_eq!(kinds.len(), 5, "{kinds:?}");
}

#[test]
fn a_heartbeat_has_its_address_in_a_secret() {
    let text = format!(
        "{EXAMPLE}\n[heartbeat.w.healthchecks]\nurl = {{ credential = \"ping\" }}\n[heartbeat.g.opsgenie]\nheartbeat = \"m\"\napi_key = {{ env = \"G\" }}\nevery = \"5m\"\n"
    );
    let settings = good(&text).settings;
    let beat = |name: &str| &settings.heartbeats[name];
    assert_eq!((beat("w").every, beat("g").every), (Span::from_secs(60), Span::from_secs(300)));
    assert_eq!(beat("w").kind.place(), "the address in { credential = \"ping\" }");
    assert_eq!(beat("g").kind.place(), "https://api.opsgenie.com, heartbeat m");
}

/// A small judge of the part of JSON Schema that the schema uses. Patterns are left to the parser.
fn judge(schema: &Value, root: &Value, value: &Value, path: &str) -> Result<(), String> {
    let no = |why: String| Err(format!("{path}: {why}"));
    let size = |v: &Value| {
        v.as_object().map(serde_json::Map::len).or_else(|| v.as_array().map(Vec::len)).or_else(|| v.as_str().map(|s| s.chars().count()))
    };
    for (word, rule) in schema.as_object().unwrap() {
        match word.as_str() {
            "description" | "default" | "examples" | "pattern" | "format" | "propertyNames" | "$schema" | "title" | "$defs" => {}
            "$ref" => judge(root.pointer(rule.as_str().unwrap().trim_start_matches('#')).unwrap(), root, value, path)?,
            "type" => {
                let is = match value {
                    Value::Object(_) => "object",
                    Value::Array(_) => "array",
                    Value::String(_) => "string",
                    Value::Bool(_) => "boolean",
                    Value::Number(n) if n.is_i64() => "integer",
                    Value::Number(_) => "number",
                    Value::Null => "other",
                };
                if rule != is && (rule.as_str(), is) != (Some("number"), "integer") {
                    return no(format!("{is} instead of {rule}"));
                }
            }
            "required" => {
                if let Some(key) = rule.as_array().unwrap().iter().find(|k| value.get(k.as_str().unwrap()).is_none()) {
                    return no(format!("{key} is missing"));
                }
            }
            "properties" | "additionalProperties" => {
                for (key, inner) in value.as_object().into_iter().flatten() {
                    let known = schema["properties"].get(key);
                    match (word.as_str(), known) {
                        ("properties", Some(known)) => judge(known, root, inner, &format!("{path}.{key}"))?,
                        ("additionalProperties", None) if rule == false => return no(format!("{key} is unknown")),
                        ("additionalProperties", None) => judge(rule, root, inner, &format!("{path}.{key}"))?,
                        _ => {}
                    }
                }
            }
            "items" => value.as_array().into_iter().flatten().try_for_each(|v| judge(rule, root, v, path))?,
            "oneOf" if rule.as_array().unwrap().iter().filter(|one| judge(one, root, value, path).is_ok()).count() == 1 => {}
            "enum" if rule.as_array().unwrap().contains(value) => {}
            "minimum" if value.as_f64() >= rule.as_f64() => {}
            "maximum" if value.as_f64() <= rule.as_f64() => {}
            "uniqueItems" if value.as_array().unwrap().iter().enumerate().all(|(i, v)| !value.as_array().unwrap()[..i].contains(v)) => {}
            "minItems" | "minProperties" | "minLength" if size(value) >= rule.as_u64().map(|n| n as usize) => {}
            "maxProperties" | "maxLength" if size(value) <= rule.as_u64().map(|n| n as usize) => {}
            "oneOf" | "enum" | "minimum" | "maximum" | "uniqueItems" | "minItems" | "minProperties" | "minLength" | "maxProperties"
            | "maxLength" => {
                return no(format!("{value} is against {word} {rule}"));
            }
            other => panic!("the judge does not know `{other}`"),
        }
    }
    Ok(())
}

/// A configuration as the JSON that an editor would hold against the schema.
fn as_json(item: &toml_edit::Item) -> Value {
    if let Some(table) = item.as_table_like() {
        return Value::Object(table.iter().map(|(k, v)| (k.to_owned(), as_json(v))).collect());
    }
    if let Some(tables) = item.as_array_of_tables() {
        return tables.iter().map(|t| as_json(&toml_edit::Item::Table(t.clone()))).collect();
    }
    match item.as_value().unwrap() {
        toml_edit::Value::String(s) => s.value().as_str().into(),
        toml_edit::Value::Integer(n) => (*n.value()).into(),
        toml_edit::Value::Float(n) => (*n.value()).into(),
        toml_edit::Value::Boolean(b) => (*b.value()).into(),
        toml_edit::Value::Array(list) => list.iter().map(|v| as_json(&toml_edit::Item::Value(v.clone()))).collect(),
        toml_edit::Value::Datetime(_) | toml_edit::Value::InlineTable(_) => Value::Null,
    }
}

fn judge_toml(text: &str) -> Result<(), String> {
    let schema = config::schema();
    judge(&schema, &schema, &as_json(toml_edit::Document::parse(text).unwrap().as_item()), "")
}

#[test]
fn the_schema_takes_good_configurations_and_refuses_bad_ones() {
    let reference = config::reference();
    for text in [EXAMPLE, &reference, &put_in_force(&reference, true), &put_in_force(&reference, false)] {
        judge_toml(text).unwrap();
    }
    for name in [
        "unknown_key",
        "unknown_kind",
        "unknown_table",
        "missing_keys",
        "wrong_types",
        "tls_unknown",
        "ports",
        "two_kinds",
        "secret_in_plain_text",
        "secret_sources",
        "empty",
        "route_one_table",
        "no_kind",
        "tables_as_values",
    ] {
        let text = std::fs::read_to_string(format!("{BAD}/{name}.toml")).unwrap();
        assert!(judge_toml(&text).is_err(), "the schema takes {name}");
    }
}

/// The warnings about the example with `from` put in place of `to`.
fn warnings_with(changes: &[(&str, &str)]) -> String {
    let mut text = EXAMPLE.to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    good(&text).warnings.iter().map(|w| format!("{w}\n")).collect()
}

#[test]
fn budgets_and_stand_bys_are_forecast() {
    let text = EXAMPLE
        .replace("port = 587", "port = 587\nstandby = true\nprice_per_1000 = 0.10\ncurrency = \"USD\"")
        .replace("host = \"imap.gmail.com\"", "host = \"imap.gmail.com\"\ncanaries_per_day = 1600\nspacing = \"2s\"");
    let settings = good(&text).settings;
    let (relay, gmail) = (&settings.providers["relay"], &settings.inboxes["gmail-1"]);
    assert!(relay.duty.standby && relay.duty.every.is_none());
    assert_eq!(relay.duty.price, Some(config::Price { per_1000: 0.1, currency: Some("USD".to_owned()) }));
    let every: Vec<_> = settings.routes.iter().map(|r| (r.provider.as_str(), settings.every(r).to_string())).collect();
    assert_eq!(every, [("mailchimp", "1m".to_owned()), ("relay", "15m".to_owned())]);
    let warm = settings.forecast(relay.budget, 1536.0, |r| r.provider.as_str() == "relay");
    assert_eq!((warm.per_day.round(), warm.cap), (110.0, 455.0), "96 routine ones and 15 %; of all 1536, 15 %, and a burst of 128");
    assert_eq!(gmail.budget, config::Budget { canaries_per_day: Some(1600), spacing: Some(Span::from_secs(2)) });
    let seeded = settings.forecast(gmail.budget, 1536.0, |_| true);
    assert_eq!((seeded.per_day, seeded.cap), (1600.0, 1600.0), "the cap is less than 1766");
}

#[test]
fn what_is_likely_not_meant_is_warned_of() {
    let second =
        "[inbox.b.imap]\naddress = \"b@example.org\"\nhost = \"imap.example.org\"\nusername = \"b\"\npassword = { env = \"B\" }\n[http]";
    assert_eq!(warnings_with(&[("[http]", second)]), "", "a configuration with nothing to warn of");
    let spark = "[provider.spark.sparkpost]\nfrom = \"a@example.com\"\napi_key = { env = \"K\" }";
    let resend = "[provider.r.resend]\nfrom = \"a@example.com\"\napi_key = { env = \"K\" }\nwebhook_secret = { env = \"W\" }";
    for reached in ["listen = \"0.0.0.0:9825\"", "public_url = \"https://canary.example.com\""] {
        let found = warnings_with(&[("[http]", &format!("{resend}\n[http]")), ("listen = \"127.0.0.1:9825\"", reached)]);
        assert!(!found.contains("webhook_secret"), "{found}");
    }
    for (changes, expected) in [
        (vec![], "inbox: only one is watched"),
        (vec![("from = ", "standby = true\nfrom = ")], "provider: all that are watched are stand-bys: no outage would ever page"),
        (vec![("port = 587", "port = 587\ncanaries_per_day = 1441")], "canaries_per_day: 1441 a day hold the 1440 routine canaries"),
        (vec![("port = 587", "port = 587\ncurrency = \"EUR\"")], "provider.relay.smtp.currency: there is no price"),
        (vec![("[http]", "[[route]]\nprovider = \"relay\"\n[http]")], "provider: only one is watched"),
        (vec![("[http]", "[[route]]\nprovider = \"relay\"\n[http]")], "provider.mailchimp.mandrill: this provider is in no route"),
        (vec![("secret = { credential = \"hook\" }", "")], "sink.hook.webhook.secret: is missing"),
        (vec![("secret =", "severities = [\"warn\"]\nsecret ="), ("urls =", "severities = [\"info\"]\nurls =")], "sink: none takes pages"),
        (
            vec![("127.0.0.1:9825", "0.0.0.0:9825")],
            "http.listen: `0.0.0.0:9825` can be reached by others, and there is no log-in: nobody is let in",
        ),
        (vec![("\"127.0.0.1:9825\"", "\"0.0.0.0:9825\"\nopen = true")], "there is no log-in: everybody may read"),
        (vec![("\"127.0.0.1:9825\"", "\"0.0.0.0:9825\"\ntoken = { env = \"T\" }")], "the token goes there in the clear"),
        (vec![("127.0.0.1:9825", "127.0.0.1:0")], "http.listen: port 0"),
        (
            vec![("host = \"imap.gmail.com\"", "host = \"imap.gmail.com\"\nport = 143\ntls = \"starttls\"")],
            "`imap.gmail.com` is not known to answer on port 143",
        ),
        (vec![("preset = \"gmail\"\n", ""), ("imap.gmail.com", "outlook.office365.com")], "`outlook.office365.com` takes no passwords"),
        (vec![("preset = \"gmail\"\n", "")], "write preset = \"gmail\" too"),
        (vec![("every = \"1m\"", "every = \"1s\"")], "canaries a day are more than the 43,200 that `imap.gmail.com` is known to bear"),
        (
            vec![("[http]", &format!("{spark}\ntemplates = {{ \"*\" = \"x\" }}\n[http]"))],
            "provider.spark.sparkpost.templates: headers are not sent along with a template",
        ),
        (
            vec![("[http]", &format!("{spark}\nvariables = {{ a = \"x\" }}\n[http]"))],
            "provider.spark.sparkpost.variables: nothing is filled with them",
        ),
        (vec![("[http]", &format!("{resend}\n[http]"))], "provider.r.resend.webhook_secret: nobody outside can reach `127.0.0.1:9825`"),
        (
            vec![("[http]", &format!("{resend}\n[http]")), ("\"127.0.0.1:9825\"", "\"off\"")],
            "provider.r.resend.webhook_secret: nothing is taken in: HTTP is turned off",
        ),
        (vec![("[http]", &format!("{spark}\nsigns_every = \"5s\"\n[http]"))], "signs_every: 17280 questions a day are many"),
        (vec![("[http]", &format!("{spark}\nsigns = false\nsigns_per_day = 9\n[http]"))], "signs_per_day: is not used"),
        (vec![("port = 587", "port = 465")], "provider.relay.smtp.port: on port 465 servers speak TLS from the first byte"),
        (
            vec![
                ("preset = \"gmail\"\n", ""),
                ("imap.gmail.com", "imap.mail.yahoo.com"),
                ("[http]", &second.replace("imap.example.org", "imap.mail.yahoo.com").replace("\"b\"", "\"seed7f3@gmail.com\"")),
            ],
            "`imap.mail.yahoo.com` bears 5 sessions of an account, and these inboxes have up to 6",
        ),
        (
            vec![("[http]", &second.replace("imap.example.org", "imap.gmail.com").replace("\"b\"", "\"seed7f3@gmail.com\""))],
            "this is the mailbox of inbox `gmail-1` too",
        ),
    ] {
        let found = warnings_with(&changes);
        assert!(found.contains(expected), "{expected}\nis not in\n{found}");
    }
    let without_sinks = EXAMPLE.split("[sink.").next().unwrap();
    assert!(good(without_sinks).warnings.iter().any(|w| w.to_string().contains("sink: there is none")));
}

#[test]
fn routes_are_narrowed_to_the_union_of_the_tables() {
    let routes = |tables: &str| {
        let inbox =
            "[inbox.b.imap]\naddress = \"b@example.org\"\nhost = \"imap.example.org\"\nusername = \"b\"\npassword = { env = \"B\" }\n";
        let settings = good(&format!("{EXAMPLE}\n[stream.sign-up]\n{inbox}{tables}")).settings;
        settings.routes.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(routes("").len(), 8);
    assert_eq!(routes("[[route]]\nprovider = \"mail*\"\nstream = \"sign-up\"\n"), ["mailchimp/sign-up/b", "mailchimp/sign-up/gmail-1"]);
    let both = routes("[[route]]\nprovider = [\"relay\"]\nstream = \"sign-up\"\ninbox = \"b\"\n[[route]]\nstream = \"sign*\"\ninbox = [\"b\", \"nothing*\", \"b\"]\n".replace(", \"nothing*\", \"b\"", "").as_str());
    assert_eq!(both, ["mailchimp/sign-up/b", "relay/sign-up/b"]);
}

#[test]
fn defaults_depend_on_what_stands_beside_them() {
    let server = |lines: &str| {
        let text = EXAMPLE
            .replace("host = \"smtp.example.net\"\nport = 587\ntls = \"starttls\"", lines)
            .replace("subject = \"Reset your password\"\n", "");
        let settings = good(&text).settings;
        let ProviderKind::Smtp(smtp) = settings.providers["relay"].kind.clone() else { panic!("not SMTP") };
        (smtp.port, smtp.tls, settings.streams["password-reset"].subject.clone())
    };
    let subject = "Password reset".to_owned();
    assert_eq!(server("host = \"smtp.example.net\""), (587, Tls::StartTls, subject.clone()));
    assert_eq!(server("host = \"smtp.example.net\"\ntls = \"implicit\""), (465, Tls::Implicit, subject.clone()));
    assert_eq!(server("host = \"::1\"\ntls = \"none\""), (25, Tls::None, subject));
    let http = |lines: &str| good(&EXAMPLE.replace("[http]\nlisten = \"127.0.0.1:9825\"", lines)).settings.http;
    assert_eq!(http("").unwrap().listen.port(), 9825);
    assert_eq!(http("[http]\nlisten = \"off\""), None);
    assert_eq!(http("[http]\npublic_url = \"https://m.example.com/x/\"").unwrap().public_url.unwrap(), "https://m.example.com/x");
}

#[test]
fn the_status_page_has_an_address_by_which_it_can_be_reached() {
    let reached = |lines: &str, host_name: &str| {
        let text = EXAMPLE.replace("[http]\nlisten = \"127.0.0.1:9825\"", &format!("[http]\n{lines}\nopen = true"));
        config::parse(&text, host_name).unwrap().settings.http.unwrap().url()
    };
    for (lines, host_name, url) in [
        ("", "mx1.example", Some("http://127.0.0.1:9825")),
        ("listen = \"[::1]:80\"", "mx1.example", Some("http://[::1]:80")),
        ("listen = \"0.0.0.0:9825\"", "mx1.example", Some("http://mx1.example:9825")),
        ("listen = \"[::]:9825\"\nhosts = [\"canary.internal\"]", "mx1.example", Some("http://canary.internal:9825")),
        ("listen = \"0.0.0.0:9825\"", "no name", None),
        ("listen = \"0.0.0.0:0\"", "mx1.example", None),
        ("listen = \"0.0.0.0:0\"\npublic_url = \"https://m.example.com/x\"", "mx1.example", Some("https://m.example.com/x")),
    ] {
        assert_eq!(reached(lines, host_name).as_deref(), url, "{lines}");
    }
}

#[test]
fn nothing_in_a_text_crashes_the_parser() {
    let deep = format!("a = {}{}", "[".repeat(5000), "]".repeat(5000));
    let wide = "x".repeat(100_000);
    for text in [
        &deep,
        &wide,
        "\u{feff}",
        "\0",
        "a.b.c.d.e = 1",
        "[[provider]]\n[[inbox]]",
        "provider.a.smtp.host.x = 1",
        "[provider.a.smtp.host]\nx=1",
        "route = [{}, {}]",
        "[sink.a.webhook.url]",
    ] {
        assert!(config::parse(text, "").is_err());
    }
    // Every cut of a good text, and every text with one byte gone, is read or complained of.
    for (at, _) in EXAMPLE.char_indices() {
        let _cut = config::parse(&EXAMPLE[..at], "h");
        let _gap = config::parse(&format!("{}{}", &EXAMPLE[..at], EXAMPLE.get(at + 1..).unwrap_or_default()), "h");
    }
    let many = (0..2000).map(|i| format!("x{i} = 1\n")).collect::<String>();
    let complaints = config::parse(&many, "h").unwrap_err();
    assert_eq!(complaints.len(), 201);
    assert_eq!(complaints.last().unwrap().what, "and 1803 more");
}
