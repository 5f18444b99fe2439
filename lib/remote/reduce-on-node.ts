/**
 * Logs reduced on the node itself, by Bun there: only counts come back.
 *
 * What runs there is `scripts/reduce.ts` as one file, handed over through standard input with the paths of the logs.
 */
import { randomBytes } from "node:crypto";
import { BEAT_VARIABLE } from "../process/progress.ts";
import { join } from "node:path";
import { formatBytes, toIsoDay } from "../text/format.ts";
import { readReducedStream } from "../reduced/reduced-input.ts";
import type { ReducedTable } from "../reduced/reduced-table.ts";
import { FOLDER, probe, setUp } from "./node-bun.ts";
import { keepCounts, type NodeAnswer, readKeptCounts } from "./kept-counts.ts";
import type { MapNodeOptions } from "./map-node.ts";
import { listRemoteLogs, type RemoteLog, requireLogs, showPath } from "./list-logs.ts";
import { kernelBytes } from "../kernel/kernel-bytes.ts";
import type { Connection } from "../ssh/connection.ts";
import { quoteWord } from "../text/shell.ts";
import { SshError } from "../ssh/ssh-error.ts";
import { quoteForMessage, toSafeJson } from "../text/text.ts";
import { comparePaths, type SourceInfo } from "../events/source.ts";
import { EXIT } from "../process/cli.ts";

/**
 * Counts are smaller than the logs they are made of, but for small logs; packed logs are some ten times larger than they
 * look. What a node says of its logs' sizes it may make up, so there is a limit of our own.
 */
const TABLE_MIN_LIMIT_BYTES = 2 ** 28;
const TABLE_MAX_LIMIT_BYTES = 2 ** 30;
/** Longest piece of a cut line, and longest word on damage, that a node may tell of a log. */
const FRAGMENT_MAX_LENGTH = 1 << 20;
/** A reducer gives so many signs of life in the time after which silence is taken for death, and one in so many seconds. */
const BEATS_PER_TIMEOUT = 4;
const BEAT_MAX_SECONDS = 5;

export interface ReduceOnNodeOptions
  extends Pick<MapNodeOptions, "name" | "paths" | "sudo" | "parameters" | "isFresh" | "keepDuplicates" | "show" | "note"> {
  /** The node must do it; otherwise undefined comes back where it cannot. */
  readonly isRequired: boolean;
  /** Make the node able to reduce, if it is not. */
  readonly hasSetup: boolean;
  /** The logs to be counted, by path as the node has it; undefined = all. */
  readonly only: ReadonlySet<string> | undefined;
  readonly wantsRejects: boolean;
  /** File here for the counts, by which the next run need not ask for them. */
  readonly kept: string;
}

/** A line that holds no event, as its node told of it. */
export interface RejectedLine {
  /** Its log, the node before it. */
  readonly path: string;
  /** With its LF. */
  readonly json: string;
}

export interface ReducedOnNode {
  /** Undefined where no log holds an event. */
  readonly table: ReducedTable | undefined;
  /** Logs that are counted. */
  readonly logs: readonly { readonly source: SourceInfo; readonly remotePath: string }[];
  /** Rejected lines, if they were asked for. */
  readonly rejects: readonly RejectedLine[];
  readonly wireBytes: number;
  readonly leftOut: number;
  /** It has logs without an event; which they are it does not say. */
  readonly hasEmpty: boolean;
  /** Nothing has changed since the last run: these are its counts. */
  readonly isReused: boolean;
  readonly failed: readonly { readonly path: string; readonly reason: string }[];
}

let bundling: Promise<Uint8Array> | undefined;

/** The module of the kernel's bytes with the bytes in it. */
function holdKernel(): { contents: string; loader: "js" } {
  const base64 = kernelBytes().toBase64();
  return { contents: `export const kernelBytes = () => Uint8Array.fromBase64("${base64}");`, loader: "js" };
}

/** `scripts/reduce.ts` and all it needs as one file. */
export function bundle(): Promise<Uint8Array> {
  bundling ??= (async () => {
    const { outputs } = await Bun.build({
      entrypoints: [join(import.meta.dir, "../../scripts/reduce.ts")],
      target: "bun",
      minify: true,
      plugins: [{ name: "kernel", setup: build => void build.onLoad({ filter: /\/kernel-bytes\.ts$/ }, holdKernel) }],
    });
    return new Uint8Array(await outputs[0]!.arrayBuffer());
  })();
  return bundling;
}

