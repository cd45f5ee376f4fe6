/**
 * Forged results of the examples with limit and curve orders.
 *
 * A forger is assumed to know the trade: `trade` and `send` keep status, ratio, net positions and the like in step, so that it is
 * the broken rule itself that gives them away, not a field that they forgot.
 */

import type { Book } from '../../src/market/book.ts';
import type { Outcome, ReasonCode, Result } from '../../src/market/result.ts';
import type { ExampleName } from './examples.ts';

/** A book and its result that may be changed. */
export interface Draft {
  readonly book: Book;
  readonly result: Result;
}

const outcomeOf = ({ result }: Draft, id: string): Outcome => result.orders.find(({ record_id }) => record_id === id)!;
const say = (draft: Draft, id: string, changes: Partial<Outcome>) => Object.assign(outcomeOf(draft, id), changes);
const told = (draft: Draft, id: string, code: ReasonCode, distance = 0, missedSurplus = 0, binding: string[] = []) =>
  say(draft, id, { reason: { code, distance, missedSurplus, binding } });
/** Each order is said to have traded so much (MW), and the fields beside it agree. */
function trade(draft: Draft, powers: Record<string, number>): void {
  for (const [id, power] of Object.entries(powers)) {
    const order = draft.book.orders.find(({ record_id }) => record_id === id)!;
    const outcome = outcomeOf(draft, id);
    outcome.power = power;
    outcome.status = power === 0 ? 'rejected' : 'partially_accepted';
    if (order.kind === 'limit') {
      outcome.ratio = power / order.power;
      if (power === order.power) outcome.status = 'accepted';
    }
    if (outcome.status === 'accepted') delete outcome.reason;
    else outcome.reason ??= { code: 'partial_at_the_money', distance: 0, missedSurplus: 0, binding: [] };
  }
}
/** From A to B over the line between them. */
function send({ result }: Draft, mw: number, arriving = mw): void {
  result.flows['A-B'] = [mw];
  result.netPositions = { A: [mw], B: [-arriving] };
}
/** The welfare is said to be this, and nobody says that it is the best. */
function claim({ result }: Draft, welfare: number): void {
  result.welfare = welfare;
  result.gap = (result.bound - welfare) / Math.max(1, Math.abs(result.bound));
  result.status = 'feasible';
}

export interface Forgery {
  readonly of: ExampleName;
  /** What gives it away. */
  readonly breaks: string;
  readonly what: string;
  readonly forge: (draft: Draft) => void;
}
const forgery = (of: ExampleName, breaks: string, what: string, forge: (draft: Draft) => unknown): Forgery => {
  return { of, breaks, what, forge };
};
const set = Object.assign;
const remove = Reflect.deleteProperty;

const ofTheBook = [
  forgery('E1', 'INV-37', 'it names another book', ({ result }) => set(result, { book: `sha256:${'0'.repeat(64)}` })),
  forgery('E1', 'INV-37', 'it is of another auction', ({ result }) => set(result, { auction: 'yesterday' })),
  forgery('E1', 'INV-37', "an order's price was changed after sealing", ({ book }) =>
    set(book.orders[2]!, { price: 55 }),
  ),
  forgery('E1', 'INV-37', 'an order left the book after sealing, and the result with it', ({ book, result }) => {
    book.orders.splice(2, 1);
    result.orders.splice(2, 1);
  }),
];

