/** Pixels of a picture as Chromium writes it: PNG, 8 bits a channel, not interlaced. */
import { inflateSync } from "node:zlib";

export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** Bytes per pixel: 3, or 4 with the opacity last. */
  readonly channels: number;
  /** `data[(y * width + x) * channels]` = red. */
  readonly data: Uint8Array;
}

/** @throws {TypeError} if the picture is of another kind. */
export function readPng(png: Buffer): Pixels {
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  const channels = new Map([
    [2, 3],
    [6, 4],
  ]).get(png[25]!);
  if (png[24] !== 8 || channels === undefined || png[28] !== 0) throw new TypeError("Cannot read PNG: unusual format");
  const parts: Buffer[] = [];
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
    if (png.toString("latin1", at + 4, at + 8) !== "IDAT") continue;
    parts.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  }
  const packed = inflateSync(Buffer.concat(parts));
  const size = width * channels;
  const data = new Uint8Array(size * height);
  const zero = new Uint8Array(size);
  for (let y = 0; y < height; y++) {
    const from = y * (size + 1);
    const row = data.subarray(y * size, (y + 1) * size);
    const above = y === 0 ? zero : data.subarray((y - 1) * size, y * size);
    row.set(packed.subarray(from + 1, from + 1 + size));
    undoFilter(packed[from]!, row, above, channels);
  }
  return { width, height, channels, data };
}

/** A byte is stored as its difference from what its neighbours let expect; five ways of expecting. */
function undoFilter(filter: number, row: Uint8Array, above: Uint8Array, channels: number): void {
  const size = row.length;
  if (filter === 1) {
    for (let i = channels; i < size; i++) row[i]! += row[i - channels]!;
  } else if (filter === 2) {
    for (let i = 0; i < size; i++) row[i]! += above[i]!;
  } else if (filter === 3) {
    for (let i = 0; i < size; i++) row[i]! += ((i < channels ? 0 : row[i - channels]!) + above[i]!) >> 1;
  } else if (filter === 4) {
    for (let i = 0; i < size; i++) {
      const left = i < channels ? 0 : row[i - channels]!;
      const corner = i < channels ? 0 : above[i - channels]!;
      const up = above[i]!;
      const [a, b, c] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
      row[i]! += a <= b && a <= c ? left : b <= c ? up : corner;
    }
  }
}
