//! What records of the DNS mean: from texts and bytes that stand in real zones, and from such as nobody should write.

use std::net::Ipv4Addr;
use std::slice::from_ref;

use data_encoding::BASE64;
use mailcanary::config::{Blocklist, Codes};
use mailcanary::model::{Answer, Found, Grade, Severity};
use mailcanary::records::{Ask, Walk, chain, exchanges, key, listing, mta_sts, names_of, policy, question, reversed, sts_policy, tls_rpt};

fn texts(all: &[&str]) -> Vec<String> {
    all.iter().map(|text| (*text).to_owned()).collect()
}

/// What an SPF record comes to in a world of these texts; every `a` has an address, every `mx` one host, but those of `void`.
fn spf(domain: &str, zone: &[(&str, &str)]) -> Answer {
    let of = |name: &str| zone.iter().filter(|(at, _)| *at == name).map(|(_, text)| (*text).to_owned()).collect::<Vec<_>>();
    let mut walk = Walk::new(domain, &of(domain));
    let mut asked = 0;
    while let Some(ask) = walk.next() {
        asked += 1;
        assert!(asked <= 50, "it does not end");
        let answer = match &ask {
            Ask::Texts(name) => of(name),
            Ask::Addresses(name) if name.starts_with("void") => Vec::new(),
            Ask::Addresses(_) => texts(&["192.0.2.1"]),
            Ask::Mx(name) if name.starts_with("many") => vec!["10 mx".to_owned(); 1000],
            Ask::Mx(_) => texts(&["10 mx.example"]),
        };
        walk.take(&answer);
    }
    walk.answer()
}

/// Whether a record lets these addresses pass, in a world of these texts.
fn passes(zone: &[(&str, &str)], addresses: &[&str]) -> Vec<Option<bool>> {
    let of = |name: &str| zone.iter().filter(|(at, _)| *at == name).map(|(_, text)| (*text).to_owned()).collect::<Vec<_>>();
    let seen: Vec<std::net::IpAddr> = addresses.iter().map(|address| address.parse().unwrap()).collect();
    let mut walk = Walk::new("a.example", &of("a.example")).seen(&seen);
    while let Some(ask) = walk.next() {
        let answer = match &ask {
            Ask::Texts(name) => of(name),
            Ask::Addresses(name) if name == "host.example" => texts(&["192.0.2.1", "2001:db8::1"]),
            Ask::Addresses(name) if name == "mx1.example" => texts(&["192.0.2.25"]),
            Ask::Addresses(_) => Vec::new(),
            Ask::Mx(_) => texts(&["mx1.example.", "mx2.example"]),
        };
        walk.take(&answer);
    }
    let answer = walk.answer();
    seen.iter().map(|address| answer.hosts.get(address).copied()).collect()
}