const ofShape = [
  forgery('E13, full line', 'INV-01', 'a zone has no price', ({ result }) => remove(result.prices, 'B')),
  forgery('E13, full line', 'INV-01', 'a line has no flow', ({ result }) => remove(result.flows, 'A-B')),
  forgery('E13, full line', 'INV-01', 'a zone has no net position', ({ result }) => remove(result.netPositions, 'B')),
  forgery('E1', 'INV-01', 'a zone that does not exist has a price', ({ result }) => set(result.prices, { C: [30] })),
  forgery('E18', 'INV-01', 'the last MTU has no price', ({ result }) => result.prices.A!.pop()),
  forgery('E18', 'INV-01', 'there is an MTU too many', ({ result }) => result.prices.A!.push(30)),
  forgery('E1', 'INV-01', 'a price is no number', ({ result }) => set(result.prices, { A: [Number.NaN] })),
  forgery('too much sold', 'INV-01', 'a price is beyond the limits', ({ result }) =>
    set(result.prices, { A: [-500.01] }),
  ),
  forgery('E2', 'INV-01', 'a price is off the tick', ({ result }) => set(result.prices, { A: [30.004] })),
  forgery('E1', 'INV-02', 'an order is missing', ({ result }) => result.orders.splice(2, 1)),
  forgery('E1', 'INV-02', 'an order that is not in the book has traded', ({ result }) =>
    result.orders.push({ ...result.orders[4]!, record_id: 'o6' }),
  ),
  forgery('E1', 'INV-02', 'an order is there twice', ({ result }) => result.orders.push(result.orders[0]!)),
  forgery('E1', 'INV-02', "an order is another participant's", (draft) => say(draft, 'o1', { participant: 'other' })),
  forgery('E1', 'INV-02', 'more is executed than was asked for', (draft) => trade(draft, { o1: 60, o2: 20 })),
  forgery('E1', 'INV-02', 'a power is negative', (draft) => trade(draft, { o3: -10, o2: 40 })),
  forgery('E1', 'INV-02', 'a power is no number', (draft) => say(draft, 'o3', { power: Number.NaN })),
  forgery('E18', 'INV-02', 'a longer order has another power in each quarter', (draft) =>
    say(draft, 'o1', { power: [60, 100, 70, 70] }),
  ),
  forgery('whole lots', 'INV-02', 'a power is not in whole lots', (draft) => trade(draft, { o1: 7.5, o2: 7.5 })),
  forgery('E1', 'INV-02', 'a partly executed order is said to be accepted', (draft) => {
    say(draft, 'o2', { status: 'accepted' });
    remove(outcomeOf(draft, 'o2'), 'reason');
  }),
  forgery('E1', 'INV-02', 'a partly executed order is said to be rejected', (draft) =>
    say(draft, 'o2', { status: 'rejected' }),
  ),
  forgery('E1', 'INV-02', 'a fully executed order is said to be partly so', (draft) => {
    say(draft, 'o1', { status: 'partially_accepted' });
    told(draft, 'o1', 'partial_at_the_money');
  }),
  forgery('E1', 'INV-02', 'the ratio is not the power', (draft) => say(draft, 'o2', { ratio: 1 })),
  forgery('E1', 'INV-02', 'a rejected order is not told why', (draft) => remove(outcomeOf(draft, 'o3'), 'reason')),
  forgery('E1', 'INV-02', 'an accepted order is told why not', (draft) => told(draft, 'o1', 'partial_at_the_money')),
];

const ofFlows = [
  forgery('E1', 'INV-03', 'a seller gets less than buyers bought', (draft) => trade(draft, { o2: 20 })),
  forgery('E13, full line', 'INV-03', 'a net position is not what orders traded', (draft) => send(draft, 70)),
  forgery('E13, line with room', 'INV-03', 'net positions are not what flows carry', ({ result }) =>
    set(result.flows, { 'A-B': [100] }),
  ),
  forgery('E14, losses', 'INV-04', 'power gets lost that nobody sent', ({ result }) =>
    set(result.netPositions, { A: [95] }),
  ),
  forgery('E14, losses', 'INV-03', 'losses are ignored', (draft) => {
    trade(draft, { o1: 95 });
    send(draft, 95);
  }),
  forgery('E13, full line', 'INV-31', 'congestion income is claimed for power that nobody sent', ({ result }) =>
    set(result.flows, { 'A-B': [100] }),
  ),
  forgery('E13, full line', 'INV-17', 'a flow is above the capacity', (draft) => {
    trade(draft, { o1: 150, o3: 50 });
    send(draft, 100);
  }),
  forgery('E13, full line', 'INV-18', 'a line between different prices has room left', (draft) => {
    trade(draft, { o1: 110, o3: 90 });
    send(draft, 60);
  }),
  forgery('E13, full line', 'INV-18', 'power flows from the dearer to the cheaper zone', ({ result }) =>
    set(result.prices, { A: [60], B: [20] }),
  ),
  forgery('E14, tariff 5', 'INV-18', 'the tariff is left out of the prices', ({ result }) =>
    set(result.prices, { B: [21.05] }),
  ),
  forgery('E14, losses', 'INV-18', 'the loss is left out of the prices', ({ result }) =>
    set(result.prices, { B: [20] }),
  ),
  forgery('E14, tariff 10', 'INV-18', 'power is sent although the way costs more than the prices differ', (draft) => {
    trade(draft, { o1: 100, o3: 0 });
    send(draft, 100, 95);
    set(draft.result.prices, { A: [20], B: [30] });
    claim(draft, 9500 - 2000 - 1000);
  }),
  forgery('E13, line with room', 'INV-22', 'prices differ across a line with room', ({ result }) =>
    set(result.prices, { A: [30], B: [50] }),
  ),
  forgery('ring of lines', 'INV-29', 'a flow runs in a ring, so that lines look busy', ({ result }) =>
    set(result.flows, { 'A-B': [70], 'B-C': [70], 'A-C': [-40] }),
  ),
];

