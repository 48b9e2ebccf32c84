//! One dashboard: its variables, links and annotations, and where its panels stand.

use serde_json::{Value, json};

use super::super::metrics::names;
use super::panel::{Panel, datasource};
use super::query::ALL;

/// Grafana's grid.
const COLUMNS: u32 = 24;
/// The oldest layout of the JSON that is written: Grafana 10.4 and 11 read it, later ones move it on by themselves.
const SCHEMA: u32 = 39;
/// Word by which the dashboards find each other.
const TAG: &str = "mailcanary";

/// A dashboard in the making.
#[derive(Debug)]
pub(super) struct Board {
    uid: &'static str,
    title: &'static str,
    description: &'static str,
    from: &'static str,
    variables: Vec<Value>,
    panels: Vec<Value>,
    /// The next free line of the grid.
    y: u32,
    /// Panels so far, rows among them.
    made: u32,
    /// Rows that are open at first.
    open: usize,
    /// Whose incidents are drawn over its plots: a matcher of culprits, or all.
    whose: String,
    refresh: &'static str,
}

impl Board {
    /// `from` is the beginning of the time that is shown at first, as `now-6h`.
    pub(super) fn new(uid: &'static str, title: &'static str, description: &'static str, from: &'static str) -> Self {
        let source = json!({
            "name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus", "regex": "", "hide": 0,
            "includeAll": false, "multi": false, "refresh": 1, "options": [], "skipUrlSync": false,
        });
        let board = Self {
            uid,
            title,
            description,
            from,
            variables: vec![source],
            panels: Vec::new(),
            y: 0,
            made: 0,
            open: usize::MAX,
            whose: String::new(),
            refresh: "30s",
        };
        board.several("instance", "Watchdog", names::BUILD_INFO)
    }

    fn asked(mut self, name: &str, label: &str, metric: &str, several: bool) -> Self {
        let query = if name == "instance" {
            format!("label_values({metric}, instance)")
        } else {
            format!("label_values({}, {name})", ALL.of(metric, ""))
        };
        let mut variable = json!({
            "name": name, "label": label, "type": "query", "datasource": datasource(), "regex": "", "hide": 0,
            "query": { "qryType": 1, "query": query, "refId": "PrometheusVariableQueryEditor-VariableQuery" },
            "includeAll": several, "multi": several, "refresh": 2, "sort": 1, "options": [], "skipUrlSync": false,
        });
        if let Some(variable) = variable.as_object_mut().filter(|_| several) {
            variable.insert("allValue".to_owned(), json!(".*"));
            variable.insert("current".to_owned(), json!({ "selected": true, "text": ["All"], "value": ["$__all"] }));
        }
        self.variables.push(variable);
        self
    }

    /// A variable with the values of a label: one, several or all.
    pub(super) fn several(self, name: &str, label: &str, metric: &str) -> Self {
        self.asked(name, label, metric, true)
    }

    /// The same, of which one is chosen.
    pub(super) fn one(self, name: &str, label: &str, metric: &str) -> Self {
        self.asked(name, label, metric, false)
    }

    /// A variable with listed values, of which the first is chosen at first.
    pub(super) fn listed(mut self, name: &str, label: &str, values: &[(&str, &str)]) -> Self {
        let option = |(index, (text, value)): (usize, &(&str, &str))| json!({ "selected": index == 0, "text": text, "value": value });
        let options: Vec<Value> = values.iter().enumerate().map(option).collect();
        let query: Vec<String> = values.iter().map(|(text, value)| format!("{text} : {value}")).collect();
        self.variables.push(json!({
            "name": name, "label": label, "type": "custom", "query": query.join(", "), "current": options.first(), "options": options,
            "hide": 0, "includeAll": false, "multi": false, "skipUrlSync": false,
        }));
        self
    }

    /// Only incidents of these culprits are drawn over its plots.
    pub(super) fn about(mut self, whose: &str) -> Self {
        whose.clone_into(&mut self.whose);
        self
    }

    /// It is asked anew this often.
    pub(super) const fn refreshed(mut self, every: &'static str) -> Self {
        self.refresh = every;
        self
    }

    /// Of what follows so many rows are open; the others are folded, and nothing is asked for them until somebody opens them.
    pub(super) const fn folded_after(mut self, rows: usize) -> Self {
        self.open = rows;
        self
    }

