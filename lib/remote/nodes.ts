/**
 * The nodes a command is about: named one by one on the command line, or together in a file.
 */
import { environment } from "../process/cli.ts";
import { type OptionTable, type OptionValues, UsageError } from "../process/command.ts";
import { nearestWord } from "../text/nearest-word.ts";
import { safeName } from "./local-names.ts";
import { type HostSpec, isUserName, parseHostSpec } from "../ssh/ssh-config.ts";
import { readSmallText } from "../columns/regular-file.ts";
import { errorReason, quoteForMessage } from "../text/text.ts";

/** One sensor's machine. */
export interface Node {
  /** For people and for names of local files; made safe, and of no two nodes the same. */
  readonly name: string;
  readonly spec: HostSpec;
  /** `user@host:port` with commas between; "none" = straight. */
  readonly jump: string | undefined;
  readonly identities: readonly string[];
  /** Files or folders of logs; empty = the usual places. */
  readonly logPaths: readonly string[];
  readonly robotMaxSeconds: number | undefined;
  readonly tags: readonly string[];
  readonly password: string | undefined;
}

/** Options that name nodes and how to get into them. */
export const NODE_OPTIONS = {
  ip: {
    type: "string",
    short: "i",
    placeholder: "HOST",
    repeatable: true,
    help: "Node: address, name, user@host:port, [IPv6]:port or a Host of the SSH configuration. Give it again for more.",
  },
  user: {
    type: "string",
    short: "u",
    placeholder: "NAME",
    repeatable: true,
    help: "User to log in as; once for all nodes, or once per -i in their order.",
  },
  port: {
    type: "count",
    short: "p",
    min: 1,
    max: 65_535,
    repeatable: true,
    help: "Port of SSH; once for all nodes, or once per -i.",
  },
  password: {
    type: "string",
    short: "pw",
    repeatable: true,
    isSecret: true,
    help:
      "Password; once for all nodes, or once per -i. Other users of this machine can see it: --ask-pass, or the variable " +
      "COWRIE_SSH_PASSWORD, are better, a key is best.",
  },
  nodes: { type: "path", help: "TOML or JSON file that names the nodes, in place of -i." },
  only: {
    type: "string",
    placeholder: "NAME",
    repeatable: true,
    help: "Of the nodes in the file, take those of this name or tag; give it again for more.",
  },
  identity: { type: "path", repeatable: true, help: "Private key; its passphrase is asked on the terminal." },
  askPass: { type: "boolean", needsTerminal: true, help: "Ask for one password for all nodes on the terminal." },
  jump: { type: "string", placeholder: "HOST", help: "Go through user@host:port; several with commas between." },
  logPath: {
    type: "string",
    placeholder: "PATH",
    repeatable: true,
    help: "Log or folder of logs on the nodes; give it again for more.",
    defaultText: "wherever Cowrie usually writes",
  },
  sudo: { type: "boolean", help: "Read the logs as root, by sudo -n on the nodes." },
} as const satisfies OptionTable;

const DESCRIBE_KEYS = "name, host, port, user, identity, jump, log_path, robot_max_seconds, tags, password_env";
const NODE_KEYS = DESCRIBE_KEYS.split(", ");

/**
 * The nodes a command line names, each once.
 *
 * @throws {UsageError} if it names none, or gives a value neither once nor once per node.
 * @throws {SyntaxError} if the file of nodes cannot be understood.
 * @throws {Error} if the file cannot be read.
 */
export function listNodes(values: OptionValues<typeof NODE_OPTIONS>): Node[] {
  const nodes = values.nodes === undefined ? fromOptions(values) : fromFile(values.nodes, values);
  const chosen = choose(nodes, values);
  const twins = new Map<string, Node>();
  for (const node of chosen) {
    const twin = twins.get(node.name.toLowerCase());
    if (twin !== undefined)
      throw new UsageError(`Cannot use two nodes named ${quoteForMessage(node.name)}: expected each once`);
    twins.set(node.name.toLowerCase(), node);
  }
  return chosen;
}

