import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { UsageError } from "../../../lib/process/command.ts";
import { parseCommand } from "../../../lib/process/options.ts";
import { listNodes, NODE_OPTIONS, perNode } from "../../../lib/remote/nodes.ts";
import { parseHostSpec, resolveHost } from "../../../lib/ssh/ssh-config.ts";
import { missing } from "../../support/needs.ts";
import { makeTempDir } from "../../support/run.ts";

const COMMAND = { name: "x", summary: "", options: NODE_OPTIONS, writes: "", examples: [] } as const;
const nodesOf = (...argv: string[]) => listNodes(parseCommand(COMMAND, argv).values);

/** Nodes out of a file of this text. */
async function nodesIn(text: string, argv: string[] = [], name = "nodes.toml") {
  await using dir = await makeTempDir();
  const path = join(dir.path, name);
  await Bun.write(path, text);
  return nodesOf("--nodes", path, ...argv);
}

const SPECS: [text: string, spec: ReturnType<typeof parseHostSpec>][] = [
  ["203.0.113.5", { host: "203.0.113.5" }],
  ["pot-1.example.com", { host: "pot-1.example.com" }],
  ["root@203.0.113.5:2112", { host: "203.0.113.5", port: 2112, user: "root" }],
  ["2001:db8::1", { host: "2001:db8::1" }],
  ["[2001:db8::1]:2112", { host: "2001:db8::1", port: 2112 }],
  ["me@corp@[fe80::1%eth0]", { host: "fe80::1%eth0", user: "me@corp" }],
  ["", undefined],
  ["-oProxyCommand=id", undefined],
  ["root@-x", undefined],
  ["-l@host", undefined],
  ["@host", undefined],
  ["host:0", undefined],
  ["host:65536", undefined],
  ["host:ssh", undefined],
  ["ho st", undefined],
  ["host\n", undefined],
  ["host;id", undefined],
  ["first@[192.0.2.1]:99", { host: "192.0.2.1", port: 99, user: "first" }],
  ["[2001:db8::1", undefined],
];

describe("parseHostSpec", () => {
  test.each(SPECS)("%j", (text, spec) => expect(parseHostSpec(text)).toEqual(spec));
});

describe("perNode", () => {
  const CASES: [values: number[], nodes: number, each: (number | undefined)[]][] = [
    [[], 2, [undefined, undefined]],
    [[7], 3, [7, 7, 7]],
    [[7, 8], 2, [7, 8]],
    [[7], 1, [7]],
  ];
  test.each(CASES)("%j for %d nodes", (values, nodes, each) => expect(perNode("--port", values, nodes)).toEqual(each));

  test("refuses any other number", () => {
    expect(() => perNode("--port", [1, 2], 3)).toThrow(
      "Cannot use --port 2 times for 3 nodes: expected once, or once per --ip",
    );
    expect(() => perNode("--port", [1, 2], 1)).toThrow(UsageError);
  });
});

describe("nodes by options", () => {
  test("values once for all, or per node in order; a host's own text goes first", () => {
    const nodes = nodesOf(
      "-i",
      "a",
      "-i",
      "b:5",
      "-i",
      "z@c",
      "-u",
      "x",
      "-u",
      "y",
      "-u",
      "w",
      "-p",
      "2112",
      "-pw",
      "secret",
    );
    expect(nodes.map(({ name, spec, password }) => [name, spec, password])).toEqual([
      ["a_2112", { host: "a", port: 2112, user: "x" }, "secret"],
      ["b_5", { host: "b", port: 5, user: "y" }, "secret"],
      ["c_2112", { host: "c", port: 2112, user: "z" }, "secret"],
    ]);
  });

  test("names are safe for files, and different", () => {
    const names = nodesOf("-i", "2001:db8::1", "-i", "me@h", "-i", "you@h").map(({ name }) => name);
    expect(names).toEqual(["2001%3Adb8%3A%3A1", "me@h", "you@h"]);
    expect(() => nodesOf("-i", "h", "-i", "H")).toThrow("Cannot use two nodes named");
  });

  test("none, a bad one, a bad user", () => {
    expect(() => nodesOf()).toThrow("Missing --ip or --nodes");
    expect(() => nodesOf("-i", "a b")).toThrow('Cannot read --ip "a b"');
    expect(() => nodesOf("-i=-oProxyCommand=id")).toThrow("Cannot read --ip");
    expect(() => nodesOf("-i", "a", "-u=-l")).toThrow("Cannot read --user");
    expect(() => nodesOf("-i", "a", "--only", "b")).toThrow("Cannot use --only without --nodes");
  });
});

const TOML = `
[defaults]
user = "honey"
jump = "bastion.example.com"
identity = "~/.ssh/pot"

[[node]]
name = "ams"
host = "203.0.113.5"
port = 2112
tags = ["eu", "old"]
robot_max_seconds = 20

[[node]]
host = "root@[2001:db8::9]:22"
log_path = ["/a", "/b"]
jump = "none"
tags = "us"
`;

