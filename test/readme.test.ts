/**
 * README.md against what is there: its table of scripts, its sessions (```console blocks), its pipes and its crontab.
 * README_FILE names another text to check.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { cp, mkdir, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { listScripts } from "../lib/process/scripts.ts";
import { lockOutputs } from "../lib/process/lock.ts";
import { type Checkout, makeCheckout } from "./support/checkout.ts";
import { copyFleet } from "./support/copy-fleet.ts";
import { readCrontabLines } from "./support/crontab.ts";
import { missing } from "./support/needs.ts";
import { normalize } from "./support/outputs.ts";
import { copyLogs, makeLab } from "./support/remote.ts";
import { makeTempDir, ROOT, run } from "./support/run.ts";
import { SSHD_MISSING } from "./support/sshd.ts";

const README = readFileSync(Bun.env.README_FILE ?? join(ROOT, "README.md"), "utf8");

/** Texts of all code blocks of one language, under one heading or anywhere. */
function codeBlocks(language: string, heading?: string): string[] {
  const section = README.split(/^## /m).find(part => part.startsWith(`${heading}\n`)) ?? "";
  const blocks = [...(heading === undefined ? README : section).matchAll(/^```(\w*)\n(.*?)^```$/gms)];
  return blocks.filter(([, name]) => name === language).map(([, , code]) => code!);
}

test("every script stands in the table, and every script of the table exists", () => {
  const named = [...README.matchAll(/^\| `scripts\/([a-z-]+)\.ts` \|/gm)].map(([, name]) => name!);
  expect(named.sort()).toEqual(listScripts());
});

test("every script, module and test that is mentioned exists", () => {
  const paths = [...README.matchAll(/[\w./-]+\.ts\b/g)].map(([path]) => path);
  // NAME stands for any.
  const mentioned = paths.map(path => path.replace(/^.*\/(?=(scripts|lib|test)\/)/, ""));
  expect(mentioned.length).toBeGreaterThan(10);
  const missing = mentioned.filter(path => !path.includes("NAME.") && !existsSync(join(ROOT, path.includes("/") ? path : `scripts/${path}`)));
  expect([...new Set(missing)]).toEqual([]);
});

describe("sessions", () => {
  let checkout: Checkout;
  beforeAll(async () => {
    checkout = await makeCheckout();
  });
  afterAll(async () => {
    await checkout[Symbol.asyncDispose]();
  });

  /** A command with what it printed; one that ends in "\" goes on in the next line. */
  const sessions = codeBlocks("console").flatMap(block =>
    block.split(/^\$ /m).slice(1).map(part => {
      const [, command, output] = /^((?:[^\n]*\\\n)*[^\n]*)\n(.*)$/s.exec(part.includes("\n") ? part : `${part}\n`)!;
      return { command: command!, output: output! };
    }),
  );

  // Each after the ones before it, as a reader would type them.
  test.each(sessions)("$command", async ({ command, output }) => {
    const { stdout } = await checkout.shell(`{ ${command}\n} 2>&1`);
    const [shown, printed] = [output, stdout].map(text => normalize(text, checkout.path));
    // A line "..." stands for any lines.
    const pieces = shown!.split(/^\.\.\.\n/m).map(piece => piece.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    if (!new RegExp(`^${pieces.join("(?:.*\\n)*")}$`).test(printed!)) expect(printed).toBe(shown!);
  });
});

describe("I want", () => {
  const rows = [...(README.split("### I want …\n")[1] ?? "").split(/^#/m)[0]!.matchAll(/^\| ([^|]+) \| `([^`]+)` \|$/gm)];
  const wishes = rows.map(([, wish, command]) => ({ wish: wish!, command: command! }));
  let checkout: Checkout;
  beforeAll(async () => {
    checkout = await makeCheckout({ isJoined: true });
    const at = (name: string) => join(checkout.path, name);
    await rename(at("test/fixtures/fleet"), at("logs"));
    await rename(at("test/fixtures/sensors.toml"), at("sensors.toml"));
    await rename(at("test/fixtures/tty"), at("tty"));
    await writeFile(at("logs/cowrie.json.recent"), recentEvents());
    await mkdir(at("tables"));
    await checkout.shell("for s in hp-ams-01 hp-nyc-01; do bun scripts/reduce.ts logs/$s -o tables/$s -q; done");
  });
  afterAll(async () => {
    await checkout[Symbol.asyncDispose]();
  });

  test("there are some twenty, of nearly every script", () => {
    expect(wishes.length).toBeGreaterThanOrEqual(20);
    const used = new Set(wishes.map(({ command }) => command.split(".ts ")[0]!));
    const others = ["combine-reduced", "completion", "download-logs", "map", "plan"];
    expect(listScripts().filter(name => !used.has(name))).toEqual(others);
  });

  // Each after the ones before it: some read what the first has left.
  test.each(wishes)("$wish", async ({ command }) => {
    const { stdout, stderr, exitCode } = await checkout.shell(`bun scripts/${command}`);
    const allowed = command.includes("--exit-code") ? [0, 10, 11] : [0];
    const written = (/(?:> |-o |--dataset )([\w.]+)$/.exec(command) ?? / in ([\w-]+\.html)\b/.exec(stderr))?.[1];
    const path = written && join(checkout.path, written);
    const output = path === undefined ? stdout + stderr : statSync(path).isDirectory() ? readdirSync(path).join("\n") : readFileSync(path, "utf8");
    expect({ stderr: allowed.includes(exitCode) ? "" : stderr, isAllowed: allowed.includes(exitCode) }).toEqual({
      stderr: "",
      isAllowed: true,
    });
    // A heading alone answers nothing.
    expect(output.trim().split("\n").length).toBeGreaterThan(1);
  });
});

describe("pipes", () => {
  const lines = codeBlocks("sh", "Pipes").flatMap(block => block.split("\n")).filter(line => line !== "");
  const sensors = ["hp-ams-01", "hp-nyc-01"];
  let checkout: Checkout;

  beforeAll(async () => {
    checkout = await makeCheckout();
    const fleet = join(checkout.path, "test/fixtures/fleet");
    for (const sensor of sensors) {
      await cp(join(fleet, sensor), join(checkout.path, "sensors", sensor), { recursive: true });
    }
    await cp(join(fleet, sensors[0]!), join(checkout.path, "logs"), { recursive: true });
    await checkout.shell("bun scripts/map.ts logs -q");
    const plain = (await readdir(join(fleet, sensors[1]!))).filter(name => !/\.(gz|zst|arrow)$/.test(name)).slice(0, 5);
    for (const name of plain) {
      const text = readFileSync(join(fleet, sensors[1]!, name));
      const dated = name === "cowrie.json" ? "cowrie.json.today" : name;
      await writeFile(join(checkout.path, `${dated}.gz`), Bun.gzipSync(text));
    }
  });
  afterAll(async () => {
    await checkout[Symbol.asyncDispose]();
  });

  test("there are some, if the section is there", () => {
    expect(lines.length > 0).toBe(/^## Pipes$/m.test(README));
  });

  for (const line of lines) {
    const { reason, why } = / jq /.test(line) ? missing("jq") : missing();
    test.skipIf(reason !== undefined)(`${line}${why}`, async () => {
      const { stderr, exitCode } = await checkout.shell(line);
      expect({ stderr: exitCode === 0 ? "" : stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
    });
  }
});

/** A log of the days a weekly digest looks at: one login each of the last seven days but today. */
function recentEvents(): string {
  const lines = [1, 2, 3, 4, 5, 6, 7].flatMap(days => {
    const timestamp = new Date(Date.now() - days * 86_400_000).toISOString();
    const common = { session: `0123456789a${days}`, src_ip: "198.51.100.7", timestamp, sensor: "hp-ams-01" };
    return [
      { eventid: "cowrie.session.connect", dst_ip: "192.0.2.1", dst_port: 22, protocol: "ssh", ...common },
      { eventid: "cowrie.login.success", username: "root", password: "198.51.100.7", ...common },
      // No sensor of the fleet records these.
      { eventid: "cowrie.direct-tcpip.ja4", dst_ip: "example.org", dst_port: 443, ja4: "t12d3112h2", ...common },
    ];
  });
  return lines.map(line => `${JSON.stringify(line)}\n`).join("");
}

describe("crontab", () => {
  const all = codeBlocks("crontab").flatMap(readCrontabLines);
  const isRemote = ({ command }: { command: string }) => command.includes("analyze-remote.ts");
  const jobs = all.filter(job => !isRemote(job));
  const OUTPUTS = ["reduced.arrow", "reduced.json", "result.html", "stats.html"];

  /** A home as the section describes it. */
  async function makeHome() {
    const dir = await makeTempDir();
    await mkdir(join(dir.path, ".bun/bin"), { recursive: true });
    await symlink(process.execPath, join(dir.path, ".bun/bin/bun"));
    await symlink(ROOT, join(dir.path, "cowrie-longitudinal"));
    await copyFleet(join(dir.path, "logs"), "hp-ams-01");
    return dir;
  }

  /** As cron would: hardly an environment, /bin/sh, another folder, no terminal. */
  async function runAsCron(command: string, home: string) {
    const bare = ["env", "-i", `HOME=${home}`, "/bin/sh", "-c", command];
    const { stdout, stderr, exitCode } = await run(bare, { cwd: "/" });
    return { stdout, stderr, exitCode };
  }

  test("there are some, if the section is there", () => {
    expect(jobs.length > 0).toBe(/^## Cron$/m.test(README));
  });

  test.each(jobs)("$command: nothing is printed when all is well", async ({ schedule, command }) => {
    expect(Bun.cron.parse(schedule)).toBeInstanceOf(Date);
    await using home = await makeHome();
    const isMail = /digest\.ts/.test(command);
    if (isMail) await writeFile(join(home.path, "logs/cowrie.json.recent"), recentEvents());
    const result = await runAsCron(command, home.path);
    expect(result).toEqual({ stdout: isMail ? expect.stringContaining("(7 days, UTC)") : "", stderr: "", exitCode: 0 });
    if (isMail) return;
    const outputs = await readdir(join(home.path, "report"));
    expect(outputs).toEqual(expect.arrayContaining(OUTPUTS));
    expect(outputs.filter(name => name.startsWith("."))).toEqual([]);
  });

  test.each(jobs)("$command: one line and not 0 when it is not", async ({ command }) => {
    await using home = await makeHome();
    await rename(join(home.path, "logs"), join(home.path, "elsewhere"));
    const { stdout, stderr, exitCode } = await runAsCron(command, home.path);
    expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 1 });
    expect(stderr).toMatch(/^[a-z-]+: Cannot .*logs.*\n$/);
  });

  test("the hourly check prints what it finds, and ends with what it found", async () => {
    const check = jobs.find(({ command }) => /--exit-code/.test(command));
    if (check === undefined) return;
    await using home = await makeHome();
    // A sensor that is heard no more: its logs end, another one's go on.
    for (const name of await readdir(join(home.path, "logs"))) {
      if (/2026-08-(0[89]|1\d)|cowrie\.json$/.test(name)) await rm(join(home.path, "logs", name));
    }
    await copyFleet(join(home.path, "logs/hp-nyc-01"), "hp-nyc-01");
    const { stdout, stderr, exitCode } = await runAsCron(check.command, home.path);
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 11 });
    expect(stdout).toMatch(/hp-ams-01/);
  });

  const writing = jobs.filter(({ command }) => /--wait/.test(command));
  test.each(writing)("$command: waits for who holds the outputs, or says who", async ({ command }) => {
    await using home = await makeHome();
    const report = join(home.path, "report");
    await mkdir(report);
    const lock = await lockOutputs([join(report, "result.html")]);
    const impatient = await runAsCron(command.replace(/--wait \d+/, ""), home.path);
    expect(impatient).toEqual({
      stdout: "", stderr: expect.stringContaining(`: process ${process.pid} has been writing it since 20`), exitCode: 1,
    });
    expect(impatient.stderr.split("\n").length).toBe(2);
    const patient = runAsCron(command, home.path);
    // Until it has found the lock, which it looks for after the one of reduced.arrow.
    while (!existsSync(join(report, ".reduced.arrow.lock"))) await Bun.sleep(5);
    expect(existsSync(join(report, "result.html"))).toBe(false);
    lock.release();
    expect(await patient).toEqual({ stdout: "", stderr: "", exitCode: 0 });
    expect(existsSync(join(report, "result.html"))).toBe(true);
  });

  test.each(writing)("$command: takes over what a dead run holds", async ({ command }) => {
    await using home = await makeHome();
    const report = join(home.path, "report");
    await mkdir(report);
    // The lock of a process that is killed before it can clean up.
    const holder = `const { lockOutputs } = await import(${JSON.stringify(join(ROOT, "lib/process/lock.ts"))});
      await lockOutputs([${JSON.stringify(join(report, "result.html"))}]); process.kill(process.pid, "SIGKILL");`;
    expect(await run([process.execPath, "-e", holder])).toMatchObject({ exitCode: 137 });
    expect(existsSync(join(report, ".result.html.lock"))).toBe(true);
    expect(await runAsCron(command.replace(/--wait \d+/, ""), home.path)).toMatchObject({ stderr: "" });
    expect(await readdir(report)).toContain("result.html");
    expect(existsSync(join(report, ".result.html.lock"))).toBe(false);
  });

  test("what schedule.ts is shown to do, it does", async () => {
    const lines = codeBlocks("sh", "Cron").flatMap(block => block.split("\n")).filter(line => line !== "");
    await using checkout = await makeCheckout();
    await mkdir(join(checkout.path, "logs"));
    for (const line of lines) expect({ line, ...(await checkout.shell(line)) }).toMatchObject({ line, exitCode: 0 });
    const { stdout } = await checkout.shell("bun scripts/schedule.ts --list");
    const names = stdout.split("\n").slice(1, -1).map(line => line.split(" ")[0]);
    expect(names).toEqual(lines.length === 0 ? [] : ["nightly", "hourly"]);
  });

  const noSshd = SSHD_MISSING === undefined ? "" : ` (skipped: ${SSHD_MISSING})`;
  test.skipIf(SSHD_MISSING !== undefined).each(all.filter(isRemote))(
    `$command: from a node, and one line if there is one that cannot be read${noSshd}`,
    async ({ schedule, command }) => {
      expect(Bun.cron.parse(schedule)).toBeInstanceOf(Date);
      await using home = await makeHome();
      await using lab = await makeLab();
      const server = await lab.start();
      await copyLogs(server, join(home.path, "logs"));
      const known = join(home.path, "known_hosts");
      await writeFile(known, server.knownHosts);
      const node = `[[node]]\nname = "one"\nhost = "${server.user}@127.0.0.1:${server.port}"\nidentity = "${lab.key}"\n`;
      await writeFile(join(home.path, "sensors.toml"), node);
      // ssh looks for the home of its user in the list of users, not in HOME: the one file there is named here.
      const line = `${command} --known-hosts ${known}`;
      const bare = ["env", "-i", `HOME=${home.path}`, "SHELL=/bin/sh", "PATH=/usr/bin:/bin", "/bin/sh", "-c", line];
      const runIt = async () => {
        const { stdout, stderr, exitCode } = await run(bare, { cwd: "/" });
        return { stdout, stderr, exitCode };
      };
      const names = ["one_reduced.arrow", "one_reduced.json", ...OUTPUTS];
      // The second time with what is there from the first.
      for (let i = 0; i < 2; i++) {
        expect(await runIt()).toEqual({ stdout: "", stderr: "", exitCode: 0 });
        expect((await readdir(join(home.path, "report"))).sort()).toEqual(names.sort());
      }
      await writeFile(join(home.path, "sensors.toml"), `${node}[[node]]\nname = "two"\nhost = "127.0.0.1:1"\n`);
      expect(await runIt()).toEqual({
        stdout: "",
        stderr: "analyze-remote: two: connection refused: nothing listens there\n",
        exitCode: 1,
      });
    },
  );

  test("two runs at once leave one whole set of outputs", async () => {
    const [nightly] = writing;
    if (nightly === undefined) return;
    await using home = await makeHome();
    const results = await Promise.all([1, 2, 3].map(() => runAsCron(nightly.command, home.path)));
    expect(results).toEqual(Array(3).fill({ stdout: "", stderr: "", exitCode: 0 }));
    expect((await readdir(join(home.path, "report"))).sort()).toEqual(OUTPUTS);
  });
});
