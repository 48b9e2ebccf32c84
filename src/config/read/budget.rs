//! Budgets and duties: their keys, and whether the routine canaries fit into them.

use super::super::complaint::Fault;
use super::super::text::Section;
use super::super::{Budget, Duty, Price, Settings};
use super::Whole;
use super::signs::signs;
use crate::model::{Route, Span};

/// A cap that leaves less than this share of the routine canaries for confirmations is warned of.
const LITTLE: f64 = 0.02;

/// `canaries_per_day` and `spacing`.
pub(super) fn budget(section: &Section<'_>) -> Option<Budget> {
    let canaries_per_day = section.maybe("canaries_per_day");
    let spacing = section.maybe("spacing");
    Some(Budget { canaries_per_day: canaries_per_day?, spacing: spacing? })
}

/// `standby`, `every`, the price, `trace` and what belongs to `signs`.
pub(super) fn duty(section: &Section<'_>) -> Option<Duty> {
    let standby = section.get("standby");
    let every = section.maybe("every");
    let per_1000 = section.maybe::<f64>("price_per_1000");
    let currency = section.maybe::<String>("currency");
    let trace: Option<bool> = section.get("trace");
    let signs = signs(section);
    if section.has("currency") && !section.has("price_per_1000") {
        section.warn("currency", "there is no price", "write `price_per_1000` too, or leave it out");
    }
    let (per_1000, currency) = (per_1000?, currency?);
    let price = per_1000.map(|per_1000| Price { per_1000, currency });
    Some(Duty { standby: standby?, every: every?, price, untraced: !trace?, signs: signs? })
}

/// Refuses routes that alone would break a cap or a spacing.
pub(in crate::config) fn fit(whole: &Whole<'_>) {
    let Some(settings) = &whole.settings else { return };
    for (name, section) in &whole.providers {
        if let Some(provider) = settings.providers.get(name) {
            fits(settings, section, provider.budget, |r| r.provider == *name);
        }
    }
    for (name, section) in &whole.inboxes {
        if let Some(inbox) = settings.inboxes.get(name) {
            fits(settings, section, inbox.budget, |r| r.inbox == *name);
        }
    }
    if settings.routes.iter().all(|r| settings.is_standby(r)) {
        whole.root.warn(
            "provider",
            "all that are watched are stand-bys: no outage would ever page",
            "leave `standby` out for those in use",
        );
    }
}

fn fits(settings: &Settings, section: &Section<'_>, budget: Budget, chosen: impl Fn(&Route) -> bool) {
    const LESS: &str = "or raise `every`, or narrow the routes";
    if budget == Budget::default() {
        return;
    }
    let routine = settings.routine_per_day(&chosen);
    if let Some(cap) = budget.canaries_per_day {
        let needed = routine.ceil();
        if f64::from(cap) < needed {
            let what = format!("the routine canaries alone are {needed:.0} a day, and {cap} are allowed");
            let with = (needed * (1.0 + settings.watch.confirmations)).ceil();
            section.refuse("canaries_per_day", Fault::hinted(what, format!("write {with:.0}, which holds the confirmations too, {LESS}")));
        } else if settings.watch.confirmations > 0.0 && f64::from(cap) < routine * (1.0 + LITTLE) {
            let what = format!("{cap} a day hold the {needed:.0} routine canaries, and hardly any confirmation");
            section.warn("canaries_per_day", what, "leave a tenth more: confirmations find an outage sooner");
        }
    }
    if let Some(spacing) = budget.spacing
        && spacing.as_secs_f64() * routine > 86_400.0
    {
        let apart = Span::from_ms((86_400_000.0 / routine) as u64);
        let what = format!("the routine canaries are {apart} apart, and `{spacing}` is asked for");
        section.refuse("spacing", Fault::hinted(what, format!("write a shorter one, {LESS}")));
    }
}
