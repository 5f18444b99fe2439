import { describe, expect, test } from "bun:test";
import { homedir } from "node:os";
import { join } from "node:path";
import { isUserName, parseHostSpec, resolveHost, type ResolveOptions, showHost } from "../../../lib/ssh/ssh-config.ts";
import { missing } from "../../support/needs.ts";
import { makeTempDir, run } from "../../support/run.ts";
import { writeSource } from "../../support/source.ts";

test("the name of the account is found without $USER as well, as under cron", async () => {
  await using dir = await makeTempDir();
  const program = 'import { accountName } from "$lib/ssh/ssh-config.ts"; console.log(accountName());';
  const env = { USER: undefined, LOGNAME: undefined, USERNAME: undefined };
  const { stdout } = await run(await writeSource(dir.path, program), { env });
  expect(stdout).toBe((await run(["id", "-un"])).stdout);
});

test.each([
  ["ams", { host: "ams" }],
  ["root@ams", { host: "ams", user: "root" }],
  ["a@b@ams:2112", { host: "ams", user: "a@b", port: 2112 }],
  ["203.0.113.5:1", { host: "203.0.113.5", port: 1 }],
  ["203.0.113.5:65535", { host: "203.0.113.5", port: 65_535 }],
  ["2001:db8::1", { host: "2001:db8::1" }],
  ["::1", { host: "::1" }],
  ["u@[2001:db8::1]:22", { host: "2001:db8::1", user: "u", port: 22 }],
  ["[fe80::1%eth0]", { host: "fe80::1%eth0" }],
  ...["", "@ams", "ams:0", "ams:65536", "ams:", "ams:x", "-oProxyCommand=x", "a b", "-u@ams", " u@ams", "u\n@ams", "[2001:db8::1", "ams;id"].map(text => [text, undefined] as const),
] as const)("%j as a host", (text, expected) => {
  expect(parseHostSpec(text)).toEqual(expected as ReturnType<typeof parseHostSpec>);
});

test("a host for people, and names of users", () => {
  const shown = [["ams", 22], ["ams", 2112], ["2001:db8::1", 22], ["2001:db8::1", 23]] as const;
  expect(shown.map(([host, port]) => showHost({ host, port, user: "u" }))).toEqual(["u@ams", "u@ams:2112", "u@[2001:db8::1]", "u@[2001:db8::1]:23"]);
  expect(["u", "u-x y", "-u", " u", "u\x7f", ""].map(isUserName)).toEqual([true, true, false, false, false, false]);
});

const ssh = missing("ssh");

describe.skipIf(ssh.reason !== undefined)(`by a configuration${ssh.why}`, () => {
  const usual = ["id_rsa", "id_ed25519"].map(name => join(homedir(), ".ssh", name));
  const CONFIG = `
Host plain
Host named
  HostName 203.0.113.5
  Port 2112
  User honey
  HostKeyAlias the-key
  IdentityFile ~/keys/one
  IdentitiesOnly yes
  IdentityAgent ~/agent.sock
  UserKnownHostsFile ~/known
  GlobalKnownHostsFile none
  RevokedHostKeys ~/revoked
Host noagent
  IdentityAgent none
  PasswordAuthentication no
Host keyboardless
  KbdInteractiveAuthentication no
Host behind
  ProxyJump u@mid:2200,last
Host mid
  ProxyJump first
Host last
  ProxyJump never
Host command
  ProxyCommand nc %h %p
Host nocommand
  ProxyCommand none
Host passing
  ProxyCommand nc %h %p
  ProxyUseFdpass yes
Host round
  ProxyJump round2
Host round2
  ProxyJump round
`;
  async function resolve(host: string, options: ResolveOptions = {}) {
    await using dir = await makeTempDir();
    const configFile = join(dir.path, "config");
    await Bun.write(configFile, CONFIG);
    return await resolveHost(parseHostSpec(host)!, { configFile, ...options });
  }
  const names = (hosts: readonly { host: string; port: number }[]) => hosts.map(({ host, port }) => `${host}:${port}`);

  test("what it says of a host, and what goes before it", async () => {
    expect(await resolve("named")).toMatchObject({
      host: "203.0.113.5", port: 2112, user: "honey", identities: [join(homedir(), "keys/one")], hasOwnIdentities: true, identitiesOnly: true,
      agent: join(homedir(), "agent.sock"), knownHosts: [join(homedir(), "known")], knownAs: { host: "the-key", port: 22 },
      revokedKeys: [join(homedir(), "revoked")], passwordWays: ["password", "keyboard-interactive"], jumps: [], proxyCommand: undefined,
    });
    expect(await resolve("me@named:7")).toMatchObject({ port: 7, user: "me" });
    expect((await resolve("named", { knownHosts: ["~/mine"] })).knownHosts).toEqual([join(homedir(), "mine")]);
  });

  test("the usual keys are tried where nobody names others", async () => {
    const plain = await resolve("plain");
    expect(plain).toMatchObject({ port: 22, knownAs: { host: "plain", port: 22 }, hasOwnIdentities: false, identitiesOnly: false });
    expect(plain.identities).toEqual(expect.arrayContaining(usual));
    expect(plain.knownHosts.length).toBeGreaterThan(1);
    expect(await resolve("plain", { identities: ["~/mine"] })).toMatchObject({ identities: [join(homedir(), "mine")], hasOwnIdentities: true });
    expect((await resolve("named", { identities: ["/mine", "~/keys/one"] })).identities).toEqual(["/mine", join(homedir(), "keys/one")]);
  });

  test("an agent, and ways of passwords, can be forbidden", async () => {
    expect(await resolve("noagent")).toMatchObject({ agent: undefined, passwordWays: ["keyboard-interactive"] });
    expect(await resolve("keyboardless")).toMatchObject({ passwordWays: ["password"] });
  });

  test("jump hosts: the nearest first, hops of its own before the first alone", async () => {
    const behind = await resolve("behind");
    expect(names(behind.jumps)).toEqual(["first:22", "mid:2200", "last:22"]);
    expect(behind.jumps.map(({ jumps }) => jumps)).toEqual([[], [], []]);
    expect(behind.jumps[1]!.user).toBe("u");
    expect(names((await resolve("behind", { jump: "ssh://x@other:9" })).jumps)).toEqual(["other:9"]);
    expect((await resolve("behind", { jump: "none" })).jumps).toEqual([]);
    await expect(resolve("plain", { jump: "a b" })).rejects.toThrow('Cannot read jump host "a b": expected user@host:port');
    await expect(resolve("round")).rejects.toThrow("more than 8 jump hosts");
  });

  test("a command as the way, unless a jump is named", async () => {
    expect((await resolve("command:9")).proxyCommand).toContain("nc command 9");
    expect((await resolve("command", { jump: "none" })).proxyCommand).toBeUndefined();
    expect((await resolve("nocommand")).proxyCommand).toBeUndefined();
    await expect(resolve("passing")).rejects.toThrow("ProxyUseFdpass is not supported");
    await expect(resolveHost({ host: "x" }, { configFile: "/nowhere" })).rejects.toThrow('Cannot read "/nowhere": no such file or folder');
  });
});
