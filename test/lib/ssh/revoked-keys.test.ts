import { createHash } from "node:crypto";
import { join } from "node:path";
import { describe, expect, test } from "bun:test";
import { RevokedKeys } from "../../../lib/ssh/revoked-keys.ts";
import { resolveHost } from "../../../lib/ssh/ssh-config.ts";
import { missing } from "../../support/needs.ts";
import { makeTempDir, run } from "../../support/run.ts";

const field = (value: string | Uint8Array) => {
  const bytes = Buffer.from(value as string);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
};
const keyOf = (text: string) => Buffer.concat([field("ssh-ed25519"), field(text)]);
const [ONE, TWO, THREE, OTHER] = ["one", "two", "three", "other"].map(keyOf) as [Buffer, Buffer, Buffer, Buffer];
const lineOf = (key: Buffer) => `ssh-ed25519 ${key.toString("base64")}`;

/** A KRL with these sections. */
function krlOf(...sections: [type: number, content: Buffer][]): Buffer {
  const head = Buffer.concat([Buffer.from("SSHKRL\n\0"), Buffer.from([0, 0, 0, 1]), Buffer.alloc(24), field(""), field("mine")]);
  return Buffer.concat([head, ...sections.flatMap(([type, content]) => [Buffer.from([type]), field(content)])]);
}
const digest = (name: string, key: Buffer) => field(createHash(name).update(key).digest());

async function revoked(...files: (string | Uint8Array)[]): Promise<RevokedKeys> {
  await using dir = await makeTempDir();
  const paths = files.map((_, i) => join(dir.path, `list${i}`));
  for (const [i, path] of paths.entries()) await Bun.write(path, files[i]!);
  return new RevokedKeys(paths);
}

const LISTS: [what: string, files: (string | Uint8Array)[]][] = [
  ["lines", [`# mine\n\n${lineOf(ONE)} a comment\r\n  ${lineOf(TWO)}\n${lineOf(THREE)}`]],
  ["a KRL", [krlOf([1, Buffer.from("certificates")], [2, Buffer.concat([field(ONE), field(TWO)])], [2, field(THREE)])]],
  ["digests", [krlOf([3, digest("sha1", ONE)], [5, Buffer.concat([digest("sha256", TWO), digest("sha256", THREE)])])]],
  ["several files", [lineOf(ONE), lineOf(TWO), krlOf([2, field(THREE)])]],
  ["an extension that may be passed over", [krlOf([255, Buffer.concat([field("x@y"), Buffer.from([0]), field("")])]), ...[ONE, TWO, THREE].map(lineOf)]],
];
test.each(LISTS)("%s: its keys are revoked, others are not", async (_what, files) => {
  const keys = await revoked(...files);
  expect([ONE, TWO, THREE, OTHER].map(key => keys.has(key))).toEqual([true, true, true, false]);
});

test("no list revokes nothing", () => expect(new RevokedKeys([]).has(ONE)).toBe(false));

const BAD: [what: string, file: string | Uint8Array][] = [
  ["a line of known_hosts", `host ${lineOf(ONE)}`],
  ["half a key", lineOf(ONE).slice(0, -20)],
  ["a KRL of another version", Buffer.from(krlOf()).fill(2, 8, 12)],
  ["a KRL that is cut", krlOf([2, field(ONE)]).subarray(0, -3)],
  ["a length beyond the end", krlOf([2, Buffer.from([255, 255, 255, 255])])],
  ["a section nobody knows", krlOf([9, Buffer.alloc(3)])],
  ["a critical extension", krlOf([255, Buffer.concat([field("x@y"), Buffer.from([1]), field("")])])],
];
test.each(BAD)("%s is an error, not an empty list", async (_what, file) => {
  await expect(revoked(file)).rejects.toThrow(/^its list of revoked keys ".*" cannot be read: .*; no key is trusted without it$/);
});

test("a list that is not there is an error", () => {
  expect(() => new RevokedKeys(["/nowhere/revoked"])).toThrow("no such file or folder; no key is trusted without it");
});

const ssh = missing("ssh");
describe("the SSH configuration", () => {
  test.skipIf(ssh.reason !== undefined)(`names the lists, and forbids passwords${ssh.why}`, async () => {
    await using dir = await makeTempDir();
    const configFile = join(dir.path, "config");
    const resolve = async (text: string) => {
      await Bun.write(configFile, text);
      const { revokedKeys, passwordWays } = await resolveHost({ host: "pot" }, { configFile });
      return { revokedKeys, passwordWays };
    };
    const both = ["password", "keyboard-interactive"] as const;
    expect(await resolve("")).toEqual({ revokedKeys: [], passwordWays: [...both] });
    expect(await resolve("RevokedHostKeys none")).toMatchObject({ revokedKeys: [] });
    expect(await resolve("Host pot\nRevokedHostKeys /etc/revoked")).toMatchObject({ revokedKeys: ["/etc/revoked"] });
    await Bun.write(configFile, "Host pot\nPort 2112\nHostKeyAlias potter");
    expect((await resolveHost({ host: "pot" }, { configFile })).knownAs).toEqual({ host: "potter", port: 22 });
    expect(await resolve("PasswordAuthentication no")).toMatchObject({ passwordWays: ["keyboard-interactive"] });
    expect(await resolve("PasswordAuthentication no\nKbdInteractiveAuthentication no")).toMatchObject({ passwordWays: [] });
  });

  test("without a client to read it: refused where it may revoke keys, or was named", async () => {
    await using dir = await makeTempDir();
    const ask = (configFile?: string) =>
      run(
        [
          process.execPath,
          "-e",
          `import { resolveHost } from ${JSON.stringify(join(import.meta.dir, "../../../lib/ssh/ssh-config.ts"))};
           await resolveHost({ host: "pot" }, ${JSON.stringify({ configFile })}).then(
             ({ host }) => console.log(host), ({ message }) => console.log(message));`,
        ],
        { env: { HOME: dir.path, PATH: "/nowhere" } },
      ).then(({ stdout, stderr }) => stdout + stderr);
    const file = join(dir.path, ".ssh/config");
    await Bun.write(file, "Host pot\n  HostName 192.0.2.1\n");
    expect(await ask(file)).toContain(`Cannot read "${file}": expected OpenSSH's client`);
    expect(await ask("none")).toBe("pot\n");
    await Bun.write(file, "Host pot\n\trevokedhostkeys ~/x\n");
    expect(await ask()).toContain(`Cannot heed the revoked keys that "${file}" may name`);
  });
});
