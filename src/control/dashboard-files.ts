/** The dashboard's files: built when their sources changed, kept in memory, served to anybody who may reach the port. Main thread only. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface DashboardFile {
  readonly type: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Named after its content: it never changes. */
  readonly isLasting: boolean;
}

export interface DashboardFiles {
  /** Returns a file by its path, `/` being the page; undefined when there is none. Rejects with the build's own words. */
  find(path: string): Promise<DashboardFile | undefined>;
}

const SOURCES = fileURLToPath(new URL('./dashboard/', import.meta.url));
const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
const BUILT = join(PROJECT, 'node_modules', '.cache', 'dashboard');
const BUILD_MS_MAX = 60_000;
const WORDS_MAX = 2_000;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Opens the files; the build runs in a process of its own when it is needed, and nobody waits for it but who asks for a file. */
export function openDashboardFiles(): DashboardFiles {
  let files: Promise<ReadonlyMap<string, DashboardFile>> | undefined;
  const load = (): Promise<ReadonlyMap<string, DashboardFile>> => {
    files ??= builtFolder().then(readFolder);
    // A build that failed is tried again when somebody asks again.
    files.catch(() => (files = undefined));
    return files;
  };
  load().catch(() => undefined);
  return { find: async (path) => (await load()).get(path) };
}

/** Returns the folder of the build of these very sources. */
async function builtFolder(): Promise<string> {
  const folder = join(BUILT, fingerprint());
  if (existsSync(folder)) return folder;
  mkdirSync(BUILT, { recursive: true });
  const unfinished = `${folder}.${process.pid}`;
  await runBuild(unfinished);
  try {
    renameSync(unfinished, folder);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    // Another process was faster; its files are the same.
    if (!existsSync(folder)) throw error;
  }
  for (const name of readdirSync(BUILT)) {
    if (!name.startsWith(fingerprint())) rmSync(join(BUILT, name), { recursive: true, force: true });
  }
  return folder;
}

/** A name for what the page is made of: its sources and the versions of what they use. */
function fingerprint(): string {
  const hash = createHash('sha256');
  const names = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' });
  for (const name of names.filter((one) => extname(one) !== '').sort()) {
    hash.update(name).update(readFileSync(join(SOURCES, name)));
  }
  return hash
    .update(readFileSync(join(PROJECT, 'package-lock.json')))
    .digest('hex')
    .slice(0, 16);
}

function runBuild(folder: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const build = spawn(process.execPath, [join(SOURCES, 'build.mjs'), folder], {
      cwd: PROJECT,
      stdio: ['ignore', 'ignore', 'pipe'],
      // Secrets in the environment are not the build's business.
      env: { PATH: process.env['PATH'], NODE_ENV: 'production' },
      timeout: BUILD_MS_MAX,
    });
    let words = '';
    build.stderr.setEncoding('utf8').on('data', (text: string) => (words = (words + text).slice(-WORDS_MAX)));
    build.once('error', reject);
    build.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`the dashboard could not be built (exit code ${code}): ${words.trim()}`));
    });
  });
}

function readFolder(folder: string): ReadonlyMap<string, DashboardFile> {
  const files = new Map<string, DashboardFile>();
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const type = TYPES[extname(name)];
    if (type === undefined) continue;
    const path = `/${relative(folder, join(folder, name)).split(sep).join('/')}`;
    const file = {
      type,
      bytes: new Uint8Array(readFileSync(join(folder, name))),
      isLasting: path.startsWith('/assets/'),
    };
    files.set(path === '/index.html' ? '/' : path, file);
  }
  return files;
}