#[test]
fn spf_says_whether_the_hosts_that_send_are_let_pass() {
    let (yes, no) = (Some(true), Some(false));
    let of = |text: &'static str| {
        vec![("a.example", text), ("in.example", "v=spf1 ip4:198.51.100.0/24 -all"), ("to.example", "v=spf1 a:host.example -all")]
    };
    let seen = ["192.0.2.1", "192.0.2.25", "198.51.100.9", "2001:db8::1"];
    for (text, expected) in [
        ("v=spf1 -all", [no; 4]),
        ("v=spf1 +all", [yes; 4]),
        ("v=spf1", [no; 4]),
        ("v=spf1 ip4:192.0.2.0/27 -all", [yes, yes, no, no]),
        ("v=spf1 -ip4:192.0.2.1 ip4:192.0.2.0/24 ?all", [no, yes, no, no]),
        ("v=spf1 a:host.example -all", [yes, no, no, yes]),
        ("v=spf1 a:host.example/24//128 -all", [yes, yes, no, yes]),
        ("v=spf1 mx:x.example -all", [no, yes, no, no]),
        ("v=spf1 include:in.example -all", [no, no, yes, no]),
        ("v=spf1 -include:in.example +all", [yes, yes, no, yes]),
        ("v=spf1 redirect=to.example", [yes, no, no, yes]),
        ("v=spf1 redirect=to.example -all", [no; 4]),
        // Only what comes before can be said where the mail itself decides.
        ("v=spf1 ip4:192.0.2.1 exists:%{i}.x.example -all", [yes, None, None, None]),
        ("v=spf1 ip4:192.0.2.1 ptr -all", [yes, None, None, None]),
        ("v=spf1 include:%{d}.x.example -all", [None; 4]),
        // Of an error nothing is said.
        ("v=spf1 ip4:192.0.2.1 ip5:x -all", [None; 4]),
    ] {
        assert_eq!(passes(&of(text), &seen), expected, "{text}");
    }
    let inside = spf("a.example", &of("v=spf1 include:in.example redirect=to.example"));
    assert_eq!(inside.includes["in.example"], "v=spf1 ip4:198.51.100.0/24 -all");
    assert_eq!(inside.includes.len(), 2);
    // Another text of it is no change as long as the same hosts may send.
    let with = |net: &str, host: bool| {
        let includes = [("in.example".to_owned(), format!("v=spf1 ip4:{net} -all"))].into();
        Answer {
            hosts: [("192.0.2.1".parse().unwrap(), host)].into(),
            ..Answer::new(Grade::Sound, "v=spf1 include:in.example").including(&includes)
        }
    };
    let (one, other, out) = (with("192.0.2.0/24", true), with("192.0.2.0/25", true), with("198.51.100.0/24", false));
    assert!(one.is_same(&other) && !one.is_same(&out) && one.lost(&out).count() == 1 && out.lost(&one).count() == 0);
    assert_eq!(one.changed_inside(&out), [("in.example", "v=spf1 ip4:192.0.2.0/24 -all", "v=spf1 ip4:198.51.100.0/24 -all")]);
    let many: std::collections::BTreeMap<_, _> = (0..1000).map(|n| (format!("{n}.{}", "x".repeat(300)), "y".repeat(5000))).collect();
    let kept = Answer::new(Grade::Sound, "").including(&many);
    assert!(kept.includes.len() == 16 && kept.includes.values().all(|text| text.chars().count() <= 1017), "{}", kept.includes.len());
    assert_eq!(kept.clone().bounded(), kept);
}

#[test]
fn spf_is_counted_as_receivers_count() {
    let google = [
        ("example.com", "v=spf1 include:_spf.google.com include:servers.mcsv.net ip4:192.0.2.0/24 ~all"),
        ("_spf.google.com", "v=spf1 include:_netblocks.google.com include:_netblocks2.google.com include:_netblocks3.google.com ~all"),
        ("_netblocks.google.com", "v=spf1 ip4:35.190.247.0/24 ip4:64.233.160.0/19 ~all"),
        ("_netblocks2.google.com", "v=spf1 ip6:2001:4860:4000::/36 ~all"),
        ("_netblocks3.google.com", "v=spf1 ip4:172.217.0.0/19 ~all"),
        ("servers.mcsv.net", "v=spf1 ip4:205.201.128.0/20 ip4:198.2.128.0/18 ip4:148.105.8.0/21 ?all"),
    ];
    let answer = spf("example.com", &google);
    assert_eq!((answer.grade, answer.lookups), (Grade::Sound, Some(5)), "{answer:?}");
    assert_eq!(answer.text, "v=spf1 include:_spf.google.com include:servers.mcsv.net ip4:192.0.2.0/24 ~all");

    let one = |text: &str| {
        spf("a.example", &[("a.example", text), ("good.example", "v=spf1 -all"), ("b.example", "v=spf1 include:a.example -all")])
    };
    for (text, grade, lookups) in [
        ("v=spf1 -all", Grade::Sound, 0),
        ("V=SPF1 A MX ~ALL", Grade::Sound, 2),
        ("v=spf1 redirect=good.example", Grade::Sound, 1),
        ("v=spf1 redirect=nothing.example -all", Grade::Sound, 0),
        ("v=spf1 a:b.example/24//64 mx/24 exists:%{i}.x.example ptr -all", Grade::Sound, 4),
        ("v=spf1 mx +all", Grade::Weak, 1),
        ("v=spf1 all", Grade::Weak, 0),
        ("v=spf1 mx ?all", Grade::Weak, 1),
        ("v=spf1 mx", Grade::Weak, 1),
        ("v=spf1", Grade::Weak, 0),
        // Behind `all` nothing counts.
        ("v=spf1 -all a a a a a a a a a a a a", Grade::Sound, 0),
        ("v=spf1 a a a a a a a a a a -all", Grade::Sound, 10),
        ("v=spf1 a a a a a a a a a a a -all", Grade::Broken, 11),
        ("v=spf1 a:void1 a:void2 -all", Grade::Sound, 2),
        ("v=spf1 a:void1 a:void2 a:void3 -all", Grade::Broken, 3),
        ("v=spf1 mx:many -all", Grade::Broken, 1),
        ("v=spf1 include:nothing.example -all", Grade::Broken, 1),
        ("v=spf1 include:a.example -all", Grade::Broken, 1),
        ("v=spf1 include:b.example -all", Grade::Broken, 2),
        ("v=spf1 ip4:300.1.2.3 -all", Grade::Broken, 0),
        ("v=spf1 ip4:192.0.2.0/33 -all", Grade::Broken, 0),
        ("v=spf1 ip6:192.0.2.1 -all", Grade::Broken, 0),
        ("v=spf1 ipv4:192.0.2.1 -all", Grade::Broken, 0),
        ("v=spf1 include: -all", Grade::Broken, 0),
        ("v=spf1 redirect=a.example redirect=b.example", Grade::Broken, 0),
        ("v=spf1 a:\u{fc}.example -all", Grade::Broken, 0),
        ("v=spf1, mx -all", Grade::Absent, 0),
        ("v=spf10 mx -all", Grade::Absent, 0),
    ] {
        let answer = one(text);
        let expected = if grade == Grade::Absent { None } else { Some(lookups) };
        assert_eq!((answer.grade, answer.lookups), (grade, expected), "{text}: {answer:?}");
    }
    let several =
        spf("a.example", &[("a.example", "v=spf1 -all"), ("a.example", "v=spf1 mx -all"), ("a.example", "google-site-verification=x")]);
    assert_eq!((several.grade, several.text.as_str()), (Grade::Broken, "v=spf1 -all | v=spf1 mx -all"));
}

