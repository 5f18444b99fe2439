/**
 * Log in to a host whose key is verified, straight, through jump hosts or by a ProxyCommand; what then runs there is
 * `connection.ts`.
 */
import type { Duplex } from "node:stream";
import { type Config, NodeSSH } from "node-ssh";
import type { KexAlgorithm } from "ssh2";
import { connectError, type ShownKey } from "./connect-error.ts";
import { type Connection, SshConnection } from "./connection.ts";
import {
  addKnownHost,
  checkHostKey,
  keyType,
  type KnownKey,
  orderKeyAlgorithms,
  readKnownHosts,
} from "./known-hosts.ts";
import { startProxy } from "./proxy-command.ts";
import { RevokedKeys } from "./revoked-keys.ts";
import { showHost, type SshHost } from "./ssh-config.ts";
import { SshError } from "./ssh-error.ts";
import { KeyRing, type Login, prepareLogin } from "./ssh-login.ts";
import { sha256Fingerprint } from "../text/ssh-keys.ts";
import { quoteForMessage, visible } from "../text/text.ts";

/** Handshakes at the same time per server: OpenSSH begins to refuse at ten (MaxStartups). */
const HANDSHAKES_MAX = 8;
/** And yet it may refuse one, since it counts a login as open a little longer than we do. */
const BUSY_RETRIES = 5;
const BUSY_PAUSE_MS = 150;
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
      `${visible(showHost(host))}: new key ${visible(keyType(key))} ${sha256Fingerprint(key)} recorded in ` +
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

