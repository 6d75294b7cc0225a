/** Runs a program on the runtime, its peers and Erlang, turn by turn in one run, and checks every answer. Main thread only. */
import type { BenchOptions, BenchResult, BenchTarget } from '../result.ts';
import { median, spreadOf } from '../runtime/load-runs.ts';
import { startErlang, whyNoErlang } from './erlang-subject.ts';
import { startPeer } from './peer-subject.ts';
import type { PeerName, Problem, Program, SizeName } from './program.ts';
import { startRuntime } from './runtime-subject.ts';
import type { Candidate, Subject } from './subject.ts';

/** How often everything runs. */
interface Plan {
  /** Runs before the first that counts, at least so many and so long per subject: what is measured is compiled code. */
  readonly warmUps: number;
  readonly warmUpMs: number;
  readonly rounds: number;
}

const PLAN: Plan = { warmUps: 2, warmUpMs: 400, rounds: 5 };

/** On one thread or two, at which size, and what is asked of it against Erlang on the same cores. */
interface Setting {
  readonly label: string;
  readonly size: SizeName;
  readonly threads: 1 | 2;
  readonly target: BenchTarget;
}

const SETTINGS: readonly Setting[] = [
  { label: 'within', size: 'within', threads: 1, target: { of: 'ratio', is: 'at least', need: 1, aim: 3 } },
  { label: 'across', size: 'across', threads: 2, target: { of: 'ratio', is: 'at least', need: 1 } },
];

const PEERS: Readonly<Record<1 | 2, readonly PeerName[]>> = {
  1: ['nact', 'comedy'],
  2: ['postMessage', 'comlink', 'piscina', 'comedy'],
};

/** Who cannot run anything in a setting, and why. */
const NEVER: Readonly<Record<1 | 2, string>> = {
  1: 'postMessage, comlink and piscina are absent: they only carry messages between threads',
  2: 'nact is absent: its actors share one thread',
};

/** Measures a program within one thread and across two. */
export async function* measureProgram(program: Program, { progress }: BenchOptions): AsyncGenerator<BenchResult> {
  for (const setting of SETTINGS) yield* measure(program, setting, PLAN, whyNoErlang(), progress);
}

/** Measures once at the size for tests. `noErlang`: why it is to be left out, undefined when it takes part. */
export async function* measureSmall(program: Program, noErlang: string | undefined): AsyncGenerator<BenchResult> {
  const plan = { warmUps: 0, warmUpMs: 0, rounds: 1 };
  for (const setting of SETTINGS) yield* measure(program, { ...setting, size: 'small' }, plan, noErlang, () => {});
}

async function* measure(
  program: Program,
  setting: Setting,
  plan: Plan,
  noErlang: string | undefined,
  progress: (text: string) => void,
): AsyncGenerator<BenchResult> {
  const problem = program.problem(setting.size);
  const candidates = candidatesOf(program, setting.size, setting.threads, noErlang);
  const subjects: Subject[] = [];
  try {
    for (const candidate of candidates) if ('start' in candidate) subjects.push(await candidate.start());
    const ratesOf = await play(program, problem, subjects, plan, (text) => progress(`${setting.label}: ${text}`));
    yield* resultsOf(program, setting, plan, candidates, ratesOf);
  } finally {
    for (const subject of subjects) await subject.close();
  }
}

/** Who takes part, and who does not, and why. The runtime comes first. */
export function candidatesOf(
  program: Program,
  size: SizeName,
  threads: 1 | 2,
  noErlang: string | undefined,
): readonly Candidate[] {
  const problem = program.problem(size);
  const erlangs = ([1, 2] as const).map((schedulers): Candidate => {
    const name = `Erlang, ${schedulers} scheduler${schedulers === 1 ? '' : 's'}`;
    if (noErlang !== undefined) return { name, absent: noErlang };
    return { name, start: () => startErlang(program, problem, schedulers) };
  });
  const peers = PEERS[threads].map((peer): Candidate => {
    const absent = program.absent?.[peer];
    if (absent !== undefined) return { name: peer, absent };
    return { name: peer, start: () => startPeer(peer, program, size, threads) };
  });
  return [{ name: 'runtime', start: () => startRuntime(problem, threads) }, ...erlangs, ...peers];
}

/** Returns each subject's rates in units of work a second. Throws on a wrong answer. */
async function play(
  program: Program,
  problem: Problem,
  subjects: readonly Subject[],
  { warmUps, warmUpMs, rounds }: Plan,
  progress: (text: string) => void,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const once = async (subject: Subject): Promise<number> => {
    const { elapsedMs, answer } = await subject.run();
    if (answer !== problem.answer)
      throw new Error(`${subject.name} must answer ${problem.answer} to ${program.name}, was ${answer}`);
    return elapsedMs;
  };
  progress('warm-up');
  for (const subject of subjects) {
    let ranMs = 0;
    for (let count = 0; count < warmUps || ranMs < warmUpMs; count++) ranMs += await once(subject);
  }
  const rates = new Map(subjects.map(({ name }) => [name, [] as number[]]));
  for (let round = 1; round <= rounds; round++) {
    progress(`run ${round} of ${rounds}`);
    for (const subject of subjects) rates.get(subject.name)?.push((problem.work * 1_000) / (await once(subject)));
  }
  return rates;
}

function* resultsOf(
  program: Program,
  setting: Setting,
  { rounds }: Plan,
  candidates: readonly Candidate[],
  ratesOf: ReadonlyMap<string, readonly number[]>,
): Generator<BenchResult> {
  const ours = ratesOf.get('runtime') ?? [];
  const value = median(ours);
  const threads = setting.threads === 1 ? 'within one thread' : 'across two threads';
  const shared = {
    value,
    unit: `${program.unit}/s`,
    runs: rounds,
    spread: spreadOf(ours),
    topology: `${program.topology}, ${threads}`,
  };
  const beside = (name: string, rate: number) => ({ baseline: { name, value: rate }, ratio: value / rate });
  const erlangs = [...ratesOf].filter(([name]) => name.startsWith('Erlang'));
  const [better, other] = erlangs.map(([name, rates]) => [name, median(rates)] as const).sort((a, b) => b[1] - a[1]);
  const note = [
    ...(better === undefined || other === undefined
      ? []
      : [
          `Erlang's better setting here is that with ${schedulersOf(better[0])}; with ${schedulersOf(other[0])} it does ${Math.round(other[1])}`,
        ]),
    NEVER[setting.threads],
    ...candidates.flatMap((candidate) =>
      'absent' in candidate ? [`${candidate.name}: skipped, ${candidate.absent}`] : [],
    ),
  ].join('; ');
  yield {
    metric: `${setting.label}: beside Erlang`,
    ...shared,
    ...(better === undefined ? {} : { ...beside(...better), target: setting.target }),
    note,
  };
  for (const peer of PEERS[setting.threads]) {
    const rates = ratesOf.get(peer);
    if (rates !== undefined)
      yield { metric: `${setting.label}: beside ${peer}`, ...shared, ...beside(peer, median(rates)) };
  }
}

function schedulersOf(erlang: string): string {
  return erlang.slice('Erlang, '.length);
}
