import { describe, expect, it, vi } from 'vitest';
import { withinDeadline } from '../../src/runtime/control-plane.ts';

const NEVER = new Promise<never>(() => {});

describe('a call to another thread', () => {
  it('settles with its answer, or with the error of the one who was asked', async () => {
    expect(await withinDeadline(Promise.resolve(7), 'the question', 60_000, NEVER)).toBe(7);
    await expect(withinDeadline(Promise.reject(new Error('no')), 'the question', 60_000, NEVER)).rejects.toThrow('no');
  });

  it('fails at its deadline, naming the call and the time', async () => {
    await expect(withinDeadline(NEVER, 'the question', 1, NEVER)).rejects.toMatchObject({
      code: 'deadline',
      message: 'the question must be answered within 1 ms',
    });
  });

  it('fails with the death of the thread, also with one that is over already', async () => {
    const death = Promise.withResolvers<string>();
    const calls = [1, 2].map((number) => withinDeadline(NEVER, `question ${number}`, 60_000, death.promise));
    death.resolve('it fell');
    await expect(calls[0]).rejects.toMatchObject({ code: 'thread-died', message: 'question 1: it fell' });
    await expect(calls[1]).rejects.toMatchObject({ code: 'thread-died' });
    await expect(withinDeadline(NEVER, 'too late', 60_000, death.promise)).rejects.toMatchObject({
      code: 'thread-died',
      message: 'too late: it fell',
    });
  });

  it('leaves nothing behind at a thread that lives on', async () => {
    const death = new Promise<string>(() => {});
    const then = vi.spyOn(death, 'then');
    for (let call = 0; call < 1_000; call++) await withinDeadline(Promise.resolve(call), 'the question', 60_000, death);
    expect(then).toHaveBeenCalledTimes(1);
  });
});
