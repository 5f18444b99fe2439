/**
 * The Bun of a node: found, brought there, taken away. Nothing else leaves anything on a node: this Bun, and the event
 * tables by which its next run is quicker.
 *
 * Tested in `test/scripts/analyze-remote.test.ts`.
 */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { EXECUTABLE } from "../process/cli.ts";
import type { Connection } from "../ssh/connection.ts";
import type { RoundsOptions } from "./fetch-rounds.ts";
import { SshError } from "../ssh/ssh-error.ts";
import { formatBytes } from "../text/format.ts";
import { quoteForMessage } from "../text/text.ts";

/** Folder on a node, below the user's home. */
export const FOLDER = ".cache/cowrie-longitudinal";

/** What a node answers about the Bun it has. */
type NodeBun = Awaited<ReturnType<typeof probe>>;

const PROBE = `
d="$HOME/${FOLDER}"
for b in "$d/bun" "$(command -v bun 2>/dev/null)" "$HOME/.bun/bin/bun"; do
  if [ -x "$b" ] && [ "$("$b" --version 2>/dev/null)" = ${Bun.version} ]; then printf 'bun %s\\n' "$b"; break; fi
done
printf 'machine %s\\n' "$(uname -sm)"
if ls /lib/ld-musl-* >/dev/null 2>&1; then echo libc musl; else echo libc glibc; fi
printf 'free %s\\n' "$(df -Pk "$HOME" 2>/dev/null | awk 'NR==2 {print $4}')"
`;

export async function probe(connection: Connection, sudo: boolean) {
  const { stdout } = await connection.run(PROBE, { sudo });
  // Every byte one character: what is a path here goes back as it came.
  const lines = stdout.toString("latin1").split("\n");
  const value = (key: string) => lines.find(line => line.startsWith(`${key} `))?.slice(key.length + 1) || undefined;
  return {
    /** Command that runs it; undefined = none of our version. */
    command: value("bun"),
    machine: value("machine") ?? "",
    libc: value("libc") ?? "",
    /** Free bytes in the user's home. */
    freeBytes: Number(value("free") ?? NaN) * 1024,
  };
}

/** This machine in the words of `uname -sm`, and its libc. */
function ownMachine(): { machine: string; libc: string } {
  const { stdout } = Bun.spawnSync(["uname", "-sm"]);
  const isMusl = [...new Bun.Glob("ld-musl-*").scanSync({ cwd: "/lib", onlyFiles: false })].length > 0;
  return { machine: stdout.toString().trim(), libc: isMusl ? "musl" : "glibc" };
}

type SetUpOptions = Pick<RoundsOptions, "sudo" | "show" | "note">;

/**
 * Put this Bun into the user's folder on the node.
 *
 * @returns The command that runs it.
 * @throws {SshError} if it cannot run there.
 */
export async function setUp(
  connection: Connection,
  node: NodeBun,
  { sudo, show, note }: SetUpOptions,
): Promise<string> {
  const own = ownMachine();
  if (node.machine !== own.machine || node.libc !== own.libc) {
    throw new SshError(
      "command",
      `cannot set up: it is ${quoteForMessage(`${node.machine}, ${node.libc}`)}, this Bun is for ${own.machine}, ${own.libc}`,
    );
  }
  const executable = ownExecutable();
  if (node.freeBytes < executable.length * 1.2) {
    throw new SshError(
      "command",
      `cannot set up: ${formatBytes(node.freeBytes)} free, ${formatBytes(executable.length)} needed`,
    );
  }
  show(`setting up, ${formatBytes(executable.length)}`);
  const digest = new Bun.CryptoHasher("sha256").update(executable).digest("hex");
  // A home may be shared by several nodes, each of which is being set up.
  const part = `bun.${randomBytes(6).toString("hex")}.part`;
  const script = `
umask 077
d="$HOME/${FOLDER}" p="$HOME/${FOLDER}/${part}"
trap 'rm -f "$p"' EXIT
trap 'exit 143' TERM HUP INT
mkdir -p "$d" && take >"$p" && chmod 700 "$p" || exit 1
if command -v sha256sum >/dev/null; then
  [ "$(sha256sum <"$p" | cut -c 1-64)" = ${digest} ] || exit 2
fi
[ "$("$p" --version 2>/dev/null)" = ${Bun.version} ] || exit 3
mv -f "$p" "$d/bun" && printf '%s' "$d/bun"
`;
  const { stdout, exitCode, stderr } = await connection.run(script, { sudo, stdin: executable });
  if (exitCode !== 0) {
    const reason =
      exitCode === 3 ? "Bun does not run there" : exitCode === 2 ? "it did not arrive whole" : stderr.trim();
    throw new SshError("command", `cannot set up: ${quoteForMessage(reason)}`);
  }
  note(`Bun ${Bun.version} is in ~/${FOLDER} now (--remove-setup takes it away)`);
  return stdout.toString("latin1");
}

let executableBytes: Uint8Array | undefined;

/** The Bun that runs this, read once for all nodes. */
function ownExecutable(): Uint8Array {
  return (executableBytes ??= readFileSync(EXECUTABLE));
}

/**
 * Take away what a setup has left.
 *
 * @returns Whether there was anything.
 */
export async function removeSetup(connection: Connection, sudo: boolean): Promise<boolean> {
  const script = `d="$HOME/${FOLDER}"; [ -e "$d" ] || exit 9; rm -rf -- "$d"`;
  const { exitCode, stderr } = await connection.run(script, { sudo });
  if (exitCode !== 0 && exitCode !== 9)
    throw new SshError("command", `cannot remove: ${quoteForMessage(stderr.trim())}`);
  return exitCode === 0;
}
