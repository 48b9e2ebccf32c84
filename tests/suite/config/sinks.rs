//! What narrows sinks, maintenance and drills: understood, and warned of where it leaves gaps.

use std::fs;

use mailcanary::model::{At, Culprit, Kind, Severity, Span};

use super::{EXAMPLE, good, name, warnings_with};

#[test]
fn sinks_are_narrowed_to_routes_kinds_and_hours_and_may_wait() {
    let keys = "severities = [\"page\"]\nkinds = [\"stopped\"]\nprovider = \"mail*\"\nstream = [\"password-reset\"]\n\
                hours = [\"Mon-Fri 08:00-18:00\", \"Sat\"]\ntimezone = \"Europe/Berlin\"\nafter = \"10m\"\ntry_at = \"Mon 10:00-11:00\"\nsecret =";
    let settings = good(&EXAMPLE.replace("secret =", keys)).settings;
    let hook = &settings.sinks["hook"];
    let said = "page; stopped; provider mailchimp, stream password-reset; Mon-Fri 08:00-18:00, Sat (Europe/Berlin); after 10m";
    assert_eq!(hook.takes.to_string(), said);
    assert_eq!((hook.takes.after, hook.takes.scope.inboxes.as_ref()), (Some(Span::from_secs(600)), None));
    let at = |text: &str| At::from_rfc3339(text).unwrap();
    assert!(hook.takes.listens(at("2023-07-08T10:00:00Z")) && !hook.takes.listens(at("2023-07-09T10:00:00Z")));
    assert!(hook.try_at.as_ref().unwrap().contains(at("2023-07-03T08:30:00Z")), "10:30 in Berlin");
    let wide = &settings.sinks["alertmanager"].takes;
    assert!(wide.likes(Kind::Dns, Severity::Info) && wide.after.is_none() && !wide.scope.is_narrow());
}

#[test]
fn maintenance_drills_and_streams_are_understood() {
    let text = format!(
        "{EXAMPLE}\n[stream.letter]\nseverity = \"info\"\n[maintenance.move]\nevery = \"Sun 22:00-02:00\"\nprovider = \"relay\"\nby = \"ann\"\n\
         reason = \"they move house\"\nuntil = 2030-01-01T00:00:00Z\n[drill.weekly]\nprovider = \"mailchimp\"\nevery = \"Tue 10:00-11:00\"\n"
    );
    let settings = good(&text).settings;
    assert_eq!((settings.streams["letter"].severity, settings.streams["password-reset"].severity), (Severity::Info, Severity::Page));
    let window = &settings.maintenance["move"];
    assert_eq!((window.which().as_str(), window.every.to_string().as_str()), ("provider relay", "Sun 22:00-02:00 (UTC)"));
    assert_eq!(window.until, At::from_rfc3339("2030-01-01T00:00:00Z"));
    assert!(window.fits(Kind::Slow, &Culprit::Provider(name("relay"))) && !window.fits(Kind::Slow, &Culprit::Watcher {}));
    assert!(window.ends_at(At::from_rfc3339("2023-07-03T01:00:00Z").unwrap()).is_some(), "past midnight");
    let drill = &settings.drills["weekly"];
    assert_eq!((drill.provider.as_str(), drill.lasts), ("mailchimp", Span::from_secs(600)));
}

