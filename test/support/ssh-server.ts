/**
 * An SSH server that does what no honest one does: ssh2's own, told by the test what to answer.
 */
import { generateKeyPairSync } from "node:crypto";
import { type AuthContext, type Connection, Server, type ServerChannel, type ServerConfig, utils } from "ssh2";

const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const HOST_KEY = privateKey.export({ type: "pkcs1", format: "pem" }) as string;

/** A script that arrived, and the channel it came on. */
export interface Asked {
  readonly script: string;
  /** What has to stand before the output. */
  readonly mark: string;
  readonly channel: ServerChannel;
  readonly connection: Connection;
  /** Write the mark and some output. */
  write(data: string | Uint8Array): void;
  /** Write output and end with a status. */
  answer(data: string | Uint8Array, exitCode?: number): void;
  /** Let a real shell answer. */
  runShell(): Promise<void>;
}

export interface FakeServerOptions {
  /** Accept or reject; default: everybody is let in. */
  readonly onAuthentication?: (context: AuthContext) => void;
  readonly onScript?: (asked: Asked) => void;
  readonly onConnection?: (connection: Connection) => void;
  readonly algorithms?: ServerConfig["algorithms"];
}

export interface FakeServer extends AsyncDisposable {
  readonly port: number;
  readonly knownHosts: string;
  /** Methods of login that were tried, in order. */
  readonly tried: readonly string[];
}

export async function startFakeServer(options: FakeServerOptions = {}): Promise<FakeServer> {
  const tried: string[] = [];
  const connections = new Set<Connection>();
  const { algorithms } = options;
  const server = new Server({ hostKeys: [HOST_KEY], ...(algorithms ? { algorithms } : {}) }, connection => {
    connections.add(connection);
    connection.on("close", () => connections.delete(connection));
    // Clients that hang up are what is tested.
    connection.on("error", () => {});
    options.onConnection?.(connection);
    connection.on("authentication", context => {
      tried.push(context.method);
      if (options.onAuthentication) options.onAuthentication(context);
      else context.accept();
    });
    connection.on("session", accept => {
      const session = accept();
      session.on("exec", (acceptExec, _reject, { command }) => {
        const channel = acceptExec();
        const wanted = Number(/head -c (\d+)/.exec(command)?.[1] ?? 0);
        let script = Buffer.alloc(0);
        let isAsked = false;
        channel.on("error", () => {});
        channel.on("data", (data: Buffer) => {
          if (isAsked) return;
          script = Buffer.concat([script, data]);
          if (script.length < wanted) return;
          isAsked = true;
          options.onScript?.(makeAsked(script.subarray(0, wanted).toString(), channel, connection));
        });
      });
    });
  });
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", () => resolve()));
  const { port } = server.address() as { port: number };
  const parsed = utils.parseKey(HOST_KEY);
  if (parsed instanceof Error || Array.isArray(parsed)) throw new Error("no host key");
  return {
    port,
    tried,
    knownHosts: `[127.0.0.1]:${port} ssh-rsa ${parsed.getPublicSSH().toString("base64")}\n`,
    [Symbol.asyncDispose]: async () => {
      for (const connection of connections) connection.end();
      await new Promise<void>(resolve => server.close(() => resolve()));
    },
  };
}

function makeAsked(script: string, channel: ServerChannel, connection: Connection): Asked {
  const mark = /printf '\\n%s\\n' ([0-9a-f]+)/.exec(script)?.[1] ?? "";
  let isMarked = false;
  const write = (data: string | Uint8Array) => {
    if (!isMarked) channel.write(`\n${mark}\n`);
    isMarked = true;
    channel.write(data);
  };
  return {
    script,
    mark,
    channel,
    connection,
    write,
    answer(data, exitCode = 0) {
      write(data);
      channel.exit(exitCode);
      channel.end();
    },
    async runShell() {
      const child = Bun.spawn(["sh", "-c", script], { stdin: "pipe", stdout: "pipe", stderr: "ignore" });
      for await (const chunk of child.stdout) channel.write(chunk);
      channel.exit(await child.exited);
      channel.end();
    },
  };
}
