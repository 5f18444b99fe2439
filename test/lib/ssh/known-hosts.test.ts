import { createHmac } from "node:crypto";
import { appendFileSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "bun:test";
import {
  addKnownHost,
  checkHostKey,
  knownName,
  matchesHost,
  orderKeyAlgorithms,
  parseKnownHosts,
  readKnownHosts,
  type KeyVerdict,
} from "../../../lib/ssh/known-hosts.ts";
import { sha256Fingerprint } from "../../../lib/text/ssh-keys.ts";
import { missing } from "../../support/needs.ts";
import { makeTempDir, run } from "../../support/run.ts";

/** A key in wire format: its type, then something. */
function makeKey(text: string, type = "ssh-ed25519"): Buffer {
  const field = (value: string) => Buffer.concat([Buffer.from([0, 0, 0, value.length]), Buffer.from(value)]);
  return Buffer.concat([field(type), field(text)]);
}
const KEY = makeKey("one");
const OTHER = makeKey("two");
const base64 = (key: Buffer) => key.toString("base64");
const hashed = (name: string) => {
  const salt = Buffer.from("01234567890123456789");
  return `|1|${base64(salt)}|${base64(createHmac("sha1", salt).update(name).digest())}`;
};

const HOSTS: { hosts: string; host: string; port?: number; isMatch: boolean }[] = [
  { hosts: "a.example", host: "a.example", isMatch: true },
  { hosts: "a.example", host: "A.Example", isMatch: true },
  { hosts: "A.Example", host: "a.example", isMatch: true },
  { hosts: "a.example", host: "a.example", port: 2112, isMatch: false },
  { hosts: "[a.example]:2112", host: "a.example", port: 2112, isMatch: true },
  { hosts: "[a.example]:2112", host: "a.example", isMatch: false },
  { hosts: "a.example,203.0.113.5", host: "203.0.113.5", isMatch: true },
  { hosts: "*.example", host: "deep.a.example", isMatch: true },
  { hosts: "*.example", host: "example", isMatch: false },
  { hosts: "203.0.113.?", host: "203.0.113.5", isMatch: true },
  { hosts: "203.0.113.?", host: "203.0.113.55", isMatch: false },
  { hosts: "*.example,!bad.example", host: "bad.example", isMatch: false },
  { hosts: "!bad.example,*.example", host: "bad.example", isMatch: false },
  { hosts: "!bad.example", host: "good.example", isMatch: false },
  { hosts: "a.b", host: "axb", isMatch: false },
  { hosts: "2001:db8::1", host: "2001:DB8::1", isMatch: true },
  { hosts: hashed("a.example"), host: "a.example", isMatch: true },
  { hosts: hashed("[a.example]:2112"), host: "a.example", port: 2112, isMatch: true },
  { hosts: hashed("a.example"), host: "b.example", isMatch: false },
  { hosts: "|1|", host: "a.example", isMatch: false },
  { hosts: `${"*a".repeat(40)}b`, host: "a".repeat(200), isMatch: false },
];

describe("matchesHost", () => {
  test.each(HOSTS)("$hosts for $host is $isMatch", ({ hosts, host, port = 22, isMatch }) => {
    expect(matchesHost(hosts, host, port)).toBe(isMatch);
  });
});

const CHECKS: { name: string; text: string; verdict: KeyVerdict }[] = [
  { name: "nothing known", text: "", verdict: "unknown" },
  { name: "the same key", text: `h ssh-ed25519 ${base64(KEY)}`, verdict: "known" },
  { name: "another key", text: `h ssh-ed25519 ${base64(OTHER)}`, verdict: "changed" },
  { name: "one of two", text: `h x ${base64(OTHER)}\nh x ${base64(KEY)}`, verdict: "known" },
  { name: "the key of another host", text: `i ssh-ed25519 ${base64(KEY)}`, verdict: "unknown" },
  { name: "revoked", text: `h x ${base64(KEY)}\n@revoked * x ${base64(KEY)}`, verdict: "revoked" },
  { name: "another one revoked", text: `h x ${base64(KEY)}\n@revoked * x ${base64(OTHER)}`, verdict: "known" },
  { name: "an authority", text: `@cert-authority * x ${base64(KEY)}`, verdict: "unknown" },
  { name: "comments, CR, tabs, rubbish", text: `# h\r\n\th\tx\t${base64(KEY)}\r\nrubbish\nh x\n`, verdict: "known" },
  { name: "rubbish before the key", text: `rubbish\nh x\nh x !!!\n@revoked\nh x ${base64(KEY)}`, verdict: "known" },
];

describe("checkHostKey", () => {
  test.each(CHECKS)("$name: $verdict", ({ text, verdict }) => {
    expect(checkHostKey(parseKnownHosts(text), "h", 22, KEY).verdict).toBe(verdict);
  });

  test("tells file and line of the key that is no longer right", () => {
    const keys = parseKnownHosts(`\nh x ${base64(OTHER)}\n`, "known");
    expect(checkHostKey(keys, "h", 22, KEY).entry).toMatchObject({ file: "known", line: 2 });
  });
});

test("orderKeyAlgorithms() puts types that are known first", () => {
  const keys = parseKnownHosts(`h ssh-rsa ${base64(KEY)}`);
  expect(orderKeyAlgorithms(keys, "h", 22).slice(0, 4)).toEqual([
    "rsa-sha2-512",
    "rsa-sha2-256",
    "ssh-rsa",
    "ssh-ed25519",
  ]);
  expect(orderKeyAlgorithms(keys, "i", 22)[0]).toBe("ssh-ed25519");
});

describe("addKnownHost", () => {
  test("makes the file, ends a torn line, and is found again", () => {
    const file = join(mkdtempSync(join(tmpdir(), "cowrie-test-")), "ssh", "known_hosts");
    expect(addKnownHost(file, "2001:db8::1", 22, KEY).line).toBe(1);
    expect(addKnownHost(file, "h", 2112, OTHER).line).toBe(2);
    expect(checkHostKey(readKnownHosts([file, `${file}.absent`]), "h", 2112, OTHER).verdict).toBe("known");
    expect(readKnownHosts([file]).map(({ line, hosts }) => [line, hosts])).toEqual([
      [1, "2001:db8::1"],
      [2, "[h]:2112"],
    ]);
    appendFileSync(file, "torn");
    expect(addKnownHost(file, "i", 22, KEY).line).toBe(4);
    expect(readKnownHosts([file]).at(-1)).toMatchObject({ hosts: "i", line: 4 });
  });

  test("writes no name that would be a pattern of its own or two lines", () => {
    expect(() => addKnownHost("/dev/null", "a,b", 22, KEY)).toThrow("expected a plain name");
    expect(() => addKnownHost("/dev/null", "a\nb", 22, KEY)).toThrow("expected a plain name");
    expect(() => addKnownHost("/dev/null", "a", 22, makeKey("x", "t\ny"))).toThrow("expected a plain name");
  });
});

test("knownName() has brackets where the port is not 22", () => {
  expect([knownName("H", 22), knownName("h", 23)]).toEqual(["h", "[h]:23"]);
});

const ssh = missing("ssh");
test.skipIf(ssh.reason !== undefined)(
  `ssh-keygen reads and hashes what was written, with the same fingerprint${ssh.why}`,
  async () => {
    await using dir = await makeTempDir();
    await run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", `${dir.path}/id`]);
    const publicLine = await Bun.file(`${dir.path}/id.pub`).text();
    const key = Buffer.from(publicLine.split(" ")[1]!, "base64");
    const file = `${dir.path}/known`;
    addKnownHost(file, "a.example", 2112, key);
    expect((await run(["ssh-keygen", "-lf", file])).stdout).toContain(sha256Fingerprint(key));
    await run(["ssh-keygen", "-q", "-H", "-f", file]);
    expect(await Bun.file(file).text()).toStartWith("|1|");
    expect(checkHostKey(readKnownHosts([file]), "a.example", 2112, key).verdict).toBe("known");
  },
);