#[test]
fn the_order_of_what_lets_pass_is_no_change_and_a_chain_without_end_ends() {
    let text = |text: &str| spf("a.example", &[("a.example", text)]).text;
    assert_eq!(text("v=spf1 mx  ip4:192.0.2.1 a -all"), text("v=spf1 a IP4:192.0.2.1 MX -ALL"));
    assert_ne!(text("v=spf1 -mx a -all"), text("v=spf1 a -mx -all"), "who is refused first is another matter");
    let chain: Vec<(String, String)> = (0..2000)
        .map(|n| (format!("n{n}.example"), format!("v=spf1 include:n{}.example include:n{}.example -all", n + 1, n + 2)))
        .collect();
    let zone: Vec<(&str, &str)> = chain.iter().map(|(at, text)| (at.as_str(), text.as_str())).collect();
    let answer = spf("n0.example", &zone);
    assert_eq!(answer.grade, Grade::Broken);
    assert!(answer.notes[0].starts_with("more than 40 look-ups"), "{answer:?}");
    let huge = format!("v=spf1 {}-all", "a:x.example ".repeat(20_000));
    assert_eq!(spf("a.example", &[("a.example", &huge)]).grade, Grade::Broken);
}

/// An RSA key of so many bits, as it is published.
fn rsa(bits: usize) -> String {
    let length = |n: usize| match n {
        0..=127 => vec![n as u8],
        128..=255 => vec![0x81, n as u8],
        _ => vec![0x82, (n >> 8) as u8, n as u8],
    };
    let element = |tag: u8, content: &[u8]| [&[tag][..], &length(content.len()), content].concat();
    let modulus = element(2, &[&[0][..], &vec![0xc3; bits / 8]].concat());
    let numbers = element(0x30, &[modulus, element(2, &[1, 0, 1])].concat());
    let algorithm = element(0x30, &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00]);
    BASE64.encode(&element(0x30, &[algorithm, element(3, &[&[0][..], &numbers].concat())].concat()))
}

