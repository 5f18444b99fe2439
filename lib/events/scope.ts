/**
 * Which events count.
 *
 * Tested in `test/scripts/reduce.test.ts`.
 */

/** What was left out on purpose, so that a reader of the table can tell "none" from "not asked for". */
export interface ReductionParameters {
  /** Sessions shorter than this are robots. */
  readonly robotMaxSeconds: number;
  /** Nodes whose sessions were held against another limit: name -> its seconds. */
  readonly robotMaxSecondsOf?: Readonly<Record<string, number>>;
  /** First and last day kept, days since 1970-01-01 UTC, both inclusive. */
  readonly sinceDay?: number;
  readonly untilDay?: number;
  /** The sensors kept, after aliases; undefined = all. */
  readonly sensors?: readonly string[];
  /** Name in the log -> name counted under. */
  readonly sensorAliases?: Readonly<Record<string, string>>;
}

/** Which events count, read from the options. */
export type EventScope = Omit<ReductionParameters, "robotMaxSeconds">;
