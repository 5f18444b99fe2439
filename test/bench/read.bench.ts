/**
 * How fast is reading on one core, against JSON.parse per line into Maps, and how far from the floor?
 *
 *   bun test/bench/read.bench.ts [--data DIR] [--megabytes N] [--runs N]
 *
 * Floor: reading the bytes and finding the line ends. The toolkit keeps every column of every event; the plain rival
 * only counts. Both must give the same rows before anything is timed.
 */
import { join } from "node:path";
import { makeTempDir } from "../support/run.ts";
import { assertAgreement, compete, measureRival, ONE_CORE, prepare } from "./measure.ts";

async function main(argv: string[]): Promise<void> {
  const options = await prepare(argv);
  if (!options) return;
  const { data } = options;
  const toolkit = { prefix: ONE_CORE, file: "toolkit.ts" };
  const withoutKernel = { ...toolkit, env: { COWRIE_PLAIN: "1" } };

  await using temp = await makeTempDir();
  const answers = new Map<string, string>();
  const asked = [
    ["plain", "plain", {}],
    ["toolkit", "read", toolkit],
    ["toolkit without the kernel", "read", withoutKernel],
  ] as const;
  for (const [name, rival, how] of asked) {
    const rows = join(temp.path, name);
    await measureRival(rival, [data, "--rows", rows], how);
    answers.set(name, await Bun.file(rows).text());
  }
  assertAgreement(answers);

  const where = ONE_CORE.length > 0 ? "held to one core" : "one thread, not held to a core";
  await compete(`Reading, ${where}`, options, [
    { name: "floor: bytes and line ends", measure: () => measureRival("floor", [data], { prefix: ONE_CORE }) },
    { name: "toolkit: event tables", measure: () => measureRival("read", [data], toolkit) },
    { name: "toolkit: the same without the kernel", measure: () => measureRival("read", [data], withoutKernel) },
    { name: "plain: JSON.parse into Maps", measure: () => measureRival("plain", [data], { prefix: ONE_CORE }) },
  ]);
}

if (import.meta.main) await main(Bun.argv.slice(2));
