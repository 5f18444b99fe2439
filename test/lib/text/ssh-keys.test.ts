import { expect, test } from "bun:test";
import { publicKeysOf } from "../../../lib/text/ssh-keys.ts";

const BLOB = "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

test("keys of a command, each once, with fingerprints as ssh-keygen and Cowrie write them", () => {
  expect(publicKeysOf(`echo "ssh-ed25519 ${BLOB} mdrfckr">>.ssh/authorized_keys; echo ssh-ed25519 ${BLOB} again`)).toEqual([
    {
      type: "ssh-ed25519",
      fingerprint: "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU",
      md5: "65:96:2d:fc:e8:d5:a9:11:64:0c:0f:ea:00:6e:5b:bd",
      comment: "mdrfckr",
    },
  ]);
});

test("no key is none; many are cut; a comment that is no word is left out", () => {
  expect(publicKeysOf("ssh-keygen -t rsa AAAA")).toEqual([]);
  expect(publicKeysOf(`ssh-ed25519 ${BLOB} <script>`)[0]!.comment).toBeUndefined();
  const many = Array.from({ length: 500 }, (_, i) => `ssh-rsa AAAA${String(i).padStart(20, "B")};`).join(" ");
  expect(publicKeysOf(many)).toHaveLength(64);
});
