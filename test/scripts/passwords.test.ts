/** Passwords, whichever way they are given: to whom they go, and that nothing shows them. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { missing } from "../support/needs.ts";
import { isListing, listingOf } from "../support/remote.ts";
import { makeTempDir, runScript } from "../support/run.ts";
import { startFakeServer } from "../support/ssh-server.ts";
import { answerOnTerminal } from "../support/terminal.ts";

const SECRET = "hunter2-heron";
const terminal = missing("script");

/** A server that takes any password, remembers it, and then says it wherever it can. */
async function setUp() {
  const dir = await makeTempDir();
  const given: string[] = [];
  const server = await startFakeServer({
    onAuthentication: context => {
      if (context.method !== "password") return context.reject(["password"]);
      given.push(context.password);
      context.accept();
    },
    onScript: asked => {
      if (!isListing(asked)) asked.channel.stderr.write(`your password is ${given.at(-1)}\n`);
      asked.answer(isListing(asked) ? listingOf([{ path: "/logs/cowrie.json", size: 4 }]) : "", 1);
    },
  });
  const known = join(dir.path, "known_hosts");
  await Bun.write(known, "");
  const at = `pot@127.0.0.1:${server.port}`;
  return {
    folder: dir.path,
    given,
    known,
    node: at,
    common: ["-f", "logs", "--known-hosts", known, "--ssh-config", "none", "--retries", "0"],
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await dir[Symbol.asyncDispose]();
    },
  };
}

type Place = Awaited<ReturnType<typeof setUp>>;
type Outcome = { exitCode: number; text: string };

async function download({ folder, common }: Place, args: readonly string[], env = {}): Promise<Outcome> {
  const clean = { SSH_AUTH_SOCK: undefined, COWRIE_SSH_PASSWORD: undefined, HOME: folder };
  const result = await runScript("download-logs", [...args, ...common], { cwd: folder, env: { ...clean, ...env } });
  return { exitCode: result.exitCode, text: result.stdout + result.stderr };
}

const WAYS: [way: string, give: (place: Place, flags: readonly string[]) => Promise<Outcome>][] = [
  ["-pw", (place, flags) => download(place, ["-i", place.node, "-pw", SECRET, ...flags])],
  [
    "the variable",
    (place, flags) => download(place, ["-i", place.node, ...flags], { COWRIE_SSH_PASSWORD: SECRET }),
  ],
  [
    "password_env",
    async (place, flags) => {
      const file = join(place.folder, "nodes.toml");
      await Bun.write(file, `[[node]]\nhost = "${place.node}"\npassword_env = "POT"\n`);
      return download(place, ["--nodes", file, ...flags], { POT: SECRET });
    },
  ],
];

describe("a host that is met for the first time gets no password, and no message shows one", () => {
  async function meetTwice(place: Place, give: (flags: readonly string[]) => Promise<Outcome>) {
    const first = await give(["--accept-new"]);
    expect([first.exitCode, place.given]).toEqual([1, []]);
    expect(first.text).toContain("the next run sends it");
    expect(await Bun.file(place.known).text()).toContain("ssh-rsa");
    const second = await give([]);
    expect(place.given).toEqual([SECRET]);
    expect(second.text).toContain("failed");
    expect(first.text + second.text).not.toContain(SECRET);
  }

  test.each(WAYS)("%s", async (_way, give) => {
    await using place = await setUp();
    await meetTwice(place, flags => give(place, flags));
  });

  test.skipIf(terminal.reason !== undefined)(`--ask-pass${terminal.why}`, async () => {
    await using place = await setUp();
    await meetTwice(place, flags =>
      answerOnTerminal(
        "download-logs",
        ["-i", place.node, "--ask-pass", ...flags, ...place.common],
        SECRET,
        place.folder,
      ),
    );
  });
});

test("a password in the place of a variable's name is not shown", async () => {
  await using place = await setUp();
  const file = join(place.folder, "nodes.toml");
  await Bun.write(file, `[[node]]\nhost = "${place.node}"\npassword_env = "${SECRET}"\n`);
  const { exitCode, text } = await download(place, ["--nodes", file]);
  expect(exitCode).toBe(1);
  expect(text).toContain("the variable that password_env names is not set");
  expect(text).not.toContain(SECRET);
});

test.each(["-pwhunter2-heron", "-pw hunter2-heron heron", "-pw -hunter2-heron"])(
  "%s is wrong usage, said without the password",
  async args => {
    await using place = await setUp();
    const { exitCode, text } = await download(place, ["-i", place.node, ...args.split(" ")]);
    expect(exitCode).toBe(2);
    expect(text).not.toContain("heron");
  },
);
