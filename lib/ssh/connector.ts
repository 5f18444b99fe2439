/**
 * One host behind one interface: connect with a verified key, run a shell script, stream what it writes, stop it.
 *
 * All that ssh2 and node-ssh get wrong by default is kept in here: host keys are always checked, a lost connection is an
 * error and not a short answer, a silent host is given up, stderr is always read, nothing stays behind on the host, and
 * no SFTP is used, whose requests may hang for ever.
 */
import { randomBytes } from "node:crypto";
import type { Duplex } from "node:stream";
import { type Config, NodeSSH } from "node-ssh";
import type { Client, ClientChannel, KexAlgorithm } from "ssh2";
import {
  addKnownHost,
  checkHostKey,
  fingerprint,
  type KeyCheck,
  keyType,
  type KnownKey,
  matchesHost,
  orderKeyAlgorithms,
  readKnownHosts,
} from "./known-hosts.ts";
import { startProxy } from "./proxy-command.ts";
import { RevokedKeys } from "./revoked-keys.ts";
import { showHost, type SshHost } from "./ssh-config.ts";
import { KeyRing, type Login, prepareLogin } from "./ssh-login.ts";
import { quoteForMessage, visible } from "../text/text.ts";

/**
 * Why a host could not be used; some are worth another try.
 *
 * - connect: nobody listens, or the network is down
 * - busy: the server hung up before the login, as it does when too many log in at once
 * - key: the host's key is not one to trust
 * - login: no key or password was accepted
 * - lost: the connection broke
 * - silent: nothing came for too long
 * - garbage: what answers is no shell, or sends without end
 * - command: a command failed on the host
 */
export type SshFault = "connect" | "busy" | "key" | "login" | "lost" | "silent" | "garbage" | "command";

/** A host failed; `message` says why in one line, without the host's name. */
export class SshError extends Error {
  override readonly name = "SshError";
  readonly fault: SshFault;

  constructor(fault: SshFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }

  /** The same may work a moment later. */
  get isTransient(): boolean {
    return ["connect", "busy", "lost", "silent"].includes(this.fault);
  }
}

/** Handshakes at the same time per server: OpenSSH begins to refuse at ten (MaxStartups). */
const HANDSHAKES_MAX = 8;
/** And yet it may refuse one, since it counts a login as open a little longer than we do. */
const BUSY_RETRIES = 5;
const BUSY_PAUSE_MS = 150;
/** What may come before our own output, from a .bashrc or a banner; more is no shell. */
const NOISE_MAX_BYTES = 1 << 16;
/** stderr kept for the message of a failure. */
const STDERR_KEPT_BYTES = 4096;
/** Output waiting for whoever takes it; beyond, the host is asked to wait. */
const QUEUE_MAX_BYTES = 1 << 20;
const KEEPALIVES_MAX = 3;

/**
 * No finite-field groups above 2048 bits: making a key for them takes Bun up to half a minute in which nothing else
 * runs, so any server could freeze us.
 */
const KEX_ALGORITHMS: KexAlgorithm[] = [
  "curve25519-sha256",
  "curve25519-sha256@libssh.org",
  "ecdh-sha2-nistp256",
  "ecdh-sha2-nistp384",
  "ecdh-sha2-nistp521",
  "diffie-hellman-group14-sha256",
];

export interface ConnectorOptions {
  /** A host may be silent for so long, when connecting and when it should send. */
  readonly timeoutMs: number;
  /** Take the key of a host nobody knows yet, and record it; such a host gets no password from this connector. */
  readonly acceptNew?: boolean;
  readonly keys?: KeyRing;
  /** Told of keys that were recorded; safe to show. */
  readonly onNotice?: (line: string) => void;
}

export interface RunOptions {
  /** Stop the script. */
  readonly signal?: AbortSignal;
  /** Silence taken for a dead host in place of the connector's, or as of now; for scripts that calculate long. */
  readonly timeoutMs?: number | (() => number);
  /**
   * Data for the script, which writes them out by calling `take` and then, once and only then, calls `watch`. A script
   * without data is watched from its beginning.
   */
  readonly stdin?: Uint8Array;
  /** Run as root, by sudo and without a password. */
  readonly sudo?: boolean;
}

