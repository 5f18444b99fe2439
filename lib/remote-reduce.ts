/**
 * Logs reduced on the node itself, by Bun there: only counts come back.
 *
 * What runs there is `reduce.ts` as one file, handed over through standard input. Only `setUp` leaves anything on a
 * node: this Bun, and the event tables by which the next run is quicker.
 */
import { readFileSync } from "node:fs";
import { EXECUTABLE } from "./cli.ts";
import { join } from "node:path";
import { requireLogs } from "./download.ts";
import { formatBytes, toIsoDay } from "./format.ts";
import { comparePaths } from "./reduced-builder.ts";
import { readReducedStream } from "./reduced-input.ts";
import type { ReducedTable, ReductionParameters } from "./reduced-table.ts";
import { listRemoteLogs, showPath } from "./remote-logs.ts";
import { type Connection, shellQuote, SshError } from "./ssh.ts";
import { quoteForMessage } from "./text.ts";

/** Folder on a node, below the user's home. */
const FOLDER = ".cache/cowrie-longitudinal";
/** A reduced table larger than this is none. */
const TABLE_MAX_BYTES = 2 ** 31;
/** A node calculates without a word; a day of logs takes seconds, an archive minutes. */
const SILENCE_MAX_MS = 3_600_000;

export interface ReduceOnNodeOptions {
  readonly name: string;
  readonly paths: readonly string[];
  readonly sudo: boolean;
  readonly parameters: ReductionParameters;
  readonly isFresh: boolean;
  /** The node must do it; otherwise undefined comes back where it cannot. */
  readonly isRequired: boolean;
  readonly hasSetup: boolean;
  readonly show: (text: string) => void;
  readonly note: (text: string) => void;
}

export interface ReducedOnNode {
  readonly table: ReducedTable;
  readonly wireBytes: number;
  readonly leftOut: number;
  readonly failed: readonly { readonly path: string; readonly reason: string }[];
}

let bundling: Promise<Uint8Array> | undefined;

/** `reduce.ts` and all it needs as one file. */
function bundle(): Promise<Uint8Array> {
  bundling ??= (async () => {
    const { outputs } = await Bun.build({
      entrypoints: [join(import.meta.dir, "../scripts/reduce.ts")],
      target: "bun",
      minify: true,
    });
    return new Uint8Array(await outputs[0]!.arrayBuffer());
  })();
  return bundling;
}

/** What a node answers about the Bun it has. */
interface NodeBun {
  /** Command that runs it; undefined = none of our version. */
  readonly command: string | undefined;
  readonly machine: string;
  readonly libc: string;
  /** Free bytes in the user's home. */
  readonly freeBytes: number;
}

const PROBE = `
d="$HOME/${FOLDER}"
for b in "$d/bun" "$(command -v bun 2>/dev/null)" "$HOME/.bun/bin/bun"; do
  if [ -x "$b" ] && [ "$("$b" --version 2>/dev/null)" = ${Bun.version} ]; then printf 'bun %s\\n' "$b"; break; fi
done
printf 'machine %s\\n' "$(uname -sm)"
if ls /lib/ld-musl-* >/dev/null 2>&1; then echo libc musl; else echo libc glibc; fi
printf 'free %s\\n' "$(df -Pk "$HOME" 2>/dev/null | awk 'NR==2 {print $4}')"
`;

async function probe(connection: Connection, sudo: boolean): Promise<NodeBun> {
  const { stdout } = await connection.run(PROBE, { sudo });
  const text = stdout.toString("utf8");
  const value = (key: string) => new RegExp(`^${key} (.+)$`, "m").exec(text)?.[1];
  return {
    command: value("bun"),
    machine: value("machine") ?? "",
    libc: value("libc") ?? "",
    freeBytes: Number(value("free") ?? NaN) * 1024,
  };
}

/** This machine in the words of `uname -sm`, and its libc. */
function ownMachine(): { machine: string; libc: string } {
  const { stdout } = Bun.spawnSync(["uname", "-sm"]);
  const isMusl = [...new Bun.Glob("ld-musl-*").scanSync({ cwd: "/lib", onlyFiles: false })].length > 0;
  return { machine: stdout.toString().trim(), libc: isMusl ? "musl" : "glibc" };
}

/**
 * Put this Bun into the user's folder on the node.
 *
 * @returns The command that runs it.
 * @throws {SshError} if it cannot run there.
 */
