/**
 * Lines that hold no event, as they are handed out: one JSON object a line, with the log and the number of the line.
 */
import { createReadStream, existsSync } from "node:fs";
import type { OutputSet } from "../process/output-file.ts";
import type { Seam } from "../reduced/joined-lines.ts";
import { toSafeJson } from "../text/text.ts";

/** One line of the file of rejects: the text, or its bytes in base64 where they are no UTF-8. */
export function rejectToJson(path: string, line: number, bytes: Uint8Array): string {
  let content: { text: string } | { base64: string };
  try {
    content = { text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    // Not UTF-8, which is one reason to be rejected.
    content = { base64: Buffer.from(bytes).toString("base64") };
  }
  return `${toSafeJson({ source: path, line, ...content })}\n`;
}

/** The rejected lines of all logs but the halves that were joined in the meantime. */
export async function* readRejects(
  jobs: readonly { readonly path: string; readonly rejectsPath?: string | undefined }[],
  seams: readonly Seam[],
): AsyncGenerator<string> {
  const heads = new Set(seams.map(({ after }) => after.path));
  const tails = new Map(seams.map(({ before }) => [before.path, before.tail]));
  // Most runs ask for none.
  const { createInterface } = await import("node:readline");
  for (const { path, rejectsPath } of jobs) {
    if (rejectsPath === undefined || !existsSync(rejectsPath)) continue;
    for await (const json of createInterface({ input: createReadStream(rejectsPath) })) {
      if (heads.has(path) || tails.has(path)) {
        const { line, text } = JSON.parse(json) as { line: number; text?: string };
        if ((line === 1 && heads.has(path)) || text === tails.get(path)) continue;
      }
      yield `${json}\n`;
    }
  }
}

/** Write the lines that hold no event, if they were asked for. */
export async function writeRejects(outputs: OutputSet, path: string | undefined, set: { rejects(): AsyncIterable<string> }): Promise<void> {
  if (path === undefined) return;
  const output = await outputs.open(path);
  for await (const line of set.rejects()) await output.write(line);
}
