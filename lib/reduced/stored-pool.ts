/**
 * Work on a table that stays in its file, dealt out to threads that each have the file open: a task reads what it needs of the
 * table, and its answer is small. So no rows travel between threads, and memory is bounded by what one task holds in each.
 *
 * A room of `lib/` lists its tasks by name as plain functions of the table and what is asked; the entry of a thread is a module
 * that hands all of them to {@link answerTasks}. What many tasks look at (when sensors were watching, what is usual) is given
 * once, and asked for by its number.
 *
 * Tested in `test/lib/reduced/stored-pool.test.ts`.
 */
import { availableParallelism } from "node:os";
import { pauseNowAndThen } from "../process/pause.ts";
import { answerAsks, Thread } from "../process/thread.ts";
import { errorReason, quoteForMessage } from "../text/text.ts";
import { type StoredSelection, StoredTable } from "./stored-table.ts";

/** A task may be worked out in any thread, in any order, and says the same whenever it is asked the same. */
export type StoredTasks = Readonly<Record<string, (stored: StoredTable, ask: never) => unknown>>;
type AskOf<Task> = Task extends (stored: StoredTable, ask: infer Ask) => unknown ? Ask : never;
type AnswerOf<Task> = Task extends (stored: StoredTable, ask: never) => infer Answer ? Awaited<Answer> : never;

/** The number of something that all threads have, see {@link lookUp}. */
export type Given<Value> = number & { readonly value?: Value };

export interface StoredPool<Tasks extends StoredTasks> extends Disposable {
  /** Tasks that are worked out at the same time. */
  readonly threads: number;
  /** Let all tasks that are asked from now on look something up; arrays in shared memory are not copied. */
  give<Value>(value: Value): Given<Value>;
  /** Tasks that are asked from now on see this part of the table alone; none may wait. */
  look(selection: StoredSelection): void;
  /**
   * @param cost Rows it reads, about: of the tasks that wait, the dearest is begun first.
   * @throws {Error} what the task threw, by its reason and name alone.
   */
  ask<Name extends keyof Tasks & string>(name: Name, ask: AskOf<Tasks[Name]>, cost: number): Promise<AnswerOf<Tasks[Name]>>;
}

/** A table in its file, as a thread opens it. */
export interface PlacedTable {
  readonly path: string;
  readonly selection: StoredSelection;
}

/** Sent to a thread: the table first, then what is given and asked. */
type PoolAsk = PlacedTable | { readonly number: number; readonly value: unknown } | { readonly name: string; readonly ask: unknown; readonly cost: number };

/** More threads wait for each other's memory. */
const THREADS_MAX = 4;

/** A task that reads so many rows leaves enough behind to be swept up at once: left to itself the engine keeps it for long. */
const SWEPT_ROWS = 1 << 20;

const given = new Map<number, unknown>();
let givenLast = 0;

/** What was given, to be called by a task. */
export function lookUp<Value>(number: Given<Value>): Value {
  if (!given.has(number)) throw new TypeError(`Cannot look up ${number}: not given`);
  return given.get(number) as Value;
}

/**
 * Open a table in threads.
 *
 * @param entry Module that calls {@link answerTasks}.
 * @param doing What all is done for, for the message when a thread fails: "Cannot <doing>: <reason>"; the reason alone where tasks
 * are of many kinds.
 */
export function openPool<Tasks extends StoredTasks>(entry: URL, table: PlacedTable, doing?: string, threads = Math.min(availableParallelism(), THREADS_MAX)): StoredPool<Tasks> {
  return new ThreadPool<Tasks>(entry, table, doing, threads);
}

class ThreadPool<Tasks extends StoredTasks> implements StoredPool<Tasks> {
  readonly threads: number;
  readonly #path: string;
  readonly #all: Thread<PoolAsk, unknown>[];
  readonly #idle: Thread<PoolAsk, unknown>[];
  readonly #waiting: { readonly name: string; readonly ask: unknown; readonly cost: number; readonly start: (thread: Thread<PoolAsk, unknown>) => void }[] = [];