const ofVolumes = [
  forgery('E1', 'INV-05', 'an order in the money is rejected', (draft) => {
    trade(draft, { o1: 0, o2: 50, o3: 30 });
    claim(draft, 80 * 60 - 50 * 30 - 30 * 50);
  }),
  forgery('E1', 'INV-05', 'an order out of the money is executed', (draft) => {
    trade(draft, { o2: 50, o3: 20, o5: 40 });
    claim(draft, 80 * 60 + 40 * 20 - 50 * 10 - 50 * 30 - 20 * 50);
  }),
  forgery('E5', 'INV-06', 'curves are cut short of where they cross', (draft) => {
    trade(draft, { o1: -60, o2: 60 });
    claim(draft, 60 * (80 - 10) - 60 ** 2 / 2);
  }),
  // Everybody in the second quarter can bear 75: but the hour is then at 41.25, where all of the 60-minute sell has to trade.
  forgery('E18', 'INV-07', 'a price leaves out the longer order that it concerns', ({ result }) =>
    set(result.prices, { A: [30, 75, 30, 30] }),
  ),
  forgery('E1', 'INV-23', 'prices stand, but nobody trades', (draft) => {
    trade(draft, { o1: 0, o2: 0, o4: 0 });
    claim(draft, 0);
  }),
  forgery('E4', 'INV-26', 'one of two equal sells gets it all', (draft) => trade(draft, { o1: 45, o2: 0 })),
  forgery('whole lots', 'INV-26', 'of two equal shares one is larger by lots', (draft) =>
    trade(draft, { o1: 10, o2: 5 }),
  ),
  forgery('E3', 'INV-27', 'less is traded at the money than could be', (draft) => trade(draft, { o1: 20, o2: 0 })),
  forgery('E17', 'INV-28', 'a curtailment is not shared with the neighbour', (draft) => {
    trade(draft, { o2: 60, o4: 40 });
    send(draft, 0);
  }),
  forgery('E17', 'INV-28', 'price-taking buys are cut below the highest price', ({ result }) =>
    set(result.prices, { A: [3000], B: [3000] }),
  ),
  forgery('too much sold', 'INV-28', 'price-taking sells are not cut equally', (draft) =>
    trade(draft, { o1: 50, o2: 0 }),
  ),
];

const ofPrices = [
  forgery('E2', 'INV-25', 'the price is the lowest that is allowed', ({ result }) => set(result.prices, { A: [20] })),
  forgery('E2', 'INV-25', 'the price favours sellers a little', ({ result }) => set(result.prices, { A: [30.02] })),
  forgery('E13, line with room', 'INV-25', 'a common price is not in the middle', ({ result }) =>
    set(result.prices, { A: [39], B: [39] }),
  ),
  forgery('E14, tariff 10', 'INV-25', 'a price is the middle of what its own zone allows, not its line', ({ result }) =>
    set(result.prices, { A: [-240] }),
  ),
];

