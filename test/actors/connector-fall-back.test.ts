/** Optimisations that go wrong by themselves: what is simpler takes their place for a while, and they are tried again. */
import { expect, it } from 'vitest';
import { noteFailure } from '../../actors/connector/circuits.ts';
import { questionsAtOnce } from '../../actors/connector/concurrency.ts';
import { endFallBacks, FALL_BACK_MS } from '../../actors/connector/fall-back.ts';
import { flagsPicture, setFlag } from '../../actors/connector/flags.ts';
import { frameAnswered, queueFrames, releaseFrames } from '../../actors/connector/frames.ts';
import type { FlagName } from '../../src/venues/flags.ts';
import type { OutboundFrame } from '../../src/venues/venue.ts';
import { bareConnector } from './bare-connector.ts';
import type { BareConnector } from './bare-connector.ts';

/** Longer than an answer to a control frame may take, ms. */
const UNANSWERED_MS = 11_000;

function fellBack({ state }: BareConnector, name: FlagName): { readonly isOn: boolean; readonly fellBack: number } {
  return flagsPicture(state)[name];
}

function pass({ actor, state, self }: BareConnector, ms: number): void {
  actor.advance(ms);
  endFallBacks(state, self);
}

const wish = (verb: string): OutboundFrame => ({
  socketKey: 'market',
  text: `${verb} a`,
  kind: 'control',
  key: 'a',
  awaits: `${verb} a`,
});

function waiting({ state, self }: BareConnector): number {
  state.frames = [];
  queueFrames(state, self, [wish('subscribe')]);
  queueFrames(state, self, [wish('subscribe')]);
  return state.frames.length;
}

it('coalescing rests when what it left over is not answered', () => {
  const connector = bareConnector('lighter');
  const { state, self } = connector;
  expect(waiting(connector)).toBe(1);
  releaseFrames(state, self);
  pass(connector, UNANSWERED_MS);
  queueFrames(state, self, [wish('unsubscribe')]);
  releaseFrames(state, self);
  expect(fellBack(connector, 'coalescing')).toEqual({ isOn: true, fellBack: 1 });
  expect(waiting(connector)).toBe(2);
  pass(connector, FALL_BACK_MS);
  expect(waiting(connector)).toBe(1);
});

it('coalescing goes on while all is answered', () => {
  const connector = bareConnector('lighter');
  const { state, self } = connector;
  waiting(connector);
  releaseFrames(state, self);
  frameAnswered(state, self, 'market', 'subscribe a');
  pass(connector, UNANSWERED_MS);
  queueFrames(state, self, [wish('unsubscribe')]);
  releaseFrames(state, self);
  expect(fellBack(connector, 'coalescing')).toEqual({ isOn: true, fellBack: 0 });
});

it.each([Number.NaN, 0, 1.5])('adaptive concurrency rests when it would allow %s questions', (calm) => {
  const connector = bareConnector('lighter');
  const concurrency = { calm: 12, busy: 15, critical: 20, criticalWatchers: 5 };
  Object.assign(connector.state.args, { concurrency: { ...concurrency, calm } });
  expect(questionsAtOnce(connector.state, connector.self)).toBe(32);
  expect(fellBack(connector, 'adaptive-concurrency')).toEqual({ isOn: true, fellBack: 1 });
  Object.assign(connector.state.args, { concurrency });
  expect(questionsAtOnce(connector.state, connector.self)).toBe(32);
  pass(connector, FALL_BACK_MS);
  expect(questionsAtOnce(connector.state, connector.self)).toBe(12);
});

it('the premium profile rests when questions fail one after the other, until it is tried or switched again', () => {
  const connector = bareConnector('lighter');
  const { state, self } = connector;
  const profiles: string[] = [];
  Object.assign(self.ports.http, { setProfile: (profile: string) => void profiles.push(profile) });
  const fail = (): void => {
    for (let failure = 0; failure < 5; failure++) noteFailure(state, self, 'rest');
  };
  setFlag(state, self, 'premium-profile', true);
  fail();
  expect(profiles).toEqual(['premium', 'standard']);
  expect(fellBack(connector, 'premium-profile')).toEqual({ isOn: true, fellBack: 1 });
  pass(connector, FALL_BACK_MS);
  expect(profiles).toEqual(['premium', 'standard', 'premium']);
  fail();
  setFlag(state, self, 'premium-profile', false);
  pass(connector, FALL_BACK_MS);
  expect(profiles.at(-1)).toBe('standard');
});

it('what is switched off cannot go wrong', () => {
  const connector = bareConnector('lighter');
  for (let failure = 0; failure < 5; failure++) noteFailure(connector.state, connector.self, 'rest');
  expect(fellBack(connector, 'premium-profile')).toEqual({ isOn: false, fellBack: 0 });
});
