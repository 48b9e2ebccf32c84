//! The sentences of the server.

use imap_next::imap_types::core::{Tag, Text};
use imap_next::imap_types::response::{Bye, Code, CodeOther, Status, StatusBody, StatusKind, Tagged};

fn body(kind: StatusKind, code: Option<Code<'static>>, text: &'static str) -> StatusBody<'static> {
    StatusBody { kind, code, text: Text::unvalidated(text) }
}

fn tagged(tag: Tag<'static>, body: StatusBody<'static>) -> Status<'static> {
    Status::Tagged(Tagged { tag, body })
}

/// `tag OK text`
pub(super) fn ok(tag: Tag<'static>, text: &'static str) -> Status<'static> {
    tagged(tag, body(StatusKind::Ok, None, text))
}

/// `tag OK [code] text`
pub(super) fn ok_with(tag: Tag<'static>, code: Code<'static>, text: &'static str) -> Status<'static> {
    tagged(tag, body(StatusKind::Ok, Some(code), text))
}

/// `tag NO text`
pub(super) fn no(tag: Tag<'static>, text: &'static str) -> Status<'static> {
    tagged(tag, body(StatusKind::No, None, text))
}

/// `tag NO [WORD] text`, for a code that is a word alone (RFC 5530).
pub(super) fn no_with(tag: Tag<'static>, word: &'static str, text: &'static str) -> Status<'static> {
    tagged(tag, body(StatusKind::No, Some(Code::Other(CodeOther::unvalidated(word.as_bytes()))), text))
}

/// `tag BAD text`, or `* BAD text` for a line without a tag.
pub(super) fn bad(tag: Option<Tag<'static>>, text: &'static str) -> Status<'static> {
    let body = body(StatusKind::Bad, None, text);
    match tag {
        Some(tag) => tagged(tag, body),
        None => Status::Untagged(body),
    }
}

/// `* OK text`
pub(super) fn note(text: &'static str) -> Status<'static> {
    Status::Untagged(body(StatusKind::Ok, None, text))
}

/// `* OK [code] text`
pub(super) fn note_with(code: Code<'static>, text: &'static str) -> Status<'static> {
    Status::Untagged(body(StatusKind::Ok, Some(code), text))
}

/// `* BYE text`
pub(super) fn bye(text: &'static str) -> Status<'static> {
    Status::Bye(Bye { code: None, text: Text::unvalidated(text) })
}
