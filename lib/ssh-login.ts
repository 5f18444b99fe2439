/**
 * How a user proves who they are: keys of the agent, key files, then a password, in this order.
 *
 * ssh2 by itself sends a configured password before any key, and reports a dead agent as a failed login while the
 * connection goes on; so the methods are handed to it one by one, and only those the server asks for.
 */
import { existsSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import {
  type AnyAuthMethod,
  type AuthenticationType,
  BaseAgent,
  type IdentityCallback,
  OpenSSHAgent,
  type ParsedKey,
  type SignCallback,
  type SigningRequestOptions,
  utils,
} from "ssh2";
import type { SshHost } from "./ssh-config.ts";
import { errorReason, quoteForMessage } from "./text.ts";

/** Secrets of the user, asked for once and kept for all hosts. */
export interface Secrets {
  /** Passphrase of a key file; undefined if there is nobody to ask. */
  readonly passphrase?: (file: string) => Promise<string | undefined>;
}

/** One way to log in. */
interface Method {
  readonly type: AuthenticationType;
  readonly method: AnyAuthMethod;
  /** For the message when all have failed. */
  readonly name: string;
}

/** Reads key files once, however many hosts want them. */
export class KeyRing {
  readonly #secrets: Secrets;
  readonly #keys = new Map<string, Promise<ParsedKey | string | undefined>>();

  constructor(secrets: Secrets = {}) {
    this.#secrets = secrets;
  }

  /**
   * Read a private key.
   *
   * @param isNamed The user named the file: it must be there, and its passphrase is worth a question.
   * @returns A text that says why the key cannot be used; undefined if there is no such file and nobody named it.
   */
  read(file: string, isNamed: boolean): Promise<ParsedKey | string | undefined> {
    let key = this.#keys.get(file);
    if (key === undefined) this.#keys.set(file, (key = this.#read(file, isNamed)));
    return key;
  }

  async #read(file: string, isNamed: boolean): Promise<ParsedKey | string | undefined> {
    const name = quoteForMessage(file);
    if (!existsSync(file)) return isNamed ? `there is no key ${name}` : undefined;
    let text: Buffer;
    try {
      text = readFileSync(file);
    } catch (error) {
      return `key ${name}: ${errorReason(error)}`;
    }
    const parsed = parseKey(text);
    if (!(parsed instanceof Error)) return parsed;
    if (/no passphrase given/i.test(parsed.message)) {
      const passphrase = isNamed ? await this.#secrets.passphrase?.(file) : undefined;
      if (passphrase === undefined)
        return `key ${name} needs a passphrase: load it into an agent, or name it by --identity`;
      // Once for all hosts: unlocking a key takes a quarter of a second in which nothing else runs.
      const unlocked = parseKey(text, passphrase);
      if (!(unlocked instanceof Error)) return unlocked;
      return /bad passphrase|integrity check failed|bad decrypt/i.test(unlocked.message)
        ? `key ${name}: the passphrase is wrong`
        : `key ${name}: ${unlocked.message}`;
    }
    return `key ${name}: ${parsed.message}; "ssh-keygen -p -f FILE" brings it into a format that can be read, or use an agent`;
  }
}

function parseKey(text: Buffer, passphrase?: string): ParsedKey | Error {
  const parsed = utils.parseKey(text, passphrase);
  const key = Array.isArray(parsed) ? parsed[0]! : parsed;
  if (key instanceof Error) return key;
  return key.isPrivateKey() ? key : new Error("it is a public key, expected the private one");
}

/** The keys of an agent, only some of them or in another order. */
class ChosenAgent extends BaseAgent<Buffer> {
  readonly #agent: OpenSSHAgent;
  readonly #isWanted: (blob: Buffer) => boolean;

  constructor(agent: OpenSSHAgent, isWanted: (blob: Buffer) => boolean) {
    super();
    this.#agent = agent;
    this.#isWanted = isWanted;
  }

  override getIdentities(done: IdentityCallback<Buffer>): void {
    this.#agent.getIdentities((error, keys) => {
      if (error) return done(error);
      done(null, (keys as unknown as ParsedKey[]).filter(key => this.#isWanted(blobOf(key))) as never);
    });
  }

  override sign(...args: unknown[]): void {
    const [key, data, options, done] = args as [Buffer, Buffer, SigningRequestOptions, SignCallback];
    this.#agent.sign(key, data, options, done);
  }
}

function blobOf(key: ParsedKey | Buffer): Buffer {
  return Buffer.isBuffer(key) ? key : key.getPublicSSH();
}

/** Public half of a key file, from the file beside it. */
function readPublic(file: string): Buffer | undefined {
  try {
    const parsed = utils.parseKey(readFileSync(`${file}.pub`));
    const key = Array.isArray(parsed) ? parsed[0]! : parsed;
    return key instanceof Error ? undefined : key.getPublicSSH();
  } catch {
    // None there, which is no fault.
    return undefined;
  }
}

/** Tell whether something answers behind a socket; ssh2 gives the whole login up where nothing does. */
function isListening(socket: string): Promise<boolean> {
  return new Promise(resolve => {
    const client = connect(socket);
    client.once("connect", () => {
      client.destroy();
      resolve(true);
    });
    client.once("error", () => resolve(false));
  });
}

