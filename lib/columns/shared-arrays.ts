/**
 * Arrays in memory that threads share: handed to a worker, they are seen there and not copied.
 *
 * Tested in `test/lib/statistics/statistics-threads.test.ts`.
 */

export function sharedInts(length: number): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(length * Int32Array.BYTES_PER_ELEMENT));
}

export function sharedFloats(length: number): Float64Array<SharedArrayBuffer> {
  return new Float64Array(new SharedArrayBuffer(length * Float64Array.BYTES_PER_ELEMENT));
}
