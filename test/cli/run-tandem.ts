/** Runs the real command line in its own process. Tests only. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';

export const LAUNCH = join(import.meta.dirname, '..', '..', 'src', 'launch.mjs');

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export function runTandem(
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const env = { ...process.env, ...environment };
    execFile(process.execPath, [LAUNCH, ...words], { env }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ code, stdout, stderr });
    });
  });
}
