import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Connection } from "../../../lib/ssh/connection.ts";
import { Connector, type ConnectorOptions } from "../../../lib/ssh/connector.ts";
import { quoteWord } from "../../../lib/text/shell.ts";
import { SshError, type SshFault } from "../../../lib/ssh/ssh-error.ts";
import { resolveHost, type ResolveOptions, type SshHost } from "../../../lib/ssh/ssh-config.ts";
import { KeyRing } from "../../../lib/ssh/ssh-login.ts";
import type { KeyboardAuthContext, Prompt } from "ssh2";
import { workMs } from "../../support/growth.ts";
import { makeTempDir, run } from "../../support/run.ts";
import {
  makeKey,
  POT_PASSWORD,
  SSHD_MISSING,
  SSHD_USERS_MISSING,
  type Sshd,
  type SshdOptions,
  startAgent,
  startSshd,
} from "../../support/sshd.ts";
import { type FakeServer, type FakeServerOptions, startFakeServer } from "../../support/ssh-server.ts";

const withSshd = test.skipIf(SSHD_MISSING !== undefined);
const withUsers = test.skipIf(SSHD_USERS_MISSING !== undefined);
const why = SSHD_MISSING === undefined ? "" : ` (skipped: ${SSHD_MISSING})`;
const whyUsers = SSHD_USERS_MISSING === undefined ? "" : ` (skipped: ${SSHD_USERS_MISSING})`;

/** A server, a key it takes, a file that knows it, and a folder that all this lies in. */
async function setUp(options: SshdOptions = {}, resolve: ResolveOptions = {}) {
  const dir = await makeTempDir();
  const key = await makeKey(join(dir.path, "id"));
  const server = await startSshd([key.publicLine], options);
  const known = join(dir.path, "known_hosts");
  await Bun.write(known, server.knownHosts);
  const host = await hostOf(server, known, { identities: [key.file], ...resolve });
  return {
    dir: dir.path,
    key,
    server,
    known,
    host,
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await dir[Symbol.asyncDispose]();
    },
  };
}

async function hostOf(
  { port, user }: Pick<Sshd, "port" | "user">,
  known: string,
  resolve: ResolveOptions = {},
): Promise<SshHost> {
  const host = await resolveHost(
    { host: "127.0.0.1", port, user },
    { configFile: "none", knownHosts: [known], ...resolve },
  );
  // Neither the agent nor the keys of whoever runs the tests.
  return { ...host, agent: undefined, identities: resolve.identities ?? [] };
}

async function setUpFake(options: FakeServerOptions): Promise<{ server: FakeServer; host: SshHost } & AsyncDisposable> {
  const dir = await makeTempDir();
  const server = await startFakeServer(options);
  const known = join(dir.path, "known_hosts");
  await Bun.write(known, server.knownHosts);
  return {
    server,
    host: await hostOf({ port: server.port, user: "pot" }, known),
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await dir[Symbol.asyncDispose]();
    },
  };
}

/** Connect, do something, hang up. */
async function using<T>(
  host: SshHost,
  work: (connection: Connection) => T | Promise<T>,
  { password, ...options }: Partial<ConnectorOptions> & { password?: string } = {},
): Promise<T> {
  await using connector = new Connector({ timeoutMs: 10_000, ...options });
  await using connection = await connector.connect(host, password);
  return await work(connection);
}

const output = async (connection: Connection, script: string) => (await connection.run(script)).stdout.toString();

/** The fault and message of whatever fails. */
async function faultOf(promise: Promise<unknown>): Promise<{ fault: SshFault | undefined; message: string }> {
  try {
    await promise;
  } catch (error) {
    return { fault: error instanceof SshError ? error.fault : undefined, message: (error as Error).message };
  }
  return { fault: undefined, message: "nothing failed" };
}

