/**
 * What a section of the statistics is made of.
 *
 * Tested in `test/lib/pages/stats-page.test.ts`.
 */
import type { Chart } from "../view/chart.ts";
import { toMarkupText } from "../view/markup.ts";
import type { TableView } from "../view/stats-tables.ts";

/** Of a chart, in pixels. */
export const CHART_WIDTH = 1096;

export interface TitledTable {
  readonly title: string;
  readonly table: TableView;
}

type Figure = ReturnType<typeof toFigure>;

export interface SectionView {
  readonly id: string;
  readonly name: string;
  readonly heading: string;
  readonly lead: string;
  readonly charts: readonly Figure[];
  readonly tables: readonly TitledTable[];
}

export function toFigure({ svg }: Chart, unit: string, name: string) {
  return { svg: toMarkupText(svg), unit, name };
}

/** A section whose tables all have no row is a line that says so; how its columns would be read nobody needs then. */
export function inBrief(section: SectionView): SectionView & { readonly isBrief: boolean } {
  const { charts, tables } = section;
  const isBrief = charts.length === 0 && tables.length > 0 && tables.every(({ table }) => table.rows.length === 0);
  return isBrief ? { ...section, isBrief, lead: [...new Set(tables.map(({ table }) => table.shown))].join(" "), tables: [] } : { ...section, isBrief };
}

/** Only tables that say something: an empty one is none. */
export function withRows(...tables: readonly TitledTable[]): TitledTable[] {
  return tables.filter(({ table }) => table.rows.length > 0);
}
