/**
 * Host keys that nobody may trust any more: files of `RevokedHostKeys`, public keys one a line, or a KRL of ssh-keygen
 * (PROTOCOL.krl of OpenSSH).
 *
 * As with OpenSSH a list that cannot be read, or not be understood, means that no key is trusted.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { errorReason, quoteForMessage } from "../text/text.ts";
import { keyType } from "./known-hosts.ts";

const KRL_MAGIC = Buffer.from("SSHKRL\n\0");
const KRL_VERSION = 1;
/** Magic, version of the format, of the list, its date and its flags; then two texts. */
const KRL_HEAD_BYTES = 8 + 4 + 8 + 8 + 8;
const SECTION = { certificates: 1, keys: 2, sha1: 3, signature: 4, sha256: 5, extension: 255 } as const;

/** What the files revoke: keys in base64, and digests of keys. */
export class RevokedKeys {
  readonly #keys = new Set<string>();
  readonly #digests = { sha1: new Set<string>(), sha256: new Set<string>() };

  /** @throws {Error} if a file cannot be read, or is no such list. */
  constructor(files: readonly string[]) {
    for (const file of files) {
      try {
        const bytes = readFileSync(file);
        if (bytes.subarray(0, KRL_MAGIC.length).equals(KRL_MAGIC)) this.#addKrl(bytes);
        else this.#addLines(bytes.toString("utf8"));
      } catch (error) {
        throw new Error(
          `its list of revoked keys ${quoteForMessage(file)} cannot be read: ${errorReason(error)}; no key is trusted without it`,
          { cause: error },
        );
      }
    }
  }

  /** @param key As it goes over the wire. */
  has(key: Buffer): boolean {
    const digest = (name: "sha1" | "sha256") => createHash(name).update(key).digest("base64");
    const { sha1, sha256 } = this.#digests;
    return this.#keys.has(key.toString("base64")) || sha1.has(digest("sha1")) || sha256.has(digest("sha256"));
  }

  #addLines(text: string): void {
    for (const [i, line] of text.split("\n").entries()) {
      const [type, base64] = line.trim().split(/\s+/, 2);
      if (type === "" || type!.startsWith("#")) continue;
      const key = Buffer.from(base64 ?? "", "base64");
      // A line that is passed over would be a key that is trusted.
      if (key.length === 0 || keyType(key) !== type) throw new SyntaxError(`line ${i + 1} is no public key`);
      this.#keys.add(key.toString("base64"));
    }
  }

  #addKrl(bytes: Buffer): void {
    const list = new Fields(bytes, KRL_MAGIC.length);
    if (list.uint32() !== KRL_VERSION) throw new SyntaxError("it is a KRL of another version");
    list.at = KRL_HEAD_BYTES;
    for (let text = 0; text < 2; text++) list.text();
    while (!list.isEnd) {
      const section = list.byte();
      const content = new Fields(list.text());
      if (section === SECTION.keys) while (!content.isEnd) this.#keys.add(content.text().toString("base64"));
      else if (section === SECTION.sha1 || section === SECTION.sha256) {
        const digests = section === SECTION.sha1 ? this.#digests.sha1 : this.#digests.sha256;
        while (!content.isEnd) digests.add(content.text().toString("base64"));
      } else if (section === SECTION.signature) list.text();
      else if (section === SECTION.extension) {
        content.text();
        if (content.byte() !== 0) throw new SyntaxError("it holds a critical extension that nobody knows");
        // Certificates of hosts are trusted by nobody here, revoked or not.
      } else if (section !== SECTION.certificates) throw new SyntaxError(`it holds a section ${section} that nobody knows`);
    }
  }
}

/** Numbers and texts one behind the other, in the order of the network. */
class Fields {
  readonly #bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes;
    this.at = at;
  }

  get isEnd(): boolean {
    return this.at >= this.#bytes.length;
  }

  byte(): number {
    return this.#take(1)[0]!;
  }

  uint32(): number {
    return this.#take(4).readUInt32BE(0);
  }

  text(): Buffer {
    return this.#take(this.uint32());
  }

  #take(length: number): Buffer {
    const taken = this.#bytes.subarray(this.at, this.at + length);
    if (taken.length < length) throw new SyntaxError("it is cut");
    this.at += length;
    return taken;
  }
}
