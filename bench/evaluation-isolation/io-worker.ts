/** Entry of evaluation-isolation's io thread: the engine's connectors, the probe, and for the baseline an evaluation beside them. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { connector } from '../../actors/connector.ts';
import { connectorPortsFactory } from '../../src/ports/live/connector-ports.ts';
import { hostActors } from '../../src/runtime/actor-host.ts';
import { LoopSampler } from './core-wait.ts';
import { evaluation, type EvaluationPorts } from './evaluation.ts';
import { ioProbe, type DelayMs, type IoProbePorts, type IoWindow } from './io-probe.ts';

/** As often as the engine samples its own threads for `/debug/threads`: the histogram holds whole sampling intervals. */
const RESOLUTION_MS = 10;

const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
const sampler = new LoopSampler(RESOLUTION_MS);
let framesNs: bigint[] | undefined;

const lateMs = (intervalNs: number): number => Math.max(0, intervalNs / 1e6 - RESOLUTION_MS);

/** Nearest rank: values that were measured, never one in between. */
function ranks(values: readonly number[]): DelayMs {
  const sorted = [...values].sort((left, right) => left - right);
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

const probePorts: IoProbePorts = {
  open() {
    framesNs = [];
    delay.reset();
    delay.enable();
    sampler.start();
  },
  close(): IoWindow {
    delay.disable();
    const samples = sampler.stop();
    const taken = framesNs ?? [];
    framesNs = undefined;
    return {
      delayMs: { p50: lateMs(delay.percentile(50)), p99: lateMs(delay.percentile(99)), max: lateMs(delay.max) },
      ...(samples === undefined
        ? {}
        : { ownDelayMs: ranks(samples.map((sample) => sample.lateMs - sample.coreWaitMs)) }),
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