const ofWords = [
  forgery('E1', 'INV-24', 'the welfare is overstated', ({ result }) => set(result, { welfare: 3500, bound: 3500 })),
  forgery('E14, tariff 5', 'INV-24', 'tariffs count as welfare', ({ result }) =>
    set(result, { welfare: 7500, bound: 7500 }),
  ),
  forgery('E1', 'INV-35', 'the bound is below the welfare', ({ result }) =>
    set(result, { bound: 3300, gap: -100 / 3300 }),
  ),
  forgery('E1', 'INV-35', 'the gap is not what bound and welfare give', ({ result }) =>
    set(result, { bound: 3500, status: 'feasible' }),
  ),
  forgery('E1', 'INV-35', 'it is said to be optimal in spite of a gap', ({ result }) =>
    set(result, { bound: 3500, gap: 100 / 3500 }),
  ),
  forgery('E1', 'SURPLUS', 'an order is told that it gained more', (draft) => say(draft, 'o1', { surplus: 1000.02 })),
  forgery('E5', 'SURPLUS', 'a curve is told that it gained less', (draft) => say(draft, 'o1', { surplus: 1200 })),
  forgery('E13, full line', 'INV-32', "an order is told what it would gain at its neighbour's price", (draft) =>
    say(draft, 'o2', { surplus: 50 * (100 - 60) }),
  ),
  forgery('E1', 'INV-33', 'outcomes stand as their orders arrived somewhere', ({ result }) => result.orders.reverse()),
  forgery('whole lots', 'INV-33', 'of two equal orders the first takes more', (draft) =>
    trade(draft, { o1: 10, o2: 5 }),
  ),
  forgery('E1', 'INV-33', "a welfare has more digits than money, as another machine's might", ({ result }) =>
    set(result, { welfare: 3400.0004, bound: 3400.0004 }),
  ),
  forgery('E1', 'INV-34', 'a dearer sell is served before a cheaper one', (draft) => {
    trade(draft, { o2: 0, o3: 30 });
    claim(draft, 80 * 60 - 50 * 10 - 30 * 50);
  }),
  forgery('E1', 'REASON', 'a rejected order is told that it was at the money', (draft) =>
    told(draft, 'o3', 'partial_at_the_money'),
  ),
  forgery('E1', 'REASON', 'an order at the money is told that it was out of it', (draft) =>
    told(draft, 'o2', 'out_of_the_money', 5),
  ),
  forgery('E1', 'REASON', 'a rejected order is told a shorter distance', (draft) =>
    told(draft, 'o3', 'out_of_the_money', 15),
  ),
  forgery('E1', 'REASON', 'an order at the money is told a distance', (draft) =>
    told(draft, 'o2', 'partial_at_the_money', 5),
  ),
  forgery('E1', 'REASON', 'an order out of the money is told that it missed something', (draft) =>
    told(draft, 'o3', 'out_of_the_money', 20, 100),
  ),
  forgery('E1', 'REASON', 'an order with a limit of its own is told that it was curtailed', (draft) =>
    told(draft, 'o2', 'curtailed_at_bound', 0, 0, ['A']),
  ),
  forgery('E17', 'REASON', 'a curtailment is laid to a zone that does not exist', (draft) =>
    told(draft, 'o2', 'curtailed_at_bound', 0, 0, ['A', 'C']),
  ),
  forgery('E17', 'REASON', 'a curtailment is laid to another zone alone', (draft) =>
    told(draft, 'o2', 'curtailed_at_bound', 0, 0, ['B']),
  ),
  forgery('E1', 'REASON', 'a limit order is told that its parent was rejected', (draft) =>
    told(draft, 'o3', 'parent_rejected'),
  ),
  forgery('E1', 'REASON', 'an order in the money is told that no price supports it', (draft) => {
    trade(draft, { o1: 0, o2: 50, o3: 30 });
    claim(draft, 80 * 60 - 50 * 30 - 30 * 50);
    told(draft, 'o1', 'paradoxically_rejected', 0, 1000);
  }),
];

export const forgeries: readonly Forgery[] = [
  ...ofTheBook,
  ...ofShape,
  ...ofFlows,
  ...ofVolumes,
  ...ofPrices,
  ...ofWords,
];
