/** Identity I3: an account's wallet moves by what the journal explains. Counting begins with the first value that stood still. */
import type { BrokenIdentity } from '../../src/execution/identities.ts';
import { legKeyText } from '../../src/execution/facts.ts';
import { walletChangeMicro } from '../../src/execution/ledger.ts';
import { microText } from '../../src/money/amounts.ts';
import type { MonitorMessage, WalletReport } from '../monitor-messages.ts';
import type { MonitorSelf, MonitorState, WalletWatch } from './state.ts';

/** The wallet and the journal hear of one payment at different moments: a difference counts as the start when it stood so long. */
const STANDS_MS = 2_000;

export function walletTold(
  state: MonitorState,
  { venue, account, walletMicro }: Extract<MonitorMessage, { type: 'account-changed' }>,
): void {
  const key = `${venue}:${account}`;
  const known = state.wallets.get(key);
  if (known === undefined) {
    state.wallets.set(key, {
      venue,
      account,
      walletMicro,
      startMicro: undefined,
      factsAtStart: 0,
      offsetMicro: undefined,
      offsetSinceMs: 0,
      startHeldMs: 0,
    });
  } else {
    known.walletMicro = walletMicro;
  }
}

/** Compares one wallet with the journal. Returns nothing while there is no start to count from. */
export function walletBreaches(state: MonitorState, self: MonitorSelf, wallet: WalletWatch): readonly BrokenIdentity[] {
  const now = self.monotonicMs();
  const { changeMicro, facts } = explained(state, wallet);
  const offsetMicro = wallet.walletMicro - changeMicro;
  if (offsetMicro !== wallet.offsetMicro) {
    wallet.offsetMicro = offsetMicro;
    wallet.offsetSinceMs = now;
  }
  const heldMs = now - wallet.offsetSinceMs;
  if (wallet.startMicro === undefined) {
    if (heldMs < STANDS_MS) return [];
    startFrom(wallet, offsetMicro, facts);
  }
  const unexplained = offsetMicro - (wallet.startMicro ?? offsetMicro);
  const tolerance = BigInt(facts - wallet.factsAtStart);
  if (unexplained <= tolerance && unexplained >= -tolerance) {
    wallet.startHeldMs = Math.max(wallet.startHeldMs, heldMs);
    return [];
  }
  // The start was a moment between a payment and its record: what has stood for so long since is the truer one.
  if (wallet.startHeldMs < state.patience.walletMs && heldMs >= state.patience.walletMs) {
    self.log('info', 'wallet-start-moved', {
      venue: wallet.venue,
      account: wallet.account,
      by: microText(unexplained),
    });
    startFrom(wallet, offsetMicro, facts);
    return [];
  }
  return [
    {
      identity: 'WALLET_CHANGE',
      subject: `${wallet.venue}:${wallet.account}`,
      expected: '0',
      got: `${unexplained} micro-units that no row explains`,
    },
  ];
}

/** Once told, counting starts anew: the next difference is another one. */
export function restartWallet(state: MonitorState, wallet: WalletWatch): void {
  const { changeMicro, facts } = explained(state, wallet);
  startFrom(wallet, wallet.walletMicro - changeMicro, facts);
}

export function walletReports(state: MonitorState): readonly WalletReport[] {
  return [...state.wallets.values()].map((wallet) => {
    const { venue, account, startMicro } = wallet;
    if (startMicro === undefined) return { venue, account };
    return { venue, account, unexplainedMicro: wallet.walletMicro - explained(state, wallet).changeMicro - startMicro };
  });
}

function startFrom(wallet: WalletWatch, offsetMicro: bigint, facts: number): void {
  wallet.startMicro = offsetMicro;
  wallet.factsAtStart = facts;
  wallet.startHeldMs = 0;
}

function explained(
  state: MonitorState,
  { venue, account }: WalletWatch,
): { readonly changeMicro: bigint; readonly facts: number } {
  let changeMicro = 0n;
  let facts = 0;
  for (const { ledger, tally } of state.symbols.values()) {
    changeMicro += walletChangeMicro(ledger, venue, account);
    for (const book of ledger.books.values()) {
      if (book.key.venue !== venue || book.key.account !== account) continue;
      const leg = tally.legs.get(legKeyText(book.key));
      facts += (leg?.fills ?? 0) + (leg?.payments ?? 0) + (leg?.adjustments ?? 0);
    }
  }
  return { changeMicro, facts };
}
