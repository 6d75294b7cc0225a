/** `tandem trace`: shows where one order came from and went, hop by hop across threads. Main thread only. */
import type { Command } from 'commander';
import { CommandFailure } from './command-failure.ts';
import { addControlOptions, addressOf, askControl } from './control-client.ts';
import type { ControlOptions } from './control-client.ts';
import { sanitize } from './terminal-text.ts';
import { formatTrace, formatTraceList } from './trace-text.ts';

export function register(program: Command): void {
  const command = program
    .command('trace')
    .description('show what an order came from and led to, hop by hop across threads; without an id, what there is')
    .argument('[id]', 'a client order id, the number of a trace, or "latest" for the latest order');
  addControlOptions(command).action(showTrace);
}

async function showTrace(id: string | undefined, options: ControlOptions): Promise<void> {
  const { status, body } = await askControl(
    options,
    id === undefined ? '/debug/traces' : `/debug/trace/${addressOf(id)}`,
  );
  if (status === 404) throw new CommandFailure(`no trace of "${id}" is kept: see tandem trace, and runtime.traceEvery`);
  if (status !== 200) throw new CommandFailure(`the engine answered ${status}: ${JSON.stringify(body)}`);
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify(body)}\n`);
    return;
  }
  const lines = id === undefined ? formatTraceList(body) : formatTrace(body);
  process.stdout.write(lines.map((line) => `${sanitize(line)}\n`).join(''));
}
