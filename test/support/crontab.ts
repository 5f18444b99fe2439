/**
 * Cron as far as tests need it: what it makes of a line before the shell sees it, and a `crontab` that keeps its table
 * in a file of the test's.
 */
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** The jobs of a crontab, with the command as /bin/sh gets it: "\%" is "%", and the first bare "%" ends it. */
export function readCrontabLines(text: string): { schedule: string; command: string }[] {
  return text.split("\n").flatMap(line => {
    const match = /^\s*(@\w+|(?:[^\s#]\S*\s+){4}\S+)\s+(.*)$/.exec(line);
    if (match === null || /^\s*(#|\w+\s*=)/.test(line)) return [];
    return [{ schedule: match[1]!, command: unescapeCommand(match[2]!) }];
  });
}

/**
 * What cron does to a command.
 *
 * @param dropsDouble Vixie's original also makes "\\" into "\"; Debian's does not.
 */
export function unescapeCommand(command: string, dropsDouble = false): string {
  let text = "";
  for (let i = 0; i < command.length; i++) {
    const [character, next] = [command[i]!, command[i + 1]];
    if (character === "%") break;
    if (character !== "\\" || next === undefined) text += character;
    else {
      text += next === "%" || (dropsDouble && next === "\\") ? next : `\\${next}`;
      i++;
    }
  }
  return text;
}

/** The fake: FAKE_CRONTAB is its table, FAKE_CRONTAB.next what somebody else adds right after the next look at it. */
const FAKE = `#!/bin/sh
case $1 in
-l)
  if [ -n "$FAKE_CRONTAB_REFUSES" ]; then
    echo "You (nobody) are not allowed to use this program (crontab)" >&2
    echo "See crontab(1) for more information" >&2
    exit 1
  fi
  if [ -f "$FAKE_CRONTAB" ]; then cat "$FAKE_CRONTAB"; found=0; else echo "no crontab for nobody" >&2; found=1; fi
  if [ -f "$FAKE_CRONTAB.next" ]; then cat "$FAKE_CRONTAB.next" >> "$FAKE_CRONTAB"; rm "$FAKE_CRONTAB.next"; fi
  exit $found ;;
-r) rm "$FAKE_CRONTAB" ;;
-)
  if [ -n "$FAKE_CRONTAB_FULL" ]; then
    echo "/var/spool/cron/: mkstemp: No space left on device" >&2
    exit 1
  fi
  cat > "$FAKE_CRONTAB.$$" && mv "$FAKE_CRONTAB.$$" "$FAKE_CRONTAB" ;;
*) echo "usage: crontab" >&2; exit 2 ;;
esac
`;

/**
 * Put a fake crontab into a folder.
 *
 * @returns Path of its table, and the environment that leads to it and not to the real one.
 */
export async function makeFakeCrontab(folder: string): Promise<{ table: string; env: Record<string, string> }> {
  const bin = join(folder, "fake-bin");
  await mkdir(bin);
  await writeFile(join(bin, "crontab"), FAKE);
  await chmod(join(bin, "crontab"), 0o755);
  // The Bun that runs the tests, by the name users call it; npx keeps it where no job should look for it.
  await symlink(process.execPath, join(bin, "bun"));
  const table = join(folder, "crontab-of-nobody");
  return {
    table,
    env: { PATH: `${bin}:${Bun.env.PATH}`, FAKE_CRONTAB: table, XDG_CACHE_HOME: join(folder, "cache") },
  };
}