describe("login", () => {
  withSshd(`by key file${why}`, async () => {
    await using at = await setUp();
    expect(await using(at.host, connection => output(connection, "echo hello"))).toBe("hello\n");
  });

  withSshd(`by key with a passphrase, asked once for all hosts${why}`, async () => {
    await using at = await setUp();
    const locked = await makeKey(join(at.dir, "locked"), "rsa", "open sesame");
    await Bun.write(join(at.server.folder, "authorized_keys"), locked.publicLine);
    const host = { ...at.host, identities: [locked.file], hasOwnIdentities: true };
    let asked = 0;
    const keys = new KeyRing({ passphrase: async () => (asked++, "open sesame") });
    await Promise.all([1, 2, 3].map(() => using(host, connection => output(connection, "true"), { keys })));
    expect(asked).toBe(1);
    expect(await faultOf(using(host, () => {}))).toMatchObject({
      fault: "login",
      message: expect.stringContaining("needs a passphrase"),
    });
    const wrong = new KeyRing({ passphrase: async () => "wrong" });
    expect((await faultOf(using(host, () => {}, { keys: wrong }))).message).toContain("the passphrase is wrong");
  });

  withSshd(`by agent, and a named key is offered before the agent's others${why}`, async () => {
    await using at = await setUp({ config: ["MaxAuthTries 2"] });
    const others = await Promise.all([1, 2, 3, 4].map(i => makeKey(join(at.dir, `other${i}`))));
    await using agent = await startAgent([...others.map(({ file }) => file), at.key.file]);
    await using own = await startAgent([at.key.file]);
    const anyKey = { ...at.host, agent: own.socket, identities: [], hasOwnIdentities: false };
    expect(await using(anyKey, connection => output(connection, "echo agent"))).toBe("agent\n");
    const named = { ...at.host, agent: agent.socket };
    expect(await using(named, connection => output(connection, "echo named"))).toBe("named\n");
  });

  withSshd(`a certificate is said to be of no use, in a file or an agent${why}`, async () => {
    await using at = await setUp();
    const authority = await makeKey(join(at.dir, "authority"));
    const mine = await makeKey(join(at.dir, "mine"));
    const sign = ["ssh-keygen", "-q", "-s", authority.file, "-I", "me", "-n", at.server.user, `${mine.file}.pub`];
    expect((await run(sign)).exitCode).toBe(0);
    const config = ["AuthorizedKeysFile none", `TrustedUserCAKeys ${authority.file}.pub`];
    await using server = await startSshd([], { config });
    await run(["chmod", "a+rx", at.dir]);
    await Bun.write(at.known, server.knownHosts);
    await using agent = await startAgent([mine.file]);
    const host = await hostOf(server, at.known, { identities: [mine.file] });
    const only = { ...host, agent: agent.socket, hasOwnIdentities: true, identitiesOnly: true };
    expect((await faultOf(using(only, () => {}))).message).toContain(
      "certificates of users are not supported, in an agent",
    );
    expect((await faultOf(using(host, () => {}))).message).toContain("certificates of users are not supported");
  });

  withSshd(`goes on without an agent that is dead${why}`, async () => {
    await using at = await setUp();
    const host = { ...at.host, agent: join(at.dir, "no-agent") };
    expect(await using(host, connection => output(connection, "echo on"))).toBe("on\n");
    expect((await faultOf(using({ ...host, identities: [] }, () => {}))).message).toContain(
      "the agent does not answer",
    );
  });

  withSshd(`says what was tried and what the server takes${why}`, async () => {
    await using at = await setUp();
    const stranger = await makeKey(join(at.dir, "stranger"));
    const absent = join(at.dir, "absent");
    const host = { ...at.host, identities: [stranger.file, absent], hasOwnIdentities: true };
    const { fault, message } = await faultOf(using(host, () => {}));
    expect(fault).toBe("login");
    expect(message).toContain("tried key");
    expect(message).toContain('the server takes "publickey"');
    expect(message).toContain("there is no key");
  });

  withUsers(`by password, and never more than once a wrong one${whyUsers}`, async () => {
    await using at = await setUp({ config: ["PasswordAuthentication yes"] });
    const host = { ...at.host, identities: [] };
    expect(await using(host, connection => output(connection, "id -un"), { password: POT_PASSWORD })).toBe("pot\n");
    expect(await faultOf(using(host, () => {}, { password: "wrong" }))).toMatchObject({ fault: "login" });
    expect(at.server.log().match(/Failed password/g)?.length).toBe(1);
  });

  withUsers(`by key and password together${whyUsers}`, async () => {
    await using at = await setUp({ config: ["AuthenticationMethods publickey,password"] });
    expect(await using(at.host, connection => output(connection, "id -un"), { password: POT_PASSWORD })).toBe("pot\n");
  });

  withUsers(`by keyboard-interactive${whyUsers}`, async () => {
    await using at = await setUp({
      config: ["UsePAM yes", "PasswordAuthentication no", "KbdInteractiveAuthentication yes"],
    });
    const host = { ...at.host, identities: [] };
    expect(await using(host, connection => output(connection, "id -un"), { password: POT_PASSWORD })).toBe("pot\n");
  });

  test("sends no password to a server that asks for something else", async () => {
    const answers: string[] = [];
    await using at = await setUpFake({
      onAuthentication: context => {
        if (context.method !== "keyboard-interactive") return context.reject(["keyboard-interactive"]);
        context.prompt([{ prompt: "Your card number: ", echo: true }], given => {
          answers.push(...given);
          context.reject([]);
        });
      },
    });
    expect(await faultOf(using(at.host, () => {}, { password: "secret" }))).toMatchObject({ fault: "login" });
    expect(answers).toEqual([""]);
  });

  /** Answers to the rounds of questions that a server asks in one login, and the methods it saw. */
  async function answersTo(rounds: readonly (readonly Prompt[])[]) {
    const answers: string[][] = [];
    await using at = await setUpFake({
      onAuthentication: context => {
        if (context.method !== "keyboard-interactive") return context.reject(["keyboard-interactive"]);
        const ask = ([round, ...rest]: readonly (readonly Prompt[])[]) => {
          if (round === undefined) return context.reject(["keyboard-interactive", "password"]);
          context.prompt([...round], given => {
            answers.push(given);
            ask(rest);
          });
        };
        ask(rounds);
      },
    });
    const { message } = await faultOf(using(at.host, () => {}, { password: "secret" }));
    return { answers, tried: at.server.tried, message };
  }

  test("sends the password once, however often a server asks for it", async () => {
    const ask = [{ prompt: "Password: ", echo: false }];
    const { answers, tried, message } = await answersTo([ask, ask, [], ask]);
    expect(answers).toEqual([["secret"], [""], [], [""]]);
    expect(tried).toEqual(["none", "keyboard-interactive"]);
    expect(message).toContain("asks for the password again");
  });

  test("sends no password where the SSH configuration forbids it", async () => {
    await using at = await setUpFake({ onAuthentication: context => context.reject(["password", "keyboard-interactive"]) });
    const host = { ...at.host, passwordWays: [] };
    const { message } = await faultOf(using(host, () => {}, { password: "secret" }));
    expect(at.server.tried).toEqual(["none"]);
    expect(message).toContain("the SSH configuration forbids passwords");
  });

  const hidden = (...prompts: string[]) => prompts.map(prompt => ({ prompt, echo: false }));
  test.each([
    [hidden("Your bank PIN: ")],
    [hidden("Password: ", "Password: ")],
    [hidden("Password: ", "Token: ")],
    [[{ prompt: "Password: ", echo: true }]],
  ])("sends no password to %j", async prompts => {
    const { answers } = await answersTo([prompts]);
    expect(answers).toEqual([prompts.map(() => "")]);
  });

  test("sends keys before the password, and the password only if asked for", async () => {
    await using dir = await makeTempDir();
    const key = await makeKey(join(dir.path, "id"));
    await using at = await setUpFake({
      onAuthentication: context => (context.method === "publickey" ? context.accept() : context.reject(["publickey"])),
    });
    await using({ ...at.host, identities: [key.file] }, () => {}, { password: "secret" });
    expect(new Set(at.server.tried)).toEqual(new Set(["none", "publickey"]));
  });
});

