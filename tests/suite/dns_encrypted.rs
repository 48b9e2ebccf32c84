//! What needs TLS: name servers over TLS and HTTPS (Unbound), and the policies of MTA-STS at a web server.

use mailcanary::config::{NameServer, Upstream, Wire};
use mailcanary::edge::dns::{Question, Resolver};
use mailcanary::model::{Found, Grade, Span, Subject, Topic};

use crate::support::certs::Authority;
use crate::support::https;
use crate::support::knot::Knot;
use crate::support::unbound::Unbound;

fn trusting(authority: &Authority) -> Wire {
    Wire { ca_file: Some(authority.file()), ..Wire::default() }
}

#[tokio::test]
async fn name_servers_are_asked_over_tls_and_https_and_must_be_who_they_should() {
    let authority = Authority::new();
    let unbound = Unbound::start(&authority.issue(&["dns.mail.test"]), &["mail.test. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 -all\""]);
    let ask = async |server: String, wire: &Wire, domain: &str| {
        let server = NameServer::Servers(vec![Upstream::read(&server).unwrap()]);
        let resolver = Resolver::forgetful(&server, wire).unwrap();
        resolver.look(&Question { subject: Subject::new(Topic::Spf, domain).unwrap(), list: None, hosts: Vec::new() }).await
    };
    let wire = trusting(&authority);
    for server in [format!("tls://{}#dns.mail.test", unbound.tls), format!("https://{}/dns-query#dns.mail.test", unbound.https)] {
        let look = ask(server.clone(), &wire, "mail.test").await;
        assert!(matches!(&look.found, Found::Answer(answer) if answer.grade == Grade::Sound), "{server}: {look:?}");
        assert_eq!(look.holds, Some(Span::from_secs(3600)), "{server}");
        let absent = ask(server.clone(), &wire, "nothing.mail.test").await;
        assert!(matches!(&absent.found, Found::Answer(answer) if answer.grade == Grade::Absent), "{server}: {absent:?}");
        // An authority that nobody knows, and a name that is not the server's: nobody is asked.
        let other = server.replace("#dns.mail.test", "#other.mail.test");
        for (server, wire) in [(&server, &Wire::default()), (&other, &wire)] {
            let look = ask(server.clone(), wire, "mail.test").await;
            assert!(matches!(&look.found, Found::Unknown(_)), "{server}: {look:?}");
        }
    }
}

/// What a policy's host answers.
fn answer(status: &str, kind: &str, text: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}", text.len())
}

#[tokio::test]
async fn policies_of_mta_sts_are_fetched_as_senders_fetch_them() {
    let policy = "version: STSv1\r\nmode: enforce\r\nmx: mx.mail.test\r\nmx: *.other.test\r\nmax_age: 604800\r\n";
    let plain = |text: &str| answer("200 OK", "text/plain; charset=utf-8", text);
    let pages = [
        ("mail.test", plain(policy)),
        ("tests.mail.test", plain(&policy.replace("enforce", "testing"))),
        ("elsewhere.mail.test", plain(policy)),
        ("html.mail.test", answer("200 OK", "text/html", policy)),
        ("long.mail.test", plain(&format!("{policy}{}", "x: y\r\n".repeat(20_000)))),
        ("moved.mail.test", answer("301 Moved\r\nLocation: https://mta-sts.mail.test/.well-known/mta-sts.txt", "text/plain", "")),
        ("busy.mail.test", answer("503 Service Unavailable", "text/plain", "")),
    ];
    let at = std::net::Ipv4Addr::new(127, 84, 61, 1);
    let authority = Authority::new();
    let names: Vec<String> =
        pages.iter().map(|(domain, _)| format!("mta-sts.{domain}")).chain(["mta-sts.none.mail.test".to_owned()]).collect();
    let certificate = authority.issue(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let mut records = vec!["@ MX 10 mx".to_owned(), "elsewhere MX 10 mx.else.test.".to_owned(), "gone TXT x".to_owned()];
    for domain in
        pages.iter().map(|(domain, _)| *domain).chain(["none.mail.test", "stranger.mail.test", "dead.mail.test", "gone.mail.test"])
    {
        records.push(format!("_mta-sts.{domain}. TXT \"v=STSv1; id=20220808\""));
        let to = if domain.starts_with("dead") { "127.84.61.2".to_owned() } else { at.to_string() };
        if !domain.starts_with("gone") {
            records.push(format!("mta-sts.{domain}. A {to}"));
        }
    }
    records.push("tests MX 10 mx".to_owned());
    https::serve(at, &certificate, pages.iter().map(|(domain, page)| (format!("mta-sts.{domain}"), page.clone())).collect());
    let knot = Knot::start(&records);
    let resolver = Resolver::forgetful(&NameServer::from(knot.address), &trusting(&authority)).unwrap();
    for (domain, expected, note) in [
        ("mail.test", Some(Grade::Sound), ""),
        ("tests.mail.test", Some(Grade::Fair), "`testing`"),
        ("elsewhere.mail.test", Some(Grade::Broken), "it names none of the hosts that mail goes to (mx.else.test)"),
        ("html.mail.test", Some(Grade::Broken), "something else than `text/plain`"),
        ("long.mail.test", Some(Grade::Broken), "longer than 65536 bytes"),
        ("moved.mail.test", Some(Grade::Broken), "answers 301"),
        ("none.mail.test", Some(Grade::Broken), "answers 404"),
        ("stranger.mail.test", Some(Grade::Broken), "certificate"),
        ("gone.mail.test", Some(Grade::Broken), "has no address"),
        ("nothing.mail.test", Some(Grade::Absent), ""),
        // What may be nobody's fault but ours says nothing of the domain.
        ("busy.mail.test", None, "answers 503"),
        ("dead.mail.test", None, "connection refused"),
    ] {
        let look = resolver.look(&Question { subject: Subject::new(Topic::MtaSts, domain).unwrap(), list: None, hosts: Vec::new() }).await;
        let (grade, said) = match &look.found {
            Found::Answer(answer) => (Some(answer.grade), answer.notes.join("; ")),
            Found::Refused(why) | Found::Unknown(why) => (None, why.clone()),
        };
        assert_eq!(grade, expected, "{domain}: {look:?}");
        assert!(said.contains(note), "{domain}: {said}");
        if domain == "mail.test" {
            let expected = "v=STSv1; id=20220808; max_age=604800; mode=enforce; mx=*.other.test,mx.mail.test";
            assert!(matches!(&look.found, Found::Answer(answer) if answer.text == expected), "{look:?}");
        }
    }
}