function fromOptions(values: OptionValues<typeof NODE_OPTIONS>): Node[] {
  const { ip } = values;
  if (ip.length === 0) throw new UsageError("Missing --ip or --nodes: expected the nodes to go to");
  if (values.only.length > 0) throw new UsageError("Cannot use --only without --nodes");
  const specs = ip.map(text => {
    const spec = parseHostSpec(text);
    if (spec === undefined) {
      throw new UsageError(`Cannot read --ip ${quoteForMessage(text)}: expected an address, a name, or user@host:port`);
    }
    return spec;
  });
  const users = perNode("--user", values.user, ip.length);
  const ports = perNode("--port", values.port, ip.length);
  const passwords = perNode("--password", values.password, ip.length);
  const nodes = specs.map((spec, i): Node => {
    const own = withDefaults(spec, users[i], ports[i]);
    return {
      name: safeName(own.port === undefined || own.port === 22 ? own.host : `${own.host}_${own.port}`),
      spec: own,
      jump: values.jump,
      identities: values.identity,
      logPaths: values.logPath,
      robotMaxSeconds: undefined,
      tags: [],
      password: passwords[i],
    };
  });
  // Two users on one machine are told apart by their names.
  const counts = new Map<string, number>();
  for (const { name } of nodes) counts.set(name, (counts.get(name) ?? 0) + 1);
  return nodes.map(node =>
    counts.get(node.name)! > 1 && node.spec.user !== undefined
      ? { ...node, name: safeName(`${node.spec.user}@${node.name}`) }
      : node,
  );
}

/** What the host's own text says goes before what is given for all. */
function withDefaults(spec: HostSpec, user: string | undefined, port: number | undefined): HostSpec {
  if (user !== undefined && !isUserName(user)) {
    throw new UsageError(`Cannot read --user ${quoteForMessage(user)}: expected the name of a user`);
  }
  return {
    host: spec.host,
    ...((spec.port ?? port) === undefined ? {} : { port: (spec.port ?? port)! }),
    ...((spec.user ?? user) === undefined ? {} : { user: (spec.user ?? user)! }),
  };
}

/**
 * Values in the order of the nodes: given once it is for all, given as often as there are nodes each is for one.
 *
 * @throws {UsageError} for any other number; nothing is ever shifted by one.
 */
export function perNode<T>(flag: string, values: readonly T[], nodes: number): (T | undefined)[] {
  if (values.length <= 1) return Array.from({ length: nodes }, () => values[0]);
  if (values.length === nodes) return [...values];
  throw new UsageError(`Cannot use ${flag} ${values.length} times for ${nodes} nodes: expected once, or once per --ip`);
}

