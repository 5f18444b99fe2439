/**
 * How fast are logs of other machines read and copied, next to local ones and next to scp?
 *
 *   bun test/bench/remote.bench.ts [MEGABYTES] [ROUNDS]
 *
 * Eight sshd on loopback share the cores with the client, so every byte is packed, sent and read on the same machine:
 * what the nodes calculate is told apart. Nothing is timed before all ways gave the same table and the same files.
 */
import { copyFile, mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { planSensors } from "../support/generate-logs.ts";
import { makeLab } from "../support/remote.ts";
import { ROOT, run } from "../support/run.ts";
import type { Sshd } from "../support/sshd.ts";

const NODES = 8;
const SMALL_LOGS = 500;
const FLEET_NODES = 300;
const megabytes = Number(Bun.argv[2] ?? 1000);
const rounds = Number(Bun.argv[3] ?? 3);

await using lab = await makeLab();
const work = lab.folder;
const env = { ...Bun.env, XDG_CACHE_HOME: join(work, "cache"), SSH_AUTH_SOCK: undefined };
const servers: Sshd[] = [];

/** One run of one way. */
interface Measure {
  readonly seconds: number;
  /** Seconds of the processors, of the command and of all that ran on the nodes. */
  readonly cpu: number;
  readonly nodesCpu: number;
  readonly peakRssBytes: number;
  readonly stdout: string;
}

/** A way to be timed. */
interface Way {
  readonly name: string;
  readonly bytes: number;
  readonly command: readonly string[];
  /** Folder that is emptied before, and worked in. */
  readonly folder: string;
  /** Bytes on the wire, where it tells. */
  readonly wireBytes?: (stdout: string) => number;
}

/** Seconds of the processors that all ended children of the servers took. */
async function nodesCpu(): Promise<number> {
  let ticks = 0;
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    const title = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    if (!title.startsWith("sshd: ") || !servers.some(({ folder }) => title.includes(folder))) continue;
    const stat = (await readFile(`/proc/${pid}/stat`, "utf8")).replace(/^.*\) /s, "").split(" ");
    ticks += Number(stat[13]) + Number(stat[14]);
  }
  return ticks / 100;
}

