//! The way out: families, proxies, authorities, and what is said when it is closed.

use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};

use mailcanary::config::{Family, Proxy};
use mailcanary::edge::dial::Dialer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::fake::{Fake, Step, say};
use super::*;
use crate::support::certs::Authority;
use crate::support::free_port::free_port;
use crate::support::temp_dir::TempDir;

async fn error(wire: Wire, host: &str, port: u16) -> (Class, String) {
    let error = Dialer::new(&wire).unwrap().tcp(host, port).await.unwrap_err();
    (error.class, error.to_string())
}

#[tokio::test]
async fn what_does_not_answer_is_told_in_plain_words() {
    let port = free_port();
    let refused = format!("connecting to `127.0.0.1:{port}`: connection refused");
    assert_eq!(error(Wire::default(), "127.0.0.1", port).await, (Class::Network, refused));
    let (class, text) = error(Wire::default(), "no-such-host.invalid", 25).await;
    assert_eq!(class, Class::Network);
    assert!(text.starts_with("connecting to `no-such-host.invalid:25`: name "), "{text}");
    let v6 = Wire { family: Family::V6, ..Wire::default() };
    let (_, text) = error(v6, "127.0.0.1", port).await;
    assert_eq!(text, format!("connecting to `127.0.0.1:{port}`: the name has no address of the wanted family"));
    let foreign = Wire { bind: Some(Ipv4Addr::new(192, 0, 2, 1).into()), ..Wire::default() };
    let (_, text) = error(foreign, "127.0.0.1", port).await;
    assert_eq!(text, format!("connecting to `127.0.0.1:{port}`: the bind address is not one of this host's"));
}

#[tokio::test]
async fn the_bind_address_and_the_family_are_kept_to() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let wire = Wire { bind: Some(Ipv4Addr::new(127, 0, 0, 9).into()), ..Wire::default() };
    let dialer = Dialer::new(&wire).unwrap();
    let _stream = dialer.tcp("localhost", port).await.unwrap();
    assert_eq!(listener.accept().unwrap().1.ip(), Ipv4Addr::new(127, 0, 0, 9));
    let request = dialer.http().unwrap().get(format!("http://localhost:{port}/")).timeout(SHORT).send();
    let (_, accepted) = tokio::join!(request, tokio::task::spawn_blocking(move || listener.accept().unwrap().1));
    assert_eq!(accepted.unwrap().ip(), Ipv4Addr::new(127, 0, 0, 9));
}

#[tokio::test]
async fn addresses_of_ipv6_work_with_and_without_brackets() {
    let Ok(listener) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)) else { return };
    let port = listener.local_addr().unwrap().port();
    let dialer = Dialer::new(&Wire { family: Family::V6, ..Wire::default() }).unwrap();
    for host in ["::1", "[::1]"] {
        assert!(dialer.tcp(host, port).await.is_ok(), "{host}");
    }
    drop(listener);
    let text = dialer.tcp("::1", port).await.unwrap_err().to_string();
    assert_eq!(text, format!("connecting to `[::1]:{port}`: connection refused"));
}

/// A proxy's answer and the server's first words come in one packet, and none of them is lost.
#[tokio::test]
async fn proxies_pass_everything_on() {
    let socks = |host: &str| {
        let mut asked = vec![Step::Until(b"\x05\x01\x00"), Step::Say(vec![5, 0])];
        asked.push(Step::Until(if host.is_empty() { b"\x00\x19" } else { b"\x09\xff" }));
        asked.push(Step::Say([&[5, 0, 0, 1, 127, 0, 0, 1, 0, 25][..], b"220 hello\r\n"].concat()));
        asked.push(Step::Stall);
        asked
    };
    let fake = Fake::new(socks(""));
    let wire =
        Wire { proxy: Some(Proxy::Socks5 { host: "localhost".to_owned(), port: fake.port() }), family: Family::V4, ..Wire::default() };
    greeted(&wire, "mail.invalid", 25).await;
    assert!(fake.heard().await[0].contains("mail.invalid"), "the proxy resolves the name");

    let fake = Fake::new(vec![Step::Until(b"\r\n\r\n"), say("HTTP/1.1 200 Connected\r\nVia: x\r\n\r\n220 hello\r\n"), Step::Stall]);
    let wire = Wire { proxy: Some(Proxy::Http { host: "127.0.0.1".to_owned(), port: fake.port() }), ..Wire::default() };
    greeted(&wire, "mail.invalid", 25).await;
    assert!(fake.heard().await[0].starts_with("CONNECT mail.invalid:25 HTTP/1.1\r\n"));
}

async fn greeted(wire: &Wire, host: &str, port: u16) {
    let mut stream = Dialer::new(wire).unwrap().tcp(host, port).await.unwrap();
    let mut banner = [0; 11];
    stream.read_exact(&mut banner).await.unwrap();
    assert_eq!(&banner, b"220 hello\r\n");
    stream.write_all(b"QUIT\r\n").await.unwrap();
}

#[tokio::test]
async fn a_proxy_that_refuses_says_so() {
    let fake = Fake::new(vec![Step::Until(b"\r\n\r\n"), say("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")]);
    let http = Wire { proxy: Some(Proxy::Http { host: "127.0.0.1".to_owned(), port: fake.port() }), ..Wire::default() };
    let (class, text) = error(http, "mail.invalid", 25).await;
    let through = format!("connecting to `mail.invalid:25` through the proxy `127.0.0.1:{}`: ", fake.port());
    assert_eq!(class, Class::Network);
    assert!(text.starts_with(&through) && text.contains("authorization required"), "{text}");
    let port = free_port();
    let gone = Wire { proxy: Some(Proxy::Socks5 { host: "127.0.0.1".to_owned(), port }), ..Wire::default() };
    let (_, text) = error(gone, "mail.invalid", 25).await;
    assert_eq!(text, format!("connecting to the proxy `127.0.0.1:{port}`: connection refused"));
}

#[tokio::test]
async fn http_goes_through_the_proxy_too() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
    let fake = Fake::new(vec![Step::Until(b"\r\n\r\n"), say(answer), Step::Stall]);
    let wire = Wire { proxy: Some(Proxy::Http { host: "127.0.0.1".to_owned(), port: fake.port() }), ..Wire::default() };
    let body = Dialer::new(&wire).unwrap().http().unwrap().get("http://api.invalid/x").send().await.unwrap().text().await.unwrap();
    assert_eq!(body, "hi");
    assert!(fake.heard().await[0].starts_with("GET http://api.invalid/x HTTP/1.1\r\n"));
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let fake =
        Fake::new(vec![Step::Until(b"\r\n\r\n"), say("HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n"), Step::Stall]);
    let client = Dialer::new(&Wire::default()).unwrap().http().unwrap();
    let status = client.get(format!("http://127.0.0.1:{}/", fake.port())).send().await.unwrap().status();
    assert_eq!(status, 302);
}

#[test]
fn a_ca_file_is_read_at_once() {
    let folder = TempDir::new("ca-file");
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("empty.pem"), "").unwrap();
    std::fs::write(at("broken.pem"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    for (name, words) in
        [("missing.pem", "no such file"), ("empty.pem", "holds no certificate"), ("broken.pem", "no certificate in PEM form")]
    {
        let error = Dialer::new(&Wire { ca_file: Some(at(name)), ..Wire::default() }).unwrap_err();
        assert_eq!(error.to_string(), format!("reading certificates from `{}`: {words}", at(name).display()));
        assert_eq!(error.class, Class::Tls);
    }
    assert!(Dialer::new(&Wire { ca_file: Some(Authority::new().file()), ..Wire::default() }).is_ok());
}