  constructor(entry: URL, table: PlacedTable, doing: string | undefined, threads: number) {
    this.threads = threads;
    this.#path = table.path;
    this.#all = Array.from({ length: threads }, () => new Thread<PoolAsk, unknown>(entry, { smol: true, ...(doing !== undefined && { doing }) }));
    this.#idle = [...this.#all];
    this.look(table.selection);
  }

  give<Value>(value: Value): Given<Value> {
    const number = ++givenLast;
    this.#tellAll({ number, value });
    return number;
  }

  look(selection: StoredSelection): void {
    this.#tellAll({ path: this.#path, selection });
  }

  #tellAll(ask: PoolAsk): void {
    // A thread that broke down says so when it is asked for a task.
    for (const thread of this.#all) thread.ask(ask).catch(() => {});
  }

  ask<Name extends keyof Tasks & string>(name: Name, ask: AskOf<Tasks[Name]>, cost: number): Promise<AnswerOf<Tasks[Name]>> {
    return new Promise((resolve, reject) => {
      const start = (thread: Thread<PoolAsk, unknown>) => {
        const done = thread.ask({ name, ask, cost }) as Promise<AnswerOf<Tasks[Name]>>;
        done.then(resolve, reject).finally(() => {
          this.#idle.push(thread);
          this.#next();
        });
      };
      this.#waiting.push({ name, ask, cost, start });
      this.#next();
    });
  }

  #next(): void {
    while (this.#idle.length > 0 && this.#waiting.length > 0) {
      const at = this.#waiting.reduce((dearest, { cost }, i) => (cost > this.#waiting[dearest]!.cost ? i : dearest), 0);
      this.#waiting.splice(at, 1)[0]!.start(this.#idle.pop()!);
    }
  }

  [Symbol.dispose](): void {
    for (const thread of this.#all) thread[Symbol.dispose]();
  }
}

/** Opens a pool on a table once it is known which. */
export type PoolOpener<Tasks extends StoredTasks> = (path: string, stored: StoredTable) => StoredPool<Tasks>;

/** Answer tasks in this thread, see {@link openPool}; to be called once, while its module loads. */
export function answerTasks(tasks: StoredTasks): void {
  let table: PlacedTable | undefined;
  let whole: StoredTable | undefined;
  let stored: StoredTable | undefined;
  answerAsks<PoolAsk, unknown>(async ask => {
    if ("path" in ask) {
      table = ask;
      stored = undefined;
      return undefined;
    }
    if ("number" in ask) {
      given.set(ask.number, ask.value);
      return undefined;
    }
    // Not before: why it cannot be opened is the answer to a task.
    whole ??= openPlaced(table!);
    stored ??= whole.select(table!.selection);
    // Once the answer is on its way.
    if (ask.cost >= SWEPT_ROWS) setImmediate(() => Bun.gc(true));
    return await workOut(tasks, stored, ask.name, ask.ask);
  });
}

function openPlaced({ path }: PlacedTable): StoredTable {
  try {
    return StoredTable.open(path)!;
  } catch (error) {
    throw new Error(`${quoteForMessage(path)}: ${errorReason(error)}`, { cause: error });
  }
}

/** The same in this thread, one task after another. */
export function poolHere<Tasks extends StoredTasks>(stored: StoredTable, tasks: Tasks): StoredPool<Tasks> {
  let before: Promise<unknown> = Promise.resolve();
  let looked = stored;
  const numbers: number[] = [];
  return {
    threads: 1,
    give(value) {
      numbers.push(++givenLast);
      given.set(givenLast, value);
      return givenLast;
    },
    look(selection) {
      looked = stored.select(selection);
    },
    ask(name, ask) {
      const seen = looked;
      const answer = before.then(() => workOut(tasks, seen, name, ask));
      before = answer.then(pauseNowAndThen, () => {});
      return answer as Promise<never>;
    },
    [Symbol.dispose]: () => numbers.forEach(number => given.delete(number)),
  };
}

async function workOut(tasks: StoredTasks, stored: StoredTable, name: string, ask: unknown): Promise<unknown> {
  const task = tasks[name] as ((stored: StoredTable, ask: unknown) => unknown) | undefined;
  if (task === undefined) throw new TypeError(`Cannot work out ${name}: no such task`);
  return await task(stored, ask);
}
