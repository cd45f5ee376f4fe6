/** Whose an order is, and what its portfolio lets it do, kind by kind. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fault } from '../market/fault.ts';
import type { Order } from '../market/order.ts';
import type { Portfolio } from '../market/portfolio.ts';
import { checkParticipant, isForbidden, ofPortfolio } from './portfolio-rules.ts';

const wind: Portfolio = { name: 'wind', zones: ['A', 'B'], powerLimits: { buy: 5, sell: 100 } };
const town: Portfolio = { name: 'town', zones: ['B'] };
const limit: Order = { record_id: 'o', zone: 'A', kind: 'limit', side: 'sell', period: 1, price: 1, power: 100 };

function check(order: Order, portfolios: readonly Portfolio[] | undefined = [wind]) {
  const found: Fault[] = [];
  const owned = ofPortfolio(order, portfolios, found);
  return { portfolio: owned.portfolio, faults: found.map(({ field, code }) => `${field} ${code}`), found };
}

test('ofPortfolio() fills in the only portfolio, and asks which where there are several', () => {
  assert.deepEqual(check(limit).portfolio, 'wind');
  assert.deepEqual(check(limit, [wind, town]).faults, ['portfolio missing']);
  assert.deepEqual(check({ ...limit, portfolio: 'wind' }, [wind, town]).faults, []);
  assert.equal(check({ ...limit, portfolio: 'wind' }, [town, wind]).portfolio, 'wind');
});

test('ofPortfolio() asks nothing where there is no access control', () => {
  const found: Fault[] = [];
  assert.equal(ofPortfolio(limit, undefined, found), limit);
  assert.deepEqual(found, []);
});

test('ofPortfolio() refuses a portfolio that is another’s or nobody’s alike, and a zone beyond it', () => {
  assert.deepEqual(check({ ...limit, portfolio: 'town' }).faults, ['portfolio not-yours']);
  assert.deepEqual(check({ ...limit, zone: 'C' }).faults, ['zone zone-not-yours']);
  assert.deepEqual(check(limit, [town]).faults, ['zone zone-not-yours']);
});

test('ofPortfolio() refuses more power than the portfolio allows on that side, naming the field', () => {
  const base = { record_id: 'o', zone: 'A' } as const;
  const block = { ...base, kind: 'block', side: 'sell', price: 1, minAcceptance: 1 } as const;
  const complex = { ...base, kind: 'complex', fixedTerm: 0, variableTerm: 0, side: 'sell' } as const;
  const curve = { ...base, kind: 'curve', period: 1, shape: 'step' } as const;
  const step = (period: number, power: number) => ({ period, price: 1, power });
  const cases: [Order, string[]][] = [
    [limit, []],
    [{ ...limit, power: 100.1 }, ['power beyond-portfolio']],
    [{ ...limit, side: 'buy', power: 6 }, ['power beyond-portfolio']],
    [
      { ...base, kind: 'flexible', side: 'sell', price: 1, power: 101, duration: 1, earliest: 1, latest: 1 },
      ['power beyond-portfolio'],
    ],
    [
      {
        ...curve,
        points: [
          { price: 1, power: 5 },
          { price: 2, power: -100 },
        ],
      },
      [],
    ],
    [
      {
        ...curve,
        points: [
          { price: 1, power: 6 },
          { price: 2, power: -101 },
        ],
      },
      ['points.0.power beyond-portfolio', 'points.1.power beyond-portfolio'],
    ],
    [{ ...block, from: 1, to: 2, power: 101 }, ['power beyond-portfolio']],
    [{ ...block, profile: [step(1, 99), step(2, 101)] }, ['profile.1.power beyond-portfolio']],
    [{ ...complex, steps: [step(1, 60), step(2, 100), step(1, 40)] }, []],
    [{ ...complex, steps: [step(1, 60), step(2, 10), step(1, 41)] }, ['steps.0.power beyond-portfolio']],
  ];
  for (const [order, faults] of cases) assert.deepEqual(check(order).faults, faults, JSON.stringify(order));
  assert.deepEqual(check({ ...limit, zone: 'B', power: 1e6 }, [town]).faults, []);
});

test('isForbidden() tells what an order may not do from what it gets wrong', () => {
  assert(check({ ...limit, power: 101 }).found.every(isForbidden));
  assert(check({ ...limit, portfolio: 'x' }).found.every(isForbidden));
  assert(!check(limit, [wind, town]).found.some(isForbidden));
});

test('checkParticipant() takes the sender’s own name and none, and no other', () => {
  const faults = (named: string | undefined) => {
    const found: Fault[] = [];
    checkParticipant(named, { participant: 'acme' }, found);
    return found.map(({ code }) => code);
  };
  assert.deepEqual(
    [faults(undefined), faults('acme'), faults('ACME'), faults('')],
    [[], [], ['not-yours'], ['not-yours']],
  );
});
