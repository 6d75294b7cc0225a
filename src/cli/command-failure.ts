/** How a command says that it did not succeed, and the exit codes of all commands. Main thread only. */

export const EXIT = { ok: 0, failed: 1, usage: 2, internal: 70 } as const;

/** Ends the command with `exitCode` after printing `message` (nothing when empty) on stderr. Not a defect: no stack is shown. */
export class CommandFailure extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number = EXIT.failed) {
    super(message);
    this.name = 'CommandFailure';
    this.exitCode = exitCode;
  }
}
