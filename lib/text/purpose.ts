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
/** What is thrown away is not written. */
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

export function purposeOf(command: string): Purpose {
  const text = command.slice(0, LOOKED_AT);
  let best: Purpose = "other";
  const take = (purpose: Purpose) => {
    if (weightOf.get(purpose)! < weightOf.get(best)!) best = purpose;
  };
  if (PERSISTENT_PLACES.test(text) && isWriting(text)) take("persistence");
  for (const piece of piecesOf(text)) take(purposeOfPiece(piece));
  return best;
}

/** Whether a line writes anywhere. */
export function isWriting(command: string): boolean {
  return WRITES.test(command.slice(0, LOOKED_AT).replace(TO_NOWHERE, ""));
}

/** One simple command of a line: its program, without folder and in lower case, and the words behind it. */
export interface Piece {
  readonly program: string;
  readonly args: readonly string[];
  /** Asked of busybox. */
  readonly isApplet: boolean;
  /** The program as it was written. */
  readonly written: string;
  /** What is assigned before it. */
  readonly assigned: readonly string[];
}

/** A line's simple commands, in order; as many as are looked at. */
export function piecesOf(command: string): Piece[] {
  return command.slice(0, LOOKED_AT).split(/[;\n|&`]+|\$\(|<\(/, PIECES_MOST).map(readPiece);
}

function readPiece(text: string): Piece {
  const words = text.split(/[\s"']+/).filter(word => word !== "");
  const assigned: string[] = [];
  let at = 0;
  for (; at < words.length && (PREFIXES.has(words[at]!) || /^\w+=/.test(words[at]!)); at++) assigned.push(words[at]!);
  const isApplet = /(^|\/)busybox$/.test(words[at] ?? "") && words.length > at + 1;
  if (isApplet) at++;
  const written = words[at] ?? "";
  const program = written.slice(written.lastIndexOf("/") + 1).toLowerCase();
  return { program, args: words.slice(at + 1), isApplet, written, assigned };
}

/** What one simple command is for. */
export function purposeOfPiece({ program, args, isApplet, written, assigned }: Piece): Purpose {
  // Turning the history off is done by assignment.
  if (assigned.some(word => /^HIST(FILE|SIZE|FILESIZE)=/.test(word))) return "cleanup";
  if (written === "") return "other";
  // Busybox alone, or an applet that does not exist, in capitals, whose error message shows that busybox is there.
  if (isApplet ? /^[A-Z<]/.test(written) : program === "busybox") return "probe";
  if (/^(\.\/|\/tmp\/|\/var\/tmp\/|\/dev\/shm\/|\/var\/run\/|\/mnt\/)./.test(written)) return "execution";
  if (written.startsWith(">")) return "probe";
  const rule = RULES.get(program);
  if (rule === undefined) return isApplet ? "probe" : "other";
  if (program === "echo" || program === "printf") return echoPurpose(args.join(" "));
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
