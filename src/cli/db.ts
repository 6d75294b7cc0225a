/** `tandem db`: checks the journal of a data directory or prints its rows. Main thread only. */
import { Argument, InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import type { JournalRow, JournalRowType, StoreQuery } from '../storage/rows.ts';
import { CommandFailure } from './command-failure.ts';
import { requireJournal } from './journal-rows.ts';

const ROW_TYPES: readonly JournalRowType[] = [
  'boot',
  'intent',
  'order-planned',
  'order-event',
  'fill',
  'funding',
  'funding-expected',
  'adjust',
  'leg-reduction',
  'pair-state',
  'pair-statistics',
  'engine-state',
  'usage-ramp',
  'flag',
  'config',
];
const PAGE_ROWS = 500;

interface DbOptions {
  readonly dataDir: string;
  readonly json?: true;
}
interface DumpOptions extends DbOptions {
  readonly type?: JournalRowType;
  readonly after: number;
  readonly limit?: number;
}

export function register(program: Command): void {
  const db = program.command('db').description('check or print the journal of a data directory');
  db.command('verify')
    .description('follow the hash chain of all rows; exit code 0 only when the journal is whole')
    .option('--data-dir <folder>', 'where the journal is', './var')
    .option('--json', 'print the answer as JSON')
    .action(verify);
  db.command('explain')
    .description('show how each named query of the engine is answered: which index, in which order')
    .option('--data-dir <folder>', 'where the journal is', './var')
    .option('--json', 'print the answer as JSON')
    .action(explain);
  db.command('dump')
    .description('print rows as JSON, one a line, in the order they were written')
    .addArgument(new Argument('[correlation]', 'only rows of one pair or symbol, for example BTC'))
    .option('--data-dir <folder>', 'where the journal is', './var')
    .addOption(new Option('--type <type>', 'only rows of this type').choices(ROW_TYPES))
    .option('--after <sequence>', 'only rows after this one', readCount, 0)
    .option('--limit <rows>', 'at most so many rows', readCount)
    .action(dump);
}

async function verify(options: DbOptions): Promise<void> {
  requireJournal(options.dataDir);
  const { verifyJournal } = await import('../storage/live/journal-inspection.ts');
  const { JournalDamaged } = await import('../storage/journal-errors.ts');
  try {
    const verdict = verifyJournal(options.dataDir);
    const words = verdict.type === 'ok' ? `OK  ${verdict.rows} rows` : `TAIL LOST  ${verdict.detail}`;
    process.stdout.write(`${options.json === true ? JSON.stringify(verdict) : words}\n`);
    if (verdict.type !== 'ok') throw new CommandFailure('');
  } catch (error) {
    if (!(error instanceof JournalDamaged)) throw error;
    const { file, rule, sequence } = error;
    if (options.json === true) {
      process.stdout.write(`${JSON.stringify({ type: 'damaged', file, rule, sequence })}\n`);
      throw new CommandFailure('');
    }
    throw new CommandFailure(`DAMAGED  ${error.message}`);
  }
}

async function explain(options: DbOptions): Promise<void> {
  requireJournal(options.dataDir);
  const { explainQueries } = await import('../storage/live/journal-inspection.ts');
  const queries = explainQueries(options.dataDir);
  const text = ({ name, purpose, plan }: (typeof queries)[number]): string =>
    [`${name}: ${purpose}`, ...plan.map((step) => `    ${step}`)].join('\n');
  process.stdout.write(`${options.json === true ? JSON.stringify(queries) : queries.map(text).join('\n')}\n`);
}

async function dump(correlation: string | undefined, options: DumpOptions): Promise<void> {
  requireJournal(options.dataDir);
  const { readJournal } = await import('../storage/live/journal-inspection.ts');
  const { encodePayload } = await import('../storage/payload.ts');
  let left = options.limit ?? Number.POSITIVE_INFINITY;
  const rows = readJournal(options.dataDir, (afterSequence) =>
    queryOf(correlation, options.type, Math.max(afterSequence, options.after)),
  );
  for (const row of rows) {
    if (!isWanted(row, options)) continue;
    if (left <= 0) return;
    left -= 1;
    await writeLine(encodePayload({ ...row }));
  }
}

function queryOf(
  correlation: string | undefined,
  rowType: JournalRowType | undefined,
  afterSequence: number,
): StoreQuery {
  const page = { afterSequence, limit: PAGE_ROWS };
  if (correlation !== undefined) return { type: 'by-correlation', correlation, ...page };
  return rowType === undefined ? { type: 'all', ...page } : { type: 'by-type', rowType, ...page };
}

function isWanted(row: JournalRow, options: DumpOptions): boolean {
  return options.type === undefined || row.type === options.type;
}

/** Waits while the reader is slow: a journal does not fit into memory. */
function writeLine(line: string): Promise<void> {
  return new Promise((resolve) => {
    if (process.stdout.write(`${line}\n`)) resolve();
    else process.stdout.once('drain', resolve);
  });
}

function readCount(text: string): number {
  const count = Number(text);
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('must be a whole number.');
  return count;
}
