/**
 * What a command is for, as far as its words tell: a colour in a picture, no verdict.
 *
 * A line is taken apart at `;`, `|`, `&` and line ends; each piece has a purpose by its program and arguments, and the
 * line has the purpose that weighs most among them, since `cd /tmp; wget ...; rm -rf x` is there for the download.
 */
import { type Purpose, PURPOSES } from "./purpose-names.ts";

/** A line is looked at this far; what matters stands in front, and payloads are long. */
const LOOKED_AT = 8192;
const PIECES_MOST = 256;

const weightOf = new Map<Purpose, number>(PURPOSES.map(({ id }, i) => [id, i]));

/** Whatever the program: these names are touched in order to stay. */
const PERSISTENT_PLACES =
  /authorized_keys|\/etc\/(?:passwd|shadow|sudoers|rc\.local|init\.d|cron|ld\.so\.preload)|\/var\/spool\/cron|\.bashrc|\.profile|\/systemd\/system/;
const TO_NOWHERE = /\d?(?<!>)>+\s*(?:\/dev\/null|&\d)/g;
const WRITES = />|\b(?:tee|sed|cp|mv|ln|chmod|chattr|install)\b/;

type Rule = Purpose | ((args: readonly string[]) => Purpose);

const needsArgument =
  (purpose: Purpose): Rule =>
  args =>
    args.length > 0 ? purpose : "probe";

/** By name of the program. */
const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ...each(
    "persistence",
    "chpasswd passwd useradd adduser usermod groupadd visudo lockr chattr systemctl update-rc.d chkconfig ssh-keygen",
  ),
  ["crontab", args => (args.includes("-l") ? "recon" : args.includes("-r") ? "cleanup" : "persistence")],
  ["at", args => (args.length > 0 ? "persistence" : "other")],
  ...each(needsArgument("download"), "wget curl tftp ftpget ftp sftp scp lynx fetch axel aria2c rsync git"),
  ...each(
    needsArgument("execution"),
    "bash ash dash zsh ksh python python2 python3 perl php ruby node nohup setsid screen tmux xargs source . eval exec",
  ),
  // Alone it asks for a shell and is how bots find out whether one answers.
  ["sh", args => (args.length > 0 ? "execution" : "probe")],
  ...each(
    "execution",
    "chmod insmod modprobe gcc make docker dpkg rpm apt apt-get yum pip nc ncat socat ssh telnet xmrig minerd",
  ),
  ...each("cleanup", "rm rmdir unlink shred kill pkill killall history unset truncate iptables ufw setenforce umount"),
  ["export", args => (args.some(arg => /^HIST/.test(arg)) ? "cleanup" : "other")],
  ["set", args => (args.includes("+o") ? "cleanup" : "other")],
  ...each("probe", "enable system shell linuxshell development config terminal start busybox dd echo printf"),
  ...each(
    "recon",
    "uname cat ls lscpu free w whoami who id nproc df top htop which whereis type ifconfig ip netstat ss ps uptime hostname " +
      "lspci lsusb lsblk dmidecode dmesg last lastlog env printenv pwd mount arch getconf locate find grep egrep head tail " +
      "ping nslookup dig route arp date lsb_release hostnamectl vmstat mpstat nvidia-smi ulimit stat file wc",
  ),
]);

function each(rule: Rule, names: string): [string, Rule][] {
  return names.split(" ").map(name => [name, rule]);
}

/** Words that stand before the program, or only move about: they say nothing about the purpose. */
const PREFIXES = new Set(["sudo", "time", "command", "builtin", "then", "do", "else", "if", "while", "!", "{", "("]);

/** What the command is for. */
export function purposeOf(command: string): Purpose {
  const text = command.slice(0, LOOKED_AT);
  let best: Purpose = "other";
  const take = (purpose: Purpose) => {
    if (weightOf.get(purpose)! < weightOf.get(best)!) best = purpose;
  };
  if (PERSISTENT_PLACES.test(text) && WRITES.test(text.replace(TO_NOWHERE, ""))) take("persistence");
  for (const piece of text.split(/[;\n|&`]+|\$\(|<\(/, PIECES_MOST)) take(purposeOfPiece(piece));
  return best;
}

function purposeOfPiece(piece: string): Purpose {
  const words = piece.split(/[\s"']+/).filter(word => word !== "");
  let at = 0;
  while (at < words.length && (PREFIXES.has(words[at]!) || /^\w+=/.test(words[at]!))) {
    // Turning the history off is done by assignment.
    if (/^HIST(FILE|SIZE|FILESIZE)=/.test(words[at]!)) return "cleanup";
    at++;
  }
  if (at >= words.length) return "other";
  let name = words[at]!;
  let args = words.slice(at + 1);
  let isApplet = false;
  if (/(^|\/)busybox$/.test(name)) {
    const applet = args[0];
    // An applet that does not exist, in capitals, whose error message shows that busybox is there.
    if (applet === undefined || /^[A-Z<]/.test(applet)) return "probe";
    name = applet;
    isApplet = true;
    args = args.slice(1);
  }
  if (/^(\.\/|\/tmp\/|\/var\/tmp\/|\/dev\/shm\/|\/var\/run\/|\/mnt\/)./.test(name)) return "execution";
  if (name.startsWith(">")) return "probe";
  const base = name.slice(name.lastIndexOf("/") + 1).toLowerCase();
  const rule = RULES.get(base);
  if (rule === undefined) return isApplet ? "probe" : "other";
  if (base === "echo" || base === "printf") return echoPurpose(args.join(" "));
  return typeof rule === "function" ? rule(args) : rule;
}

/** Four in a row are a file; as few as that, since it is often written in many pieces. */
const BYTES = /(?<!\\)(?:\\+[xX][0-9a-fA-F]{2}){4}|<bytes>/;

/** A file put together from escaped bytes is a download; the rest of `echo` asks whether a shell answers. */
function echoPurpose(text: string): Purpose {
  if (text.includes("<base64>")) return "download";
  const bytes = BYTES.exec(text);
  return bytes !== null && text.lastIndexOf(">") >= bytes.index + bytes[0].length ? "download" : "probe";
}
