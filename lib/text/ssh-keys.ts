/**
 * SSH public keys as attackers plant and offer them: their fingerprints, and the word behind them that names one.
 */
import { SSH_KEY } from "./masks.ts";

/** Keys of a command that are looked at. */
const KEYS_MOST = 64;
/** What a comment may be: a word, or the name and host that ssh-keygen writes. */
const COMMENT = /^[ \t]+([\w.@+-]{2,64})/;

export interface PublicKey {
  /** `ssh-rsa`, ... */
  readonly type: string;
  /** As ssh-keygen shows it today, `SHA256:...`: how a key is told apart. */
  readonly fingerprint: string;
  /** As Cowrie logs it, colons between pairs of digits. */
  readonly md5: string;
  /** The word behind the key; undefined where there is none. */
  readonly comment: string | undefined;
}

/** The keys that stand in a text, each once. */
export function publicKeysOf(text: string): PublicKey[] {
  if (!text.includes("AAAA")) return [];
  const keys = new Map<string, PublicKey>();
  for (const match of text.matchAll(SSH_KEY)) {
    if (keys.size >= KEYS_MOST) break;
    const [whole, type, base64] = match as unknown as [string, string, string];
    const end = match.index + whole.length;
    const bytes = Buffer.from(base64, "base64");
    const key = {
      type,
      fingerprint: sha256Fingerprint(bytes),
      md5: new Bun.CryptoHasher("md5").update(bytes).digest("hex").replace(/..(?=.)/g, "$&:"),
      comment: COMMENT.exec(text.slice(end, end + 80))?.[1],
    };
    if (!keys.has(key.fingerprint)) keys.set(key.fingerprint, key);
  }
  return [...keys.values()];
}

/** `SHA256:...` of a key in wire format, as ssh-keygen shows it. */
export function sha256Fingerprint(key: Uint8Array): string {
  return `SHA256:${new Bun.CryptoHasher("sha256").update(key).digest("base64").replace(/={1,2}$/, "")}`;
}
