//! Who is let in: names, tokens, users, certificates.

use std::process::Command;

use serde_json::Value;

use super::{TOKEN, curl, daemon, outage};
use crate::end_to_end::life::{daemon_with, world};
use crate::support::alertmanager::{Folder, Receiver, wait_for};
use crate::support::certs::{Authority, Certificate};
use crate::support::prometheus::Prometheus;

/// A web configuration beside a certificate of `authority`, with a user `ann` whose password is `right`, and what else is said.
fn web(folder: &Folder, authority: &Authority, more: &str) -> String {
    let issued = authority.issue(&["localhost", "127.0.0.1"]);
    let (cert, key) = (std::fs::read_to_string(issued.cert).unwrap(), std::fs::read_to_string(issued.key).unwrap());
    folder.write("cert.pem", &cert);
    folder.write("key.pem", &key);
    let made = Command::new("htpasswd").args(["-nbBC", "6", "ann", "right"]).output().unwrap().stdout;
    let made = String::from_utf8(made).unwrap();
    let hash = made.trim().strip_prefix("ann:").unwrap();
    let text = format!(
        "tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n{more}\nbasic_auth_users:\n  ann: {hash}\n  scraper: {hash}\n"
    );
    folder.write("web.yml", &text).display().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_loopback_a_page_elsewhere_reads_nothing_and_says_nothing() {
    let (_world, _hook, daemon, _token) = daemon("hosts = [\"canary.internal\"]\n").await;
    let at = |path: &str| format!("http://127.0.0.1:{}{path}", daemon.port);
    for path in ["/", "/metrics", "/api/v1/status", "/incidents/1", "/nowhere"] {
        let (status, said) = curl(&["-H", "Host: evil.example", &at(path)]);
        assert!(status == 421 && said.contains("[http] hosts") && !said.contains("test"), "{path} {said}");
        let (status, _) = curl(&["-H", "Host: Canary.Internal:80", &at(path)]);
        assert!([200, 404].contains(&status), "{path}");
    }
    assert_eq!(curl(&["-H", "Host: evil.example", &at("/-/ready")]).0, 200, "a balancer asks by whatever name");
    let (status, said) = curl(&["-H", "Host: evil.example", &at("/api/v1/status")]);
    assert!(said.contains("application/problem+json"), "{status} {said}");
    // Read with a wrong token is no reading.
    assert_eq!(curl(&["-H", "Authorization: Bearer wrong", &at("/api/v1/status")]).0, 401);
    assert_eq!(curl(&["-u", "ann:any", &at("/api/v1/status")]).0, 200, "a proxy's own log-in is not ours");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beyond_loopback_nobody_reads_without_saying_who_they_are() {
    let (world, hook, folder) = (world(), Receiver::start(&[]).await, Folder::new("open"));
    let mut daemon = daemon_with("", &world, &hook);
    let address = format!("127.0.0.1:{}", daemon.port);
    daemon.rewrite(|text| text.replace(&address, &format!("0.0.0.0:{}", daemon.port)));
    daemon.start().await;
    let at = |path: &str| format!("http://{address}{path}");
    let (status, said) = curl(&[&at("/")]);
    assert!(status == 403 && said.contains("[http] open = true"), "{said}");
    let (status, said) = curl(&[&at("/-/ready")]);
    assert!(status == 200 && !said.contains("ready\n"), "{said}");
    let token = folder.write("token", TOKEN);
    daemon.rewrite(|text| text.replace("[http]\n", &format!("[http]\ntoken = {{ file = \"{}\" }}\n", token.display())));
    assert_eq!(daemon.say(&["reload"]).0, Some(0));
    let (status, said) = curl(&[&at("/metrics")]);
    assert!(status == 401 && said.to_lowercase().contains("www-authenticate: bearer"), "{said}");
    assert_eq!(curl(&["-H", &format!("Authorization: Bearer {TOKEN}"), &at("/metrics")]).0, 200);
    daemon.rewrite(|text| text.replace("[http]\n", "[http]\nopen = true\n"));
    assert_eq!(daemon.say(&["reload"]).0, Some(0));
    assert_eq!((curl(&[&at("/metrics")]).0, curl(&["-H", "Host: mx1.example", &at("/")]).0), (200, 200));
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_prometheus_scrapes_over_tls_as_a_user_and_a_new_certificate_needs_no_restart() {
    let (folder, authority, other) = (Folder::new("web"), Authority::new(), Authority::new());
    let file = web(&folder, &authority, "http_server_config:\n  headers:\n    Strict-Transport-Security: max-age=31536000");
    let (world, hook) = (world(), Receiver::start(&[]).await);
    let mut daemon = daemon_with(&format!("web_config = \"{file}\"\nwriters = [\"ann\"]\n"), &world, &hook);
    daemon.spawn();
    let at = |path: &str| format!("https://localhost:{}{path}", daemon.port);
    let ca = authority.file().display().to_string();
    let ask = |more: &[&str], path: &str| curl(&[&["--cacert", &ca], more, &[&at(path)]].concat());
    wait_for("the daemon", async || (ask(&[], "/-/ready").0 == 200).then_some(())).await;
    // Nobody, the wrong password, and somebody.
    let (status, said) = ask(&[], "/metrics");
    assert!(status == 401 && said.to_lowercase().contains("www-authenticate: basic realm=\"mailcanary\""), "{said}");
    for wrong in ["ann:wrong", "bob:right", "ann", ":", "ann:"] {
        let encoded = data_encoding::BASE64.encode(wrong.as_bytes());
        assert_eq!(ask(&["-H", &format!("Authorization: Basic {encoded}")], "/metrics").0, 401, "{wrong}");
    }
    assert_eq!(ask(&["-H", "Authorization: Basic !!"], "/metrics").0, 401);
    let (status, said) = ask(&["-u", "ann:right"], "/");
    assert!(status == 200 && said.contains("strict-transport-security: max-age=31536000"), "{said}");
    let config = format!(
        "    scheme: https\n    tls_config: {{ ca_file: '{ca}', server_name: localhost }}\n    basic_auth: {{ username: scraper, password: right }}\n"
    );
    let target = format!("127.0.0.1:{}", daemon.port).parse().unwrap();
    let prometheus = Prometheus::start_locked(target, &config).await;
    assert!((prometheus.value("up{job=\"mailcanary\"}").await - 1.0).abs() < 1e-9);
    // The dashboards lead to where it is.
    let series = format!("mailcanary_status_page_info{{url=\"https://127.0.0.1:{}\"}}", daemon.port);
    assert!((prometheus.value(&series).await - 1.0).abs() < 1e-9);
    // A writer may write, from our own pages; a scraper may not.
    let silence = r#"{"lasts": "1h", "by": "ann", "reason": "x"}"#;
    let post = |more: &[&str]| ask(&[&["--json", silence], more].concat(), "/api/v1/silences");
    assert_eq!((post(&["-u", "ann:right"]).0, post(&["-u", "scraper:right"]).0, post(&[]).0), (201, 403, 401));
    for foreign in ["Sec-Fetch-Site: cross-site", "Origin: https://evil.example", "Origin: null"] {
        let (status, said) = post(&["-u", "ann:right", "-H", foreign]);
        assert!(status == 403 && said.contains("elsewhere"), "{foreign}: {said}");
    }
    assert_eq!(post(&["-u", "ann:right", "-H", &format!("Origin: https://localhost:{}", daemon.port)]).0, 201);
    // Whoever is logged in signs as who they are.
    let (_, said) = ask(&["-u", "ann:right", "--json", &silence.replace("ann", "bob")], "/api/v1/silences");
    assert!(said.contains(r#""by":"bob (said by ann)""#), "{said}");
    // In the clear nobody is heard, and is told why.
    let (status, said) = curl(&[&at("/").replace("https", "http")]);
    assert!(status == 400 && said.contains("speaks TLS: ask by https://"), "{status} {said}");
    // Another authority's certificate, in the same life; and one that cannot be used leaves the old one.
    let new = web(&folder, &other, "");
    let ca = other.file().display().to_string();
    let renewed = || curl(&["--cacert", &ca, "-u", "ann:right", &at("/api/v1/status")]).0 == 200;
    wait_for("the new certificate", async || renewed().then_some(())).await;
    folder.write("web.yml", "tls_server_config:\n  cert_file: gone.pem\n  key_file: key.pem\n");
    wait_for("the complaint", async || {
        assert!(renewed());
        daemon.log().contains("has changed and cannot be used").then_some(())
    })
    .await;
    let (code, _, err) = daemon.say(&["check"]);
    assert!(code == Some(2) && err.contains("http.web_config") && err.contains("gone.pem"), "{new} {err}");
    assert_eq!(daemon.stop().await, Some(0));
    assert!(!daemon.log().contains("right"), "{}", daemon.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_lets_in_where_that_is_wanted() {
    let (folder, authority, clients) = (Folder::new("mtls"), Authority::new(), Authority::new());
    let client_ca = clients.file().display().to_string();
    let file = web(
        &folder,
        &authority,
        &format!("  client_ca_file: {client_ca}\n  client_auth_type: RequireAndVerifyClientCert\n  min_version: TLS13"),
    );
    let text = std::fs::read_to_string(&file).unwrap();
    folder.write("web.yml", text.split("basic_auth_users").next().unwrap());
    let (world, hook) = (world(), Receiver::start(&[]).await);
    let mut daemon = daemon_with(&format!("web_config = \"{file}\"\n"), &world, &hook);
    daemon.spawn();
    let (mine, foreign) = (clients.issue(&["prometheus"]), authority.issue(&["prometheus"]));
    let ca = authority.file().display().to_string();
    let ask = |pair: Option<&Certificate>, more: &[&str]| {
        let pair: Vec<String> = pair
            .iter()
            .flat_map(|p| ["--cert".to_owned(), p.cert.display().to_string(), "--key".to_owned(), p.key.display().to_string()])
            .collect();
        let pair: Vec<&str> = pair.iter().map(String::as_str).collect();
        curl(&[&["--cacert", &ca], pair.as_slice(), more, &[&format!("https://localhost:{}/api/v1/status", daemon.port)]].concat())
    };
    wait_for("the daemon", async || (ask(Some(&mine), &[]).0 == 200).then_some(())).await;
    assert_eq!((ask(None, &[]).0, ask(Some(&foreign), &[]).0, ask(Some(&mine), &["--tls-max", "1.2"]).0), (0, 0, 0));
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_known_incident_and_a_known_silence_are_spoken_of() {
    let (world, _hook, mut daemon, _token) = daemon("").await;
    let id = outage(&world, &mut daemon).await;
    let bearer = format!("Authorization: Bearer {TOKEN}");
    let post = |path: &str, body: &str| curl(&["-H", &bearer, "--json", body, &format!("http://127.0.0.1:{}/api/v1{path}", daemon.port)]);
    let (status, said) = post("/silences", r#"{"which": {"provider": "relay"}, "lasts": "2d", "by": "ann", "reason": "x"}"#);
    let silence: Value = serde_json::from_str(said.rsplit("\r\n\r\n").next().unwrap()).unwrap();
    assert!(status == 201 && said.contains("location: /api/v1/silences/1") && silence["until"].is_string(), "{said}");
    for (path, body, expected) in [
        ("/silences".to_owned(), r#"{"until": "2020-01-01T00:00:00Z", "by": "ann", "reason": "x"}"#, 409),
        ("/silences".to_owned(), r#"{"lasts": "1h", "until": "2030-01-01T00:00:00Z", "by": "ann", "reason": "x"}"#, 422),
        ("/silences".to_owned(), r#"{"lasts": "1h", "by": "ann", "reason": "x", "which": {"kind": "odd"}}"#, 400),
        ("/drill".to_owned(), r#"{"provider": "nobody", "lasts": "1m", "by": "ann"}"#, 404),
        ("/drill".to_owned(), r#"{"provider": "relay", "lasts": "31m", "by": "ann"}"#, 422),
        (format!("/incidents/{id}/ack?x=1"), r#"{"by": "ann"}"#, 400),
        (format!("/incidents/{id}/ack"), r#"{"by": "ann"}"#, 200),
    ] {
        let (status, said) = post(&path, body);
        assert_eq!(status, expected, "{path} {body} {said}");
    }
    let (status, said) = curl(&["-H", &bearer, "-d", "{}", &format!("http://127.0.0.1:{}/api/v1/silences", daemon.port)]);
    assert!(status == 415 && said.contains("application/json"), "{said}");
    assert_eq!(daemon.stop().await, Some(0));
}
