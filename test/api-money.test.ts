/** Trades, the balance sheet and statements over HTTP: whose are whose, what is on which day, and that a printed line adds up. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AccessHouse, type Caller, openAccessHouse } from './access-house.ts';
import { until } from './ports/workflow.cases.ts';

const auction = 'days-1';

/** A day of hours of which two trade: two participants, and an order that nobody takes. */
async function settle(house: AccessHouse, id = auction, start = '2030-01-01T22:00:00Z'): Promise<void> {
  const { ask } = house;
  const made = await ask('operator', 'POST', '/auctions', {
    market: 'days',
    id,
    start,
    periods: 3,
    gateClosure: '2030-01-01T11:00:00Z',
  });
  assert.equal(made.status, 201, JSON.stringify(made.json));
  const send = (caller: Caller, orders: object[]) => ask(caller, 'POST', '/orders', { auction: id, orders });
  const sells = [
    { record_id: 's1', side: 'sell', period: 1, price: 10, power: 33.3 },
    { record_id: 's2', side: 'sell', period: 2, price: -20.01, power: 0.1 },
    { record_id: 's3', side: 'sell', period: 3, price: 500, power: 50 },
  ];
  const buys = [
    { record_id: 'b1', side: 'buy', period: 1, price: 20.11, power: 33.3 },
    { record_id: 'b2', side: 'buy', period: 2, price: -10.05, power: 0.1 },
  ];
  assert.equal((await send('acme', sells)).status, 201);
  assert.equal((await send('umbra', buys)).status, 201);
}

async function close({ ask }: AccessHouse, id = auction): Promise<void> {
  assert.equal((await ask('operator', 'POST', `/auctions/${id}/close`)).status, 200);
  await until(
    `${id} is settled`,
    async () => (await ask('none', 'GET', `/auctions/${id}`)).json.state === 'settled' || undefined,
  );
}

test('trades are the participant’s own; operators and auditors have everybody’s, by page and participant', async (t) => {
  const house = await openAccessHouse(t);
  const { ask } = house;
  await settle(house);
  const address = `/auctions/${auction}/trades`;
  assert.equal((await ask('acme', 'GET', address)).json.code, 'wrong-state');
  await close(house);
  const { json: own } = await ask('acme', 'GET', address);
  // 15.06 is the middle of 10 and 20.11 on the tick: 15.055, half away from zero.
  assert.deepEqual(own.trades[0], {
    participant: 'acme',
    portfolio: 'all',
    record_id: 's1',
    kind: 'limit',
    zone: 'MERIT',
    period: 1,
    start: '2030-01-01T22:00:00Z',
    end: '2030-01-01T23:00:00Z',
    side: 'sell',
    power: 33.3,
    price: 15.06,
    hours: 1,
    energy: 33.3,
    amountCents: 50_150,
  });
  const names = (json: { trades: { participant: string; record_id: string }[] }) =>
    json.trades.map(({ participant, record_id }) => `${participant}/${record_id}`);
  assert.deepEqual(names(own), ['acme/s1', 'acme/s2']);
  const { json: all } = await ask('operator', 'GET', address);
  assert.deepEqual(names(all), ['acme/s1', 'acme/s2', 'umbra/b1', 'umbra/b2']);
  assert.deepEqual((await ask('auditor', 'GET', address)).json, all);
  const { json: page } = await ask('operator', 'GET', `${address}?after=1&limit=2`);
  assert.deepEqual([names(page), page.next], [['acme/s2', 'umbra/b1'], 3]);
  assert.equal((await ask('operator', 'GET', `${address}?after=3`)).json.next, undefined);
  assert.deepEqual(names((await ask('operator', 'GET', `${address}?participant=umbra`)).json), [
    'umbra/b1',
    'umbra/b2',
  ]);
  assert.equal((await ask('acme', 'GET', `${address}?participant=umbra`)).status, 403);
  assert.deepEqual((await ask('reader', 'GET', address)).json.trades, []);
});

