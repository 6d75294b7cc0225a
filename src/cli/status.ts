/** `tandem status`: says whether a running engine is ready; exit code 0 only then. Main thread only. */
import type { Command } from 'commander';
import { actorRows } from './actor-rows.ts';
import { CommandFailure } from './command-failure.ts';
import { addControlOptions, askControl } from './control-client.ts';
import type { ControlOptions } from './control-client.ts';

export function register(program: Command): void {
  const command = program.command('status').description('say whether a running engine is ready');
  addControlOptions(command).action(showStatus);
}

async function showStatus(options: ControlOptions): Promise<void> {
  const readiness = await askControl(options, '/readyz');
  const { body } = await askControl(options, '/debug/actors');
  const actors = actorRows(body);
  const ready = readiness.status === 200;
  const summary = {
    ready,
    readiness: readiness.body,
    actors: actors.length,
    running: actors.filter((actor) => actor.status === 'running').length,
    restarts: actors.reduce((sum, actor) => sum + actor.restarts, 0),
    notRunning: actors.filter((actor) => actor.status !== 'running').map((actor) => `${actor.path} ${actor.status}`),
  };
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify(summary)}\n`);
  } else {
    const lines = [
      `${ready ? 'READY' : 'NOT READY'}  ${summary.running} of ${summary.actors} actors running, ${summary.restarts} restarts`,
      ...(ready ? [] : [JSON.stringify(readiness.body)]),
      ...summary.notRunning,
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
  }
  if (!ready) throw new CommandFailure('');
}