#[test]
fn keys_are_what_receivers_make_of_them() {
    let (short, usual, long, ed) = (rsa(512), rsa(1024), rsa(2048), BASE64.encode(&[7; 32]));
    for (text, grade) in [
        (format!("v=DKIM1; k=rsa; p={long}"), Grade::Sound),
        (
            format!(
                "k=rsa; t=s; p={}",
                long.as_bytes().chunks(60).map(|c| std::str::from_utf8(c).unwrap()).collect::<Vec<_>>().join(" \t")
            ),
            Grade::Sound,
        ),
        (format!("v=DKIM1; k=rsa; p={usual}"), Grade::Fair),
        (format!("v=DKIM1; k=rsa; p={short}"), Grade::Broken),
        (format!("v=DKIM1; k=ed25519; p={ed}"), Grade::Sound),
        (format!("v=DKIM1; k=ed25519; p={long}"), Grade::Broken),
        (format!("v=DKIM1; t=y:s; p={long}"), Grade::Weak),
        (format!("v=DKIM1; h=sha1; p={long}"), Grade::Broken),
        (format!("v=DKIM1; s=other; p={long}"), Grade::Broken),
        (format!("v=DKIM2; p={long}"), Grade::Broken),
        (format!("v=DKIM1; k=x; p={long}"), Grade::Weak),
        ("v=DKIM1; p=".to_owned(), Grade::Broken),
        ("v=DKIM1; p=%%%".to_owned(), Grade::Broken),
        ("v=DKIM1; p=AAAA".to_owned(), Grade::Broken),
        ("hello".to_owned(), Grade::Broken),
    ] {
        let answer = key(from_ref(&text));
        assert_eq!(answer.grade, grade, "{text}: {answer:?}");
        assert_eq!(answer.notes.is_empty(), grade == Grade::Sound, "{answer:?}");
    }
    assert_eq!(key(&[]), Answer::absent());
    let both = [format!("v=DKIM1; p={long}"), format!("v=DKIM1; p={usual}")];
    let turned = [both[1].clone(), both[0].clone()];
    assert_eq!((key(&both).grade, key(&both)), (Grade::Weak, key(&turned)));
    // The order of tags and white space are no change.
    assert!(
        key(&texts(&[&format!("p={ed};k=ed25519;  v=DKIM1 ;")])).is_same(&key(&texts(&[&format!("k=ed25519; p={ed}; v=DKIM1; n=note")])))
    );
    // Whatever is cut off of a key, nothing breaks.
    let bytes = BASE64.decode(long.as_bytes()).unwrap();
    for cut in 0..bytes.len() {
        let answer = key(&[format!("p={}", BASE64.encode(&bytes[..cut]))]);
        assert_eq!(answer.grade, Grade::Broken, "{cut}");
    }
}

#[test]
fn policies_count_as_they_are_applied() {
    let of = |domain: &str, at: &str, text: &str| policy(domain, at, &texts(&["unrelated", text])).map(|answer| answer.grade);
    for (text, grade) in [
        ("v=DMARC1; p=reject; rua=mailto:a@b.example", Some(Grade::Sound)),
        ("v=DMARC1;p=quarantine", Some(Grade::Fair)),
        ("v=DMARC1; p=reject; pct=20", Some(Grade::Fair)),
        ("v=DMARC1; p=reject; pct=0", Some(Grade::Weak)),
        ("v=DMARC1; p=reject; t=y", Some(Grade::Weak)),
        ("v=DMARC1; p=none", Some(Grade::Weak)),
        ("v=DMARC1; rua=mailto:a@b.example", Some(Grade::Weak)),
        ("v=DMARC1; p=rejct", Some(Grade::Broken)),
        ("v=DMARC1", Some(Grade::Broken)),
        ("p=reject; v=DMARC1", None),
        ("v=dmarc1; p=reject", None),
    ] {
        assert_eq!(of("a.example", "a.example", text), grade, "{text}");
    }
    assert_eq!(of("m.a.example", "a.example", "v=DMARC1; p=reject; sp=none"), Some(Grade::Weak), "what stands above is for what is below");
    let twice = policy("a.example", "a.example", &texts(&["v=DMARC1; p=none", "v=DMARC1; p=none"])).unwrap();
    assert_eq!(twice.grade, Grade::Broken);
    let spelled = |text: &str| policy("a.example", "a.example", &texts(&[text])).unwrap().text;
    assert_eq!(spelled("v=DMARC1;  p=reject ;adkim=s"), spelled("v=DMARC1; adkim=s; p=reject"));
}

