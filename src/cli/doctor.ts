/** `tandem doctor`: examines every configured venue account step by step; reads only. Exit code 0 when nothing failed. Main thread only. */
import { Option } from 'commander';
import type { Command } from 'commander';
import { VENUE_NAMES } from '../../config/venue-names.ts';
import type { VenueName } from '../../config/venue-names.ts';
import type { Finding } from '../composition/live/doctor.ts';
import { CommandFailure } from './command-failure.ts';
import { configOption, loadConfigOrFail } from './config-file.ts';
import { keyOptions } from './passphrase.ts';

interface DoctorOptions {
  readonly config: string;
  readonly venue?: VenueName;
  readonly json?: true;
}

const MARKS: Readonly<Record<Finding['status'], string>> = {
  ok: 'ok     ',
  warning: 'WARNING',
  failed: 'FAILED ',
  skipped: '-      ',
};
const STEP_WIDTH = 12;

export function register(program: Command): void {
  program
    .command('doctor')
    .description('examine every configured venue account: keys, network, clock, access, rights, streams, balance')
    .addOption(configOption('configuration whose accounts are examined'))
    .addOption(new Option('--venue <name>', 'this venue only').choices(VENUE_NAMES))
    .option('--json', 'one JSON object per finding')
    .action(runDoctor);
}

async function runDoctor(options: DoctorOptions): Promise<void> {
  const config = await loadConfigOrFail(options.config, {});
  const { examineAll } = await import('../composition/live/doctor-run.ts');
  const { openKeys } = await import('../composition/live/account-keys.ts');
  const keys = await openKeys(config, keyOptions());
  let account = '';
  const isWell = await examineAll(config, { venue: options.venue, keys }, (finding) => {
    if (options.json === true) {
      process.stdout.write(`${JSON.stringify(finding)}\n`);
      return;
    }
    const heading = finding.account === account ? '' : `${finding.account}\n`;
    account = finding.account;
    process.stdout.write(
      `${heading}  ${MARKS[finding.status]}  ${finding.step.padEnd(STEP_WIDTH)} ${finding.detail}\n`,
    );
  });
  if (!isWell) throw new CommandFailure('');
}
