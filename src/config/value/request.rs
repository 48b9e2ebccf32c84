//! What a request is made of: addresses and texts with placeholders, headers, statuses.

use std::collections::BTreeMap;

use http::HeaderName;
use toml_edit::{Item, Value as Toml};

use super::super::complaint::{Fault, quoted};
use super::super::{Header, fill};
use super::{line, other_type, reach, secret, text};

/// Headers whose value opens doors.
const PRIVATE: [&str; 5] = ["authorization", "proxy-authorization", "cookie", "x-api-key", "x-auth-token"];
/// Headers that belong to the connection.
const OURS: [&str; 7] = ["host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer"];

/// A web address with placeholders behind its host.
pub(super) fn url(text: &str) -> Result<String, Fault> {
    let host = text.split_once("://").map_or("", |(_, rest)| rest.split(['/', '?']).next().unwrap_or_default());
    if host.contains('{') {
        return Err(Fault::hinted(format!("{} has a placeholder in its host", quoted(host)), "write the host as it is"));
    }
    reach::url(&fill(text, |_| Some("x".to_owned())), false)?;
    Ok(text.to_owned())
}

/// A text of one or more lines.
pub(super) fn body(text: &str, most: usize) -> Result<String, Fault> {
    if text.trim().is_empty() {
        return Err(Fault::hinted("the text is empty", "write something, or leave the key out"));
    }
    if text.len() > most {
        return Err(Fault::hinted(format!("the text has {} bytes", text.len()), format!("at most {most} are allowed")));
    }
    Ok(text.to_owned())
}

/// A table of headers, by their names in lower case. No fault shows what may be a secret.
pub(super) fn headers(item: &Item) -> Result<BTreeMap<String, Header>, Fault> {
    let table = item.as_table_like().ok_or_else(|| other_type(item, "a table of headers, as { X-Name = \"…\" }"))?;
    if table.is_empty() {
        return Err(Fault::hinted("the table is empty", "write at least one, or leave the key out"));
    }
    let mut headers = BTreeMap::new();
    for (name, item) in table.iter() {
        let of = |fault: Fault| Fault { what: format!("of {}: {}", quoted(name), fault.what), ..fault };
        let lower = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_no_name| Fault::hinted(format!("{} is not the name of a header", quoted(name)), "use letters, digits and `-`"))?
            .as_str()
            .to_owned();
        if OURS.contains(&lower.as_str()) {
            return Err(Fault::hinted(format!("{} follows from the request", quoted(name)), "leave it out"));
        }
        let header = match item.as_str() {
            Some(_) if PRIVATE.contains(&lower.as_str()) => return secret(item).map(|_| headers).map_err(of),
            Some(plain) => line(plain, 1000).and_then(visible).map(Header::Text),
            None => secret(item).map(Header::Secret),
        };
        if headers.insert(lower, header.map_err(of)?).is_some() {
            return Err(Fault::hinted(format!("{} stands twice in the table", quoted(name)), "write it once"));
        }
    }
    Ok(headers)
}

fn visible(text: String) -> Result<String, Fault> {
    if text.is_ascii() { Ok(text) } else { Err(Fault::hinted(format!("{} is not ASCII", quoted(&text)), "headers take ASCII alone")) }
}

/// `200`, `"200..399"`, or a list of these.
pub(super) fn statuses(item: &Item) -> Result<Vec<(u16, u16)>, Fault> {
    let Some(list) = item.as_array() else { return item.as_value().map_or_else(|| Err(no_status(item)), status).map(|one| vec![one]) };
    if list.is_empty() {
        return Err(Fault::hinted("the list is empty", "write at least one, or leave the key out"));
    }
    list.iter().map(status).collect()
}

fn status(value: &Toml) -> Result<(u16, u16), Fault> {
    let item = Item::Value(value.clone());
    let known = |number: u16| (100..600).contains(&number);
    let range = match value.as_integer() {
        Some(number) => u16::try_from(number).ok().map(|n| (n, n)),
        None => {
            let text = text(&item).map_err(|_other_type| no_status(&item))?;
            let (from, to) = text.split_once("..").unwrap_or((text, text));
            from.trim().parse().ok().zip(to.trim().parse().ok())
        }
    };
    range.filter(|(from, to)| known(*from) && known(*to) && from <= to).ok_or_else(|| no_status(&item))
}

fn no_status(item: &Item) -> Fault {
    Fault::hinted(other_type(item, "a status from 100 to 599, or a range of them").what, "write 200, \"200..399\", or a list of these")
}
