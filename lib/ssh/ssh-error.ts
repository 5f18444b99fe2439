/**
 * How a host fails.
 *
 * Tested in `test/lib/ssh/connector.test.ts`.
 */

/**
 * Why a host could not be used; some are worth another try.
 *
 * - connect: nobody listens, or the network is down
 * - busy: the server hung up before the login, as it does when too many log in at once
 * - key: the host's key is not one to trust
 * - login: no key or password was accepted
 * - lost: the connection broke
 * - silent: nothing came for too long
 * - garbage: what answers is no shell, or sends without end
 * - command: a command failed on the host
 */
export type SshFault = "connect" | "busy" | "key" | "login" | "lost" | "silent" | "garbage" | "command";

/** A host failed; `message` says why in one line, without the host's name. */
export class SshError extends Error {
  override readonly name = "SshError";
  readonly fault: SshFault;

  constructor(fault: SshFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }

  /** The same may work a moment later. */
  get isTransient(): boolean {
    return ["connect", "busy", "lost", "silent"].includes(this.fault);
  }
}
