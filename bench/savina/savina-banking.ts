/**
 * How many transfers a second do a thousand accounts settle, of which the giving one waits for the taking one's receipt?
 *
 *   [director] --transfer--> [account/i] --deposit--> [account/j] --deposited--> [account/i] --transferred--> [director]
 *   across: every second account on each thread. At most 1,000 transfers are under way. What comes to a waiting account is
 *   put aside until its receipt is there (in Erlang: selective receive).
 *
 * Realistic because a chain of questions through several actors, each with its own state, is how an order is placed.
 */
import { refOf, type ActorKind, type ActorRef } from '../../src/runtime/actor.ts';
import { measuring } from './measuring.ts';
import { begin, DIRECTOR, finish, mustTell, nextRandom, NORMAL, problemOf, seat, seats } from './program.ts';
import type { Program, Running, RunProgram } from './program.ts';

type AccountRef = ActorRef<AccountMessage>;
type DirectorMessage =
  | RunProgram
  | { readonly type: 'transferred' }
  | { readonly type: 'audited'; readonly number: number; readonly balance: number };
type AccountMessage =
  | { readonly type: 'transfer'; readonly amount: number; readonly target: AccountRef }
  | { readonly type: 'deposit'; readonly amount: number; readonly from: AccountRef }
  | { readonly type: 'deposited' }
  | { readonly type: 'audit' };

const UNDER_WAY_MAX = 1_000;
const FIRST_BALANCE = 1_000_000;
const TELLER: ActorRef<DirectorMessage> = refOf(DIRECTOR);

interface DirectorState {
  readonly accounts: readonly AccountRef[];
  readonly transfers: number;
  random: number;
  sent: number;
  settled: number;
  audited: number;
  weighed: number;
  running: Running | undefined;
}

const director: ActorKind<{ readonly accounts: number; readonly transfers: number }, DirectorState, DirectorMessage> = {
  kind: 'banking-teller',
  delivery: { 'run-program': NORMAL, transferred: NORMAL, audited: NORMAL },
  start: ({ accounts, transfers }) => ({
    accounts: Array.from({ length: accounts }, (_, index) => refOf<AccountMessage>(`account/${index}`)),
    transfers,
    random: 1,
    sent: 0,
    settled: 0,
    audited: 0,
    weighed: 0,
    running: undefined,
  }),
  receive(state, message, self) {
    switch (message.type) {
      case 'run-program':
        Object.assign(state, { random: 1, sent: 0, settled: 0, audited: 0, weighed: 0 });
        state.running = begin(message, self);
        break;
      case 'transferred':
        state.settled += 1;
        break;
      case 'audited':
        state.audited += 1;
        state.weighed += message.number * message.balance;
        break;
    }
    while (state.sent < state.transfers && state.sent - state.settled < UNDER_WAY_MAX) {
      const { source, target, amount, random } = drawTransfer(state.random, state.accounts.length);
      state.random = random;
      state.sent += 1;
      mustTell(self, accountAt(state, source), { type: 'transfer', amount, target: accountAt(state, target) });
    }
    if (message.type === 'transferred' && state.settled === state.transfers)
      for (const account of state.accounts) mustTell(self, account, { type: 'audit' });
    if (state.audited === state.accounts.length) state.running = finish(state.running, self, state.weighed);
    return state;
  },
};

function accountAt(state: DirectorState, number: number): AccountRef {
  const account = state.accounts[number];
  if (account === undefined) throw new Error(`there must be an account ${number}`);
  return account;
}

/** Money only flows to accounts with higher numbers: no two can wait for each other. */
function drawTransfer(random: number, accounts: number) {
  const first = nextRandom(random);
  const second = nextRandom(first);
  const third = nextRandom(second);
  const source = first % (Math.floor(accounts / 10) * 8);
  return { source, target: source + 1 + (second % (accounts - source - 1)), amount: third % 100, random: third };
}

interface AccountState {
  readonly number: number;
  balance: number;
  isWaiting: boolean;
  /** At most as many as transfers are under way. */
  aside: (AccountMessage & { readonly type: 'transfer' | 'deposit' })[];
}

const account: ActorKind<{ readonly number: number }, AccountState, AccountMessage> = {
  kind: 'banking-account',
  delivery: { transfer: NORMAL, deposit: NORMAL, deposited: NORMAL, audit: NORMAL },
  start: ({ number }) => ({ number, balance: FIRST_BALANCE, isWaiting: false, aside: [] }),
  receive(state, message, self) {
    switch (message.type) {
      case 'deposited': {
        state.isWaiting = false;
        mustTell(self, TELLER, { type: 'transferred' });
        let done = 0;
        for (const next of state.aside) {
          if (state.isWaiting) break;
          serve(state, next, self);
          done += 1;
        }
        if (done > 0) state.aside.splice(0, done);
        return state;
      }
      case 'audit':
        mustTell(self, TELLER, { type: 'audited', number: state.number, balance: state.balance });
        state.balance = FIRST_BALANCE;
        return state;
      case 'transfer':
      case 'deposit':
        if (state.isWaiting) state.aside.push(message);
        else serve(state, message, self);
        return state;
    }
  },
};

function serve(
  state: AccountState,
  message: AccountMessage & { readonly type: 'transfer' | 'deposit' },
  self: Parameters<typeof account.receive>[2],
): void {
  if (message.type === 'deposit') {
    state.balance += message.amount;
    mustTell(self, message.from, { type: 'deposited' });
    return;
  }
  state.balance -= message.amount;
  state.isWaiting = true;
  mustTell(self, message.target, { type: 'deposit', amount: message.amount, from: self.ref });
}

/** Plays the transfers on plain numbers and weighs each balance with its account's number. */
function expected(accounts: number, transfers: number): number {
  const balances = new Array<number>(accounts).fill(FIRST_BALANCE);
  let random = 1;
  for (let count = 0; count < transfers; count++) {
    const drawn = drawTransfer(random, accounts);
    balances[drawn.source] = (balances[drawn.source] ?? 0) - drawn.amount;
    balances[drawn.target] = (balances[drawn.target] ?? 0) + drawn.amount;
    random = drawn.random;
  }
  return balances.reduce((sum, balance, number) => sum + number * balance, 0);
}

export const program: Program = {
  name: 'savina-banking',
  erlangModule: 'savina_banking',
  topology: '1 -> 1,000 -> 1,000, at most 1,000 transfers under way',
  unit: 'transfers',
  kinds: [director, account],
  problem: problemOf(
    {
      within: { accounts: 1_000, transfers: 20_000 },
      across: { accounts: 1_000, transfers: 5_000 },
      small: { accounts: 20, transfers: 100 },
    },
    ({ accounts, transfers }) => ({
      seats: [
        ...seats(accounts, (number) => seat(`account/${number}`, account, { number }, number % 2 === 0 ? 0 : 1)),
        seat(DIRECTOR, director, { accounts, transfers }, 0),
      ],
      work: transfers,
      answer: expected(accounts, transfers),
      parameters: [accounts, transfers],
    }),
  ),
};

export const name = 'savina-banking';
export const run = measuring(program);
