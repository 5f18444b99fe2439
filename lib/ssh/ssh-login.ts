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
import { keyType } from "./known-hosts.ts";
import type { SshHost } from "./ssh-config.ts";
import { errorReason, quoteForMessage } from "../text/text.ts";

/** ssh2 cannot pass on what a FIDO device signs: it has no place for the device's counter. */
const FIDO_NOTE = "FIDO keys (sk-...) are not supported";
/** Nor can it name the plain type of a signature beside the type of the certificate. */
const CERTIFICATE_NOTE = "certificates of users are not supported";

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
        : describeUnreadable(name, unlocked);
    }
    return describeUnreadable(name, parsed);
  }
}

function describeUnreadable(name: string, { message }: Error): string {
  if (/\bsk-(ssh|ecdsa)/.test(message)) return `key ${name}: ${FIDO_NOTE}; a key of another type helps`;
  return `key ${name}: ${message}; "ssh-keygen -p -f FILE" brings it into a format that can be read, or use an agent`;
}

function parseKey(text: Buffer, passphrase?: string): ParsedKey | Error {
  let parsed: ParsedKey | ParsedKey[] | Error;
  try {
    parsed = utils.parseKey(text, passphrase);
  } catch (error) {
    // Some damaged keys throw, others are returned as an error.
    return error as Error;
  }
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

/** Public half of a key file in base64, from the file beside it. */
function readPublic(file: string): string | undefined {
  try {
    return /^\S+ +([A-Za-z0-9+/=]+)/.exec(readFileSync(`${file}.pub`, "utf8"))?.[1];
  } catch {
    // None there, which is no fault.
    return undefined;
  }
}

/** An agent that takes longer to list its keys is stuck. */
const AGENT_WAIT_MS = 5000;
const AGENT_ANSWER_MAX_BYTES = 1 << 20;
const AGENT_LIST = Buffer.from([0, 0, 0, 1, 11]);
const AGENT_LISTED = 12;

/**
 * Ask an agent for the public keys it holds.
 *
 * By ourselves: ssh2 passes over keys of types it does not know, and gives the whole login up where nothing answers.
 *
 * @returns undefined if nothing answers, or not as an agent would.
 */
function listAgent(path: string): Promise<Buffer[] | undefined> {
  return new Promise(resolve => {
    const socket = connect(path);
    let answer = Buffer.alloc(0);
    const finish = (keys: Buffer[] | undefined) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(keys);
    };
    const timer = setTimeout(() => finish(undefined), AGENT_WAIT_MS);
    socket.once("connect", () => socket.write(AGENT_LIST));
    socket.on("error", () => finish(undefined));
    socket.once("close", () => finish(undefined));
    socket.on("data", (data: Buffer) => {
      answer = Buffer.concat([answer, data]);
      const length = answer.length < 4 ? Infinity : answer.readUInt32BE(0);
      if (answer.length > AGENT_ANSWER_MAX_BYTES) finish(undefined);
      else if (answer.length >= length + 4) finish(readAgentKeys(answer.subarray(4, 4 + length)));
    });
  });
}

/** Keys of an agent's answer; undefined if it is none. A locked agent has none. */
function readAgentKeys(answer: Buffer): Buffer[] | undefined {
  if (answer[0] !== AGENT_LISTED || answer.length < 5) return answer.length > 0 ? [] : undefined;
  const keys: Buffer[] = [];
  let at = 5;
  const take = () => {
    const end = at + 4 <= answer.length ? at + 4 + answer.readUInt32BE(at) : Infinity;
    const field = end <= answer.length ? answer.subarray(at + 4, end) : undefined;
    at = end;
    return field;
  };
  for (let left = answer.readUInt32BE(1); left > 0; left--) {
    const [key, comment] = [take(), take()];
    if (key === undefined || comment === undefined) return undefined;
    keys.push(key);
  }
  return keys;
}

/** A login that is being tried; made anew for every connection. */
export interface Login {
  /** As ssh2 wants it. */
  readonly authHandler: (
    methodsLeft: AuthenticationType[] | null,
    partialSuccess: boolean | null,
    next: (method: AnyAuthMethod | false) => void,
  ) => void;
  /**
   * Send no password, whatever is asked: the host is a stranger. Keys may be offered, they give nothing away.
   *
   * @param reason For the message when nothing helped.
   */
  withholdPassword(reason: string): void;
  /** What was tried, what could not be, and what the server takes: for the message when nothing helped. */
  describe(): string;
}

/**
 * Collect the ways to log in to a host.
 *
 * @param password Sent last, once, and only to a server that asks for one.
 */
