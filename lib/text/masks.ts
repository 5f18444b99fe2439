/**
 * Masks: commands that differ only in what an attacker's tool draws at random become one.
 *
 * A mask is a reading aid, not a parser: `<password>` stands where a password stood. The masked text is still the
 * attacker's text. Every pattern is linear in the length of its input (`test/hostile/`). The order matters: keys before base64, URLs
 * before addresses, addresses before numbers.
 */

/** Longer commands are masked up to here; the rest becomes its length, which already tells payloads apart. */
const LONGEST = 16_384;

interface Mask {
  /** What it makes one; shown in the help. */
  readonly what: string;
  readonly pattern: RegExp;
  readonly replace: string | ((...groups: string[]) => string);
}

const KEY_TYPES =
  "ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-nistp(?:256|384|521)|sk-(?:ssh-ed25519|ecdsa-sha2-nistp256)@openssh\\.com";

/**
 * The start of a command that prints, up to what it prints, and a pipe to a program in any folder. Where blanks end is
 * said, or an engine that fails later would try every shorter run of them.
 */
const BLANKS = "[ \\t]+(?![ \\t])";
const PRINT = `(?:echo|printf)${BLANKS}(?:-\\w+${BLANKS})?["']?`;
const PIPE_TO = "[\"']?[ \\t]{0,8}\\|[ \\t]{0,8}(?:sudo )?(?:[\\w/]{0,64}/)?";
/** Folders that anybody may write to, or that attackers become root for. */
const FOLDER = "(?:/(?:var/tmp|tmp|dev/shm|var/run|run|mnt|root|home|boot)/|\\./)";

/** In the order in which they are applied. */
export const MASKS: readonly Mask[] = [
  {
    what: "SSH public keys, with their comment",
    pattern: new RegExp(`\\b(${KEY_TYPES})[ \\t]+AAAA[A-Za-z0-9+/]{16,}={0,3}(?:[ \\t]+[\\w.@-]+)?`, "g"),
    replace: "$1 <key>",
  },
  {
    what: "passwords given to chpasswd",
    pattern: new RegExp(`(${PRINT}[\\w.$-]{1,64}:)([^"'|\\n]{1,256})(?=["'|])(${PIPE_TO}chpasswd)`, "g"),
    replace: maskPassword,
  },
  {
    what: "passwords given to passwd",
    pattern: new RegExp(`(${PRINT})([^"'|\\n]{1,512})(?=["'|])(${PIPE_TO}passwd\\b)`, "g"),
    replace: maskPassword,
  },
  {
    what: "hosts and ports of URLs",
    pattern: /(https?|ftps?|tftp|ssh|tcp|stratum\+(?:tcp|ssl))(:\/\/)[^\s\/"'`;|&<>)]+/gi,
    replace: (_all, scheme, slashes) => `${scheme!.toLowerCase()}${slashes}<host>`,
  },
  {
    what: "IPv4 addresses, with a port",
    pattern: /(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5}\b|(?![\w.]*\d\.\d))/g,
    replace: all => (all.includes(":") ? "<ip>:<port>" : "<ip>"),
  },
  {
    what: "IPv6 addresses",
    pattern: /(?<![\w:])(?:[0-9a-f]{1,4}:){3,7}(?::?[0-9a-f]{1,4}){1,4}(?![\w:])/gi,
    replace: "<ip>",
  },
  {
    what: "ports behind an address (/dev/tcp, nc, -p)",
    pattern: /(<ip>[\/ \t]|[ \t]-[pP][ \t]?)\d{2,5}\b/g,
    replace: "$1<port>",
  },
  {
    what: "runs of 16 and more escaped bytes",
    pattern: /(?:\\x[0-9a-fA-F]{2}){16,}/g,
    replace: "<bytes>",
  },
  {
    what: "hexadecimal of 16 and more digits",
    pattern: /(?<![\w])(?:0x)?(?=[0-9a-fA-F]{0,64}\d)[0-9a-fA-F]{16,}(?!\w)/g,
    replace: "<hex>",
  },
  {
    what: "base64 of 24 and more characters",
    pattern: /(?<![\w+/=.-])[A-Za-z0-9+][A-Za-z0-9+/]{23,}={0,2}(?![\w+/=])/g,
    replace: all => (isBase64(all) ? "<base64>" : all),
  },
  {
    what: "random applets asked of busybox to see its error message",
    pattern: /(\bbusybox[ \t]+)[A-Z]{5}\b/g,
    replace: "$1<name>",
  },
  {
    what: "random names of files in temporary folders",
    pattern: new RegExp(`((?:^|[\\s"'=;&|(<>])${FOLDER}\\.?)([A-Za-z0-9_-]{5,64})(?![\\w./-])`, "g"),
    replace: (all, folder, name) => (isRandom(name!) ? `${folder}<name>` : all),
  },
  {
    what: "random tokens",
    pattern: /(?<![\w./-])[A-Za-z0-9]{8,64}(?![\w./-])/g,
    replace: all => (isRandom(all) && all.length >= 10 ? "<random>" : all),
  },
  {
    what: "numbers of six and more digits",
    pattern: /(?<![\w.])\d{6,}(?![\w.])/g,
    replace: "<number>",
  },
];

