/**
 * Which logs and lines of several nodes count: the tables are those of analyze-local on the same logs, wherever logs
 * become counts.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync, gzipSync, zstdDecompressSync } from "node:zlib";
import { readReduced } from "../../lib/reduced/reduced-input.ts";
import { FIXTURES_FOLDER } from "../support/example-fleet.ts";
import { type Lab, makeLab, openWay, writeLog } from "../support/remote.ts";
import { run, runScript } from "../support/run.ts";
import { SSHD_MISSING, type Sshd } from "../support/sshd.ts";

const withSshd = test.skipIf(SSHD_MISSING !== undefined);
const why = SSHD_MISSING === undefined ? "" : ` (skipped: ${SSHD_MISSING})`;
const LOGS = "cowrie/var/log/cowrie";

async function contentOf(path: string) {
  const { dictionaries, kinds } = await readReduced(path, () => {});
  return { dictionaries, kinds };
}

/** Logs of a sensor of the example fleet, unpacked, in the order of their days. */
function daysOf(sensor: string): Buffer[] {
  const folder = join(FIXTURES_FOLDER, "fleet", sensor);
  const names = readdirSync(folder)
    .filter(name => /-\d\d(\.gz|\.zst)?$/.test(name))
    .sort();
  return names.map(name => {
    const bytes = readFileSync(join(folder, name));
    if (name.endsWith(".gz")) return gunzipSync(bytes);
    return name.endsWith(".zst") ? zstdDecompressSync(bytes) : bytes;
  });
}

