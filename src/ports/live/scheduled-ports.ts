/** Asks the kernel for real-time scheduling when a thread's first actor gets its ports. Io, store and trading threads only. */
import type { PortsContext, PortsFactory } from '../../runtime/ports-context.ts';
import { runThreadRealtime } from './realtime-priority.ts';
import type { REALTIME_PRIORITY } from './realtime-priority.ts';

/** Plain data: a part of the settings of each such thread. */
export interface SchedulingThreadData {
  /** Whether the thread asks the kernel for real-time scheduling. Absent: no. */
  readonly isRealtime?: boolean;
}

/** Returns the same factory, to be used for one thread: with the first ports it makes the question is asked. */
export function scheduledPorts(role: keyof typeof REALTIME_PRIORITY, portsFor: PortsFactory): PortsFactory {
  let isScheduled = false;
  return (context) => {
    if (!isScheduled) {
      isScheduled = true;
      const data = context.data as SchedulingThreadData | undefined;
      if (data?.isRealtime === true) schedule(role, context);
    }
    return portsFor(context);
  };
}

/** Refused is no failure: the thread then waits for a core like everybody else. */
function schedule(role: keyof typeof REALTIME_PRIORITY, context: PortsContext): void {
  const thread = context.threadName;
  runThreadRealtime(role, (verdict) => {
    if (verdict.isRealtime) context.log('info', `${role}-thread-realtime`, { thread });
    else context.log('info', `${role}-thread-ordinary`, { thread, reason: verdict.reason });
  });
}
