/**
 * OpenSSH servers on loopback ports, each with its own host keys, users and home; gone when the test is.
 *
 * As root a server runs in namespaces of its own: its users exist only in there, and when it ends all its sessions end.
 * As an ordinary user it lets in that user alone, by key.
 */
import { chmod, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { utils } from "ssh2";
import { accountName } from "../../lib/ssh/ssh-config.ts";
import { missing, SSHD } from "./needs.ts";
import { run } from "./run.ts";

/** Why tests with a real server cannot run here; undefined if they can. */
export const SSHD_MISSING = missing("sshd", "ssh", "ps").reason;

/** Why tests with users and passwords of their own cannot run here; undefined if they can. */
export const SSHD_USERS_MISSING = SSHD_MISSING ?? missing("users").reason;
const canUnshare = SSHD_USERS_MISSING === undefined;

export const POT_PASSWORD = "correct horse";

export interface SshdOptions {
  /** Further lines of sshd_config. */
  readonly config?: readonly string[];
  /** Types of its host keys. */
  readonly hostKeys?: readonly ("ed25519" | "rsa" | "ecdsa")[];
  /** Login shell of the user. */
  readonly shell?: string;
  /** Text of the user's .bashrc. */
  readonly bashrc?: string;
  /** Text of its sudoers. */
  readonly sudoers?: string;
  /** Files its users see in place of others. */
  readonly binds?: readonly (readonly [from: string, to: string])[];
  /** Folder of host keys to use again, of a server that was started before. */
  readonly hostKeyFolder?: string;
  readonly port?: number;
}

export interface Sshd extends AsyncDisposable {
  readonly port: number;
  /** Folder of everything it uses; also the home of its user. */
  readonly folder: string;
  readonly home: string;
  readonly user: string;
  /** Lines of known_hosts for its keys. */
  readonly knownHosts: string;
  /** What it wrote to its log. */
  log(): string;
  /** Stop it and all its sessions where they are, as a machine that hangs; only as root. */
  pause(): Promise<void>;
  /** End it and all its sessions at once, without a word to anybody. */
  kill(): Promise<void>;
}

/** A key pair, as ssh-keygen writes it; `file` is the private half. */
export async function makeKey(
  file: string,
  type: "ed25519" | "rsa" | "ecdsa" = "ed25519",
  passphrase?: string,
): Promise<{ file: string; publicLine: string }> {
  let pair = makeKeyPair(type, passphrase);
  // One in 256 of ssh2's ed25519 keys begins with a zero, and ssh2 writes it a byte short (1.17): nobody can read it.
  while (utils.parseKey(pair.private, passphrase) instanceof Error) pair = makeKeyPair(type, passphrase);
  const { private: secret, public: line } = pair;
  await Bun.write(file, secret);
  await chmod(file, 0o600);
  await Bun.write(`${file}.pub`, `${line}\n`);
  return { file, publicLine: `${line}\n` };
}

function makeKeyPair(type: "ed25519" | "rsa" | "ecdsa", passphrase?: string) {
  const options = { comment: "test", ...(passphrase !== undefined && { passphrase, cipher: "aes256-ctr" }) };
  if (type === "ed25519") return utils.generateKeyPairSync(type, options);
  return type === "rsa"
    ? utils.generateKeyPairSync(type, { bits: 2048, ...options })
    : utils.generateKeyPairSync(type, { bits: 256, ...options });
}

/** A port nobody listens on at the moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** Start a server that lets in whoever has one of the keys. */
export async function startSshd(publicLines: readonly string[], options: SshdOptions = {}): Promise<Sshd> {
  const folder = await mkdtemp(join(tmpdir(), "cowrie-sshd-"));
  await chmod(folder, 0o755);
  const home = join(folder, "home");
  await mkdir(home);
  const port = options.port ?? (await freePort());
  const types = options.hostKeys ?? ["ed25519"];
  const keyFolder = options.hostKeyFolder ?? folder;
  let knownHosts = "";
  for (const type of types) {
    const file = join(keyFolder, `host_${type}`);
    if (!(await Bun.file(file).exists())) await makeKey(file, type);
    knownHosts += `[127.0.0.1]:${port} ${(await readFile(`${file}.pub`, "utf8")).split(" ").slice(0, 2).join(" ")}\n`;
  }
  const authorized = join(folder, "authorized_keys");
  await Bun.write(authorized, publicLines.join(""));
  if (options.bashrc !== undefined) await Bun.write(join(home, ".bashrc"), options.bashrc);
  const user = canUnshare ? "pot" : accountName();
  // sshd takes the first such line alone. Without users of its own, its user has a home of their own elsewhere.
  const environment = [
    ...(options.config ?? []).filter(line => line.startsWith("SetEnv ")).map(line => line.slice("SetEnv ".length)),
    ...(canUnshare ? [] : [`HOME=${home}`]),
  ];
  const config = [
    `Port ${port}`,
    "ListenAddress 127.0.0.1",
    ...types.map(type => `HostKey ${join(keyFolder, `host_${type}`)}`),
    `AuthorizedKeysFile ${authorized}`,
    `PidFile ${join(folder, "pid")}`,
    "StrictModes no",
    "UseDNS no",
    "PrintMotd no",
    "LogLevel VERBOSE",
    "Subsystem sftp internal-sftp",
    // The tests open many connections at once, as a fleet behind one jump host does.
    ...(options.config?.some(line => line.startsWith("MaxStartups")) ? [] : ["MaxStartups 200"]),
    ...(options.config ?? []).filter(line => !line.startsWith("SetEnv ")),
    ...(environment.length > 0 ? [`SetEnv ${environment.join(" ")}`] : []),
    ...(options.config?.some(line => line.startsWith("UsePAM")) ? [] : ["UsePAM no"]),
  ];
  const configFile = join(folder, "sshd_config");
  await Bun.write(configFile, `${config.join("\n")}\n`);

  let command = [SSHD, "-D", "-e", "-f", configFile];
  if (canUnshare) {
    const shell = options.shell ?? "/bin/bash";
    const hash = Bun.password.hashSync(POT_PASSWORD, { algorithm: "bcrypt", cost: 4 });
    await Bun.write(
      join(folder, "passwd"),
      `${await readFile("/etc/passwd", "utf8")}pot:x:54321:54321::${home}:${shell}\n`,
    );
    await Bun.write(join(folder, "shadow"), `${await readFile("/etc/shadow", "utf8")}pot:${hash}:19000:0:99999:7:::\n`);
    await Bun.write(join(folder, "group"), `${await readFile("/etc/group", "utf8")}pot:x:54321:\n`);
    await run(["chown", "-R", "54321:54321", home]);
    await Bun.write(join(folder, "sudoers"), options.sudoers ?? "");
    await chmod(join(folder, "sudoers"), 0o440);
    const etc = ["passwd", "shadow", "group", ...(options.sudoers === undefined ? [] : ["sudoers"])];
    const pairs = [...etc.map(name => [`${folder}/${name}`, `/etc/${name}`]), ...(options.binds ?? [])];
    const binds = pairs.map(([from, to]) => `mount --bind ${from} ${to}`).join(" && ");
    const script = `mkdir -p /run/sshd && ${binds} && exec "$@"`;
    const namespaces = ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
    command = ["unshare", ...namespaces, "sh", "-c", script, "sh", ...command];
  }
  const child = Bun.spawn(command, { stdin: "ignore", stdout: "ignore", stderr: "pipe" });
  let log = "";
  const listening = new Promise<void>((resolve, reject) => {
    void (async () => {
      const decoder = new TextDecoder();
      for await (const chunk of child.stderr as unknown as AsyncIterable<Uint8Array>) {
        log += decoder.decode(chunk, { stream: true });
        if (log.includes("Server listening")) resolve();
      }
      reject(new Error(`sshd ended: ${log}`));
    })();
  });
  listening.catch(() => {});
  const kill = async () => {
    child.kill("SIGKILL");
    await child.exited;
  };
  try {
    await listening;
  } catch (error) {
    await kill();
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  return {
    port,
    folder,
    home,
    user,
    knownHosts,
    log: () => log,
    async pause() {
      await run(["kill", "-STOP", ...(await descendants(child.pid)).map(String)]);
    },
    kill,
    [Symbol.asyncDispose]: async () => {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Processes below one, however deep. */
async function descendants(pid: number): Promise<number[]> {
  const { stdout } = await run(["ps", "-e", "-o", "pid=,ppid="]);
  const parents = stdout.trim().split("\n").map(line => line.trim().split(/\s+/).map(Number));
  const below = (parent: number): number[] =>
    parents.flatMap(([child, own]) => (own === parent ? [child!, ...below(child!)] : []));
  return below(pid);
}

/** An agent that holds some keys. */
export async function startAgent(files: readonly string[]): Promise<{ socket: string } & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), "cowrie-agent-"));
  const socket = join(folder, "agent");
  const child = Bun.spawn(["ssh-agent", "-D", "-a", socket], { stdin: "ignore", stdout: "ignore", stderr: "ignore" });
  // Its socket is there a moment before it listens; 2 = nobody answers.
  while ((await run(["ssh-add", "-l"], { env: { SSH_AUTH_SOCK: socket } })).exitCode === 2) await Bun.sleep(5);
  for (const file of files) {
    const { exitCode, stderr } = await run(["ssh-add", "-q", file], { env: { SSH_AUTH_SOCK: socket } });
    if (exitCode !== 0) throw new Error(stderr);
  }
  return {
    socket,
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await child.exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
