/** `tandem replay`: plays a recording to the connector in virtual time and says what it made of it. Main thread only. */
import { Option } from 'commander';
import type { Command } from 'commander';
import type { RawFormat } from '../recording/converters.ts';
import { RAW_FORMATS } from '../recording/converters.ts';
import type { ReplayReport } from '../composition/replay.ts';
import { CommandFailure, EXIT } from './command-failure.ts';

interface ReplayCommandOptions {
  readonly json?: true;
  readonly raw?: RawFormat;
  readonly venue?: string;
  readonly base?: string;
}

export function register(program: Command): void {
  program
    .command('replay')
    .description('play a recording (a file, or a folder of one account) to the same connector in virtual time')
    .argument('<path>', 'recording made by `tandem record`, or raw frames with --raw')
    .option('--json', 'the report as JSON')
    .addOption(new Option('--raw <format>', 'frames of a public connection, one a line').choices(RAW_FORMATS))
    .option('--venue <name>', 'whose raw frames they are')
    .option('--base <name>', 'which underlying they are of, for example BTC')
    .action(runReplay);
}

async function runReplay(path: string, options: ReplayCommandOptions): Promise<void> {
  const { raw, venue, base } = options;
  if (raw !== undefined && (venue === undefined || base === undefined))
    throw new CommandFailure('--raw needs --venue and --base', EXIT.usage);
  const { replayRecording } = await import('../composition/live/replay-run.ts');
  let report: ReplayReport;
  try {
    report = replayRecording(
      path,
      raw === undefined ? undefined : { format: raw, venue: venue ?? '', base: base ?? '' },
    );
  } catch (error) {
    throw new CommandFailure(`${path} cannot be replayed: ${error instanceof Error ? error.message : String(error)}`);
  }
  process.stdout.write(options.json === true ? `${JSON.stringify(report)}\n` : `${reportText(report)}\n`);
}

function reportText(report: ReplayReport): string {
  const rows = (counts: Readonly<Record<string, number>>): readonly string[] =>
    Object.entries(counts).map(([name, count]) => `  ${name.padEnd(28)} ${count}`);
  return [
    `${report.venue}: ${report.frames} frames in ${(report.durationMs / 1_000).toFixed(1)} s, at the end ${report.status}`,
    ...(report.lost > 0 ? [`${report.lost} entries were lost while recording`] : []),
    'told',
    ...rows(report.told),
    'counted',
    ...rows(report.counted),
    ...(report.unanswered.length > 0 ? ['not recorded', ...report.unanswered.map((question) => `  ${question}`)] : []),
    `hash ${report.hash}`,
  ].join('\n');
}