/** How a script ended. */
export interface Exit {
  readonly exitCode: number;
  /** Its last 4 KiB. */
  readonly stderr: string;
}

/** A host that is logged in to. */
export interface Connection extends AsyncDisposable {
  readonly host: SshHost;
  /** Silence that is taken for a dead host. */
  readonly timeoutMs: number;
  /**
   * Run a script in the host's /bin/sh.
   *
   * Everything the script starts ends when it ends, is stopped, or the connection breaks.
   *
   * @param script As bytes where it names files whose names are no UTF-8.
   * @param onData Takes stdout in order; the next piece waits for it.
   * @throws {SshError} if the script does not come to its own end.
   */
  stream(
    script: string | Uint8Array,
    onData: (data: Buffer) => void | Promise<void>,
    options?: RunOptions,
  ): Promise<Exit>;
  /**
   * Run a script that writes little.
   *
   * @param maxBytes More is taken for garbage.
   * @throws {SshError} as {@link stream} does.
   */
  run(
    script: string | Uint8Array,
    options?: RunOptions & { readonly maxBytes?: number },
  ): Promise<Exit & { readonly stdout: Buffer }>;
}

/** A text as one word of a shell script. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Logs in to hosts; those that lie behind the same jump host share one connection to it. */
export class Connector implements AsyncDisposable {
  readonly #options: ConnectorOptions;
  readonly #keys: KeyRing;
  readonly #known = new Map<string, KnownKey[]>();
  readonly #revoked = new Map<string, RevokedKeys>();
  /** Keys in base64 that were recorded by this connector: nobody has compared them yet. */
  readonly #fresh = new Set<string>();
  readonly #jumps = new Map<string, Promise<SshConnection>>();
  readonly #gates = new Map<string, Gate>();

  constructor(options: ConnectorOptions) {
    this.#options = options;
    this.#keys = options.keys ?? new KeyRing();
  }

  /**
   * Log in.
   *
   * @param password For this host alone, never for those before it.
   * @throws {SshError} if the host cannot be reached, its key is not one to trust, or it lets nobody in.
   */
  async connect(host: SshHost, password?: string): Promise<Connection> {
    return this.#open(host, host.jumps, password);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const jump of this.#jumps.values()) await (await jump.catch(() => undefined))?.[Symbol.asyncDispose]();
    this.#jumps.clear();
  }

