import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Market, parseMarket } from '../../market/market.ts';
import { planOf, plansAt } from './schedule.ts';

const market = (schedule: object, changes: object = {}): Market =>
  parseMarket(
    {
      market: 'm',
      description: '',
      currency: 'EUR',
      timeZone: 'Europe/Paris',
      resolution: 'PT15M',
      zones: ['Z'],
      priceLimits: { min: -500, max: 4000 },
      powerLimits: { lot: 0.1, max: 1000 },
      orderKinds: ['limit'],
      schedule,
      patience: { firstSeconds: 1, mostSeconds: 1, attempts: 1 },
      ...changes,
    },
    'm.json',
  );
const hourly = market({ kind: 'interval', every: 'PT1H', gateOpening: 'PT2H', gateClosure: 'PT5M', periods: 4 });
const daily = market({
  kind: 'daily',
  gateOpening: { daysBefore: 2, time: '08:00' },
  gateClosure: { daysBefore: 1, time: '12:00' },
});
const at = (instant: string, of: Market) => plansAt(of, Date.parse(instant)).map((plan) => plan.id);

test('plansAt() of an interval: the gates that should be open and the next to open, none whose gate is past', () => {
  const ids = at('2025-04-01T10:00:00Z', hourly);
  // 10:00 closed at 9:55; 11:00 opened at 9:00, 12:00 opens just now, 13:00 is the next.
  assert.deepEqual(ids, ['m-20250401t1100z', 'm-20250401t1200z', 'm-20250401t1300z']);
});

test('plansAt() leaves an auction out from the very instant of its gate closure', () => {
  assert.equal(at('2025-04-01T10:54:59Z', hourly)[0], 'm-20250401t1100z');
  assert.equal(at('2025-04-01T10:55:00Z', hourly)[0], 'm-20250401t1200z');
});

test('plansAt() of an interval: gates lie before the slot, delivery starts with the first market time unit', () => {
  const every = { kind: 'interval', every: 'PT10S', gateOpening: 'PT12S', gateClosure: 'PT2S', periods: 2 };
  const [plan] = plansAt(market(every), Date.parse('2025-04-01T10:00:01Z'));
  assert.deepEqual(plan, {
    id: 'm-20250401t100010z',
    market: 'm',
    delivery: { start: '2025-04-01T10:15:00Z', resolution: 'PT15M', periods: 2 },
    gateOpening: '2025-04-01T09:59:58Z',
    gateClosure: '2025-04-01T10:00:08Z',
  });
});

test('plansAt() of days: gates keep their local time over a change of the clocks, days have 92 and 100 quarters', () => {
  const spring = plansAt(daily, Date.parse('2026-03-27T07:30:00Z'));
  assert.deepEqual(
    spring.map((plan) => [plan.id, plan.delivery.periods, plan.gateOpening, plan.gateClosure]),
    [
      ['m-2026-03-28', 96, '2026-03-26T07:00:00Z', '2026-03-27T11:00:00Z'],
      ['m-2026-03-29', 92, '2026-03-27T07:00:00Z', '2026-03-28T11:00:00Z'],
      ['m-2026-03-30', 96, '2026-03-28T07:00:00Z', '2026-03-29T10:00:00Z'],
    ],
  );
  const autumn = plansAt(daily, Date.parse('2026-10-24T09:59:00Z')).find((plan) => plan.id === 'm-2026-10-25')!;
  assert.deepEqual([autumn.delivery.periods, autumn.gateClosure], [100, '2026-10-24T10:00:00Z']);
});

test('plansAt() of days: a gate may close on the delivery day itself', () => {
  const late = market({
    kind: 'daily',
    gateOpening: { daysBefore: 0, time: '00:00' },
    gateClosure: { daysBefore: 0, time: '23:59' },
  });
  assert.deepEqual(at('2025-07-01T21:58:00Z', late), ['m-2025-07-01', 'm-2025-07-02']);
});

test('plansAt() asks for nothing where auctions are held on request', () => {
  assert.deepEqual(at('2025-04-01T10:00:00Z', market({ kind: 'manual' })), []);
});

test('planOf() gives the plan of a day or slot, and refuses a slot that the schedule does not have', () => {
  assert.equal(planOf(daily, { date: '2025-07-01' })?.gateClosure, '2025-06-30T10:00:00Z');
  assert.equal(planOf(hourly, { slot: '2025-07-01T12:00:00+02:00' })?.id, 'm-20250701t1000z');
  const refused = { name: 'AuctionError', code: 'invalid-request' };
  assert.throws(() => planOf(hourly, { slot: '2025-07-01T12:30:00+02:00' }), refused);
  assert.throws(() => planOf(daily, { slot: '2025-07-01T12:00:00Z' }), refused);
  assert.throws(() => planOf(hourly, { date: '2025-07-01' }), refused);
});

test('parseMarket() refuses a schedule whose gate opens when it is closed, or that comes every zero seconds', () => {
  const interval = { kind: 'interval', every: 'PT1H', gateOpening: 'PT2H', gateClosure: 'PT5M', periods: 1 };
  const refuses = (schedule: object, field: RegExp) =>
    assert.throws(() => market(schedule), { code: 'invalid-market', message: field });
  refuses({ ...interval, gateOpening: 'PT5M' }, /m\.json: schedule\.gateOpening/);
  refuses({ ...interval, every: 'PT0S' }, /schedule\.every.*PT0S/);
  refuses({ ...interval, every: 'PT1.5S' }, /schedule\.every/);
  const noon = { daysBefore: 1, time: '12:00' };
  refuses({ kind: 'daily', gateOpening: noon, gateClosure: noon }, /schedule\.gateOpening/);
});
