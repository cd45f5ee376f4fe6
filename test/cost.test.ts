/** What a month costs: by hand for a small stack, against every template there is, and docs/cost.md against the model. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { costOf, type Day, free, priced } from '../lib/cost/model.ts';
import { metricsIn, warmMinutesADay, workflowOf } from '../lib/cost/template.ts';
import { environmentNames } from '../lib/environments.ts';
import { askedFor, dollars, sum, templatesOf } from '../scripts/cost.ts';
import { costTables, document, withTables } from '../scripts/cost-tables.ts';

const day: Day = { orders: 1000, auctions: 24, ordersPerRequest: 10, clients: 2, reads: 50 };
const workflowFile = await readFile(new URL('../workflow/auction.asl.json', import.meta.url), 'utf8');
const stackOf = (...resources: { Type: string; Properties?: object }[]) => [
  { Resources: Object.fromEntries(resources.map((each, i) => [`r${i}`, each])) },
];

test('costOf() of a small stack is what a pencil says', () => {
  const workflow = { Type: 'AWS::StepFunctions::StateMachine', Properties: { DefinitionString: workflowFile } };
  const pool = { Type: 'AWS::Cognito::UserPool' };
  const gateway = { Type: 'AWS::ApiGateway::RestApi' };
  const lines = costOf(stackOf(workflow, pool, gateway, { Type: 'AWS::IAM::Role' }), day);
  const of = (service: string, what: string) => lines.find((line) => line.service === service && line.what === what)!;
  // Seven states an auction, a state and a start for its one page of 42 orders; 720 auctions at 25 a million.
  assert.equal(of('Step Functions', 'transitions').quantity, 720 * (7 + 2));
  assert.equal(dollars(of('Step Functions', 'transitions').dollars), '0.16');
  // Two clients of 6 dollars, and 24 tokens a day of each at 2.25 a thousand.
  assert.equal(of('Cognito', 'clients').dollars, 12);
  assert.equal(dollars(of('Cognito', 'tokens').dollars), '3.24');
  // A hundred requests with orders and fifty reads a day.
  assert.equal(of('API Gateway', 'requests').quantity, 4500);
  assert.equal(dollars(of('API Gateway', 'requests').dollars), '0.02');
  assert.equal(of('X-Ray', 'traces').quantity, 4500);
});

test('every resource of every environment and option is priced or free, and none is both', async () => {
  for (const environment of environmentNames)
    for (const chosen of [
      {},
      { cache: 'edge', workflow: 'express', warmMinutes: '5', alarmAddresses: 'a@example.org' },
      { waf: 'on', concurrency: 'reserved' },
    ])
      assert.ok(sum(costOf(await templatesOf({ environment, ...chosen }), day)) > 0);
  assert.deepEqual(
    Object.keys(priced).filter((type) => free.has(type)),
    [],
  );
  const unknown = stackOf({ Type: 'AWS::RDS::DBCluster' });
  assert.throws(() => costOf(unknown, day), /nobody has said what AWS::RDS::DBCluster costs/);
});

test('more of anything never costs less, and larger batches never more', async () => {
  for (const chosen of [{}, { cache: 'edge' }]) {
    const templates = await templatesOf({ environment: 'prod', ...chosen });
    const of = (changed: Partial<Day>) => sum(costOf(templates, { ...day, ...changed }));
    for (const each of ['orders', 'auctions', 'clients', 'reads'] as const)
      for (let size = 1; size < 1e8; size *= 10)
        assert.ok(of({ [each]: size * 10 }) >= of({ [each]: size }), `${each}: ${size} costs ${of({ [each]: size })}`);
    for (let size = 1; size < 1e4; size *= 10)
      assert.ok(of({ ordersPerRequest: size * 10 }) <= of({ ordersPerRequest: size }), `batches of ${size}`);
  }
});

test('express pages cost no transitions, warm minutes and the edge are paid where they are', async () => {
  const costs = async (chosen: Record<string, string>) => {
    const lines = costOf(await templatesOf({ environment: 'prod', ...chosen }), { ...day, orders: 1e7, reads: 1e6 });
    return (what: string) => lines.find((line) => line.what === what)?.dollars ?? 0;
  };
  const [standard, express] = [await costs({}), await costs({ workflow: 'express' })];
  assert.ok(express('transitions') < standard('transitions') && express('express pages') > 0);
  assert.equal((await costs({ warmMinutes: '0' }))('kept warm'), 0);
  // A quarter of an hour for each hourly gate and one for the day ahead, 25 of them: 3,008 MB for a month.
  assert.equal(dollars(standard('kept warm')), dollars(25 * 15 * 60 * 30 * (3008 / 1024) * 0.0000033334));
  const edge = await costs({ cache: 'edge' });
  assert.ok(edge('requests') < standard('requests'));
});

test('a web ACL is paid by the month, by its rules and by the request', async () => {
  const lines = costOf(await templatesOf({ environment: 'prod', waf: 'on' }), day);
  const of = (what: string) => lines.find((line) => line.service === 'WAF' && line.what === what)!;
  assert.equal(of('web ACLs').dollars + of('rules').dollars, 6);
  assert.equal(of('requests').quantity, 4500);
});

test('templates are read as they are written', () => {
  assert.deepEqual(workflowOf({ DefinitionString: workflowFile }), { auction: 7, page: 2, isExpress: false });
  assert.equal(metricsIn({ MetricName: 'one' }), 1);
  assert.equal(metricsIn({ Metrics: [{ Expression: 'a + b' }, { MetricStat: {} }, { MetricStat: {} }] }), 2);
  const action = (ScheduledActionName: string, Schedule: string) => ({ ScheduledActionName, Schedule });
  const at = (...actions: object[]) => warmMinutesADay({ ScheduledActions: actions });
  assert.equal(at(action('m-warm', 'cron(55 11 * * ? *)'), action('m-cold', 'cron(10 12 * * ? *)')), 15);
  assert.equal(at(action('m-warm', 'cron(50 * * * ? *)'), action('m-cold', 'cron(5 * * * ? *)')), 24 * 15);
  assert.equal(at(action('m-warm', 'cron(0/5 * * * ? *)')), 1440);
});

test('the tables of docs/cost.md are the model’s (mend: npm run cost-tables)', async () => {
  const text = await readFile(document, 'utf8');
  assert.equal(withTables(text, await costTables()), text);
});

test('npm run cost says what a month costs and what dominates, and ends with 2 where it does not understand', () => {
  const script = fileURLToPath(new URL('../scripts/cost.ts', import.meta.url));
  const cost = (...args: readonly string[]) => spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
  const said = cost('--orders', '1000', '--auctions-per-day', '24');
  assert.equal(said.status, 0);
  assert.match(said.stdout, /dollars a month\n\n\w+.* dominates with \d+ %/);
  const told = JSON.parse(cost('--orders', '1000', '--auctions-per-day', '24', '--json').stdout);
  assert.ok(Math.abs(told.total - sum(told.lines)) < 1e-9);
  const wrong = cost('--orders', '1', '--auctions-per-day', '1', '--cache', 'all');
  assert.equal(wrong.status, 2);
  assert.match(wrong.stderr, /^cost: context cache: there is no all; say none or edge\n/);
});

test('askedFor() refuses what it does not understand', async () => {
  for (const [args, why] of [
    [['--auctions-per-day', '24'], /--orders is missing/],
    [['--orders', '1e3', '--auctions-per-day', '24'], /--orders: expected a whole number from 0 on, found "1e3"/],
    [['--orders', '1000', '--auctions-per-day', '0'], /--auctions-per-day: expected a whole number from 1 on/],
    [['--order', '1'], /Unknown option '--order'/],
  ] as const)
    assert.throws(() => askedFor(args), why);
  const { chosen } = askedFor(['--orders', '1', '--auctions-per-day', '1', '--environment', 'test']);
  await assert.rejects(templatesOf(chosen), /there is no test; say -c environment=dev/);
});
