//! One panel: what it asks, and how that is shown.

use serde_json::{Map, Value, json};

use super::paint;

/// The datasource that was chosen at the head.
pub(super) fn datasource() -> Value {
    json!({ "type": "prometheus", "uid": "${datasource}" })
}

/// A panel in the making.
#[derive(Clone, Debug)]
pub(super) struct Panel {
    kind: &'static str,
    title: &'static str,
    description: &'static str,
    unit: &'static str,
    pub(super) width: u32,
    pub(super) height: u32,
    targets: Vec<Value>,
    options: Value,
    custom: Value,
    colour: &'static str,
    thresholds: Vec<Value>,
    mappings: Value,
    bounds: Map<String, Value>,
    no_value: &'static str,
    overrides: Vec<Value>,
    transformations: Vec<Value>,
    links: Vec<Value>,
}

impl Panel {
    fn new(kind: &'static str, title: &'static str, description: &'static str, unit: &'static str) -> Self {
        Self {
            kind,
            title,
            description,
            unit,
            width: 12,
            height: 8,
            targets: Vec::new(),
            options: json!({}),
            custom: json!({}),
            colour: "thresholds",
            thresholds: paint::steps("text", &[]),
            mappings: json!([]),
            bounds: Map::new(),
            no_value: "no data",
            overrides: Vec::new(),
            transformations: Vec::new(),
            links: Vec::new(),
        }
    }

    /// One figure.
    pub(super) fn stat(title: &'static str, description: &'static str, unit: &'static str) -> Self {
        let mut panel = Self::new("stat", title, description, unit).size(4, 4);
        panel.options = json!({
            "reduceOptions": { "values": false, "calcs": ["lastNotNull"], "fields": "" },
            "orientation": "auto", "textMode": "auto", "wideLayout": true, "colorMode": "background_solid", "graphMode": "none",
            "justifyMode": "auto", "showPercentChange": false, "percentChangeColorMode": "standard",
        });
        panel
    }

    /// One figure that is neither good nor bad.
    pub(super) fn neutral(title: &'static str, description: &'static str, unit: &'static str) -> Self {
        let mut panel = Self::stat(title, description, unit);
        if let Some(options) = panel.options.as_object_mut() {
            options.insert("colorMode".to_owned(), json!("none"));
        }
        panel
    }

    /// Lines over time.
    pub(super) fn lines(title: &'static str, description: &'static str, unit: &'static str) -> Self {
        let mut panel = Self::new("timeseries", title, description, unit);
        panel.colour = "palette-classic";
        panel.thresholds = paint::steps(paint::GREEN, &[]);
        panel.options = json!({
            "legend": { "showLegend": true, "displayMode": "list", "placement": "bottom", "calcs": [] },
            "tooltip": { "mode": "multi", "sort": "desc" },
        });
        panel.custom = json!({
            "drawStyle": "line", "lineInterpolation": "linear", "lineWidth": 1, "fillOpacity": 8, "gradientMode": "none", "showPoints": "never",
            "pointSize": 5, "spanNulls": false, "axisPlacement": "auto", "axisLabel": "", "axisBorderShow": false,
            "scaleDistribution": { "type": "linear" }, "stacking": { "mode": "none", "group": "A" }, "thresholdsStyle": { "mode": "off" },
        });
        panel.at_least(0.0)
    }

    /// Bars that stand on each other: how many of what.
    pub(super) fn bars(title: &'static str, description: &'static str, unit: &'static str) -> Self {
        let mut panel = Self::lines(title, description, unit).no_value("none");
        panel.set_custom("drawStyle", json!("bars"));
        panel.set_custom("fillOpacity", json!(70));
        panel.set_custom("stacking", json!({ "mode": "normal", "group": "A" }));
        panel
    }

