/**
 * A host that is logged in to: run a shell script there, stream what it writes, stop it.
 *
 * A lost connection is an error and not a short answer, a silent host is given up, stderr is always read, nothing stays
 * behind on the host, and no SFTP is used, whose requests may hang for ever.
 * Tested in `test/lib/ssh/connector.test.ts`.
 */
import { randomBytes } from "node:crypto";
import type { NodeSSH } from "node-ssh";
import type { Client, ClientChannel } from "ssh2";
import { MarkedOutput, noShell, wrapScript } from "./script-frame.ts";
import { showHost, type SshHost } from "./ssh-config.ts";
import { SshError } from "./ssh-error.ts";
import { quoteForMessage, visible } from "../text/text.ts";

/** stderr kept for the message of a failure. */
const STDERR_KEPT_BYTES = 4096;
/** Output waiting for whoever takes it; beyond, the host is asked to wait. */
const QUEUE_MAX_BYTES = 1 << 20;

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

/** A connection as {@link Connector} makes it. */
export class SshConnection implements Connection {
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
    const answer = new Answer(channel);
    const { fail } = answer;
    const onAbort = () => fail(signal!.reason);
    this.#losses.add(fail);
    signal?.addEventListener("abort", onAbort, { once: true });

    const output = new MarkedOutput(mark);
    let feeding: Promise<void> | undefined;
    try {
      channel.write(text);
      for (;;) {
        const data = answer.take();
        const { failure } = answer;
        if (failure !== undefined && !(this.#lost === failure && data !== undefined)) throw failure;
        if (data === undefined) {
          if (end.isClosed) break;
          await answer.more(silenceMs());
          continue;
        }
        const own = output.take(data);
        if (output.isOpen && stdin !== undefined && feeding === undefined) {
          feeding = feed(channel, stdin, answer.wake);
          feeding.catch(fail);
        }
        if (own.length > 0) await onData(own);
      }
      await feeding;
      const { stderr } = answer;
      // A broken connection looks like a short answer; only a whole one tells how the script ended.
      const { exit } = end;
      if (exit === undefined) throw this.#lost ?? new SshError("lost", "the answer broke off");
      if (!output.isOpen) throw noShell(output.noise, stderr);
      if (exit.code === null)
        throw new SshError("command", `stopped on the host by ${visible(exit.signal ?? "a signal")}`);
      return { exitCode: exit.code, stderr };
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

/** What a channel brings: stdout in order, the end of stderr, and the first failure. */
class Answer {
  readonly #channel: ClientChannel;
  readonly #queue: Buffer[] = [];
  #queuedBytes = 0;
  readonly #stderr: Buffer[] = [];
  #stderrBytes = 0;
  #wake = () => {};
  failure: unknown;

  constructor(channel: ClientChannel) {
    this.#channel = channel;
    channel.on("data", (data: Buffer) => {
      this.#queue.push(data);
      this.#queuedBytes += data.length;
      if (this.#queuedBytes > QUEUE_MAX_BYTES) channel.pause();
      this.wake();
    });
    // Unread, two megabytes of it would stop stdout as well.
    channel.stderr.on("data", (data: Buffer) => {
      const kept = this.#stderr;
      kept.push(data);
      this.#stderrBytes += data.length;
      while (this.#stderrBytes - kept[0]!.length >= STDERR_KEPT_BYTES) this.#stderrBytes -= kept.shift()!.length;
      // A sign of life as well.
      this.wake();
    });
    channel.on("error", this.fail);
    channel.on("close", this.wake);
  }

  /** Something has happened: whoever waits for {@link more} looks again. */
  readonly wake = (): void => this.#wake();

  readonly fail = (error: unknown): void => {
    this.failure ??= error;
    this.wake();
  };

  get stderr(): string {
    return Buffer.concat(this.#stderr).subarray(-STDERR_KEPT_BYTES).toString("utf8");
  }

  /** The next piece of stdout that is here. */
  take(): Buffer | undefined {
    const data = this.#queue.shift();
    this.#queuedBytes -= data?.length ?? 0;
    if (this.#queuedBytes < QUEUE_MAX_BYTES / 2 && this.#channel.isPaused()) this.#channel.resume();
    return data;
  }

  /** Wait until something happens; nothing for too long is a failure. */
  async more(silenceMs: number): Promise<void> {
    const timer = setTimeout(() => this.fail(new SshError("silent", "nothing came for too long")), silenceMs);
    await new Promise<void>(resolve => (this.#wake = resolve));
    clearTimeout(timer);
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