#[test]
fn hosts_names_and_transport_are_graded() {
    let mx = |hosts: &[(u16, &str)], address| exchanges(&hosts.iter().map(|(p, n)| (*p, (*n).to_owned())).collect::<Vec<_>>(), address);
    assert_eq!(mx(&[(20, "B.example."), (10, "a.example.")], false), Answer::new(Grade::Sound, "10 a.example, 20 b.example"));
    assert_eq!(mx(&[(0, ".")], false).grade, Grade::Broken);
    assert_eq!(mx(&[(0, "."), (10, "a.example.")], false).grade, Grade::Broken);
    assert_eq!((mx(&[], true).grade, mx(&[], false).grade), (Grade::Weak, Grade::Absent));
    let many: Vec<(u16, String)> = (0..1000).map(|n| (n, format!("h{n}.example"))).collect();
    assert!(exchanges(&many, false).text.chars().count() < 1100);

    let names = |all: &[(&str, bool)]| names_of(&all.iter().map(|(n, leads)| ((*n).to_owned(), *leads)).collect::<Vec<_>>()).grade;
    assert_eq!(
        [names(&[]), names(&[("a.example.", false)]), names(&[("b.example", false), ("a.example", true)])],
        [Grade::Absent, Grade::Broken, Grade::Sound]
    );

    let sts = mta_sts(&texts(&["v=STSv1; id=20220808T1930;"]));
    assert_eq!(sts.grade, Grade::Sound);
    for (text, grade) in [("v=STSv1; id=", Grade::Broken), ("v=STSv1; id=a-b", Grade::Broken), ("id=1; v=STSv1", Grade::Absent)] {
        assert_eq!(mta_sts(&texts(&[text])).grade, grade, "{text}");
    }
    let turned = [texts(&["v=STSv1; id=1", "v=STSv1; id=2"]), texts(&["v=STSv1; id=2", "v=STSv1; id=1"])];
    assert!(mta_sts(&turned[0]).grade == Grade::Broken && mta_sts(&turned[0]).is_same(&mta_sts(&turned[1])), "their order is no change");
    for (text, grade) in [
        ("v=TLSRPTv1; rua=mailto:tls@a.example", Grade::Sound),
        ("v=TLSRPTv1; rua=https://a.example/x,mailto:b@c", Grade::Sound),
        ("v=TLSRPTv1; rua=ftp://x", Grade::Broken),
        ("v=TLSRPTv1", Grade::Broken),
    ] {
        assert_eq!(tls_rpt(&texts(&[text])).grade, grade, "{text}");
    }
}

#[test]
fn a_policy_of_mta_sts_is_what_senders_make_of_it() {
    let record = mta_sts(&texts(&["v=STSv1; id=1"]));
    let of = |text: &str, hosts: &[&str]| sts_policy(&record, Ok(text), &texts(hosts));
    let policy = |mode: &str, mx: &str, age: &str| format!("version: STSv1\nmode: {mode}\n{mx}max_age: {age}\n");
    let (mx, both) = ("mx: MX.a.example.\n", ["mx.a.example.", "mx2.a.example"]);
    for (text, hosts, grade) in [
        (policy("enforce", mx, "604800"), &["mx.A.example"][..], Grade::Sound),
        (policy("enforce", mx, "604800").replace('\n', "\r\n"), &["mx.a.example"], Grade::Sound),
        (policy("testing", mx, "604800"), &["mx.a.example"], Grade::Fair),
        (policy("none", "", "604800"), &["mx.a.example"], Grade::Weak),
        (policy("enforce", mx, "604800"), &both, Grade::Weak),
        (policy("testing", mx, "604800"), &both, Grade::Weak),
        (policy("enforce", "mx: *.a.example\n", "604800"), &both, Grade::Sound),
        // One label, and no more.
        (policy("enforce", "mx: *.example\n", "604800"), &both, Grade::Broken),
        (policy("enforce", "mx: other.example\n", "604800"), &both, Grade::Broken),
        (policy("enforce", "", "604800"), &both, Grade::Broken),
        (policy("enforce", mx, "3600"), &["mx.a.example"], Grade::Fair),
        (policy("enforce", mx, "0"), &["mx.a.example"], Grade::Weak),
        (policy("enforce", mx, "31557601"), &["mx.a.example"], Grade::Broken),
        (policy("enforce", mx, "-1"), &["mx.a.example"], Grade::Broken),
        (policy("enforced", mx, "604800"), &["mx.a.example"], Grade::Broken),
        ("<html>version: STSv2</html>".to_owned(), &["mx.a.example"], Grade::Broken),
        // The first of a field counts, and what is unknown does not.
        (policy("enforce", mx, "604800") + "mode: none\nx-new: 1\n\n", &["mx.a.example"], Grade::Sound),
    ] {
        let answer = of(&text, hosts);
        assert_eq!(answer.grade, grade, "{text}: {answer:?}");
        assert_eq!(answer.notes.is_empty(), grade == Grade::Sound, "{answer:?}");
    }
    let turned = |mx: &str| of(&policy("enforce", mx, "604800"), &both).text;
    assert_eq!(turned("mx: a.example\nmx: b.example\n"), turned("mx: b.example\nmx: a.example\nmx: b.example\n"));
    let missing = sts_policy(&record, Err("`mta-sts.a.example` answers 404"), &texts(&both));
    assert_eq!((missing.grade, missing.text.as_str()), (Grade::Broken, "v=STSv1; id=1; no policy"));
    assert!(of(&"mx: x.example\n".repeat(100_000), &[]).text.chars().count() <= 1017);
}

