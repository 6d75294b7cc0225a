/** Entry of a process that only computes, at the same pace as the evaluation: what any other program does to the io thread. Told when by its parent. */
import type { BusyRequest } from './busy-neighbour.ts';

let timer: NodeJS.Timeout | undefined;

process.on('message', (request: BusyRequest) => {
  clearTimeout(timer);
  if (request.type === 'end') {
    process.disconnect();
    return;
  }
  if (request.type === 'begin') timer = setTimeout(compute, request.everyMs, request.busyMs, request.everyMs);
  // Heard: from here on the parent may open its window.
  process.send?.(request.type);
});

function compute(busyMs: number, everyMs: number): void {
  timer = setTimeout(compute, everyMs, busyMs, everyMs);
  const untilNs = process.hrtime.bigint() + BigInt(busyMs) * 1_000_000n;
  while (process.hrtime.bigint() < untilNs);
}
