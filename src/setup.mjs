#!/usr/bin/env node
/**
 * Installs what package-lock.json asks for when it is not there yet. Plain JavaScript without dependencies, Node 18 or newer:
 * it is the first thing that runs on a bare clone. Run it as a program, or import `setUp` (main thread).
 */
import { spawn } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const PROJECT = dirname(dirname(fileURLToPath(import.meta.url)));

const LOCK_DIRECTORY = join(PROJECT, '.setup-lock');
const LOCK_POLL_MS = 200;
/** A lock without a process id in it is being made right now, unless it is older than this. */
const LOCK_UNOWNED_MS_MAX = 5_000;
const FORWARDED_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** The Node.js shipped through npm for this platform; the file need not exist. */
export function pinnedNode() {
  return join(PROJECT, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
}

/** Whether this very Node.js can run the project (it strips types by itself from 24.12 on). */
export function isNodeNewEnough(version = process.versions.node) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 24 || (major === 24 && minor >= 12);
}

/** One clear line for a machine on which nothing can run the project. */
export function nodeTooOldMessage() {
  return `tandem: needs Node.js 24.12 or newer; this is ${process.versions.node} and npm has none for ${process.platform}-${process.arch}`;
}

/**
 * Installs when something is missing or has another version, then links what npm leaves out. A second process waits for
 * the first. Returns the exit code: 0 when everything is in place, else npm's own or 1.
 *
 * @param {{ dev: boolean }} needs `dev`: packages for tests and checks count too
 */
export async function setUp(needs) {
  if (firstDifference(needs) !== undefined) {
    await takeLock();
    try {
      // The process we may have waited for has done the work.
      const difference = firstDifference(needs);
      if (difference !== undefined) {
        process.stderr.write(`tandem: installing with npm ci, once (${difference})\n`);
        const code = await runNpm(needs);
        if (code !== 0) return code;
        const left = firstDifference(needs);
        if (left !== undefined) {
          process.stderr.write(`tandem: npm ci ended without an error, yet ${left}\n`);
          return 1;
        }
      }
    } finally {
      rmSync(LOCK_DIRECTORY, { recursive: true, force: true });
    }
  }
  linkBins();
  return 0;
}

/** Returns what the installed packages lack compared with the lock file, or undefined. Optional packages may be absent. */
function firstDifference(needs) {
  const wanted = packagesOf(join(PROJECT, 'package-lock.json'));
  const installedFile = join(PROJECT, 'node_modules', '.package-lock.json');
  if (!existsSync(installedFile)) return 'nothing is installed yet';
  const installed = packagesOf(installedFile);
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '' || entry.link) continue;
    const found = installed[path];
    if (found === undefined) {
      const mayBeAbsent = entry.optional || entry.devOptional || (entry.dev && !needs.dev);
      if (!mayBeAbsent) return `${path} is missing`;
    } else if (found.version !== entry.version) {
      return `${path} is ${found.version}, the lock wants ${entry.version}`;
    }
  }
  return undefined;
}

function packagesOf(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages ?? {};
}

async function takeLock() {
  for (let waits = 0; ; waits += 1) {
    try {
      mkdirSync(LOCK_DIRECTORY);
      writeFileSync(join(LOCK_DIRECTORY, 'pid'), String(process.pid));
      return;
    } catch (error) {
      if (error.code !== 'EEXIST' && error.code !== 'ENOENT') throw error;
    }
    if (isLockAbandoned()) {
      rmSync(LOCK_DIRECTORY, { recursive: true, force: true });
      continue;
    }
    if (waits === 0) process.stderr.write('tandem: another process is installing, waiting for it\n');
    await new Promise((resolve) => setTimeout(resolve, LOCK_POLL_MS));
  }
}

function isLockAbandoned() {
  try {
    const owner = Number(readFileSync(join(LOCK_DIRECTORY, 'pid'), 'utf8'));
    if (owner > 0) return !isAlive(owner);
  } catch {
    // The owner has not written its id yet, or the lock is gone; its age decides.
  }
  try {
    return Date.now() - statSync(LOCK_DIRECTORY).mtimeMs > LOCK_UNOWNED_MS_MAX;
  } catch {
    return false;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Runs the npm that started us, or the one on the path. Its output goes to stderr: stdout belongs to the command. */
function runNpm(needs) {
  const words = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  // NODE_ENV=production would leave out what tests and checks need.
  if (needs.dev) words.push('--include=dev');
  const cli = process.env.npm_execpath;
  const isNpmCli = cli !== undefined && /^npm-cli\.[cm]?js$/.test(basename(cli));
  const [program, args] = isNpmCli ? [process.execPath, [cli, ...words]] : ['npm', words];
  const child = spawn(program, args, {
    cwd: PROJECT,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32' && !isNpmCli,
  });
  const forward = (signal) => child.kill(signal);
  for (const signal of FORWARDED_SIGNALS) process.on(signal, forward);
  return new Promise((resolve) => {
    const finish = (code) => {
      for (const signal of FORWARDED_SIGNALS) process.off(signal, forward);
      resolve(code);
    };
    child.on('error', (error) => {
      process.stderr.write(`tandem: npm could not be started: ${error.message}\n`);
      finish(1);
    });
    child.on('exit', (code, signal) => {
      if (signal !== null) process.stderr.write(`tandem: npm ci was ended by ${signal}\n`);
      finish(code ?? 1);
    });
  });
}

/**
 * Links `node` (npm 10 leaves it out when two platform packages share the name) and `tandem` (npm never links a project's
 * own programs), so that scripts and npx find both.
 */
function linkBins() {
  if (process.platform === 'win32') return;
  const bins = join(PROJECT, 'node_modules', '.bin');
  const links = [['tandem', '../../src/launch.mjs']];
  if (existsSync(pinnedNode())) links.push(['node', `../node-${process.platform}-${process.arch}/bin/node`]);
  for (const [name, target] of links) {
    const link = join(bins, name);
    if (lstatSync(link, { throwIfNoEntry: false }) !== undefined) continue;
    try {
      mkdirSync(bins, { recursive: true });
      symlinkSync(target, link);
    } catch (error) {
      // Another process was faster, or the installation is read-only on purpose: the launcher works without links.
      if (!['EEXIST', 'EROFS', 'EACCES', 'EPERM'].includes(error.code)) throw error;
    }
  }
}

async function main() {
  const code = await setUp({ dev: true });
  if (code !== 0) return code;
  if (!isNodeNewEnough() && !existsSync(pinnedNode())) {
    process.stderr.write(`${nodeTooOldMessage()}\n`);
    return 1;
  }
  return 0;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.exitCode = await main();
}
