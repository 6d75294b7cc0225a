/** Has a person confirm what costs money or cannot be taken back. Main thread only. */
import { createInterface } from 'node:readline/promises';
import { CommandFailure, EXIT } from './command-failure.ts';

/** Returns once confirmed, by `--yes` or at the terminal. Throws CommandFailure: exit code 2 without a terminal to ask at, 1 for a no. */
export async function confirm(what: string, isConfirmed: boolean): Promise<void> {
  if (isConfirmed) return;
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new CommandFailure(`this ${what}: say --yes to confirm`, EXIT.usage);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`This ${what}. Go on? [y/N] `);
    if (!/^y(es)?$/i.test(answer.trim())) throw new CommandFailure('not confirmed: nothing was done');
  } finally {
    terminal.close();
  }
}
