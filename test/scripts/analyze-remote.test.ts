import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { cp, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { readReduced } from "../../lib/reduced/reduced-input.ts";
import type { ReducedTable } from "../../lib/reduced/reduced-table.ts";
import { copyLogs, type Lab, makeLab } from "../support/remote.ts";
import { copyFleet } from "../support/copy-fleet.ts";
import { FIXTURES_FOLDER } from "../support/example-fleet.ts";
import { run, runScript, startScript } from "../support/run.ts";
import { freePort, SSHD_MISSING, SSHD_USERS_MISSING, type Sshd } from "../support/sshd.ts";

const withSshd = test.skipIf(SSHD_MISSING !== undefined);
const withUsers = test.skipIf(SSHD_USERS_MISSING !== undefined);
const why = SSHD_MISSING === undefined ? "" : ` (skipped: ${SSHD_MISSING})`;
const whyUsers = SSHD_USERS_MISSING === undefined ? "" : ` (skipped: ${SSHD_USERS_MISSING})`;

const FLEET = join(FIXTURES_FOLDER, "fleet");
const SENSORS = ["hp-ams-01", "hp-lab-01", "hp-nyc-01", "hp-sgp-01", "hp-waw-02"];

/** Rows and texts, without the names of logs. */
async function contentOf(path: string): Promise<Pick<ReducedTable, "dictionaries" | "kinds">> {
  const { dictionaries, kinds } = await readReduced(path, () => {});
  return { dictionaries, kinds };
}

describe("analyze-remote", () => {
  let lab: Lab;
  const servers: Sshd[] = [];
  let local: string;

  /** Run in a folder of its own, with a cache of its own. */
  async function analyze(
    name: string,
    args: readonly string[],
    nodes: readonly Pick<Sshd, "port" | "user">[] = servers,
  ) {
    const folder = join(lab.folder, name);
    await mkdir(folder, { recursive: true });
    const env = { XDG_CACHE_HOME: join(lab.folder, "cache"), SSH_AUTH_SOCK: undefined, COWRIE_SSH_PASSWORD: undefined };
    const result = await runScript("analyze-remote", [...lab.args(...nodes), ...args], { cwd: folder, env });
    return { ...result, folder, arrow: join(folder, "reduced.arrow") };
  }

  /** A node whose log of 2020 stops in the middle, and for ever. */
  async function startStuck(): Promise<Sshd> {
    const bin = join(lab.folder, `bin${Math.random()}`);
    const script = `#!/bin/sh
case "$(readlink /proc/self/fd/0)" in *2020*) /usr/bin/head -c 1000000; exec sleep 4321;; esac
exec /usr/bin/dd "$@"
`;
    await Bun.write(join(bin, "dd"), script);
    await run(["chmod", "-R", "a+rx", bin]);
    const server = await lab.start({ config: [`SetEnv PATH=${bin}:/usr/bin:/bin`] });
    const logs = await copyLogs(server, join(FLEET, "hp-lab-01"));
    const line = await readFile(join(FLEET, "hp-waw-02/cowrie.json"), "utf8");
    await Bun.write(join(logs, "cowrie.json.2020-01-01"), line.repeat(1 + Math.floor(2e6 / line.length)));
    await run(["chmod", "-R", "a+rX", server.home]);
    return server;
  }

  /** How many processes on a node are stuck. */
  const readers = (server: Sshd) =>
    lab.at(server, async connection =>
      (await connection.run("ps ax -o args | grep -c '[s]leep 4321' || true")).stdout.toString().trim(),
    );

  beforeAll(async () => {
    if (SSHD_MISSING !== undefined) return;
    lab = await makeLab();
    // Everything but the Bun that runs the tests.
    const bin = join(lab.folder, "bin");
    await run([
      "sh",
      "-c",
      `mkdir ${bin} && ln -s /usr/bin/* /bin/* ${bin} 2>/dev/null; rm -f ${bin}/bun*; chmod a+rx ${lab.folder}`,
    ]);
    for (const sensor of SENSORS) {
      const server = await lab.start({ config: [`SetEnv PATH=${bin}`] });
      servers.push(server);
      const logs = await copyLogs(server, join(FLEET, sensor));
      if (sensor === "hp-ams-01") await copyFleet(join(logs, "backup"), "backup");
      await run(["chmod", "-R", "a+rX", server.home]);
    }
    local = join(lab.folder, "local");
    await mkdir(local);
    const mapped = join(lab.folder, "local-tables");
    const { exitCode } = await runScript("analyze-local", [FLEET, "--mapped-dir", mapped], { cwd: local });
    expect(exitCode).toBe(0);
  });

  afterAll(async () => {
    await lab?.[Symbol.asyncDispose]();
  });

  withSshd(
    `here: the rows are those of analyze-local, and nothing is left on a node${why}`,
    async () => {
      const before = await Promise.all(servers.map(({ home }) => run(["find", home])));
      const { exitCode, stderr, stdout, arrow, folder } = await analyze("here", ["--reduce-on", "here"]);
      expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "" });
      expect(stderr).toContain("5 of 5 read");
      expect(stderr).toContain("20,066: 3 from repaired lines; 7 lines rejected, 1 not yet complete");
      expect(await contentOf(arrow)).toEqual(await contentOf(join(local, "reduced.arrow")));
      expect(await readFile(join(folder, "reduced.json"), "utf8")).toBe(
        await readFile(join(local, "reduced.json"), "utf8"),
      );
      expect(readdirSync(folder).sort()).toEqual(
        [
          ...servers.flatMap(({ port }) => ["arrow", "json"].map(end => `127.0.0.1_${port}_reduced.${end}`)),
          "reduced.arrow",
          "reduced.json",
          "result.html",
          "stats.html",
        ].sort(),
      );
      const after = await Promise.all(servers.map(({ home }) => run(["find", home])));
      expect(after.map(({ stdout }) => stdout)).toEqual(before.map(({ stdout }) => stdout));
    },
  );

  withSshd(
    `here, again: what is unchanged is not fetched${why}`,
    async () => {
      const { exitCode, stdout, arrow } = await analyze("again", ["--reduce-on", "here", "--json", "-q"]);
      const summary = JSON.parse(stdout) as { reused: number; logs: number; wire_bytes: number };
      expect([exitCode, summary.logs, summary.reused, summary.wire_bytes]).toEqual([0, 179, 179, 0]);
      expect(await contentOf(arrow)).toEqual(await contentOf(join(local, "reduced.arrow")));
    },
  );

  withSshd(`a sensor that no node has is named; one that only one has is not missing on the others${why}`, async () => {
    const args = ["--reduce-on", "here", "-q", "--sensor"];
    const one = await analyze("sensor", [...args, "hp-ams-01"]);
    expect({ stderr: one.stderr, exitCode: one.exitCode }).toEqual({ stderr: "", exitCode: 0 });
    const both = await analyze("sensor", [...args, "hp-ams-01", "--sensor", "hp-amz-01"]);
    expect({ stderr: both.stderr, exitCode: both.exitCode }).toEqual({
      stderr: 'Cannot find sensor "hp-amz-01": did you mean "hp-ams-01"?\n',
      exitCode: 1,
    });
    const none = await analyze("sensor", [...args, "nobody"]);
    expect({ stderr: none.stderr.split("\n")[0], exitCode: none.exitCode }).toEqual({
      stderr: 'analyze-remote: Cannot find sensor "nobody": there is none',
      exitCode: 2,
    });
  });

  withSshd(`the tables of the nodes combine to the table of all${why}`, async () => {
    const parts = servers.map(({ port }) => join(lab.folder, "here", `127.0.0.1_${port}_reduced.arrow`));
    const folder = join(lab.folder, "combined");
    await mkdir(folder);
    const { exitCode } = await runScript("combine-reduced", parts, { cwd: folder });
    expect(exitCode).toBe(0);
    expect(await contentOf(join(folder, "reduced.arrow"))).toEqual(await contentOf(join(local, "reduced.arrow")));
  });

  withSshd(
    `on the nodes, after a setup: the same rows; --remove-setup takes all away${why}`,
    async () => {
      const homes = servers.slice(0, 2);
      const before = await Promise.all(homes.map(({ home }) => run(["find", home])));
      const here = await analyze("two here", ["--reduce-on", "here", "--since", "2026-07-20"], homes);
      const none = await analyze("none", ["--reduce-on", "node"], [servers[0]!]);
      expect(none.exitCode).toBe(1);
      expect(none.stderr).toContain("no Bun");
      const { exitCode, stderr, stdout, arrow } = await analyze(
        "node",
        ["-r", "--reduce-on", "node", "--json", "--since", "2026-07-20"],
        homes,
      );
      expect([exitCode, stderr]).toEqual([0, expect.stringContaining("reduced there")]);
      const { wire_bytes, bytes } = JSON.parse(stdout) as { wire_bytes: number; bytes: number };
      expect(wire_bytes).toBeLessThan(bytes / 2);
      expect(await contentOf(arrow)).toEqual(await contentOf(here.arrow));
      const auto = await analyze("auto", ["--since", "2026-07-20"], servers.slice(1, 3));
      expect(auto.stderr.match(/reduced there/g)).toHaveLength(1);
      const removed = await analyze("removed", ["--remove-setup"], homes);
      expect([removed.exitCode, removed.stderr.match(/removed/g)]).toEqual([0, ["removed", "removed"]]);
      const after = await Promise.all(
        homes.map(({ home }) => run(["sh", "-c", `find ${home} | grep -v '/\\.cache$'`])),
      );
      expect(after.map(({ stdout }) => stdout)).toEqual(before.map(({ stdout }) => stdout));
    },
  );

  withUsers(
    `one node down, one without logs, one unknown: each named, the others whole${whyUsers}`,
    async () => {
      const down = { port: await freePort(), user: "pot" };
      const empty = await lab.start();
      const stranger = await lab.start();
      await Bun.write(lab.known, (await readFile(lab.known, "utf8")).replace(stranger.knownHosts, ""));
      const args = ["--reduce-on", "here", "--retries", "1"];
      const { exitCode, stderr, arrow, folder } = await analyze("bad", args, [
        down,
        servers[1]!,
        empty,
        stranger,
        servers[4]!,
      ]);
      expect(exitCode).toBe(1);
      expect(stderr).toMatch(/failed: connection refused: nothing listens there/);
      expect(stderr).toMatch(/failed: no log found in the usual places \(--log-path names another\)/);
      expect(stderr).toMatch(/failed: its key ssh-ed25519 SHA256:\S+ is not in /);
      expect(stderr).toContain("2 of 5 read");
      const both = await analyze("good", ["--reduce-on", "here"], [servers[1]!, servers[4]!]);
      expect(await contentOf(arrow)).toEqual(await contentOf(both.arrow));
      for (const page of ["result.html", "stats.html"]) {
        expect(await readFile(join(folder, page), "utf8")).toContain(
          `Node 127.0.0.1_${down.port} is missing: connection refused`,
        );
        expect(await readFile(join(both.folder, page), "utf8")).not.toContain(" is missing: ");
      }
      const all = await analyze("all bad", args, [down]);
      expect([all.exitCode, existsSync(all.arrow)]).toEqual([1, false]);
      expect(all.stderr).toContain("Cannot read the only node");
      // Each node and its cause once, with --quiet as well.
      const quiet = await analyze("all bad, quiet", [...args, "--quiet"], [down, stranger]);
      expect([quiet.exitCode, quiet.stderr.trim().split("\n")]).toEqual([
        1,
        [
          `analyze-remote: 127.0.0.1_${down.port}: connection refused: nothing listens there`,
          expect.stringContaining(`analyze-remote: 127.0.0.1_${stranger.port}: its key ssh-ed25519`),
          "analyze-remote: Cannot read any of 2 nodes",
        ],
      ]);
    },
  );

  withUsers(
    `a node killed in the middle is tried again, and then missing${whyUsers}`,
    async () => {
      const server = await startStuck();
      const folder = join(lab.folder, "killed");
      await mkdir(folder);
      const child = startScript(
        "analyze-remote",
        [
          ...lab.args(server, servers[4]!),
          "--reduce-on",
          "here",
          "--retries",
          "1",
          "--timeout",
          "5",
          "--mapped-dir",
          join(lab.folder, "killed-tables"),
        ],
        { cwd: folder },
      );
      while ((await readers(server)) === "0") await Bun.sleep(20);
      await server.kill();
      const stderr = await new Response(child.stderr).text();
      expect(await child.exited).toBe(1);
      expect(stderr).toMatch(/(the connection broke|answer broke off).*; trying again/);
      expect(stderr).toContain("1 of 2 read");
      expect((await run(["find", join(lab.folder, "killed-tables"), "-name", "*.partial"])).stdout).toBe("");
    },
  );

  withUsers(
    `a node that hangs in the middle is given up, the others go on${whyUsers}`,
    async () => {
      const server = await startStuck();
      const folder = join(lab.folder, "hung");
      await mkdir(folder);
      const args = ["--reduce-on", "here", "--retries", "1", "--timeout", "2", "--mapped-dir", join(folder, "tables")];
      const child = startScript("analyze-remote", [...lab.args(server, servers[4]!), ...args], { cwd: folder });
      while ((await readers(server)) === "0") await Bun.sleep(20);
      await server.pause();
      const stderr = await new Response(child.stderr).text();
      expect(await child.exited).toBe(1);
      expect(stderr).toMatch(/(nothing came for too long|no longer answers); trying again/);
      expect(stderr).toMatch(/failed: no answer/);
      expect(stderr).toContain("1 of 2 read");
    },
  );

  withSshd(
    `what is wrong with one node's configuration or key is its own fault${why}`,
    async () => {
      const config = join(lab.folder, "ssh_config");
      const rubbish = join(lab.folder, "rubbish");
      await Bun.write(rubbish, "rubbish");
      await Bun.write(
        config,
        'Match host crossed exec "exit 1"\n  Port 1\nHost proxied\n  ProxyCommand nc %d\nHost looped\n  ProxyJump looping\n' +
          "Host looping\n  ProxyJump looped\n",
      );
      const good = { host: "127.0.0.1", port: servers[1]!.port, user: servers[1]!.user };
      const nodes = [
        { name: "good", ...good },
        { name: "unread", ...good, identity: rubbish },
        { name: "folder", ...good, identity: lab.folder },
        { name: "proxied", host: "proxied" },
        { name: "looped", host: "looped" },
        { name: "jumped", ...good, jump: "-oProxyCommand=id" },
      ];
      const file = join(lab.folder, "nodes.json");
      await Bun.write(file, JSON.stringify({ defaults: { identity: lab.key }, node: nodes }));
      const folder = join(lab.folder, "misconfigured");
      await mkdir(folder);
      const nodesOnly = ["--nodes", file, "--known-hosts", lab.known];
      const args = [...nodesOnly, "--ssh-config", config];
      const env = { XDG_CACHE_HOME: join(folder, "cache"), SSH_AUTH_SOCK: undefined };
      const { exitCode, stderr } = await runScript("analyze-remote", [...args, "--reduce-on", "here"], {
        cwd: folder,
        env,
      });
      expect(exitCode).toBe(1);
      expect(stderr).toMatch(/^unread +failed: not let in: .*rubbish.*ssh-keygen -p/m);
      expect(stderr).toMatch(/^folder +failed: not let in: .*it is a folder/m);
      expect(stderr).toMatch(/^proxied +failed: Cannot reach "proxied": its ProxyCommand holds "%d"/m);
      expect(stderr).toMatch(/^looped +failed: Cannot reach ".*": more than 8 jump hosts/m);
      expect(stderr).toMatch(/^jumped +failed: Cannot read jump host "-oProxyCommand=id"/m);
      expect(stderr).toContain("1 of 6 read");
      const dry = await runScript("analyze-remote", [...args, "--dry-run"], { cwd: folder, env });
      expect([dry.exitCode, dry.stdout.split("\n").length]).toEqual([1, 7]);
      // A configuration that is there for none, or cannot be read by ssh at all.
      const absent = await runScript("analyze-remote", [...nodesOnly, "--ssh-config", join(folder, "absent")], {
        cwd: folder,
        env,
      });
      expect([absent.exitCode, absent.stderr]).toEqual([
        1,
        expect.stringMatching(/^analyze-remote: Cannot read .*absent/),
      ]);
      await Bun.write(config, "Frobnicate yes\n");
      const broken = await runScript("analyze-remote", [...args, "--only", "good"], { cwd: folder, env });
      expect(broken.exitCode).toBe(1);
      expect(broken.stderr).toMatch(/^good +failed: Cannot read the SSH configuration of "127.0.0.1": .*(Frob|frob)/m);
    },
  );

  withUsers(
    `Ctrl-C leaves nothing running on a node, and no output here${whyUsers}`,
    async () => {
      const server = await startStuck();
      const folder = join(lab.folder, "stopped");
      await mkdir(folder);
      const args = [...lab.args(server), "--reduce-on", "here", "--mapped-dir", join(lab.folder, "stopped-tables")];
      const child = startScript("analyze-remote", args, { cwd: folder });
      while ((await readers(server)) === "0") await Bun.sleep(20);
      child.kill("SIGINT");
      await child.exited;
      expect(child.signalCode).toBe("SIGINT");
      while ((await readers(server)) !== "0") await Bun.sleep(20);
      expect(readdirSync(folder)).toEqual([]);
    },
  );

  withSshd(
    `a log that has grown costs its tail, and gives what analyze-local gives${why}`,
    async () => {
      const server = await lab.start();
      const logs = await copyLogs(server, join(FLEET, "hp-ams-01"));
      const log = join(logs, "cowrie.json");
      // More than a block, so that there is a beginning that is not fetched again.
      const days = readdirSync(join(FLEET, "hp-sgp-01"))
        .filter(name => /-\d\d$/.test(name))
        .sort();
      const more = await Promise.all(days.map(name => readFile(join(FLEET, "hp-sgp-01", name))));
      const own = await readFile(join(FLEET, "hp-ams-01/cowrie.json"));
      const begin = Buffer.concat([Buffer.from(own.subarray(0, own.lastIndexOf("\n") + 1)), ...more]);
      const text = Buffer.concat(Array.from({ length: 1 + Math.ceil(2.5e6 / begin.length) }, () => begin).concat(own));
      const folder = join(lab.folder, "grown-local");
      await mkdir(join(folder, "logs"), { recursive: true });
      // In the middle of a line, at the end of one, and to an end that is still being written.
      const cuts = [1_500_000, text.indexOf("\n", 1_900_000) + 1, text.length];
      for (const [i, cut] of cuts.entries()) {
        await Bun.write(log, "");
        await Bun.write(log, text.subarray(0, cut));
        const { arrow, exitCode, stdout } = await analyze(`grow${i}`, ["--reduce-on", "here", "--json"], [server]);
        const { wire_bytes } = JSON.parse(stdout) as { wire_bytes: number };
        expect(exitCode).toBe(0);
        if (i > 0) expect(wire_bytes).toBeLessThan(150_000);
        await cp(logs, join(folder, "logs"), { recursive: true });
        await runScript("analyze-local", [join(folder, "logs"), "--mapped-dir", join(folder, "tables")], {
          cwd: folder,
        });
        expect(await contentOf(arrow)).toEqual(await contentOf(join(folder, "reduced.arrow")));
      }
      // Another text in the same place, and longer: nothing of the old one may stay.
      await Bun.write(log, Buffer.concat([...more, ...more.reverse(), text, text]));
      const other = await analyze("rewritten", ["--reduce-on", "here"], [server]);
      const fresh = await analyze("rewritten fresh", ["--reduce-on", "here", "--mode", "w"], [server]);
      expect([other.exitCode, await contentOf(other.arrow)]).toEqual([0, await contentOf(fresh.arrow)]);
    },
  );

  withSshd(
    `a node with a robot limit of its own: its sessions by it, and the pages say so${why}`,
    async () => {
      const file = join(lab.folder, "robots.json");
      const nodes = [1, 4].map((i, at) => ({
        name: `n${i}`,
        host: "127.0.0.1",
        port: servers[i]!.port,
        user: servers[i]!.user,
        ...(at === 0 ? { robot_max_seconds: 77 } : {}),
      }));
      await Bun.write(file, JSON.stringify(nodes));
      const { exitCode, folder, arrow } = await analyze("robots", ["--nodes", file, "--reduce-on", "here"], []);
      expect(exitCode).toBe(0);
      for (const page of ["result.html", "stats.html"]) {
        expect(await readFile(join(folder, page), "utf8")).toContain("under 10 s; of n1 under 77 s");
      }
      const parts: [string, number][] = [
        ["hp-lab-01", 77],
        ["hp-waw-02", 10],
      ];
      for (const [sensor, seconds] of parts) {
        const args = [join(FLEET, sensor), "--robot-max-seconds", `${seconds}`, "-o", join(folder, `${sensor}.json`)];
        await runScript("reduce", [...args, "--mapped-dir", join(folder, "tables")]);
      }
      const sessionsOf = async (path: string) => {
        const { dictionaries, kinds } = await readReduced(path, () => {});
        const { rows, day, sensor, keys, count } = kinds.session_closed;
        return Array.from({ length: rows }, (_, row) =>
          [
            day[row],
            dictionaries.sensor[sensor[row]!],
            dictionaries.src_ip[keys.src_ip![row]!],
            keys.robot![row],
            count[row],
          ].join(" "),
        );
      };
      const wanted = (await Promise.all(parts.map(([sensor]) => sessionsOf(join(folder, `${sensor}.arrow`))))).flat();
      expect((await sessionsOf(arrow)).sort()).toEqual(wanted.sort());
    },
  );

  withSshd(
    `the same logs on two nodes count once${why}`,
    async () => {
      const twin = await lab.start();
      await copyLogs(twin, join(FLEET, "hp-lab-01"));
      const { exitCode, arrow, stderr } = await analyze("twins", ["--reduce-on", "here"], [servers[1]!, twin]);
      const one = await analyze("one", ["--reduce-on", "here"], [servers[1]!]);
      expect(exitCode).toBe(0);
      expect(stderr).toContain(`left out 42 logs that 127.0.0.1_${servers[1]!.port} holds as well`);
      expect(await contentOf(arrow)).toEqual(await contentOf(one.arrow));
    },
  );

  withSshd(`tells what it would do, and counts options per node${why}`, async () => {
    const dry = await analyze("dry", ["--dry-run", "-n", "3"]);
    expect([dry.exitCode, dry.stdout.split("\n")[0]]).toEqual([
      0,
      `127.0.0.1_${servers[0]!.port}: ${servers[0]!.user}@127.0.0.1:${servers[0]!.port}; logs: wherever Cowrie usually writes; reduce on auto`,
    ]);
    const wrong = await analyze("wrong", ["-n", "3", "-n", "4"]);
    expect([wrong.exitCode, wrong.stderr.split("\n")[0]]).toEqual([
      2,
      "analyze-remote: Cannot use --top-n-events 2 times for 5 nodes: expected once, or once per --ip",
    ]);
  });
});
