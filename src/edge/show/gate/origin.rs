//! Whether a browser sends something because one of our own pages asked it to.

use axum::http::header::{HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};

use super::super::problem::Problem;

/// Whether a request that a browser could send by itself comes from us: what says where it comes from says so, by the name that was asked or
/// by the `public` one, where a proxy asks by another. A program says nothing of that. An origin is hidden (`null`) where a
/// proxy puts `Referrer-Policy: no-referrer` on a page of ours; then the browser's own word counts, which no page can write.
pub(super) fn is_ours(parts: &Parts, public: Option<&str>) -> Result<(), Problem> {
    let foreign = || Problem::new(StatusCode::FORBIDDEN, "this comes from a page elsewhere");
    let site = parts.headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    if site.is_some_and(|site| !matches!(site, b"same-origin" | b"none")) {
        return Err(foreign());
    }
    let Some(origin) = parts.headers.get(ORIGIN) else { return Ok(()) };
    if origin == "null" && site == Some(b"same-origin") {
        return Ok(());
    }
    let host = asked_by(&parts.headers, &parts.uri);
    let origin =
        origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok()).and_then(|origin| Some(origin.authority()?.to_string()));
    if origin.is_some() && (origin == host || origin.as_deref() == public) { Ok(()) } else { Err(foreign()) }
}

/// Host and port that were asked.
fn asked_by(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    let named = || headers.get(HOST).and_then(|host| host.to_str().ok()).map(str::to_owned);
    uri.authority().map(ToString::to_string).or_else(named)
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    #[test]
    fn only_our_own_pages_send() {
        let sent = |headers: &[(&str, &str)]| {
            let mut request = Request::builder().uri("/x").header(HOST, "canary.example:9825");
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            is_ours(&request.body(()).unwrap().into_parts().0, Some("canary.example.com")).is_ok()
        };
        assert!(sent(&[]), "a program");
        assert!(sent(&[("sec-fetch-site", "same-origin"), ("origin", "https://canary.example:9825")]));
        assert!(sent(&[("sec-fetch-site", "none")]) && sent(&[("origin", "https://canary.example.com")]));
        assert!(sent(&[("sec-fetch-site", "same-origin"), ("origin", "null")]), "hidden by a proxy");
        assert!(!sent(&[("sec-fetch-site", "none"), ("origin", "null")]));
        assert!(!sent(&[("sec-fetch-site", "same-origin"), ("origin", "https://evil.example")]));
        for site in ["cross-site", "same-site", "odd", ""] {
            assert!(!sent(&[("sec-fetch-site", site)]), "{site}");
        }
        for origin in ["null", "https://evil.example", "https://canary.example", "https://canary.example:98", ""] {
            assert!(!sent(&[("origin", origin)]), "{origin}");
        }
    }
}
