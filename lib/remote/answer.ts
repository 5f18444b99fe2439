/**
 * The answer to a request for files, cut into the files again.
 *
 * Knows nothing of SSH, so that a thread that maps can read it as it comes over the wire.
 */
import type { Transform } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";

/** How bytes are packed for the way. */
export type Wire = "zstd" | "gzip" | "none";

/** All that has to be known to read an answer; can be sent to another thread. */
export interface AnswerShape {
  readonly wire: Wire;
  /** Stands behind each part, with the number of the part. */
  readonly mark: string;
  /** Bytes each part has at most. */
  readonly lengths: readonly number[];
}

/** Takes the parts of an answer, one after the other. */
export interface AnswerSink {
  /** Bytes of a part in order; the next piece waits for it. */
  data(part: number, bytes: Buffer): void | Promise<void>;
  /**
   * A part has ended.
   *
   * @param bytes Fewer than asked for if the file was shorter or could not be read.
   * @param hashes SHA-256 of what was to be hashed, in hexadecimal; none if the host cannot.
   */
  end(part: number, bytes: number, hashes: readonly string[]): void | Promise<void>;
}

/** Whatever takes the bytes of an answer as they come over the wire. */
export interface AnswerReader {
  /**
   * The next piece waits for it.
   *
   * @throws {AnswerError} if the answer is none.
   */
  take(data: Buffer): Promise<void>;
  /** @returns Whether all parts have come. */
  end(): Promise<boolean>;
  /** Called at last, whatever became of the answer. */
  close(): Promise<void>;
}

/** It is no answer to what was asked; `message` says why. */
export class AnswerError extends Error {
  override readonly name = "AnswerError";
}

/** Bytes unpacked at a time. */
const UNPACK_BYTES = 1 << 20;
/** What stands behind the mark is no longer than this. */
const MARK_REST_MAX_BYTES = 1 << 15;

/** Reads an answer. */
export class Answer implements AnswerReader {
  readonly #splitter: Splitter;
  readonly #unpacker: Unpacker | undefined;

  constructor(shape: AnswerShape, sink: AnswerSink) {
    this.#splitter = new Splitter(shape, sink);
    this.#unpacker = shape.wire === "none" ? undefined : new Unpacker(shape.wire, data => this.#splitter.take(data));
  }

  take(data: Buffer): Promise<void> {
    return (this.#unpacker ?? this.#splitter).take(data);
  }

  async end(): Promise<boolean> {
    await this.#unpacker?.end();
    return this.#splitter.isWhole;
  }

  /** Give it up; the sink hears nothing any more when this is done. */
  async close(): Promise<void> {
    await this.#unpacker?.close();
  }
}

/** Cuts the stream into its parts. */
class Splitter {
  readonly #lengths: readonly number[];
  readonly #mark: string;
  readonly #sink: AnswerSink;
  #part = 0;
  #bytes = 0;
  #end: Buffer;
  /** Bytes that may be the beginning of the mark. */
  #held = Buffer.alloc(0);

  constructor({ lengths, mark }: AnswerShape, sink: AnswerSink) {
    this.#lengths = lengths;
    this.#mark = mark;
    this.#sink = sink;
    this.#end = this.#endOf(0);
  }

  get isWhole(): boolean {
    return this.#part === this.#lengths.length && this.#held.length === 0;
  }

  #endOf(part: number): Buffer {
    return Buffer.from(`\n${this.#mark} ${part} `);
  }

  async take(data: Buffer): Promise<void> {
    let rest = this.#held.length === 0 ? data : Buffer.concat([this.#held, data]);
    this.#held = Buffer.alloc(0);
    while (rest.length > 0) {
      if (this.#part === this.#lengths.length) throw new AnswerError("it sends more than was asked for");
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
        if (rest.length - from > MARK_REST_MAX_BYTES) throw new AnswerError("it sends more than was asked for");
        this.#held = Buffer.from(rest.subarray(at));
        return;
      }
      const hashes = rest.subarray(from, lineEnd).toString("latin1").match(/\b[0-9a-f]{64}\b/g) ?? [];
      await this.#sink.end(this.#part, this.#bytes, hashes);
      rest = rest.subarray(lineEnd + 1);
      this.#part++;
      this.#bytes = 0;
      this.#end = this.#endOf(this.#part);
    }
  }

  async #pass(bytes: Buffer): Promise<void> {
    if (bytes.length === 0) return;
    this.#bytes += bytes.length;
    if (this.#bytes > this.#lengths[this.#part]!) throw new AnswerError("it sends more than was asked for");
    await this.#sink.data(this.#part, bytes);
  }
}

/** Unpacks a stream piece by piece, waiting for whoever takes it. */
class Unpacker {
  readonly #stream: Transform;
  readonly #done: Promise<void>;
  #failure: unknown;

  constructor(wire: "zstd" | "gzip", onData: (data: Buffer) => Promise<void>) {
    const options = { chunkSize: UNPACK_BYTES };
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

  async close(): Promise<void> {
    this.#stream.destroy();
    await this.#done.catch(() => {
      // Broken off on purpose.
    });
  }
}

function describeFailure(error: unknown): unknown {
  const { code } = error as { code?: unknown };
  if (typeof code !== "string" || !/^(Z_|ZSTD|ERR_)/.test(code)) return error;
  return new AnswerError("its packed data cannot be unpacked", { cause: error });
}
