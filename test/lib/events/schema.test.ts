import { expect, test } from "bun:test";
import { protocolOf } from "../../../lib/events/schema.ts";

test.each([
  ["CowrieTelnetTransport,5,192.0.2.1", "telnet"],
  ["SSHService 'ssh-userauth' on HoneyPotSSHTransport,3,192.0.2.1", "ssh"],
  ["cowrie.core.checkers", undefined],
] as const)("%s names the protocol %s", (system, protocol) => {
  expect(protocolOf(system)).toBe(protocol);
});
