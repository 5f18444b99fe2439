/** Timestamps as logs have them and as they should not: other zones, fractions of any length, days that are none, letters in the way. */
import type { Random } from "./random.ts";

export function randomTimestamp(random: Random): string {
  const two = (max: number) => String(random.int(max)).padStart(2, "0");
  const text =
    `${random.chance(0.9) ? 2024 : 1960 + random.int(260)}-${two(14)}-${two(33)}T${two(25)}:${two(61)}:${two(61)}` +
    (random.chance(0.8) ? `.${String(random.int(1e9)).slice(0, random.int(10))}` : "") +
    random.pick(["Z", "Z", "Z", "Z", "+0100", "-01:30", "z", ""]);
  if (!random.chance(0.2)) return text;
  const at = random.int(text.length + 1);
  return text.slice(0, at) + random.pick([..."0123456789-:TZ.+ \u00ff"]) + text.slice(at + random.int(2));
}
