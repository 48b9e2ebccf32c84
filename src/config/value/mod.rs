//! One value: from TOML to what its key's kind promises, or a fault that says what is wrong with it.

mod address;
mod hours;
mod reach;
mod request;
mod time;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use chrono_tz::Tz;
use toml_edit::{Item, Value as Toml};

pub(super) use hours::Hours;
pub use time::span;

pub(super) use reach::{is_loopback_host, is_loopback_url, origin};

use super::complaint::{Fault, listed, meant, quoted};
use super::keys::Kind;
use super::{Header, Mailbox, Proxy, SecretRef};
use crate::model::{At, Span};

/// A checked value.
#[derive(Debug)]
pub(super) enum Value {
    Text(String),
    Texts(Vec<String>),
    Word(&'static str),
    Words(Vec<&'static str>),
    Span(Span),
    Number(f64),
    Flag(bool),
    Count(u32),
    Port(u16),
    Mailbox(Mailbox),
    Path(PathBuf),
    Secret(SecretRef),
    Ip(IpAddr),
    Proxy(Proxy),
    Listen(Option<SocketAddr>),
    Pairs(BTreeMap<String, String>),
    Headers(BTreeMap<String, Header>),
    Statuses(Vec<(u16, u16)>),
    Hours(Hours),
    Zone(Tz),
    Instant(At),
}

/// What a reader may ask for; which of them comes is the business of the key's kind.
pub(super) trait Take: Sized {
    fn take(value: Value) -> Option<Self>;
}

macro_rules! take {
    ($($variant:ident => $kind:ty),* $(,)?) => {$(
        impl Take for $kind {
            fn take(value: Value) -> Option<Self> {
                if let Value::$variant(inner) = value { Some(inner) } else { None }
            }
        }
    )*};
}

take! {
    Text => String, Texts => Vec<String>, Word => &'static str, Words => Vec<&'static str>, Span => Span, Number => f64, Flag => bool,
    Port => u16, Mailbox => Mailbox, Path => PathBuf, Secret => SecretRef, Ip => IpAddr, Proxy => Proxy, Listen => Option<SocketAddr>,
    Pairs => BTreeMap<String, String>, Count => u32,
    Headers => BTreeMap<String, Header>, Statuses => Vec<(u16, u16)>, Hours => Hours, Zone => Tz, Instant => At,
}

/// Checks `item` against `kind`.
pub(super) fn check(kind: Kind, item: &Item) -> Result<Value, Fault> {
    match kind {
        Kind::Line(most) => line(text(item)?, most).map(Value::Text),
        Kind::Label => label(text(item)?).map(Value::Text),
        Kind::Duration(least, most) => time::duration(item, least, most).map(Value::Span),
        Kind::Rate => time::rate(item).map(Value::Number),
        Kind::Share => time::share(item).map(Value::Number),
        Kind::Flag => flag(item).map(Value::Flag),
        Kind::Count(most) => count(item, most).map(Value::Count),
        Kind::Amount => amount(item).map(Value::Number),
        Kind::Port => port(item).map(Value::Port),
        Kind::Host => address::host(text(item)?).map(Value::Text),
        Kind::Word(words) => word(text(item)?, words).map(Value::Word),
        Kind::Words(known) => each(item, |t| word(t, known)).and_then(once).map(Value::Words),
        Kind::Mailbox => address::mailbox(text(item)?).map(Value::Mailbox),
        Kind::Address => address::address(text(item)?).map(Value::Text),
        Kind::Url { base } => reach::url(text(item)?, base).map(Value::Text),
        Kind::Urls => each(item, |t| reach::url(t, true)).and_then(once).map(Value::Texts),
        Kind::Path => path(text(item)?).map(Value::Path),
        Kind::Secret => secret(item).map(Value::Secret),
        Kind::Ip => reach::ip(text(item)?).map(Value::Ip),
        Kind::Proxy => reach::proxy(text(item)?).map(Value::Proxy),
        Kind::Listen => reach::listen(text(item)?).map(Value::Listen),
        Kind::Addresses => each(item, address::address).and_then(once).map(Value::Texts),
        Kind::Lines => each(item, |t| line(t, 255)).and_then(once).map(Value::Texts),
        Kind::Argv => each(item, |t| line(t, 1000)).map(Value::Texts),
        Kind::Patterns if item.is_str() => line(text(item)?, 64).map(|one| Value::Texts(vec![one])),
        Kind::Patterns => each(item, |t| line(t, 64)).map(Value::Texts),
        Kind::Pairs => pairs(item).map(Value::Pairs),
        Kind::UrlToFill => request::url(text(item)?).map(Value::Text),
        Kind::Text(most) => request::body(text(item)?, most).map(Value::Text),
        Kind::Headers => request::headers(item).map(Value::Headers),
        Kind::Statuses => request::statuses(item).map(Value::Statuses),
        Kind::Hours => hours::hours(item).map(Value::Hours),
        Kind::Zone => hours::zone(text(item)?).map(Value::Zone),
        Kind::Instant => time::instant(item).map(Value::Instant),
        Kind::Day => time::day(item).map(Value::Instant),
    }
}

/// What `item` is, in words.
pub(super) fn called(item: &Item) -> &'static str {
    match item {
        Item::None => "nothing",
        Item::Table(_) | Item::Value(Toml::InlineTable(_)) => "a table",
        Item::ArrayOfTables(_) => "a list of tables",
        Item::Value(Toml::String(_)) => "a text",
        Item::Value(Toml::Integer(_)) => "a whole number",
        Item::Value(Toml::Float(_)) => "a number",
        Item::Value(Toml::Boolean(_)) => "true or false",
        Item::Value(Toml::Datetime(_)) => "a date",
        Item::Value(Toml::Array(_)) => "a list",
    }
}

/// `item` is of another type than `wanted`. Shows the value only where it is a plain one.
fn other_type(item: &Item, wanted: &str) -> Fault {
    let is = called(item);
    match item {
        Item::Value(Toml::Integer(n)) => Fault::new(format!("`{}` is {is}, not {wanted}", n.value())),
        Item::Value(Toml::Float(n)) => Fault::new(format!("`{:?}` is {is}, not {wanted}", n.value())),
        Item::Value(Toml::Boolean(b)) => Fault::new(format!("`{}` is {is}, not {wanted}", b.value())),
        Item::Value(Toml::String(s)) => Fault::new(format!("{} is {is}, not {wanted}", quoted(s.value()))),
        Item::Value(_) | Item::None | Item::Table(_) | Item::ArrayOfTables(_) => Fault::new(format!("this is {is}, not {wanted}")),
    }
}

fn text(item: &Item) -> Result<&str, Fault> {
    item.as_str().ok_or_else(|| other_type(item, "a text in quotes"))
}

fn flag(item: &Item) -> Result<bool, Fault> {
    item.as_bool().ok_or_else(|| Fault::hinted(other_type(item, "`true` or `false`").what, "write true or false, without quotes"))
}

/// A whole number from 1 up to `most`.
fn count(item: &Item, most: u32) -> Result<u32, Fault> {
    let write = || format!("write a whole number from 1 to {most}, without quotes");
    let n = item.as_integer().ok_or_else(|| Fault::hinted(other_type(item, "a whole number").what, write()))?;
    let fits = u32::try_from(n).ok().filter(|n| (1..=most).contains(n));
    fits.ok_or_else(|| Fault::hinted(format!("`{n}` is out of reach"), write()))
}

/// A number that is not negative; so many that sums of it stay readable.
fn amount(item: &Item) -> Result<f64, Fault> {
    const WRITE: &str = "write a number from 0 to 1000000, without quotes and unit, as 0.10";
    let n = item.as_float().or_else(|| item.as_integer().map(|n| n as f64));
    let n = n.ok_or_else(|| Fault::hinted(other_type(item, "a number").what, WRITE))?;
    if (0.0..=1e6).contains(&n) { Ok(n) } else { Err(Fault::hinted(format!("`{n}` is not a price"), WRITE)) }
}

fn port(item: &Item) -> Result<u16, Fault> {
    let n = item
        .as_integer()
        .ok_or_else(|| Fault::hinted(other_type(item, "a port").what, "write a whole number from 1 to 65535, without quotes"))?;
    u16::try_from(n)
        .ok()
        .filter(|p| *p > 0)
        .ok_or_else(|| Fault::hinted(format!("`{n}` is not a port"), "write a whole number from 1 to 65535"))
}

/// A line of text: not empty, no control characters, at most so long.
fn line(text: &str, most: usize) -> Result<String, Fault> {
    if text.trim().is_empty() {
        return Err(Fault::hinted("the text is empty", "write something, or leave the key out if it has a default"));
    }
    if let Some(c) = text.chars().find(|c| c.is_control()) {
        let escaped = c.escape_unicode();
        return Err(Fault::hinted(
            format!("{} has the control character `{escaped}` in it", quoted(text)),
            "write it on one line, without control characters",
        ));
    }
    if text.trim() != text {
        return Err(Fault::hinted(format!("{} begins or ends with a space", quoted(text)), format!("write {}", quoted(text.trim()))));
    }
    let length = text.chars().count();
    if length > most {
        return Err(Fault::hinted(format!("{} has {length} characters", quoted(text)), format!("at most {most} are allowed")));
    }
    Ok(text.to_owned())
}

fn label(text: &str) -> Result<String, Fault> {
    let text = line(text, 253)?;
    if let Some(c) = text.chars().find(|c| !c.is_ascii_graphic() || *c == '/') {
        return Err(Fault::hinted(
            format!("{} has `{c}` in it", quoted(&text)),
            "use ASCII letters, digits and signs other than `/`, without spaces",
        ));
    }
    Ok(text)
}

fn word(text: &str, words: &'static [&'static str]) -> Result<&'static str, Fault> {
    if let Some(found) = words.iter().find(|w| **w == text) {
        return Ok(found);
    }
    let what = format!("{} is not one of {}", quoted(text), listed(words.iter().copied()));
    Err(meant(text, words.iter().copied())
        .map_or_else(|| Fault::new(&*what), |near| Fault::hinted(&*what, format!("did you mean `{near}`?"))))
}