describe("host keys", () => {
  withSshd(`unknown: refused with the fingerprint, no method of login tried${why}`, async () => {
    await using at = await setUp();
    await Bun.write(at.known, "");
    const { fault, message } = await faultOf(using(at.host, () => {}, { password: "secret" }));
    const { stdout } = await run(["ssh-keygen", "-lf", join(at.server.folder, "host_ed25519.pub")]);
    expect(fault).toBe("key");
    expect(message).toContain(stdout.split(" ")[1]!);
    expect(message).toContain("--accept-new");
    expect(at.server.log()).not.toContain("Failed");
  });

  withSshd(`accepted when new: recorded once, checked from then on${why}`, async () => {
    await using at = await setUp();
    await Bun.write(at.known, "# mine");
    const notices: string[] = [];
    const options = { acceptNew: true, onNotice: (line: string) => notices.push(line), timeoutMs: 10_000 };
    await using connector = new Connector(options);
    for (let i = 0; i < 2; i++) await (await connector.connect(at.host))[Symbol.asyncDispose]();
    expect(await Bun.file(at.known).text()).toBe(`# mine\n${at.server.knownHosts}`);
    expect(notices).toHaveLength(1);
    await using(at.host, () => {});
  });

  withSshd(`changed or revoked: always refused${why}`, async () => {
    await using at = await setUp();
    await using other = await startSshd([]);
    const wrong = other.knownHosts.replace(/:\d+/, `:${at.server.port}`);
    await Bun.write(at.known, wrong);
    const changed = await faultOf(using(at.host, () => {}, { acceptNew: true }));
    expect(changed.fault).toBe("key");
    expect(changed.message).toContain("has changed");
    expect(changed.message).toContain("line 1");
    await Bun.write(at.known, `${at.server.knownHosts}@revoked ${at.server.knownHosts}`);
    expect(await faultOf(using(at.host, () => {}, { acceptNew: true }))).toMatchObject({
      fault: "key",
      message: expect.stringContaining("revoked"),
    });
    expect(await Bun.file(at.known).text()).not.toContain(`${wrong}${wrong}`);
  });

  withSshd(`an authority's line vouches for no key, and is said not to${why}`, async () => {
    await using at = await setUp();
    const line = at.server.knownHosts.split(" ").slice(1).join(" ");
    await Bun.write(at.known, `@cert-authority [127.0.0.1]:* ${line}`);
    expect((await faultOf(using(at.host, () => {}))).message).toContain(
      "@cert-authority line is for, are not supported",
    );
    await Bun.write(at.known, `@cert-authority *.example.com ${line}`);
    expect((await faultOf(using(at.host, () => {}))).message).not.toContain("@cert-authority");
    await using(at.host, () => {}, { acceptNew: true });
  });

  withSshd(`files of known hosts that cannot be read are an error, not none${why}`, async () => {
    await using at = await setUp();
    expect((await faultOf(using({ ...at.host, knownHosts: [at.dir, at.known] }, () => {}))).message).toContain(
      "EISDIR",
    );
  });

  withSshd(`the known type is asked for first, and hashed names are found${why}`, async () => {
    await using at = await setUp({ hostKeys: ["ed25519", "rsa"] });
    await Bun.write(at.known, at.server.knownHosts.split("\n")[1]!);
    await run(["ssh-keygen", "-q", "-H", "-f", at.known]);
    expect(await Bun.file(at.known).text()).toStartWith("|1|");
    await using(at.host, () => {});
  });

  test("revoked by a list of its own: refused though it is known, and so is every key where the list cannot be read", async () => {
    await using at = await setUpFake({});
    const list = join(at.host.knownHosts[0]!, "../revoked");
    const host = { ...at.host, revokedKeys: [list] };
    const attempt = () => faultOf(using(host, () => {}, { password: "secret", acceptNew: true }));
    expect(await attempt()).toEqual({ fault: "key", message: expect.stringContaining("no key is trusted without it") });
    await Bun.write(list, at.server.knownHosts.split(" ").slice(1).join(" "));
    expect(await attempt()).toEqual({ fault: "key", message: expect.stringContaining("is revoked: do not connect") });
    await Bun.write(host.knownHosts[0]!, "");
    expect(await attempt()).toMatchObject({ fault: "key" });
    expect(at.server.tried).toEqual([]);
    expect(await Bun.file(host.knownHosts[0]!).text()).toBe("");
    await Bun.write(list, "");
    await using(host, () => {}, { acceptNew: true });
  });

  test("under the name that HostKeyAlias gives it, a changed key is one with --accept-new too", async () => {
    await using at = await setUpFake({});
    const [known] = at.host.knownHosts as [string];
    const host = { ...at.host, knownAs: { host: "alias", port: 22 } };
    const own = await Bun.file(known).text();
    expect(await faultOf(using(host, () => {}))).toMatchObject({ fault: "key" });
    await Bun.write(known, `alias ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHKj+sVa9WcD/q2DJUJaf43Kptc8xYuUQA4bOFj9vC8T\n`);
    expect(await faultOf(using(host, () => {}, { acceptNew: true }))).toMatchObject({
      fault: "key",
      message: expect.stringContaining("has changed"),
    });
    await Bun.write(known, "");
    await using(host, () => {}, { acceptNew: true });
    expect(await Bun.file(known).text()).toBe(own.replace(/^\S+/, "alias"));
    await using(host, () => {});
  });

  test("a password never goes to a host whose key is not known", async () => {
    await using at = await setUpFake({});
    const host = { ...at.host, knownHosts: [] };
    expect(await faultOf(using(host, () => {}, { password: "secret" }))).toMatchObject({ fault: "key" });
    expect(at.server.tried).toEqual([]);
  });
});

