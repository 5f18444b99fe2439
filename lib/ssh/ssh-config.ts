/**
 * What a name means to SSH: address, port, user, keys, jump hosts, by the user's own configuration.
 *
 * OpenSSH's client is asked (`ssh -G`), because nothing else knows Include, Match and tokens as it does. Where it is not
 * installed a name means itself.
 */
import { existsSync, readFileSync } from "node:fs";
import { homedir, userInfo } from "node:os";
import { join } from "node:path";
import { environment } from "../process/cli.ts";
import { expandProxyCommand } from "./proxy-command.ts";
import { quoteForMessage } from "../text/text.ts";

/** A host as somebody names it; whatever is left out comes from the configuration. */
export interface HostSpec {
  /** Address, name, or alias of the configuration. */
  readonly host: string;
  readonly port?: number;
  readonly user?: string;
}

/** A host as it is connected to. */
export interface SshHost {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Private keys to be offered; they need not exist. */
  readonly identities: readonly string[];
  /** Somebody named the identities, they are not just the usual ones. */
  readonly hasOwnIdentities: boolean;
  /** No other keys than these. */
  readonly identitiesOnly: boolean;
  /** Socket of the agent; undefined = none. */
  readonly agent: string | undefined;
  readonly knownHosts: readonly string[];
  /** Under which it stands in these files: its own name and port, or HostKeyAlias, which has none. */
  readonly knownAs: Pick<HostSpec, "host"> & { readonly port: number };
  /** Files of keys that are trusted no more, whatever else says so. */
  readonly revokedKeys: readonly string[];
  /** Ways to send a password that the configuration allows. */
  readonly passwordWays: readonly ("password" | "keyboard-interactive")[];
  /** Hosts to go through, the nearest first. */
  readonly jumps: readonly SshHost[];
  /** Command that is the way to the host, ready to be run; only where there are no jump hosts. */
  readonly proxyCommand: string | undefined;
}

export interface ResolveOptions {
  /** Configuration file; "none" reads no configuration at all. undefined = the user's and the system's. */
  readonly configFile?: string;
  /** Files of known hosts in place of the configured ones. */
  readonly knownHosts?: readonly string[];
  /** Keys named by the user, before those of the configuration. */
  readonly identities?: readonly string[];
  /** Jump hosts in place of the configured ones, `user@host:port` with commas between; "none" = no jump. */
  readonly jump?: string;
}

const USUAL_KEYS = ["id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk", "id_xmss", "id_dsa"];
const HOPS_MAX = 8;

/**
 * Read `user@host:port`, `[2001:db8::1]:22`, `2001:db8::1` or an alias.
 *
 * @returns undefined if the text names no host.
 */
export function parseHostSpec(text: string): HostSpec | undefined {
  const at = text.lastIndexOf("@");
  const user = at < 0 ? undefined : text.slice(0, at);
  const rest = text.slice(at + 1);
  // Several colons without brackets are an IPv6 address, not a port.
  const isBareIpv6 = !rest.startsWith("[") && rest.split(":").length > 2;
  const match = isBareIpv6 ? /^([^[\]]+)$/.exec(rest) : /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d+))?$/.exec(rest);
  if (match === null) return undefined;
  const host = match[1] ?? match[2]!;
  const port = match[3] === undefined ? undefined : Number(match[3]);
  // Becomes an argument of ssh and a part of known_hosts.
  if (!/^[\w.:%][\w.:%-]*$/.test(host) || user === "" || (user !== undefined && !isUserName(user))) return undefined;
  if (port !== undefined && (port < 1 || port > 65_535)) return undefined;
  return { host, ...(port === undefined ? {} : { port }), ...(user === undefined ? {} : { user }) };
}

/** Tell whether a text may be used as the name of a user; ssh takes no dash in front. */
export function isUserName(text: string): boolean {
  return /^[^\s\x00-\x1f\x7f-][^\x00-\x1f\x7f]*$/.test(text);
}

