/**
 * Files of a host as streams of bytes, many of them in one answer, compressed on the way.
 *
 * Each file is followed by a mark nobody could have written into it, since it is made up anew for every request; so a
 * file that shrinks or vanishes while it is read is told from one that came whole.
 */
import { randomBytes } from "node:crypto";
import type { Transform } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import type { RemoteTools } from "./remote-logs.ts";
import { type Connection, shellQuote, SshError } from "./ssh.ts";

/** How bytes are packed for the way. */
export type Wire = "zstd" | "gzip" | "none";

/** A piece of a file. */
export interface FetchPart {
  /** As the host has it, every byte one character. */
  readonly path: string;
  readonly offset: number;
  readonly length: number;
  /** Have the host hash the file as well: so many first bytes of it, or all it is by then, which is quicker. */
  readonly hash?: number | "whole";
}

export interface FetchOptions {
  readonly wire: Wire;
  readonly sudo?: boolean;
  readonly signal?: AbortSignal;
  /** Silence taken for a dead host, where the host calculates long. */
  readonly timeoutMs?: number;
  /** Told the bytes that came over the wire since the last call; waits for it. */
  readonly onWire?: (bytes: number) => void | Promise<void>;
}

/** Takes the files of a request, one after the other. */
export interface FetchSink {
  /** Bytes of a part in order; the next piece waits for it. */
  data(part: number, bytes: Buffer): void | Promise<void>;
  /**
   * A part has ended.
   *
   * @param bytes Fewer than asked for if the file was shorter or could not be read.
   * @param sha256 Of what was to be hashed, in hexadecimal, where asked for and where the host can.
   */
  end(part: number, bytes: number, sha256: string | undefined): void | Promise<void>;
}

/** The quickest packing both sides know. */
export function chooseWire({ zstd, gzip }: RemoteTools): Wire {
  return zstd ? "zstd" : gzip ? "gzip" : "none";
}

/**
 * Fetch parts of files.
 *
 * @throws {SshError} if the answer breaks off, or is none.
 */
export async function fetchParts(
  connection: Connection,
  parts: readonly FetchPart[],
  sink: FetchSink,
  { wire, sudo = false, signal, timeoutMs, onWire }: FetchOptions,
): Promise<void> {
  const mark = randomBytes(16).toString("hex");
  const script = Buffer.from(fetchScript(parts, mark, wire), "latin1");
  const splitter = new Splitter(parts, mark, sink);
  const unpack = wire === "none" ? undefined : new Unpacker(wire, data => splitter.take(data));
  const { exitCode, stderr } = await connection.stream(
    script,
    async data => {
      await onWire?.(data.length);
      await (unpack === undefined ? splitter.take(data) : unpack.take(data));
    },
    { sudo, ...(signal === undefined ? {} : { signal }), ...(timeoutMs === undefined ? {} : { timeoutMs }) },
  );
  await unpack?.end();
  if (!splitter.isWhole) {
    const reason = stderr.trim().split("\n").at(-1) ?? "";
    throw new SshError("lost", `the answer broke off (status ${exitCode}${reason === "" ? "" : `, ${reason}`})`);
  }
}

/** The command that writes all parts; its text has every byte of the paths as one character. */
function fetchScript(parts: readonly FetchPart[], mark: string, wire: Wire): string {
  const lines = parts.map(({ path, offset, length, hash: hashed }, i) => {
    const name = shellQuote(path);
    // `tail` goes to its place without reading what is before it.
    const read =
      length === 0
        ? ":"
        : offset === 0
          ? `head -c ${length} -- ${name}`
          : `tail -c +${offset + 1} -- ${name} | head -c ${length}`;
    const hash =
      hashed === undefined
        ? ""
        : hashed === "whole"
          ? `$(sha256sum <${name})`
          : `$(head -c ${hashed} -- ${name} | sha256sum)`;
    return `${read}; printf '\\n%s %s %s\\n' ${mark} ${i} "${hash}"`;
  });
  const pack = wire === "zstd" ? " | nice zstd -1 -q -c" : wire === "gzip" ? " | nice gzip -1 -c" : "";
  return `{\n${lines.join("\n")}\n} 2>/dev/null${pack}\n`;
}

