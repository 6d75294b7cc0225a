/**
 * Keeps one program running: starts it, passes signals on, starts it again when it ends by a defect. Plain JavaScript
 * without dependencies, Node 18 or newer; the launcher process only, which holds no secret and opens no socket.
 *
 *   exit code 0, 1, 2          the program's own decision (done, could not start, wrong usage): the launcher ends with it
 *   any other code or signal   a defect or a native crash: started again, at most 3 times in 60 s, then left down with code 70
 *   after a stop signal        whatever the program ends with is its answer: the launcher ends the same way
 */
import { spawn } from 'node:child_process';

const FORWARDED_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2'];
const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const FINAL_CODES = [0, 1, 2];
export const RESTARTS_MAX = 3;
export const RESTART_PERIOD_MS = 60_000;
const LEFT_DOWN = 70;

/** Tells the program that somebody starts it again; the program takes it out of its environment. */
export const KEPT_RUNNING = 'TANDEM_KEPT_RUNNING';

/**
 * Runs the program until it ends for good, then ends this process the same way.
 *
 * @param {string} file
 * @param {readonly string[]} args
 * @param {{ isRestarted: boolean }} options without `isRestarted` every end is final
 */
export function keepRunning(file, args, { isRestarted }) {
  /** Monotonic ms of the restarts inside the window. */
  let restartsAtMs = [];
  let isStopping = false;
  let child = start();
  const forward = (signal) => {
    isStopping ||= STOP_SIGNALS.includes(signal);
    child.kill(signal);
  };
  for (const signal of FORWARDED_SIGNALS) process.on(signal, forward);

  function start() {
    const started = spawn(file, args, {
      // The channel carries nothing: its end tells the program that its launcher is gone.
      stdio: isRestarted ? ['inherit', 'inherit', 'inherit', 'ipc'] : 'inherit',
      env: isRestarted ? { ...process.env, [KEPT_RUNNING]: '1' } : process.env,
    });
    started.on('error', (error) => {
      process.stderr.write(`tandem: ${file} could not be started: ${error.message}\n`);
      process.exit(1);
    });
    started.on('exit', ended);
    return started;
  }

  function ended(code, signal) {
    if (!isRestarted || isStopping || FINAL_CODES.includes(code)) {
      endLike(code, signal);
      return;
    }
    const nowMs = performance.now();
    restartsAtMs = restartsAtMs.filter((atMs) => atMs > nowMs - RESTART_PERIOD_MS);
    const how = signal === null ? `with code ${code}` : `by ${signal}`;
    if (restartsAtMs.length >= RESTARTS_MAX) {
      process.stderr.write(
        `tandem: the engine ended ${how}, after ${RESTARTS_MAX} restarts within ${RESTART_PERIOD_MS / 1_000} s: it is left DOWN. ` +
          'Open positions stay as they are on the venues; read the log, then start it again.\n',
      );
      process.exit(LEFT_DOWN);
    }
    restartsAtMs.push(nowMs);
    process.stderr.write(
      `tandem: the engine ended ${how}; starting it again (restart ${restartsAtMs.length} of ${RESTARTS_MAX} within ${RESTART_PERIOD_MS / 1_000} s)\n`,
    );
    child = start();
  }

  function endLike(code, signal) {
    for (const name of FORWARDED_SIGNALS) process.off(name, forward);
    if (signal !== null) process.kill(process.pid, signal);
    else process.exit(code ?? 1);
  }
}
