/** `tandem adopt`: makes a pair of what two accounts hold and no pair explains, after a person has seen it. Main thread only. */
import type { Command } from 'commander';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AdoptionPicture, Holding } from '../control/adoption-picture.ts';
import { act, fieldsOf, LOOK_MS, order, reasonOption, say, STATE_WAIT_MS } from './acts.ts';
import type { ActOptions } from './acts.ts';
import { CommandFailure } from './command-failure.ts';
import { confirm } from './confirmation.ts';
import { addressOf, askControl } from './control-client.ts';

export function register(program: Command): void {
  act(
    program,
    'adopt',
    'take over a hedged position that the engine did not open: one long, one short, the same amount',
  )
    .argument('<symbol>', 'for example BTC')
    .addOption(reasonOption().makeOptionMandatory())
    .action(adopt);
}

async function adopt(symbol: string, options: ActOptions): Promise<void> {
  const before = await look(symbol, options);
  if (before === undefined) throw new CommandFailure(`symbol must be one the engine trades, was "${symbol}"`);
  const [long, ...moreLong] = before.external.filter(({ lots }) => lots > 0);
  const [short, ...moreShort] = before.external.filter(({ lots }) => lots < 0);
  if (long === undefined || short === undefined || moreLong.length + moreShort.length > 0) {
    const found = before.external.map(described).join(', ') || 'nothing';
    throw new CommandFailure(`${symbol} must have one long and one short position that no pair explains, has ${found}`);
  }
  await confirm(
    `gives the engine a pair of ${symbol}, ${described(long)} and ${described(short)}, which it may close when its rules say so`,
    options.yes === true,
  );
  // What was shown is what is asked for: anything else held by then is refused.
  await order(options, `/control/adopt/${addressOf(symbol)}`, {
    long: legOf(long),
    short: legOf(short),
    reason: options.reason,
  });
  const { outcome, detail } = await untilDecided(symbol, options, before.asked);
  if (outcome !== 'adopted') throw new CommandFailure(`${symbol} was not adopted: ${detail}`);
  say(options, { symbol, adopted: true, pairId: detail }, `${symbol} adopted as ${detail}`);
}

function described({ venue, account, quantity }: Holding): string {
  return `${quantity > 0 ? 'long' : 'short'} ${Math.abs(quantity)} at ${venue}:${account}`;
}

function legOf({ venue, account, lots }: Holding): Omit<Holding, 'quantity'> {
  return { venue, account, lots: Math.abs(lots) };
}

async function untilDecided(symbol: string, options: ActOptions, askedBefore: number): Promise<AdoptionPicture> {
  const endMs = performance.now() + STATE_WAIT_MS;
  while (performance.now() < endMs) {
    const picture = await look(symbol, options);
    if (picture !== undefined && picture.asked > askedBefore && picture.outcome !== 'writing') return picture;
    await sleep(LOOK_MS);
  }
  throw new CommandFailure(
    `whether ${symbol} was adopted must be known within ${STATE_WAIT_MS / 1_000} s: watch "tandem actors position/${symbol}"`,
  );
}

/** Undefined when nobody lives there, or does not answer. */
async function look(symbol: string, options: ActOptions): Promise<AdoptionPicture | undefined> {
  const { status, body } = await askControl(options, `/debug/adoption/${addressOf(symbol)}`);
  if (status === 404) return undefined;
  const fields = fieldsOf(body);
  const external: unknown = fields?.['external'];
  if (status !== 200 || fields === undefined || !Array.isArray(external))
    throw new CommandFailure(`the engine answered ${status}: ${JSON.stringify(body)}`);
  return {
    external: external.map(fieldsOf).map((holding) => ({
      venue: String(holding?.['venue']),
      account: String(holding?.['account']),
      lots: Number(holding?.['lots']),
      quantity: Number(holding?.['quantity']),
    })),
    asked: Number(fields['asked']),
    outcome: String(fields['outcome']),
    detail: String(fields['detail']),
  };
}