/** What stands behind the mark is no longer than this. */
const MARK_REST_MAX_BYTES = 256;

/** Cuts the stream into its parts. */
class Splitter {
  readonly #parts: readonly FetchPart[];
  readonly #mark: string;
  readonly #sink: FetchSink;
  #part = 0;
  #bytes = 0;
  #end: Buffer;
  /** Bytes that may be the beginning of the mark. */
  #held = Buffer.alloc(0);

  constructor(parts: readonly FetchPart[], mark: string, sink: FetchSink) {
    this.#parts = parts;
    this.#mark = mark;
    this.#sink = sink;
    this.#end = this.#endOf(0);
  }

  get isWhole(): boolean {
    return this.#part === this.#parts.length && this.#held.length === 0;
  }

  #endOf(part: number): Buffer {
    return Buffer.from(`\n${this.#mark} ${part} `);
  }

  async take(data: Buffer): Promise<void> {
    let rest = this.#held.length === 0 ? data : Buffer.concat([this.#held, data]);
    this.#held = Buffer.alloc(0);
    while (rest.length > 0) {
      if (this.#part === this.#parts.length) throw new SshError("garbage", "it sends more than was asked for");
      const at = rest.indexOf(this.#end);
      if (at < 0) {
        // The mark may have been cut by the end of the piece; it begins with its only line end.
        const lf = rest.lastIndexOf(0x0a);
        const isCut = lf >= 0 && rest.length - lf < this.#end.length;
        await this.#pass(rest.subarray(0, isCut ? lf : rest.length));
        if (isCut) this.#held = Buffer.from(rest.subarray(lf));
        return;
      }
      await this.#pass(rest.subarray(0, at));
      const from = at + this.#end.length;
      const lineEnd = rest.indexOf(0x0a, from);
      if (lineEnd < 0) {
        if (rest.length - from > MARK_REST_MAX_BYTES) throw new SshError("garbage", "it sends more than was asked for");
        this.#held = Buffer.from(rest.subarray(at));
        return;
      }
      const hash = /^[0-9a-f]{64}/.exec(rest.subarray(from, lineEnd).toString("latin1"))?.[0];
      await this.#sink.end(this.#part, this.#bytes, hash);
      rest = rest.subarray(lineEnd + 1);
      this.#part++;
      this.#bytes = 0;
      this.#end = this.#endOf(this.#part);
    }
  }

  async #pass(bytes: Buffer): Promise<void> {
    if (bytes.length === 0) return;
    this.#bytes += bytes.length;
    if (this.#bytes > this.#parts[this.#part]!.length)
      throw new SshError("garbage", "it sends more than was asked for");
    await this.#sink.data(this.#part, bytes);
  }
}

/** Unpacks a stream piece by piece, waiting for whoever takes it. */
class Unpacker {
  readonly #stream: Transform;
  readonly #done: Promise<void>;
  #failure: unknown;

  constructor(wire: "zstd" | "gzip", onData: (data: Buffer) => Promise<void>) {
    const options = { chunkSize: 1 << 18 };
    const stream: Transform = wire === "gzip" ? createGunzip(options) : createZstdDecompress(options);
    this.#stream = stream;
    this.#done = (async () => {
      for await (const data of stream) await onData(data as Buffer);
    })();
    this.#done.catch((error: unknown) => {
      this.#failure = error;
      stream.destroy();
    });
  }

  async take(data: Buffer): Promise<void> {
    if (this.#failure !== undefined) throw describeFailure(this.#failure);
    if (this.#stream.write(data)) return;
    // A failure closes the stream; it is told by the next piece, or by the end.
    await new Promise<void>(resolve => {
      const go = () => {
        this.#stream.off("drain", go).off("close", go);
        resolve();
      };
      this.#stream.on("drain", go).on("close", go);
      if (this.#stream.destroyed) go();
    });
  }

  async end(): Promise<void> {
    this.#stream.end();
    try {
      await this.#done;
    } catch (error) {
      throw describeFailure(error);
    }
  }
}

function describeFailure(error: unknown): unknown {
  const { code } = error as { code?: unknown };
  if (typeof code !== "string" || !/^(Z_|ZSTD|ERR_)/.test(code)) return error;
  return new SshError("garbage", "its packed data cannot be unpacked", { cause: error });
}
