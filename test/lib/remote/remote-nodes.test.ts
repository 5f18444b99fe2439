/**
 * Nodes that are not like the machine at hand: other shells and tools, logs that only root may read, no Bun that fits.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { reduceOnNode } from "../../../lib/remote/reduce-on-node.ts";
import { listRemoteLogs } from "../../../lib/remote/list-logs.ts";
import { readReduced } from "../../../lib/reduced/reduced-input.ts";
import { FIXTURES_FOLDER } from "../../support/example-fleet.ts";
import { missing } from "../../support/needs.ts";
import { copyLogs, type Lab, makeLab } from "../../support/remote.ts";
import { run, runScript } from "../../support/run.ts";
import { SSHD_MISSING, type Sshd } from "../../support/sshd.ts";

const BUSYBOX = Bun.which("busybox");
const sshd = missing("sshd", "ssh", "ps");
const busybox = missing("sshd", "ssh", "ps", "users", "busybox");
const sudo = missing("sshd", "ssh", "ps", "users", "sudo");

const LOGS = join(FIXTURES_FOLDER, "fleet/hp-ams-01");

let lab: Lab;
let wanted: Awaited<ReturnType<typeof contentOf>>;

async function contentOf(path: string) {
  const { dictionaries, kinds } = await readReduced(path, () => {});
  return { dictionaries, kinds };
}

async function analyze(name: string, node: Sshd, args: readonly string[]) {
  const folder = join(lab.folder, name);
  mkdirSync(folder, { recursive: true });
  const env = { XDG_CACHE_HOME: join(folder, "cache"), SSH_AUTH_SOCK: undefined, COWRIE_SSH_PASSWORD: undefined };
  const result = await runScript("analyze-remote", [...lab.args(node), ...args], { cwd: folder, env });
  return { ...result, folder, arrow: join(folder, "reduced.arrow") };
}

/** A folder of commands that stand before the usual ones, or in their place. */
async function makeCommands(name: string, commands: Record<string, string>): Promise<string> {
  const folder = join(lab.folder, name);
  mkdirSync(folder);
  for (const [command, script] of Object.entries(commands)) {
    await writeFile(join(folder, command), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, command), 0o755);
  }
  return folder;
}

beforeAll(async () => {
  if (SSHD_MISSING !== undefined) return;
  lab = await makeLab();
  chmodSync(lab.folder, 0o755);
  const folder = join(lab.folder, "local");
  mkdirSync(folder);
  await runScript("analyze-local", [LOGS, "--mapped-dir", "tables"], { cwd: folder });
  wanted = await contentOf(join(folder, "reduced.arrow"));
});
afterAll(async () => {
  await lab?.[Symbol.asyncDispose]();
});