    /// A heading, and panels below it from left to right; those of one line are to be of one height.
    pub(super) fn row(mut self, title: &str, panels: Vec<Panel>) -> Self {
        let (id, begins, folded) = (self.next(), self.y, self.open == 0);
        self.open = self.open.saturating_sub(1);
        let (mut x, mut y, mut tallest) = (0, begins + 1, 0);
        let mut placed = Vec::new();
        for panel in panels {
            if x + panel.width > COLUMNS {
                (x, y, tallest) = (0, y + tallest, 0);
            }
            let (width, height) = (panel.width, panel.height);
            placed.push(panel.placed(self.next(), x, y));
            (x, tallest) = (x + width, tallest.max(height));
        }
        self.y = if folded { begins + 1 } else { y + tallest };
        let (inside, below) = if folded { (placed, Vec::new()) } else { (Vec::new(), placed) };
        let place = json!({ "x": 0, "y": begins, "w": COLUMNS, "h": 1 });
        self.panels.push(json!({ "id": id, "type": "row", "title": title, "collapsed": folded, "gridPos": place, "panels": inside }));
        self.panels.extend(below);
        self
    }

    const fn next(&mut self) -> u32 {
        self.made += 1;
        self.made
    }

    /// A variable of which one is chosen is no pattern: Grafana puts its value in as it is, and a dot in it would stand for anything.
    fn exact(&mut self) {
        let single = self.variables.iter().filter(|variable| variable["type"] == "query" && variable["multi"] == false);
        let pairs: Vec<[String; 2]> = single
            .filter_map(|variable| variable["name"].as_str())
            .map(|name| [format!("{name}=~\"${name}\""), format!("{name}=\"${name}\"")])
            .collect();
        self.panels.iter_mut().for_each(|panel| rewrite(panel, &pairs));
    }

    /// The file: its name and its text.
    pub(super) fn file(mut self) -> (String, String) {
        self.exact();
        let mut board = self.one("url", "Status page", names::STATUS_PAGE_INFO);
        if let Some(url) = board.variables.last_mut().and_then(Value::as_object_mut) {
            url.insert("hide".to_owned(), json!(2));
        }
        let links = json!([
            { "type": "dashboards", "title": "mailcanary", "tags": [TAG], "asDropdown": true, "icon": "external link", "includeVars": true,
              "keepTime": true, "targetBlank": false, "tooltip": "", "url": "" },
            { "type": "link", "title": "Status page", "tags": [], "asDropdown": false, "icon": "external link", "includeVars": false,
              "keepTime": false, "targetBlank": true, "tooltip": "The watchdog's own page, with the reasons", "url": "${url}/" },
        ]);
        let json = json!({
            "uid": board.uid, "title": board.title, "description": board.description, "tags": [TAG], "schemaVersion": SCHEMA, "version": 1,
            "editable": true, "fiscalYearStartMonth": 0, "graphTooltip": 1, "id": null, "liveNow": false, "refresh": board.refresh, "timezone": "browser",
            "time": { "from": board.from, "to": "now" }, "timepicker": {}, "weekStart": "", "links": links, "panels": board.panels,
            "templating": { "list": board.variables }, "annotations": { "list": incidents(&board.whose) },
        });
        (format!("{}.json", board.uid), format!("{json:#}\n"))
    }
}

/// Puts the second of each pair for the first in what a panel asks, and in what the panels of a folded row ask.
fn rewrite(panel: &mut Value, pairs: &[[String; 2]]) {
    for target in panel.get_mut("targets").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(Value::String(expr)) = target.get_mut("expr") {
            *expr = pairs.iter().fold(std::mem::take(expr), |expr, [from, to]| expr.replace(from, to));
        }
    }
    panel.get_mut("panels").and_then(Value::as_array_mut).into_iter().flatten().for_each(|inside| rewrite(inside, pairs));
}

/// While incidents were open, as stretches over every plot: those that page apart from the others. The number is a figure of a metric, and a
/// figure is no label: it is counted into one, so that the text can lead to the page.
fn incidents(whose: &str) -> Value {
    let one = |name: &str, colour: &str, loud: &str| {
        let (number, severity) = (ALL.of(names::INCIDENT_NUMBER, whose), ALL.of(names::INCIDENT_SEVERITY, whose));
        let page = format!("* on (instance, job) group_left (url) {}", ALL.of(names::STATUS_PAGE_INFO, ""));
        let by = "instance, job, kind, culprit";
        let expr = format!(
            "count_values by (kind, culprit, url) (\"number\", ({number} and on ({by}) {severity} {loud}) {page} or on ({by}) ({number} and on ({by}) {severity} {loud}))"
        );
        json!({
            "name": name, "datasource": datasource(), "enable": true, "hide": false, "iconColor": colour, "expr": expr, "step": "30s",
            "target": { "datasource": datasource(), "refId": "Anno", "expr": expr, "interval": "30s", "range": true, "instant": false, "editorMode": "code" },
            "titleFormat": "{{kind}}: {{culprit}}", "textFormat": "<a href=\"{{url}}/incidents/{{number}}\">Incident {{number}}</a> was open",
            "tagKeys": "kind", "useValueForTime": false,
        })
    };
    json!([one("Incidents that page", "red", "== 3"), one("Incidents that warn", "orange", "< 3")])
}