/**
 * Replace what is random in a command; two commands that differ only in that become equal.
 *
 * Applying it twice changes nothing more.
 */
export function maskCommand(command: string): string {
  let text = command.length > LONGEST ? command.slice(0, LONGEST) : command;
  for (const { pattern, replace } of MASKS) {
    text = typeof replace === "string" ? text.replace(pattern, replace) : text.replace(pattern, replace);
  }
  return command.length > LONGEST ? `${text}<${command.length - LONGEST} more>` : text;
}

/** Blanks before the pipe are the shell's, not the password's. */
function maskPassword(_all: string, print: string, password: string, pipe: string): string {
  const blanks = pipe.startsWith("|") ? /[ \t]{0,8}$/.exec(password.slice(-8))![0] : "";
  return `${print}<password>${blanks}${pipe}`;
}

/** Letters of both cases and digits, or padding: an ordinary path or word has not all of them. */
function isBase64(text: string): boolean {
  if (text.endsWith("=")) return true;
  const slashes = text.split("/").length - 1;
  return /[a-z]/.test(text) && /[A-Z]/.test(text) && /\d/.test(text) && slashes <= text.length / 12;
}

/** Digits strewn among letters, or case that changes too often for a word. */
function isRandom(text: string): boolean {
  let changes = 0;
  let digits = 0;
  let letters = 0;
  let before = "";
  for (const character of text) {
    const kind = character >= "0" && character <= "9" ? "0" : character >= "a" && character <= "z" ? "a" : "A";
    if (kind === "0") digits++;
    else letters++;
    if (before !== "" && kind !== before) changes++;
    before = kind;
  }
  return (digits >= 2 && letters >= 2 && changes >= 3) || changes >= 6;
}

/** A public key of SSH without its comment. */
export const SSH_KEY = new RegExp(`\\b(${KEY_TYPES})[ \\t]+(AAAA[A-Za-z0-9+/]{16,}={0,3})`, "g");

/** The SSH public keys a command carries, as `type base64`, without comments and each once. */
export function sshKeysOf(command: string): string[] {
  if (!command.includes("AAAA")) return [];
  return [...new Set(Array.from(command.matchAll(SSH_KEY), match => `${match[1]} ${match[2]}`))];
}

/** Host of a URL in lower case, without user and port; undefined when the text has no `scheme://host`. */
export function urlHostOf(url: string): string | undefined {
  const match = /^[a-z][a-z0-9+.-]{0,31}:\/\/(?:[^\s/@?#]{0,256}@)?(\[[0-9a-f:.%]{2,64}\]|[^\s/:?#]{1,256})/i.exec(url);
  return match?.[1]?.toLowerCase();
}
