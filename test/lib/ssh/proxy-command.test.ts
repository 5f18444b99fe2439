import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { expandProxyCommand } from "../../../lib/ssh/proxy-command.ts";
import { Connector } from "../../../lib/ssh/connector.ts";
import { SshError } from "../../../lib/ssh/ssh-error.ts";
import { resolveHost } from "../../../lib/ssh/ssh-config.ts";
import { makeTempDir } from "../../support/run.ts";
import { makeKey, SSHD_MISSING, startSshd } from "../../support/sshd.ts";

const WAY = { host: "203.0.113.5", port: 2112, user: "honey", name: "pot" };

describe("expandProxyCommand", () => {
  const CASES: [command: string, expanded: string][] = [
    ["nc %h %p", "nc 203.0.113.5 2112"],
    ["ssh -W '[%h]:%p' -l %r bastion # %n", "ssh -W '[203.0.113.5]:2112' -l honey bastion # pot"],
    ["printf '100%%'; nc %%h", "printf '100%'; nc %h"],
    ["nc host 22", "nc host 22"],
  ];
  test.each(CASES)("%j becomes %j", (command, expanded) => expect(expandProxyCommand(command, WAY)).toBe(expanded));

  const HOSTILE = [
    "$(id)",
    "`id`",
    "a;id",
    "a|id",
    "a&id",
    "a b",
    "-oProxyCommand=id",
    "a\nid",
    "'",
    '"',
    "a>b",
    "",
    "\\",
  ];
  test.each(HOSTILE)("%j is filled in nowhere", text => {
    expect(() => expandProxyCommand("nc %h", { ...WAY, host: text })).toThrow("expected a plain name");
    expect(() => expandProxyCommand("nc %n", { ...WAY, name: text })).toThrow("expected a plain name");
    expect(() => expandProxyCommand("nc %r", { ...WAY, user: text })).toThrow("expected a plain name");
  });

  test("what is filled in is not read again, and other tokens are refused", () => {
    expect(expandProxyCommand("nc %h %p", { ...WAY, host: "fe80::1%p" })).toBe("nc fe80::1%p 2112");
    expect(() => expandProxyCommand("nc %d", WAY)).toThrow('holds "%d", expected %h, %p, %r, %n or %%');
    expect(() => expandProxyCommand("nc %", WAY)).toThrow('holds "%"');
  });
});