/** A login that is being tried; made anew for every connection. */
export interface Login {
  /** As ssh2 wants it. */
  readonly authHandler: (
    methodsLeft: AuthenticationType[] | null,
    partialSuccess: boolean | null,
    next: (method: AnyAuthMethod | false) => void,
  ) => void;
  /** What was tried, what could not be, and what the server takes: for the message when nothing helped. */
  describe(): string;
}

/**
 * Collect the ways to log in to a host.
 *
 * @param password Sent last, and only to a server that asks for one.
 */
export async function prepareLogin(host: SshHost, ring: KeyRing, password: string | undefined): Promise<Login> {
  const { user: username, identities, hasOwnIdentities, identitiesOnly } = host;
  const methods: Method[] = [];
  const notes: string[] = [];
  const inAgent = new Set<string>();
  const offerKey = async (file: string, isNamed: boolean) => {
    const blob = readPublic(file)?.toString("base64");
    if (blob !== undefined && inAgent.has(blob)) return;
    const key = await ring.read(file, isNamed);
    if (typeof key === "string") notes.push(key);
    else if (key !== undefined) {
      methods.push({
        type: "publickey",
        name: `key ${quoteForMessage(file)}`,
        method: { type: "publickey", username, key },
      });
    }
  };
  const offerAgent = (agent: OpenSSHAgent, isWanted: (blob: Buffer) => boolean) => {
    const chosen = new ChosenAgent(agent, isWanted);
    methods.push({ type: "agent", name: "keys of the agent", method: { type: "agent", username, agent: chosen } });
  };

  const agent = host.agent === undefined ? undefined : new OpenSSHAgent(host.agent);
  if (agent !== undefined && (await isListening(host.agent!))) {
    for (const blob of await listAgent(agent)) inAgent.add(blob);
    const named = new Set(identities.map(file => readPublic(file)?.toString("base64")));
    const isNamed = (blob: Buffer) => named.has(blob.toString("base64"));
    if (!hasOwnIdentities && !identitiesOnly) {
      if (inAgent.size > 0) offerAgent(agent, () => true);
      for (const file of identities) await offerKey(file, false);
    } else {
      // A server hangs up after a few keys it does not know: those that were named come first.
      if ([...inAgent].some(blob => named.has(blob))) offerAgent(agent, isNamed);
      for (const file of identities) await offerKey(file, true);
      if (!identitiesOnly && [...inAgent].some(blob => !named.has(blob))) offerAgent(agent, blob => !isNamed(blob));
    }
  } else {
    if (agent !== undefined) notes.push("the agent does not answer");
    for (const file of identities) await offerKey(file, hasOwnIdentities);
  }
  return makeLogin(username, methods, notes, password);
}

/** Public keys the agent holds, in base64. */
function listAgent(agent: OpenSSHAgent): Promise<string[]> {
  return new Promise(resolve => {
    agent.getIdentities((error, keys) => {
      resolve(error ? [] : (keys as unknown as ParsedKey[]).map(key => blobOf(key).toString("base64")));
    });
  });
}

function makeLogin(username: string, methods: Method[], notes: string[], password: string | undefined): Login {
  const tried: string[] = [];
  const queue = [...methods];
  let wanted: readonly string[] = [];
  let isPasswordUsed = false;
  return {
    authHandler(methodsLeft, _partialSuccess, next) {
      // The first question: what does the server take?
      if (methodsLeft === null) return next({ type: "none", username });
      wanted = methodsLeft;
      const takesKeys = methodsLeft.includes("publickey");
      if (takesKeys && queue.length > 0) {
        const { name, method } = queue.shift()!;
        tried.push(name);
        return next(method);
      }
      if (password !== undefined && !isPasswordUsed) {
        // Once only, whichever way: a server counts every wrong one.
        if (methodsLeft.includes("password")) {
          isPasswordUsed = true;
          tried.push("password");
          return next({ type: "password", username, password });
        }
        if (methodsLeft.includes("keyboard-interactive")) {
          isPasswordUsed = true;
          tried.push("password on the keyboard");
          return next({
            type: "keyboard-interactive",
            username,
            prompt: (_name, _instructions, _lang, prompts, finish) => {
              // Only a question for one hidden word can be one for the password.
              const hidden = prompts.filter(({ echo }) => !echo);
              const isAsked = prompts.length === 1 && hidden.length === 1;
              if (prompts.length > 0 && !isAsked) notes.push("the server asks for more than a password");
              finish(prompts.map(() => (isAsked ? password : "")));
            },
          });
        }
      }
      next(false);
    },
    describe() {
      const offered = tried.length === 0 ? "nothing to offer" : `tried ${tried.join(", ")}`;
      const takes =
        wanted.length === 0 ? "" : `; the server takes ${wanted.map(name => quoteForMessage(name)).join(", ")}`;
      const asks =
        password === undefined && wanted.some(name => name === "password" || name === "keyboard-interactive");
      const hint = asks ? " (--ask-pass sends one)" : "";
      return [`${offered}${takes}${hint}`, ...new Set(notes)].join("; ");
    },
  };
}
