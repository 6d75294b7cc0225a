/** Entry of evaluation-isolation's trading thread: the engine's trading actors, and the evaluation beside them. */
import { guard } from '../../actors/guard.ts';
import { position } from '../../actors/position.ts';
import { strategy } from '../../actors/strategy.ts';
import { scheduledPorts } from '../../src/ports/live/scheduled-ports.ts';
import { hostActors } from '../../src/runtime/actor-host.ts';
import { evaluation, type EvaluationPorts } from './evaluation.ts';

const evaluationPorts: EvaluationPorts = { hrtimeNs: () => process.hrtime.bigint() };

hostActors({
  kinds: [guard, position, strategy, evaluation],
  portsFor: scheduledPorts('trading', (context) => (context.kind === evaluation.kind ? evaluationPorts : {})),
});
