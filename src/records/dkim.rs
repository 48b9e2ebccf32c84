//! DKIM keys (RFC 6376 3.6.1, RFC 8301, RFC 8463).

use data_encoding::BASE64;

use super::der::rsa_bits;
use super::tags::{canonical, tags, value};
use crate::model::{Answer, Grade};

/// RFC 8301 3.2: with fewer bits an RSA key is not valid…
const LEAST_BITS: u32 = 1024;
/// …and this many are what signers should use.
const GOOD_BITS: u32 = 2048;
/// Bytes of an Ed25519 key (RFC 8463 3).
const ED25519: usize = 32;

/// What stands under a selector, of all the texts there.
#[must_use]
pub fn key(texts: &[String]) -> Answer {
    let keys: Vec<&String> = texts.iter().filter(|text| value(&tags(text), "p").is_some()).collect();
    match (keys.as_slice(), texts.iter().min()) {
        ([], None) => Answer::absent(),
        ([], Some(text)) => Answer::new(Grade::Broken, text).note("it is not a key: it has no `p`"),
        ([text], _) => one(text),
        ([_, _, ..], _) => {
            let mut all: Vec<Answer> = keys.iter().map(|text| one(text)).collect();
            // Their order is chance: of many, too, the same ones stand here.
            all.sort_by(|a, b| (a.grade, &a.text).cmp(&(b.grade, &b.text)));
            all.truncate(8);
            let text = all.iter().map(|a| a.text.as_str()).collect::<Vec<_>>().join(" | ");
            let worst = all.first().map_or(Grade::Broken, |answer| answer.grade);
            Answer::new(worst.min(Grade::Weak), &text).note("several keys stand there: which one receivers take is undefined")
        }
    }
}

fn one(text: &str) -> Answer {
    let tags = tags(text);
    // White space inside of the key is ignored.
    let encoded: String = value(&tags, "p").unwrap_or_default().split_whitespace().collect();
    let mut spelled = tags.clone();
    spelled.retain(|(tag, _)| tag != "n" && tag != "p");
    spelled.push(("p".to_owned(), encoded.as_str()));
    let (grade, note) = judge(&tags, &encoded);
    let answer = Answer::new(grade, &canonical(&spelled));
    if note.is_empty() { answer } else { answer.note(&note) }
}

fn judge(tags: &[(String, &str)], encoded: &str) -> (Grade, String) {
    let broken = |why: &str| (Grade::Broken, why.to_owned());
    if value(tags, "v").is_some_and(|version| version != "DKIM1") {
        return broken("its version is not `DKIM1`: receivers ignore it");
    }
    if encoded.is_empty() {
        return broken("it was revoked: `p` is empty");
    }
    let Ok(key) = BASE64.decode(encoded.as_bytes()).or_else(|_| data_encoding::BASE64_NOPAD.decode(encoded.as_bytes())) else {
        return broken("`p` is not base64: receivers cannot read it");
    };
    let among = |tag: &str, wanted: &[&str]| {
        let all = value(tags, tag).unwrap_or("*");
        all.split(':').any(|one| wanted.contains(&one.trim().to_ascii_lowercase().as_str()))
    };
    if !among("s", &["*", "email"]) {
        return broken("it is for other services than mail (`s`)");
    }
    if !among("h", &["*", "sha256"]) {
        return broken("it does not allow SHA-256 (`h`), and receivers take nothing less");
    }
    let (grade, note) = match value(tags, "k").unwrap_or("rsa").to_ascii_lowercase().as_str() {
        "rsa" => rsa(&key),
        "ed25519" if key.len() == ED25519 => (Grade::Sound, String::new()),
        "ed25519" => return broken("an Ed25519 key has 32 bytes"),
        other => (Grade::Weak, format!("few receivers know keys of the kind `{other}`")),
    };
    let testing = value(tags, "t").is_some_and(|flags| flags.split(':').any(|flag| flag.trim().eq_ignore_ascii_case("y")));
    if testing && grade.works() {
        return (Grade::Weak, "it says that it is a test (`t=y`): receivers may ignore it".to_owned());
    }
    (grade, note)
}

fn rsa(key: &[u8]) -> (Grade, String) {
    match rsa_bits(key) {
        None => (Grade::Broken, "`p` is not an RSA key: receivers cannot read it".to_owned()),
        Some(bits) if bits < LEAST_BITS => (Grade::Broken, format!("{bits} bits: receivers ignore keys of less than {LEAST_BITS}")),
        Some(bits) if bits < GOOD_BITS => (Grade::Fair, format!("{bits} bits; {GOOD_BITS} are recommended")),
        Some(_) => (Grade::Sound, String::new()),
    }
}
