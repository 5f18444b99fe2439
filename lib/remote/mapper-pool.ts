/**
 * Threads that map logs while they come in; whoever has logs waits for a free one.
 *
 * The bytes go to a thread as they come over the wire: it unpacks them, cuts them into logs and maps these.
 */
import type { FileIdentity } from "../events/source.ts";
import type { LogJob, LogResult } from "../logs/read-log.ts";
import { AnswerError, type AnswerReader, type AnswerShape } from "./answer.ts";
import type { MapperReply, MapperRequest } from "./mapper-worker.ts";

/** Bytes on their way to a thread; beyond, whoever sends waits. Packed, they are ten times as much text. */
const AHEAD_MAX_BYTES = 1 << 20;

/** One of the logs of an answer. */
export interface MapperLog {
  readonly job: LogJob;
  readonly file: FileIdentity;
  /** What comes is only what the log has grown by, see `growOffset`. */
  readonly isGrown: boolean;
}

/** Hears of the logs of an answer. */
export interface MapperListener {
  /**
   * A log has ended.
   *
   * @param index In the list of logs.
   * @param result undefined if it did not come whole, or is not the one that was to have grown.
   */
  onLog(index: number, result: LogResult | undefined): void;
  /** More text has been read. */
  onText(bytes: number): void;
}

/** A thread of the pool, in the hands of one answer. */
export class Mapper {
  readonly #worker: Worker;
  #aheadBytes = 0;
  #listener: MapperListener | undefined;
  #wake = () => {};
  #settle: ((reply: Extract<MapperReply, { type: "done" | "stored" | "failed" }>) => void) | undefined;
  #failure: Error | undefined;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.onmessage = ({ data }: MessageEvent<MapperReply>) => this.#take(data);
    worker.onerror = event => this.#take({ type: "failed", message: event.message, isAnswer: false });
  }

  #take(reply: MapperReply): void {
    if (reply.type === "took") this.#aheadBytes -= reply.bytes;
    else if (reply.type === "text") this.#listener?.onText(reply.bytes);
    else if (reply.type === "log") this.#listener?.onLog(reply.index, reply.result);
    else {
      if (reply.type === "failed") {
        this.#failure = reply.isAnswer ? new AnswerError(reply.message) : new Error(reply.message);
      }
      this.#settle?.(reply);
    }
    this.#wake();
  }

  #post(message: MapperRequest, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  /** Wait for the last word of what was asked. */
  #answer(): Promise<Extract<MapperReply, { type: "done" | "stored" }>> {
    this.#aheadBytes = 0;
    this.#failure = undefined;
    return new Promise((resolve, reject) => {
      this.#settle = reply => {
        this.#settle = undefined;
        if (reply.type === "failed") reject(this.#failure!);
        else resolve(reply);
      };
    });
  }

  /** Reduce a log by its stored event table. */
  async readStored(job: LogJob): Promise<LogResult> {
    const answer = this.#answer();
    this.#post({ type: "stored", job });
    return ((await answer) as Extract<MapperReply, { type: "stored" }>).result;
  }

  /**
   * Begin an answer.
   *
   * @param logs One per part of the answer.
   */
  open(logs: readonly MapperLog[], shape: AnswerShape, listener: MapperListener): AnswerReader {
    this.#listener = listener;
    const done = this.#answer().then(reply => (reply as Extract<MapperReply, { type: "done" }>).isWhole);
    done.catch(() => {
      // Whoever ends the answer hears of it.
    });
    this.#post({ type: "open", logs, shape });
    return {
      take: data => this.#feed(data),
      end: () => {
        this.#post({ type: "end" });
        return done;
      },
      close: async () => {
        // Of an answer that is done nobody hears it.
        this.#post({ type: "abort" });
        await done.catch(() => {});
      },
    };
  }

  /** Feed bytes of the answer; waits while too many are on their way. */
  async #feed(bytes: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    // The buffer may be one of a pool: what is handed over must be ours. Buffer.slice would copy nothing.
    const copy = new Uint8Array(bytes);
    this.#aheadBytes += copy.length;
    this.#post({ type: "data", bytes: copy }, [copy.buffer as ArrayBuffer]);
    while (this.#aheadBytes > AHEAD_MAX_BYTES && this.#failure === undefined) {
      await new Promise<void>(resolve => (this.#wake = resolve));
    }
  }

  terminate(): void {
    this.#worker.terminate();
  }
}

export class MapperPool implements Disposable {
  readonly #size: number;
  readonly #free: Mapper[] = [];
  readonly #all: Mapper[] = [];
  readonly #waiting: ((mapper: Mapper) => void)[] = [];

  constructor(size: number) {
    this.#size = size;
  }

  /** A free thread; to be given back by {@link release}. */
  acquire(): Promise<Mapper> {
    const free = this.#free.pop();
    if (free !== undefined) return Promise.resolve(free);
    if (this.#all.length < this.#size) {
      const mapper = new Mapper(new Worker(new URL("./mapper-worker.ts", import.meta.url).href, { smol: true }));
      this.#all.push(mapper);
      return Promise.resolve(mapper);
    }
    return new Promise(resolve => this.#waiting.push(resolve));
  }

  release(mapper: Mapper): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(mapper);
    else next(mapper);
  }

  /** End all threads and give their memory back; none may be in use, and none can be had any more. */
  [Symbol.dispose](): void {
    for (const mapper of this.#all.splice(0)) mapper.terminate();
    this.#free.length = 0;
  }
}
