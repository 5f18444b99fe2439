/**
 * Recordings as asciicast, the format of asciinema: JSON lines that its player, and agg for pictures, take.
 *
 * A cast holds the output as it was, with whatever an attacker's sequences do to a terminal: who plays it with another
 * tool trusts that tool. As a text it is harmless: nothing a terminal obeys stands in it as it is.
 * Source: docs.asciinema.org/manual/asciicast/v2 and /v3.
 */
import { toSafeJson } from "../text/text.ts";
import { PAUSE_MOST_US } from "./frames.ts";
import type { Recording } from "./recording.ts";
import type { ScreenSize } from "./screen-size.ts";

export const CAST_VERSIONS = ["2", "3"] as const;
export type CastVersion = (typeof CAST_VERSIONS)[number];

/**
 * The lines of a cast, each with its line end: the header, then output and input as they came.
 *
 * Times are those of the recording; the header asks players to shorten pauses. Bytes that are no UTF-8 become U+FFFD, as the
 * format knows text only; letters split over records come whole.
 *
 * @param title Of the header; foreign text.
 */
export function* toAsciicast(
  { data, startUs, durationUs, isExec }: Recording,
  version: CastVersion,
  { columns, rows }: ScreenSize,
  title: string,
): Generator<string> {
  const common = { timestamp: Math.floor(startUs / 1e6), idle_time_limit: PAUSE_MOST_US / 1e6, title };
  yield `${toSafeJson(
    version === "2"
      ? { version: 2, width: columns, height: rows, ...common }
      : { version: 3, term: { cols: columns, rows }, ...common },
  )}\n`;
  const decoders = { input: new TextDecoder(), output: new TextDecoder(), command: new TextDecoder() };
  let lastUs = 0;
  const line = (us: number, code: string, text: string) => {
    const seconds = (version === "2" ? us : us - lastUs) / 1e6;
    lastUs = us;
    return `${toSafeJson([seconds, code, text])}\n`;
  };
  for (const { us, direction, bytes } of data) {
    const text = decoders[direction].decode(bytes, { stream: true });
    if (text === "") continue;
    // There was no terminal that made a line feed go to the left as well.
    yield line(us, direction === "output" ? "o" : "i", isExec ? text.replace(/\r?\n/g, "\r\n") : text);
  }
  const rest = decoders.output.decode();
  if (rest !== "") yield line(durationUs, "o", rest);
}