describe("the first contact with a host", () => {
  /** A server that takes a password only, by either method, and tells what it was given. */
  async function setUpGreedy(method: "password" | "keyboard-interactive") {
    const given: string[] = [];
    const at = await setUpFake({
      onAuthentication: context => {
        if (context.method !== method) return context.reject([method]);
        if (context.method === "password") {
          given.push(context.password);
          return context.accept();
        }
        (context as KeyboardAuthContext).prompt([{ prompt: "Password: ", echo: false }], answers => {
          given.push(...answers);
          context.accept();
        });
      },
    });
    const known = join(at.host.knownHosts[0]!, "../new");
    return { ...at, given, known, host: { ...at.host, knownHosts: [known] } };
  }

  test.each(["password", "keyboard-interactive"] as const)(
    "records the key and sends no password, nor in the rest of the run; the next run does: %s",
    async method => {
      await using at = await setUpGreedy(method);
      {
        await using connector = new Connector({ timeoutMs: 10_000, acceptNew: true });
        for (let i = 0; i < 2; i++) {
          const { fault, message } = await faultOf(connector.connect(at.host, "secret"));
          expect({ fault, message }).toEqual({ fault: "login", message: expect.stringContaining("the next run sends it") });
          expect(message).not.toContain("secret");
        }
        // Under another list of files the key is as new.
        const elsewhere = { ...at.host, knownHosts: [`${at.known}-none`, at.known] };
        expect(await faultOf(connector.connect(elsewhere, "secret"))).toMatchObject({ fault: "login" });
      }
      expect(at.server.tried).not.toContain(method);
      expect(await Bun.file(at.known).text()).toBe(at.server.knownHosts);
      await using(at.host, () => {}, { password: "secret", acceptNew: true });
      expect(at.given).toEqual(["secret"]);
    },
  );

  test("with no file to record it is never the second", async () => {
    await using at = await setUpGreedy("password");
    for (let i = 0; i < 2; i++) {
      const login = using({ ...at.host, knownHosts: [] }, () => {}, { password: "secret", acceptNew: true });
      expect(await faultOf(login)).toMatchObject({ fault: "login" });
    }
    expect(at.given).toEqual([]);
  });
});