export async function prepareLogin(host: SshHost, ring: KeyRing, password: string | undefined): Promise<Login> {
  const { user: username, identities, hasOwnIdentities, identitiesOnly, passwordWays } = host;
  const methods: Method[] = [];
  const notes: string[] = [];
  let inAgent: ReadonlySet<string> = new Set();
  const offerKey = async (file: string, isNamed: boolean) => {
    const publicKey = readPublic(file);
    if (existsSync(`${file}-cert.pub`)) notes.push(CERTIFICATE_NOTE);
    if (publicKey !== undefined && inAgent.has(publicKey)) return;
    const key = await ring.read(file, isNamed);
    if (key === undefined) return;
    if (typeof key === "string") {
      notes.push(key);
      return;
    }
    const name = `key ${quoteForMessage(file)}`;
    methods.push({ type: "publickey", name, method: { type: "publickey", username, key } });
  };
  const offerAgent = (agent: OpenSSHAgent, isWanted: (blob: Buffer) => boolean) => {
    const chosen = new ChosenAgent(agent, isWanted);
    methods.push({ type: "agent", name: "keys of the agent", method: { type: "agent", username, agent: chosen } });
  };

  const held = host.agent === undefined ? undefined : await listAgent(host.agent);
  if (held !== undefined) {
    const agent = new OpenSSHAgent(host.agent!);
    inAgent = new Set(held.map(blob => blob.toString("base64")));
    const types = held.map(keyType);
    if (types.some(type => type.startsWith("sk-"))) notes.push(`${FIDO_NOTE}, in an agent neither`);
    if (types.some(type => type.includes("-cert-"))) notes.push(`${CERTIFICATE_NOTE}, in an agent neither`);
    const named = new Set(identities.map(readPublic));
    const isNamed = (blob: Buffer) => named.has(blob.toString("base64"));
    if (!hasOwnIdentities && !identitiesOnly) {
      if (inAgent.size > 0) offerAgent(agent, () => true);
      for (const file of identities) await offerKey(file, false);
    } else {
      // A server hangs up after a few keys it does not know: those that were named come first.
      if (held.some(isNamed)) offerAgent(agent, isNamed);
      for (const file of identities) await offerKey(file, true);
      if (!identitiesOnly && !held.every(isNamed)) offerAgent(agent, blob => !isNamed(blob));
    }
  } else {
    if (host.agent !== undefined) notes.push("the agent does not answer");
    for (const file of identities) await offerKey(file, hasOwnIdentities);
  }
  return makeLogin(username, methods, notes, password, passwordWays);
}

/** Words by which servers ask for a password, in the languages that PAM speaks. */
const PASSWORD_WORDS = new Set(
  (
    "password passphrase passwort kennwort wachtwoord lösenord adgangskode passord salasana parola senha palavra-passe " +
    "palavra-chave contraseña clave contrasenya hasło heslo jelszó geslo lozinka şifre mật-khẩu пароль гасло " +
    "парола 密码 密碼 口令 パスワード 암호 mot-de-passe"
  ).split(" "),
);
/** A longer prompt is more than a question. */
const PROMPT_MAX_LENGTH = 200;

/**
 * Tell whether a prompt asks for the password of this login and nothing else: "Password:", "(pot@host) Password: ",
 * "pot@host's password:", "LDAP Password", "Password for pot@host:"; not "Your bank PIN", not "New password:".
 */
export function isPasswordPrompt(prompt: string): boolean {
  if (prompt.length > PROMPT_MAX_LENGTH) return false;
  const words = prompt.normalize("NFC").toLowerCase().trim().replace(/[:：]$/, "").trim().split(/\s+/);
  // OpenSSH puts it before what PAM asks.
  if (/^\([^()@]*@[^()]*\)$/.test(words[0]!)) words.shift();
  if (/^[^\s@]+@\S+'s$/.test(words[0] ?? "") || /^(unix|ldap|login|ssh|account|user)$/.test(words[0] ?? "")) words.shift();
  if (words.length >= 3 && words.at(-2) === "for") words.splice(-2);
  return PASSWORD_WORDS.has(words.join("-"));
}

function isPasswordWay(name: string): boolean {
  return name === "password" || name === "keyboard-interactive";
}

/** The password, by one of the two ways there are. */
function passwordMethod(
  way: SshHost["passwordWays"][number],
  username: string,
  password: string,
  notes: string[],
): AnyAuthMethod {
  if (way === "password") return { type: "password", username, password };
  let isAnswered = false;
  return {
    type: "keyboard-interactive",
    username,
    prompt: (_name, _instructions, _lang, prompts, finish) => {
      const [only] = prompts;
      const isAsked = prompts.length === 1 && only!.echo !== true && isPasswordPrompt(only!.prompt);
      if (prompts.length > 0 && !isAsked) notes.push("the server asks for more than a password");
      // A server may put as many questions as it likes in one login.
      else if (prompts.length > 0 && isAnswered) notes.push("the server asks for the password again");
      finish(prompts.map(() => (isAsked && !isAnswered ? password : "")));
      isAnswered ||= isAsked;
    },
  };
}

function makeLogin(
  username: string,
  methods: Method[],
  notes: string[],
  given: string | undefined,
  passwordWays: SshHost["passwordWays"],
): Login {
  let password = given;
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
        const ways = passwordWays.filter(way => methodsLeft.includes(way));
        if (ways.length === 0 && methodsLeft.some(isPasswordWay)) notes.push("the SSH configuration forbids passwords");
        const way = ways.includes("password") ? "password" : ways[0];
        if (way !== undefined) {
          isPasswordUsed = true;
          tried.push(way === "password" ? "password" : "password on the keyboard");
          return next(passwordMethod(way, username, password, notes));
        }
      }
      next(false);
    },
    withholdPassword(reason) {
      if (password !== undefined) notes.push(reason);
      password = undefined;
    },
    describe() {
      const offered = tried.length === 0 ? "nothing to offer" : `tried ${tried.join(", ")}`;
      const takes =
        wanted.length === 0 ? "" : `; the server takes ${wanted.map(name => quoteForMessage(name)).join(", ")}`;
      const asks = given === undefined && wanted.some(isPasswordWay);
      const hint = asks ? " (--ask-pass sends one)" : "";
      return [`${offered}${takes}${hint}`, ...new Set(notes)].join("; ");
    },
  };
}