    /// How a state changed over time.
    pub(super) fn states(title: &'static str, description: &'static str, words: &[(i32, &str, &str)]) -> Self {
        let mut panel = Self::new("state-timeline", title, description, "none");
        panel.mappings = paint::mappings(words);
        panel.options = json!({
            "mergeValues": true, "showValue": "auto", "alignValue": "left", "rowHeight": 0.8,
            "legend": { "showLegend": true, "displayMode": "list", "placement": "bottom", "calcs": [] },
            "tooltip": { "mode": "single", "sort": "none" },
        });
        panel.custom = json!({ "fillOpacity": 80, "lineWidth": 0 });
        panel
    }

    /// How often durations fell into which bucket, over time.
    pub(super) fn heat(title: &'static str, description: &'static str, expr: &str) -> Self {
        let mut panel = Self::new("heatmap", title, description, "short").target(expr, "{{le}}", json!({ "format": "heatmap" }));
        panel.options = json!({
            "calculate": false, "cellGap": 1, "cellValues": { "unit": "short", "decimals": 0 },
            "color": { "mode": "scheme", "scheme": "Oranges", "fill": "dark-orange", "exponent": 0.5, "steps": 64, "reverse": false, "scale": "exponential" },
            "exemplars": { "color": "rgba(255,0,255,0.7)" }, "filterValues": { "le": 1e-9 }, "legend": { "show": true },
            "rowsFrame": { "layout": "auto" }, "showValue": "never", "tooltip": { "mode": "single", "yHistogram": true, "showColorScale": false },
            "yAxis": { "axisPlacement": "left", "reverse": false, "unit": "s" },
        });
        panel.custom =
            json!({ "hideFrom": { "legend": false, "tooltip": false, "viz": false }, "scaleDistribution": { "type": "linear" } });
        panel
    }

    /// Figures as bars that lie below each other: fits a phone.
    pub(super) fn gauges(title: &'static str, description: &'static str, unit: &'static str) -> Self {
        let mut panel = Self::new("bargauge", title, description, unit);
        panel.options = json!({
            "displayMode": "basic", "orientation": "horizontal", "valueMode": "color", "namePlacement": "auto", "showUnfilled": true,
            "sizing": "auto", "minVizWidth": 8, "minVizHeight": 16, "maxVizHeight": 300,
            "reduceOptions": { "values": false, "calcs": ["lastNotNull"], "fields": "" },
            "legend": { "showLegend": false, "displayMode": "list", "placement": "bottom", "calcs": [] },
        });
        panel.at_least(0.0)
    }

    /// Rows and columns.
    pub(super) fn table(title: &'static str, description: &'static str, unit: &'static str) -> Self {
        let mut panel = Self::new("table", title, description, unit);
        panel.options = json!({ "showHeader": true, "cellHeight": "sm", "frameIndex": 0 });
        panel.custom = json!({ "align": "auto", "cellOptions": { "type": "auto" }, "inspect": false, "filterable": false });
        panel
    }

    fn target(mut self, expr: &str, legend: &str, more: Value) -> Self {
        let letter = u8::try_from(self.targets.len()).map_or('Z', |n| char::from(b'A'.saturating_add(n)));
        let mut target = json!({
            "datasource": datasource(), "refId": letter.to_string(), "expr": expr, "legendFormat": legend, "editorMode": "code",
            "range": true, "instant": false, "format": "time_series",
        });
        if let (Some(target), Value::Object(more)) = (target.as_object_mut(), more) {
            target.extend(more);
        }
        self.targets.push(target);
        self
    }

    /// Asks over the whole time shown.
    pub(super) fn over_time(self, expr: &str, legend: &str) -> Self {
        self.target(expr, legend, json!({}))
    }

    /// Asks at its end alone.
    pub(super) fn at_the_end(self, expr: &str, legend: &str) -> Self {
        self.target(expr, legend, json!({ "range": false, "instant": true }))
    }

    /// Asks at its end, for a table.
    pub(super) fn in_rows(self, expr: &str) -> Self {
        self.target(expr, "__auto", json!({ "range": false, "instant": true, "format": "table" }))
    }