describe("jump hosts", () => {
  withSshd(`two hops, each with its own key, one connection for all${why}`, async () => {
    await using at = await setUp();
    await using first = await startSshd([at.key.publicLine]);
    await using second = await startSshd([at.key.publicLine]);
    await Bun.write(at.known, at.server.knownHosts + first.knownHosts + second.knownHosts);
    const jumps = [
      await hostOf(first, at.known, { identities: [at.key.file] }),
      await hostOf(second, at.known, { identities: [at.key.file] }),
    ];
    await using connector = new Connector({ timeoutMs: 10_000 });
    const texts = await Promise.all(
      [1, 2, 3, 4].map(async i => {
        await using connection = await connector.connect({ ...at.host, jumps });
        return await output(connection, `echo ${i}`);
      }),
    );
    expect(texts).toEqual(["1\n", "2\n", "3\n", "4\n"]);
    expect(first.log().match(/Accepted publickey/g)?.length).toBe(1);
  });

  withSshd(`every hop's key is checked, and what a hop cannot reach is said${why}`, async () => {
    await using at = await setUp();
    await using jump = await startSshd([at.key.publicLine]);
    const host = { ...at.host, jumps: [await hostOf(jump, at.known, { identities: [at.key.file] })] };
    expect(await faultOf(using(host, () => {}))).toMatchObject({
      fault: "key",
      message: expect.stringMatching(/^jump host .*not in/),
    });
    await Bun.write(at.known, jump.knownHosts);
    expect(await faultOf(using(host, () => {}))).toMatchObject({
      fault: "key",
      message: expect.stringMatching(/^its key/),
    });
    await at.server.kill();
    expect(await faultOf(using(host, () => {}))).toMatchObject({
      fault: "connect",
      message: expect.stringContaining("cannot reach it"),
    });
  });
});

