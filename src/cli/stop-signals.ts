/** Turns SIGINT and SIGTERM into one orderly request to stop, and a second press into an urgent one. Main thread only. */

/**
 * Signals closer together than this are one press: a terminal sends SIGINT to the whole process group while npm and the
 * launcher pass on their own copies.
 */
const ONE_PRESS_MS = 500;

export interface StopSignals {
  /** Called once, at the first press. */
  readonly onStop: (signal: NodeJS.Signals) => void;
  /** Called at each later press: the caller should take its fast path. */
  readonly onHurry: (signal: NodeJS.Signals) => void;
}

/** Listens for SIGINT, SIGTERM and SIGHUP until the returned function is called. */
export function listenForStop({ onStop, onHurry }: StopSignals): () => void {
  let lastAtMs: number | undefined;
  const listener = (signal: NodeJS.Signals): void => {
    const nowMs = performance.now();
    const previousAtMs = lastAtMs;
    lastAtMs = nowMs;
    if (previousAtMs === undefined) onStop(signal);
    else if (nowMs - previousAtMs > ONE_PRESS_MS) onHurry(signal);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, listener);
  return () => {
    for (const signal of signals) process.off(signal, listener);
  };
}
