/** Entry of evaluation-isolation's io thread: the engine's connectors, the probe, and for the baseline an evaluation beside them. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { connector } from '../../actors/connector.ts';
import { connectorPortsFactory } from '../../src/ports/live/connector-ports.ts';
import { hostActors } from '../../src/runtime/actor-host.ts';
import { evaluation, type EvaluationPorts } from './evaluation.ts';
import { ioProbe, type IoProbePorts, type IoWindow } from './io-probe.ts';

/** As often as the engine samples its own threads for `/debug/threads`: the histogram holds whole sampling intervals. */
const RESOLUTION_MS = 10;

const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
let framesNs: bigint[] | undefined;

const lateMs = (intervalNs: number): number => Math.max(0, intervalNs / 1e6 - RESOLUTION_MS);

const probePorts: IoProbePorts = {
  open() {
    framesNs = [];
    delay.reset();
    delay.enable();
  },
  close(): IoWindow {
    delay.disable();
    const taken = framesNs ?? [];
    framesNs = undefined;
    return {
      delayMs: { p50: lateMs(delay.percentile(50)), p99: lateMs(delay.percentile(99)), max: lateMs(delay.max) },
      framesNs: taken,
    };
  },
};
const evaluationPorts: EvaluationPorts = { hrtimeNs: () => process.hrtime.bigint() };
const connectorPorts = connectorPortsFactory();

hostActors({
  kinds: [
    {
      ...connector,
      receive(state, message, self) {
        if (message.type === 'socket-frame') framesNs?.push(process.hrtime.bigint());
        return connector.receive(state, message, self);
      },
    } satisfies typeof connector,
    ioProbe,
    evaluation,
  ],
  portsFor(context) {
    if (context.kind === ioProbe.kind) return probePorts;
    return context.kind === evaluation.kind ? evaluationPorts : connectorPorts(context);
  },
});