  async #open(host: SshHost, jumps: readonly SshHost[], password: string | undefined): Promise<SshConnection> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#openOnce(host, jumps, password);
      } catch (error) {
        if (!(error instanceof SshError) || error.fault !== "busy" || attempt > BUSY_RETRIES) throw error;
        // Not all at the same moment again.
        await Bun.sleep(BUSY_PAUSE_MS * attempt * (0.5 + Math.random()));
      }
    }
  }

  async #openOnce(host: SshHost, jumps: readonly SshHost[], password: string | undefined): Promise<SshConnection> {
    const login = await prepareLogin(host, this.#keys, password);
    if (jumps.length === 0 && host.proxyCommand !== undefined) return this.#openByProxy(host, host.proxyCommand, login);
    if (jumps.length === 0) {
      return this.#gate(host).pass(() => this.#handshake(host, login, undefined));
    }
    const last = jumps[jumps.length - 1]!;
    const jump = await this.#jump(last, jumps.slice(0, -1));
    const socket = await jump.forward(host);
    try {
      return await this.#gate(host).pass(() => this.#handshake(host, login, socket));
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }

  async #openByProxy(host: SshHost, command: string, login: Login): Promise<SshConnection> {
    // Such commands mostly lead through one host that all of them share.
    return this.#gateOf("ProxyCommand").pass(async () => {
      const proxy = startProxy(command);
      try {
        return await this.#handshake(host, login, proxy.socket);
      } catch (error) {
        // A command that has failed looks like a server that hung up.
        const isCut = error instanceof SshError && (error.fault === "busy" || error.fault === "connect");
        const end = isCut ? await proxy.describeEnd() : undefined;
        proxy.socket.destroy();
        if (end === undefined) throw error;
        throw new SshError("connect", `its ProxyCommand ${end}`, { cause: error });
      }
    });
  }

  /** The shared connection to a jump host. */
  async #jump(host: SshHost, before: readonly SshHost[]): Promise<SshConnection> {
    const id = [...before, host].map(showHost).join(",");
    let opening = this.#jumps.get(id);
    if (
      opening !== undefined &&
      (await opening.then(
        ({ isLost }) => isLost,
        () => true,
      ))
    ) {
      // Somebody else may have opened it again in the meantime.
      if (this.#jumps.get(id) === opening) this.#jumps.delete(id);
      opening = this.#jumps.get(id);
    }
    if (opening === undefined) this.#jumps.set(id, (opening = this.#open(host, before, undefined)));
    try {
      return await opening;
    } catch (error) {
      if (this.#jumps.get(id) === opening) this.#jumps.delete(id);
      const { fault, message } = error as SshError;
      throw new SshError(fault, `jump host ${visible(showHost(host))}: ${message}`, { cause: error });
    }
  }

  #gate({ host, port }: SshHost): Gate {
    return this.#gateOf(`${host} ${port}`);
  }

  #gateOf(id: string): Gate {
    let gate = this.#gates.get(id);
    if (gate === undefined) this.#gates.set(id, (gate = new Gate(HANDSHAKES_MAX)));
    return gate;
  }

  async #handshake(host: SshHost, login: Login, socket: Duplex | undefined): Promise<SshConnection> {
    const { timeoutMs, acceptNew = false } = this.#options;
    const known = this.#knownKeys(host);
    const revoked = this.#revokedKeys(host);
    const { host: name, port } = host.knownAs;
    let shown: ShownKey | undefined;
    let failure: unknown;
    const ssh = new NodeSSH();
    const config: Config = {
      host: host.host,
      port: host.port,
      username: host.user,
      ...(socket === undefined ? {} : { sock: socket as never }),
      readyTimeout: timeoutMs,
      keepaliveInterval: Math.max(500, Math.floor(timeoutMs / KEEPALIVES_MAX)),
      keepaliveCountMax: KEEPALIVES_MAX,
      authHandler: ((methodsLeft, partialSuccess, next) => {
        // Asked for the first time, the host has proven that the key it showed is its own.
        try {
          if (shown?.verdict === "unknown") this.#record(host, shown.key, known);
        } catch (error) {
          failure = error;
          return next(false);
        }
        login.authHandler(methodsLeft, partialSuccess, next);
      }) satisfies Login["authHandler"] as never,
      algorithms: { kex: KEX_ALGORITHMS, serverHostKey: orderKeyAlgorithms(known, name, port) },
      // Whatever is not exactly `false` lets ssh2 go on, a promise included: this must stay synchronous.
      hostVerifier: (key: Buffer): boolean => {
        shown = { key, ...checkHostKey(known, name, port, key) };
        if (revoked.has(key)) shown = { key, verdict: "revoked", entry: undefined };
        const isNew = acceptNew && shown.verdict === "unknown";
        if (isNew || this.#fresh.has(key.toString("base64"))) {
          login.withholdPassword(
            "no password is sent to a host that was unknown until this run: compare its key, then the next run sends it",
          );
        }
        return shown.verdict === "known" || isNew;
      },
    };
    try {
      await ssh.connect(config);
    } catch (error) {
      // ssh2 may go on with the login after an error that node-ssh took for the end.
      ssh.dispose();
      throw failure ?? connectError(error, host, login, shown, acceptNew, known);
    }
    const connection = new SshConnection(host, ssh, this.#options.timeoutMs);
    if (shown === undefined) {
      await connection[Symbol.asyncDispose]();
      throw new SshError("key", "the host showed no key");
    }
    return connection;
  }

  /**
   * Record the key of a host that was unknown, unless somebody has meanwhile.
   *
   * @throws {SshError} if it cannot be written.
   */
  #record(host: SshHost, key: Buffer, known: KnownKey[]): void {
    const [file] = host.knownHosts;
    const { host: name, port } = host.knownAs;
    if (file === undefined || checkHostKey(known, name, port, key).verdict !== "unknown") return;
    try {
      this.#fresh.add(key.toString("base64"));
      known.push(addKnownHost(file, name, port, key));
    } catch (error) {
      throw new SshError("key", `its key cannot be recorded: ${(error as Error).message}`, { cause: error });
    }
    this.#options.onNotice?.(
      `${visible(showHost(host))}: new key ${visible(keyType(key))} ${fingerprint(key)} recorded in ` +
        quoteForMessage(file),
    );
  }

  /** @throws {SshError} if a list of them cannot be read. */
  #revokedKeys({ revokedKeys }: SshHost): RevokedKeys {
    const id = revokedKeys.join("\n");
    let keys = this.#revoked.get(id);
    if (keys === undefined) {
      try {
        keys = new RevokedKeys(revokedKeys);
      } catch (error) {
        throw new SshError("key", (error as Error).message, { cause: error });
      }
      this.#revoked.set(id, keys);
    }
    return keys;
  }

  /** Lines of the files a host is looked up in; read once, so that a key accepted for one is known to the next. */
  #knownKeys({ knownHosts }: SshHost): KnownKey[] {
    const id = knownHosts.join("\n");
    let keys = this.#known.get(id);
    if (keys === undefined) this.#known.set(id, (keys = readKnownHosts(knownHosts)));
    return keys;
  }
}

