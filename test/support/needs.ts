/**
 * What some tests need and not every machine has. They look for it first, and without it are skipped with the reason in
 * their name, from which the end of `bun run verify` counts them.
 */
import { existsSync } from "node:fs";
import { userInfo } from "node:os";

interface Need {
  /** The tests that need it, after "Skipped 7 tests ...". */
  readonly tests: string;
  isThere(): boolean;
  /** Why they are skipped. */
  readonly reason: string;
  /** Debian's package, where it is a package that is lacking. */
  readonly package?: string;
}

export const SSHD = "/usr/sbin/sshd";
export const CRON = "/usr/sbin/cron";
/** Path of the first Chromium on PATH; undefined where there is none. */
export const CHROMIUM = firstOf("chromium", "chromium-browser", "google-chrome");

export const isRoot = userInfo().uid === 0;
/** Run as somebody whom permissions bind: who runs the tests, or nobody where that is root. */
export const AS_NOBODY = isRoot ? "setpriv --reuid=65534 --regid=65534 --clear-groups" : "";
const MOUNT = 'd=$(mktemp -d) && mount -t tmpfs -o size=64k none "$d" && umount "$d"; code=$?; rmdir "$d"; exit $code';
/** Nobody must be able to read the toolkit, and Bun itself. */
const READ = `${AS_NOBODY} "$0" -e 'await import("${import.meta.dir}/../../lib/process/cli.ts")'`;

const program = (tests: string, name: string, debianPackage: string): Need => ({
  tests, isThere: () => firstOf(name) !== undefined, reason: `${name} is not installed`, package: debianPackage,
});

const needs = {
  chromium: { tests: "of pages in a browser", isThere: () => CHROMIUM !== undefined, reason: "no Chromium on PATH", package: "chromium" },
  sshd: { tests: "over SSH with a real server", isThere: () => existsSync(SSHD), reason: "sshd is not installed", package: "openssh-server" },
  users: {
    tests: "over SSH with users of their own",
    isThere: () => isRoot && succeeds(["unshare", "--mount", "--pid", "--fork", "true"]),
    reason: "no rights to make users for sshd",
  },
  ssh: program("of OpenSSH's own commands", "ssh", "openssh-client"),
  ps: program("that watch processes", "ps", "procps"),
  cron: {
    tests: "under the real cron",
    isThere: () => existsSync(CRON) && firstOf("crontab") !== undefined,
    reason: "cron is not installed",
    package: "cron",
  },
  busybox: program("of nodes with busybox", "busybox", "busybox"),
  sudo: program("of nodes with sudo", "sudo", "sudo"),
  zsh: program("of completion by zsh", "zsh", "zsh"),
  jq: program("of pipes into jq", "jq", "jq"),
  script: {
    tests: "on a terminal",
    // It may be there without a terminal to be had: not every root folder has the devices for one.
    isThere: () => firstOf("script") !== undefined && succeeds(["script", "-qec", "true", "/dev/null"]),
    reason: "script is not installed, or there is no terminal to be had",
  },
  parallel: program("of many parts by GNU parallel", "parallel", "parallel"),
  snakemake: program("of many parts by Snakemake", "snakemake", "snakemake"),
  slurm: {
    tests: "of many parts by Slurm",
    isThere: () => isRoot && ["munged", "slurmctld", "slurmd", "sbatch"].every(name => firstOf(name) !== undefined) && succeeds(["unshare", "--uts", "true"]),
    reason: "no Slurm, or no right to start one",
    package: "slurm-wlm",
  },
  dma: {
    tests: "of mail that is delivered",
    isThere: () => isRoot && existsSync("/usr/sbin/dma"),
    reason: "no dma, or no right to read its mailbox",
    package: "dma",
  },
  perl: program("of pipes that do not wait", "perl", "perl-base"),
  mount: { tests: "on a full disk", isThere: () => succeeds(["sh", "-c", MOUNT]), reason: "no right to mount" },
  nobody: {
    tests: "of files and folders that are closed",
    isThere: () => !isRoot || succeeds(["sh", "-c", READ, process.execPath]),
    reason: "nobody may not read this folder or Bun",
  },
} satisfies Record<string, Need>;

export type NeedName = keyof typeof needs;
export const NEEDS: Readonly<Record<NeedName, Need>> = needs;

/**
 * What is missing here, if anything.
 *
 * @returns The first reason, for `skipIf(reason !== undefined)`; and the end of the test's name that tells it.
 */
export function missing(...names: NeedName[]): { reason: string | undefined; why: string } {
  const lacking = names.find(name => !NEEDS[name].isThere());
  return because(lacking && NEEDS[lacking].reason);
}

/** The same for a reason found elsewhere. */
export function because(reason: string | undefined): { reason: string | undefined; why: string } {
  return { reason, why: reason === undefined ? "" : ` (skipped: ${reason})` };
}

function firstOf(...names: string[]): string | undefined {
  return names.map(name => Bun.which(name)).find(path => path !== null) ?? undefined;
}

function succeeds(command: string[]): boolean {
  return Bun.which(command[0]!) !== null && Bun.spawnSync(command, { stdin: "ignore" }).exitCode === 0;
}