/**
 * Have a node reduce its logs.
 *
 * @returns undefined if it has no Bun and need not do it.
 * @throws {SshError} if it has to and cannot.
 */
export async function reduceOnNode(
  connection: Connection,
  options: ReduceOnNodeOptions,
): Promise<ReducedOnNode | undefined> {
  const { paths, sudo, isRequired, hasSetup, only, show, note } = options;
  show("looking for Bun");
  const node = await probe(connection, sudo);
  let { command } = node;
  if (hasSetup && !command?.endsWith(`${FOLDER}/bun`)) {
    try {
      command = await setUp(connection, node, options);
    } catch (error) {
      if (isRequired || !(error instanceof SshError) || error.fault !== "command") throw error;
      note(`${error.message}; reading its logs here`);
      return undefined;
    }
  }
  if (command === undefined) {
    if (!isRequired) return undefined;
    throw new SshError("command", `no Bun ${Bun.version} there (--setup brings it, --reduce-on here does without)`);
  }
  show("looking for logs");
  const listing = await listRemoteLogs(connection, { paths, sudo });
  const found = [...requireLogs(listing)].sort((a, b) => comparePaths(a.path, b.path));
  const denied = found.flatMap(({ isReadable, path }) => (isReadable ? [] : [{ path, reason: "permission denied (--sudo reads as root)" }]));
  const failed = [...listing.odd, ...denied].map(({ path, reason }) => ({ path: showPath(path), reason }));
  const readable = found.filter(
    ({ isReadable, sizeBytes, path }) => isReadable && sizeBytes > 0 && (only === undefined || only.has(path)),
  );
  // Bun takes its arguments for UTF-8 and would look for another name.
  const isOdd = ({ path }: RemoteLog) => Buffer.from(showPath(path)).toString("latin1") !== path;
  const odd = readable.filter(isOdd);
  if (odd.length > 0 && !isRequired) return undefined;
  for (const { path } of odd) {
    failed.push({
      path: showPath(path),
      reason: "its name is no UTF-8, which Bun there cannot open (--reduce-on here can)",
    });
  }
  for (const { path, reason } of failed) note(`${quoteForMessage(path)}: ${reason}`);
  const logs = readable.filter(log => !isOdd(log));
  if (logs.length === 0) {
    // As where a sensor was set up this hour.
    if (failed.length === 0) note(NO_EVENT_NOTE);
    return { table: undefined, logs: [], rejects: [], wireBytes: 0, leftOut: 0, isReused: false, hasEmpty: false, failed };
  }
  const code = await bundle();
  const question = questionOf(connection, logs, code, options);
  const known = options.isFresh ? undefined : await readKeptCounts(options.kept, question);
  if (known !== undefined) {
    const reused = await readAnswer(known, logs, options).catch(() => undefined);
    if (reused !== undefined) return { ...reused, wireBytes: 0, isReused: true, failed };
  }
  const { answer, wireBytes } = await askNode(connection, command, logs, code, options);
  const read = await readAnswer(answer, logs, options);
  keepCounts(options.kept, question, answer);
  return { ...read, wireBytes, isReused: false, failed };
}

/** All that the counts of logs depend on. */
function questionOf(
  { host: { host, port, user } }: Connection,
  logs: readonly RemoteLog[],
  code: Uint8Array,
  { name, sudo, parameters, keepDuplicates, wantsRejects }: ReduceOnNodeOptions,
): unknown {
  const program = new Bun.CryptoHasher("sha256").update(code).digest("hex");
  const files = logs.map(({ path, sizeBytes, mtime, inode }) => [path, sizeBytes, mtime, inode]);
  return [Bun.version, program, host, port, user, name, sudo, parameters, keepDuplicates, wantsRejects, files];
}

/**
 * Have a node reduce logs.
 *
 * @throws {SshError} if it does not come to an end with them.
 */
