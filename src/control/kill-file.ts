/** The kill switch as a file: for whoever can write to the data directory while the control server cannot be reached. Main thread. */
import { readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { GuardMessage } from '../../actors/guard-messages.ts';

const FILE = 'kill';
/** What was carried out is kept beside it, so that it is not carried out again. */
const TAKEN = 'kill.taken';
const REASON_CHARACTERS_MAX = 200;
const LOOK_MS = 250;
/** A younger empty file is one that is still being written. */
const WRITTEN_MS = 1_000;

/** Takes the file `kill`, `<level 1 to 4> <reason>`, out of the directory; undefined when there is none. What cannot be understood asks to flatten. */
export function takeKillFile(directory: string): GuardMessage | undefined {
  let text: string;
  try {
    text = readFileSync(join(directory, FILE), 'utf8').trim();
    if (text === '' && Date.now() - statSync(join(directory, FILE)).mtimeMs < WRITTEN_MS) return undefined;
    renameSync(join(directory, FILE), join(directory, TAKEN));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  const [, digit = '3', said = ''] = /^([1234])\b\s*([^]*)$/.exec(text) ?? [undefined, '3', text];
  const level = ([1, 2, 4] as const).find((known) => String(known) === digit) ?? 3;
  return { type: 'kill', level, reason: `kill file: ${said}`.trim().slice(0, REASON_CHARACTERS_MAX) };
}

/** Looks for the file until the returned function is called. A file that cannot be read is told once a look. */
export function watchKillFile(
  directory: string,
  tell: (message: GuardMessage) => void,
  complain: (detail: string) => void,
): () => void {
  const timer = setInterval(() => {
    try {
      const kill = takeKillFile(directory);
      if (kill !== undefined) tell(kill);
    } catch (error) {
      complain(error instanceof Error ? error.message : String(error));
    }
  }, LOOK_MS);
  timer.unref();
  return () => clearInterval(timer);
}
