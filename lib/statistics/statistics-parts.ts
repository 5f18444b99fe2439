/**
 * The statistics in parts that know nothing of each other, so that threads can share them out.
 *
 * A part takes and gives numbers: a key or value goes by its number until whoever asked puts the text in its place, so
 * that no thread needs the texts of the table. Where one part needs what another found, it is handed over.
 */
import type { Windows } from "./baseline.ts";
import { type ChangeRow, describeChanges } from "./change.ts";
import { type Comparisons, type ExaminedKeys, examineKeys, type KindComparisons, settleComparisons } from "./comparisons.ts";
import type { Coverage } from "./coverage.ts";
import { type DispersionSamples, learnOwn, learnPooled, type UsualDispersions } from "./dispersion.ts";
import { countDistinctPerDay, DISTINCT_OF } from "./distinct.ts";
import { type InternedRows, internRows, type KeyedRows, type Unit } from "./keyed-rows.ts";
import type { JudgedKind } from "./judgement.ts";
import { buildLedger } from "./ledger.ts";
import { findNovelty, ledgerDays, type NoveltyOptions } from "./novelty.ts";
import { findStandOuts, type KindStandOuts, listOnlyHere, summarizeSpread } from "./sensor-compare.ts";
import type { StatisticsSettings } from "./settings.ts";
import { countSources, type SourceAsk } from "./source-counts.ts";
import { fitTrends, type TrendRow } from "./trend.ts";
import type { ValueRows, ValueSource } from "./value-rows.ts";

/** What every part may look at. */
export interface PartContext {
  readonly coverage: Coverage;
  readonly windows: Windows;
  /** Those of comparisons of sources; undefined where nobody knows them. */
  readonly sourceWindows: Windows | undefined;
  readonly settings: StatisticsSettings;
  readonly novelty: NoveltyOptions;
}

/** What the ledger of one type of value says. */
export type LedgerPart = ReturnType<typeof readLedger>;

export interface Parts {
  /** Number the keys of some rows. */
  number: { ask: { columns: readonly Int32Array[]; rows: number }; answer: InternedRows };
  /** Everything about the values of a type. */
  ledger: { ask: ValueRows; answer: LedgerPart };
  sources: { ask: SourceAsk; answer: KeyedRows };
  /** All comparisons of a kind, as far as they are known before it is known what is usual over all kinds. */
  examined: { ask: { rows: KeyedRows; ceiling: number }; answer: ExaminedKeys };
  pooled: { ask: readonly DispersionSamples[]; answer: UsualDispersions };
  comparisons: { ask: SettleAsk; answer: KindComparisons[] };
  changes: {
    ask: { rows: KeyedRows; kept: Comparisons; judged: JudgedKind; sources: KeyedRows | undefined };
    answer: ChangeRow<number>[];
  };
  standOuts: { ask: KeyedRows; answer: KindStandOuts<number> };
  trends: { ask: KeyedRows; answer: TrendRow<number>[] };
}

export type PartName = keyof Parts;

export interface SettleAsk {
  readonly unit: Unit;
  /** Of all keys of the kind. */
  readonly samples: DispersionSamples;
  /** Slice by slice. */
  readonly found: Iterable<Omit<ExaminedKeys, "samples">>;
  readonly pooled: UsualDispersions;
  readonly ceiling: number;
}

/** Hold open comparisons of a kind against what is usual; slice by slice. */
export function settle(context: PartContext, { unit, samples, found, pooled, ceiling }: SettleAsk): KindComparisons[] {
  const usual = { own: learnOwn(samples, pooled), pooled };
  return Array.from(found, of => settleComparisons(of, windowsOf(context, { unit }).slots, usual, ceiling));
}

const WORK: { [N in PartName]: (context: PartContext, ask: Parts[N]["ask"]) => Parts[N]["answer"] } = {
  number: (_, { columns, rows }) => internRows(columns, rows),
  ledger: readLedger,
  sources: ({ coverage, sourceWindows }, ask) => countSources(ask, coverage, sourceWindows!),
  examined: (context, { rows, ceiling }) => examineKeys(rows, context.coverage, windowsOf(context, rows), ceiling),
  pooled: (_, kinds) => learnPooled(kinds),
  comparisons: settle,
  changes: (context, { rows, kept, judged, sources }) =>
    describeChanges(rows, kept, judged, context.coverage, windowsOf(context, rows), context.settings, sources),
  standOuts: ({ coverage, settings }, rows) => findStandOuts(rows, coverage, toStandOutOptions(settings)),
  trends: ({ coverage }, rows) => fitTrends(rows, coverage),
};

/** What the ledger of one type of value says, whose rows may lie elsewhere. */
export function readLedger({ coverage, settings, novelty }: PartContext, rows: ValueSource) {
  const ledger = buildLedger(rows, coverage, ledgerDays(coverage, novelty));
  const name = DISTINCT_OF.get(rows.type);
  return {
    novelty: findNovelty(ledger, coverage, novelty),
    distinct: name === undefined ? [] : countDistinctPerDay(ledger, name, coverage),
    spread: summarizeSpread(ledger, coverage.sensors),
    onlyHere: listOnlyHere(ledger, coverage.sensors, settings.listLimit),
  };
}

export function windowsOf({ windows, sourceWindows }: PartContext, { unit }: Pick<KeyedRows, "unit">): Windows {
  return unit === "sources" ? sourceWindows! : windows;
}

/** The same options for the tests and for what is made of them. */
export function toStandOutOptions({ q, strict, baselineDays, listLimit }: StatisticsSettings) {
  return { q, strict, days: baselineDays, limit: listLimit };
}

/** One part that is wanted, and its answer once it is there. */
export class PartCall<N extends PartName = PartName> {
  #answer: { readonly value: Parts[N]["answer"] } | undefined;
  readonly name: N;
  readonly ask: Parts[N]["ask"];
  /** Rows to be read, about: the largest parts are begun first. */
  readonly rows: number;

  constructor(name: N, ask: Parts[N]["ask"], rows: number) {
    this.name = name;
    this.ask = ask;
    this.rows = rows;
  }

  get answer(): Parts[N]["answer"] {
    if (this.#answer === undefined) throw new TypeError(`Cannot read the answer of part ${this.name}: not there yet`);
    return this.#answer.value;
  }

  settle(value: Parts[N]["answer"]): void {
    this.#answer = { value };
  }
}

/** Work a part out in this thread. */
export function workOut<N extends PartName>(context: PartContext, name: N, ask: Parts[N]["ask"]): Parts[N]["answer"] {
  return WORK[name](context, ask);
}
