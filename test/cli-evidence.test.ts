/** A participant's way through the commands: keep a head and a proof, check them without the house, compare them with somebody else's. */

import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { serve } from '../src/server.ts';
import { run, temporaryFolder, twoHours } from './cli-house.ts';
import { until } from './ports/workflow.cases.ts';

test('a receipt, its evidence and the keys are enough for merit verify; two heads for merit compare-roots', async (t) => {
  const data = await temporaryFolder(t);
  const files = await temporaryFolder(t);
  const at = (name: string) => join(files, name);
  const serving = await serve({ markets: [twoHours], data, port: 0, log: () => {} });
  t.after(() => serving.close());
  const { url } = serving;
  const post = async (path: string, body: unknown) => {
    const headers = { 'content-type': 'application/json' };
    return (await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })).text();
  };
  const ask = (...args: string[]) => run([...args, '--url', url]);
  const gateClosure = new Date(Date.now() + 3_600_000).toISOString();
  await post('/auctions', { id: 'a1', gateClosure, periods: 2 });
  const order = { record_id: 'mine', side: 'sell', period: 1, price: 20, power: 5 };
  await writeFile(at('receipt.json'), await post('/orders?auction=a1', order));
  const early = await ask('auctions', 'tree', 'a1', '-o', at('early.json'));
  assert.match(early.out, /a1: 1 entries of the open gate, root sha256:/);
  await post('/orders?auction=a1', { ...order, record_id: 'other', side: 'buy', price: 30 });
  await post('/auctions/a1/close', {});
  await until(
    'a1 is settled',
    async () => ((await (await fetch(`${url}/auctions/a1`)).json()) as { state: string }).state === 'settled',
  );

  const proof = await ask('orders', 'proof', 'mine', '-o', at('evidence.json'));
  assert.match(proof.out, /entry 1 is in the sealed book of a1, one of 2; and in the result that is binding/);
  await ask('auctions', 'tree', 'a1', '--first', '1', '-o', at('later.json'));
  // After a rotation, as somebody who comes later has the keys.
  assert.match((await run(['keys', 'rotate', '--data', data])).out, /what the old ones signed holds as before/);
  await ask('auctions', 'tree', 'a1', '--keys', at('keys.json'));
  assert.equal(JSON.parse(await readFile(at('keys.json'), 'utf8')).keys.length, 2);
  await ask('result', 'a1', '-o', at('result.json'), '--book', at('book.json'));
  await serving.close();

  const receiptAnd = ['--receipt', at('receipt.json'), '--evidence', at('evidence.json')];
  const check = (...more: string[]) => run(['verify', ...receiptAnd, ...more]);
  const alone = await check('--keys', at('keys.json'));
  assert.equal(alone.code, 0, alone.err);
  assert.match(alone.out, /evidence .*\n.*signatures .*\n[\s\S]*the evidence holds/);
  assert.match((await check()).out, /unchecked[\s\S]*whose signatures these are/);
  const whole = await run(['verify', at('book.json'), at('result.json'), ...receiptAnd, '--keys', at('keys.json')]);
  assert.equal(whole.code, 0, whole.out);
  assert.match(whole.out, /receipts .*\n.*evidence .*\n.*signatures/);

  // What was changed is told in words.
  const edit = async (from: string, to: string, change: (json: { readonly tree: object }) => object) =>
    writeFile(at(to), JSON.stringify(change(JSON.parse(await readFile(at(from), 'utf8')))));
  const leaf = `sha256:${'0'.repeat(64)}`;
  await edit('receipt.json', 'other-receipt.json', (json) => ({ ...json, leaf }));
  const other = await run(['verify', '--receipt', at('other-receipt.json'), '--evidence', at('evidence.json')]);
  assert.equal(other.code, 1);
  assert.match(other.out, /entry 1 was changed: the receipt has the leaf sha256:000/);
  await edit('evidence.json', 'forged.json', (json) => ({ ...json, tree: { ...json.tree, size: 3 } }));
  const forged = await run(['verify', ...receiptAnd.with(3, at('forged.json')), '--keys', at('keys.json'), '--json']);
  assert.equal(forged.code, 1);
  const found = JSON.parse(forged.out).checks.flatMap((each: { violations: { message: string }[] }) => each.violations);
  assert.match(found[0].message, /not in the tree that was signed/);
  assert.match(found[1].message, /the signature is of other words than these/);

  const compare = (...names: string[]) => run(['compare-roots', ...names.map(at), '--keys', at('keys.json')]);
  const one = await compare('early.json', 'later.json', 'evidence.json');
  assert.equal(one.code, 0, one.out);
  assert.match(one.out, /a1: one history, seen at 1, 2 entries/);
  await edit('early.json', 'rewritten.json', (json) => ({ ...json, root: leaf }));
  const two = await compare('rewritten.json', 'later.json');
  assert.equal(two.code, 1);
  assert.match(two.out, /no continuation of that of 1: entries were changed.*\nREWRITTEN/);
  const usage = await run(['verify', '--evidence', at('evidence.json')]);
  assert.equal(usage.code, 2);
  assert.match(usage.err, /name both, --receipt and --evidence/);
});