/** The key a host showed, and what the files of known hosts say of it. */
interface ShownKey extends KeyCheck {
  readonly key: Buffer;
}

/** What went wrong while connecting, in words. */
function connectError(
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
  const shown = `${visible(keyType(key))} ${fingerprint(key)}`;
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

/** Lets so many through at the same time. */
class Gate {
  readonly #limit: number;
  readonly #waiting: (() => void)[] = [];
  #inside = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  async pass<T>(work: () => Promise<T>): Promise<T> {
    while (this.#inside >= this.#limit) await new Promise<void>(resolve => this.#waiting.push(resolve));
    this.#inside++;
    try {
      return await work();
    } finally {
      this.#inside--;
      this.#waiting.shift()?.();
    }
  }
}

class SshConnection implements Connection {
  readonly host: SshHost;
  readonly #ssh: NodeSSH;
  readonly #client: Client;
  readonly timeoutMs: number;
  readonly #losses = new Set<(error: SshError) => void>();
  #lastError: Error | undefined;
  #lost: SshError | undefined;

  constructor(host: SshHost, ssh: NodeSSH, timeoutMs: number) {
    this.host = host;
    this.#ssh = ssh;
    this.#client = ssh.connection!;
    this.timeoutMs = timeoutMs;
    // node-ssh takes its own listener away once it is logged in; without one a reset would end the process.
    this.#client.on("error", error => (this.#lastError ??= error));
    this.#client.once("close", () => {
      const reason = this.#lastError === undefined ? "" : `: ${quoteForMessage(this.#lastError.message)}`;
      const isSilence = /keepalive/i.test(this.#lastError?.message ?? "");
      this.#lost = isSilence
        ? new SshError("silent", "the host no longer answers")
        : new SshError("lost", `the connection broke${reason}`, { cause: this.#lastError });
      for (const tell of this.#losses) tell(this.#lost);
    });
    this.#client.setMaxListeners(0);
    this.#client.setNoDelay(true);
  }

  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ssh.dispose();
  }

  /** A connection to another host, made by this one. */
  async forward({ host, port }: SshHost): Promise<ClientChannel> {
    try {
      return await this.#guard<ClientChannel>(done =>
        this.#client.forwardOut("127.0.0.1", 0, host, port, done as never),
      );
    } catch (error) {
      if (error instanceof SshError) throw error;
      const reason = (error as Error).message.replace(/^\(SSH\) Channel open failure: /, "");
      const via = visible(showHost(this.host));
      throw new SshError("connect", `${via} cannot reach it: ${quoteForMessage(reason)}`, { cause: error });
    }
  }

  async run(
    script: string | Uint8Array,
    { maxBytes = 1 << 20, ...options }: RunOptions & { readonly maxBytes?: number } = {},
  ): Promise<Exit & { readonly stdout: Buffer }> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const exit = await this.stream(
      script,
      data => {
        bytes += data.length;
        if (bytes > maxBytes) throw new SshError("garbage", "the host sends more than can be meant");
        chunks.push(data);
      },
      options,
    );
    return { ...exit, stdout: Buffer.concat(chunks) };
  }

  async stream(
    script: string | Uint8Array,
    onData: (data: Buffer) => void | Promise<void>,
    { signal, stdin, sudo = false, timeoutMs = this.timeoutMs }: RunOptions = {},
  ): Promise<Exit> {
    signal?.throwIfAborted();
    const silenceMs = typeof timeoutMs === "number" ? () => timeoutMs : timeoutMs;
    const mark = randomBytes(12).toString("hex");
    const text = wrapScript(script, mark, stdin?.length);
    const { channel, end } = await this.#openChannel(text.length, sudo, silenceMs());
    const queue: Buffer[] = [];
    let queuedBytes = 0;
    let failure: unknown;
    let wake = () => {};
    const fail = (error: unknown) => {
      failure ??= error;
      wake();
    };
    const onAbort = () => fail(signal!.reason);
    const stderr: Buffer[] = [];
    let stderrBytes = 0;
    channel.on("data", (data: Buffer) => {
      queue.push(data);
      queuedBytes += data.length;
      if (queuedBytes > QUEUE_MAX_BYTES) channel.pause();
      wake();
    });
    // Unread, two megabytes of it would stop stdout as well.
    channel.stderr.on("data", (data: Buffer) => {
      stderr.push(data);
      stderrBytes += data.length;
      while (stderrBytes - stderr[0]!.length >= STDERR_KEPT_BYTES) stderrBytes -= stderr.shift()!.length;
      // A sign of life as well.
      wake();
    });
    channel.on("error", fail);
    channel.on("close", () => wake());
    this.#losses.add(fail);
    signal?.addEventListener("abort", onAbort, { once: true });

    const output = new MarkedOutput(mark);
    let feeding: Promise<void> | undefined;
    try {
      channel.write(text);
      for (;;) {
        const data = queue.shift();
        if (failure !== undefined && !(this.#lost === failure && data !== undefined)) throw failure;
        if (data !== undefined) {
          queuedBytes -= data.length;
          if (queuedBytes < QUEUE_MAX_BYTES / 2 && channel.isPaused()) channel.resume();
          const own = output.take(data);
          if (output.isOpen && stdin !== undefined && feeding === undefined) {
            feeding = feed(channel, stdin, () => wake());
            feeding.catch(fail);
          }
          if (own.length > 0) await onData(own);
          continue;
        }
        if (end.isClosed) break;
        const timer = setTimeout(() => fail(new SshError("silent", "nothing came for too long")), silenceMs());
        await new Promise<void>(resolve => (wake = resolve));
        clearTimeout(timer);
      }
      await feeding;
      const stderrText = Buffer.concat(stderr).subarray(-STDERR_KEPT_BYTES).toString("utf8");
      // A broken connection looks like a short answer; only a whole one tells how the script ended.
      const { exit } = end;
      if (exit === undefined) throw this.#lost ?? new SshError("lost", "the answer broke off");
      if (!output.isOpen) throw noShell(output.noise, stderrText);
      if (exit.code === null)
        throw new SshError("command", `stopped on the host by ${visible(exit.signal ?? "a signal")}`);
      return { exitCode: exit.code, stderr: stderrText };
    } finally {
      this.#losses.delete(fail);
      signal?.removeEventListener("abort", onAbort);
      if (!end.isClosed) {
        // The end of its input ends the script and all it started.
        channel.resume();
        channel.end();
        channel.close();
      }
    }
  }

  async #openChannel(scriptBytes: number, sudo: boolean, timeoutMs: number): Promise<OpenChannel> {
    // Nothing in it that fish or csh would read otherwise than sh; the script itself comes through stdin.
    const command = `${sudo ? 'sudo -n env HOME="$HOME" ' : ""}/bin/sh -c 'eval "$(head -c ${scriptBytes})"'`;
    try {
      return await this.#guard<OpenChannel>(
        done =>
          this.#client.exec(command, (error, channel) => {
            if (error !== undefined) done(error, undefined as never);
            else done(undefined, { channel, end: watchEnd(channel) });
          }),
        timeoutMs,
      );
    } catch (error) {
      if (error instanceof SshError) throw error;
      const { message } = error as Error;
      // MaxSessions; others that run will end.
      if (/open failed/i.test(message))
        throw new SshError("lost", "the server opens no more sessions", { cause: error });
      if (this.#lost !== undefined) throw this.#lost;
      throw new SshError("garbage", `no command can be run: ${quoteForMessage(message)}`, { cause: error });
    }
  }

  /** Wait for a callback; ssh2 forgets some when the connection breaks. */
  #guard<T>(
    start: (done: (error: Error | undefined, value: T) => void) => void,
    timeoutMs = this.timeoutMs,
  ): Promise<T> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost);
    return new Promise<T>((resolve, reject) => {
      const finish = () => {
        clearTimeout(timer);
        this.#losses.delete(onLoss);
      };
      const onLoss = (error: SshError) => {
        finish();
        reject(error);
      };
      const timer = setTimeout(() => onLoss(new SshError("silent", "nothing came for too long")), timeoutMs);
      this.#losses.add(onLoss);
      try {
        start((error, value) => {
          finish();
          if (error) reject(this.#lost ?? error);
          else resolve(value);
        });
      } catch (error) {
        finish();
        reject(this.#lost ?? error);
      }
    });
  }
}

