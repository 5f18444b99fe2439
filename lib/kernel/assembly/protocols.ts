/**
 * The protocol that a Twisted context names, in logs from before Cowrie v1.4; as `protocolOf` of the schema.
 *
 * Tested in `test/lib/kernel/kernel.test.ts`.
 */
import { COLUMN_PROTOCOL } from "../layout.ts";
import { internCell } from "./batch.ts";

const SSH: usize = memory.data<u8>([0x73, 0x73, 0x68], 16);
const TELNET: usize = memory.data<u8>([0x74, 0x65, 0x6c, 0x6e, 0x65, 0x74], 16);

/** `SSH` and `Teln`, `et` as words of memory. */
const UPPER_SSH: u32 = 0x0048_5353;
const TELN: u32 = 0x6e6c_6554;
const ET: u16 = 0x7465;

/** @param start Of a text without escapes. @returns Code of the protocol, -1 if none is named. */
export function codeOfProtocol(start: usize, end: usize): i32 {
  let isSsh = false;
  for (let at = start; at + 3 <= end; at++) {
    const word = load<u32>(at);
    if ((word & 0xff_ffff) == UPPER_SSH) isSsh = true;
    else if (word == TELN && at + 6 <= end && load<u16>(at, 4) == ET) return internCell(COLUMN_PROTOCOL, TELNET, 6);
  }
  return isSsh ? internCell(COLUMN_PROTOCOL, SSH, 3) : -1;
}