describe("scripts", () => {
  withSshd(`output, errors and status come apart; any bytes pass${why}`, async () => {
    await using at = await setUp();
    await using(at.host, async connection => {
      const { stdout, stderr, exitCode } = await connection.run("printf '\\000\\377x'; echo no >&2; exit 7");
      expect({ bytes: [...stdout], stderr, exitCode }).toEqual({ bytes: [0, 255, 120], stderr: "no\n", exitCode: 7 });
      const odd = "a'b\"c$(id)`id`\\\n\t!{}*é";
      expect(await output(connection, `printf %s ${quoteWord(odd)}`)).toBe(odd);
    });
  });

  withSshd(`ten megabytes of stderr do not stop stdout${why}`, async () => {
    await using at = await setUp();
    await using(at.host, async connection => {
      const { stdout, stderr } = await connection.run("head -c 10000000 /dev/zero >&2; echo done");
      expect([stdout.toString(), stderr.length]).toEqual(["done\n", 4096]);
    });
  });

  withSshd(`what comes in is what was sent, however slowly it is taken${why}`, async () => {
    await using at = await setUp();
    await using(at.host, async connection => {
      const hash = new Bun.CryptoHasher("sha256");
      let bytes = 0;
      await connection.stream("seq 1 3000000", async data => {
        hash.update(data);
        if ((bytes += data.length) % 7 === 0) await Bun.sleep(1);
      });
      const wanted = await output(connection, "seq 1 3000000 | sha256sum");
      expect(hash.digest("hex")).toBe(wanted.slice(0, 64));
    });
  });

  withSshd(`new keys in mid transfer change nothing${why}`, async () => {
    await using at = await setUp({ config: ["RekeyLimit 1M"] });
    await using(at.host, async connection => {
      const hash = new Bun.CryptoHasher("sha256");
      await connection.stream("seq 1 2000000", data => void hash.update(data));
      const { stdout } = await connection.run("seq 1 2000000 | sha256sum; take | sha256sum; watch", {
        stdin: new Uint8Array(5_000_000),
      });
      const [out, taken] = stdout.toString().split("\n");
      expect(hash.digest("hex")).toBe(out!.slice(0, 64));
      expect(taken!.slice(0, 64)).toBe(new Bun.CryptoHasher("sha256").update(new Uint8Array(5_000_000)).digest("hex"));
    });
  });

  withSshd(`thirty scripts at once on one connection warn of nothing${why}`, async () => {
    await using at = await setUp({ config: ["MaxSessions 50"] });
    const warnings: unknown[] = [];
    const onWarning = (warning: unknown) => void warnings.push(warning);
    process.on("warning", onWarning);
    await using(at.host, async connection => {
      const texts = await Promise.all(Array.from({ length: 30 }, (_, i) => output(connection, `echo ${i}`)));
      expect(texts).toEqual(texts.map((_, i) => `${i}\n`));
    });
    await Bun.sleep(10);
    process.off("warning", onWarning);
    expect(warnings).toEqual([]);
  });

  withSshd(`data for stdin arrive whole${why}`, async () => {
    await using at = await setUp();
    await using(at.host, async connection => {
      const { stdout } = await connection.run("take | wc -c; watch; echo end", {
        stdin: new Uint8Array(3_000_000).fill(7),
      });
      expect(stdout.toString()).toBe("3000000\nend\n");
    });
  });

  withUsers(`a .bashrc that talks is not mistaken for output${whyUsers}`, async () => {
    await using at = await setUp({ bashrc: "echo Welcome to $HOSTNAME; echo beware >&2\n" });
    expect(await using(at.host, connection => output(connection, "echo own"))).toBe("own\n");
  });

  withUsers(`a login shell that is none is said to be none${whyUsers}`, async () => {
    await using at = await setUp({ shell: "/usr/bin/yes" });
    expect(await faultOf(using(at.host, connection => connection.run("true")))).toMatchObject({ fault: "garbage" });
    await using closed = await setUp({ shell: "/bin/false" });
    // It may be gone before the script is sent, and say so in the same packet as that it began.
    for (let round = 0; round < 10; round++) {
      expect(await faultOf(using(closed.host, connection => connection.run("true")))).toMatchObject({ fault: "garbage" });
    }
  });

  withSshd(`an account for files alone is said to have no shell${why}`, async () => {
    await using at = await setUp({ config: ["ForceCommand internal-sftp"] });
    const failed = await faultOf(using(at.host, connection => connection.run("true", { timeoutMs: 2000 })));
    expect(failed.fault).toMatch(/garbage|silent/);
  });

  withSshd(`a server with other ciphers than ours is said to be one${why}`, async () => {
    await using at = await setUp({ config: ["Ciphers chacha20-poly1305@openssh.com"] });
    expect(await faultOf(using(at.host, () => {}))).toEqual({
      fault: "key",
      message: expect.stringMatching(/^no common algorithms: .*cipher/),
    });
  });

  withSshd(
    `fifty connections one after the other leave nothing behind${why}`,
    async () => {
      await using at = await setUp();
      await using connector = new Connector({ timeoutMs: 10_000 });
      const open = () => readdirSync("/proc/self/fd").length;
      const once = async () => {
        await using connection = await connector.connect(at.host);
        await connection.run("true");
      };
      for (let i = 0; i < 10; i++) await once();
      const before = open();
      for (let i = 0; i < 40; i++) await once();
      expect(open()).toBeLessThanOrEqual(before + 2);
    },
  );

  withUsers(`the shells of the land all take our commands${whyUsers}`, async () => {
    for (const shell of ["/bin/dash", "/bin/zsh", "/usr/bin/fish", "/bin/csh", "/bin/tcsh", "/bin/ksh"].filter(
      existsSync,
    )) {
      await using at = await setUp({ shell });
      expect([shell, await using(at.host, connection => output(connection, "echo 'it''s'; echo $((1+1))"))]).toEqual([
        shell,
        "its\n2\n",
      ]);
    }
  });

  withSshd(`stopping a script stops all it started; so does hanging up${why}`, async () => {
    await using at = await setUp();
    await using connector = new Connector({ timeoutMs: 10_000 });
    await using watching = await connector.connect(at.host);
    const running = async () => (await output(watching, "ps ax | grep -c '[s]leep 98[0-9]' || true")).trim();
    const asleep = async (count: string) => {
      while ((await running()) !== count) await Bun.sleep(20);
    };
    const script = "sleep 987 & ( trap '' TERM; sleep 988; sleep 989 )";
    await using connection = await connector.connect(at.host);
    const stop = new AbortController();
    const stopped = faultOf(connection.run(script, { signal: stop.signal }));
    await asleep("2");
    stop.abort(new Error("enough"));
    expect((await stopped).message).toBe("enough");
    await asleep("0");
    const left = faultOf(connection.run(script));
    await asleep("2");
    await connection[Symbol.asyncDispose]();
    expect(await left).toMatchObject({ fault: "lost" });
    await asleep("0");
  });

  withSshd(`a script that is killed on the host is an error${why}`, async () => {
    await using at = await setUp();
    expect(await faultOf(using(at.host, connection => connection.run("kill -KILL 0")))).toMatchObject({
      fault: "command",
      message: expect.stringContaining("KILL"),
    });
  });

  withUsers(`a server killed in the middle is an error at once, not a short answer${whyUsers}`, async () => {
    await using at = await setUp();
    const broken = using(at.host, connection =>
      connection.stream("while :; do seq 1 100000; done", async () => {
        await at.server.kill();
      }),
    );
    expect(await faultOf(broken)).toMatchObject({ fault: "lost" });
  });

  withSshd(`a host that says nothing is given up, one that is slow is not${why}`, async () => {
    await using at = await setUp();
    const connected = (script: string, timeoutMs: number) =>
      using(at.host, connection => connection.run(script, { timeoutMs }));
    expect(await faultOf(connected("sleep 900", 300))).toMatchObject({ fault: "silent" });
    expect((await connected("for i in 1 2 3 4 5; do sleep 0.2; echo; done", 2000)).exitCode).toBe(0);
    // Longer in all than may be kept silent: what comes on stderr is a sign of life, and so is data that is taken.
    expect((await connected("for i in 1 2 3 4 5 6; do sleep 0.5; echo >&2; done", 2000)).exitCode).toBe(0);
    const slowly = "for i in 1 2 3 4 5 6; do head -c 4000000; sleep 0.5; done | wc -c >&2; watch";
    const options = { timeoutMs: 2000, stdin: Buffer.alloc(24_000_000) };
    expect((await using(at.host, connection => connection.run(slowly, options))).stderr.trim()).toBe("24000000");
  });

  withUsers(
    `a server that hangs is given up: in mid transfer, before the login, and a jump host as well${whyUsers}`,
    async () => {
      await using at = await setUp();
      await using jump = await startSshd([at.key.publicLine]);
      await Bun.write(at.known, at.server.knownHosts + jump.knownHosts);
      const jumps = [await hostOf(jump, at.known, { identities: [at.key.file] })];
      await using connector = new Connector({ timeoutMs: 1500 });
      await using direct = await connector.connect(at.host);
      await using behind = await connector.connect({ ...at.host, jumps });
      let bytes = 0;
      const endless = (connection: Connection, timeoutMs: number) =>
        connection.stream("while :; do seq 1 100000; done", data => void (bytes += data.length), { timeoutMs });
      const startMs = performance.now();
      // Whoever waits longer for a script is told by the keepalives.
      const broken = [faultOf(endless(direct, 600_000)), faultOf(endless(behind, 600_000))];
      while (bytes < 5e6) await Bun.sleep(5);
      await Promise.all([at.server.pause(), jump.pause()]);
      // With its jump host the connection behind it goes.
      expect((await Promise.all(broken)).map(({ fault }) => fault)).toEqual([
        "silent",
        expect.stringMatching(/^(silent|lost)$/),
      ]);
      expect(await faultOf(direct.run("true"))).toMatchObject({ fault: "silent" });
      // The system still takes the call; nobody answers.
      expect(await faultOf(using(at.host, () => {}, { timeoutMs: 500 }))).toMatchObject({ fault: "silent" });
      expect(await faultOf(using({ ...at.host, jumps }, () => {}, { timeoutMs: 500 }))).toMatchObject({
        fault: "silent",
      });
      // Long before that time.
      expect(performance.now() - startMs).toBeLessThan(300_000);
    },
  );

  withSshd(`more than MaxSessions at once is an error that is worth another try${why}`, async () => {
    await using at = await setUp({ config: ["MaxSessions 2"] });
    await using(at.host, async connection => {
      const results = await Promise.all([1, 2, 3].map(() => faultOf(connection.run("sleep 1"))));
      expect(results.map(({ fault }) => fault).sort()).toEqual(["lost", undefined, undefined]);
    });
  });

  withSshd(`fifty connections at once, with a server that takes ten${why}`, async () => {
    await using at = await setUp({ config: ["MaxStartups 10:30:100"] });
    await using connector = new Connector({ timeoutMs: 30_000 });
    const texts = await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        await using connection = await connector.connect(at.host);
        return await output(connection, `echo ${i}`);
      }),
    );
    expect(texts).toEqual(Array.from({ length: 50 }, (_, i) => `${i}\n`));
  });
});

