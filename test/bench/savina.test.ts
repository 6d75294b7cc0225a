import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { allPrograms } from '../../bench/savina/all-programs.ts';
import { startErlang, whyNoErlang } from '../../bench/savina/erlang-subject.ts';
import { candidatesOf, measureSmall } from '../../bench/savina/measure.ts';
import { startPeer } from '../../bench/savina/peer-subject.ts';
import { startRuntime } from '../../bench/savina/runtime-subject.ts';
import type { Subject } from '../../bench/savina/subject.ts';

const programs = allPrograms.map((program) => [program.name, program] as const);
const noErlang = whyNoErlang();

async function answersTwice(subject: Subject): Promise<readonly number[]> {
  onTestFinished(() => subject.close());
  return [(await subject.run()).answer, (await subject.run()).answer];
}

describe.each(programs)('%s', (_name, program) => {
  const problem = program.problem('small');

  it.each([1, 2] as const)('gives its answer on the runtime each time it is run, on %i threads', async (threads) => {
    expect(await answersTwice(await startRuntime(problem, threads))).toEqual([problem.answer, problem.answer]);
  });

  it.skipIf(noErlang !== undefined)(`gives the same in Erlang (${noErlang ?? 'installed'})`, async () => {
    expect(await answersTwice(await startErlang(program, problem, 2))).toEqual([problem.answer, problem.answer]);
  });
});

describe('the peers', () => {
  const [, chameneos] = programs.find(([name]) => name === 'savina-chameneos') ?? [];

  it.each([
    ['nact', 1],
    ['comedy', 1],
    ['postMessage', 2],
    ['comlink', 2],
    ['piscina', 2],
    ['comedy', 2],
  ] as const)('give the same answer: %s on %i threads', async (peer, threads) => {
    if (chameneos === undefined) throw new Error('the suite must have savina-chameneos');
    const { answer } = chameneos.problem('small');
    expect(await answersTwice(await startPeer(peer, chameneos, 'small', threads))).toEqual([answer, answer]);
  });

  it('say why they are absent from a program', () => {
    const counting = allPrograms.find(({ name }) => name === 'savina-counting');
    if (counting === undefined) throw new Error('the suite must have savina-counting');
    const absent = candidatesOf(counting, 'small', 2, undefined).filter((candidate) => 'absent' in candidate);
    expect(absent).toEqual([{ name: 'piscina', absent: expect.stringContaining('no order') }]);
  });
});

describe('a machine without Erlang', () => {
  it('is noticed by the missing command', () => {
    const empty = mkdtempSync(join(tmpdir(), 'tandem-path-'));
    onTestFinished(() => rmSync(empty, { recursive: true }));
    expect(whyNoErlang(empty)).toBe('erl is not installed');
  });

  it('has results all the same, which say that Erlang was skipped and why', async () => {
    const [, pingPong] = programs[0] ?? [];
    if (pingPong === undefined) throw new Error('the suite must have programs');
    const results = [];
    for await (const result of measureSmall(pingPong, 'erl is not installed')) results.push(result);
    const beside = results.filter(({ metric }) => metric.endsWith('beside Erlang'));
    expect(beside.map(({ metric }) => metric)).toEqual(['within: beside Erlang', 'across: beside Erlang']);
    for (const { value, baseline, ratio, note } of beside) {
      expect(value).toBeGreaterThan(0);
      expect([baseline, ratio]).toEqual([undefined, undefined]);
      expect(note).toContain('Erlang, 1 scheduler: skipped, erl is not installed');
      expect(note).toContain('Erlang, 2 schedulers: skipped, erl is not installed');
    }
    expect(results.map(({ metric, baseline }) => [metric, baseline?.name])).toContainEqual([
      'within: beside nact',
      'nact',
    ]);
  }, 120_000);
});
