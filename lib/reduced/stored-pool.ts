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
  /** The same threads, where what is asked waits until nothing is left that is not put behind. */
  behind(): StoredPool<Tasks>;
}

/** Hears of each task its cost, once it is done, and whether nothing is left to do; disposed of with the threads. */
export interface PoolProgress extends Disposable {
  done(cost: number, isIdle: boolean): void;
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
 */
export function openPool<Tasks extends StoredTasks>(entry: URL, table: PlacedTable, { doing, threads = Math.min(availableParallelism(), THREADS_MAX), progress }: HowToPool = {}): StoredPool<Tasks> {
  const all = Array.from({ length: threads }, () => new Thread<PoolAsk, unknown>(entry, { smol: true, ...(doing !== undefined && { doing }) }));
  const pool = new ThreadPool<Tasks>(table.path, { all, idle: [...all], waiting: [], rank: 0, ...(progress && { progress }) });
  pool.look(table.selection);
  return pool;
}

export interface HowToPool {
  /** What all is done for, for the message when a thread fails: "Cannot <doing>: <reason>"; the reason alone where tasks are of many kinds. */
  readonly doing?: string;
  readonly threads?: number;
  readonly progress?: PoolProgress;
}

/** What threads do, whoever asks them. */
interface ThreadWork {
  readonly all: readonly Thread<PoolAsk, unknown>[];
  readonly idle: Thread<PoolAsk, unknown>[];
  readonly waiting: { readonly rank: number; readonly cost: number; readonly start: (thread: Thread<PoolAsk, unknown>) => void }[];
  /** Of the task that was begun last. */
  rank: number;
  readonly progress?: PoolProgress;
}

class ThreadPool<Tasks extends StoredTasks> implements StoredPool<Tasks> {
  readonly #path: string;
  readonly #work: ThreadWork;
  /** How many others were put before. */
  readonly #rank: number;

  constructor(path: string, work: ThreadWork, rank = 0) {
    this.#path = path;
    this.#work = work;
    this.#rank = rank;
  }

  get threads(): number {
    return this.#work.all.length;
  }

  give<Value>(value: Value): Given<Value> {
    const number = ++givenLast;
    this.#tellAll({ number, value });
    return number;
  }

  look(selection: StoredSelection): void {
    this.#tellAll({ path: this.#path, selection });
  }

  behind(): StoredPool<Tasks> {
    return new ThreadPool(this.#path, this.#work, this.#rank + 1);
  }

  #tellAll(ask: PoolAsk): void {
    // A thread that broke down says so when it is asked for a task.
    for (const thread of this.#work.all) thread.ask(ask).catch(() => {});
  }

  ask<Name extends keyof Tasks & string>(name: Name, ask: AskOf<Tasks[Name]>, cost: number): Promise<AnswerOf<Tasks[Name]>> {
    const { idle, waiting, progress } = this.#work;
    return new Promise((resolve, reject) => {
      const start = (thread: Thread<PoolAsk, unknown>) => {
        const done = thread.ask({ name, ask, cost }) as Promise<AnswerOf<Tasks[Name]>>;
        done.then(resolve, reject).finally(() => {
          idle.push(thread);
          progress?.done(cost, waiting.length === 0 && idle.length === this.threads);
          startWaiting(this.#work);
        });
      };
      waiting.push({ rank: this.#rank, cost, start });
      startWaiting(this.#work);
    });
  }

  [Symbol.dispose](): void {
    this.#work.progress?.[Symbol.dispose]();
    for (const thread of this.#work.all) thread[Symbol.dispose]();
  }
}

function startWaiting(work: ThreadWork): void {
  const { idle, waiting } = work;
  while (idle.length > 0 && waiting.length > 0) {
    let next = 0;
    waiting.forEach(({ rank, cost }, i) => {
      const best = waiting[next]!;
      if (rank < best.rank || (rank === best.rank && cost > best.cost)) next = i;
    });
    const [begun] = waiting.splice(next, 1) as [ThreadWork["waiting"][number]];
    // Others were put before it: what their answers left here is swept up.
    if (begun.rank > work.rank) Bun.gc(true);
    work.rank = begun.rank;
    begun.start(idle.pop()!);
  }
}

/** Opens a pool on a table once it is known which. */
export type PoolOpener<Tasks extends StoredTasks> = (path: string, stored: StoredTable) => StoredPool<Tasks>;

/** Answer tasks in this thread, see {@link openPool}; to be called once, while its module loads. */
export function answerTasks(tasks: StoredTasks): void {
  let table: PlacedTable | undefined;
  let whole: StoredTable | undefined;
  let stored: StoredTable | undefined;
  let isSwept = true;
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
    const isLarge = ask.cost >= SWEPT_ROWS;
    // What small ones left would stand beside what it holds itself.
    if (isLarge && !isSwept) Bun.gc(true);
    isSwept = isLarge;
    // Once the answer is on its way.
    if (isLarge) setImmediate(() => Bun.gc(true));
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
  const pool: StoredPool<Tasks> = {
    threads: 1,
    behind: () => pool,
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
  return pool;
}

async function workOut(tasks: StoredTasks, stored: StoredTable, name: string, ask: unknown): Promise<unknown> {
  const task = tasks[name] as ((stored: StoredTable, ask: unknown) => unknown) | undefined;
  if (task === undefined) throw new TypeError(`Cannot work out ${name}: no such task`);
  return await task(stored, ask);
}
