/**
 * What the examples of the help write, each output in short: a digest of each of its pieces, held against those that were
 * agreed on. A test can so say which piece of which output is another than it was, and a change that nobody meant is seen.
 *
 * Run directly, it writes test/fixtures/outputs.json afresh: after a change of outputs that is meant, and named in its commit.
 */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { listScripts, loadCommand } from "../../lib/process/scripts.ts";
import { type Checkout, makeCheckout } from "./checkout.ts";
import { ROOT, type RunResult } from "./run.ts";

const AGREED = join(ROOT, "test/fixtures/outputs.json");

/** `outputs[name][piece]` = digest; names are `stdout`, `stderr` and paths of files. */
export type Outputs = Record<string, Record<string, string>>;

/** Command lines of all examples, each once. */
export async function listExamples(): Promise<string[]> {
  const commands = await Promise.all(listScripts().map(name => loadCommand(name)));
  return [...new Set(commands.flatMap(command => command?.examples.map(({ run }) => run) ?? []))];
}

/** Agreed outputs by command line, in the wire form of {@link toLines}. */
export function readAgreed(): Record<string, Record<string, string>> {
  return existsSync(AGREED) ? (JSON.parse(readFileSync(AGREED, "utf8")) as Record<string, Record<string, string>>) : {};
}

/** Times and rates differ from run to run, paths from place to place, the next run of a job from day to day; and bash may not know a locale. */
export function normalize(text: string, folder: string): string {
  return text
    .replaceAll(folder, "")
    .replaceAll(`${ROOT}/`, "")
    // Folders are shortened for the eye, and listed for that, where they are long.
    .replaceAll('<span class="far"></span>', "")
    .replace(/"folders":\[[^\]]*\]/g, '"folders":[]')
    .replace(/Next run .*/g, "Next run")
    .replace(/^bash: warning: setlocale: .*\n/gm, "")
    .replace(/\b\d[\d,.]* (?:[kMGT]?B\/s)/g, "RATE")
    .replace(/\b\d[\d,.]* (?:d \d\d h|h \d\d min|min \d\d s|ms|s)\b/g, "TIME")
    .replace(/[ \t]+$/gm, "")
    .trimEnd()
    .concat("\n");
}

/** Files of a folder with their times. Fixtures, links and what is hidden are left out, and tables: what they hold is shown by others. */
export function listWritten(folder: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(folder, path);
    if (entry.isFile() && !/^(?:test|fake-bin)\/|(?:^|\/)\.|\.arrow$/.test(name)) found.set(name, statSync(path).mtimeMs);
  }
  return found;
}

/** What a command wrote: its streams, and the files that are new or newer than `before` says. */
export function digestRun(folder: string, before: ReadonlyMap<string, number>, result: RunResult): Outputs {
  const written = [...listWritten(folder)].filter(([name, time]) => before.get(name) !== time).map(([name]) => name).sort();
  return {
    stdout: digestPieces(result.stdout, folder),
    stderr: digestPieces(result.stderr, folder),
    ...Object.fromEntries(written.map(name => [name, digestFile(folder, name)])),
  };
}

export function digestFile(folder: string, name: string): Record<string, string> {
  return digestPieces(readFileSync(join(folder, name), "latin1"), folder);
}

/** One line an output: `piece:digest`, and the digest alone where it is all one. */
export function toLines(outputs: Outputs): Record<string, string> {
  const line = (pieces: Record<string, string>) => Object.entries(pieces).map(([piece, digest]) => (piece === "" ? digest : `${piece}:${digest}`)).join(" ");
  return Object.fromEntries(Object.entries(outputs).map(([name, pieces]) => [name, line(pieces)]));
}

/** A page by its sections and the parts of its data, without style and script; JSON by its keys; all else whole. */
export function digestPieces(raw: string, folder: string): Record<string, string> {
  const text = normalize(raw, folder);
  if (text === "\n") return { "": "empty" };
  if (/^<!doctype html>/i.test(text)) {
    const body = text.replace(/<style>[^]*?<\/style>|<script[^]*?<\/script>|content="default-src[^"]*"/g, "");
    const sections = body.split(/(?=<section[^>]* id=")/).map(part => [/^<section[^>]* id="([^"]*)"/.exec(part)?.[1] ?? "page", digest(part)]);
    const data = /<script type="application\/json"[^>]*>([^]*?)<\/script>/.exec(raw)?.[1];
    return Object.fromEntries([...sections, ...(data === undefined ? [] : digestData(data, folder))]);
  }
  if (/^\{.*\}\s*$/s.test(text) && !text.includes("\n{")) return Object.fromEntries(digestKeys(JSON.parse(text) as object, ""));
  return { "": digest(text) };
}

/** Data of a page: packed, a part a line, each with its name; or as it is. */
function digestData(data: string, folder: string): (readonly [string, string])[] {
  const { lines, cells, ...others } = JSON.parse(data) as Record<string, string>;
  if (lines === undefined || cells === undefined) return digestKeys(others, "data.");
  const inflate = (packed: string) => Buffer.from(Bun.inflateSync(Buffer.from(packed, "base64")));
  const [page, ...parts] = normalize(inflate(lines).toString(), folder).trimEnd().split("\n");
  return [
    ...digestKeys(JSON.parse(page!) as object, "data."),
    ...parts.map((part, i) => [`data.${/"id":"([\w-]+)"/.exec(part)?.[1] ?? i}`, digest(part)] as const),
    ["data.cells", digest(inflate(cells).toString("latin1"))],
  ];
}

const digestKeys = (value: object, prefix: string) => Object.entries(value).map(([key, part]) => [`${prefix}${key}`, digest(JSON.stringify(part))] as const);

/** Of numbers ten digits: the last ones of a logarithm are the processor's. */
function digest(text: string): string {
  const rounded = text.replace(/-?\d+\.\d{10,}(?:e[-+]\d+)?/g, number => Number(number).toPrecision(10));
  return Bun.hash(rounded).toString(16).padStart(16, "0").slice(0, 8);
}

/** Where examples run, in any order: the logs are mapped, as by a run before. */
export async function makeExampleCheckout(): Promise<Checkout> {
  const checkout = await makeCheckout({ isJoined: true });
  await checkout.shell("bun scripts/map.ts test/fixtures/fleet -q");
  return checkout;
}

/** Run an example where others ran. */
export async function runExample(checkout: Checkout, line: string): Promise<{ result: RunResult; outputs: Record<string, string> }> {
  const before = listWritten(checkout.path);
  const result = await checkout.shell(line);
  return { result, outputs: toLines(digestRun(checkout.path, before, result)) };
}

if (import.meta.main) {
  await using checkout = await makeExampleCheckout();
  const agreed: Record<string, Record<string, string>> = {};
  for (const line of await listExamples()) agreed[line] = (await runExample(checkout, line)).outputs;
  writeFileSync(AGREED, `${JSON.stringify(agreed, null, 1)}\n`);
}