async function askNode(
  connection: Connection,
  command: string,
  logs: readonly RemoteLog[],
  code: Uint8Array,
  options: ReduceOnNodeOptions,
): Promise<{ readonly answer: NodeAnswer; readonly wireBytes: number }> {
  const totalBytes = logs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  options.show(`reducing there, ${formatBytes(totalBytes)}`);
  const limitBytes = Math.min(TABLE_MAX_LIMIT_BYTES, Math.max(TABLE_MIN_LIMIT_BYTES, totalBytes));
  const mark = randomBytes(16).toString("hex");
  const list = Buffer.from(logs.map(({ path }) => `${path}\0`).join(""), "latin1");
  const beatSeconds = Math.min(BEAT_MAX_SECONDS, connection.timeoutMs / 1000 / BEATS_PER_TIMEOUT);
  const script = Buffer.from(reduceScript(command, code.length, mark, beatSeconds, options), "latin1");
  const chunks: Buffer[] = [];
  let wireBytes = 0;
  const { exitCode, stderr } = await connection.stream(
    script,
    data => {
      wireBytes += data.length;
      if (wireBytes > limitBytes) {
        throw new SshError("garbage", `it sends more than ${formatBytes(limitBytes)} of counts`);
      }
      chunks.push(data);
    },
    { sudo: options.sudo, stdin: Buffer.concat([code, list]) },
  );
  const bytes = Buffer.concat(chunks);
  const end = bytes.indexOf(mark);
  if (end < 0) throw new SshError("lost", "its answer broke off");
  if (end === 0) {
    const reason = stderr.trim().split("\n").at(-1) ?? "";
    if (!reason.includes(NO_EVENT)) {
      throw new SshError("command", `its reducer failed (status ${exitCode}): ${quoteForMessage(reason)}`);
    }
  }
  const isPartial = exitCode === EXIT.damaged;
  const answer = { table: bytes.subarray(0, end), rejects: bytes.subarray(end + mark.length), isPartial };
  return { answer, wireBytes };
}

/**
 * Read what a node has answered about logs.
 *
 * @throws {SshError} if it cannot be meant.
 */
async function readAnswer(
  answer: NodeAnswer,
  logs: readonly RemoteLog[],
  { name, parameters, note }: ReduceOnNodeOptions,
): Promise<Pick<ReducedOnNode, "table" | "logs" | "rejects" | "leftOut" | "hasEmpty">> {
  if (answer.table.length === 0) {
    note(NO_EVENT_NOTE);
    return { table: undefined, logs: [], rejects: [], leftOut: logs.length, hasEmpty: true };
  }
  let table: ReducedTable;
  try {
    table = await readReducedStream(answer.table);
    checkSources(table.info.sources, new Set(logs.map(({ path }) => showPath(path))));
  } catch (error) {
    throw new SshError("garbage", `its counts cannot be read: ${quoteForMessage((error as Error).message)}`, {
      cause: error,
    });
  }
  const asked = new Map(logs.map(({ path }) => [showPath(path), path]));
  const counted = table.info.sources.map(source => ({
    source: { ...source, path: `${name}:${source.path}` },
    remotePath: asked.get(source.path)!,
  }));
  const sources = counted.map(({ source }) => source);
  return {
    table: { ...table, info: { ...table.info, parameters, sources } },
    logs: counted,
    rejects: readRejectedLines(answer.rejects, name),
    leftOut: logs.length - sources.length,
    // Of damaged logs the table tells; of those without an event only that there are some.
    hasEmpty: answer.isPartial && sources.every(({ damage }) => damage === undefined),
  };
}

/** What reduce.ts says where no log holds an event. */
const NO_EVENT = "Cannot find an event in any log";
const NO_EVENT_NOTE = "no Cowrie event in its logs";

/**
 * The command that has logs reduced; its text has every byte of a path as one character.
 *
 * @param codeBytes So much of what comes through standard input is the reducer; the rest is the list of the logs.
 */