async function setUp(
  connection: Connection,
  node: NodeBun,
  { sudo, show, note }: ReduceOnNodeOptions,
): Promise<string> {
  const own = ownMachine();
  if (node.machine !== own.machine || node.libc !== own.libc) {
    throw new SshError(
      "command",
      `cannot set up: it is ${quoteForMessage(`${node.machine}, ${node.libc}`)}, this Bun is for ${own.machine}, ${own.libc}`,
    );
  }
  const executable = ownExecutable();
  if (node.freeBytes < executable.length * 1.2) {
    throw new SshError(
      "command",
      `cannot set up: ${formatBytes(node.freeBytes)} free, ${formatBytes(executable.length)} needed`,
    );
  }
  show(`setting up, ${formatBytes(executable.length)}`);
  const digest = new Bun.CryptoHasher("sha256").update(executable).digest("hex");
  const script = `
umask 077
d="$HOME/${FOLDER}" && mkdir -p "$d" && take >"$d/bun.part" && chmod 700 "$d/bun.part" || exit 1
if command -v sha256sum >/dev/null; then
  [ "$(sha256sum <"$d/bun.part" | cut -c 1-64)" = ${digest} ] || { rm -f "$d/bun.part"; exit 2; }
fi
[ "$("$d/bun.part" --version 2>/dev/null)" = ${Bun.version} ] || { rm -f "$d/bun.part"; exit 3; }
mv -f "$d/bun.part" "$d/bun" && printf '%s' "$d/bun"
`;
  const { stdout, exitCode, stderr } = await connection.run(script, { sudo, stdin: executable });
  if (exitCode !== 0) {
    const reason =
      exitCode === 3 ? "Bun does not run there" : exitCode === 2 ? "it did not arrive whole" : stderr.trim();
    throw new SshError("command", `cannot set up: ${quoteForMessage(reason)}`);
  }
  note(`Bun ${Bun.version} is in ~/${FOLDER} now (--remove takes it away)`);
  return stdout.toString("utf8");
}

let executableBytes: Uint8Array | undefined;

/** The Bun that runs this, read once for all nodes. */
function ownExecutable(): Uint8Array {
  return (executableBytes ??= readFileSync(EXECUTABLE));
}

/**
 * Take away what a setup has left.
 *
 * @returns Whether there was anything.
 */
export async function removeSetup(connection: Connection, sudo: boolean): Promise<boolean> {
  const script = `d="$HOME/${FOLDER}"; [ -e "$d" ] || exit 9; rm -rf -- "$d"`;
  const { exitCode, stderr } = await connection.run(script, { sudo });
  if (exitCode !== 0 && exitCode !== 9)
    throw new SshError("command", `cannot remove: ${quoteForMessage(stderr.trim())}`);
  return exitCode === 0;
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
  const { name, paths, sudo, parameters, isFresh, isRequired, hasSetup, show, note } = options;
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
  const logs = [...requireLogs(await listRemoteLogs(connection, { paths, sudo }))].sort((a, b) =>
    comparePaths(a.path, b.path),
  );
  const failed = logs
    .filter(({ isReadable }) => !isReadable)
    .map(({ path }) => ({ path: showPath(path), reason: "permission denied (--sudo reads as root)" }));
  const readable = logs.filter(({ isReadable, sizeBytes }) => isReadable && sizeBytes > 0);
  // Bun takes its arguments for UTF-8 and would look for another name.
  const isOdd = readable.some(({ path }) => Buffer.from(showPath(path)).toString("latin1") !== path);
  if (isOdd && !isRequired) return undefined;
  show(`reducing there, ${formatBytes(readable.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0))}`);
  const flags = [
    "--quiet",
    ...["--jobs", "1"],
    ...["--outfile", "-"],
    ...(isFresh ? ["--mode", "w"] : []),
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
    list.map(word => shellQuote(Buffer.from(word).toString("latin1"))).join(" ");
  const code = await bundle();
  const script = Buffer.from(
    `
umask 077
d=${isKept ? `"$HOME/${FOLDER}"` : '"$(mktemp -d)" || exit 1'}
clean() { ${isKept ? 'rm -f "$d/code.$$.js" "$d/aliases.$$"' : 'rm -rf -- "$d"'}; }
trap clean EXIT
trap 'exit 143' TERM HUP INT
take >"$d/code.$$.js" || exit 1
watch
${aliases === "" ? "" : `printf '%s' ${words([aliases])} >"$d/aliases.$$"`}
mkdir -p "$d/tables"
nice -n 19 ${shellQuote(command)} --smol run "$d/code.$$.js" ${words(flags)} --mapped-dir "$d/tables" \
${aliases === "" ? "" : '--sensor-alias "$d/aliases.$$"'} -- ${readable.map(({ path }) => shellQuote(path)).join(" ")} </dev/null &
wait $!
`,
    "latin1",
  );
  const chunks: Buffer[] = [];
  let wireBytes = 0;
  const { exitCode, stderr } = await connection.stream(
    script,
    data => {
      wireBytes += data.length;
      if (wireBytes > TABLE_MAX_BYTES) throw new SshError("garbage", "it sends more than can be meant");
      chunks.push(data);
    },
    { sudo, stdin: code, timeoutMs: SILENCE_MAX_MS },
  );
  // 1 with a table: a log was damaged, which the table tells.
  if (chunks.length === 0) {
    const reason = stderr.trim().split("\n").at(-1) ?? "";
    throw new SshError("command", `its reducer failed (status ${exitCode}): ${quoteForMessage(reason)}`);
  }
  let table: ReducedTable;
  try {
    table = await readReducedStream(Buffer.concat(chunks));
  } catch (error) {
    throw new SshError("garbage", `its counts cannot be read: ${quoteForMessage((error as Error).message)}`, {
      cause: error,
    });
  }
  const sources = table.info.sources.map(source => ({ ...source, path: `${name}:${source.path}` }));
  return {
    table: { ...table, info: { ...table.info, sources } },
    wireBytes,
    leftOut: readable.length - sources.length,
    failed,
  };
}
