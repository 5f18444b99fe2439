/**
 * How fast are logs of other machines read and copied, next to local ones and next to scp?
 *
 *   bun test/bench/remote.bench.ts [MEGABYTES]
 *
 * Eight sshd on loopback share the cores with the client, so every byte is packed, sent and read on the same machine.
 */
import { copyFile, mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { planSensors } from "../support/generate-logs.ts";
import { makeLab } from "../support/remote.ts";
import { run, type RunResult, runScript } from "../support/run.ts";
import type { Sshd } from "../support/sshd.ts";

const NODES = 8;
const megabytes = Number(Bun.argv[2] ?? 1000);

await using lab = await makeLab();
const work = lab.folder;
const env = { XDG_CACHE_HOME: join(work, "cache"), SSH_AUTH_SOCK: undefined };

/** Run a script, and tell its time and memory. */
async function time(label: string, bytes: number, start: () => Promise<RunResult>): Promise<RunResult> {
  const startMs = performance.now();
  const result = await start();
  const seconds = (performance.now() - startMs) / 1000;
  const rss = (result.peakRssBytes / 1e6).toFixed(0);
  console.log(
    `${label.padEnd(44)} ${seconds.toFixed(2).padStart(7)} s ${(bytes / 1e6 / seconds).toFixed(0).padStart(6)} MB/s ` +
      `${rss.padStart(5)} MB RSS  exit ${result.exitCode}`,
  );
  if (result.exitCode !== 0) console.log(result.stderr.split("\n").slice(-8).join("\n"));
  return result;
}

console.log(`${new Date().toISOString().slice(0, 10)}, Bun ${Bun.version}, ${megabytes} MB over ${NODES} nodes`);
const all = join(work, "all");
const sensors = planSensors(NODES);
// In a process of its own: a child's peak memory begins with that of whoever starts it.
const options = JSON.stringify({
  seed: "remote bench",
  firstDay: "2026-01-01",
  days: 8,
  sensors,
  eventsPerDay: (megabytes * 1e6) / 440 / NODES / 8,
});
const code = `import { writeLogs } from ${JSON.stringify(join(import.meta.dir, "../support/generate-logs.ts"))};
console.log(JSON.stringify(writeLogs(${JSON.stringify(all)}, ${options})));`;
console.log((await run([process.execPath, "-e", code])).stdout.trim());
const servers: Sshd[] = [];
for (const { name } of sensors) {
  const server = await lab.start();
  servers.push(server);
  const logs = join(server.home, "cowrie/var/log");
  await mkdir(logs, { recursive: true });
  await run(["cp", "-r", join(all, name), join(logs, "cowrie")]);
  await run(["chmod", "-R", "a+rX", server.home]);
}
const bytes = Number((await run(["du", "-sb", "--apparent-size", all])).stdout.split("\t")[0]);

const at = async (name: string) => {
  await mkdir(join(work, name), { recursive: true });
  return join(work, name);
};
const remote = async (name: string, args: string[]) =>
  runScript("analyze-remote", [...lab.args(...servers), "-q", "--json", "--mode", "w", ...args], {
    cwd: await at(name),
    env,
  });
for (let round = 1; round <= 2; round++) {
  await time("analyze-local", bytes, async () =>
    runScript("analyze-local", [all, "--mode", "w", "--mapped-dir", join(work, "tables"), "-q"], {
      cwd: await at("local"),
    }),
  );
  const here = await time("analyze-remote --reduce-on here", bytes, () => remote("here", ["--reduce-on", "here"]));
  console.log(`  on the wire ${((JSON.parse(here.stdout) as { wire_bytes: number }).wire_bytes / 1e6).toFixed(0)} MB`);
}
const node = await time("analyze-remote --reduce-on node", bytes, () => remote("node", ["--reduce-on", "node"]));
console.log(`  on the wire ${((JSON.parse(node.stdout) as { wire_bytes: number }).wire_bytes / 1e6).toFixed(0)} MB`);
const again = await time("analyze-remote --reduce-on here, unchanged", bytes, async () =>
  runScript("analyze-remote", [...lab.args(...servers), "-q", "--reduce-on", "here"], { cwd: await at("again"), env }),
);
void again;

// Copies: all nodes at once, as scp does it node by node in the background.
const scpOptions = ["-q", "-i", lab.key, "-o", `UserKnownHostsFile=${lab.known}`, "-F", "none"];
const scpAll = (to: string, from: string) => [
  "sh",
  "-c",
  servers
    .map(
      ({ port, user }, i) =>
        `mkdir -p ${to}/${i}; scp ${scpOptions.join(" ")} -r -P ${port} ${user}@127.0.0.1:${from} ${to}/${i} & `,
    )
    .join("") + "wait",
];
await time("scp -r, 8 at once", bytes, () => run(scpAll(join(work, "scp"), "cowrie/var/log/cowrie")));
await time("download-logs", bytes, () =>
  runScript("download-logs", [...lab.args(...servers), "-q", "-f", join(work, "dl")], { env }),
);
await time("download-logs, again", bytes, () =>
  runScript("download-logs", [...lab.args(...servers), "-q", "-f", join(work, "dl")], { env }),
);

// Many small logs on one node.
const [small] = servers;
const smallLogs = join(small!.home, "small");
await mkdir(smallLogs);
await Bun.write(join(smallLogs, "cowrie.json.0"), "x".repeat(20_000));
for (let i = 1; i < 500; i++) await copyFile(join(smallLogs, "cowrie.json.0"), join(smallLogs, `cowrie.json.${i}`));
await run(["chmod", "-R", "a+rX", small!.home]);
await time("scp -r, 500 logs of 20 kB", 10e6, () =>
  run([
    "scp",
    ...scpOptions,
    "-r",
    "-P",
    String(small!.port),
    `${small!.user}@127.0.0.1:small`,
    join(work, "scp-small"),
  ]),
);
await time("download-logs, 500 logs of 20 kB", 10e6, () =>
  runScript("download-logs", [...lab.args(small!), "-q", "--log-path", "~/small", "-f", join(work, "dl-small")], {
    env,
  }),
);

// A fleet: three hundred names for the eight servers, each with a small log of its own.
const fleet: string[] = [];
for (const [i, server] of servers.entries())
  await rename(join(server.home, "small"), join(server.home, "was")).catch(() => i);
const line = (
  await Bun.file(
    join(all, sensors[0]!.name, (await run(["ls", join(all, sensors[0]!.name)])).stdout.split("\n")[0]!),
  ).text()
).split("\n", 200);
for (let i = 0; i < 300; i++) {
  const server = servers[i % NODES]!;
  await Bun.write(
    join(server.home, `fleet${i}/cowrie.json`),
    line.map(text => text.replace('"session":"', `"session":"${i.toString(36)}`)).join("\n"),
  );
  fleet.push(
    `[[node]]\nname = "n${i}"\nhost = "127.0.0.1"\nport = ${server.port}\nuser = "${server.user}"\nlog_path = "~/fleet${i}"\n`,
  );
}
for (const server of servers) await run(["chmod", "-R", "a+rX", server.home]);
await Bun.write(join(work, "fleet.toml"), fleet.join("\n"));
await time("analyze-remote, 300 nodes of one small log", 300 * line.join("\n").length, async () =>
  runScript(
    "analyze-remote",
    [
      "--nodes",
      join(work, "fleet.toml"),
      "--identity",
      lab.key,
      "--known-hosts",
      lab.known,
      "--ssh-config",
      "none",
      "-q",
      "--reduce-on",
      "here",
    ],
    { cwd: await at("fleet"), env },
  ),
);
