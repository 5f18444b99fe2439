/**
 * A standing attacker: each round draws logs, tables, nodes, files and a command line from a seed, and holds one script
 * to what it promises whatever it is given (see watched.ts).
 *
 * COWRIE_FUZZ_SECONDS is how long it goes on (5 by default); the time decides how many rounds there are, never whether
 * one is well. COWRIE_FUZZ_SEED is the first seed: with that of a report, its round comes first.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeFakeCrontab } from "../support/crontab.ts";
import { ROOT } from "../support/run.ts";
import { startFakeServer } from "../support/ssh-server.ts";
import { Attacker, type Sound } from "./attacker.ts";
import { faultsOf, faultsOfOutputs, namesBelow, UNTOUCHED, type Watched, watch, type Yardstick } from "./watched.ts";

const SECONDS = Number(Bun.env.COWRIE_FUZZ_SECONDS ?? 5);
const FIRST_SEED = Number(Bun.env.COWRIE_FUZZ_SEED ?? 1);
/** Seeds that each reader is given in one round of them. */
const READER_SEEDS = 60;
const OUTPUTS = ["r.json", "r.arrow", "r.html", "r-stats.html"];

let folder: string;
let sound: Sound;
/** One for scripts that read logs, which work in threads, and one for those that read a table. */
let yardstick: Yardstick;

const script = (name: string) => [process.execPath, join(ROOT, "scripts", `${name}.ts`)];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cowrie-fuzz-"));
  const at = (name: string) => join(folder, name);
  const fixture = (name: string) => Bun.file(join(ROOT, "test/fixtures", name)).text();
  const fleet = (await fixture("fleet/hp-sgp-01/cowrie.json")).split("\n").slice(0, 120).join("\n");
  const cases = ["session-of-today", "upload-forms", "scan-verdicts"].map(name => fixture(`cases/${name}/input/cowrie.json`));
  await Bun.write(at("sound.log"), [fleet, ...(await Promise.all(cases))].join("\n"));
  const run = await watch([...script("analyze-local"), at("sound.log"), "-f", at("sound.json"), "-o", at("sound.html")], { cwd: folder });
  expect(run).toMatchObject({ exitCode: 0, broke: undefined });
  yardstick = run;
  sound = {
    lines: (await Bun.file(at("sound.log")).text()).split("\n").filter(line => line !== "").map(line => Buffer.from(line)),
    eventTable: await Bun.file(at("sound.log.arrow")).bytes(),
    reducedTable: await Bun.file(at("sound.arrow")).bytes(),
    reducedJson: await Bun.file(at("sound.json")).text(),
  };
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A round: how a script is called, on what, and how many bytes of it. */
interface Round {
  readonly args: string[];
  readonly inputBytes: number;
  readonly stdin?: Uint8Array;
  readonly env?: Record<string, string>;
  /** Arrow goes to stdout. */
  readonly isBinary?: boolean;
}

type Draw = (attacker: Attacker, cwd: string) => Round | Promise<Round>;

const maybe = (attacker: Attacker, ...args: string[]) => (attacker.random.chance(0.2) ? args : []);
/** Most command lines are sound, or no script would ever get to its input. */
const mostly = (attacker: Attacker, ...sound: string[]) => (attacker.random.chance(0.1) ? attacker.text() : attacker.random.pick(sound));

/** Logs in a tree, a file, or on standard input. */
async function drawLogs(attacker: Attacker, cwd: string): Promise<Round> {
  const { random } = attacker;
  const scope = [
    ...maybe(attacker, "-m", mostly(attacker, "c", "w")),
    ...maybe(attacker, "--jobs", random.pick(["1", "2"])),
  ];
  if (random.chance(0.2)) {
    const stdin = attacker.log();
    return { args: ["-", ...scope], inputBytes: stdin.length, stdin };
  }
  const inputBytes = await attacker.tree(join(cwd, "logs"));
  return { args: [...maybe(attacker, "--keep-duplicates"), "logs", ...scope], inputBytes };
}

/** A reduced table: Arrow, JSON, or something else. */
async function drawTable(attacker: Attacker, cwd: string, name = "in"): Promise<{ file: string; inputBytes: number }> {
  const isArrow = attacker.random.chance(0.6);
  const bytes = attacker.random.chance(0.9) ? (isArrow ? attacker.arrow() : attacker.reducedJson()) : attacker.log();
  const file = `${name}.${isArrow ? "arrow" : "json"}`;
  await mkdir(join(cwd, "tables"), { recursive: true });
  await Bun.write(join(cwd, "tables", file), bytes);
  return { file: join("tables", file), inputBytes: bytes.length };
}

const withLogs =
  (...more: ((attacker: Attacker) => string[])[]): Draw =>
  async (attacker, cwd) => {
    const round = await drawLogs(attacker, cwd);
    return { ...round, args: [...round.args, ...more.flatMap(one => one(attacker))] };
  };

