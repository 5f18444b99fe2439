/**
 * Which source the kernel was last compiled of, so that a test need not compile it where neither has changed since.
 *
 * Run directly, as `bun run build` does, it writes test/fixtures/kernel.json afresh.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { kernelBytes } from "../../lib/kernel/kernel-bytes.ts";
import { ROOT } from "./run.ts";

const RECORD = join(ROOT, "test/fixtures/kernel.json");

/** Digests of all that the kernel is made of, and of the kernel. */
function describeKernel(): { source: string; kernel: string } {
  const folder = join(ROOT, "lib/kernel/assembly");
  const paths = [...readdirSync(folder).sort().map(name => join(folder, name)), join(ROOT, "lib/kernel/asconfig.json"), join(ROOT, "bun.lock")];
  const source = new Bun.CryptoHasher("sha256");
  for (const path of paths) {
    const text = readFileSync(path, "utf8");
    source.update(path.endsWith("bun.lock") ? (/"assemblyscript@[^\n]*/.exec(text)?.[0] ?? "") : `${path.slice(ROOT.length)}\n${text}`);
  }
  return { source: source.digest("hex"), kernel: new Bun.CryptoHasher("sha256").update(kernelBytes()).digest("hex") };
}

/** Whether this very kernel was compiled of this very source. */
export function isKernelKnown(): boolean {
  return JSON.stringify(JSON.parse(readFileSync(RECORD, "utf8"))) === JSON.stringify(describeKernel());
}

if (import.meta.main) writeFileSync(RECORD, `${JSON.stringify(describeKernel(), null, 1)}\n`);