/** Tables of the file, whatever its form. */
function readTables(path: string): { defaults: Map<string, unknown>; nodes: Map<string, unknown>[] } {
  let text: string;
  try {
    text = readSmallText(path);
  } catch (error) {
    throw new Error(`Cannot read ${quoteForMessage(path)}: ${errorReason(error)}`, { cause: error });
  }
  const fail = (reason: string) => new SyntaxError(`Cannot read ${quoteForMessage(path)}: ${reason}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (jsonError) {
    try {
      value = Bun.TOML.parse(text);
    } catch (tomlError) {
      const { message } = (path.endsWith(".json") ? jsonError : tomlError) as Error;
      throw fail(`neither TOML nor JSON: ${message}`);
    }
  }
  const isTable = (item: unknown): item is object => typeof item === "object" && item !== null && !Array.isArray(item);
  if (!Array.isArray(value) && !isTable(value)) throw fail("expected a list of nodes, or [defaults] and [[node]]");
  const top = Array.isArray(value) ? new Map<string, unknown>([["node", value]]) : new Map(Object.entries(value));
  for (const key of top.keys()) {
    if (key !== "node" && key !== "defaults")
      throw fail(`unknown table ${quoteForMessage(key)}, expected [defaults] and [[node]]`);
  }
  const nodes = top.get("node") ?? [];
  const defaults = top.get("defaults") ?? {};
  if (!isTable(defaults) || !Array.isArray(nodes) || !nodes.every(isTable)) {
    throw fail("expected [defaults] and [[node]], each with names and values");
  }
  if (nodes.length === 0) throw fail("it names no node, expected [[node]]");
  return { defaults: new Map(Object.entries(defaults)), nodes: nodes.map(node => new Map(Object.entries(node))) };
}

function fromFile(path: string, values: OptionValues<typeof NODE_OPTIONS>): Node[] {
  if (values.ip.length > 0) throw new UsageError("Cannot use --ip with --nodes: expected one of them");
  for (const [flag, given] of [
    ["--user", values.user],
    ["--port", values.port],
    ["--password", values.password],
  ] as const) {
    if (given.length > 1)
      throw new UsageError(`Cannot use ${flag} ${given.length} times with --nodes: expected once, for all`);
  }
  const { defaults, nodes } = readTables(path);
  return nodes.map((table, i) => toNode(new NodeTable(`node ${i + 1} of ${quoteForMessage(path)}`, table, defaults), values));
}

function toNode(table: NodeTable, values: OptionValues<typeof NODE_OPTIONS>): Node {
  const hostText = table.text("host") ?? table.text("name");
  if (hostText === undefined) throw table.fail("it has no host");
  const spec = parseHostSpec(hostText);
  if (spec === undefined)
    throw table.fail(`host is ${quoteForMessage(hostText)}, expected an address, a name, or user@host:port`);
  const port = table.number("port", 65_535) ?? values.port[0];
  if (port !== undefined && !(Number.isInteger(port) && port > 0)) throw table.fail(`port is ${port}, expected 1 to 65535`);
  const own = withDefaults(spec, table.text("user") ?? values.user[0], port);
  const passwordEnv = table.text("password_env");
  const password = passwordEnv === undefined ? values.password[0] : environment(passwordEnv);
  if (passwordEnv !== undefined && password === undefined) {
    // Not named: somebody may have put the password itself there.
    throw new Error(`Cannot log in to ${table.where}: the variable that password_env names is not set`);
  }
  const ownPort = own.port === undefined || own.port === 22 ? "" : `_${own.port}`;
  return {
    name: safeName(table.text("name") ?? `${own.host}${ownPort}`),
    spec: own,
    jump: values.jump ?? table.text("jump"),
    identities: values.identity.length > 0 ? values.identity : (table.list("identity") ?? []),
    logPaths: values.logPath.length > 0 ? values.logPath : (table.list("log_path") ?? []),
    robotMaxSeconds: table.number("robot_max_seconds", Number.MAX_SAFE_INTEGER),
    tags: table.list("tags") ?? [],
    password,
  };
}

/** A [[node]] of the file with the defaults behind it. */
class NodeTable {
  readonly where: string;
  readonly #values: ReadonlyMap<string, unknown>;

  /** @throws {SyntaxError} if a key is none of ours; the methods if a value is of another type. */
  constructor(where: string, own: ReadonlyMap<string, unknown>, defaults: ReadonlyMap<string, unknown>) {
    this.where = where;
    this.#values = new Map([...defaults, ...own]);
    for (const key of this.#values.keys()) {
      if (NODE_KEYS.includes(key)) continue;
      const nearest = nearestWord(key, NODE_KEYS);
      const hint = nearest === undefined ? `expected ${DESCRIBE_KEYS}` : `did you mean "${nearest}"?`;
      throw this.fail(`unknown key ${quoteForMessage(key)}; ${hint}`);
    }
  }

  fail(reason: string): SyntaxError {
    return new SyntaxError(`Cannot read ${this.where}: ${reason}`);
  }

  text(key: string): string | undefined {
    return this.#read(key, "text", isText);
  }

  list(key: string): string[] | undefined {
    const isList = (value: unknown) => Array.isArray(value) && value.every(isText);
    const value = this.#read<string | string[]>(key, "text or a list of texts", one => isText(one) || isList(one));
    return typeof value === "string" ? [value] : value;
  }

  number(key: string, max: number): number | undefined {
    return this.#read(key, "a number", value => typeof value === "number" && value >= 0 && value <= max);
  }

  #read<Value>(key: string, expected: string, isSound: (value: unknown) => boolean): Value | undefined {
    const value = this.#values.get(key);
    if (value === undefined || isSound(value)) return value as Value | undefined;
    throw this.fail(`${key} is ${quoteForMessage(JSON.stringify(value))}, expected ${expected}`);
  }
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}

function choose(nodes: readonly Node[], { only }: OptionValues<typeof NODE_OPTIONS>): Node[] {
  for (const word of only) {
    if (nodes.some(({ name, tags }) => name === word || tags.includes(word))) continue;
    const nearest = nearestWord(
      word,
      nodes.flatMap(({ name, tags }) => [name, ...tags]),
    );
    const hint = nearest === undefined ? "" : `; did you mean ${quoteForMessage(nearest)}?`;
    throw new UsageError(`Cannot find --only ${quoteForMessage(word)} among the nodes${hint}`);
  }
  return only.length === 0
    ? [...nodes]
    : nodes.filter(({ name, tags }) => only.some(word => name === word || tags.includes(word)));
}