describe("nodes by file", () => {
  test("TOML with defaults", async () => {
    expect(await nodesIn(TOML)).toEqual([
      {
        name: "ams",
        spec: { host: "203.0.113.5", port: 2112, user: "honey" },
        jump: "bastion.example.com",
        identities: ["~/.ssh/pot"],
        logPaths: [],
        robotMaxSeconds: 20,
        tags: ["eu", "old"],
        password: undefined,
      },
      {
        name: "2001%3Adb8%3A%3A9",
        spec: { host: "2001:db8::9", port: 22, user: "root" },
        jump: "none",
        identities: ["~/.ssh/pot"],
        logPaths: ["/a", "/b"],
        robotMaxSeconds: undefined,
        tags: ["us"],
        password: undefined,
      },
    ]);
  });

  test("JSON, as a list or with defaults", async () => {
    expect((await nodesIn('[{"host":"a"},{"name":"b","host":"c"}]', [], "nodes.json")).map(({ name }) => name)).toEqual(
      ["a", "b"],
    );
    const [node] = await nodesIn('{"defaults":{"port":7},"node":[{"host":"a"}]}');
    expect(node!.spec).toEqual({ host: "a", port: 7 });
  });

  test("--only takes names and tags, and says what it does not know", async () => {
    expect((await nodesIn(TOML, ["--only", "us"])).map(({ tags }) => tags)).toEqual([["us"]]);
    expect(await nodesIn(TOML, ["--only", "us", "--only", "ams"])).toHaveLength(2);
    await expect(nodesIn(TOML, ["--only", "ems"])).rejects.toThrow(
      'Cannot find --only "ems" among the nodes; did you mean "ams"?',
    );
  });

  const BAD: [text: string, message: string][] = [
    ["", "it names no node"],
    ["[[node]]\n", "it has no host"],
    ['[[node]]\nhost = "a"\nprot = 3\n', 'unknown key "prot"; did you mean "port"?'],
    ['[[node]]\nhost = "a"\nport = "x"\n', "expected a number"],
    ['[[node]]\nhost = "a"\nport = 70000\n', "expected a number"],
    ['[[node]]\nhost = "-x"\n', "expected an address, a name"],
    ["[[node]]\nhost = 3\n", "expected text"],
    ['[[node]]\nhost = "a"\ntags = [3]\n', "expected text or a list of texts"],
    ['[[nodes]]\nhost = "a"\n', 'unknown table "nodes"'],
    ["node = 3\n", "each with names and values"],
    ["{", "neither TOML nor JSON"],
    ["3", "expected a list of nodes"],
  ];
  test.each(BAD)("%j is refused", async (text, message) => {
    await expect(nodesIn(text)).rejects.toThrow(message);
  });

  test("a password out of the environment must be there", async () => {
    await expect(nodesIn('[[node]]\nhost = "a"\npassword_env = "COWRIE_NO_SUCH_VARIABLE"\n')).rejects.toThrow("is not set");
  });
});

const ssh = missing("ssh");
describe("resolveHost", () => {
  test.skipIf(ssh.reason !== undefined)(`aliases, includes, jumps and tokens of the SSH configuration${ssh.why}`, async () => {
    await using dir = await makeTempDir();
    const file = join(dir.path, "config");
    await Bun.write(
      join(dir.path, "more"),
      "Host pot\n  HostName 203.0.113.5\n  Port 2112\n  User honey\n  IdentityFile ~/.ssh/%n-key\n",
    );
    await Bun.write(
      file,
      `Include ${dir.path}/more\nHost pot\n  ProxyJump near\nHost near\n  HostName 198.51.100.1\n  ProxyJump first@192.0.2.1:99\n` +
        "Host *\n  UserKnownHostsFile /k1 /k2\n  IdentityAgent none\n",
    );
    const host = await resolveHost({ host: "pot" }, { configFile: file });
    expect({ ...host, jumps: host.jumps.map(({ host, port }) => [host, port]) }).toMatchObject({
      host: "203.0.113.5",
      port: 2112,
      user: "honey",
      hasOwnIdentities: true,
      agent: undefined,
      jumps: [
        ["192.0.2.1", 99],
        ["198.51.100.1", 22],
      ],
    });
    expect(host.knownHosts.slice(0, 2)).toEqual(["/k1", "/k2"]);
    const other = await resolveHost({ host: "pot", port: 5, user: "me" }, { configFile: file, jump: "none" });
    expect(other).toMatchObject({ port: 5, user: "me", jumps: [] });
  });

  test("the usual keys are offered only where no other is named", async () => {
    const usual = await resolveHost({ host: "h" }, { configFile: "none" });
    expect([usual.hasOwnIdentities, usual.identities.some(file => file.endsWith("/.ssh/id_ed25519"))]).toEqual([
      false,
      true,
    ]);
    const named = await resolveHost({ host: "h" }, { configFile: "none", identities: ["/k"] });
    expect([named.hasOwnIdentities, named.identities]).toEqual([true, ["/k"]]);
  });

  test("without a configuration a name means itself", async () => {
    expect(await resolveHost({ host: "h", user: "u" }, { configFile: "none", knownHosts: ["/k"] })).toMatchObject({
      host: "h",
      port: 22,
      user: "u",
      jumps: [],
      knownHosts: ["/k"],
      identitiesOnly: false,
    });
  });

  test.skipIf(ssh.reason !== undefined)(`jumps in a circle are told${ssh.why}`, async () => {
    await using dir = await makeTempDir();
    await Bun.write(join(dir.path, "config"), "Host a\n  ProxyJump b\nHost b\n  ProxyJump a\n");
    await expect(resolveHost({ host: "a" }, { configFile: join(dir.path, "config") })).rejects.toThrow(
      "more than 8 jump hosts",
    );
  });
});
