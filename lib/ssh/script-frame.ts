/**
 * The frame a script runs in on a host: a mark before its output, and somebody who watches that we are still there.
 * Tested in `test/lib/ssh/connector.test.ts`.
 */
import { SshError } from "./ssh-error.ts";
import { quoteForMessage } from "../text/text.ts";

/** What may come before our own output, from a .bashrc or a banner; more is no shell. */
const NOISE_MAX_BYTES = 1 << 16;

/**
 * Put a script into its frame.
 *
 * A mark goes before its output, since a .bashrc may have written before it. While it runs somebody watches stdin: when
 * that ends, because we stopped or are gone, the whole group of processes is ended; SSH alone would let it run on.
 */
export function wrapScript(script: string | Uint8Array, mark: string, stdinBytes: number | undefined): Buffer {
  const before = [
    `LC_ALL=C; export LC_ALL; printf '\\n%s\\n' ${mark}`,
    // A small busybox has no nice, and without it nothing would be run at all.
    'command -v nice >/dev/null 2>&1 || nice() { [ "$1" != -n ] || shift 2; "$@"; }',
    "watch() {",
    "exec 3<&0 </dev/null",
    '( trap "" TERM HUP PIPE; read x <&3; kill -TERM 0; sleep 1; kill -KILL 0 ) >/dev/null 2>&1 &',
    "watcher=$!",
    "exec 3<&-",
    "}",
    // With data to come, what is read from stdin is no end yet.
    stdinBytes === undefined ? "watch\n(" : `take() { head -c ${stdinBytes}; }\n{`,
    "",
  ];
  const after = [
    "",
    stdinBytes === undefined ? ")" : "}",
    "status=$?",
    "kill -KILL $watcher 2>/dev/null",
    "exit $status",
    "",
  ];
  return Buffer.concat([Buffer.from(before.join("\n")), Buffer.from(script), Buffer.from(after.join("\n"))]);
}

/** Output behind the mark. */
export class MarkedOutput {
  readonly #mark: Buffer;
  noise = Buffer.alloc(0);
  isOpen = false;

  constructor(mark: string) {
    this.#mark = Buffer.from(`\n${mark}\n`);
  }

  /** @throws {SshError} if the mark does not come. */
  take(data: Buffer): Buffer {
    if (this.isOpen) return data;
    const all = Buffer.concat([this.noise, data]);
    const at = all.indexOf(this.#mark);
    if (at >= 0) {
      this.isOpen = true;
      this.noise = Buffer.alloc(0);
      return all.subarray(at + this.#mark.length);
    }
    this.noise = all;
    if (all.length > NOISE_MAX_BYTES) throw noShell(all, "");
    return Buffer.alloc(0);
  }
}

/** What came in place of the mark. */
export function noShell(noise: Buffer, stderr: string): SshError {
  const words = `${noise.subarray(0, 400).toString("utf8")} ${stderr}`.trim();
  if (/^sudo: /m.test(stderr)) return new SshError("command", quoteForMessage(/^sudo: .*/m.exec(stderr)![0]));
  return new SshError("garbage", `what answers is no shell${words === "" ? "" : `: ${quoteForMessage(words)}`}`);
}
