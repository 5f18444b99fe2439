/** Rows that were put into files on their way are those of one builder, and so are the pages that are made of them. */
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { analyzeLarge } from "../../../lib/logs/analyze.ts";
import { reportPaths } from "../../../lib/pages/page-names.ts";
import { collectSessions } from "../../../lib/pages/report-sessions.ts";
import { writeReports } from "../../../lib/pages/run-reports.ts";
import { startSessionWork } from "../../../lib/pages/session-work.ts";
import { OutputSet } from "../../../lib/process/output-file.ts";
import { FIXTURES_FOLDER } from "../../support/example-fleet.ts";

const FLEET = join(FIXTURES_FOLDER, "fleet");
const PARAMETERS = { robotMaxSeconds: 10, sensors: ["hp-ams-01", "hp-nyc-01"] };
const PLACES = { where: "LOGS", scripts: "scripts", folders: [] };

/** What the example is written as, and what was told and left behind. */
async function report(folder: string, rowsHeld: number) {
  const notices: string[] = [];
  const files = reportPaths(join(folder, `${rowsHeld}`, "result.html"), undefined);
  mkdirSync(dirname(files.result));
  const onNotice = (line: string) => void notices.push(line);
  const options = { mode: "continue", mappedDir: join(folder, "tables"), parameters: PARAMETERS, dedupeLines: false, outputs: [], onNotice } as const;
  const analysis = await analyzeLarge([FLEET], { ...options, startBeside: set => startSessionWork(set, PARAMETERS, Infinity) }, { topN: 3, rowsHeld });
  let table;
  {
    using _analysis = analysis;
    await using set = new OutputSet();
    ({ table } = await writeReports(set, {
      counted: analysis,
      files,
      topN: 3,
      values: { threshold: 20, lastNDays: 7 },
      onLimit: onNotice,
      findSessions: (drawn, data, counted) => collectSessions(analysis.beside!, counted, drawn, data, PLACES),
    }));
    await set.commit();
  }
  const { path } = analysis.stored ?? {};
  const written = readdirSync(dirname(files.result)).sort().map(name => [name, Bun.hash(readFileSync(join(dirname(files.result), name)))] as const);
  return { written, notices, path, days: new Set(table.kinds.event.day).size, sensors: table.dictionaries.sensor, spans: [...analysis.spans].sort() };
}

test("few rows at a time give the files, the pages and the words of all at once, and leave nothing behind", async () => {
  const folder = mkdtempSync(join(tmpdir(), "runs-"));
  try {
    const { path: none, ...whole } = await report(folder, Infinity);
    const { path, ...parts } = await report(folder, 1500);
    expect(none).toBeUndefined();
    expect(parts).toEqual(whole);
    expect(whole.written.map(([name]) => name)).toEqual(["reduced.arrow", "reduced.json", "result.html", "stats.html"]);
    expect(existsSync(dirname(path!))).toBe(false);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