/// The example of RFC 4034, section 5.4: a key, and the `DS` that is of it (with SHA-1).
fn example_chain() -> (Vec<u8>, Vec<u8>) {
    let key = "AQOeiiR0GOMYkDshWoSKz9XzfwJr1AYtsmx3TGkJaNXVbfi/2pHm822aJ5iI9BMzNXxeYCmZDRD99WYwYqUSdjMmmAphXdvxegXd/M5+X7OrzKBaMbCVdFLUUh6DhweJBjEVv5f2wwjM9XzcnOf+EPbtG9DMBmADjFDc2w/rljwvFw==";
    let key = [&[1, 0, 3, 5][..], &BASE64.decode(key.as_bytes()).unwrap()].concat();
    let digest = data_encoding::HEXUPPER.decode(b"2BB183AF5F22588179A53B0A98631FAD1A292118").unwrap();
    let ds = [&60485_u16.to_be_bytes()[..], &[5, 1], &digest].concat();
    (key, ds)
}

#[test]
fn a_chain_of_trust_holds_by_the_example_of_its_standard() {
    let (key, ds) = example_chain();
    let state = |ds: &[&Vec<u8>], keys: &[&Vec<u8>]| {
        let all = |list: &[&Vec<u8>]| list.iter().map(|one| (*one).clone()).collect::<Vec<_>>();
        chain("dskey.example.com.", &all(ds), &all(keys)).grade
    };
    assert_eq!(state(&[&ds], &[&key]), Grade::Sound);
    assert_eq!(chain("DSKEY.example.com", from_ref(&ds), from_ref(&key)).grade, Grade::Sound);
    assert_eq!(chain("other.example.com", from_ref(&ds), from_ref(&key)).grade, Grade::Broken);
    assert_eq!([state(&[], &[]), state(&[], &[&key]), state(&[&ds], &[])], [Grade::Absent, Grade::Weak, Grade::Broken]);
    let (mut other, mut unknown) = (key.clone(), ds.clone());
    other[20] ^= 1;
    unknown[3] = 9;
    assert_eq!(
        [state(&[&ds], &[&other]), state(&[&unknown], &[&key]), state(&[&ds, &unknown], &[&other, &key])],
        [Grade::Broken, Grade::Weak, Grade::Sound]
    );
    for cut in 0..8 {
        let _ = chain("a", &[ds[..cut].to_vec()], &[key[..cut].to_vec()]);
    }
}

