/** Erlang/OTP running the same program: its modules are compiled into a temporary folder at each start. Main thread only. */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { Problem, Program } from './program.ts';
import type { Subject } from './subject.ts';

const SOURCES = join(import.meta.dirname, 'erlang');

/** Returns why Erlang cannot be measured here; undefined when it can. `path` is searched like PATH. */
export function whyNoErlang(path: string | undefined = process.env['PATH']): string | undefined {
  for (const command of ['erl', 'erlc']) {
    try {
      execFileSync('/bin/sh', ['-c', `command -v ${command}`], { env: { PATH: path ?? '' }, stdio: 'ignore' });
    } catch {
      return `${command} is not installed`;
    }
  }
  return undefined;
}

/** Compiles the program and starts a virtual machine with that many schedulers. */
export async function startErlang(program: Program, problem: Problem, schedulers: 1 | 2): Promise<Subject> {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-erlang-'));
  const modules = ['savina_harness', program.erlangModule];
  const known = readdirSync(SOURCES);
  for (const module of modules)
    if (!known.includes(`${module}.erl`)) throw new Error(`erlang/${module}.erl must exist for ${program.name}`);
  await promisify(execFile)('erlc', ['-o', folder, ...modules.map((module) => join(SOURCES, `${module}.erl`))]);
  const child = spawn(
    'erl',
    [
      ...['-noshell', '+S', `${schedulers}:${schedulers}`, '-pa', folder, '-run', 'savina_harness', 'main'],
      ...[program.erlangModule, ...problem.parameters.map(String)],
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    name: schedulers === 1 ? 'Erlang, 1 scheduler' : 'Erlang, 2 schedulers',
    run: async () => {
      child.stdin.write('run\n');
      const { value, done } = await lines.next();
      const [microseconds, answer] = String(value).split(' ').map(Number);
      if (done === true || microseconds === undefined || answer === undefined || Number.isNaN(microseconds))
        throw new Error(`${program.erlangModule} must print microseconds and an answer, was "${String(value)}"`);
      return { elapsedMs: microseconds / 1_000, answer };
    },
    close: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.stdin.end();
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}
