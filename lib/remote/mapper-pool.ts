/**
 * Threads that map logs while they come in; whoever has logs waits for a free one.
 *
 * The bytes go to a thread as they come over the wire: it unpacks them, cuts them into logs and maps these.
 *
 * Tested in `test/lib/remote/map-node.test.ts`.
 */
import { kernelModule } from "../kernel/kernel.ts";
import type { FileIdentity } from "../events/source.ts";
import type { LogJob, LogResult } from "../logs/read-log.ts";
import { AnswerError, type AnswerReader, type AnswerShape } from "./answer.ts";
import type { MapperAnswer, MapperAsk, MapperNews, MapperTold } from "./mapper-worker.ts";
import { Thread } from "../process/thread.ts";

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
export class Mapper implements Disposable {
  readonly #thread = new Thread<MapperAsk, MapperAnswer, MapperNews, MapperTold>(
    new URL("./mapper-worker.ts", import.meta.url),
    { smol: true },
  );
  #aheadBytes = 0;
  #wake = () => {};
  #failure: Error | undefined;

  constructor() {
    this.#thread.tell({ type: "kernel", module: kernelModule() });
  }

  /** Reduce a log by its stored event table. */
  async readStored(job: LogJob): Promise<LogResult> {
    return (await this.#thread.ask({ stored: job })) as LogResult;
  }

  /**
   * Begin an answer.
   *
   * @param logs One per part of the answer.
   */
  open(logs: readonly MapperLog[], shape: AnswerShape, listener: MapperListener): AnswerReader {
    this.#aheadBytes = 0;
    this.#failure = undefined;
    const done = this.#map(logs, shape, listener);
    done.catch(() => {
      // Whoever ends the answer hears of it.
    });
    return {
      take: data => this.#feed(data),
      end: () => {
        this.#thread.tell({ type: "end" });
        return done;
      },
      close: async () => {
        // Of an answer that is done nobody hears it.
        this.#thread.tell({ type: "abort" });
        await done.catch(() => {});
      },
    };
  }

  async #map(logs: readonly MapperLog[], shape: AnswerShape, listener: MapperListener): Promise<boolean> {
    try {
      const isWhole = await this.#thread.ask({ logs, shape }, news => {
        if (news.type === "text") listener.onText(news.bytes);
        else if (news.type === "log") listener.onLog(news.index, news.result);
        else {
          this.#aheadBytes -= news.bytes;
          this.#wake();
        }
      });
      return isWhole as boolean;
    } catch (error) {
      // Between threads an error loses its class.
      const { name, message } = error as Error;
      this.#failure = name === "AnswerError" ? new AnswerError(message) : (error as Error);
      this.#wake();
      throw this.#failure;
    }
  }

  /** Feed bytes of the answer; waits while too many are on their way. */
  async #feed(bytes: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    // The buffer may be one of a pool: what is handed over must be ours. Buffer.slice would copy nothing.
    const copy = new Uint8Array(bytes);
    this.#aheadBytes += copy.length;
    this.#thread.tell({ type: "data", bytes: copy }, [copy.buffer as ArrayBuffer]);
    while (this.#aheadBytes > AHEAD_MAX_BYTES && this.#failure === undefined) {
      await new Promise<void>(resolve => (this.#wake = resolve));
    }
  }

  [Symbol.dispose](): void {
    this.#thread[Symbol.dispose]();
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
      const mapper = new Mapper();
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
    for (const mapper of this.#all.splice(0)) mapper[Symbol.dispose]();
    this.#free.length = 0;
  }
}
