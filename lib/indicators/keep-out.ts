/**
 * What is no indicator, however often it was seen: whoever blocked it would harm himself or others.
 */
import { TRIVIAL_HASHES } from "../campaigns/marks.ts";
import { addressBytes, AddressRanges, isPublicAddress } from "../text/address.ts";
import { networkOf } from "../text/network.ts";
import { toHost } from "../text/command-urls.ts";

/** Why something was kept out, in words for a count: `12 private or reserved`. */
export type Reason = "private or reserved" | "of sensors or their networks" | "by --exclude" | "shared by everybody" | "empty or trivial files";

/** Names that no network outside resolves, or that stand for nothing (RFC 2606, 6761, 6762, 8375, 9476). */
const NO_NAMES = /(?:^|\.)(?:localhost|localdomain|local|internal|intranet|lan|home|corp|home\.arpa|arpa|test|example|invalid|alt|example\.(?:com|net|org))$/;

/**
 * Hosts that serve everybody: attackers keep files there, or ask them for their own address. Their URLs may be indicators,
 * they themselves are none.
 */
const SHARED: ReadonlySet<string> = new Set(
  (
    "github.com githubusercontent.com gitlab.com bitbucket.org sourceforge.net google.com googleapis.com " +
    "gstatic.com youtube.com facebook.com fbcdn.net microsoft.com live.com apple.com " +
    "cloudflare.com akamaihd.net dropbox.com dropboxusercontent.com discord.com discordapp.com " +
    "telegram.org t.me pastebin.com wikipedia.org debian.org ubuntu.com kernel.org centos.org fedoraproject.org " +
    "archlinux.org alpinelinux.org gnu.org apache.org python.org pypi.org npmjs.org npmjs.com nodejs.org docker.com " +
    "docker.io perl.org cpan.org golang.org openssl.org mozilla.org bing.com yahoo.com baidu.com yandex.ru mail.ru ya.ru " +
    "speedtest.net ipinfo.io ipify.org ifconfig.me ifconfig.co icanhazip.com ident.me ip-api.com checkip.dyndns.org " +
    "ipecho.net httpbin.org whatismyip.com myip.com ip.sb ipapi.co bit.ly tinyurl.com transfer.sh archive.org"
  ).split(" "),
);
/** Resolvers that everybody asks. */
const RESOLVERS: ReadonlySet<string> = new Set(
  "1.1.1.1 1.0.0.1 8.8.8.8 8.8.4.4 9.9.9.9 149.112.112.112 208.67.222.222 208.67.220.220 114.114.114.114 223.5.5.5".split(" "),
);

export interface KeepOutOptions {
  /** Lines of files: an address, a range, a host (with all below it), a URL, a hash, or any other value. */
  readonly excluded: readonly string[];
  /** For labs: private, reserved and documentation addresses and names count like any other. */
  readonly keepsReserved: boolean;
}

/** Tells what is no indicator; the sensors' own addresses are told to it as they are met. */
export class KeepOut {
  readonly #ranges = new AddressRanges();
  readonly #values = new Set<string>();
  readonly #own = new Set<string>();
  readonly #keepsReserved: boolean;

  constructor({ excluded, keepsReserved }: KeepOutOptions) {
    this.#keepsReserved = keepsReserved;
    for (const line of excluded) if (!this.#ranges.add(line)) this.#values.add(line.toLowerCase());
  }

  /** Take an address for a sensor's: it and its neighbours, of /24 or /48, are none of the attackers'. */
  addOwn(address: string): void {
    const network = isPublicAddress(address) || this.#keepsReserved ? networkOf(address) : undefined;
    if (network !== undefined) this.#own.add(network);
  }

  /** Why an address is no indicator; undefined = it is one. */
  address(address: string): Reason | undefined {
    if (!this.#keepsReserved && !isPublicAddress(address)) return "private or reserved";
    if (this.#own.has(networkOf(address) ?? "")) return "of sensors or their networks";
    if (this.#ranges.has(address) || this.#values.has(address)) return "by --exclude";
    return undefined;
  }

  /** The same of a host, which may be an address. */
  host(host: string): Reason | undefined {
    const reason = this.#reachable(host);
    if (reason !== undefined) return reason;
    return isBelow(host, SHARED) || RESOLVERS.has(host) ? "shared by everybody" : undefined;
  }

  /** The same of a URL on a host. */
  url(url: string, host: string): Reason | undefined {
    const reason = this.#reachable(host);
    if (reason !== undefined) return reason;
    if (this.#values.has(url.toLowerCase())) return "by --exclude";
    // The front page of what serves everybody is asked for to see whether there is a network.
    const isBare = /^\w+:\/\/[^/?#]*\/?$/.test(url);
    return isBare && this.host(host) !== undefined ? "shared by everybody" : undefined;
  }

  hash(hash: string): Reason | undefined {
    if (TRIVIAL_HASHES.has(hash)) return "empty or trivial files";
    return this.#values.has(hash) ? "by --exclude" : undefined;
  }

  /** The same of any other value. */
  value(value: string): Reason | undefined {
    return this.#values.has(value.toLowerCase()) ? "by --exclude" : undefined;
  }

  #reachable(host: string): Reason | undefined {
    if (addressBytes(host) !== undefined) return this.address(host);
    if (!this.#keepsReserved && NO_NAMES.test(host)) return "private or reserved";
    return isBelow(host, this.#values) ? "by --exclude" : undefined;
  }
}

/** Whether a host, or a domain that it lies in, is one of some. */
function isBelow(host: string, domains: ReadonlySet<string>): boolean {
  for (let part = host; ; part = part.slice(part.indexOf(".") + 1)) {
    if (domains.has(part)) return true;
    if (!part.includes(".")) return false;
  }
}

/** The lines of a file of exclusions: without comments (`#` before or behind a value), blanks and empty lines. */
export function parseExclusions(text: string): string[] {
  return text
    .split(/\r?\n/)
    .map(line => line.replace(/(?:^|\s)#.*$/, "").trim())
    .filter(line => line !== "")
    .map(line => line.replace(/^\*\./, ""))
    .map(line => (/^[\w-]+:\/\//.test(line) ? line : (toHost(line) ?? line)));
}
