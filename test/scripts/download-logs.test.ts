import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { missing } from "../support/needs.ts";
import { copyLogs, type Lab, makeLab, openWay } from "../support/remote.ts";
import { FIXTURES_FOLDER } from "../support/example-fleet.ts";
import { run, runScript } from "../support/run.ts";
import { answerOnTerminal } from "../support/terminal.ts";
import { freePort, makeKey, POT_PASSWORD, SSHD_MISSING, SSHD_USERS_MISSING, type Sshd } from "../support/sshd.ts";

const withSshd = test.skipIf(SSHD_MISSING !== undefined);
const withUsers = test.skipIf(SSHD_USERS_MISSING !== undefined);
const terminal = missing("sshd", "ssh", "ps", "users", "script");
const why = SSHD_MISSING === undefined ? "" : ` (skipped: ${SSHD_MISSING})`;
const whyUsers = SSHD_USERS_MISSING === undefined ? "" : ` (skipped: ${SSHD_USERS_MISSING})`;
const ENV = { SSH_AUTH_SOCK: undefined, COWRIE_SSH_PASSWORD: undefined, COWRIE_SSH_PASSPHRASE: undefined };

describe("download-logs", () => {
  let lab: Lab;
  const servers: Sshd[] = [];

  beforeAll(async () => {
    if (SSHD_MISSING !== undefined) return;
    lab = await makeLab();
    for (const sensor of ["hp-lab-01", "hp-waw-02"]) {
      const server = await lab.start({ config: ["PasswordAuthentication yes"] });
      servers.push(server);
      await copyLogs(server, join(FIXTURES_FOLDER, "fleet", sensor));
    }
  });

  afterAll(async () => {
    await lab?.[Symbol.asyncDispose]();
  });

  const download = (args: readonly string[], env = {}) =>
    runScript("download-logs", args, { cwd: lab.folder, env: { ...ENV, ...env } });

  withSshd(`every node into a folder of its own; one that is down is named and exits 1${why}`, async () => {
    const down = { port: await freePort(), user: "pot" };
    const args = [...lab.args(servers[0]!, down, servers[1]!), "-f", "all", "--retries", "0", "--json"];
    const { exitCode, stdout, stderr } = await download(args);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`incomplete: 127.0.0.1_${down.port}`);
    const { nodes } = JSON.parse(stdout) as { nodes: { name: string; logs?: number; error?: string }[] };
    expect(nodes.map(({ logs, error }) => logs ?? error)).toEqual([
      42,
      "connection refused: nothing listens there",
      16,
    ]);
    for (const [i, sensor] of ["hp-lab-01", "hp-waw-02"].entries()) {
      const folder = join(lab.folder, "all", `127.0.0.1_${servers[i]!.port}`);
      expect((await run(["diff", "-r", "-x", "*.arrow", folder, join(FIXTURES_FOLDER, "fleet", sensor)])).stdout).toBe("");
    }
  });

  withSshd(`a way of 200 ms does not wait for every log${why}`, async () => {
    const timeOf = async (delayMs: number, folder: string) => {
      await using way = await openWay(servers[0]!.port, delayMs);
      const known = servers[0]!.knownHosts.replace(/:\d+/, `:${way.port}`);
      await Bun.write(lab.known, (await Bun.file(lab.known).text()) + known);
      const args = lab.args({ port: way.port, user: servers[0]!.user });
      const startMs = performance.now();
      const { exitCode } = await download([...args, "-f", folder, "--compress", "-q"]);
      expect(exitCode).toBe(0);
      return performance.now() - startMs;
    };
    let longerMs = Infinity;
    // 42 logs one after the other would be at least 42 ways there and back, each time; a busy machine is slow once.
    for (let attempt = 0; attempt < 5 && longerMs >= 42 * 200; attempt++)
      longerMs = (await timeOf(200, `slow-${attempt}`)) - (await timeOf(0, `fast-${attempt}`));
    expect(longerMs).toBeLessThan(42 * 200);
  });

  withSshd(`options per node, wrong usage, and a run that only tells${why}`, async () => {
    const dry = await download([...lab.args(...servers), "-f", "dry", "--dry-run"]);
    expect([dry.exitCode, dry.stdout.split("\n").length, existsSync(join(lab.folder, "dry"))]).toEqual([0, 3, false]);
    const wrong = await download(["-i", "a", "-i", "b", "-i", "c", "-u", "x", "-u", "y", "-f", "wrong"]);
    expect([wrong.exitCode, wrong.stderr.split("\n")[0]]).toEqual([
      2,
      "download-logs: Cannot use --user 2 times for 3 nodes: expected once, or once per --ip",
    ]);
    expect((await download(["-f", "wrong"])).exitCode).toBe(2);
    expect((await download(["-i", "a"])).stderr).toContain("Missing --folder");
  });

  withUsers(
    `a password by option warns, by variable does not; none is asked without a terminal${whyUsers}`,
    async () => {
      const args = [
        "-i",
        `pot@127.0.0.1:${servers[0]!.port}`,
        "--known-hosts",
        lab.known,
        "--ssh-config",
        "none",
        "--identity",
        "absent",
      ];
      const given = await download([...args, "-f", "pw", "-pw", POT_PASSWORD]);
      expect([given.exitCode, given.stderr]).toEqual([
        0,
        expect.stringContaining("other users of this machine can see a password"),
      ]);
      const variable = await download([...args, "-f", "pw"], { COWRIE_SSH_PASSWORD: POT_PASSWORD });
      expect([variable.exitCode, variable.stderr]).toEqual([0, expect.not.stringContaining("Warning")]);
      expect(given.stderr + variable.stderr).not.toContain(POT_PASSWORD);
      const asked = await run(
        [
          "setsid",
          "-w",
          process.execPath,
          join(import.meta.dir, "../../scripts/download-logs.ts"),
          ...args,
          "-f",
          join(lab.folder, "pw"),
          "--ask-pass",
        ],
        { env: ENV, cwd: lab.folder },
      );
      expect([asked.exitCode, asked.stderr]).toEqual([1, expect.stringContaining("there is no terminal")]);
    },
  );

  test.skipIf(terminal.reason !== undefined)(
    `passwords and passphrases are asked on the terminal, unseen${terminal.why}`,
    async () => {
      const locked = await makeKey(join(lab.folder, "locked"), "ed25519", "open sesame");
      const taking = await lab.start();
      await copyLogs(taking, join(FIXTURES_FOLDER, "fleet/hp-waw-02"));
      await Bun.write(join(taking.folder, "authorized_keys"), locked.publicLine);
      const ask = (args: readonly string[], answer: string) =>
        answerOnTerminal("download-logs", args, answer, lab.folder);
      const common = ["--known-hosts", lab.known, "--ssh-config", "none"];
      const password = await ask(
        ["-i", `pot@127.0.0.1:${servers[0]!.port}`, "--ask-pass", "-f", "asked", ...common],
        POT_PASSWORD,
      );
      expect([password.exitCode, password.text.includes(POT_PASSWORD)]).toEqual([0, false]);
      const passphrase = await ask(
        ["-i", `pot@127.0.0.1:${taking.port}`, "--identity", locked.file, "-f", "asked", ...common],
        "open sesame",
      );
      expect([passphrase.exitCode, passphrase.text.includes("open sesame")]).toEqual([0, false]);
    },
  );

  withUsers(`what only root may read is read by sudo, and what sudo refuses is said${whyUsers}`, async () => {
    const locked = await lab.start();
    const logs = await copyLogs(locked, join(FIXTURES_FOLDER, "fleet/hp-waw-02"));
    // Stands in for sudo: it refuses.
    const bin = join(lab.folder, "sudo-bin");
    await mkdir(bin);
    await Bun.write(join(bin, "sudo"), "#!/bin/sh\necho 'sudo: a password is required' >&2\nexit 1\n");
    await run(["chmod", "-R", "a+rx", lab.folder]);
    await run(["chmod", "700", logs]);
    await run(["chown", "root", logs]);
    const refused = await lab.start({ config: [`SetEnv PATH=${bin}:/usr/bin:/bin`] });
    await copyLogs(refused, join(FIXTURES_FOLDER, "fleet/hp-waw-02"));
    const plain = await download([...lab.args(locked), "-f", "sudo"]);
    expect(plain.stderr).toContain("permission denied (--sudo reads as root)");
    const asked = await download([...lab.args(refused), "-f", "sudo", "--sudo"]);
    expect([asked.exitCode, asked.stderr]).toEqual([1, expect.stringContaining("sudo: a password is required")]);
    // And here it lets pass.
    await Bun.write(join(bin, "sudo"), '#!/bin/sh\n[ "$1" = -n ] && shift\nexec "$@"\n');
    const passed = await download([...lab.args(refused), "-f", "sudo", "--sudo"]);
    expect([passed.exitCode, passed.stderr]).toEqual([0, expect.stringContaining("16 fetched")]);
  });

  withSshd(`no more comes in than --bwlimit lets${why}`, async () => {
    const startMs = performance.now();
    const { exitCode } = await download([...lab.args(servers[1]!), "-f", "limited", "--bwlimit", "0.1", "-q"]);
    expect(exitCode).toBe(0);
    const bytes = Number((await run(["du", "-sb", join(lab.folder, "limited")])).stdout.split("\t")[0]);
    expect((performance.now() - startMs) / 1000).toBeGreaterThan((bytes / 1e5) * 0.5);
  });
});