/// Every element of a list of texts; never empty.
fn each<T>(item: &Item, check: impl Fn(&str) -> Result<T, Fault>) -> Result<Vec<T>, Fault> {
    let list = item.as_array().ok_or_else(|| other_type(item, "a list of texts, as [\"…\", \"…\"]"))?;
    if list.is_empty() {
        return Err(Fault::hinted("the list is empty", "write at least one, or leave the key out if it has a default"));
    }
    list.iter().map(|v| v.as_str().ok_or_else(|| other_type(&Item::Value(v.clone()), "a text in quotes")).and_then(&check)).collect()
}

/// A table of texts; never empty.
fn pairs(item: &Item) -> Result<BTreeMap<String, String>, Fault> {
    let table = item.as_table_like().ok_or_else(|| other_type(item, "a table of texts, as { name = \"…\" }"))?;
    if table.is_empty() {
        return Err(Fault::hinted("the table is empty", "write at least one, or leave the key out"));
    }
    let one = |(name, item): (&str, &Item)| {
        let text = text(item).and_then(|t| line(t, 1000));
        let of = |fault: Fault| Fault { what: format!("of {}: {}", quoted(name), fault.what), ..fault };
        Ok((line(name, 255)?, text.map_err(of)?))
    };
    table.iter().map(one).collect()
}

