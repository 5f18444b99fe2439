/**
 * What does a question cost whose logs were read before?
 *
 *   bun test/bench/questions.bench.ts [--data DIR] [--megabytes N] [--runs N]
 *
 * The logs are read once by analyze-local, which keeps event tables and digests (not timed). Each question must be answered
 * from these as it is where the logs are read anew and no digest is there, before anything is timed: processes of their own,
 * from their start to their end.
 */
import { join } from "node:path";
import { makeTempDir, ROOT, run } from "../support/run.ts";
import { assertAgreement, compete, type Measure, prepare } from "./measure.ts";

const QUESTIONS = [
  ["value-counts", "--column", "src_ip"],
  ["value-counts", "--event", "login.failed", "--column", "username,password"],
  ["summary", "--json"],
  ["command-chains", "--json"],
  ["campaigns", "--json"],
  ["indicators", "--format", "json"],
] as const;

/** The busiest address of the logs is traced. */
const ADDRESSES = ["value-counts", "--column", "src_ip", "--csv", "-n", "1"] as const;

async function main(argv: string[]): Promise<void> {
  const options = await prepare(argv);
  if (!options) return;
  await using temp = await makeTempDir();
  const { data } = options;
  const kept = join(temp.path, "kept");
  const ask = async ([script, ...args]: readonly string[], mappedDir: string) => {
    const startMs = performance.now();
    const done = await run([process.execPath, join(ROOT, "scripts", `${script}.ts`), data, "--mapped-dir", mappedDir, "--quiet", ...args]);
    if (done.exitCode !== 0) throw new Error(`Cannot run ${script}: ${done.stderr}`);
    return { ...done, ms: performance.now() - startMs };
  };
  await ask(["analyze-local", "-o", join(temp.path, "page.html")], kept);
  const [, top = ""] = (await ask(ADDRESSES, kept)).stdout.split("\n");
  const questions: readonly (readonly string[])[] = [...QUESTIONS, ["trace-ip", "-i", top.split(",")[0]!]];
  for (const question of questions) {
    const [again, anew] = [await ask(question, kept), await ask([...question, "-m", "w"], join(temp.path, "anew"))];
    assertAgreement(new Map([[question.join(" "), again.stdout], ["the same of logs read anew", anew.stdout]]));
  }
  await compete(
    "Questions over logs that were read before",
    options,
    questions.map(question => ({
      name: question.join(" "),
      measure: async (): Promise<Measure> => ({ ...(await ask(question, kept)), detail: {} }),
    })),
  );
}

if (import.meta.main) await main(Bun.argv.slice(2));
