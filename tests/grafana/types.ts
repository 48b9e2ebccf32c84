// What Grafana reads, from its own packages, as JSON writes it: an enumeration by its values. A key that they do not have is refused.
import type { AnnotationQuery, Dashboard, FieldConfig, Panel, RowPanel, VariableModel } from '@grafana/schema';
import type * as bargauge from '@grafana/schema/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen';
import type * as heatmap from '@grafana/schema/dist/esm/raw/composable/heatmap/panelcfg/x/HeatmapPanelCfg_types.gen';
import type * as stat from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type * as states from '@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen';
import type * as table from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import type * as lines from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';
import type { Dataquery } from '@grafana/grafana-foundation-sdk/prometheus';

// Keys that are written out, not those of an index signature, which would let everything pass.
type Written<T> = { [K in keyof T as string extends K ? never : K]: T[K] };
type Plain<T> = unknown extends T
  ? T
  : T extends string
    ? `${T}`
    : T extends number | boolean | null | undefined
      ? T
      : T extends (infer U)[]
        ? Plain<U>[]
        : { [K in keyof T]: Plain<T[K]> };

type Query = Omit<Plain<Dataquery>, '_implementsDataqueryVariant'>;

type Shown<Kind extends string, Options, Custom> = Omit<Plain<Written<Panel>>, 'type' | 'options' | 'fieldConfig' | 'targets'> & {
  type: Kind;
  options: Plain<Options>;
  fieldConfig: {
    defaults: Omit<Plain<Written<FieldConfig>>, 'custom'> & { custom: Plain<Custom> };
    overrides: { matcher: { id: 'byName'; options: string }; properties: { id: string; value: unknown }[] }[];
  };
  targets: Query[];
};

type Asking =
  | Shown<'stat', stat.Options, Record<string, never>>
  | Shown<'timeseries', lines.Options, lines.FieldConfig>
  | Shown<'state-timeline', states.Options, states.FieldConfig>
  | Shown<'heatmap', heatmap.Options, heatmap.FieldConfig>
  | Shown<'bargauge', bargauge.Options, Record<string, never>>
  | Shown<'table', table.Options, Partial<table.FieldConfig>>;

// What is folded under a row is held as strictly as what stands below one.
type Any = Asking | (Omit<Plain<Written<RowPanel>>, 'panels'> & { panels: Asking[] });

// The Prometheus datasource reads these of an annotation, besides what every annotation has; versions before 10 look for `expr` and `step`.
type Annotation = Omit<Plain<Written<AnnotationQuery>>, 'target'> & {
  target: Query;
  expr: string;
  step: string;
  titleFormat: string;
  textFormat: string;
  tagKeys: string;
  useValueForTime: boolean;
};

export type Board = Omit<Plain<Written<Dashboard>>, 'panels' | 'templating' | 'annotations'> & {
  panels: Any[];
  templating: { list: Plain<Written<VariableModel>>[] };
  annotations: { list: Annotation[] };
};
