//! `[public]`, and how it goes together with streams and `[http]`.

use std::collections::BTreeMap;

use super::super::complaint::{Fault, listed, meant, quoted};
use super::super::text::Section;
use crate::config::{Http, Public};
use crate::model::Name;

/// The page, if it is wanted. Its own names are only for streams that exist.
pub(super) fn read(section: &Section<'_>, streams: &[Name], http: Option<&Http>) -> Option<Option<Public>> {
    let listen = section.get::<Option<std::net::SocketAddr>>("listen");
    let title = section.get::<String>("title");
    let called = section.maybe::<BTreeMap<String, String>>("streams");
    let (listen, called) = (listen?, called?);
    let mut names = BTreeMap::new();
    for (stream, name) in called.iter().flatten() {
        if let Some(known) = streams.iter().find(|known| known.as_str() == stream) {
            names.insert(known.clone(), name.clone());
            continue;
        }
        let all = || streams.iter().map(Name::as_str);
        let near = meant(stream, all()).map(|near| format!("did you mean `{near}`?"));
        let hint = near.unwrap_or_else(|| format!("the streams are {}", listed(all())));
        section.refuse("streams", Fault::hinted(format!("there is no stream {}", quoted(stream)), hint));
    }
    if let Some(same) = listen.filter(|listen| listen.port() != 0 && http.is_some_and(|http| http.listen == *listen)) {
        let hint = "what everybody may see has a port of its own";
        section.refuse("listen", Fault::hinted(format!("`{same}` is where `[http]` listens"), hint));
    }
    let title = title?;
    Some(listen.map(|listen| Public { listen, title, streams: called.map(|_| names) }))
}
