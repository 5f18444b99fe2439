#!/usr/bin/env bun
/**
 * `bun run test`: all tests, files side by side; at the end, in a line each, which were skipped for want of what.
 *
 * Arguments go to `bun test` as they are.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NEEDS } from "./needs.ts";
import { ROOT } from "./run.ts";

if (import.meta.main) {
  const folder = await mkdtemp(join(tmpdir(), "cowrie-tests-"));
  const report = join(folder, "junit.xml");
  // The slowest first, so that none is left alone at the end; roughly is enough (`--update-timings` writes them anew).
  const timings = `--timings=${join(import.meta.dir, "timings.json")}`;
  const options = ["--parallel", timings, "--reporter=junit", `--reporter-outfile=${report}`];
  const child = Bun.spawn([process.execPath, "test", ...options, ...process.argv.slice(2)], {
    cwd: ROOT,
    stdio: ["ignore", "inherit", "inherit"],
  });
  process.exitCode = await child.exited;
  const file = Bun.file(report);
  if (await file.exists()) for (const line of describeSkipped(await file.text())) console.log(line);
  await rm(folder, { recursive: true, force: true });
}

/**
 * What was skipped, from the runner's report.
 *
 * @param junit The report of `bun test --reporter=junit`.
 * @returns One line for each reason, most tests first; then the command that installs all that is lacking, if anything is.
 */
export function describeSkipped(junit: string): string[] {
  const counts = new Map<string, number>();
  for (const [, own, groups] of junit.matchAll(/<testcase name="([^"]*)" classname="([^"]*)"[^>]*>\s*<skipped/g)) {
    const reason = /\(skipped: ([^)]*)\)/.exec(`${own} ${groups}`)?.[1] ?? "no reason given";
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  if (counts.size === 0) return [];
  const needs = Object.values(NEEDS);
  const lines = [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => {
      const tests = needs.find(need => need.reason === reason)?.tests;
      return `Skipped ${count} ${count === 1 ? "test" : "tests"}${tests === undefined ? "" : ` ${tests}`}: ${reason}`;
    });
  const packages = needs.flatMap(need => (need.package !== undefined && !need.isThere() ? [need.package] : []));
  if (packages.length === 0) return lines;
  return [...lines, `All that lack a program run after: apt-get install -y --no-install-recommends ${packages.join(" ")}`];
}