describe("logs of several nodes", () => {
  let lab: Lab;
  let bin: string;
  const days = daysOf("hp-sgp-01");
  const others = daysOf("hp-waw-02");
  /** Longer than what is compared without a hash. */
  const large = Buffer.concat(days.slice(0, 12));
  const cutAt = (text: Buffer, bytes: number) => text.subarray(0, text.indexOf("\n", bytes) + 1);

  /** A node that has Bun, with these logs. */
  async function startNode(logs: Record<string, Uint8Array>): Promise<Sshd> {
    const server = await lab.start({ config: [`SetEnv PATH=${bin}:/usr/bin:/bin`] });
    for (const [name, text] of Object.entries(logs)) await writeLog(server, join(LOGS, name), text);
    return server;
  }

  async function analyze(name: string, nodes: readonly Pick<Sshd, "port" | "user">[], args: readonly string[]) {
    const folder = join(lab.folder, name);
    await mkdir(folder, { recursive: true });
    const env = { XDG_CACHE_HOME: join(folder, "cache"), SSH_AUTH_SOCK: undefined, COWRIE_SSH_PASSWORD: undefined };
    const result = await runScript("analyze-remote", [...lab.args(...nodes), ...args], { cwd: folder, env });
    return { ...result, folder, arrow: join(folder, "reduced.arrow") };
  }

  /** What analyze-local makes of the logs of all nodes. */
  async function analyzeHere(name: string, nodes: readonly Record<string, Uint8Array>[], args: readonly string[] = []) {
    const folder = join(lab.folder, name);
    for (const [i, logs] of nodes.entries()) {
      await mkdir(join(folder, "logs", `${i}`), { recursive: true });
      for (const [file, text] of Object.entries(logs)) await writeFile(join(folder, "logs", `${i}`, file), text);
    }
    const result = await runScript("analyze-local", ["logs", ...args], { cwd: folder });
    // 3: some of it was damaged.
    expect(result.exitCode).toBeOneOf([0, 3]);
    return { ...result, folder, arrow: join(folder, "reduced.arrow") };
  }

  beforeAll(async () => {
    if (SSHD_MISSING !== undefined) return;
    lab = await makeLab();
    bin = join(lab.folder, "bun");
    await mkdir(bin);
    await symlink(process.execPath, join(bin, "bun"));
    await run(["chmod", "a+rx", lab.folder]);
  });
  afterAll(async () => {
    await lab?.[Symbol.asyncDispose]();
  });

  const FIRST = { "cowrie.json.1": days[20]!, "cowrie.json": large };
  const SECOND = {
    // Two earlier states of a log of the first node, packed as well; a copy; and a log of its own.
    "cowrie.json.1": cutAt(large, 100_000),
    "cowrie.json.2.gz": gzipSync(cutAt(large, 20_000)),
    "cowrie.json.3": days[20]!,
    "cowrie.json": others[3]!,
  };

  withSshd(
    `a log that two nodes have counts once, here, there, and in between${why}`,
    async () => {
      const nodes = [await startNode(FIRST), await startNode(SECOND)];
      const without = await lab.start();
      for (const [name, text] of Object.entries(SECOND)) await writeLog(without, join(LOGS, name), text);
      const wanted = await contentOf((await analyzeHere("shared local", [FIRST, SECOND])).arrow);
      for (const [place, list] of [
        ["here", nodes],
        ["node", nodes.toReversed()],
        ["auto", [nodes[0]!, without]],
      ] as const) {
        const name = `shared ${place} ${list.map(({ port }) => port)}`;
        const { exitCode, stderr, arrow, folder } = await analyze(name, list, ["--reduce-on", place]);
        expect({ name, exitCode, stderr }).toEqual({ name, exitCode: 0, stderr: expect.stringContaining("left out") });
        expect(stderr).toContain("it holds the beginning of");
        expect(await contentOf(arrow)).toEqual(wanted);
        // The tables of the nodes add up.
        const parts = readdirSync(folder).filter(file => file.endsWith("_reduced.arrow"));
        expect((await runScript("combine-reduced", [...parts, "-o", "sum.json"], { cwd: folder })).exitCode).toBe(0);
        expect(await contentOf(join(folder, "sum.arrow"))).toEqual(wanted);
      }
    },
  );

  withSshd(
    `a node under two names counts once${why}`,
    async () => {
      const server = await startNode(FIRST);
      const file = join(lab.folder, "twice.json");
      await writeFile(
        file,
        JSON.stringify(["one", "two"].map(name => ({ name, host: "127.0.0.1", port: server.port, user: server.user }))),
      );
      const wanted = await contentOf((await analyzeHere("twice local", [FIRST])).arrow);
      // The last one has both put Bun into the same home at the same time.
      for (const flags of [["here"], ["node"], ["node", "--setup"]]) {
        const folder = join(lab.folder, `twice ${flags.join(" ")}`);
        await mkdir(folder);
        const result = await runScript("analyze-remote", ["--nodes", file, "--reduce-on", ...flags, ...lab.args()], {
          cwd: folder,
          env: { XDG_CACHE_HOME: join(folder, "cache"), SSH_AUTH_SOCK: undefined },
        });
        expect([result.exitCode, result.stderr]).toEqual([0, expect.stringMatching(/two: left out .* of one/)]);
        expect(result.stderr).not.toContain("Warning");
        expect(await contentOf(join(folder, "reduced.arrow"))).toEqual(wanted);
        expect(readdirSync(folder)).not.toContain("two_reduced.arrow");
      }
      expect(readdirSync(join(server.home, ".cache/cowrie-longitudinal")).sort()).toEqual(["bun", "state", "tables"]);
    },
  );

  withSshd(
    `logs that only begin alike both count${why}`,
    async () => {
      // As two machines made from one image would have them: the same beginning, then each its own.
      const begin = cutAt(large, 150_000);
      const first = {
        "cowrie.json": Buffer.concat([begin, others[0]!]),
        "cowrie.json.1": Buffer.concat([begin, others[1]!]),
      };
      // The same short first line, and nothing else in common.
      const blank = Buffer.from("\n");
      const second = {
        "cowrie.json": Buffer.concat([begin, others[2]!]),
        "cowrie.json.1": Buffer.concat([blank, days[20]!]),
        "cowrie.json.2": Buffer.concat([blank, days[21]!]),
      };
      const wanted = await contentOf((await analyzeHere("alike local", [first, second])).arrow);
      // Of logs that begin at the same time the names decide which event of a session is the last.
      const nodes = [await startNode({}), await startNode({})].sort((a, b) => a.port - b.port);
      for (const [i, logs] of [first, second].entries()) {
        for (const [name, text] of Object.entries(logs)) await writeLog(nodes[i]!, join(LOGS, name), text);
      }
      for (const place of ["here", "node"]) {
        const { exitCode, stderr, arrow } = await analyze(`alike ${place}`, nodes, ["--reduce-on", place]);
        expect({ place, exitCode }).toEqual({ place, exitCode: 0 });
        expect(stderr).not.toContain("left out");
        expect(await contentOf(arrow)).toEqual(wanted);
      }
    },
  );

  withSshd(
    `--keep-duplicates counts copies and earlier states, of one node and of several${why}`,
    async () => {
      const cut = days[9]!.indexOf("\n", 5000) + 40;
      const first = {
        "cowrie.json.1": days[20]!,
        "cowrie.json.2": days[20]!,
        "cowrie.json.3": cutAt(days[20]!, 3000),
        // The halves of a line that a rotation has cut, which are joined all the same.
        "cowrie.json.5": days[9]!.subarray(0, cut),
        "cowrie.json.4": days[9]!.subarray(cut),
        "cowrie.json": large,
      };
      const nodes = [await startNode({}), await startNode({})].sort((a, b) => a.port - b.port);
      for (const [i, logs] of [first, SECOND].entries()) {
        for (const [name, text] of Object.entries(logs)) await writeLog(nodes[i]!, join(LOGS, name), text);
      }
      const summaryOf = (stdout: string) => {
        const { logs, left_out, damaged, lines, events, repaired, rejected, pending, bytes, days, sensors } = JSON.parse(
          stdout,
        ) as Record<string, unknown>;
        return { logs, left_out, damaged, lines, events, repaired, rejected, pending, bytes, days, sensors };
      };
      for (const flags of [["--keep-duplicates"], ["--keep-duplicates", "--dedupe-lines"]]) {
        const local = await analyzeHere(`keep local ${flags.length}`, [first, SECOND], [...flags, "--json"]);
        const [wanted, summary] = [await contentOf(local.arrow), summaryOf(local.stdout)];
        expect(summary).toMatchObject({ logs: 10, left_out: 0, repaired: 1, rejected: 0 });
        for (const place of flags.length === 1 ? ["here", "node", "auto"] : ["here"]) {
          const args = ["--reduce-on", place, "--json", ...flags];
          const { exitCode, stdout, stderr, arrow } = await analyze(`keep ${place} ${flags.length}`, nodes, args);
          expect({ place, exitCode }).toEqual({ place, exitCode: 0 });
          expect(stderr).not.toContain("left out");
          expect(summaryOf(stdout)).toEqual(summary);
          expect(await contentOf(arrow)).toEqual(wanted);
        }
      }
      // What is kept of such a run leads the next one to nothing else.
      const plain = await analyzeHere("keep none", [first, SECOND], ["--json"]);
      const { stdout, arrow } = await analyze("keep here 1", nodes, ["--reduce-on", "here", "--json"]);
      expect(summaryOf(stdout)).toEqual(summaryOf(plain.stdout));
      expect(await contentOf(arrow)).toEqual(await contentOf(plain.arrow));
    },
  );

  withSshd(
    `a node whose logs are still empty spoils nothing, here and there${why}`,
    async () => {
      const nodes = [await startNode(FIRST), await startNode({ "cowrie.json": Buffer.alloc(0) })];
      const wanted = await contentOf((await analyzeHere("empty local", [FIRST])).arrow);
      for (const place of ["here", "node"]) {
        const { exitCode, stderr, arrow } = await analyze(`empty ${place}`, nodes, ["--reduce-on", place]);
        expect({ place, exitCode }).toEqual({ place, exitCode: 0 });
        expect(stderr).toContain("2 of 2 read");
        expect(await contentOf(arrow)).toEqual(wanted);
      }
    },
  );

  withSshd(
    `a node reduces more logs than a command line has room for${why}`,
    async () => {
      const all = Buffer.concat(days.slice(12)).toString().trim().split("\n");
      const lines = [...new Set(all)].slice(0, 1_900);
      const folder = ["a".repeat(250), "'$(id)\n".repeat(30), ...Array<string>(12).fill("-".repeat(250))].join("/");
      const name = (i: number) => `cowrie.json.${i}`;
      const server = await startNode({});
      const home = join(server.home, LOGS, folder);
      const local = join(lab.folder, "many local");
      for (const to of [home, join(local, "logs")]) {
        await mkdir(to, { recursive: true });
        for (const [i, line] of lines.entries()) await writeFile(join(to, name(i)), `${line}\n`);
      }
      // Six megabytes is the most that Linux takes, two what it mostly does.
      expect(lines.length * join(home, name(0)).length).toBeGreaterThan(6 << 20);
      await run(["chmod", "-R", "a+rX", server.home]);
      const here = await runScript("analyze-local", ["logs", "-q", "--mapped-dir", "tables"], { cwd: local });
      expect(here.exitCode).toBe(0);
      const args = ["--reduce-on", "node", "--json"];
      const { exitCode, stdout, stderr, arrow } = await analyze("many", [server], args);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.stringContaining("reduced there") });
      expect(JSON.parse(stdout)).toMatchObject({ logs: lines.length, left_out: 0, nodes: [{ reduced_on: "node" }] });
      expect(await contentOf(arrow)).toEqual(await contentOf(join(local, "reduced.arrow")));
    },
  );

  withSshd(
    `counts of a node that is as it was are not fetched again, and of no other${why}`,
    async () => {
      const logs = { "cowrie.json.1": large, "cowrie.json": days[20]! };
      const server = await startNode(logs);
      await using way = await openWay(server.port);
      await Bun.write(lab.known, (await Bun.file(lab.known).text()) + server.knownHosts.replace(/:\d+/, `:${way.port}`));
      const node = { port: way.port, user: server.user };
      const kept = join(lab.folder, `kept/cache/cowrie-longitudinal/remote/127.0.0.1_${way.port}~counts`);
      const analyzeAgain = async (...flags: string[]) => {
        way.takeBytes();
        const { exitCode, stdout, arrow } = await analyze("kept", [node], ["--json", ...flags]);
        const { reused, wire_bytes, nodes } = JSON.parse(stdout) as Record<string, unknown>;
        expect([exitCode, nodes]).toMatchObject([0, [{ reduced_on: "node" }]]);
        return { reused, wireBytes: wire_bytes as number, allBytes: way.takeBytes(), content: await contentOf(arrow) };
      };
      const first = await analyzeAgain();
      expect(first).toMatchObject({ reused: 0, content: await contentOf((await analyzeHere("kept local", [logs])).arrow) });
      expect(first.wireBytes).toBeGreaterThan(100_000);
      for (let night = 2; night <= 4; night++) {
        const again = await analyzeAgain();
        expect(again).toMatchObject({ reused: 2, wireBytes: 0, content: first.content });
        // Logging in, looking for Bun, the list of logs.
        expect(again.allBytes).toBeLessThan(20_000);
      }
      // Other options, a file somebody else has written, --mode w: asked again.
      expect(await analyzeAgain("--robot-max-seconds", "3")).toMatchObject({ reused: 0 });
      expect(await analyzeAgain("--rejects", "rejects.ndjson")).toMatchObject({ reused: 0, content: first.content });
      expect(await analyzeAgain()).toMatchObject({ reused: 0, content: first.content });
      const bytes = readFileSync(kept);
      const forged = Buffer.from(bytes);
      forged[forged.length - 60]! ^= 1;
      for (const [text, reused] of [
        [forged, 0],
        [bytes.subarray(0, 100), 0],
        [Buffer.alloc(0), 0],
      ] as const) {
        await writeFile(kept, text);
        expect(await analyzeAgain()).toMatchObject({ reused, content: first.content });
      }
      expect(await analyzeAgain()).toMatchObject({ reused: 2 });
      expect(await analyzeAgain("--mode", "w")).toMatchObject({ reused: 0, content: first.content });
      // A log that has grown, and one that is gone.
      const grown = { ...logs, "cowrie.json": Buffer.concat([days[20]!, days[21]!]) };
      await writeLog(server, join(LOGS, "cowrie.json"), grown["cowrie.json"]);
      const wanted = await contentOf((await analyzeHere("kept grown", [grown])).arrow);
      expect(await analyzeAgain()).toMatchObject({ reused: 0, content: wanted });
      expect(await analyzeAgain()).toMatchObject({ reused: 2, wireBytes: 0, content: wanted });
    },
  );

  withSshd(
    `--dedupe-lines drops lines that another log has, on whatever node${why}`,
    async () => {
      // Its end: logs that begin at the same time stand in the order of their names.
      const overlap = days[5]!.subarray(cutAt(days[5]!, days[5]!.length >> 1).length);
      const first = { "cowrie.json.1": days[5]!, "cowrie.json": days[6]! };
      const second = { "cowrie.json": Buffer.concat([others[5]!, overlap, overlap]) };
      const wanted = await contentOf((await analyzeHere("dedupe local", [first, second], ["--dedupe-lines"])).arrow);
      const plain = await contentOf((await analyzeHere("dedupe none", [first, second])).arrow);
      expect(wanted).not.toEqual(plain);
      const nodes = [await startNode(first), await startNode(second)];
      const { exitCode, arrow } = await analyze("dedupe", nodes, ["--dedupe-lines"]);
      expect(exitCode).toBe(0);
      expect(await contentOf(arrow)).toEqual(wanted);
      // From the tables that are there, and then without: neither is taken for the other.
      const again = await analyze("dedupe", nodes, ["--dedupe-lines", "--json"]);
      expect((JSON.parse(again.stdout) as { wire_bytes: number }).wire_bytes).toBe(0);
      expect(await contentOf(again.arrow)).toEqual(wanted);
      await writeLog(nodes[0]!, join(LOGS, "cowrie.json"), Buffer.concat([days[6]!, days[7]!]));
      await writeFile(join(lab.folder, "dedupe local/logs/0/cowrie.json"), Buffer.concat([days[6]!, days[7]!]));
      const grown = await analyze("dedupe", nodes, ["--reduce-on", "here"]);
      const local = await runScript("analyze-local", ["logs"], { cwd: join(lab.folder, "dedupe local") });
      expect([grown.exitCode, local.exitCode]).toEqual([0, 0]);
      expect(await contentOf(grown.arrow)).toEqual(await contentOf(join(lab.folder, "dedupe local/reduced.arrow")));
      for (const flags of [["--reduce-on", "node"], ["--setup"]]) {
        const refused = await analyze("dedupe refused", [{ port: 1, user: "x" }], ["--dedupe-lines", ...flags]);
        expect([refused.exitCode, refused.stderr]).toEqual([
          2,
          expect.stringContaining("lines of all nodes are compared here"),
        ]);
      }
    },
  );

  withSshd(
    `--rejects holds the lines that analyze-local rejects, by node and line${why}`,
    async () => {
      const odd = Buffer.concat([Buffer.from('not json\n{"eventid":3}\n\u001b[31m\n'), Buffer.from([0xff, 0x0a])]);
      // A line that a rotation has cut in two is no reject once its halves are joined.
      const cut = days[9]!.indexOf("\n", 5000) + 40;
      const first = {
        "cowrie.json.1": days[8]!,
        "cowrie.json.2": days[9]!.subarray(0, cut),
        "cowrie.json": Buffer.concat([days[9]!.subarray(cut), odd]),
      };
      const second = { "cowrie.json": Buffer.concat([others[9]!, odd]), "cowrie.json.9": odd };
      const linesOf = (path: string) =>
        readFileSync(path, "utf8")
          .trim()
          .split("\n")
          .map(line => JSON.parse(line) as { source: string; line: number })
          .map(({ source, ...rest }) => ({ source: source.slice(source.lastIndexOf("/")), ...rest }));
      const local = await analyzeHere("rejects local", [first, second], ["--rejects", "rejects.ndjson"]);
      const wanted = linesOf(join(local.folder, "rejects.ndjson"));
      expect(wanted).toHaveLength(11);
      const nodes = [await startNode(first), await startNode(second)];
      for (const place of ["here", "node"]) {
        // The second time what is there from the first is used, but for logs with rejects.
        for (let i = 0; i < 2; i++) {
          const args = ["--reduce-on", place, "--rejects", "rejects.ndjson"];
          const { exitCode, folder, arrow } = await analyze(`rejects ${place}`, nodes, args);
          expect({ place, exitCode }).toEqual({ place, exitCode: 3 });
          const lines = linesOf(join(folder, "rejects.ndjson"));
          expect(lines.map(line => JSON.stringify(line)).sort()).toEqual(
            wanted.map(line => JSON.stringify(line)).sort(),
          );
          expect(readFileSync(join(folder, "rejects.ndjson"), "utf8")).toContain(`"127.0.0.1_${nodes[1]!.port}:/`);
          expect(await contentOf(arrow)).toEqual(await contentOf(local.arrow));
        }
      }
    },
  );
});