describe("servers that are no good", () => {
  test("nobody listens", async () => {
    await using at = await setUpFake({});
    await at.server[Symbol.asyncDispose]();
    expect(await faultOf(using(at.host, () => {}))).toMatchObject({
      fault: "connect",
      message: expect.stringContaining("refused"),
    });
  });

  test("a server that never speaks, and one that speaks something else", async () => {
    const open = (greeting: string) => (socket: { write(text: string): unknown; end(): unknown }) => {
      socket.write(greeting);
      if (greeting !== "") socket.end();
    };
    const servers = ["", "HTTP/1.1 400 Bad Request\r\n\r\n"].map(greeting =>
      Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { open: open(greeting), data() {} } }),
    );
    const hosts = await Promise.all(servers.map(({ port }) => hostOf({ port, user: "pot" }, "/dev/null")));
    const faults = await Promise.all(hosts.map(host => faultOf(using(host, () => {}, { timeoutMs: 400 }))));
    expect(faults.map(({ fault }) => fault)).toEqual(["silent", "busy"]);
    for (const server of servers) server.stop(true);
  });

  test("a server that wants keys we would calculate for half a minute is refused at once", async () => {
    await using at = await setUpFake({ algorithms: { kex: ["diffie-hellman-group18-sha512"] } });
    const started = workMs();
    expect(await faultOf(using(at.host, () => {}))).toMatchObject({ fault: "key" });
    expect(workMs() - started).toBeLessThan(5000);
  });

  test("a login that never ends is given up", async () => {
    await using at = await setUpFake({ onAuthentication: () => {} });
    expect(await faultOf(using(at.host, () => {}, { timeoutMs: 400 }))).toMatchObject({ fault: "silent" });
  });

  test("a reset after the login is an error, not the end of the program", async () => {
    await using at = await setUpFake({
      onScript: ({ write, connection }) => {
        write("some");
        // Its socket is nowhere in the interface.
        (connection as unknown as { _sock: { resetAndDestroy(): void } })._sock.resetAndDestroy();
      },
    });
    expect(await faultOf(using(at.host, connection => connection.run("true")))).toMatchObject({ fault: "lost" });
  });

  test("an answer without its end is an error", async () => {
    await using at = await setUpFake({
      onScript: ({ write, channel }) => {
        write("half of it");
        channel.end();
        channel.close();
      },
    });
    expect(await faultOf(using(at.host, connection => connection.run("true")))).toMatchObject({ fault: "lost" });
  });

  test("endless noise, endless output, endless nothing", async () => {
    const kinds = ["noise", "output", "nothing"];
    await using at = await setUpFake({
      onScript: ({ script, write, channel }) => {
        const kind = kinds.find(word => script.includes(word));
        if (kind === "nothing") return write("");
        if (kind === "output") write("");
        const pour = () => {
          while (channel.writable && channel.write(Buffer.alloc(32_768, 65)));
          if (channel.writable) channel.once("drain", pour);
        };
        pour();
      },
    });
    const faults = await Promise.all(
      kinds.map(kind => faultOf(using(at.host, connection => connection.run(`: ${kind}`, { timeoutMs: 1000 })))),
    );
    expect(faults.map(({ fault }) => fault)).toEqual(["garbage", "garbage", "silent"]);
  });
});
