//! What nobody sees until it is imported: places, units, words, and where links lead.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{boards, panels, text, whole};

/// Columns of Grafana's grid.
const GRID: u64 = 24;

fn each(mut check: impl FnMut(&str, &Value) -> Option<String>) {
    let mut wrong = Vec::new();
    for (file, board) in boards() {
        for panel in panels(&board) {
            wrong.extend(check(&file, panel).map(|why| format!("{file}, `{}`: {why}", text(panel, "title"))));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_panel_says_what_it_shows() {
    each(|_, panel| {
        let (description, defaults) = (text(panel, "description"), &panel["fieldConfig"]["defaults"]);
        let whole = description.len() > 20 && description.ends_with('.') && text(panel, "title").len() > 2;
        (!whole).then(|| format!("its description is `{description}`")).or_else(|| {
            let unit = text(defaults, "unit");
            let mapped = !defaults["mappings"].as_array()?.is_empty() || panel["type"] == "table";
            (unit == "none" && !mapped).then(|| "it has no unit, and no words for its figures".to_owned())
        })
    });
    each(|_, panel| {
        text(&panel["fieldConfig"]["defaults"], "noValue").is_empty().then(|| "it does not say what an empty panel means".to_owned())
    });
    each(|_, panel| (text(panel, "interval") != "30s").then(|| "it has no least interval".to_owned()));
}

#[test]
fn titles_are_told_apart() {
    for (file, board) in boards() {
        let mut seen = BTreeSet::new();
        let twice: Vec<&str> = panels(&board).iter().map(|panel| text(panel, "title")).filter(|title| !seen.insert(*title)).collect();
        // A list of rows below the matrix has the same name as a figure at the head: they say the same.
        assert!(twice.iter().all(|title| ["Open incidents", "Newest arrival", "In time"].contains(title)), "{file}: {twice:?}");
        let ids: BTreeSet<u64> = whole(&board).iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
        assert_eq!(ids.len(), whole(&board).len(), "{file}: two panels of one id");
    }
}

#[test]
fn panels_fill_their_lines_and_do_not_overlap() {
    for (file, board) in boards() {
        let mut taken = BTreeSet::new();
        let mut ends = Vec::new();
        // As it is when every row is open: what is folded pushes down what follows.
        let (mut down, mut below) = (0, 0);
        for panel in whole(&board) {
            let [x, y, w, h] = ["x", "y", "w", "h"].map(|key| panel["gridPos"][key].as_u64().unwrap());
            if panel["type"] == "row" {
                down += below;
                let inside = panel["panels"].as_array().unwrap();
                below = inside
                    .iter()
                    .map(|p| p["gridPos"]["y"].as_u64().unwrap() + p["gridPos"]["h"].as_u64().unwrap())
                    .max()
                    .map_or(0, |end| end - y - 1);
                assert_eq!(inside.is_empty(), panel["collapsed"] == false, "{file}: {}", panel["title"]);
            }
            let y = y + down;
            assert!(w > 0 && h > 0 && x + w <= GRID, "{file}: {} is off the grid", panel["title"]);
            for cell in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
                assert!(taken.insert(cell), "{file}: {} lies over another at {cell:?}", panel["title"]);
            }
            ends.push(y + h);
        }
        // On a wide screen nothing gapes.
        let bottom = ends.iter().max().unwrap();
        let gaps: Vec<_> = (0..*bottom).flat_map(|y| (0..GRID).map(move |x| (x, y))).filter(|cell| !taken.contains(cell)).collect();
        assert!(gaps.is_empty(), "{file}: nothing stands at {gaps:?}");
    }
}

/// Below 769 px Grafana puts each panel on a line of its own, in this order and with its height.
#[test]
fn a_phone_shows_them_whole() {
    each(|_, panel| {
        let (height, width) = (panel["gridPos"]["h"].as_u64()?, panel["gridPos"]["w"].as_u64()?);
        let columns = panel["fieldConfig"]["overrides"].as_array()?.len();
        let wide = panel["type"] == "table" && columns > 5;
        (wide || !(4..=12).contains(&height) || (width < 4 && panel["type"] != "stat")).then(|| format!("{columns} columns, {height} high"))
    });
    for (file, board) in boards() {
        assert_eq!(panels(&board)[0]["type"], "stat", "{file}: what is seen first is whether all is well");
        let folded: Vec<bool> = whole(&board).iter().filter(|p| p["type"] == "row").map(|row| row["collapsed"] == true).collect();
        assert!(folded.is_sorted() && folded.iter().filter(|folded| !**folded).count() >= 2, "{file}: {folded:?}");
    }
}

#[test]
fn every_plot_has_a_legend_and_every_colour_a_word() {
    each(|_, panel| {
        let kind = text(panel, "type");
        let plotted = ["timeseries", "state-timeline", "bargauge", "stat"].contains(&kind);
        let unnamed = panel["targets"].as_array()?.iter().any(|target| text(target, "legendFormat").is_empty());
        let hidden = kind == "timeseries" && panel["options"]["legend"]["showLegend"] != true;
        (plotted && (unnamed || hidden)).then(|| "a line has no name".to_owned())
    });
    each(|_, panel| {
        let words = panel["fieldConfig"]["defaults"]["mappings"].as_array()?;
        let coloured = words.iter().flat_map(|m| m["options"].as_object().unwrap().values());
        coloured.filter(|word| text(word, "text").is_empty()).map(|word| format!("{word} has no text")).next()
    });
    each(|_, panel| {
        let steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"].as_array()?;
        let values: Vec<f64> = steps.iter().skip(1).map(|step| step["value"].as_f64().unwrap()).collect();
        let ordered = steps[0]["value"].is_null() && values.is_sorted();
        let needed =
            ["stat", "bargauge"].contains(&text(panel, "type")) && panel["fieldConfig"]["defaults"]["mappings"] == serde_json::json!([]);
        let neutral = panel["options"]["colorMode"] == "none";
        (!ordered || (needed && steps.len() < 2 && !neutral)).then(|| format!("its thresholds are {steps:?}"))
    });
}

/// What a click leads to is there, and takes the variables along.
#[test]
fn links_lead_to_dashboards_and_pages_that_are_there() {
    let uids: BTreeSet<String> = boards().iter().map(|(_, board)| text(board, "uid").to_owned()).collect();
    let mut kinds = BTreeSet::new();
    for (file, board) in boards() {
        let variables: BTreeSet<&str> = board["templating"]["list"].as_array().unwrap().iter().map(|v| text(v, "name")).collect();
        let json = board.to_string();
        for url in json.split("\"url\":\"").skip(1).filter_map(|rest| rest.split('"').next()).filter(|url| !url.is_empty()) {
            kinds.insert(url.split(['?', '$', '{']).next().unwrap().to_owned());
            if let Some(rest) = url.strip_prefix("/d/") {
                let uid = rest.split('?').next().unwrap();
                assert!(uids.contains(uid), "{file}: {url}");
                assert!(url.contains("${__url_time_range}") && url.contains("${datasource:queryparam}"), "{file}: {url}");
            } else {
                let page = url.strip_prefix("${url}/").or_else(|| url.strip_prefix("${__data.fields.url}/"));
                let known = ["incidents/${__value.raw}", "providers/${provider}", "inboxes/${inbox}"];
                assert!(page.is_some_and(|page| page.is_empty() || known.contains(&page)), "{file}: {url}");
            }
        }
        for (at, _) in json.match_indices('$') {
            let name: String =
                json[at + 1..].trim_start_matches('{').chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            assert!(name.starts_with("__") || variables.contains(name.as_str()), "{file}: nobody sets `${name}`");
        }
        for name in ["datasource", "instance", "provider", "stream", "inbox"] {
            assert!(variables.contains(name), "{file}: no variable `{name}`");
        }
        // What pages is told from what warns; where one party is looked at, its own incidents alone; each leads to its page.
        let drawn = board["annotations"]["list"].as_array().unwrap();
        let colours: BTreeSet<&str> = drawn.iter().map(|annotation| text(annotation, "iconColor")).collect();
        assert_eq!((drawn.len(), colours.len()), (2, 2), "{file}");
        let whose = ["provider", "inbox"].into_iter().find(|party| file == format!("mailcanary-{party}.json"));
        for annotation in drawn {
            let (expr, said) = (text(annotation, "expr"), text(annotation, "textFormat"));
            assert!(said.contains("{{url}}/incidents/{{number}}") && expr.contains("\"number\""), "{file}: {annotation}");
            assert_eq!(whose.is_some_and(|party| expr.contains(&format!("${{{party}:regex}}"))), whose.is_some(), "{file}: {expr}");
        }
    }
    assert!(kinds.contains("/d/mailcanary-provider") && kinds.contains("/d/mailcanary-inbox"), "{kinds:?}");
}
