#!/usr/bin/env node
/**
 * Starts the command line on a Node.js that can run it, installing first when needed. Plain JavaScript without
 * dependencies, Node 18 or newer. Main thread of the first process.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isNodeNewEnough, nodeTooOldMessage, pinnedNode, PROJECT, setUp } from './setup.mjs';

const FORWARDED_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2'];

const code = await setUp({ dev: false });
if (code !== 0) {
  process.exitCode = code;
} else if (isNodeNewEnough()) {
  // Before any Worker starts: workers learn of the cache only through the environment.
  process.env.NODE_COMPILE_CACHE ??= join(PROJECT, 'node_modules', '.cache', 'compile');
  module.enableCompileCache();
  const { runTandem } = await import('./cli/tandem.ts');
  // The command is over when its promise is: nothing left behind may keep the process alive.
  process.exit(await runTandem(process.argv.slice(2)));
} else if (existsSync(pinnedNode())) {
  runOnPinnedNode();
} else {
  process.stderr.write(`${nodeTooOldMessage()}\n`);
  process.exitCode = 1;
}

/** Runs this same file again on the Node.js that npm installed, and ends as it ends. */
function runOnPinnedNode() {
  const child = spawn(pinnedNode(), [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  const forward = (signal) => child.kill(signal);
  for (const signal of FORWARDED_SIGNALS) process.on(signal, forward);
  child.on('error', (error) => {
    process.stderr.write(`tandem: ${pinnedNode()} could not be started: ${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (exitCode, signal) => {
    for (const name of FORWARDED_SIGNALS) process.off(name, forward);
    if (signal !== null) process.kill(process.pid, signal);
    else process.exit(exitCode ?? 1);
  });
}