const OUT = () => ["-o", "r.html"];
const top = (attacker: Attacker) => maybe(attacker, "-n", mostly(attacker, "0", "1", "99999"));
const since = (attacker: Attacker) => maybe(attacker, "--since", mostly(attacker, "2020-01-01", "-7d"));
const page = (attacker: Attacker) => maybe(attacker, "-o", "r.html");
const quiet = (attacker: Attacker) => maybe(attacker, "-q");

/** A node that answers with what its shell said, spoiled. */
const withNode =
  (...more: string[]): Draw =>
  async (attacker, cwd) => {
    const inputBytes = await attacker.tree(join(cwd, "logs"));
    const server = await startFakeServer({
      onScript: async ({ script, channel }) => {
        // A group of its own, as a server gives it: at its end a script ends its whole group.
        const child = Bun.spawn(["sh", "-c", script], { stdin: "pipe", stdout: "pipe", stderr: "ignore", cwd, detached: true });
        const endGroup = () => {
          try {
            process.kill(-child.pid, "SIGKILL");
          } catch {
            // All of it has ended.
          }
        };
        channel.on("data", (data: Buffer) => void child.stdin.write(data));
        channel.on("close", endGroup);
        // Its own guard waits for the connection's end and holds the pipe: what counts has come when the script is done.
        const pieces: Uint8Array[] = [];
        const reading = (async () => {
          for await (const piece of child.stdout) pieces.push(piece);
        })();
        await child.exited;
        endGroup();
        await reading;
        const answer = Buffer.concat(pieces);
        channel.write(attacker.random.chance(0.7) ? answer : attacker.answer(answer));
        channel.exit(attacker.random.chance(0.9) ? await child.exited : 1);
        channel.end();
      },
    });
    servers.push(server);
    await Bun.write(join(cwd, "known_hosts"), server.knownHosts + maybe(attacker, attacker.knownHosts()).join(""));
    const args = [
      ...["-i", `pot@127.0.0.1:${server.port}`, "--known-hosts", "known_hosts", "--ssh-config", "none", "--timeout", "3"],
      // Where a node counts itself it may be silent for long: what ends that is the limit of its time.
      ...["--time-limit", "15", "--retries", "0", "--log-path", join(cwd, "logs"), ...more],
    ];
    return { args, inputBytes, env: { HOME: cwd, SSH_AUTH_SOCK: "", XDG_CACHE_HOME: join(cwd, "cache") } };
  };
const servers: AsyncDisposable[] = [];

const withNodesFile =
  (...more: string[]): Draw =>
  async (attacker, cwd) => {
    const text = attacker.nodes();
    await Bun.write(join(cwd, "nodes.toml"), text);
    await Bun.write(join(cwd, "known_hosts"), attacker.knownHosts());
    const args = ["--nodes", "nodes.toml", "--dry-run", "--ssh-config", "none", "--known-hosts", "known_hosts", ...more];
    return { args, inputBytes: text.length, env: { HOME: cwd } };
  };

