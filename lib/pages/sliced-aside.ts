/**
 * The work on a table that is dealt out as scripts ask for it: a task of a round, and the last step over what all tasks left.
 *
 * Tested in `test/lib/pages/sliced-run.test.ts`.
 */
import { readdirSync } from "node:fs";
import { UsageError } from "../process/command.ts";
import { writeOutputs } from "../process/output-file.ts";
import { Thread } from "../process/thread.ts";
import type { DayBounds } from "../reduced/day-ranges.ts";
import type { Shard } from "../reduced/reduced-table.ts";
import { parseShard } from "../reduced/shards.ts";
import type { TableSelection } from "../reduced/select-table.ts";
import { STATISTICS_DEFAULTS, type StatisticsOptions } from "../statistics/settings.ts";
import type { Statistics } from "../statistics/statistics.ts";
import { errorReason, quoteForMessage } from "../text/text.ts";
import { type PartRound, partPath } from "./part-files.ts";
import type { StatsRequest } from "./stats-run.ts";

export const SHARES_OPTION = {
  shares: {
    type: "path",
    placeholder: "FOLDER",
    help: "Where the tasks of statistics.ts --measure and --compare leave what they find: in place of tables.",
  },
} as const;

/** As of a page of statistics, without what belongs to one page. */
export type SliceOptions = Omit<StatsRequest["options"], "limits" | "allSensors" | "reportLink">;

/** One task of one round. */
export interface TaskAsk {
  readonly round: "measure" | "compare";
  readonly part: Shard;
  /** The table, or all its shards. */
  readonly paths: readonly string[];
  readonly folder: string;
  /** What is looked at of them. */
  readonly selection: TableSelection & { readonly days?: DayBounds };
  readonly options: SliceOptions;
}

/** The files that a task leaves. */
export type TaskAnswer = readonly { readonly round: PartRound; readonly bytes: Uint8Array }[];

/** The last step: which parts, and how its pages lead to each other. */
export interface JoinAsk {
  readonly folder: string;
  readonly of: number;
  /** Of `stats.html`. */
  readonly reportLink?: string;
  /** Make `result.html` too. */
  readonly report?: { readonly topN: number; readonly statsLink?: string };
}

export interface JoinAnswer {
  readonly statistics: Statistics;
  /** `stats.html` */
  readonly html: string;
  /** `result.html` */
  readonly report?: string;
}

const ENTRY = new URL("./slice-worker.ts", import.meta.url);

/**
 * Do one task, in a thread, and write what it leaves.
 *
 * @throws {UsageError} if it is not told which.
 */
export async function doPart(
  { measure, compare, shares }: { readonly measure?: string | undefined; readonly compare?: string | undefined; readonly shares?: string | undefined },
  paths: readonly string[],
  selection: TaskAsk["selection"],
  options: SliceOptions,
): Promise<void> {
  if (shares === undefined) throw new UsageError("Missing --shares: expected the folder that all parts leave what they find in");
  if (measure !== undefined && compare !== undefined) throw new UsageError("Cannot measure and compare at once: expected --measure or --compare");
  const part = parseShard(measure ?? compare, measure === undefined ? "--compare" : "--measure")!;
  using thread = new Thread<TaskAsk, TaskAnswer>(ENTRY, { smol: true });
  const found = await thread.ask({ round: measure === undefined ? "compare" : "measure", part, paths, folder: shares, selection, options });
  await writeOutputs(found.map(({ round, bytes }) => [partPath(shares, round, part), bytes] as const));
}

/**
 * Join what all tasks left.
 *
 * @throws {Error} if a part is missing, or they do not belong together.
 */
export async function joinAside(folder: string, ask: Omit<JoinAsk, "folder" | "of">): Promise<JoinAnswer> {
  using thread = new Thread<JoinAsk, JoinAnswer>(ENTRY, { smol: true });
  return await thread.ask({ folder, of: countParts(folder), ...ask });
}

/**
 * Options of the last step are those of all parts, or none.
 *
 * @throws {UsageError} if one is another.
 */
export function checkOptions({ options }: Pick<Statistics, "options">, asked: StatisticsOptions): void {
  for (const [name, value] of Object.entries(asked)) {
    const key = name as keyof typeof STATISTICS_DEFAULTS;
    if (key in STATISTICS_DEFAULTS && value !== STATISTICS_DEFAULTS[key] && value !== options[key]) {
      throw new UsageError(`Cannot compare otherwise than the parts were (${name} ${String(options[key])}): expected the options of --measure, or none`);
    }
  }
}

/** How many parts a folder is for. */
function countParts(folder: string): number {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    throw new Error(`Cannot read ${quoteForMessage(folder)}: ${errorReason(error)}`, { cause: error });
  }
  const numbers = new Set(names.flatMap(name => /^compared-\d+-of-(\d+)\.part$/.exec(name)?.[1] ?? []));
  if (numbers.size !== 1) {
    const found = numbers.size === 0 ? "no part in it" : `parts of ${[...numbers].join(" and of ")} in it`;
    throw new Error(`Cannot read ${quoteForMessage(folder)}: ${found}, expected those of one run of statistics.ts --measure and --compare`);
  }
  return Number([...numbers][0]);
}
