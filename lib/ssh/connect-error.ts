/** Why a host could not be logged in to, in words. Tested in `test/lib/ssh/connector.test.ts`. */
import { type KeyCheck, keyType, type KnownKey, matchesHost } from "./known-hosts.ts";
import { sha256Fingerprint } from "../text/ssh-keys.ts";
import type { SshHost } from "./ssh-config.ts";
import { SshError } from "./ssh-error.ts";
import type { Login } from "./ssh-login.ts";
import { quoteForMessage, visible } from "../text/text.ts";

/** The key a host showed, and what the files of known hosts say of it. */
export interface ShownKey extends KeyCheck {
  readonly key: Buffer;
}

/** What went wrong while connecting, in words. */
export function connectError(
  error: unknown,
  host: SshHost,
  login: Login,
  shown: ShownKey | undefined,
  acceptNew: boolean,
  known: readonly KnownKey[],
): SshError {
  const { level, code, message } = error as { level?: string; code?: string; message: string };
  const cause = { cause: error };
  if (shown !== undefined && shown.verdict !== "known" && !(acceptNew && shown.verdict === "unknown")) {
    return new SshError("key", describeKey(shown, host, known), cause);
  }
  if (level === "client-authentication") return new SshError("login", `not let in: ${login.describe()}`, cause);
  if (level === "client-timeout") {
    return new SshError("silent", shown === undefined ? "no answer" : "the login takes too long", cause);
  }
  if (code === "ECONNREFUSED") return new SshError("connect", "connection refused: nothing listens there", cause);
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return new SshError("connect", "no such host name", cause);
  if (code === "EHOSTUNREACH" || code === "ENETUNREACH") return new SshError("connect", "no way to this host", cause);
  if (code === "ETIMEDOUT") return new SshError("silent", "no answer", cause);
  if (code === "ECONNRESET" || /^Connection lost|before handshake/.test(message)) {
    return new SshError("busy", "the server hung up before the login", cause);
  }
  if (/no matching|Handshake failed/.test(message)) {
    return new SshError("key", `no common algorithms: ${quoteForMessage(message)}; a newer server helps`, cause);
  }
  return new SshError("connect", `cannot connect: ${quoteForMessage(message)}`, cause);
}

/** Why a key is not trusted, and what to do about it. */
function describeKey(
  { key, verdict, entry }: ShownKey,
  { knownAs: { host, port }, knownHosts }: SshHost,
  known: readonly KnownKey[],
): string {
  const shown = `${visible(keyType(key))} ${sha256Fingerprint(key)}`;
  const place = entry === undefined ? "" : ` (${quoteForMessage(entry.file)}, line ${entry.line})`;
  if (verdict === "revoked") return `its key ${shown} is revoked${place}: do not connect`;
  if (verdict === "changed") {
    return (
      `its key has changed to ${shown}${place}: somebody may be listening in; if the host was set up anew, ` +
      `remove the old line`
    );
  }
  const files = knownHosts.length === 0 ? "no file of known hosts" : quoteForMessage(knownHosts[0]!);
  const isVouched = known.some(line => line.marker === "@cert-authority" && matchesHost(line.hosts, host, port));
  return (
    `its key ${shown} is not in ${files}: compare it with the host's own ` +
    `(ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub there), then --accept-new records it` +
    (isVouched ? "; certificates of hosts, which the @cert-authority line is for, are not supported" : "")
  );
}