/** Scripts by what they are given; those that read the most stand most often. */
const DRAWS: readonly (readonly [name: string, draw: Draw])[] = [
  ["analyze-local", withLogs(OUT, () => ["-f", "r.json"], top, since, quiet)],
  ["map", async (attacker, cwd) => ({ ...(await drawLogs(attacker, cwd)), isBinary: true })],
  ["reduce", withLogs(() => ["-o", "r.json"], top, since, quiet)],
  ["summary", withLogs(attacker => maybe(attacker, "--json"))],
  ["command-chains", withLogs(OUT, quiet, attacker => ["-t", mostly(attacker, "1", "2")])],
  ["value-counts", withLogs(attacker => ["--column", mostly(attacker, "input", "username,password", "url", "src_ip", "day")], attacker => maybe(attacker, "--csv"))],
  [
    "indicators",
    withLogs(attacker => ["--keep-reserved", "--type", "all", "--format", mostly(attacker, "stix", "plain", "csv", "json")], attacker => maybe(attacker, "--with-campaigns")),
  ],
  ["trace-sid", withLogs(attacker => ["-sid", mostly(attacker, "s1", "s2", "s3")], page)],
  ["trace-ip", withLogs(attacker => ["-i", mostly(attacker, "198.51.100.0/24", "0.0.0.0/0")], page)],
  [
    "visualize",
    async (attacker, cwd) => {
      const { file, inputBytes } = await drawTable(attacker, cwd);
      return { args: ["-f", file, "-o", "r.html", ...top(attacker), ...quiet(attacker)], inputBytes };
    },
  ],
  [
    "statistics",
    async (attacker, cwd) => {
      const { file, inputBytes } = await drawTable(attacker, cwd);
      const how = attacker.random.pick([["--json"], ["--csv"], ["-o", "r.html"], ["--new", "--csv"], ["--exit-code", "-o", "r.html"]]);
      const downtime = maybe(attacker, "--downtime", "downtime.csv");
      if (downtime.length > 0) await Bun.write(join(cwd, "downtime.csv"), attacker.spoilText("sensor,from,to\n*,2024-01-01,2024-01-02\n"));
      return { args: ["-f", file, ...how, ...downtime], inputBytes };
    },
  ],
  [
    "history",
    async (attacker, cwd) => {
      const { file, inputBytes } = await drawTable(attacker, cwd);
      return { args: ["-f", file, ...attacker.random.pick([["--json"], ["--csv"], ["-n", "0"]]), ...quiet(attacker)], inputBytes };
    },
  ],
  [
    "combine-reduced",
    async (attacker, cwd) => {
      const tables = [await drawTable(attacker, cwd, "a"), await drawTable(attacker, cwd, "b")];
      const inputBytes = tables.reduce((sum, table) => sum + table.inputBytes, 0);
      return { args: [...tables.map(table => table.file), "-o", "r.json", ...top(attacker), ...quiet(attacker)], inputBytes };
    },
  ],
  [
    "schedule",
    async (attacker, cwd) => {
      const { table, env } = await makeFakeCrontab(cwd);
      const text = attacker.crontab();
      await Bun.write(table, text);
      await mkdir(join(cwd, "logs"));
      const what = attacker.random.pick([
        ["--list"],
        ["--remove", attacker.random.pick(["nightly", attacker.text()])],
        ["nightly", "logs", "--install"],
        ["--at", attacker.text(), "--name", attacker.text(), "--", "map", attacker.text()],
      ]);
      return { args: what, inputBytes: text.length, env };
    },
  ],
  ["completion", attacker => ({ args: [attacker.random.pick(["bash", "zsh", attacker.text()])], inputBytes: 0 })],
  ["analyze-remote", withNode("-o", "r.html", "-f", "r.json", "--reduce-on", "here")],
  ["download-logs", withNode("-f", "copies")],
  ["analyze-remote", withNodesFile()],
  ["download-logs", withNodesFile("-f", "copies")],
];

/** Words that end an argument list or name an option may come from anywhere; NUL cannot. */
const asArgument = (text: string) => text.replaceAll("\0", "\\0").toWellFormed();

async function attack(seed: number): Promise<void> {
  const attacker = new Attacker(`round ${seed}`, sound);
  const [name, draw] = DRAWS[seed % DRAWS.length]!;
  const cwd = join(folder, `round-${seed}`);
  const out = join(cwd, "out");
  await mkdir(out, { recursive: true });
  for (const file of OUTPUTS) await Bun.write(join(out, file), UNTOUCHED);
  const { args, inputBytes, stdin, env, isBinary = false } = await draw(attacker, cwd);
  // Outputs go into a folder of their own, inputs are named from there.
  const words = args.map(asArgument).map(word => (/^(?:logs$|tables\/|nodes\.toml$|known_hosts$|downtime\.csv$)/.test(word) ? join(cwd, word) : word));
  const run: Watched = await watch([...script(name), ...words], { cwd: out, yardstick, ...(stdin ? { stdin } : {}), env: { XDG_CACHE_HOME: join(cwd, "cache"), ...env } });
  for (const server of servers.splice(0)) await server[Symbol.asyncDispose]();
  const faults = [...faultsOf(run, { name, inputBytes, yardstick, isText: !isBinary }), ...(await faultsOfOutputs(out, run))];
  if (namesBelow(cwd).includes("owned")) faults.push("files: a text was run");
  if (faults.length > 0) {
    const { exitCode, stderr } = run;
    const told = JSON.stringify({ script: name, args: words, faults, exitCode, stderr: stderr.slice(0, 3000) }, null, 1);
    throw new Error(`COWRIE_FUZZ_SEED=${seed}: ${told}`);
  }
  await rm(cwd, { recursive: true, force: true });
}

describe("a standing attacker", () => {
  test(`each script keeps its promises, rounds of ${SECONDS} s`, async () => {
    const faults: string[] = [];
    const started = performance.now();
    let rounds = 0;
    let seed = FIRST_SEED;
    for (; rounds === 0 || performance.now() - started < SECONDS * 1000; seed++, rounds++) {
      await attack(seed).catch((error: Error) => faults.push(error.message));
      // All readers of foreign bytes, in a process of their own, as often as each script.
      if (rounds % DRAWS.length !== 0) continue;
      const first = seed * READER_SEEDS;
      const run = await watch([process.execPath, join(import.meta.dir, "read-all.ts"), folder, String(first), String(READER_SEEDS)], { cwd: folder, yardstick });
      if (run.broke !== undefined || run.exitCode !== 0) faults.push(`readers from seed ${first}: ${run.broke ?? run.stderr.slice(0, 3000)}`);
    }
    expect(faults.join("\n\n"), `${rounds} rounds`).toBe("");
  });
});
