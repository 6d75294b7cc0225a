/** Asks for a passphrase at the terminal without showing it. Main thread only. */
import type { ReadStream } from 'node:tty';
import type { KeyOptions } from '../composition/live/account-keys.ts';
import { CommandFailure } from './command-failure.ts';

const ENTER = new Set(['\r', '\n']);
const ERASE = new Set(['\u007F', '\b']);
const INTERRUPT = '\u0003';
const END = '\u0004';
/** Whoever types more than this does not type. */
const CHARACTERS_MAX = 1_024;

/** Returns how to ask, or undefined where nobody sits at a terminal. */
export function passphrasePrompt(): (() => Promise<string>) | undefined {
  return process.stdin.isTTY && process.stderr.isTTY ? () => readHidden('Passphrase of the key files: ') : undefined;
}

/** Where this process finds what opens key files. */
export function keyOptions(): KeyOptions {
  return { credentials: process.env['CREDENTIALS_DIRECTORY'], askPassphrase: passphrasePrompt() };
}

/** Returns what was typed. Rejects with CommandFailure when interrupted. */
export async function readHidden(question: string): Promise<string> {
  const input = process.stdin as ReadStream;
  process.stderr.write(question);
  input.setRawMode(true);
  input.setEncoding('utf8');
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let typed = '';
  const take = (chunk: string): void => {
    for (const character of chunk) {
      if (ENTER.has(character)) resolve(typed);
      else if (character === INTERRUPT || character === END) reject(new CommandFailure('no passphrase was given'));
      else if (ERASE.has(character)) typed = Array.from(typed).slice(0, -1).join('');
      else if (typed.length < CHARACTERS_MAX) typed += character;
    }
  };
  input.on('data', take);
  try {
    return await promise;
  } finally {
    input.off('data', take);
    input.setRawMode(false);
    input.pause();
    process.stderr.write('\n');
  }
}
