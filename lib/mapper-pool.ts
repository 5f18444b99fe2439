/**
 * Threads that map logs while they come in; whoever has a log waits for a free one.
 */
import type { FileIdentity } from "./event-table.ts";
import type { LogJob, LogResult } from "./read-log.ts";
import type { MapperReply, MapperRequest } from "./remote-worker.ts";

/** Bytes on their way to a thread; beyond, whoever sends waits. */
const AHEAD_MAX_BYTES = 4 << 20;

/** A thread of the pool, in the hands of one log. */
export class Mapper {
  readonly #worker: Worker;
  #aheadBytes = 0;
  #wake = () => {};
  #settle: ((reply: Exclude<MapperReply, { type: "took" }>) => void) | undefined;
  #failure: string | undefined;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.onmessage = ({ data }: MessageEvent<MapperReply>) => {
      if (data.type === "took") {
        this.#aheadBytes -= data.bytes;
      } else {
        if (data.type === "failed") this.#failure = data.message;
        this.#settle?.(data);
      }
      this.#wake();
    };
    worker.onerror = event => {
      this.#failure = event.message;
      this.#settle?.({ type: "failed", message: event.message });
      this.#wake();
    };
  }

  #post(message: MapperRequest, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  #answer(): Promise<LogResult> {
    this.#aheadBytes = 0;
    this.#failure = undefined;
    return new Promise((resolve, reject) => {
      this.#settle = reply => {
        this.#settle = undefined;
        if (reply.type === "done") resolve(reply.result);
        else reject(new Error(reply.message));
      };
    });
  }

  /** Reduce a log by its stored event table. */
  readStored(job: LogJob): Promise<LogResult> {
    const answer = this.#answer();
    this.#post({ type: "stored", job });
    return answer;
  }

  /** Begin a log; the result comes after {@link end}. */
  open(job: LogJob, file: FileIdentity, isGrown: boolean): Promise<LogResult> {
    const answer = this.#answer();
    answer.catch(() => {
      // Whoever ends the log hears of it.
    });
    this.#post({ type: "open", job, file, isGrown });
    return answer;
  }

  /** Feed bytes of the log; waits while too many are on their way. */
  async feed(bytes: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) throw new Error(this.#failure);
    // The buffer may be one of a pool: what is handed over must be ours. Buffer.slice would copy nothing.
    const copy = new Uint8Array(bytes);
    this.#aheadBytes += copy.length;
    this.#post({ type: "data", bytes: copy }, [copy.buffer as ArrayBuffer]);
    while (this.#aheadBytes > AHEAD_MAX_BYTES && this.#failure === undefined) {
      await new Promise<void>(resolve => (this.#wake = resolve));
    }
  }

  end(): void {
    this.#post({ type: "end" });
  }

  abort(): void {
    this.#post({ type: "abort" });
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
      const mapper = new Mapper(new Worker(new URL("./remote-worker.ts", import.meta.url).href, { smol: true }));
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

  [Symbol.dispose](): void {
    for (const mapper of this.#all) mapper.terminate();
  }
}