/** `user@host:port` for people; the port only where it is not 22. */
export function showHost({ host, port, user }: Pick<SshHost, "host" | "port" | "user">): string {
  const name = host.includes(":") ? `[${host}]` : host;
  return `${user}@${name}${port === 22 ? "" : `:${port}`}`;
}

/**
 * Resolve a host and the hosts before it.
 *
 * @throws {Error} if the configuration cannot be read, or jumps go round in a circle.
 */
export async function resolveHost(spec: HostSpec, options: ResolveOptions = {}, depth = 0): Promise<SshHost> {
  if (depth > HOPS_MAX) throw new Error(`Cannot reach ${quoteForMessage(spec.host)}: more than ${HOPS_MAX} jump hosts`);
  const config = await askSsh(spec, options.configFile);
  const one = (key: string) => config?.get(key)?.[0];
  const usual = USUAL_KEYS.map(name => join(homedir(), ".ssh", name));
  const configured = (config?.get("identityfile") ?? usual).map(expandHome);
  const named = options.identities ?? [];
  const agent = one("identityagent") ?? "SSH_AUTH_SOCK";
  const jump = options.jump ?? one("proxyjump") ?? "none";
  const jumps: SshHost[] = [];
  for (const text of jump === "none" ? [] : jump.split(",")) {
    const hop = parseHostSpec(text.replace(/^ssh:\/\//, ""));
    if (hop === undefined) {
      throw new Error(`Cannot read jump host ${quoteForMessage(text)}: expected user@host:port`);
    }
    // Only the first hop may have hops of its own before it.
    const { jump: _, ...common } = options;
    const hopOptions = jumps.length === 0 ? common : { ...common, jump: "none" };
    const resolved = await resolveHost(hop, hopOptions, depth + 1);
    jumps.push(...resolved.jumps, { ...resolved, jumps: [] });
  }
  const host = one("hostname") ?? spec.host;
  const port = Number(one("port") ?? spec.port ?? 22);
  const alias = one("hostkeyalias");
  const user = one("user") ?? spec.user ?? accountName();
  // A jump that is named, "none" as well, takes the place of the command.
  const proxyCommand = options.jump === undefined && jumps.length === 0 ? one("proxycommand") : undefined;
  const hasProxy = proxyCommand !== undefined && proxyCommand !== "none";
  if (hasProxy && one("proxyusefdpass") === "yes") {
    throw new Error(
      `Cannot reach ${quoteForMessage(spec.host)}: ProxyUseFdpass is not supported, expected a ProxyCommand alone`,
    );
  }
  return {
    host,
    port,
    user,
    // As with ssh: the usual keys are tried only where nobody names others.
    identities: [
      ...new Set([...named.map(expandHome), ...configured.filter(file => named.length === 0 || !usual.includes(file))]),
    ],
    hasOwnIdentities: named.length > 0 || configured.some(file => !usual.includes(file)),
    identitiesOnly: one("identitiesonly") === "yes",
    agent: agentSocket(agent),
    knownHosts: (options.knownHosts ?? configuredKnownHosts(config)).map(expandHome),
    revokedKeys: (config?.get("revokedhostkeys") ?? [])
      .flatMap(files => splitPaths(files))
      .filter(file => file !== "none")
      .map(expandHome),
    passwordWays: [
      ...(one("passwordauthentication") === "no" ? [] : ["password" as const]),
      ...(one("kbdinteractiveauthentication") === "no" ? [] : ["keyboard-interactive" as const]),
    ],
    knownAs: alias === undefined ? { host, port } : { host: alias, port: 22 },
    jumps,
    proxyCommand: hasProxy ? expandFor(spec, proxyCommand, { host, port, user }) : undefined,
  };
}

function expandFor({ host: name }: HostSpec, command: string, way: Pick<SshHost, "host" | "port" | "user">): string {
  try {
    return expandProxyCommand(command, { ...way, name });
  } catch (error) {
    throw new Error(`Cannot reach ${quoteForMessage(name)}: ${(error as Error).message}`, { cause: error });
  }
}

function configuredKnownHosts(config: ReadonlyMap<string, readonly string[]> | undefined): string[] {
  const files = ["userknownhostsfile", "globalknownhostsfile"].flatMap(key => config?.get(key)?.[0]?.split(" ") ?? []);
  if (files.length > 0) return files.filter(file => file !== "none");
  return [join(homedir(), ".ssh/known_hosts"), "/etc/ssh/ssh_known_hosts"];
}

/** One path with whatever it holds, as OpenSSH before 9.9 has it and tells it; or several, if the whole is none. */
function splitPaths(text: string): string[] {
  const paths = text.split(" ").filter(path => path !== "");
  return paths.length < 2 || existsSync(expandHome(text)) ? [text] : paths;
}

function agentSocket(agent: string): string | undefined {
  if (agent === "none") return undefined;
  if (agent === "SSH_AUTH_SOCK") return environment("SSH_AUTH_SOCK");
  return agent.startsWith("$") ? environment(agent.slice(1)) : expandHome(agent);
}

function expandHome(path: string): string {
  return path === "~" || path.startsWith("~/") ? join(homedir(), path.slice(1)) : path;
}

/**
 * Without OpenSSH's client nobody reads its configuration; what it says against a host must not be passed over.
 *
 * @throws {Error} if a file was named, or one that is there speaks of revoked keys.
 */
function refuseUnread(configFile: string | undefined): void {
  if (configFile === "none") return;
  const wants = 'expected OpenSSH\'s client "ssh" on PATH, or --ssh-config none';
  if (configFile !== undefined) throw new Error(`Cannot read ${quoteForMessage(configFile)}: ${wants}`);
  for (const file of [join(homedir(), ".ssh/config"), "/etc/ssh/ssh_config"]) {
    if (!existsSync(file) || !/^[ \t]*(RevokedHostKeys|Include)\b/im.test(readFileSync(file, "utf8"))) continue;
    throw new Error(`Cannot heed the revoked keys that ${quoteForMessage(file)} may name: ${wants}`);
  }
}

/** Keys and values as `ssh -G` tells them; undefined where there is no OpenSSH client. */
async function askSsh(
  { host, port, user }: HostSpec,
  configFile: string | undefined,
): Promise<ReadonlyMap<string, readonly string[]> | undefined> {
  const ssh = Bun.which("ssh");
  if (configFile !== undefined && configFile !== "none" && !existsSync(configFile)) {
    throw new Error(`Cannot read ${quoteForMessage(configFile)}: no such file or folder`);
  }
  if (ssh === null) {
    refuseUnread(configFile);
    return undefined;
  }
  const child = Bun.spawn(
    [
      ssh,
      "-G",
      ...(configFile === undefined ? [] : ["-F", configFile]),
      ...(port === undefined ? [] : ["-p", String(port)]),
      ...(user === undefined ? [] : ["-l", user]),
      "--",
      host,
    ],
    { stdin: "ignore", stdout: "pipe", stderr: "pipe" },
  );
  const [text, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (child.exitCode !== 0) {
    const reason = stderr.split(/\r?\n/).find(line => !line.startsWith("Pseudo-terminal") && line !== "") ?? "";
    throw new Error(`Cannot read the SSH configuration of ${quoteForMessage(host)}: ${quoteForMessage(reason)}`);
  }
  const config = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const space = line.indexOf(" ");
    if (space < 0) continue;
    const key = line.slice(0, space);
    config.set(key, [...(config.get(key) ?? []), line.slice(space + 1)]);
  }
  return config;
}

/** Name of the account; Bun's own answer is "unknown" where $USER is not set, as under cron. */
export function accountName(): string {
  const { username } = userInfo();
  if (username !== "unknown" || Bun.which("id") === null) return username;
  const { success, stdout } = Bun.spawnSync(["id", "-un"]);
  return success ? stdout.toString().trim() : username;
}