    /// Asks once for each step, for a table.
    pub(super) fn in_rows_over_time(self, expr: &str, step: &str) -> Self {
        self.target(expr, "__auto", json!({ "format": "table", "interval": step }))
    }

    pub(super) const fn size(mut self, width: u32, height: u32) -> Self {
        (self.width, self.height) = (width, height);
        self
    }

    pub(super) fn steps(mut self, first: &str, others: &[(f64, &str)]) -> Self {
        self.thresholds = paint::steps(first, others);
        self
    }

    /// The thresholds as lines across the plot.
    pub(super) fn ruled(mut self, others: &[(f64, &str)]) -> Self {
        self.set_custom("thresholdsStyle", json!({ "mode": "dashed" }));
        self.steps("transparent", others)
    }

    pub(super) fn words(mut self, words: &[(i32, &str, &str)]) -> Self {
        self.mappings = paint::mappings(words);
        self
    }

    pub(super) fn at_least(mut self, least: f64) -> Self {
        self.bounds.insert("min".to_owned(), json!(least));
        self
    }

    pub(super) fn at_most(mut self, most: f64) -> Self {
        self.bounds.insert("max".to_owned(), json!(most));
        self
    }

    pub(super) fn decimals(mut self, decimals: u32) -> Self {
        self.bounds.insert("decimals".to_owned(), json!(decimals));
        self
    }

    pub(super) const fn no_value(mut self, text: &'static str) -> Self {
        self.no_value = text;
        self
    }

    pub(super) fn set_custom(&mut self, key: &str, value: Value) {
        if let Some(custom) = self.custom.as_object_mut() {
            custom.insert(key.to_owned(), value);
        }
    }

    /// The figures on a scale of powers: seconds and hours on one plot.
    pub(super) fn logarithmic(mut self) -> Self {
        self.set_custom("scaleDistribution", json!({ "type": "log", "log": 10 }));
        self.bounds.remove("min");
        self
    }

    /// The background of cells in the colour of what they say.
    pub(super) fn painted(mut self) -> Self {
        self.set_custom("cellOptions", json!({ "type": "color-background", "mode": "basic" }));
        self
    }

    /// What is different for one column or series: properties by their names.
    pub(super) fn column(mut self, name: &str, properties: &[(&str, Value)]) -> Self {
        let properties: Vec<Value> = properties.iter().map(|(id, value)| json!({ "id": id, "value": value })).collect();
        self.overrides.push(json!({ "matcher": { "id": "byName", "options": name }, "properties": properties }));
        self
    }

    pub(super) fn then(mut self, transformation: &str, options: &Value) -> Self {
        self.transformations.push(json!({ "id": transformation, "options": options }));
        self
    }

    /// Where a click on a figure leads.
    pub(super) fn leads(mut self, title: &str, url: &str) -> Self {
        self.links.push(json!({ "title": title, "url": url, "targetBlank": false }));
        self
    }

    /// As Grafana reads it, at a place.
    pub(super) fn placed(self, id: u32, x: u32, y: u32) -> Value {
        let mut defaults = json!({
            "unit": self.unit, "color": { "mode": self.colour }, "custom": self.custom, "mappings": self.mappings, "noValue": self.no_value,
            "thresholds": { "mode": "absolute", "steps": self.thresholds }, "links": self.links,
        });
        if let Some(defaults) = defaults.as_object_mut() {
            defaults.extend(self.bounds);
        }
        json!({
            "id": id, "type": self.kind, "title": self.title, "description": self.description, "datasource": datasource(),
            "gridPos": { "x": x, "y": y, "w": self.width, "h": self.height }, "interval": "30s", "targets": self.targets, "options": self.options,
            "fieldConfig": { "defaults": defaults, "overrides": self.overrides }, "transformations": self.transformations,
        })
    }
}