describe("nodes with other tools", () => {
  test.skipIf(busybox.reason !== undefined)(
    `busybox, and nothing else: ash as the shell, applets as the tools${busybox.why}`,
    async () => {
      const bin = join(lab.folder, "applets");
      mkdirSync(bin);
      const { exitCode } = await run([BUSYBOX!, "--install", "-s", bin]);
      expect(exitCode).toBe(0);
      const shell = realpathSync("/bin/sh");
      const server = await lab.start({ config: [`SetEnv PATH=${bin}`], shell: "/bin/sh", binds: [[BUSYBOX!, shell]] });
      const logs = await copyLogs(server, LOGS);
      await lab.at(server, async connection => {
        const { stdout } = await connection.run("readlink -f /proc/$$/exe; find / -maxdepth 0 -printf x 2>&1 || :");
        expect(stdout.toString()).toMatch(/busybox|dash/);
        expect((await connection.run("echo $PATH")).stdout.toString()).toBe(`${bin}\n`);
        const { tools } = await listRemoteLogs(connection);
        expect(tools).toMatchObject({ zstd: false, gzip: true, sha256sum: true });
        // Whatever it started ends with it.
        const stop = new AbortController();
        const stopped = connection.run("sleep 976 & sleep 977", { signal: stop.signal });
        const sleeping = async () => (await connection.run("ps | grep -c '[s]leep 97' || :")).stdout.toString().trim();
        while ((await sleeping()) !== "2") await Bun.sleep(20);
        stop.abort(new Error("enough"));
        await expect(stopped).rejects.toThrow("enough");
        while ((await sleeping()) !== "0") await Bun.sleep(20);
      });
      const result = await analyze("busybox", server, ["--reduce-on", "auto"]);
      expect([result.exitCode, await contentOf(result.arrow)]).toEqual([0, wanted]);
      const folder = join(lab.folder, "busybox logs");
      const copied = await runScript("download-logs", [...lab.args(server), "-f", folder], {
        env: { SSH_AUTH_SOCK: undefined },
      });
      expect(copied.exitCode).toBe(0);
      const [node] = readdirSync(folder);
      expect(readdirSync(logs)).not.toBeEmpty();
      for (const name of readdirSync(logs)) {
        expect(readFileSync(join(folder, node!, name)).equals(readFileSync(join(logs, name)))).toBe(true);
      }
    },
  );

  test.skipIf(sshd.reason !== undefined)(
    `BSD: stat without -c, find without -printf, no sha256sum, no gzip, no nice -n${sshd.why}`,
    async () => {
      const bin = await makeCommands("bsd", {
        stat: 'case $1 in -f) shift 2; [ "$1" = -- ] && shift; exec /usr/bin/stat -c "%d:%i %s %Y" -- "$@";; esac\nexit 1',
        find: 'case "$*" in *-printf*) echo "find: -printf: unknown primary" >&2; exit 1;; esac\nexec /usr/bin/find "$@"',
      });
      for (const name of ["sh", "head", "tail", "cat", "uname", "nice", "od", "tr", "dd", "sleep", "env", "bash"]) {
        await symlink(Bun.which(name)!, join(bin, name));
      }
      const server = await lab.start({ config: [`SetEnv PATH=${bin}`] });
      await copyLogs(server, LOGS);
      await lab.at(server, async connection => {
        const { tools, logs } = await listRemoteLogs(connection);
        expect(tools).toMatchObject({ zstd: false, gzip: false, sha256sum: false });
        expect(logs.length).toBe(42);
      });
      const { exitCode, arrow } = await analyze("bsd result", server, ["--reduce-on", "here"]);
      expect([exitCode, await contentOf(arrow)]).toEqual([0, wanted]);
    },
  );
});

describe("a Bun that does not fit", () => {
  const OPTIONS = {
    name: "n",
    paths: [],
    sudo: false,
    parameters: { robotMaxSeconds: 10 },
    isFresh: false,
    keepDuplicates: false,
    only: undefined,
    wantsRejects: false,
    kept: "/nowhere/counts",
    show: () => {},
  };
  const CASES: [what: string, commands: Record<string, string>, hasSetup: boolean, says: string][] = [
    ["another libc", { ls: 'case $* in */lib/ld-musl-*) exit 0;; esac\nexec /bin/ls "$@"' }, true, "musl"],
    ["another machine", { uname: "echo Linux armv7l" }, true, "Linux armv7l"],
    ["a full disk", { df: "echo x; echo x x x 5 x x" }, true, "5.12 kB free"],
    ["one that does not start", { bun: "echo 'not found: ld-linux' >&2; exit 127" }, false, "no Bun"],
    ["one of another version", { bun: "echo 1.0.0" }, false, "no Bun"],
    ["none", {}, false, "no Bun"],
  ];
  test.skipIf(sshd.reason !== undefined).each(CASES)(
    `%s: auto reads here, node says why${sshd.why}`,
    async (what, commands, hasSetup, says) => {
      const bin = await makeCommands(`fit ${what}`.replaceAll(" ", "-"), commands);
      // Everything but the Bun that runs the tests.
      for (const name of readdirSync("/usr/bin")) {
        if (!/^bunx?$/.test(name) && !existsSync(join(bin, name)))
          await symlink(join("/usr/bin", name), join(bin, name));
      }
      const server = await lab.start({ config: [`SetEnv PATH=${bin}`] });
      await copyLogs(server, LOGS);
      await lab.at(server, async connection => {
        const notes: string[] = [];
        const options = { ...OPTIONS, hasSetup, note: (text: string) => void notes.push(text) };
        expect(await reduceOnNode(connection, { ...options, isRequired: false })).toBeUndefined();
        if (hasSetup) expect(notes).toEqual([expect.stringMatching(/cannot set up: .*; reading its logs here$/)]);
        await expect(reduceOnNode(connection, { ...options, isRequired: true })).rejects.toThrow(says);
        expect((await connection.run("ls -A ~/.cache 2>/dev/null")).stdout.toString()).toBe("");
      });
    },
  );
});

