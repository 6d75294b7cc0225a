import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Span } from '../../bench/evaluation-isolation/evaluation.ts';
import { measure } from '../../bench/evaluation-isolation/measure.ts';
import { startEvaluationSubject } from '../../bench/evaluation-isolation/subject.ts';
import type { EvaluationPlace, EvaluationSubject } from '../../bench/evaluation-isolation/subject.ts';

const BUSY_MS = 100;
const EVERY_MS = 150;
const FRAMES = 20;

describe('while an evaluation computes for 100 ms', () => {
  let folder: string;
  let subject: EvaluationSubject;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tandem-isolation-'));
    subject = await startEvaluationSubject(folder);
  });
  afterAll(async () => {
    await subject.close();
    rmSync(folder, { recursive: true });
  });

  /** Evaluates until the venues have sent some frames, and returns the frames and evaluations in order of time. */
  async function evaluate(
    place: EvaluationPlace,
  ): Promise<{ readonly spans: readonly Span[]; readonly framesNs: readonly bigint[] }> {
    await subject.beginEvaluating(place, { busyMs: BUSY_MS, everyMs: EVERY_MS });
    const framesNs: bigint[] = [];
    while (framesNs.length < FRAMES) {
      await subject.openWindow();
      await pause(EVERY_MS);
      framesNs.push(...(await subject.closeWindow()).framesNs);
    }
    return { spans: await subject.endEvaluating(place), framesNs };
  }
  const during = (spans: readonly Span[], framesNs: readonly bigint[]): readonly bigint[] =>
    framesNs.filter((atNs) => spans.some(({ beganNs, endedNs }) => beganNs < atNs && atNs < endedNs));

  it('on the trading thread, connectors go on taking up frames of their venues', async () => {
    // Venues send a frame every 20 ms or so; a busy machine may hold them all back through one evaluation, not through many.
    let framesDuring = 0;
    for (let tries = 0; tries < 30 && framesDuring === 0; tries++) {
      const { spans, framesNs } = await evaluate('trading');
      expect(spans.length).toBeGreaterThan(0);
      framesDuring = during(spans, framesNs).length;
    }
    expect(framesDuring).toBeGreaterThan(0);
  });

  it('on their own thread they take up none: what the threads are for', async () => {
    const { spans, framesNs } = await evaluate('io');
    expect(spans.length).toBeGreaterThan(0);
    expect(during(spans, framesNs)).toEqual([]);
  });
});

describe('a small measurement', () => {
  it('compares windows with evaluations on both threads with windows without', async () => {
    const said: string[] = [];
    const results = await measure(
      { rounds: 1, windowMs: 400, warmUpMs: 50, busyMs: BUSY_MS, everyMs: EVERY_MS },
      (text) => said.push(text),
    );
    const metrics = results.map(({ metric }) => metric);
    for (const place of ['trading', 'io']) {
      expect(metrics).toEqual(
        expect.arrayContaining([
          `${place}: io loop delay p99`,
          `${place}: frames`,
          `${place}: frames during an evaluation`,
        ]),
      );
    }
    expect(metrics).toContain('machine: io loop delay p99');
    for (const { runs, spread } of results) expect([runs, spread]).toEqual([1, 0]);
    expect(said).toContain('run 1 of 1');
  });
});