/// A list in which nothing stands twice.
fn once<T: PartialEq + AsRef<str>>(list: Vec<T>) -> Result<Vec<T>, Fault> {
    for (i, one) in list.iter().enumerate() {
        if list.iter().take(i).any(|before| before == one) {
            return Err(Fault::hinted(format!("{} stands twice in the list", quoted(one.as_ref())), "write it once"));
        }
    }
    Ok(list)
}

fn path(text: &str) -> Result<PathBuf, Fault> {
    line(text, 4096).map(PathBuf::from)
}

/// `{ file = … }`, `{ env = … }` or `{ credential = … }`. No fault shows any value: it may be the secret.
fn secret(item: &Item) -> Result<SecretRef, Fault> {
    const WRITE: &str = "write where it is: { file = \"/path\" }, { env = \"NAME\" } or { credential = \"name\" }";
    let Some(table) = item.as_table_like() else {
        let what = if item.is_str() { "a secret in plain text (not shown)" } else { "this does not say where the secret is" };
        return Err(Fault::hinted(what, WRITE));
    };
    let mut entries = table.iter();
    let (Some((source, value)), None) = (entries.next(), entries.next()) else {
        return Err(Fault::hinted(format!("a secret has one source, not {}", table.len()), WRITE));
    };
    if !["file", "env", "credential"].contains(&source) {
        return Err(Fault::hinted(format!("{} is no source of secrets", quoted(source)), WRITE));
    }
    let text = value.as_str().ok_or_else(|| Fault::hinted(format!("`{source}` is {}, not a text", called(value)), WRITE))?;
    let plain = !text.is_empty() && !text.chars().any(char::is_control);
    match source {
        "file" if plain => Ok(SecretRef::File(PathBuf::from(text))),
        "file" => Err(Fault::hinted("`file` is not a path", WRITE)),
        "env" if plain && !text.contains('=') => Ok(SecretRef::Env(text.to_owned())),
        "env" => Err(Fault::hinted("`env` is not the name of an environment variable", WRITE)),
        _ if plain && !text.contains('/') && text != "." && text != ".." => Ok(SecretRef::Credential(text.to_owned())),
        _ => Err(Fault::hinted(
            "`credential` is not the name of a credential",
            "a credential's name has no `/`; for a path write { file = \"/path\" }",
        )),
    }
}
