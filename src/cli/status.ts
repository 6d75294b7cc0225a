/** `tandem status`: says whether a running engine is ready and how it stands; exit code 0 only when it is ready. Main thread only. */
import type { Command } from 'commander';
import type { EnginePicture } from '../control/engine-picture.ts';
import { actorRows } from './actor-rows.ts';
import { CommandFailure } from './command-failure.ts';
import { addControlOptions, askControl } from './control-client.ts';
import type { ControlOptions } from './control-client.ts';
import { addFollowOption, showOrFollow } from './follow.ts';
import type { FollowOptions, View } from './follow.ts';
import { span } from './terminal-text.ts';
import type { Span } from './terminal-text.ts';

export function register(program: Command): void {
  const command = program
    .command('status')
    .description('say whether a running engine is ready: exit code 0 when it is, 1 when it is not');
  addFollowOption(addControlOptions(command)).action((options: ControlOptions & FollowOptions) =>
    showOrFollow(options, () => lookAtStatus(options)),
  );
}

async function lookAtStatus(options: ControlOptions): Promise<View> {
  const readiness = await askControl(options, '/readyz');
  const [{ body }, engine] = await Promise.all([
    askControl(options, '/debug/actors'),
    askControl(options, '/debug/engine'),
  ]);
  const actors = actorRows(body);
  const ready = readiness.status === 200;
  const summary = {
    ready,
    readiness: readiness.body,
    ...(engine.status === 200 ? { engine: engine.body } : {}),
    actors: actors.length,
    running: actors.filter((actor) => actor.status === 'running').length,
    restarts: actors.reduce((sum, actor) => sum + actor.restarts, 0),
    notRunning: actors.filter((actor) => actor.status !== 'running').map((actor) => `${actor.path} ${actor.status}`),
  };
  const counts = `  ${summary.running} of ${summary.actors} actors running, ${summary.restarts} restarts`;
  return {
    lines: () => [
      [span(ready ? 'READY' : 'NOT READY', ready ? 'green' : 'yellow'), span(counts)],
      ...(ready ? [] : [[span(JSON.stringify(readiness.body))]]),
      // What this engine's own route answers with.
      ...(engine.status === 200 ? [engineLine(engine.body as EnginePicture)] : []),
      ...summary.notRunning.map((line) => [span(line, 'yellow')]),
    ],
    json: [JSON.stringify(summary)],
    ...(ready ? {} : { failure: new CommandFailure('') }),
  };
}

function engineLine({ state, reason, flatten, pairs }: EnginePicture): readonly Span[] {
  const phases = new Map<string, number>();
  for (const { phase } of pairs) phases.set(phase, (phases.get(phase) ?? 0) + 1);
  const counted = [...phases].sort(([one], [other]) => (one < other ? -1 : 1));
  return [
    span(state, state === 'TRADING' ? 'green' : 'yellow'),
    span(`${flatten ? ', closing everything' : ''}${reason === '' ? '' : ` (${reason})`}  `),
    span(`pairs: ${counted.length === 0 ? 'none' : counted.map(([phase, count]) => `${count} ${phase}`).join(', ')}`),
  ];
}
