/**
 * Maps logs in a thread of its own while they come in: answers of nodes, fed by messages as they come over the wire.
 *
 * Tested in `test/lib/remote/map-node.test.ts`.
 */
import { openEventTable } from "../events/event-table.ts";
import { mapGrown, NOT_GROWN } from "../logs/grow-log.ts";
import { streamText } from "../events/log-text.ts";
import { adoptKernel } from "../kernel/kernel.ts";
import type { MapperLog } from "./mapper-pool.ts";
import { type LogJob, type LogResult, mapText, readStored } from "../logs/read-log.ts";
import { Answer, type AnswerShape } from "./answer.ts";
import { peek } from "../columns/first-bytes.ts";
import { answerAsks } from "../process/thread.ts";
import { closing } from "../columns/regular-file.ts";

export type MapperAsk =
  /** A log whose event table is still true. */
  | { readonly stored: LogJob }
  /** Logs that come as the parts of an answer; its bytes are told as they come over the wire. */
  | { readonly logs: readonly MapperLog[]; readonly shape: AnswerShape };

/** Of a stored log its result, of an answer whether it was whole. */
export type MapperAnswer = LogResult | boolean;

/** Told of the answer that is open. */
export type MapperTold =
  | { readonly type: "data"; readonly bytes: Uint8Array }
  | { readonly type: "end" }
  /** The kernel to read by, before anything else. */
  | { readonly type: "kernel"; readonly module: WebAssembly.Module | undefined }
  /** The answer will not come whole. */
  | { readonly type: "abort" };

export type MapperNews =
  /** Bytes that were fed have been taken. */
  | { readonly type: "took"; readonly bytes: number }
  /** So much more text has been read. */
  | { readonly type: "text"; readonly bytes: number }
  | { readonly type: "log"; readonly index: number; readonly result: LogResult | undefined };

const ABORTED = "the log did not come whole";

/** What has been fed and not yet read; undefined between answers. */
let wire: Feed | undefined;

answerAsks<MapperAsk, MapperAnswer, MapperNews, MapperTold>(
  async (ask, tell) => {
    if ("stored" in ask) return openStored(ask.stored);
    const feed = (wire = new Feed());
    try {
      return await mapAnswer(ask.logs, ask.shape, feed, tell);
    } finally {
      wire = undefined;
    }
  },
  told => {
    if (told.type === "data") void wire?.put(told.bytes);
    else if (told.type === "end") wire?.end();
    else if (told.type === "kernel") adoptKernel(told.module);
    else wire?.fail(new Error(ABORTED));
  },
);

async function openStored(job: LogJob): Promise<LogResult> {
  return readStored(job, await openEventTable(job.tablePath!, job.tableState));
}

/** Pieces that one side puts and the other takes. */
class Feed {
  readonly #queue: Uint8Array[] = [];
  #isEnded = false;
  #failure: Error | undefined;
  #wakeTaker = () => {};
  #wakePutter = () => {};

  /** Waits until all that was put is taken; at once where nobody takes any more. */
  async put(bytes: Uint8Array): Promise<void> {
    this.#queue.push(bytes);
    this.#wakeTaker();
    while (this.#queue.length > 0 && !this.#isEnded && this.#failure === undefined) {
      await new Promise<void>(resolve => (this.#wakePutter = resolve));
    }
  }

  /** Nothing will be put any more. */
  end(): void {
    this.#isEnded = true;
    this.#wakeTaker();
  }

  /** What is taken next fails. */
  fail(error: Error): void {
    this.#failure = error;
    this.#wakeTaker();
  }

  /** Nothing will be taken any more. */
  close(): void {
    this.#isEnded = true;
    this.#queue.length = 0;
    this.#wakePutter();
  }

  async *take(): AsyncGenerator<Uint8Array> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      const [bytes] = this.#queue;
      if (bytes !== undefined) {
        yield bytes;
        // Whoever asks for the next piece has done with this one.
        this.#queue.shift();
        this.#wakePutter();
      } else if (this.#isEnded) {
        return;
      } else {
        await new Promise<void>(resolve => (this.#wakeTaker = resolve));
      }
    }
  }
}

/** Text mapped between two collections of garbage. */
const GARBAGE_BYTES = 16 << 20;
let bytesSinceGarbage = 0;

/** Give the memory of logs that are done back before the next begin; left alone, a thread takes half as much again. */
function collectGarbage(bytes: number): void {
  bytesSinceGarbage += bytes;
  if (bytesSinceGarbage < GARBAGE_BYTES) return;
  bytesSinceGarbage = 0;
  Bun.gc(true);
}

/** Map the logs of an answer. */
async function mapAnswer(
  logs: readonly MapperLog[],
  shape: AnswerShape,
  feed: Feed,
  tell: (news: MapperNews) => void,
): Promise<boolean> {
  let current: OpenLog | undefined;
  const answer = new Answer(shape, {
    async data(part, bytes) {
      current ??= new OpenLog(logs[part]!);
      await current.put(bytes);
      tell({ type: "text", bytes: bytes.length });
    },
    async end(part, bytes) {
      const log = current ?? new OpenLog(logs[part]!);
      current = undefined;
      const isWhole = bytes === shape.lengths[part];
      tell({ type: "log", index: part, result: isWhole ? await log.end() : await log.abort() });
      collectGarbage(bytes);
    },
  });
  try {
    for await (const bytes of feed.take()) {
      await answer.take(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
      tell({ type: "took", bytes: bytes.length });
    }
    return await answer.end();
  } finally {
    await answer.close();
    await current?.abort();
  }
}

/** A log that is being mapped. */
class OpenLog {
  readonly #feed = new Feed();
  readonly #result: Promise<LogResult>;
  #failure: unknown;

  constructor({ job, file, isGrown }: MapperLog) {
    this.#result = (async () => {
      try {
        return isGrown ? await mapGrown(job, file, this.#feed.take()) : await this.#map(job, file);
      } catch (error) {
        this.#failure = error;
        throw error;
      } finally {
        this.#feed.close();
      }
    })();
    this.#result.catch(() => {
      // Whoever ends the log hears of it.
    });
  }

  async #map(job: LogJob, file: MapperLog["file"]): Promise<LogResult> {
    // Packed logs are told by their first bytes, as those on a disk are.
    const { head, all } = await peek(this.#feed.take());
    const text = streamText(head, all);
    using _text = closing(text);
    return await mapText(job, text, file, undefined);
  }

  /** @throws {Error} if it cannot be mapped. */
  async put(bytes: Uint8Array): Promise<void> {
    await this.#feed.put(bytes);
    // Of a log that has not grown but changed the rest is passed over.
    if (this.#failure !== undefined && !isNotGrown(this.#failure)) throw this.#failure;
  }

  /** @returns undefined if it is not the log that was to have grown. */
  async end(): Promise<LogResult | undefined> {
    this.#feed.end();
    try {
      return await this.#result;
    } catch (error) {
      if (isNotGrown(error)) return undefined;
      throw error;
    }
  }

  /** Give it up. */
  async abort(): Promise<undefined> {
    this.#feed.fail(new Error(ABORTED));
    await this.#result.catch(() => {});
  }
}

function isNotGrown(error: unknown): boolean {
  return (error as Error).message === NOT_GROWN;
}
