/**
 * ProxyCommand of the SSH configuration: a local program whose input and output are the way to a host.
 *
 * The command is the user's own and goes to a shell, as with OpenSSH; what is filled into it is not, so a name that a
 * shell would take for more than a name is refused.
 */
import { spawn } from "node:child_process";
import { Duplex } from "node:stream";
import { environment } from "../process/cli.ts";
import { quoteForMessage } from "../text/text.ts";

/** What stands for `%h`, `%p`, `%r` and `%n`. */
export interface ProxyTokens {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** The host as it was named, before the configuration gave it another name. */
  readonly name: string;
}

/** stderr kept for the message of a failure. */
const STDERR_KEPT_LENGTH = 4096;
/** A command that has closed its output ends soon, if it ends. */
const EXIT_WAIT_MS = 500;

/**
 * Fill in the tokens of a ProxyCommand.
 *
 * @throws {Error} if a token is unknown, or what it stands for is more than a plain name.
 */
export function expandProxyCommand(command: string, { host, port, user, name }: ProxyTokens): string {
  // One pass: what is filled in is not looked at again.
  return command.replace(/%(.?)/gs, (token, letter: string) => {
    switch (letter) {
      case "%":
        return "%";
      case "p":
        return String(port);
      case "h":
        return plainWord("host", host);
      case "n":
        return plainWord("host", name);
      case "r":
        return plainWord("user", user);
      default:
        throw new Error(`its ProxyCommand holds ${quoteForMessage(token)}, expected %h, %p, %r, %n or %%`);
    }
  });
}

function plainWord(what: string, text: string): string {
  if (/^[\w.:%@+=,][\w.:%@+=,-]*$/.test(text)) return text;
  throw new Error(`its ${what} ${quoteForMessage(text)} cannot go into a ProxyCommand: expected a plain name`);
}

/** A running ProxyCommand. */
export interface Proxy {
  readonly socket: Duplex;
  /** How it ended and what it said last; undefined if it is still running. */
  describeEnd(): Promise<string | undefined>;
}

/** Start a ProxyCommand, tokens filled in; it is ended with its socket. */
export function startProxy(command: string): Proxy {
  // As OpenSSH does: the user's shell, which gives way to the command.
  const child = spawn(environment("SHELL") ?? "/bin/sh", ["-c", `exec ${command}`], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  let said = "";
  let end: string | undefined;
  const ended = new Promise<void>(resolve => {
    child.once("error", error => {
      end = `cannot be run: ${quoteForMessage(error.message)}`;
      resolve();
    });
    child.once("close", (code, signal) => {
      const reason = said.trim().split("\n").at(-1)!.trim();
      end ??= `ended (${signal ?? `status ${code}`})${reason === "" ? "" : `: ${quoteForMessage(reason)}`}`;
      resolve();
    });
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-STDERR_KEPT_LENGTH)));
  // A command that is gone is told by the end of its output.
  child.stdin.on("error", () => {});
  const socket = Duplex.from({ readable: child.stdout, writable: child.stdin } as never);
  socket.on("error", () => {});
  socket.once("close", () => child.kill());
  return {
    socket,
    async describeEnd() {
      await Promise.race([ended, Bun.sleep(EXIT_WAIT_MS)]);
      return end;
    },
  };
}
