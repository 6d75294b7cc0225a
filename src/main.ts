/** The composition root: a configuration becomes a running engine, until it is told to stop. Main thread only. */
import { accessSync, constants, mkdirSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import type { TandemConfig } from '../config/schema.ts';
import type { VenueName } from '../config/venue-names.ts';
import { guardRef, observerRef, positionRef } from '../actors/addresses.ts';
import { CommandFailure, EXIT } from './cli/command-failure.ts';
import { listenForStop } from './cli/stop-signals.ts';
import { keyOptions } from './cli/passphrase.ts';
import { startTerminalView } from './cli/terminal-view.ts';
import type { SummaryInput, TerminalView } from './cli/terminal-view.ts';
import { openKeys } from './composition/live/account-keys.ts';
import { readAlertSecrets } from './composition/live/alerting.ts';
import type { AlertSecrets } from './composition/live/alerting.ts';
import { startObservation } from './composition/live/observation.ts';
import { startEngine } from './composition/live/engine.ts';
import type { Engine } from './composition/live/engine.ts';
import { runLoneVenue } from './composition/live/lone-venue.ts';
import { startControlServer } from './control/control-server.ts';
import { openDashboardFiles } from './control/dashboard-files.ts';
import { writeHeap } from './control/heap-snapshot.ts';
import { watchKillFile } from './control/kill-file.ts';
import { loadControlToken } from './control/control-token.ts';
import type { Log } from './observe/live/log.ts';
import { openLog } from './observe/live/log.ts';
import type { Redactor } from './observe/redact.ts';
import { createRedactor } from './observe/redact.ts';
import { exitNow } from './runtime/thread-exit.ts';

/** Runs the engine until Ctrl-C; returns the exit code. Throws CommandFailure with one clear sentence when it cannot start. */
export async function runEngine(
  config: TandemConfig,
  options: { readonly configFile: string; readonly enableHeapSnapshot?: boolean },
): Promise<number> {
  let log: Log | undefined;
  let engine: Engine;
  let token: string;
  let redactor: Redactor;
  let secrets: AlertSecrets;
  try {
    makeDataDirectory(config.dataDir);
    token = loadControlToken(config.dataDir);
    secrets = readAlertSecrets(config.alerts);
    const keys = await openKeys(config, keyOptions());
    redactor = createRedactor([token, secrets.telegramToken ?? '', secrets.webhookUrl ?? '', ...keys.values]);
    const opened = openLog({ directory: config.dataDir, level: config.log.level, redactor });
    log = opened;
    engine = await startEngine(config, {
      keys,
      log: (record) => opened.write(record),
      onUnkillable: () => exitNow(EXIT.internal),
    });
  } catch (error) {
    log?.close();
    throw new CommandFailure(
      `tandem cannot start with ${options.configFile}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  const { system } = engine;
  const left = Promise.withResolvers<readonly string[]>();
  let isLeaving = false;
  /** Kill level 4 ends the process; only persons ask for it, and all of them ask here. */
  const tell: typeof system.tell = (path, message) => {
    const outcome = system.tell(path, message);
    if (path === guardRef.path && message.type === 'kill' && 'level' in message && message.level === 4 && !isLeaving) {
      isLeaving = true;
      engine.leave().then(left.resolve, left.reject);
    }
    return outcome;
  };
  const observation = startObservation({
    engine,
    config,
    secrets,
    tellGuard: (message) => tell(guardRef.path, message),
    log,
  });
  const control = await startControlServer({
    observation,
    stream: observation.stream,
    metrics: system.metrics,
    ...(options.enableHeapSnapshot === true ? { heapSnapshot: () => writeHeap(config.dataDir, Date.now()) } : {}),
    host: config.control.host,
    port: config.control.port,
    allowRemote: config.control.allowRemote,
    monotonicMs: () => performance.now(),
    token,
    redactor,
    dashboard: openDashboardFiles(),
    addresses: { guard: guardRef.path, observer: observerRef.path, position: (base) => positionRef(base).path },
    log: (level, event, fields) => log.write({ level, event, fields, atMs: Date.now(), thread: 'main' }),
    engine: {
      snapshot: () => system.snapshot(),
      inspect: (path) => system.inspect(path),
      peek: (path, peekOptions) => system.peek(path, peekOptions),
      traces: () => system.traces(),
      pauseActor: (path) => system.pauseActor(path),
      resumeActor: (path) => system.resumeActor(path),
      restartActor: (path) => system.restartActor(path),
      tell,
      readiness: () => engine.readiness(),
      summary: async () => {
        const [trading, readiness] = await Promise.all([engine.summary(), engine.readiness()]);
        return {
          mode: config.mode,
          readiness,
          boot: engine.boot,
          journal: engine.journal,
          nowMs: system.nowMs(),
          ...(trading === undefined ? {} : { trading }),
          faults: engine.accounts.faults,
        };
      },
      readRows: (query) => engine.readRows(query),
      inject: (venue, fault) => {
        if (engine.accounts.faults[venue]?.includes(fault) !== true)
          throw new RangeError(`fault must be one that the simulated ${venue} plays, was "${fault}"`);
        engine.accounts.inject(venue, fault);
      },
    },
  }).catch(async (error: unknown) => {
    await observation.close();
    await engine.stop();
    log.close();
    throw new CommandFailure(error instanceof Error ? error.message : String(error));
  });
  const endKillFile = watchKillFile(
    config.dataDir,
    (message) => tell(guardRef.path, message),
    (detail) =>
      log.write({
        level: 'error',
        event: 'kill-file-unreadable',
        fields: { detail },
        atMs: Date.now(),
        thread: 'main',
      }),
  );
  const view = startTerminalView({ read: () => readSummary(engine, control.address) });

  const outcome = await Promise.race([
    untilStopped(engine, view),
    system.failed.then((reason) => ({ failed: reason })),
    left.promise.then((orders) => ({ left: orders })),
  ]);
  endKillFile();
  view.stop();
  await observation.close();
  await control.close();
  log.close();
  if ('failed' in outcome) {
    await engine.stop();
    throw new CommandFailure(`the engine gave up: ${outcome.failed}`, EXIT.internal);
  }
  if ('left' in outcome) {
    process.stdout.write(
      outcome.left.length === 0
        ? 'left: every order cancelled; positions stand as they were, and the next start is halted\n'
        : `left, look at the venues: ${outcome.left.join(', ')}\n`,
    );
    return EXIT.ok;
  }
  process.stdout.write(
    outcome.quiet
      ? `stopped: no open order${config.liq.venueStop > 0 ? ' but the stops under open pairs' : ''}, journal consistent\n`
      : 'stopped before every order had ended: the next start asks the venues what became of them\n',
  );
  return EXIT.ok;
}

function makeDataDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    accessSync(directory, constants.W_OK | constants.X_OK);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`dataDir must be a folder this user can write to, was "${directory}": ${reason}`, { cause });
  }
}

/** Waits for the first stop signal, then drains; a second press shortens the wait. */
async function untilStopped(engine: Engine, view: TerminalView): Promise<{ readonly quiet: boolean }> {
  return await new Promise((resolve, reject) => {
    const dispose = listenForStop({
      onStop: () => {
        view.say('stopping: no new entries, waiting for orders to end (once more to hurry)');
        engine
          .stop()
          .then((quiet) => resolve({ quiet }), reject)
          .finally(dispose);
      },
      onHurry: () => engine.hurry(),
    });
  });
}

async function readSummary(engine: Engine, address: string): Promise<SummaryInput> {
  const [trading, snapshot, readiness] = await Promise.all([
    engine.summary(),
    engine.system.snapshot(),
    engine.readiness(),
  ]);
  return {
    trading,
    snapshot,
    readiness,
    address,
    boot: engine.boot,
    journal: engine.journal,
    nowMs: engine.system.nowMs(),
  };
}

/** Runs one simulated venue alone until Ctrl-C; returns the exit code. */
export async function runVenue(
  config: TandemConfig,
  options: { readonly venue: VenueName; readonly port: number },
): Promise<number> {
  return await runLoneVenue(config, options);
}
