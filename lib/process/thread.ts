/**
 * Asks a thread and gets an answer: the one way in which threads are spoken to.
 *
 * A thread answers what it is asked one after the other, in the order asked. Until it answers it may tell how far it is,
 * and may be told more of what it was asked, which reaches it at once.
 */
import { errorReason } from "../text/text.ts";

/** All memory of the arrays in a message, to be handed over instead of copied; what threads share stays where it is. */
export function memoryOf(message: unknown): ArrayBuffer[] {
  const found = new Set<ArrayBuffer>();
  const look = (value: unknown) => {
    if (typeof value !== "object" || value === null) return;
    if (!ArrayBuffer.isView(value)) Object.values(value).forEach(look);
    else if (value.buffer instanceof ArrayBuffer) found.add(value.buffer);
  };
  look(message);
  return [...found];
}

/** Sent to a thread. */
type Sent<Ask, Told> = { readonly ask: Ask } | { readonly told: Told };

/** Sent by a thread; everything but news ends the question that is open longest. */
type Reply<Answer, News> =
  | { readonly news: News }
  | { readonly answer: Answer }
  | { readonly failure: string; readonly errorName: string };

/** A question that is not answered yet. */
interface Pending<Answer, News> {
  resolve(answer: Answer): void;
  reject(error: Error): void;
  onNews: ((news: News) => void) | undefined;
}

export interface ThreadOptions {
  /** Collect garbage sooner: some 10 % less memory for the same speed where much is thrown away. */
  readonly smol?: boolean;
  /** What it does, for the message when it fails: "Cannot <doing>: <reason>"; the reason alone where it says enough. */
  readonly doing?: string;
}

/** A thread, seen from who asks; dispose of it to end it, whatever it is doing. */
export class Thread<Ask, Answer, News = never, Told = never> implements Disposable {
  readonly #worker: Worker;
  readonly #doing: string | undefined;
  readonly #pending: Pending<Answer, News>[] = [];
  #failure: Error | undefined;

  /** @param entry Module that calls {@link answerAsks}. */
  constructor(entry: URL, { smol = false, doing }: ThreadOptions = {}) {
    this.#doing = doing;
    this.#worker = new Worker(entry.href, { smol });
    this.#worker.onmessage = ({ data }: MessageEvent<Reply<Answer, News>>) => this.#take(data);
    // Not a failure of one question but of the thread: nothing will be answered any more.
    this.#worker.onerror = event => {
      this.#failure = this.#toError(event.message, "Error");
      for (const { reject } of this.#pending.splice(0)) reject(this.#failure);
    };
  }

  #take(reply: Reply<Answer, News>): void {
    if ("news" in reply) return this.#pending[0]?.onNews?.(reply.news);
    const pending = this.#pending.shift()!;
    if ("answer" in reply) pending.resolve(reply.answer);
    else pending.reject(this.#toError(reply.failure, reply.errorName));
  }

  #toError(reason: string, name: string): Error {
    const error = new Error(this.#doing === undefined ? reason : `Cannot ${this.#doing}: ${reason}`);
    error.name = name;
    return error;
  }

  /**
   * Ask, and wait for the answer.
   *
   * @param onNews Hears how far it is, until it answers.
   * @param transfer Handed over and no longer ours.
   * @throws {Error} what the thread threw, by its reason and name alone, or that it broke down.
   */
  ask(ask: Ask, onNews?: (news: News) => void, transfer: ArrayBuffer[] = []): Promise<Answer> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#pending.push({ resolve, reject, onNews });
      this.#send({ ask }, transfer);
    });
  }

  /**
   * Tell the thread more of what it was asked.
   *
   * @param transfer Handed over and no longer ours.
   */
  tell(told: Told, transfer: ArrayBuffer[] = []): void {
    this.#send({ told }, transfer);
  }

  #send(message: Sent<Ask, Told>, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}

declare const self: Worker;

/**
 * Answer what this thread is asked; to be called once, while its module loads.
 *
 * @param answer Works a question out; `tell` says how far it is.
 * @param onTold Hears what is told beside the questions, at once.
 * @param handedOver The memory of an answer that is handed over, not copied, see {@link memoryOf}: nobody here uses it any more.
 */
export function answerAsks<Ask, Answer, News = never, Told = never>(
  answer: (ask: Ask, tell: (news: News) => void) => Answer | Promise<Answer>,
  onTold?: (told: Told) => void,
  handedOver: (answer: Answer) => ArrayBuffer[] = () => [],
): void {
  const post = (reply: Reply<Answer, News>, transfer: ArrayBuffer[] = []) => self.postMessage(reply, transfer);
  const work = async (ask: Ask) => {
    try {
      const answered = await answer(ask, news => post({ news }));
      post({ answer: answered }, handedOver(answered));
    } catch (error) {
      post({ failure: errorReason(error), errorName: error instanceof Error ? error.name : "Error" });
    }
  };
  let before = Promise.resolve();
  self.onmessage = ({ data }: MessageEvent<Sent<Ask, Told>>) => {
    if ("told" in data) onTold?.(data.told);
    else before = before.then(() => work(data.ask));
  };
}
