import { expect, test } from "bun:test";
import { isMailAddress, toMessage } from "../../../lib/digest/mail.ts";

const decode = (part: string) => Buffer.from(part.split("\n\n")[1]!, "base64").toString();

test("a text alone, its headers and its body", () => {
  const message = toMessage({ to: "ops@example.org", subject: "Cowrie 2026-07-20", text: "ünïcode\n.\nFrom me\n" });
  const [head] = message.split("\n\n");
  expect(head!.split("\n")).toEqual([
    "To: ops@example.org",
    "Subject: Cowrie 2026-07-20",
    "Auto-Submitted: auto-generated",
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: base64",
  ]);
  expect(decode(message)).toBe("ünïcode\n.\nFrom me\n");
});

test("both parts, each whole; nothing in them ends a part", () => {
  const text = "--cowrie-b--\n".repeat(200);
  const message = toMessage({ to: "root", subject: "s", text, html: `<p>${text}</p>` }, "cowrie-b");
  const parts = message.split("--cowrie-b\n");
  expect(parts).toHaveLength(3);
  expect(decode(parts[1]!)).toBe(text);
  expect(decode(parts[2]!.replace("--cowrie-b--\n", ""))).toBe(`<p>${text}</p>`);
  expect(message.trimEnd().endsWith("--cowrie-b--")).toBe(true);
  for (const line of message.split("\n")) expect(line.length).toBeLessThanOrEqual(78);
});

test("a subject adds no header, whatever is in it", () => {
  for (const subject of ["a\nBcc: all@example.org", "a\r\n\r\nbody", "=?utf-8?B?QQ==?=", "密".repeat(100), "x".repeat(500), "\ud800"]) {
    const message = toMessage({ to: "root", subject, text: "t" });
    const [head] = message.split("\n\n");
    const unfolded = head!.replace(/\n /g, " ");
    expect(unfolded.split("\n").map(line => line.split(":")[0])).toEqual(["To", "Subject", "Auto-Submitted", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"]);
    const words = [.../=\?utf-8\?B\?([^?]*)\?=/g[Symbol.matchAll](unfolded)].map(([, word]) => Buffer.from(word!, "base64").toString());
    expect(words.join("")).toBe(subject.toWellFormed());
    for (const line of head!.split("\n")) expect(line.length).toBeLessThanOrEqual(78);
  }
});

test("sixty plain letters stand as they are; of others as many bytes as fit are a word", () => {
  const wordsOf = (subject: string) => toMessage({ to: "root", subject, text: "t" }).match(/=\?utf-8\?B\?/g)?.length ?? 0;
  expect(["x".repeat(60), "x".repeat(61)].map(wordsOf)).toEqual([0, 2]);
  expect([21, 22, 42, 43].map(letters => wordsOf("é".repeat(letters)))).toEqual([1, 2, 2, 3]);
  expect([14, 15].map(letters => wordsOf("密".repeat(letters)))).toEqual([1, 2]);
});

test("addresses are plain, and never an option", () => {
  for (const good of ["root", "ops@example.org", "first.last+cowrie@a-b.example", "x@localhost"]) expect(isMailAddress(good)).toBe(true);
  for (const bad of ["", "-oQ/tmp", "a b@c", "a@b\nBcc: x", "a@", "a@b,c@d", "<a@b>", "a@-b-", `${"x".repeat(65)}@b`]) {
    expect(isMailAddress(bad)).toBe(false);
    expect(() => toMessage({ to: bad, subject: "s", text: "t" })).toThrow("expected an address");
  }
});
