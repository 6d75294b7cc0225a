import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { TradingSummary } from '../../actors/observer.ts';
import { renderSummary, topRefusals } from '../../src/cli/summary-view.ts';
import { changeLines, standingLine } from '../../src/cli/summary-lines.ts';
import { formatAge, formatAmount, formatMoney, paint, span } from '../../src/cli/terminal-text.ts';
import { startTerminalView } from '../../src/cli/terminal-view.ts';
import type { SummaryInput } from '../../src/cli/terminal-view.ts';
import { openPair, pair, summaryInput } from './summary-input.ts';

const ESCAPE = String.fromCodePoint(27);
const STYLES = new RegExp(`${ESCAPE}\\[\\d+m`, 'g');

describe('the picture', () => {
  it.each([130, 100, 80, 60])('looks like this at %i columns', async (columns) => {
    const lines = renderSummary(summaryInput(), columns);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(
      join(import.meta.dirname, 'snapshots', `summary-${columns}.txt`),
    );
  });

  it('has colors on top of the same text, when they are wanted', () => {
    const plain = renderSummary(summaryInput(), 100);
    const colored = renderSummary(summaryInput(), 100, true);
    expect(plain.join('')).not.toContain(ESCAPE);
    expect(colored.join('')).toContain(ESCAPE);
    expect(colored.map((line) => line.replace(STYLES, ''))).toEqual(plain);
  });

  it('shows what is missing while starting, and a lost tail of the journal', () => {
    const lines = renderSummary(
      summaryInput({
        trading: undefined,
        readiness: { ready: false, reasons: ['lighter:main is connecting', 'position/BTC is recovering'] },
        journal: { type: 'tail-lost', rows: 9, expectedSequence: 12, detail: 'rows 10 to 12 are lost' },
      }),
      100,
    );
    expect(lines.slice(0, 5)).toEqual([
      ' TANDEM  STARTING    http://127.0.0.1:7070 · page: npx tandem dashboard · boot 3 · 9 journal rows',
      '  journal: rows 10 to 12 are lost',
      '  waiting: lighter:main is connecting, position/BTC is recovering',
      '',
      '  no news from the observer yet',
    ]);
  });

  it('lets no text of a venue move the cursor', () => {
    expect(paint([span(`down${ESCAPE}[2J\r\n‮漢😀`)], 80, true)).toBe('down?[2J?????');
  });
});

describe('amounts and ages', () => {
  it.each([
    [0n, '0.0000'],
    [1n, '+0.0000'],
    [50n, '+0.0001'],
    [-1_234_567n, '-1.2346'],
    [99_999_949n, '+99.9999'],
    [123_456_789n, '+123.46'],
    [-12_345_678_901_234n, '-12,345,678.90'],
  ])('%i micro-units are %s', (micro, text) => {
    expect(formatMoney(micro)).toBe(text);
    expect(formatAmount(micro)).toBe(text.replace('+', ''));
  });

  it.each([
    [-5, '0 s'],
    [59_999, '59 s'],
    [61_000, '1 m 01 s'],
    [3 * 3_600_000 + 720_000, '3 h 12 m'],
    [75 * 3_600_000, '3 d 3 h'],
  ])('%i ms are %s', (ms, text) => {
    expect(formatAge(ms)).toBe(text);
  });

  it('names the gates that refuse most', () => {
    expect(topRefusals({ A: 1, B: 5, C: 5, D: 2, E: 3, F: 4 })).toBe('B 5, C 5, F 4, E 3, D 2');
  });
});

/** The same instant with other pairs. */
function withPairs(...pairs: NonNullable<SummaryInput['trading']>['pairs']): SummaryInput {
  const input = summaryInput();
  if (input.trading === undefined) throw new Error('the fixture trades');
  return { ...input, trading: { ...input.trading, pairs } };
}