#[test]
fn pages_that_nobody_would_hear_of_are_named() {
    let second =
        "[inbox.b.imap]\naddress = \"b@example.org\"\nhost = \"imap.example.org\"\nusername = \"b\"\npassword = { env = \"B\" }\n[http]";
    let quiet = ("urls =", "severities = [\"warn\"]\nurls =");
    let hook = |keys: &str| warnings_with(&[("[http]", second), quiet, ("secret =", &format!("{keys}\nsecret ="))]);
    assert_eq!(hook("timezone = \"UTC\"\ntry_at = \"Mon\""), "");
    for (keys, expected) in [
        (
            "provider = \"relay\"",
            "sink: a page about `mailchimp/password-reset/b`, kind `stopped` (and 7 more like it) would be told to nobody",
        ),
        ("kinds = [\"stopped\", \"loss\", \"slow\"]", "kind `refused` (and 3 more like it) would be told to nobody"),
        (
            "hours = \"Mon-Fri 08:00-18:00\"\ntimezone = \"Europe/Berlin\"",
            "would be told to nobody on Mon 01:00 (Europe/Berlin): no sink takes it at that hour",
        ),
        ("after = \"10m\"", "sink: all that take pages wait for the others (`after`): nobody is told at once"),
        ("timezone = \"UTC\"", "sink.hook.webhook.timezone: there is nothing that it is for"),
        ("shares_path = true", "sink.hook.webhook.shares_path: it shares no path with what is watched"),
    ] {
        let found = hook(keys);
        assert!(found.contains(expected), "{expected}\nis not in\n{found}");
    }
    // What is never louder than a warning pages nobody, at no hour.
    let warned = ("subject = \"Reset your password\"", "subject = \"Reset your password\"\nseverity = \"warn\"");
    let night = warnings_with(&[warned, quiet, ("secret =", "hours = \"Mon-Fri 08:00-18:00\"\ntimezone = \"Europe/Berlin\"\nsecret =")]);
    assert!(!night.contains("told to nobody"), "{night}");
    // What is never louder than a warning pages nobody, at any hour.
    let warned = ("subject = \"Reset your password\"", "subject = \"Reset your password\"\nseverity = \"warn\"");
    let by_day = ("secret =", "hours = \"Mon-Fri 08:00-18:00\"\ntimezone = \"Europe/Berlin\"\nsecret =");
    let night = warnings_with(&[("[http]", second), warned, quiet, by_day]);
    assert!(!night.contains("told to nobody"), "{night}");
    let whole = "hours = [\"Mon-Fri 08:00-18:00\", \"18:00-08:00\", \"Sat,Sun\"]\ntimezone = \"Europe/Berlin\"";
    assert_eq!(hook(whole), "", "every hour is covered");
}

#[test]
fn a_sink_that_is_not_mail_is_asked_for() {
    let mail = "[sink.mail.email]\nfrom = \"a@elsewhere.example\"\nto = \"b@elsewhere.example\"\nhost = \"mail.elsewhere.example\"\n";
    let (head, rest) = EXAMPLE.split_once("[sink.alertmanager").unwrap();
    let tail = rest.split_once("[http]").unwrap().1;
    let warned = |text: &str| good(text).warnings.iter().any(|w| w.to_string().contains("sink: all of them are mail"));
    assert!(warned(&format!("{head}{mail}[http]{tail}")));
    assert!(!warned(&format!("{EXAMPLE}{mail}")));
}

#[test]
fn an_address_that_is_a_secret_is_looked_at_when_it_is_read() {
    let file = std::env::temp_dir().join(format!("mailcanary-hook-{}.url", std::process::id()));
    let checked = |host: &str, keys: &str| {
        fs::write(&file, format!("https://{host}/hunter2")).unwrap();
        let at = file.display();
        let text = format!(
            "[stream.reset]\n[provider.grid.sendgrid]\nfrom = \"a@example.net\"\napi_key = {{ file = \"{at}\" }}\n\
             [inbox.seed.imap]\naddress = \"seed@gmail.com\"\nhost = \"imap.gmail.com\"\nusername = \"seed\"\npassword = {{ file = \"{at}\" }}\n\
             [sink.oncall.grafana]\n{keys}\nurl = {{ file = \"{at}\" }}\n"
        );
        let checked = good(&text);
        assert!(checked.warnings.iter().all(|w| !w.key.ends_with("shares_path")), "where it leads was not known: {:?}", checked.warnings);
        checked.secrets().err()
    };
    assert_eq!(checked("oncall.example.org", ""), None);
    assert_eq!(checked("hooks.sendgrid.net", "shares_path = true"), None);
    let complaints = checked("hooks.sendgrid.net", "").unwrap();
    let [only] = &complaints[..] else { panic!("{complaints:?}") };
    assert_eq!((only.key.as_str(), only.place.map(|at| at.line)), ("sink.oncall.grafana.url", Some(12)));
    assert!(only.what.contains("house of provider `grid`") && !only.to_string().contains("hunter2"), "{only}");
    let [at_inbox] = &checked("push.gmail.com", "").unwrap()[..] else { panic!("another complaint") };
    assert!(at_inbox.what.contains("house of inbox `seed`"), "{at_inbox}");
    assert_eq!(checked("push.gmail.com", "shares_path = true"), None);
    fs::remove_file(&file).unwrap();
}
