/**
 * A mail as a sendmail takes it: headers that nothing can be added to, and a body in lines that every host lets through.
 *
 * Source: RFC 5322 (message), RFC 2045 (bodies), RFC 2047 (words of a header), RFC 3834 (mails nobody should answer).
 */

/** A line of a body in base64: 76 characters at most. */
const BODY_LINE = /.{1,76}/g;
/** Bytes of UTF-8 in one encoded word of a header: with its frame and the name of the header a line of 77 characters. */
const WORD_BYTES = 42;
/** As most hosts take them: a local part and a host, each of plain letters. */
const ADDRESS = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}(?:@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?)?$/;

export interface Mail {
  readonly to: string;
  /** Any text; what no header may hold is shown as it is in its encoding. */
  readonly subject: string;
  readonly text: string;
  /** A second form of the same; undefined = the text alone. */
  readonly html?: string | undefined;
}

/** Whether mail can be sent to it: a name of this machine, or NAME@HOST; never an option of a sendmail. */
export function isMailAddress(text: string): boolean {
  return ADDRESS.test(text) && !text.startsWith("-");
}

/**
 * The whole message, lines ended by LF as programs of Unix want it.
 *
 * @param boundary Between the parts; a random one, since attackers wrote what they hold.
 * @throws {RangeError} if `to` is no address.
 */
export function toMessage({ to, subject, text, html }: Mail, boundary = `cowrie-${crypto.randomUUID()}`): string {
  if (!isMailAddress(to)) throw new RangeError("Cannot write a mail: expected an address");
  const headers = [`To: ${to}`, `Subject: ${encodeHeader(subject)}`, "Auto-Submitted: auto-generated", "MIME-Version: 1.0"];
  if (html === undefined) return `${[...headers, ...toPart("plain", text)].join("\n")}\n`;
  return `${[
    ...headers,
    `Content-Type: multipart/alternative; boundary="${boundary}"`,
    "",
    `--${boundary}`,
    ...toPart("plain", text),
    `--${boundary}`,
    ...toPart("html", html),
    `--${boundary}--`,
  ].join("\n")}\n`;
}

/** Headers and body of one part. Base64 holds no line that could be taken for a header, a boundary or a lone dot. */
function toPart(type: "plain" | "html", body: string): string[] {
  const encoded = Buffer.from(body.toWellFormed()).toString("base64");
  return [`Content-Type: text/${type}; charset=utf-8`, "Content-Transfer-Encoding: base64", "", ...(encoded.match(BODY_LINE) ?? [])];
}

/** A header's text as encoded words, each on a line of its own; plain letters as they are. */
function encodeHeader(text: string): string {
  if (/^[\x20-\x7e]{0,60}$/.test(text) && !text.includes("=?")) return text;
  const words: string[] = [];
  let bytes = Buffer.alloc(0);
  const end = () => void (bytes.length > 0 && words.push(`=?utf-8?B?${bytes.toString("base64")}?=`));
  // No letter is split between two words.
  for (const character of text.toWellFormed()) {
    const next = Buffer.from(character);
    if (bytes.length + next.length > WORD_BYTES) {
      end();
      bytes = Buffer.alloc(0);
    }
    bytes = Buffer.concat([bytes, next]);
  }
  end();
  return words.join("\n ");
}
