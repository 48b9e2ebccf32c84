//! Look-ups against a real name server (dnsmasq) on loopback.

use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use mailcanary::edge::dns::{Dkim, DkimKey, Dmarc, Mx, Resolver, Spf};

/// A dnsmasq that knows only what it is told, and refuses the rest.
pub struct NameServer {
    child: Child,
    /// Where it answers.
    pub address: SocketAddr,
}

impl NameServer {
    /// Starts one with these records, as dnsmasq's options.
    pub fn start(records: &[&str]) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let child = Command::new("dnsmasq")
            .args([
                "--keep-in-foreground",
                "--conf-file=/dev/null",
                "--no-resolv",
                "--no-hosts",
                "--bind-interfaces",
                "--listen-address=127.0.0.1",
            ])
            .args(["--user=root", "--pid-file=", "--local=/example/", &format!("--port={port}")])
            .args(records)
            .stderr(Stdio::null())
            .spawn()
            .expect("dnsmasq is installed (Debian: dnsmasq-base)");
        let deadline = deadline();
        while TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_err() {
            assert!(before(deadline), "dnsmasq does not listen");
            std::thread::yield_now();
        }
        Self { child, address }
    }
}

fn deadline() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

fn before(deadline: Instant) -> bool {
    Instant::now() < deadline
}

impl Drop for NameServer {
    fn drop(&mut self) {
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// A key of 2048 bits, in two strings as DNS wants it.
fn long_key() -> String {
    let key = data_encoding::BASE64.encode(&[7; 294]);
    format!("--txt-record=s1._domainkey.good.example,v=DKIM1; k=rsa; p={},{}", &key[..200], &key[200..])
}

fn server() -> NameServer {
    NameServer::start(&[
        "--mx-host=good.example,mx2.good.example,20",
        "--mx-host=good.example,mx1.good.example,10",
        "--txt-record=good.example,google-site-verification=x",
        "--txt-record=good.example,v=spf1 include:_spf.example, -all",
        "--txt-record=_dmarc.good.example,v=DMARC1; p=reject; sp=quarantine",
        &long_key(),
        "--txt-record=gone._domainkey.good.example,v=DKIM1; p=",
        "--txt-record=junk._domainkey.good.example,v=DKIM1; p=%%%",
        "--cname=cname._domainkey.good.example,s1._domainkey.good.example",
        "--dns-rr=null.example,15,000000",
        "--host-record=host.example,192.0.2.1",
        "--txt-record=twice.example,v=spf1 -all",
        "--txt-record=twice.example,v=spf1 ~all",
        "--txt-record=_dmarc.twice.example,v=DMARC1; p=none",
        "--txt-record=_dmarc.twice.example,v=DMARC1; p=none",
        "--txt-record=open.example,v=spf1 +all",
        "--txt-record=_dmarc.open.example,v=DMARC1; rua=mailto:a@open.example",
        "--txt-record=spf10.example,v=spf10 -all",
    ])
}

#[tokio::test]
async fn mail_exchangers_are_found_or_known_to_be_absent() {
    let server = server();
    let resolver = Resolver::new(Some(server.address)).unwrap();
    let hosts = vec![(10, "mx1.good.example".to_owned()), (20, "mx2.good.example".to_owned())];
    assert_eq!(resolver.mx("good.example").await.unwrap(), Mx::Hosts(hosts));
    assert_eq!(resolver.mx("null.example").await.unwrap(), Mx::Null);
    assert_eq!(resolver.mx("host.example").await.unwrap(), Mx::Implicit);
    let absent = resolver.mx("absent.example").await.unwrap();
    assert_eq!(
        (absent.takes_mail(), absent.to_string().as_str()),
        (false, "mail goes nowhere: there is neither an MX nor an address record")
    );
}

#[tokio::test]
async fn senders_are_judged_by_their_records() {
    let server = server();
    let resolver = Resolver::new(Some(server.address)).unwrap();
    assert_eq!(resolver.spf("good.example").await.unwrap(), Spf::Record("v=spf1 include:_spf.example -all".to_owned()));
    assert_eq!(resolver.spf("twice.example").await.unwrap(), Spf::Several(2));
    assert!(!resolver.spf("open.example").await.unwrap().is_fine());
    for none in ["spf10.example", "host.example", "absent.example"] {
        assert_eq!(resolver.spf(none).await.unwrap(), Spf::Absent, "{none}");
    }
    let policy = |dmarc: Dmarc| dmarc.to_string();
    assert_eq!(policy(resolver.dmarc("good.example").await.unwrap()), "DMARC policy is `reject`, stated by good.example");
    assert_eq!(policy(resolver.dmarc("a.mail.good.example").await.unwrap()), "DMARC policy is `quarantine`, stated by good.example");
    assert_eq!(resolver.dmarc("twice.example").await.unwrap(), Dmarc::Several { at: "twice.example".to_owned() });
    assert!(matches!(resolver.dmarc("open.example").await.unwrap(), Dmarc::Broken { .. }));
    assert_eq!(resolver.dmarc("absent.example").await.unwrap(), Dmarc::Absent);
}

#[tokio::test]
async fn signing_keys_are_found_under_their_selectors() {
    let server = server();
    let resolver = Resolver::new(Some(server.address)).unwrap();
    let found = resolver.dkim("good.example", &["s1", "gone", "junk", "none", "cname"]).await.unwrap();
    let key = DkimKey::Key { kind: "rsa".to_owned(), bytes: 294 };
    assert_eq!(found.keys[0], ("s1".to_owned(), key.clone()));
    assert_eq!(found.keys[1].1, DkimKey::Revoked);
    assert!(matches!(found.keys[2].1, DkimKey::Broken(_)));
    assert_eq!(found.keys[3].1, DkimKey::Absent);
    assert_eq!(found.keys[4].1, key, "an alias is followed");
    assert!(found.has_key());
    let absent = resolver.dkim("host.example", &["s1", "s2"]).await.unwrap();
    assert_eq!(absent.to_string(), "no DKIM key under the selectors s1, s2");
    assert!(!Dkim { keys: vec![] }.has_key());
}

#[tokio::test]
async fn a_server_that_refuses_is_a_failure_and_not_an_absence() {
    let server = server();
    let resolver = Resolver::new(Some(server.address)).unwrap();
    let refused = resolver.spf("elsewhere.test").await.unwrap_err().to_string();
    assert!(refused.starts_with("asking for SPF of `elsewhere.test`: ") && refused.contains("Refused"), "{refused}");
    for bad in ["", ".", "a..b", &"a".repeat(64), "a\n.example"] {
        assert!(resolver.mx(bad).await.is_err() || bad.contains('\n'), "{bad:?}");
    }
}

#[tokio::test]
async fn a_server_that_is_silent_or_gone_is_a_failure_in_time() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let resolver = Resolver::new(Some(silent.local_addr().unwrap())).unwrap();
    let error = tokio::time::timeout(Duration::from_secs(20), resolver.mx("good.example")).await.unwrap().unwrap_err();
    assert!(error.to_string().starts_with("asking for MX of `good.example`: "), "{error}");
}