describe('books that do not add up', () => {
  const checked = { rows: 9, isCaughtUp: true, comparisons: 5, broken: [], wallets: [], closedPairs: [] };
  const fees = {
    identity: 'LEG_FEES',
    subject: 'lighter:main:BTC',
    expected: '-5',
    got: '-6',
    atMs: 1,
    isAcknowledged: false,
  } as const;
  const withBooks = (identities: TradingSummary['identities']): SummaryInput => {
    const input = summaryInput();
    if (input.trading === undefined || identities === undefined) throw new Error('the fixture trades');
    return { ...input, trading: { ...input.trading, identities } };
  };

  it('stand above everything else, with both numbers', () => {
    const lines = renderSummary(withBooks({ ...checked, broken: [fees] }), 120);
    expect(lines[1]).toBe('  LEG_FEES lighter:main:BTC: expected -5, got -6');
    expect(lines[2]).toContain('books 1 BROKEN');
    expect(renderSummary(withBooks(checked), 120)[1]).toContain('books exact');
    expect(renderSummary(withBooks({ ...checked, isCaughtUp: false }), 120)[1]).toContain('books being read');
  });

  it('are told once in single lines, and stay in how things stand', () => {
    const broken = withBooks({ ...checked, broken: [fees] });
    expect(standingLine(broken)).toContain('| books 1 BROKEN |');
    expect(standingLine(withBooks(checked))).toContain('| books exact |');
    expect(changeLines(withBooks(checked), broken)).toEqual(['BROKEN LEG_FEES lighter:main:BTC: expected -5, got -6']);
    expect(changeLines(broken, broken)).toEqual([]);
  });
});

describe('single lines', () => {
  it('say how things stand', () => {
    expect(standingLine(summaryInput())).toBe(
      'READY | TRADING | open 2 at 1,996.24 | funding +9.8765 | net +21.3100 | closed 8 | lag p99 ms: main 1.9 io-0 60.4 trading-0 1.4 store 2.2 | restarts 3 | http://127.0.0.1:7070',
    );
  });

  it('tell what is found at the start', () => {
    expect(changeLines(undefined, summaryInput())).toEqual([
      'engine TRADING (resumed)',
      'extended:main ready',
      'lighter:main connecting (waiting for instruments?[2J)',
      'BTC OPEN, long lighter, short extended',
      'ETH CLOSING (CARRY_REVERSED), long lighter, short extended',
    ]);
  });

  it('tell of rows that the journal lost, once', () => {
    const input = summaryInput({
      journal: { type: 'tail-lost', rows: 9, expectedSequence: 12, detail: 'rows 10 to 12 are lost' },
    });
    expect(changeLines(undefined, input)[0]).toBe('journal: rows 10 to 12 are lost');
    expect(changeLines(input, input)).toEqual([]);
  });

  it('tell openings, booked funding and ends, and nothing twice', () => {
    const idle = withPairs(pair('BTC'));
    const open = withPairs(openPair('BTC', { fundingPayments: 0, fundingMicro: 0n }));
    const paid = withPairs(openPair('BTC', { fundingPayments: 2, fundingMicro: 30_000n }));
    const closed = withPairs(
      openPair('BTC', {
        phase: 'CLOSED',
        reason: 'MAX_HOLD',
        fundingPayments: 2,
        fundingMicro: 30_000n,
        feesMicro: -10_000n,
        realisedMicro: 5_000n,
      }),
    );
    expect(changeLines(idle, open)).toEqual(['BTC OPEN, long lighter, short extended']);
    expect(changeLines(open, paid)).toEqual(['BTC funding +0.0300 booked, 2 payments so far']);
    expect(changeLines(paid, paid)).toEqual([]);
    expect(changeLines(paid, closed)).toEqual(['BTC CLOSED (MAX_HOLD), long lighter, short extended, result +0.0250']);
    expect(changeLines(closed, idle)).toEqual([]);
  });

  it('tell restarts', () => {
    const before = summaryInput();
    const [first, ...others] = before.snapshot.actors;
    if (first === undefined) throw new Error('the fixture has actors');
    const after = summaryInput({ snapshot: { ...before.snapshot, actors: [{ ...first, restarts: 1 }, ...others] } });
    expect(changeLines(before, after)).toEqual(['restarted 1 actors']);
  });
});

