#!/usr/bin/env node
/**
 * Starts the command line on a Node.js that can run it, installing first when needed. The engine itself (`start`) runs in
 * a process of its own, which this one starts again when it crashes. Plain JavaScript without dependencies, Node 18 or
 * newer. Main thread of the first process.
 */
import { existsSync } from 'node:fs';
import module from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { KEPT_RUNNING, keepRunning } from './keep-running.mjs';
import { isNodeNewEnough, nodeTooOldMessage, pinnedNode, PROJECT, setUp } from './setup.mjs';

/** A defect of the program, as `cli/command-failure.ts` has it. */
const INTERNAL = 70;

const words = process.argv.slice(2);
const code = await setUp({ dev: false });
if (code !== 0) {
  process.exitCode = code;
} else if (!isNodeNewEnough() && !existsSync(pinnedNode())) {
  process.stderr.write(`${nodeTooOldMessage()}\n`);
  process.exitCode = 1;
} else if (process.env[KEPT_RUNNING] === undefined && (startsEngine() || !isNodeNewEnough())) {
  const node = isNodeNewEnough() ? process.execPath : pinnedNode();
  keepRunning(node, [fileURLToPath(import.meta.url), ...words], { isRestarted: startsEngine() });
} else {
  await runCommand();
}

/** Whether these words run the engine: `start`, nothing, or options alone (`tandem.ts` gives those to `start`). */
function startsEngine() {
  const [first] = words;
  const asksForHelp = words.some((word) => ['--help', '-h', '--version', '-V'].includes(word));
  return !asksForHelp && (first === undefined || first === 'start' || first.startsWith('-'));
}

async function runCommand() {
  if (process.env[KEPT_RUNNING] !== undefined) followLauncher();
  // Before anything of the program is loaded, for all threads. A picture of the market replaces itself all the time, and what was current
  // at a collection is taken by V8 for long-lived: it then makes such objects among the old ones at once, where they die unseen, keep the
  // young ones they point to alive, and make every young collection many times as long.
  setFlagsFromString('--no-allocation-site-pretenuring');
  // Before any Worker starts: workers learn of the cache only through the environment.
  process.env.NODE_COMPILE_CACHE ??= join(PROJECT, 'node_modules', '.cache', 'compile');
  module.enableCompileCache();
  const { runTandem } = await import('./cli/tandem.ts');
  // The command is over when its promise is: nothing left behind may keep the process alive.
  process.exit(await runTandem(words));
}

/** What only a program that is started again has to do. */
function followLauncher() {
  // Programs started from here are not kept running by anybody.
  delete process.env[KEPT_RUNNING];
  // Nobody would start this process again: it stops in order, as if the launcher had said so.
  process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  process.channel?.unref();
  // Node's own code for an uncaught error is 1, which stands for a decision of the program.
  process.on('uncaughtException', (error) => {
    process.stderr.write(
      `tandem: internal error: ${error instanceof Error ? (error.stack ?? error.message) : error}\n`,
    );
    process.exit(INTERNAL);
  });
}
