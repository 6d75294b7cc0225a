/** One `tandem start` in a process of its own, as a stranger types it, with its output kept. Ends with the test file. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll } from 'vitest';

export const LAUNCH = join(import.meta.dirname, '..', '..', 'src', 'launch.mjs');
export const CONFIG = join(import.meta.dirname, 'fixtures', 'start.yaml');

const folders: string[] = [];
/** Removed with the test file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-start-'));
  folders.push(folder);
  return folder;
}

/** Returns the path of the configuration these tests start with, with one line changed. */
export function configWith(line: string, replacement: string): string {
  const text = readFileSync(CONFIG, 'utf8');
  if (!text.includes(`${line}\n`)) throw new Error(`${CONFIG} must have the line "${line}"`);
  const file = join(temporaryFolder(), 'changed.yaml');
  writeFileSync(file, text.replace(`${line}\n`, `${replacement}\n`));
  return file;
}

const children: ChildProcess[] = [];
afterAll(() => {
  for (const { pid, exitCode, signalCode } of children)
    if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, 'SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

export class StartedEngine {
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #waiting = new Set<() => void>();
  #complaints = '';
  #code: number | undefined;

  constructor(dataDir: string, config = CONFIG) {
    const words = ['start', '--config', config, '--data-dir', dataDir, '--port', '0'];
    // A process group of its own, so that it can be killed whole.
    const child = spawn(process.execPath, [LAUNCH, ...words], { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    this.#child = child;
    children.push(child);
    createInterface(child.stdout).on('line', (line) => {
      this.#lines.push(line);
      this.#wake();
    });
    child.stderr.on('data', (chunk: Buffer) => (this.#complaints += chunk.toString()));
    child.on('close', (code) => {
      this.#code = code ?? -1;
      this.#wake();
    });
  }

  get output(): string {
    return this.#lines.join('\n');
  }

  get complaints(): string {
    return this.#complaints;
  }

  /** Settles with what a line of the output matches, also one printed before; rejects when the engine ends without it. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    for (let seen = 0; ; await this.#news()) {
      for (; seen < this.#lines.length; seen++) {
        const match = pattern.exec(this.#lines[seen] ?? '');
        if (match !== null) return match;
      }
      if (this.#code !== undefined)
        throw new Error(`ended with ${this.#code} before ${pattern}:\n${this.output}\n${this.#complaints}`);
    }
  }

  /** Settles with the exit code. */
  async ended(): Promise<number> {
    while (this.#code === undefined) await this.#news();
    return this.#code;
  }

  /** As the host would do it: launcher and engine at once, without a word. */
  async kill(): Promise<void> {
    if (this.#child.pid !== undefined) process.kill(-this.#child.pid, 'SIGKILL');
    await this.ended();
  }

  async interrupt(signal: NodeJS.Signals = 'SIGINT'): Promise<number> {
    this.#child.kill(signal);
    return await this.ended();
  }

  #news(): Promise<void> {
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