/** A view whose reads are answered one by one. */
function stageView(
  output: { isTTY?: boolean; columns?: number; rows?: number },
  environment: Record<string, string> = {},
) {
  const written: string[] = [];
  const waiting: ((input: SummaryInput) => void)[] = [];
  const reads: (() => void)[] = [];
  const view = startTerminalView({
    read: () =>
      new Promise((resolve) => {
        waiting.push(resolve);
        reads.shift()?.();
      }),
    output: { ...output, write: (text) => written.push(text) },
    environment,
    pauseMs: 0,
    standingMs: 1_000_000,
  });
  onTestFinished(() => view.stop());
  return {
    view,
    written,
    /** Answers the read under way and waits for the next one: then this one is shown. */
    answer: (input: SummaryInput) =>
      new Promise<void>((resolve) => {
        reads.push(resolve);
        waiting.shift()?.(input);
      }),
  };
}

describe('the view on a terminal', () => {
  it('draws each picture over the last one and gives the cursor back', async () => {
    const stage = stageView({ isTTY: true, columns: 100, rows: 50 });
    await stage.answer(summaryInput());
    await stage.answer(summaryInput());
    const height = renderSummary(summaryInput(), 100).length;
    const [hide, first = '', second = ''] = stage.written;
    expect(hide).toBe(`${ESCAPE}[?25l`);
    expect(first.split('\n')).toHaveLength(height + 1);
    expect(second).toBe(`${ESCAPE}[${height}A${first}`);
    stage.view.stop();
    expect(stage.written.at(-1)).toBe(`${ESCAPE}[?25h`);
  });

  it('says lines above the picture', async () => {
    const stage = stageView({ isTTY: true, columns: 100, rows: 50 });
    await stage.answer(summaryInput());
    const picture = stage.written.at(-1) ?? '';
    stage.view.say('stopping');
    expect(stage.written.at(-1)).toBe(
      `${ESCAPE}[${picture.split('\n').length - 1}A\rstopping${ESCAPE}[K\n${picture.slice(1)}`,
    );
  });

  it('never scrolls: what is too high loses its empty lines, then its end', async () => {
    for (const rows of [26, 12]) {
      const stage = stageView({ isTTY: true, columns: 100, rows });
      await stage.answer(summaryInput());
      const lines = (stage.written.at(-1) ?? '').split('\n').slice(0, -1);
      expect(lines.length).toBeLessThan(rows);
      if (rows === 12) expect(lines.at(-1)).toMatch(/^… \d+ more lines/);
    }
  });

  it('uses no color with NO_COLOR', async () => {
    for (const [value, isColored] of [
      ['1', false],
      ['', true],
    ] as const) {
      const stage = stageView({ isTTY: true, columns: 100, rows: 50 }, { NO_COLOR: value });
      await stage.answer(summaryInput());
      expect(STYLES.test(stage.written.join(''))).toBe(isColored);
      STYLES.lastIndex = 0;
    }
  });
});

describe('the view elsewhere', () => {
  it('prints lines that stay, without any escape', async () => {
    const stage = stageView({});
    await stage.answer(summaryInput());
    await stage.answer(summaryInput());
    expect(stage.written.join('')).not.toContain(ESCAPE);
    expect(stage.written).toHaveLength(6);
    expect(stage.written.at(-1)).toBe(`${standingLine(summaryInput())}\n`);
  });

  it('says READY when it becomes so', async () => {
    const stage = stageView({});
    await stage.answer(summaryInput({ readiness: { ready: false, reasons: ['lighter:main is connecting'] } }));
    await stage.answer(summaryInput());
    expect(stage.written.filter((line) => line.startsWith('READY'))).toHaveLength(1);
    expect(stage.written.filter((line) => line.startsWith('STARTING (lighter:main is connecting)'))).toHaveLength(1);
  });
});
