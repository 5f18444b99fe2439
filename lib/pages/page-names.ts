/** Names of what belongs to a report, and links between its pages. */
import { basename, dirname, join } from "node:path";

/**
 * Path of a file that lies beside a report and takes its name from it, so that two reports in one folder keep theirs:
 * `ams.html` has `ams-stats.html` and `ams-reduced.json`, while `result.html` has the plain names.
 */
export function besideReport(report: string, name: string): string {
  const stem = basename(report).replace(/\.html?$/i, "");
  // "-" is standard output.
  return join(dirname(report), ["", "-", "result"].includes(stem) ? name : `${stem}-${name}`);
}

/** What a run with a report writes. */
export interface ReportPaths {
  /** Counts, cut to the top n and full. */
  readonly json: string;
  readonly arrow: string;
  readonly result: string;
  readonly stats: string;
}

/** @param json Counts in a place of their own; undefined = beside the report. The full ones take their name. */
export function reportPaths(result: string, json = besideReport(result, "reduced.json")): ReportPaths {
  return { json, arrow: `${json.replace(/\.json$/, "")}.arrow`, result, stats: besideReport(result, "stats.html") };
}

/**
 * How two pages in one folder lead to each other; whatever their names hold, they are no other addresses.
 *
 * @returns Nothing where the report goes to standard output: it lies beside no other page.
 */
export function linkPages({ result, stats }: Pick<ReportPaths, "result" | "stats">) {
  const toLink = (path: string) => encodeURIComponent(basename(path));
  return result === "-" ? {} : { statsLink: toLink(stats), reportLink: toLink(result) };
}