describe("logs that only root may read", () => {
  async function startNode(sudoers: string): Promise<Sshd> {
    const server = await lab.start({ sudoers });
    const logs = await copyLogs(server, LOGS);
    await run(["chown", "-R", "root:root", logs]);
    chmodSync(logs, 0o700);
    return server;
  }

  test.skipIf(sudo.reason !== undefined)(
    `are read by sudo, here and there, and said to be closed without${sudo.why}`,
    async () => {
      const server = await startNode("Defaults env_reset\npot ALL=(ALL) NOPASSWD: ALL\n");
      const closed = await analyze("closed", server, []);
      expect([closed.exitCode, closed.stderr]).toEqual([
        1,
        expect.stringMatching(/failed: cannot read ".*\/cowrie": permission denied \(--sudo reads as root\)/),
      ]);
      const here = await analyze("sudo here", server, ["--sudo", "--reduce-on", "here"]);
      expect([here.exitCode, await contentOf(here.arrow)]).toEqual([0, wanted]);
      mkdirSync(join(server.home, ".bun/bin"), { recursive: true });
      await symlink(process.execPath, join(server.home, ".bun/bin/bun"));
      const there = await analyze("sudo node", server, ["--sudo", "--reduce-on", "node"]);
      expect([there.exitCode, await contentOf(there.arrow)]).toEqual([0, wanted]);
      expect(
        (await run(["find", server.home, "-newer", join(lab.folder, "sudo here/reduced.arrow"), "-type", "f"])).stdout,
      ).toBe("");
      const env = { SSH_AUTH_SOCK: undefined };
      const copied = await runScript(
        "download-logs",
        [...lab.args(server), "-f", join(lab.folder, "sudo logs"), "--sudo"],
        { env },
      );
      expect(copied.exitCode).toBe(0);
      // What root started on our behalf ends with us as well.
      await lab.at(server, async connection => {
        const stop = new AbortController();
        const stopped = connection.run("sleep 978", { signal: stop.signal, sudo: true });
        const sleeping = async () =>
          (await connection.run("ps ax -o args | grep -c '^[s]leep 978' || :")).stdout.toString().trim();
        while ((await sleeping()) !== "1") await Bun.sleep(20);
        stop.abort(new Error("enough"));
        await expect(stopped).rejects.toThrow("enough");
        while ((await sleeping()) !== "0") await Bun.sleep(20);
      });
    },
  );

  const REFUSED: [what: string, sudoers: string, says: RegExp][] = [
    ["a password is asked for", "pot ALL=(ALL) ALL\n", /failed: "sudo: a password is required"/],
    ["the user may not", "root ALL=(ALL) ALL\n", /failed: "sudo: /],
    [
      "a terminal is asked for",
      "Defaults requiretty\npot ALL=(ALL) NOPASSWD: ALL\n",
      /failed: "sudo: .*(tty|terminal)/,
    ],
    ["the rules are broken", "what is this\n", /failed: .*(sudo|syntax error)/],
  ];
  test.skipIf(sudo.reason !== undefined).each(REFUSED)(`sudo: %s${sudo.why}`, async (what, sudoers, says) => {
    const server = await startNode(sudoers);
    const { exitCode, stderr } = await analyze(`refused ${what}`, server, ["--sudo", "--retries", "0"]);
    expect([exitCode, stderr]).toEqual([1, expect.stringMatching(says)]);
  });
});