/** Bytes written to a channel at a time. */
const FEED_BYTES = 1 << 18;

/**
 * Send data to a channel; its end would be the end of the script.
 *
 * @param onTaken Told whenever the host has taken some.
 */
async function feed(channel: ClientChannel, stdin: Uint8Array, onTaken: () => void): Promise<void> {
  for (let at = 0; at < stdin.length; at += FEED_BYTES) {
    if (channel.destroyed || !channel.writable) return;
    if (!channel.write(stdin.subarray(at, at + FEED_BYTES))) {
      await new Promise<void>(resolve => {
        const go = () => {
          // The other one would stay: hundreds of them, where much is sent.
          channel.off("drain", go).off("close", go);
          resolve();
        };
        channel.once("drain", go).once("close", go);
      });
    }
    onTaken();
  }
}

/**
 * Put a script into its frame.
 *
 * A mark goes before its output, since a .bashrc may have written before it. While it runs somebody watches stdin: when
 * that ends, because we stopped or are gone, the whole group of processes is ended; SSH alone would let it run on.
 */
function wrapScript(script: string | Uint8Array, mark: string, stdinBytes: number | undefined): Buffer {
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
class MarkedOutput {
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

interface OpenChannel {
  readonly channel: ClientChannel;
  readonly end: ChannelEnd;
}

interface ChannelEnd {
  exit: { readonly code: number | null; readonly signal: string | undefined } | undefined;
  isClosed: boolean;
}

/**
 * Note how a channel ends, from the moment it opens: what ends at once tells so in the same packet as that it began,
 * before anyone who awaits the channel has it.
 */
function watchEnd(channel: ClientChannel): ChannelEnd {
  const end: ChannelEnd = { exit: undefined, isClosed: false };
  channel.on("exit", (code: number | null, signal?: string) => (end.exit = { code, signal }));
  channel.on("close", () => (end.isClosed = true));
  return end;
}

function noShell(noise: Buffer, stderr: string): SshError {
  const words = `${noise.subarray(0, 400).toString("utf8")} ${stderr}`.trim();
  if (/^sudo: /m.test(stderr)) return new SshError("command", quoteForMessage(/^sudo: .*/m.exec(stderr)![0]));
  return new SshError("garbage", `what answers is no shell${words === "" ? "" : `: ${quoteForMessage(words)}`}`);
}