describe("hosts behind a ProxyCommand", () => {
  const withSshd = test.skipIf(SSHD_MISSING !== undefined);
  const why = SSHD_MISSING === undefined ? "" : ` (skipped: ${SSHD_MISSING})`;
  /** Copies bytes between a port and its own input and output, as nc does where it is installed. */
  const RELAY = `const [host, port] = process.argv.slice(2);
const socket = require("node:net").connect(Number(port), host);
process.stdin.pipe(socket).pipe(process.stdout);
socket.on("error", ({ message }) => { console.error(message); process.exit(7); });`;

  async function setUp(command: (relay: string) => string) {
    const dir = await makeTempDir();
    const key = await makeKey(join(dir.path, "id"));
    const server = await startSshd([key.publicLine]);
    const relay = join(dir.path, "relay.cjs");
    const configFile = join(dir.path, "config");
    const known = join(dir.path, "known_hosts");
    await Bun.write(relay, RELAY);
    await Bun.write(
      configFile,
      `Host pot\n HostName 127.0.0.1\n Port ${server.port}\n User ${server.user}\n IdentityFile ${key.file}\n` +
        ` IdentityAgent none\n ProxyCommand ${command(`${process.execPath} ${relay}`)}\n`,
    );
    await Bun.write(known, server.knownHosts);
    const resolve = (jump?: string) =>
      resolveHost({ host: "pot" }, { configFile, knownHosts: [known], ...(jump === undefined ? {} : { jump }) });
    return {
      server,
      configFile,
      resolve,
      [Symbol.asyncDispose]: async () => {
        await server[Symbol.asyncDispose]();
        await dir[Symbol.asyncDispose]();
      },
    };
  }

  withSshd(`a big answer comes whole, and the command ends with the connection${why}`, async () => {
    await using at = await setUp(relay => `${relay} %h %p`);
    const host = await at.resolve();
    const running = async () =>
      (await Bun.$`ps ax -o args`.text())
        .split("\n")
        .filter(line => line.includes(`relay.cjs 127.0.0.1 ${at.server.port}`));
    {
      await using connector = new Connector({ timeoutMs: 10_000 });
      await using connection = await connector.connect(host);
      const hash = new Bun.CryptoHasher("sha256");
      await connection.stream("seq 1 2000000", data => void hash.update(data));
      const { stdout } = await connection.run("seq 1 2000000 | sha256sum");
      expect(hash.digest("hex")).toBe(stdout.toString().slice(0, 64));
      expect(await running()).not.toEqual([]);
    }
    while ((await running()).length > 0) await Bun.sleep(20);
    // Named by the user, a way without it.
    expect((await at.resolve("none")).proxyCommand).toBeUndefined();
  });

  withSshd(`OpenSSH's own client as the command; several hosts at once${why}`, async () => {
    await using bastion = await startSshd([]);
    await using at = await setUp(() => "ssh -F %%d -W %h:%p bastion");
    const folder = join(at.configFile, "..");
    await Bun.write(join(bastion.folder, "authorized_keys"), await Bun.file(join(folder, "id.pub")).text());
    await Bun.write(join(folder, "bastion_known"), bastion.knownHosts);
    const text = (await Bun.file(at.configFile).text()).replace("%%d", at.configFile);
    const options = `IdentityFile ${folder}/id\n UserKnownHostsFile ${folder}/bastion_known\n IdentityAgent none\n`;
    const way = `HostName 127.0.0.1\n Port ${bastion.port}\n User ${bastion.user}\n`;
    await Bun.write(at.configFile, `${text}Host bastion\n ${way} ${options}`);
    const host = await at.resolve();
    await using connector = new Connector({ timeoutMs: 20_000 });
    const texts = await Promise.all(
      Array.from({ length: 10 }, async (_, i) => {
        await using connection = await connector.connect(host);
        return (await connection.run(`echo ${i}`)).stdout.toString();
      }),
    );
    expect(texts).toEqual(texts.map((_, i) => `${i}\n`));
    expect(bastion.log().match(/Accepted publickey/g)?.length).toBe(10);
  });

  withSshd(`a jump host may have one, a host behind a jump host has none${why}`, async () => {
    await using dir = await makeTempDir();
    const configFile = join(dir.path, "config");
    await Bun.write(
      configFile,
      "Host far\n HostName far.example\n ProxyCommand nc %h 1\n ProxyJump near\nHost far near\n User me\n" +
        "Host near\n HostName near.example\n ProxyCommand nc %h %p %r %n\nHost none\n ProxyCommand none\n",
    );
    const far = await resolveHost({ host: "far" }, { configFile, jump: "near" });
    expect([far.proxyCommand, far.jumps.map(({ proxyCommand }) => proxyCommand)]).toEqual([
      undefined,
      ["nc near.example 22 me near"],
    ]);
    const two = await resolveHost({ host: "h" }, { configFile, jump: "far,near" });
    expect(two.jumps.map(({ proxyCommand }) => proxyCommand)).toEqual(["nc far.example 1", undefined]);
    expect((await resolveHost({ host: "none" }, { configFile })).proxyCommand).toBeUndefined();
    await Bun.write(configFile, "Host *\n ProxyCommand nc %h %p\n ProxyUseFdpass yes\n");
    await expect(resolveHost({ host: "h" }, { configFile })).rejects.toThrow("ProxyUseFdpass is not supported");
  });

  withSshd(`a command that fails is said, with its last words${why}`, async () => {
    await using at = await setUp(() => "sh -c 'echo first >&2; echo no way >&2; exit 3'");
    await using connector = new Connector({ timeoutMs: 10_000 });
    const failed = connector.connect(await at.resolve());
    await expect(failed).rejects.toThrow('its ProxyCommand ended (status 3): "no way"');
    expect(await failed.catch((error: unknown) => (error as SshError).fault)).toBe("connect");
  });

  withSshd(`a command that says nothing is given up${why}`, async () => {
    await using at = await setUp(() => "sleep 60");
    await using connector = new Connector({ timeoutMs: 500 });
    await expect(connector.connect(await at.resolve())).rejects.toThrow("no answer");
  });

  withSshd(`a name of the user that a shell would run is refused before anything is started${why}`, async () => {
    await using at = await setUp(() => "nc %r");
    const host = { host: "pot", user: "$(touch${IFS}/tmp/x)" };
    // By us, or by ssh itself where it is a newer one.
    await expect(resolveHost(host, { configFile: at.configFile })).rejects.toThrow(
      /cannot go into a ProxyCommand|invalid characters"$/,
    );
  });
});