function reduceScript(
  command: string,
  codeBytes: number,
  mark: string,
  beatSeconds: number,
  { parameters, isFresh, keepDuplicates, wantsRejects }: ReduceOnNodeOptions,
): string {
  const flags = [
    "--quiet",
    ...["--jobs", "1"],
    ...["--outfile", "-"],
    ...(isFresh ? ["--mode", "w"] : []),
    ...(keepDuplicates ? ["--keep-duplicates"] : []),
    ...["--robot-max-seconds", String(parameters.robotMaxSeconds)],
    ...(parameters.sinceDay === undefined ? [] : ["--since", toIsoDay(parameters.sinceDay)]),
    ...(parameters.untilDay === undefined ? [] : ["--until", toIsoDay(parameters.untilDay)]),
    ...(parameters.sensors ?? []).flatMap(sensor => [`--sensor=${sensor}`]),
  ];
  const aliases = Object.entries(parameters.sensorAliases ?? {})
    .map(([from, to]) => `${from}=${to}\n`)
    .join("");
  const isKept = command.endsWith(`${FOLDER}/bun`);
  const words = (list: readonly string[]) =>
    list.map(word => quoteWord(Buffer.from(word).toString("latin1"))).join(" ");
  return `
umask 077
d=${isKept ? `"$HOME/${FOLDER}"` : '"$(mktemp -d)" || exit 1'}
i="$d/input.$$" c="$d/code.$$.js" l="$d/logs.$$" a="$d/aliases.$$" r="$d/rejects.$$"
clean() { ${isKept ? 'rm -f "$i" "$c" "$l" "$a" "$r"' : 'rm -rf -- "$d"'}; }
trap clean EXIT
trap 'exit 143' TERM HUP INT
take >"$i" || exit 1
watch
# Not from standard input itself: some take more from it than they give.
head -c ${codeBytes} <"$i" >"$c" && tail -c +${codeBytes + 1} <"$i" >"$l" && rm -f "$i" || exit 1
${aliases === "" ? "" : `printf '%s' ${words([aliases])} >"$a"`}
mkdir -p "$d/tables" "$d/state"
${BEAT_VARIABLE}=${beatSeconds} XDG_STATE_HOME="$d/state" nice -n 19 ${quoteWord(command)} --smol run "$c" ${words(flags)} --mapped-dir "$d/tables" \
${aliases === "" ? "" : '--sensor-alias "$a"'} ${wantsRejects ? '--rejects "$r"' : ""} --files0-from "$l" </dev/null &
wait $!
code=$?
printf ${mark}
if [ -f "$r" ]; then cat "$r"; fi
( exit $code )
`;
}

/**
 * Hold what a node says of its logs against what was asked: it may be anything, and decides what counts of other nodes.
 *
 * @throws {TypeError} if it cannot be true.
 */
function checkSources(sources: readonly SourceInfo[], asked: ReadonlySet<string>): void {
  const seen = new Set<string>();
  const isHash = (value: unknown) => typeof value === "string" && /^[0-9a-f]{16}$/.test(value);
  const isText = (value: unknown) =>
    value === undefined || (typeof value === "string" && value.length <= FRAGMENT_MAX_LENGTH);
  for (const { path, headHash, wholeHash, ...rest } of sources) {
    if (!asked.has(path) || seen.has(path)) throw new TypeError("it names a log that was not asked for");
    seen.add(path);
    const isSound =
      [headHash, wholeHash].every(isHash) &&
      [rest.damage, rest.head, rest.tail].every(isText) &&
      rest.cut === undefined;
    if (!isSound) throw new TypeError("what it says of a log cannot be true");
  }
}

/** Rejected lines as a node wrote them, with its name before the log's; what is no such line is passed over. */
function readRejectedLines(bytes: Buffer, name: string): RejectedLine[] {
  const lines: RejectedLine[] = [];
  for (const json of bytes.toString("utf8").split("\n")) {
    if (json === "") continue;
    try {
      const { source, line, text, base64 } = JSON.parse(json) as Record<string, unknown>;
      if (typeof source !== "string" || !Number.isSafeInteger(line)) continue;
      const content = typeof text === "string" ? { text } : typeof base64 === "string" ? { base64 } : undefined;
      const path = `${name}:${source}`;
      if (content !== undefined) lines.push({ path, json: `${toSafeJson({ source: path, line, ...content })}\n` });
    } catch {
      // Not what our reducer writes.
    }
  }
  return lines;
}
