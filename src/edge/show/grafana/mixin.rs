//! The dashboards and the rules as a library in jsonnet, for tools that install such (mixins).

use serde_json::Value;

use super::{dashboards, rules};

/// The library. It imports the dashboards that stand beside it. The rules are in it: not every jsonnet reads YAML, or reads it well.
pub(super) fn text() -> String {
    let imports: String = dashboards().iter().map(|(name, _)| format!("    '{name}': import '{name}',\n")).collect();
    let [recordings, alerts] = rules::groups().map(|groups| format!("{{ groups+: {:#} }}", Value::from(groups)).replace('\n', "\n  "));
    format!(
        "// Dashboards and rules for mailcanary, for tools that install mixins. The rules are those of rules/mailcanary.yml.\n\
         {{\n  grafanaDashboards+:: {{\n{imports}  }},\n  prometheusRules+:: {recordings},\n  prometheusAlerts+:: {alerts},\n}}\n"
    )
}
