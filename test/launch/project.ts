/** Makes throw-away projects around the real set-up and launcher, with a pretended npm. Tests only. */
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { onTestFinished } from 'vitest';

const PROJECT = join(import.meta.dirname, '..', '..');

export interface LockEntry {
  readonly version: string;
  readonly dev?: true;
  readonly optional?: true;
}
export type LockEntries = Readonly<Record<string, LockEntry>>;

export interface Project {
  readonly folder: string;
  /** What `package-lock.json` asks for and what the pretended npm installs. */
  want(entries: LockEntries): void;
  /** What is installed already. */
  installed(entries: LockEntries): void;
  /** Makes the pretended npm end with this code without installing. */
  breakNpm(exitCode: number): void;
  /** Arguments of each npm run so far. */
  npmRuns(): readonly string[][];
  write(path: string, text: string): string;
  run(node: string, args: readonly string[]): Run;
}

export interface Run {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  /** Settles when the process ended and its output is complete. */
  readonly ended: Promise<Ended>;
  /** Settles when stdout so far contains `text`. */
  printed(text: string): Promise<void>;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export const THIS_NODE = process.execPath;

/** The first Node.js on the path that cannot run the project itself; undefined when there is none. */
export function findOldNode(): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'node'))
    .filter((file) => !file.includes('node_modules') && existsSync(file))
    .find((file) => file !== THIS_NODE && isOlder(file));
}

function isOlder(node: string): boolean {
  const [major = 0, minor = 0] = execFileSync(node, ['-p', 'process.versions.node']).toString().split('.').map(Number);
  return major < 24 || (major === 24 && minor < 12);
}

// Writes what it was asked to install, after a moment in which a second process could start too.
const PRETENDED_NPM = `
const fs = require('node:fs');
fs.appendFileSync('npm-runs.jsonl', JSON.stringify(process.argv.slice(2)) + '\\n');
if (fs.existsSync('npm-breaks')) process.exit(Number(fs.readFileSync('npm-breaks', 'utf8')));
setTimeout(() => {
  console.log('npm talks');
  fs.mkdirSync('node_modules', { recursive: true });
  fs.copyFileSync('package-lock.json', 'node_modules/.package-lock.json');
}, 300);
`;

export function makeProject(): Project {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-launch-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const write = (path: string, text: string): string => {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  };
  mkdirSync(join(folder, 'src'));
  for (const name of ['setup.mjs', 'launch.mjs', 'keep-running.mjs']) {
    copyFileSync(join(PROJECT, 'src', name), join(folder, 'src', name));
    chmodSync(join(folder, 'src', name), 0o755);
  }
  write('package.json', '{ "type": "module", "private": true }');
  const npm = write('tools/npm-cli.cjs', PRETENDED_NPM);
  const lock = (entries: LockEntries): string =>
    JSON.stringify({
      packages: {
        '': {},
        ...Object.fromEntries(Object.entries(entries).map(([name, entry]) => [`node_modules/${name}`, entry])),
      },
    });

  return {
    folder,
    want: (entries) => void write('package-lock.json', lock(entries)),
    installed: (entries) => void write('node_modules/.package-lock.json', lock(entries)),
    breakNpm: (exitCode) => void write('npm-breaks', String(exitCode)),
    npmRuns: () => {
      const file = join(folder, 'npm-runs.jsonl');
      if (!existsSync(file)) return [];
      return readFileSync(file, 'utf8')
        .trim()
        .split('\n')
        .map((line): string[] => JSON.parse(line));
    },
    write,
    run: (node, args) => run(node, args, folder, npm),
  };
}

function run(node: string, args: readonly string[], cwd: string, npm: string): Run {
  const { NODE_COMPILE_CACHE: _cache, NODE_OPTIONS: _options, ...env } = process.env;
  const child = spawn(node, args, { cwd, env: { ...env, npm_execpath: npm }, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  const printed = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (stdout.includes(text)) resolve();
      };
      child.stdout.on('data', look);
      child.on('close', () => reject(new Error(`ended without printing ${text}: ${stdout}${stderr}`)));
      look();
    });
  return { child, ended, printed };
}
