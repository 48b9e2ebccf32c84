//! Records of the DNS: the first line of the input is a domain, each other one a text that stands there; the whole input is keys of DNSSEC,
//! answers of a blocklist, and the policy of MTA-STS.
#![no_main]

mod sound;

use libfuzzer_sys::fuzz_target;
use mailcanary::config::Blocklist;
use mailcanary::model::{Answer, Found, Severity};
use mailcanary::records::{Ask, Walk, chain, exchanges, key, listing, mta_sts, names_of, policy, question, sts_policy, tls_rpt};

use sound::assert_shown;

/// What the SPF record comes to where every name has these texts.
fn walk(domain: &str, texts: &[String]) -> Answer {
    let seen = ["192.0.2.1", "2001:db8::1"].map(|address| address.parse().expect("an address"));
    let (mut walk, mut asked) = (Walk::new(domain, texts).seen(&seen), 0);
    while let Some(ask) = walk.next() {
        asked += 1;
        assert!(asked <= 100, "it does not end");
        match ask {
            Ask::Texts(_) => walk.take(texts),
            Ask::Addresses(name) => walk.take(if name.len() % 2 == 0 { &[] } else { texts }),
            Ask::Mx(_) => walk.take(texts),
        }
    }
    walk.answer()
}

fuzz_target!(|data: &[u8]| {
    let whole = String::from_utf8_lossy(data);
    let mut lines = whole.split('\n');
    let domain = lines.next().unwrap_or_default();
    let texts: Vec<String> = lines.map(str::to_owned).take(64).collect();
    let turned: Vec<String> = texts.iter().rev().cloned().collect();
    // The order in which a name server gives texts is chance, and no change.
    for read in [key, mta_sts, tls_rpt] {
        let answer = read(&texts);
        assert_shown(&answer);
        assert!(answer.is_same(&read(&turned)), "{texts:?}: {answer:?}");
    }
    let answer = walk(domain, &texts);
    assert_shown(&answer);
    assert_eq!(answer.text, walk(domain, &turned).text, "{texts:?}");
    for at in [domain, "above.example"] {
        let (one, other) = (policy(domain, at, &texts), policy(domain, at, &turned));
        one.iter().for_each(assert_shown);
        assert_eq!(one.map(|answer| answer.text), other.map(|answer| answer.text));
    }
    let hosts: Vec<(u16, String)> = texts.iter().zip(0_u16..).map(|(text, n)| (n % 3, text.clone())).collect();
    let hosts_back: Vec<(u16, String)> = hosts.iter().rev().cloned().collect();
    let exchangers = exchanges(&hosts, data.len() % 2 == 0);
    assert_shown(&exchangers);
    assert!(exchangers.is_same(&exchanges(&hosts_back, data.len() % 2 == 0)));
    let names: Vec<(String, bool)> = texts.iter().zip(0..).map(|(text, n)| (text.clone(), n % 2 == 0)).collect();
    assert_shown(&names_of(&names));
    assert_shown(&sts_policy(&mta_sts(&texts), Ok(&whole), &texts));
    let parts: Vec<Vec<u8>> = data.split(|byte| *byte == 0xff).map(<[u8]>::to_vec).collect();
    let (ds, keys) = parts.split_at(parts.len() / 2);
    let back = |all: &[Vec<u8>]| all.iter().rev().cloned().collect::<Vec<_>>();
    let state = chain(domain, ds, keys);
    assert_shown(&state);
    assert!(state.is_same(&chain(domain, &back(ds), &back(keys))));
    let codes: Vec<_> = data.as_chunks::<4>().0.iter().map(|four| (*four).into()).collect();
    for zone in ["zen.spamhaus.org", "bl.example"] {
        let (listed, refused) = Blocklist::known(zone);
        let list = Blocklist { zone: zone.to_owned(), domains: false, listed, refused, key: None, severity: Severity::Warn };
        let codes_back: Vec<_> = codes.iter().rev().copied().collect();
        match listing(&list, &codes, &texts) {
            Found::Answer(answer) => {
                assert_shown(&answer);
                assert_eq!(listing(&list, &codes_back, &turned), Found::Answer(answer));
            }
            Found::Refused(why) | Found::Unknown(why) => assert!(!why.chars().any(char::is_control), "{why:?}"),
        }
    }
    let _asked = question(domain, Some("k3y"), "bl.example.");
});
