/**
 * The same work on many nodes at once: connects, tries again where that helps, and lets no node spoil the others'.
 *
 * Tested in `test/lib/remote/shared-logs.test.ts`.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { askSecret } from "../process/ask-secret.ts";
import { environment, note } from "../process/cli.ts";
import { COMMON_OPTIONS, type OptionTable, type OptionValues, UsageError } from "../process/command.ts";
import { formatDuration } from "../text/format.ts";
import { type NodeBoard, startBoard } from "./node-board.ts";
import { listNodes, type Node, NODE_OPTIONS } from "./nodes.ts";
import type { Connection } from "../ssh/connection.ts";
import type { Connector } from "../ssh/connector.ts";
import { SshError } from "../ssh/ssh-error.ts";
import { parseHostSpec, resolveHost, showHost, type SshHost } from "../ssh/ssh-config.ts";
import { errorReason, quoteForMessage, visible } from "../text/text.ts";

/** Options of every command that goes to nodes. */
export const REMOTE_OPTIONS = {
  ...NODE_OPTIONS,
  acceptNew: {
    type: "boolean",
    help:
      "Trust the key of a host that nobody knows yet, and record it in known_hosts. Such a host gets no password before " +
      "the next run.",
  },
  knownHosts: {
    type: "path",
    repeatable: true,
    help: "File of known host keys; new ones go to the first.",
    defaultText: "those of the SSH configuration",
  },
  sshConfig: {
    type: "path",
    help: 'SSH configuration to read; "none" reads none.',
    defaultText: "~/.ssh/config and the system's",
  },
  parallel: { type: "count", min: 1, max: 1000, default: 16, help: "Nodes at work at the same time." },
  timeout: {
    type: "number",
    min: 0.1,
    default: 30,
    placeholder: "SECONDS",
    help: "A node that says nothing for so long is given up.",
  },
  timeLimit: {
    type: "number",
    min: 1,
    max: 2_000_000,
    default: 21_600,
    placeholder: "SECONDS",
    help: "A node that is not done after so long is given up, whatever it sends.",
  },
  retries: {
    type: "count",
    max: 100,
    default: 2,
    help: "How often a node is tried again after its connection failed or broke.",
  },
  dryRun: { type: "boolean", help: "Tell what would be done on which node, and connect to none." },
  json: { type: "boolean", help: "Write the summary to stdout as one JSON object." },
  quiet: COMMON_OPTIONS.quiet,
} as const satisfies OptionTable;

/** First wait before a node is tried again; doubled each time. */
const RETRY_PAUSE_MS = 1000;

/** A node with its way resolved, or why there is none. */
export type Target = { readonly node: Node } & (
  { readonly host: SshHost; readonly error?: undefined } | { readonly host?: undefined; readonly error: string }
);

/** What became of a node. */
export type Outcome<T> = { readonly node: Node; readonly seconds: number } & (
  { readonly value: T; readonly error?: undefined } | { readonly value?: undefined; readonly error: string }
);

/** What the work on a node is given. */
export interface NodeWork {
  readonly node: Node;
  readonly connection: Connection;
  /** Tell what is being done. */
  show(text: string): void;
  /** Say something of this node for good. */
  note(text: string): void;
}

/**
 * Find out who the nodes are and how they are reached.
 *
 * @throws {UsageError} as {@link listNodes} does.
 */
