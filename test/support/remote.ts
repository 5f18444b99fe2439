/**
 * A honeypot for tests of the remote commands: a server, logs in its home, and the arguments that lead there.
 */
import { mkdir } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { dirname, join } from "node:path";
import type { Connection } from "../../lib/ssh/connection.ts";
import { Connector } from "../../lib/ssh/connector.ts";
import { resolveHost, type SshHost } from "../../lib/ssh/ssh-config.ts";
import { copyWithoutTables } from "./copy-fleet.ts";
import { makeTempDir, run } from "./run.ts";
import { makeKey, type Sshd, type SshdOptions, startSshd } from "./sshd.ts";
import type { Asked } from "./ssh-server.ts";

/** A key, files of known hosts, and the servers that are started with them. */
export interface Lab extends AsyncDisposable {
  readonly folder: string;
  readonly known: string;
  readonly key: string;
  readonly publicLine: string;
  /** Start a server that takes the key, and make it known. */
  start(options?: SshdOptions): Promise<Sshd>;
  /** Options that lead to servers: `-i HOST -p PORT ...`. */
  args(...servers: Pick<Sshd, "port" | "user">[]): string[];
  hostOf(server: Pick<Sshd, "port" | "user">): Promise<SshHost>;
  /** Log in, work, log out. */
  at<T>(
    server: Pick<Sshd, "port" | "user">,
    work: (connection: Connection) => Promise<T>,
    timeoutMs?: number,
  ): Promise<T>;
}

export async function makeLab(): Promise<Lab> {
  const dir = await makeTempDir();
  const { file: key, publicLine } = await makeKey(join(dir.path, "id"));
  const known = join(dir.path, "known_hosts");
  await Bun.write(known, "");
  const servers: Sshd[] = [];
  const hostOf = async ({ port, user }: Pick<Sshd, "port" | "user">) => {
    const options = { configFile: "none", identities: [key], knownHosts: [known] };
    return { ...(await resolveHost({ host: "127.0.0.1", port, user }, options)), agent: undefined, identities: [key] };
  };
  return {
    folder: dir.path,
    known,
    key,
    publicLine,
    hostOf,
    async start(options) {
      const server = await startSshd([publicLine], options);
      servers.push(server);
      await Bun.write(known, (await Bun.file(known).text()) + server.knownHosts);
      return server;
    },
    args: (...list) => [
      ...list.flatMap(({ port, user }) => ["-i", `${user}@127.0.0.1:${port}`]),
      ...["--identity", key, "--known-hosts", known, "--ssh-config", "none"],
    ],
    async at(server, work, timeoutMs = 10_000) {
      await using connector = new Connector({ timeoutMs });
      await using connection = await connector.connect(await hostOf(server));
      return await work(connection);
    },
    async [Symbol.asyncDispose]() {
      for (const server of servers) await server[Symbol.asyncDispose]();
      await dir[Symbol.asyncDispose]();
    },
  };
}

/** Put a file into the home of a server's user. */
export async function writeLog(
  server: Sshd,
  path: string | Buffer,
  text: string | Uint8Array,
): Promise<string | Buffer> {
  const full =
    typeof path === "string" ? join(server.home, path) : Buffer.concat([Buffer.from(`${server.home}/`), path]);
  await mkdir(typeof full === "string" ? dirname(full) : server.home, { recursive: true });
  await Bun.write(full as string, text);
  await run(["chmod", "-R", "a+rX", server.home]);
  return full;
}

/** Copy logs into the place below a server's home where Cowrie writes them. */
export async function copyLogs(server: Sshd, from: string): Promise<string> {
  const to = join(server.home, "cowrie/var/log/cowrie");
  await copyWithoutTables(from, to);
  await run(["chmod", "-R", "a+rX", server.home]);
  return to;
}

/** What the listing of logs would be answered with. */
export function listingOf(
  logs: readonly { path: string; size: number | string; mtime?: string; inode?: string }[],
  root = "/logs",
): string {
  const entries = logs.map(({ path, size, mtime = "1700000000.5", inode }, i) => [
    "log",
    inode ?? `1:${i}`,
    String(size),
    mtime,
    "r",
    path,
  ]);
  return `${["tools", "Linux x86_64", "000", "root", root, ...entries.flat(), "end"].join("\0")}\0`;
}

/** Whether a script asks for the list of logs. */
export function isListing({ script }: Asked): boolean {
  return script.includes("look()");
}

/** The mark that a request for files wants behind each. */
export function fetchMark({ script }: Asked): string {
  return /%s %s %s\\n' ([0-9a-f]{32})/.exec(script)![1]!;
}

/** A way to a server that counts the bytes it carries, both ways together, and takes its time. */
export async function openWay(port: number, delayMs = 0) {
  let bytes = 0;
  const server = createServer(client => {
    const far = connect(port, "127.0.0.1");
    for (const [from, to] of [
      [client, far],
      [far, client],
    ] as const) {
      from.on("data", data => {
        bytes += data.length;
        setTimeout(() => to.write(data), delayMs / 2);
      });
      from.on("close", () => void setTimeout(() => to.destroy(), delayMs / 2));
      from.on("error", () => {});
    }
  });
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", () => resolve()));
  return {
    port: (server.address() as { port: number }).port,
    /** Bytes since it was asked last. */
    takeBytes: () => {
      const taken = bytes;
      bytes = 0;
      return taken;
    },
    [Symbol.asyncDispose]: () => new Promise<void>(resolve => server.close(() => resolve())),
  };
}