test('the balance sheet is public once the result is, and the same whoever asks', async (t) => {
  const house = await openAccessHouse(t);
  const { ask } = house;
  await settle(house);
  assert.equal((await ask('none', 'GET', `/auctions/${auction}/settlement`)).json.code, 'wrong-state');
  await close(house);
  const { json, headers } = await ask('none', 'GET', `/auctions/${auction}/settlement`);
  assert.deepEqual(json.zones.MERIT, { buyersCents: [50_150, -150, 0], sellersCents: [50_150, -150, 0] });
  assert.equal(json.totals.buyersCents, 50_000);
  assert.match(headers.get('cache-control')!, /immutable/);
  assert(!JSON.stringify(json).includes('acme'));
  const again = await house.send('GET', `/auctions/${auction}/settlement`, { 'if-none-match': headers.get('etag')! });
  assert.equal(again.status, 304);
});

test('statements are of a local day, of one’s own portfolios, and say what is still to come', async (t) => {
  const house = await openAccessHouse(t);
  const { ask } = house;
  await settle(house);
  await settle(house, 'days-2', '2030-01-02T12:00:00Z');
  await close(house);
  // Brussels is an hour ahead: the second hour from 22:00 UTC on begins the next day.
  const { json: first } = await ask('acme', 'GET', '/statements?day=2030-01-01');
  assert.deepEqual(first.pending, []);
  assert.deepEqual(
    first.statements.map(({ trades, ...rest }: { trades: unknown[] }) => ({ ...rest, trades: trades.length })),
    [
      {
        day: '2030-01-01',
        market: 'days',
        currency: 'EUR',
        participant: 'acme',
        portfolio: 'all',
        boughtEnergy: 0,
        soldEnergy: 33.3,
        boughtCents: 0,
        soldCents: 50_150,
        payableCents: -50_150,
        trades: 1,
      },
    ],
  );
  const { json: second } = await ask('operator', 'GET', '/statements?day=2030-01-02');
  assert.deepEqual(second.pending, ['days-2']);
  // At a price below zero the seller pays.
  assert.deepEqual(
    second.statements.map(({ participant, payableCents }: Record<string, unknown>) => [participant, payableCents]),
    [
      ['acme', 150],
      ['umbra', -150],
    ],
  );
  assert.deepEqual((await ask('umbra', 'GET', '/statements?day=2029-12-31')).json, { statements: [], pending: [] });
  // A day of no whole quarters, and the first and last that can be written.
  for (const day of ['1892-05-01', '0001-01-01', '9999-12-31'])
    assert.equal((await ask('umbra', 'GET', `/statements?day=${day}`)).status, 200, day);
  assert.equal((await ask('umbra', 'GET', '/statements')).status, 400);
  assert.equal((await ask('umbra', 'GET', '/statements?day=2030-01-01&participant=acme')).status, 403);
});

test('a statement is CSV where that is accepted, and price times power times hours gives each printed amount', async (t) => {
  const house = await openAccessHouse(t);
  await settle(house);
  await close(house);
  const token = (await house.access.issue('umbra', undefined, 3600)).token;
  const authorization = `Bearer ${token}`;
  const wanted = { authorization, accept: 'text/csv' };
  const { json: csv, headers } = await house.send('GET', '/statements?day=2030-01-02', wanted);
  assert.equal(headers.get('content-type'), 'text/csv; charset=utf-8');
  const download = await house.send('GET', '/statements.csv?day=2030-01-02', { authorization });
  assert.equal(download.json, csv);
  assert.equal(headers.get('content-disposition'), 'attachment; filename="statements-2030-01-02.csv"');
  assert.equal(
    csv,
    'day,market,auction,participant,portfolio,record_id,kind,zone,start,end,side,power_mw,price,hours,energy_mwh,amount,currency\r\n' +
      '2030-01-02,days,days-1,umbra,all,b2,limit,MERIT,2030-01-01T23:00:00Z,2030-01-02T00:00:00Z,buy,0.1,-15.03,1,0.1,-1.50,EUR\r\n',
  );
  // -1.503, rounded to the cent.
  assert.equal((-15.03 * 0.1 * 1).toFixed(2), '-1.50');
});