export async function resolveTargets(values: OptionValues<typeof REMOTE_OPTIONS>): Promise<Target[]> {
  if (values.askPass && values.password.length > 0)
    throw new UsageError("Cannot use --ask-pass with --password: expected one");
  const nodes = listNodes(values);
  // What is wrong for all of them is said once.
  const { sshConfig, jump } = values;
  if (sshConfig !== undefined && sshConfig !== "none" && !existsSync(sshConfig)) {
    throw new Error(`Cannot read ${quoteForMessage(sshConfig)}: no such file or folder`);
  }
  for (const hop of jump === undefined || jump === "none" ? [] : jump.split(",")) {
    if (parseHostSpec(hop.replace(/^ssh:\/\//, "")) === undefined) {
      throw new UsageError(`Cannot read --jump ${quoteForMessage(hop)}: expected user@host:port`);
    }
  }
  return await Promise.all(nodes.map(node => resolveTarget(node, values)));
}

async function resolveTarget(node: Node, values: OptionValues<typeof REMOTE_OPTIONS>): Promise<Target> {
  try {
    const host = await resolveHost(node.spec, {
      ...(values.sshConfig === undefined ? {} : { configFile: values.sshConfig }),
      ...(values.knownHosts.length === 0 ? {} : { knownHosts: values.knownHosts }),
      ...(node.jump === undefined ? {} : { jump: node.jump }),
      identities: node.identities,
    });
    return { node, host };
  } catch (error) {
    return { node, error: visible(errorReason(error)) };
  }
}

/** One line per node: who, how, where the logs are; then whatever else is done, unless the node cannot be reached. */
export function describeTarget({ node, host, error }: Target, more: string): string {
  if (host === undefined) return visible(`${node.name}: ${error}`);
  const jumps = host.jumps.length === 0 ? "" : ` through ${host.jumps.map(showHost).join(", ")}`;
  const via = host.proxyCommand === undefined ? jumps : ` through ${quoteForMessage(host.proxyCommand)}`;
  const logs = node.logPaths.length === 0 ? "wherever Cowrie usually writes" : node.logPaths.join(", ");
  return visible(`${node.name}: ${showHost(host)}${via}; logs: ${logs}; ${more}`);
}

/** The passwords of nodes, by name; asked once. */
async function readPassword(values: OptionValues<typeof REMOTE_OPTIONS>): Promise<string | undefined> {
  if (!values.askPass) {
    if (values.password.length > 0 && !values.quiet) {
      note("Warning: other users of this machine can see a password on the command line; --ask-pass or a key is safer");
    }
    return environment("COWRIE_SSH_PASSWORD");
  }
  const password = await askSecret("Password of the nodes");
  if (password === undefined)
    throw new Error("Cannot ask for the password: there is no terminal, or nothing was typed");
  return password;
}

/** Nodes that work is done on, once or several times, with one set of secrets and one connection to each jump host. */
export interface Fleet extends AsyncDisposable {
  /**
   * Do something on nodes.
   *
   * @param work Is called again with a new connection after one that broke.
   * @param describe What to say of a node that is done; undefined = nothing.
   * @returns Outcomes in the order of the nodes; no failure of a node is thrown.
   */
  run<T>(
    targets: readonly Target[],
    work: (at: NodeWork) => Promise<T>,
    describe: (value: T) => string | undefined,
  ): Promise<Outcome<T>[]>;
}

/**
 * Make ready to work on nodes: asks for whatever secret is needed.
 *
 * @throws {Error} if a password is to be asked for and nobody is there.
 */
export async function openFleet(
  targets: readonly Target[],
  values: OptionValues<typeof REMOTE_OPTIONS>,
): Promise<Fleet> {
  const password = await readPassword(values);
  // The SSH library is half of what a script that asks for no node would load.
  const [{ Connector }, { KeyRing }] = await Promise.all([import("../ssh/connector.ts"), import("../ssh/ssh-login.ts")]);
  const keys = new KeyRing({
    passphrase: async file => environment("COWRIE_SSH_PASSPHRASE") ?? (await askSecret(`Passphrase of ${file}`)),
  });
  // A key's passphrase is asked for before the lines of the nodes are drawn over the question.
  const hosts = targets.flatMap(({ host }) => host ?? []);
  for (const file of new Set(hosts.flatMap(host => (host.hasOwnIdentities ? host.identities : [])))) {
    if (hosts.every(({ agent }) => agent === undefined)) await keys.read(file, true);
  }
  let board: NodeBoard | undefined;
  const connector = new Connector({
    timeoutMs: values.timeout * 1000,
    acceptNew: values.acceptNew,
    keys,
    onNotice: line => board?.note(line),
  });
  return {
    async run<T>(
      chosen: readonly Target[],
      work: (at: NodeWork) => Promise<T>,
      describe: (value: T) => string | undefined,
    ) {
      using own = startBoard(
        chosen.map(({ node }) => node.name),
        values.quiet,
      );
      board = own;
      const outcomes: Outcome<T>[] = [];
      const queue = chosen.entries();
      const common = {
        connector,
        retries: values.retries,
        limitMs: values.timeLimit * 1000,
        board: own,
        work,
        describe,
      };
      const runOne = async () => {
        for (const [i, target] of queue) {
          outcomes[i] = await runOnNode(target, { ...common, password: target.node.password ?? password });
        }
      };
      await Promise.all(Array.from({ length: Math.min(values.parallel, chosen.length) }, runOne));
      return outcomes;
    },
    [Symbol.asyncDispose]: () => connector[Symbol.asyncDispose](),
  };
}

interface NodeRun<T> {
  readonly connector: Connector;
  readonly password: string | undefined;
  readonly retries: number;
  readonly limitMs: number;
  readonly board: NodeBoard;
  readonly work: (at: NodeWork) => Promise<T>;
  readonly describe: (value: T) => string | undefined;
}

async function runOnNode<T>(
  { node, host, error: unresolved }: Target,
  { connector, password, retries, limitMs, board, work, describe }: NodeRun<T>,
): Promise<Outcome<T>> {
  const startMs = performance.now();
  const seconds = () => (performance.now() - startMs) / 1000;
  // A host that was given it may say it again.
  const hide = (text: string) => (password === undefined || password === "" ? text : text.replaceAll(password, "…"));
  if (host === undefined) {
    board.settle(node.name, `failed: ${unresolved}`);
    return { node, seconds: 0, error: unresolved };
  }
  for (let attempt = 0; ; attempt++) {
    // A node that sends a byte now and then is never silent; this is the end of it all the same.
    let isLate = false;
    try {
      board.show(node.name, "connecting");
      await using connection = await connector.connect(host, password);
      const timer = setTimeout(() => {
        isLate = true;
        void connection[Symbol.asyncDispose]();
      }, limitMs - seconds() * 1000);
      let value: T;
      try {
        value = await work({
          node,
          connection,
          show: text => board.show(node.name, text),
          note: text => board.note(visible(`${node.name}: ${hide(text)}`)),
        });
      } finally {
        clearTimeout(timer);
      }
      const text = describe(value);
      board.settle(node.name, text && `${text}, done in ${formatDuration(seconds())}`);
      return { node, seconds: seconds(), value };
    } catch (error) {
      isLate ||= seconds() * 1000 >= limitMs;
      const cause = hide(error instanceof SshError ? error.message : errorReason(error));
      const reason = isLate ? `not done after ${formatDuration(limitMs / 1000)} (--time-limit)` : cause;
      if (!isLate && error instanceof SshError && error.isTransient && attempt < retries) {
        const pauseMs = RETRY_PAUSE_MS * 2 ** attempt * (0.5 + Math.random());
        board.note(`${node.name}: ${visible(reason)}; trying again`);
        board.show(node.name, "waiting to try again");
        await Bun.sleep(pauseMs);
        continue;
      }
      if (environment("DEBUG") && error instanceof Error) board.note(visible(hide(error.stack ?? "")));
      board.settle(node.name, `failed: ${reason}`);
      return { node, seconds: seconds(), error: visible(reason) };
    }
  }
}

/** Where what is known of a node is kept on this machine. */
export function nodeFolder(folder: string, node: Node): string {
  return join(folder, node.name);
}
