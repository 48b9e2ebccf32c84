//! Early signs: their keys, as far as the kind of provider has them.

use super::super::Signs;
use super::super::text::Section;
use super::super::value::Take;
use crate::model::Span;

/// Who asks more often is told so: an account changes within hours, and APIs count what they are asked.
const GENTLE: Span = Span::from_secs(60);

/// `signs` and what belongs to it, as far as the kind of provider has it.
pub(super) fn signs(section: &Section<'_>) -> Option<Signs> {
    let Signs { asked, every, per_day, quota, credits, backlog, reputation } = Signs::default();
    let asked = own(section, "signs", asked);
    let every = own(section, "signs_every", every);
    let per_day = if section.takes("signs_per_day") { section.maybe("signs_per_day") } else { Some(per_day) };
    let quota = own(section, "quota_warning", quota);
    let credits = own(section, "credits_warning", credits);
    let backlog = own(section, "backlog_warning", backlog);
    let reputation = own(section, "reputation_warning", reputation);
    if asked == Some(false) {
        // `check --live` asks all the same, and warns by the same edges.
        for key in ["signs_every", "signs_per_day"].into_iter().filter(|key| section.has(key)) {
            section.warn(key, "is not used: the account is not asked about", "leave it out, or leave out `signs = false`");
        }
    }
    let often = every.is_some_and(|every| every < GENTLE) && !section.has("signs_per_day");
    if often && asked == Some(true) {
        let a_day = every.map_or(0, |every| 86_400_000 / every.as_ms().max(1));
        let what = format!("{a_day} questions a day are many for a look at the account");
        section.warn("signs_every", what, "a minute or more is gentle; `signs_per_day` caps them");
    }
    Some(Signs {
        asked: asked?,
        every: every?,
        per_day: per_day?,
        quota: quota?,
        credits: credits?,
        backlog: backlog?,
        reputation: reputation?,
    })
}

/// The value of a key, or `other` in a table that does not have it.
fn own<T: Take>(section: &Section<'_>, name: &str, other: T) -> Option<T> {
    if section.takes(name) { section.get(name) } else { Some(other) }
}