#[test]
fn blocklists_are_asked_and_read_as_they_say() {
    assert_eq!(reversed("192.0.2.7".parse().unwrap()), "7.2.0.192");
    let six = "2001:db8::1".parse().unwrap();
    assert_eq!(reversed(six), "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2");
    assert_eq!(question("192.0.2.7", Some("k3y"), "zen.dq.spamhaus.net."), "7.2.0.192.k3y.zen.dq.spamhaus.net");
    assert_eq!(question("Example.com", None, "dbl.spamhaus.org"), "example.com.dbl.spamhaus.org");

    let list = |zone: &str| {
        let (listed, refused) = Blocklist::known(zone);
        Blocklist { zone: zone.to_owned(), domains: false, listed, refused, key: None, severity: Severity::Warn }
    };
    let zen = list("k3y.zen.dq.spamhaus.net");
    let says = |list: &Blocklist, codes: &[[u8; 4]]| {
        listing(list, &codes.iter().map(|c| Ipv4Addr::from(*c)).collect::<Vec<_>>(), &texts(&["why"]))
    };
    let grade = |found: Found| match found {
        Found::Answer(answer) => Ok(answer.grade),
        Found::Refused(why) | Found::Unknown(why) => Err(why),
    };
    assert_eq!(grade(says(&zen, &[])), Ok(Grade::Sound));
    let Found::Answer(listed) = says(&zen, &[[127, 0, 0, 9], [127, 0, 0, 2]]) else { panic!("a listing") };
    assert_eq!((listed.grade, listed.text.as_str()), (Grade::Broken, "127.0.0.2 SBL (spam source), 127.0.0.9 DROP (hijacked network)"));
    assert_eq!(listed.notes, ["why"]);
    for refusal in [[127, 255, 255, 252], [127, 255, 255, 254], [127, 255, 255, 255]] {
        assert!(matches!(says(&zen, &[refusal]), Found::Refused(_)), "{refusal:?}");
        assert!(matches!(says(&list("bl.example.org"), &[refusal]), Found::Refused(_)), "{refusal:?}");
    }
    assert!(matches!(says(&list("multi.uribl.com"), &[[127, 0, 0, 1]]), Found::Refused(_)));
    assert_eq!(grade(says(&list("bl.example.org"), &[[127, 0, 0, 99]])), Ok(Grade::Broken), "whatever a list of one's own says");
    assert!(matches!(says(&zen, &[[203, 0, 113, 5]]), Found::Unknown(_)), "a resolver that sends everybody somewhere");
    for (text, fits) in
        [("127.0.0.2", true), ("127.255.255.0/24", true), ("10.0.0.1", false), ("127.0.0.1/7", false), ("127.0.0.1/x", false)]
    {
        assert_eq!(Codes::read(text).is_some(), fits, "{text}");
    }
}

#[test]
fn of_more_than_is_looked_at_the_order_is_no_change_either() {
    let keys: Vec<String> = (0..20).map(|n| format!("v=DKIM1; k=kind{n}; p={}", BASE64.encode(&[n; 40]))).collect();
    let turned: Vec<String> = keys.iter().rev().cloned().collect();
    assert_eq!(key(&keys), key(&turned));
    let (signing, ds) = example_chain();
    let mut many: Vec<Vec<u8>> = (0..60).map(|n| [&[1, 0, 3, 5, n][..], &[n; 20]].concat()).collect();
    many.push(signing);
    let back: Vec<Vec<u8>> = many.iter().rev().cloned().collect();
    let state = |keys: &[Vec<u8>]| chain("dskey.example.com", from_ref(&ds), keys);
    assert_eq!(state(&many), state(&back));
    let codes: Vec<Ipv4Addr> = (0..200).map(|n| Ipv4Addr::new(127, 0, 1, n)).collect();
    let turned: Vec<Ipv4Addr> = codes.iter().rev().copied().collect();
    let list = Blocklist {
        zone: "bl.example".to_owned(),
        domains: false,
        listed: Vec::new(),
        refused: Vec::new(),
        key: None,
        severity: Severity::Warn,
    };
    assert_eq!(listing(&list, &codes, &[]), listing(&list, &turned, &[]));
}

#[test]
fn whatever_stands_in_a_zone_nothing_breaks_or_grows() {
    let pieces = [
        "v=spf1 ",
        "v=DKIM1; p=",
        "v=DMARC1; p=reject",
        ";",
        "=",
        " ",
        "\u{0}",
        "\u{fffd}",
        "\u{202e}",
        "include:",
        "redirect=",
        "ip4:1/",
        "%{",
        "é",
        "//",
        "-all",
    ];
    let mut seed = 7_u64;
    for round in 0..3000 {
        let mut text = String::new();
        for _ in 0..(round % 40) {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            text.push_str(pieces[(seed >> 33) as usize % pieces.len()]);
        }
        if round % 500 == 0 {
            text = text.repeat(2000);
        }
        let all = [text.clone(), text];
        let one = &all[..1 + round % 2];
        let mut walk = Walk::new("a.example", one);
        let mut asked = 0;
        while walk.next().is_some() {
            walk.take(one);
            asked += 1;
            assert!(asked <= 50);
        }
        let answers =
            [walk.answer(), key(one), mta_sts(one), tls_rpt(one), policy("a.example", "a.example", one).unwrap_or_else(Answer::absent)];
        for answer in answers {
            assert!(answer.text.chars().count() <= 1017 && answer.notes.len() <= 4, "{}", answer.text.len());
            assert!(!answer.text.chars().chain(answer.notes.iter().flat_map(|n| n.chars())).any(|c| c.is_control() || c == '\u{202e}'));
        }
    }
}