async function measure({ name, command, folder }: Way): Promise<Measure> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const nodesBefore = await nodesCpu();
  const startMs = performance.now();
  const child = Bun.spawn([...command], { cwd: folder, env, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  const seconds = (performance.now() - startMs) / 1000;
  if (child.exitCode !== 0) throw new Error(`${name} failed (${child.exitCode}): ${stderr.slice(-2000)}`);
  const usage = child.resourceUsage()!;
  // The last sessions end a moment later.
  await Bun.sleep(300);
  return {
    seconds,
    cpu: Number(usage.cpuTime.total) / 1e6,
    nodesCpu: (await nodesCpu()) - nodesBefore,
    peakRssBytes: usage.maxRSS,
    stdout,
  };
}

const HEAD =
  "| | min s | median s | MB/s (median) | CPU s here (median) | CPU s on nodes (median) | peak RSS MB | wire MB |\n" +
  "|---|--:|--:|--:|--:|--:|--:|--:|";

/** Time ways in turn, so that a slow minute of the machine hits all of them, and print a table. */
async function compete(title: string, ways: readonly Way[], count = rounds): Promise<void> {
  const measures = ways.map((): Measure[] => []);
  for (let round = 0; round < count; round++) {
    for (const [i, way] of ways.entries()) measures[i]!.push(await measure(way));
  }
  console.log(`\n## ${title}\n\n${HEAD}`);
  for (const [i, { name, bytes, wireBytes }] of ways.entries()) {
    const list = measures[i]!;
    const median = (key: "seconds" | "cpu" | "nodesCpu") =>
      list.map(one => one[key]).sort((a, b) => a - b)[count >> 1]!;
    const seconds = median("seconds");
    const cells = [
      Math.min(...list.map(one => one.seconds)).toFixed(2),
      seconds.toFixed(2),
      (bytes / 1e6 / seconds).toFixed(0),
      median("cpu").toFixed(2),
      median("nodesCpu").toFixed(2),
      (Math.max(...list.map(one => one.peakRssBytes)) / 1e6).toFixed(0),
      wireBytes === undefined ? "" : (wireBytes(list[0]!.stdout) / 1e6).toFixed(0),
    ];
    console.log(`| ${[name, ...cells].join(" | ")} |`);
  }
}

/** Run code in a process of its own: a child's peak memory begins with that of whoever starts it. */
async function runAside(code: string): Promise<string> {
  const { stdout, stderr, exitCode } = await run([process.execPath, "-e", code]);
  if (exitCode !== 0) throw new Error(stderr);
  return stdout.trim();
}

const script = (name: string, ...args: string[]) => [process.execPath, join(ROOT, `scripts/${name}.ts`), ...args];
const wireOf = (stdout: string) => {
  const { wire_bytes: all, nodes } = JSON.parse(stdout) as {
    wire_bytes?: number;
    nodes: readonly { wire_bytes: number }[];
  };
  return all ?? nodes.reduce((sum, node) => sum + node.wire_bytes, 0);
};

const sensors = planSensors(NODES);
const all = join(work, "all");
const plan = {
  seed: "remote bench",
  firstDay: "2026-01-01",
  days: 8,
  sensors,
  eventsPerDay: (megabytes * 1e6) / 440 / NODES / 8,
};
await runAside(
  `import { writeLogs } from ${JSON.stringify(join(ROOT, "test/support/generate-logs.ts"))};
  writeLogs(${JSON.stringify(all)}, ${JSON.stringify(plan)});`,
);
for (const { name } of sensors) {
  const server = await lab.start();
  servers.push(server);
  const logs = join(server.home, "cowrie/var/log");
  await mkdir(logs, { recursive: true });
  await run(["cp", "-r", join(all, name), join(logs, "cowrie")]);
  await run(["chmod", "-R", "a+rX", server.home]);
}
const bytes = Number((await run(["du", "-sb", "--apparent-size", all])).stdout.split("\t")[0]);
console.log(`${new Date().toISOString().slice(0, 10)}, Bun ${Bun.version}, ${NODES} nodes, ${rounds} rounds`);
console.log(`${(bytes / 1e6).toFixed(0)} MB of logs in ${NODES * 8} files, page cache warm`);

const at = (name: string) => join(work, name);
const local: Way = {
  name: "analyze-local",
  bytes,
  command: script("analyze-local", all, "--mode", "w", "--mapped-dir", at("tables"), "-q"),
  folder: at("local"),
};
const remote = (name: string, place: string, ...args: string[]): Way => ({
  name: `analyze-remote --reduce-on ${place}${args.length === 0 ? ", unchanged" : ""}`,
  bytes,
  command: script("analyze-remote", ...lab.args(...servers), "-q", "--json", "--reduce-on", place, ...args),
  folder: at(name),
  wireBytes: wireOf,
});
const here = remote("here", "here", "--mode", "w");
const node = remote("node", "node", "--mode", "w");
const again = remote("again", "here");

// What there is to be had by all ways is the same, but for the names of the logs.
for (const way of [local, here, node]) await measure(way);
const agreement = await runAside(
  `import { readReduced } from ${JSON.stringify(join(ROOT, "lib/reduced/reduced-input.ts"))};
  const tables = [];
  for (const { folder } of ${JSON.stringify([local, here, node])}) {
    const { dictionaries, kinds } = await readReduced(folder + "/reduced.arrow", () => {});
    tables.push({ dictionaries, kinds });
  }
  const [first, ...others] = tables;
  for (const other of others) if (!Bun.deepEquals(first, other)) throw new Error("the tables differ");
  console.log(Object.values(first.kinds).reduce((sum, { rows }) => sum + rows, 0));`,
);
console.log(`analyze-local and analyze-remote, here and on the nodes, agree on ${agreement} rows`);
await compete("Eight nodes to one table", [local, here, node, again]);

const scpOptions = ["-q", "-i", lab.key, "-o", `UserKnownHostsFile=${lab.known}`, "-F", "none"].join(" ");
const scp = ({ port, user }: Sshd, from: string, to: string) =>
  `mkdir -p ${to} && scp ${scpOptions} -r -P ${port} ${user}@127.0.0.1:${from} ${to}`;
const scpAll: Way = {
  name: "scp -r, all nodes at once",
  bytes,
  command: [
    "sh",
    "-c",
    `${servers.map((server, i) => `${scp(server, "cowrie/var/log/cowrie", `./${i}`)} &`).join(" ")} wait`,
  ],
  folder: at("scp"),
};
const download: Way = {
  name: "download-logs",
  bytes,
  command: script("download-logs", ...lab.args(...servers), "-q", "--json", "-f", "."),
  folder: at("download"),
  wireBytes: wireOf,
};
await measure(download);
for (const [i, { port }] of servers.entries()) {
  const copied = at(`download/127.0.0.1_${port}`);
  const { stdout, exitCode } = await run(["diff", "-rq", join(all, sensors[i]!.name), copied]);
  if (exitCode !== 0) throw new Error(`download-logs copied other files: ${stdout}`);
}
console.log("\ndownload-logs copied the same files, byte for byte");
await compete("Eight nodes copied", [scpAll, download]);

// Many small logs on one node.
const [small] = servers;
const smallLogs = join(small!.home, "small");
await mkdir(smallLogs);
await Bun.write(join(smallLogs, "cowrie.json.0"), "x".repeat(20_000));
for (let i = 1; i < SMALL_LOGS; i++) {
  await copyFile(join(smallLogs, "cowrie.json.0"), join(smallLogs, `cowrie.json.${i}`));
}
await run(["chmod", "-R", "a+rX", small!.home]);
await compete(
  `${SMALL_LOGS} logs of 20 kB copied`,
  [
    {
      name: "scp -r",
      bytes: SMALL_LOGS * 20_000,
      command: ["sh", "-c", scp(small!, "small", ".")],
      folder: at("scp-small"),
    },
    {
      name: "download-logs",
      bytes: SMALL_LOGS * 20_000,
      command: script("download-logs", ...lab.args(small!), "-q", "--json", "--log-path", "~/small", "-f", "."),
      folder: at("download-small"),
      wireBytes: wireOf,
    },
  ],
  rounds * 3,
);
await rename(smallLogs, join(small!.home, "was-small"));

// A fleet: three hundred names for the eight servers, each with a small log of its own.
const [firstLog] = (await readdir(join(all, sensors[0]!.name))).sort();
const lines = (await Bun.file(join(all, sensors[0]!.name, firstLog!)).text()).split("\n", 200);
const fleet: string[] = [];
let fleetBytes = 0;
for (let i = 0; i < FLEET_NODES; i++) {
  const { port, user, home } = servers[i % NODES]!;
  const text = lines.map(line => line.replace('"session":"', `"session":"${i.toString(36)}`)).join("\n");
  fleetBytes += text.length;
  await Bun.write(join(home, `fleet${i}/cowrie.json`), text);
  fleet.push(
    `[[node]]\nname = "n${i}"\nhost = "127.0.0.1"\nport = ${port}\nuser = "${user}"\nlog_path = "~/fleet${i}"\n`,
  );
}
for (const { home } of servers) await run(["chmod", "-R", "a+rX", home]);
await Bun.write(at("fleet.toml"), fleet.join("\n"));
const login = ["--identity", lab.key, "--known-hosts", lab.known, "--ssh-config", "none"];
await compete(
  `${FLEET_NODES} nodes with one log of ${lines.length} lines`,
  [
    {
      name: "analyze-remote --reduce-on here",
      bytes: fleetBytes,
      command: script(
        "analyze-remote",
        ...["--nodes", at("fleet.toml"), ...login, "-q", "--json", "--reduce-on", "here", "--mode", "w"],
      ),
      folder: at("fleet"),
      wireBytes: wireOf,
    },
  ],
  1,
);
