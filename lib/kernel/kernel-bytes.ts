/**
 * The kernel as it is built, beside its source: `bun run build` makes it, and a test that it is made of that source.
 *
 * A bundle has no file beside it: there, this module is replaced by one that holds the bytes (`remote/reduce-on-node.ts`).
 *
 * Tested in `test/lib/kernel/kernel.test.ts`.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export function kernelBytes(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(join(import.meta.dir, "kernel.wasm")));
}
