/**
 * What is watched. Each alarm is tried: the fault it is for is made to happen to the real code, which has to emit the very metric
 * (namespace, name, dimensions) that the alarm of the template watches, at a value that rings. Where the metric is a service's own,
 * the fault is made to happen as far as this machine has the service, and the alarm has to name the resource that the stack makes.
 */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { randomBlocks } from '../bench/random-blocks.ts';
import { environmentNames } from '../lib/environments.ts';
import { functionNameOf, functionNames, functions } from '../lib/functions.ts';
import { chapterOf, lateAlarmName } from '../lib/watching.ts';
import { awsStores } from '../src/adapters/aws/stores.ts';
import { openMeter } from '../src/adapters/local/meter.ts';
import { createApp } from '../src/api/app.ts';
import { closeGate } from '../src/auction/auctions.ts';
import { cancelOrder } from '../src/auction/intake/cancel-order.ts';
import type { Ports } from '../src/auction/ports.ts';
import { holdCanary } from '../src/auction/schedule/hold-canary.ts';
import { keepTime } from '../src/auction/schedule/keep-time.ts';
import { type MetricName, metricNames, metrics } from '../src/auction/views/metrics.ts';
import { sha256 } from '../src/book/intake.ts';
import { chance } from '../src/cli/demo/random.ts';
import { AuctionError } from '../src/market/errors.ts';
import { injectFaults } from './cloud/faults.ts';
import { until } from './ports/workflow.cases.ts';
import { type Datum, emittedBy } from './support/emf.ts';
import { hold, openTestHouse, reaches, submit, testMarket } from './support/house.ts';
import { recordingMeter } from './support/meter.ts';
import { type Properties, type Synthesised, synthesise, textOf } from './support/synthesised.ts';

const stackOf = (environment: string, which: 'house' | 'watching'): Promise<Synthesised> =>
  synthesise({ environment }, true, which);

const runbook = readFileSync(new URL('../docs/runbook.md', import.meta.url), 'utf8');
const chapters = new Map(
  runbook
    .split(/^## /m)
    .slice(1)
    .map((text) => [text.slice(0, text.indexOf('\n')), text] as const),
);

const alarmsOf = async (environment: string): Promise<Map<string, Properties>> => {
  const { of } = await stackOf(environment, 'watching');
  const named = of('AWS::CloudWatch::Alarm').map(
    ([, { Properties: alarm }]) => [String(alarm.AlarmName), alarm] as const,
  );
  return new Map(named.map(([name, alarm]) => [name.slice(0, -environment.length - 1), alarm]));
};

/** The metrics that an alarm looks at, sums taken apart. */
function watchedBy(alarm: Properties): { namespace: string; name: string; dimensions: Record<string, string> }[] {
  const plain = (m: Properties) => ({
    namespace: m.Namespace as string,
    name: m.MetricName as string,
    dimensions: Object.fromEntries(
      (m.Dimensions ?? []).map((d: Properties) => [d.Name, typeof d.Value === 'string' ? d.Value : textOf(d.Value)]),
    ),
  });
  if (alarm.MetricName !== undefined) return [plain(alarm)];
  return (alarm.Metrics as Properties[]).flatMap(({ MetricStat }) => (MetricStat ? [plain(MetricStat.Metric)] : []));
}

const isRinging = ({ ComparisonOperator, Threshold }: Properties, value: number): boolean =>
  ComparisonOperator === 'GreaterThanThreshold' ? value > Threshold : value >= Threshold;

for (const environment of environmentNames) {
  test(`${environment}: each alarm tells the errors topic, itself or as part of "the auction is late", and names its chapter`, async () => {
    const { of, one } = await stackOf(environment, 'watching');
    const composite = one('AWS::CloudWatch::CompositeAlarm', 'AlarmName', lateAlarmName(environment)).Properties;
    const rule = textOf(composite.AlarmRule);
    for (const [, { Properties: alarm }] of [
      ...of('AWS::CloudWatch::Alarm'),
      ...of('AWS::CloudWatch::CompositeAlarm'),
    ]) {
      const name = String(alarm.AlarmName).slice(0, -environment.length - 1);
      const topics = (alarm.AlarmActions ?? []).map((each: unknown) => textOf(each).split(':').at(-1));
      const { Ref: logical } = { Ref: of('AWS::CloudWatch::Alarm').find(([, a]) => a.Properties === alarm)?.[0] };
      const isLate = logical !== undefined && rule.includes(`<${logical}.Arn>`);
      assert.deepEqual(topics, isLate ? [] : [`auction-errors-${environment}`], name);
      assert(String(alarm.AlarmDescription).endsWith(chapterOf(name)), name);
      const chapter = chapters.get(name);
      assert(chapter !== undefined, `docs/runbook.md has no chapter ${name}`);
      for (const part of ['**Means**', '**Look**', '**Mend**']) assert(chapter.includes(part), `${name}: ${part}`);
    }
    const names = [...(await alarmsOf(environment)).keys()];
    assert.equal(names.includes('canary-failed'), environment === 'staging');
    assert.deepEqual(
      names.filter((name) =>
        rule.includes(
          `<${of('AWS::CloudWatch::Alarm').find(([, a]) => a.Properties.AlarmName === `${name}-${environment}`)![0]}.Arn>`,
        ),
      ),
      ['auction-waiting', 'result-late', 'gate-overdue', 'clock-silent', 'execution-failed'],
    );
  });

  test(`${environment}: the dashboard shows the auction and what is below it`, async () => {
    const { of } = await stackOf(environment, 'watching');
    const body = textOf(of('AWS::CloudWatch::Dashboard')[0]![1].Properties.DashboardBody);
    const shown: string[] = [
      ...metricNames.filter(
        (name) => !name.startsWith('canary') && name !== 'notices_undelivered' && !('only' in metrics[name]),
      ),
      ...['ColdStart', 'Errors', 'Duration', 'Throttles', 'ConsumedWriteCapacityUnits', 'ConsumedReadCapacityUnits'],
      ...['ApproximateAgeOfOldestMessage', 'ExecutionsFailed', 'NumberOfNotificationsFailed', '5XXError'],
    ];
    for (const name of shown) assert(body.includes(name), `the dashboard does not show ${name}`);
  });

  test(`${environment}: what alarms and dashboard watch are resources of the stack`, async () => {
    const { of } = await stackOf(environment, 'house');
    const namesOf = (type: string, property: string) =>
      of(type).map(([, { Properties: each }]) => textOf(each[property]));
    const known: Record<string, string[]> = {
      FunctionName: namesOf('AWS::Lambda::Function', 'FunctionName'),
      TableName: namesOf('AWS::DynamoDB::Table', 'TableName'),
      TopicName: namesOf('AWS::SNS::Topic', 'TopicName'),
      QueueName: namesOf('AWS::SQS::Queue', 'QueueName'),
      ApiName: namesOf('AWS::ApiGateway::RestApi', 'Name'),
      Stage: namesOf('AWS::ApiGateway::Stage', 'StageName'),
      StateMachineArn: namesOf('AWS::StepFunctions::StateMachine', 'StateMachineName').map(
        (name) => `arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:stateMachine:${name}`,
      ),
    };
    let seen = 0;
    for (const [name, alarm] of await alarmsOf(environment))
      for (const { namespace, dimensions } of watchedBy(alarm))
        for (const [dimension, value] of Object.entries(dimensions)) {
          if (!namespace.startsWith('AWS/')) continue;
          assert(known[dimension]?.includes(value), `${name}: there is no ${dimension} ${value}`);
          seen++;
        }
    assert(seen > 20);
    const variables = of('AWS::Lambda::Function').map(([, f]) => f.Properties.Environment?.Variables ?? {});
    const namespaces = new Set(variables.flatMap((v) => v.POWERTOOLS_METRICS_NAMESPACE ?? []));
    assert.deepEqual([...namespaces], [`energy-auction-${environment}`]);
  });
}

test('/metrics and Embedded Metric Format have the names, units and labels of the table', async () => {
  const local = openMeter();
  const emitted = await emittedBy(async ({ meter }) => {
    for (const each of [local, meter])
      for (const name of metricNames) {
        const { by } = { by: undefined, ...metrics[name] };
        (each.record as (name: MetricName, value: number, label?: string) => void)(name, 2, by && 'x');
      }
  });
  assert.deepEqual(
    emitted.map(({ name, unit, value, dimensions }) => [name, unit, value, dimensions]),
    metricNames.map((name) => {
      const { unit, by } = { by: undefined, ...metrics[name] };
      return [name, unit, 2, { service: 'house', ...(by && { [by]: 'x' }) }];
    }),
  );
  const text = await local.text();
  const types = [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name, type]) => [name, type]);
  assert.deepEqual(
    types,
    metricNames.map((name) => [
      name,
      { counter: 'counter', gauge: 'gauge', distribution: 'histogram' }[metrics[name].kind],
    ]),
  );
});

test('GET /metrics tells what an auction did', async (t) => {
  const house = await openTestHouse(t);
  const { ports } = house;
  await hold(ports);
  await submit(ports, [
    { record_id: 'plant', side: 'sell', price: 30, power: 40 },
    { record_id: 'load', side: 'buy', price: 60, power: 40 },
    { record_id: 'peaker', side: 'sell', price: 90, power: 10 },
    { record_id: 'second-thoughts', side: 'sell', price: 90, power: 10 },
  ]);
  await assert.rejects(submit(ports, [{ record_id: 'none', side: 'sell', price: 30, power: -1 }]));
  await cancelOrder(ports, 'p', 'second-thoughts');
  await closeGate(ports, 'a');
  await reaches(ports, 'a', 'settled');
  await until('its notice is counted', async () => /^notices_sent.*auction-settled/m.test(await house.metrics()));
  const response = await createApp(ports, { metrics: house.metrics }).request('/metrics');
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type')!, /^text\/plain; version=0\.0\.4/);
  const text = await response.text();
  for (const line of [
    'orders_received 4',
    'orders_cancelled 1',
    'submissions_refused{code="invalid-order"} 1',
    'orders_accepted 2',
    'orders_rejected{reason="out_of_the_money"} 1',
    'auctions_settled 1',
    'clearing_gap_bucket{le="1e-9"} 1',
    'gate_to_result_seconds_count 1',
    'notices_sent{kind="order-rejected"} 1',
    'notices_sent{kind="auction-settled"} 1',
  ])
    assert(text.includes(`\n${line}\n`), `${line}\n${text}`);
  assert.equal((await createApp(ports).request('/metrics')).status, 404);
});

/** Do this to a house of which the deployed functions' meter hears. */
async function heardFrom(
  t: TestContext,
  work: (ports: Ports, house: Awaited<ReturnType<typeof openTestHouse>>) => Promise<unknown>,
  options: Parameters<typeof openTestHouse>[1] = {},
): Promise<Datum[]> {
  const house = await openTestHouse(t, options);
  return emittedBy(async ({ meter }) => {
    (house.ports as { meter: Ports['meter'] }).meter = meter;
    await work(house.ports, house);
  });
}

const traded = async (ports: Ports): Promise<void> => {
  await hold(ports);
  await submit(ports);
  await closeGate(ports, 'a');
};

/** A fault, and what the house says under it. */
const faults: Record<string, (t: TestContext) => Promise<Datum[]>> = {
  'auction-failed': (t) =>
    heardFrom(
      t,
      async (ports) => {
        await traded(ports);
        await reaches(ports, 'a', 'failed');
        await keepTime(ports);
      },
      { markets: [testMarket({ rehearsal: { lateResults: { probability: 1, seed: 1 } } })] },
    ),
  'auction-waiting': (t) =>
    heardFrom(t, async (ports, { clock }) => {
      ports.workflow.start = async (auction, run) => `${auction}-${run}`; // nobody starts it
      ports.workflow.find = async () => undefined;
      await traded(ports);
      clock.time = '2025-04-01T11:30:00Z';
      await keepTime(ports);
    }),
  'result-late': (t) =>
    heardFrom(t, async (ports, { clock }) => {
      const { start } = ports.workflow;
      ports.workflow.start = async (auction, run) => `${auction}-${run}`;
      await traded(ports);
      ports.workflow.start = start;
      clock.time = '2025-04-01T11:30:00Z';
      await keepTime(ports);
      await reaches(ports, 'a', 'settled');
    }),
  'gate-overdue': (t) =>
    heardFrom(t, async (ports, { clock }) => {
      await hold(ports);
      ports.auctions.advance = async () => {
        throw new AuctionError('unavailable', 'it cannot be moved');
      };
      clock.time = '2025-04-01T11:03:00Z';
      await assert.rejects(keepTime(ports));
    }),
  'clearing-retries': (t) =>
    heardFrom(
      t,
      async (ports) => {
        await traded(ports);
        await reaches(ports, 'a', 'failed');
      },
      { markets: [testMarket({ rehearsal: { lateResults: { probability: 1, seed: 1 } } })] },
    ),
  'result-refused': (t) =>
    heardFrom(t, async (ports) => {
      // A dishonest engine: another price from the beginning, hash and all.
      const { archive, auctions } = ports;
      const write = archive.write.bind(archive);
      const advance = auctions.advance.bind(auctions);
      archive.write = (key, text) => write(key, key.startsWith('results/') ? text.replace('[45]', '[44]') : text);
      auctions.advance = async (from, next) => {
        if (next.state !== 'preliminary') return advance(from, next);
        const found = sha256((await archive.read('results/a.json'))!);
        return advance(from, { ...next, result: { ...next.result!, hash: found } });
      };
      await traded(ports);
      await reaches(ports, 'a', 'failed');
    }),
  'house-faults': (t) =>
    heardFrom(t, async (ports) => {
      const { log } = await import('../src/lambda/observed.ts');
      ports.auctions.list = async () => {
        throw new TypeError('a fault of our own');
      };
      assert.equal(
        (
          await createApp(ports, { log: (entry) => void (entry.event === 'request-failed' && log(entry)) }).request(
            '/auctions',
          )
        ).status,
        500,
      );
    }),
  'canary-failed': (t) =>
    heardFrom(t, (ports) => assert.rejects(canary(ports), /canary c is failed: NoResults/), {
      markets: [testMarket({ rehearsal: { lateResults: { probability: 1, seed: 1 } } })],
    }),
};

/** Too many blocks for one branch: the first answer is published with its gap. */
const day = randomBlocks({ seed: 2, blocks: 40, zones: 2, periods: 8, steps: 4 });
const hasty = testMarket({
  zones: day.zones,
  lines: day.lines,
  orderKinds: ['limit', 'block'],
  clearing: { branchesPerCall: 1, publishAtGap: 1 },
});
faults['result-with-gap'] = (t) =>
  heardFrom(
    t,
    async (ports) => {
      await hold(ports, 'a', { start: '2025-04-01T22:00:00Z', periods: day.periods });
      await submit(ports, day.orders);
      await closeGate(ports, 'a');
      await reaches(ports, 'a', 'settled');
    },
    { markets: [hasty] },
  );

const canary = (ports: Ports) =>
  holdCanary(ports, { id: 'c', market: 'test', seconds: 30, pause: () => new Promise((done) => setTimeout(done, 5)) });

for (const [name, happens] of Object.entries(faults))
  test(`alarm ${name}: the house says so under the fault it is for`, async (t) => {
    const alarm = (await alarmsOf('staging')).get(name)!;
    const [watched] = watchedBy(alarm);
    assert(watched !== undefined);
    const emitted = await happens(t);
    const own = emitted.filter(
      (datum) =>
        datum.name === watched.name &&
        isDeepStrictEqual(datum.dimensions, watched.dimensions) &&
        datum.namespace === watched.namespace.replace('staging', 'dev'),
    );
    const values = own.map(({ value }) => value);
    const seen = alarm.Statistic === 'Sum' ? values.reduce((sum, value) => sum + value, 0) : Math.max(...values);
    assert(
      isRinging(alarm, seen),
      `${JSON.stringify(watched)}: ${seen}, of ${emitted.map(({ name }) => name).join(' ')}`,
    );
    assert.equal(alarm.TreatMissingData, 'notBreaching');
  });

test('alarm canary-silent: each canary that ends well is heard, and silence rings', async (t) => {
  const alarm = (await alarmsOf('staging')).get('canary-silent')!;
  const emitted = await heardFrom(t, canary);
  const [watched] = watchedBy(alarm);
  assert(
    emitted.some(
      ({ name, dimensions, value }) =>
        name === watched!.name && dimensions.outcome === watched!.dimensions.outcome && value === 1,
    ),
  );
  assert.deepEqual(
    [alarm.ComparisonOperator, alarm.Threshold, alarm.TreatMissingData, alarm.Period],
    ['LessThanThreshold', 1, 'breaching', 7200],
  );
});

/** Metrics of the services themselves: the fault happens as far as this machine goes, and the alarm watches what it happens to. */
const servicesFaults: Record<string, (t: TestContext, alarm: Properties, house: Synthesised) => unknown> = {
  'clock-silent': (_, alarm, { of }) => {
    const [, { Properties: clock }] = of('AWS::Lambda::Function').find(
      ([, { Properties: f }]) => f.FunctionName === functionNameOf('keep-time', 'staging'),
    )!;
    assert.deepEqual(watchedBy(alarm)[0]!.dimensions, { FunctionName: clock.FunctionName });
    const rates = of('AWS::Events::Rule').map(([, { Properties: rule }]) => rule.ScheduleExpression);
    assert(rates.includes('rate(1 minute)'), 'five ticks are due while the alarm waits');
    assert.deepEqual([alarm.TreatMissingData, alarm.Period], ['breaching', 300]);
  },
  'execution-failed': async (t) => {
    const { ports } = await openTestHouse(t, {
      markets: [testMarket({ rehearsal: { lateResults: { probability: 1, seed: 1 } } })],
    });
    await traded(ports);
    await reaches(ports, 'a', 'failed');
    const ended = await until('the execution ends', async () => {
      const [execution] = await ports.workflow.list({ auction: 'a' });
      return execution?.status === 'running' ? undefined : execution;
    });
    assert.equal(ended.status, 'failed');
  },
  'function-errors': async (_, alarm) => {
    const { observed } = await import('../src/lambda/observed.ts');
    const failing = observed(async () => {
      throw new TypeError('a fault of our own');
    });
    const context = {
      functionName: 'f',
      awsRequestId: 'r',
      memoryLimitInMB: '1',
      invokedFunctionArn: 'a',
      functionVersion: '1',
    };
    const emitted = await emittedBy(() => assert.rejects(failing({}, context as never), /a fault of our own/));
    assert(
      emitted.some(({ name }) => name === 'faults'),
      'it is logged and counted, and still an error of the function',
    );
    assert.deepEqual(functionsWatchedBy(alarm), answering);
  },
  'task-errors': (_, alarm) => assert.deepEqual(functionsWatchedBy(alarm), working),
  'function-throttled': (_, alarm) => assert.deepEqual(functionsWatchedBy(alarm), answering),
  'task-throttled': (_, alarm) => assert.deepEqual(functionsWatchedBy(alarm), working),
  'clearing-slow': (_, alarm, { one }) => {
    const { Timeout } = one('AWS::Lambda::Function', 'FunctionName', functionNameOf('clear', 'staging')).Properties;
    assert.equal(alarm.Threshold, Timeout * 800);
    assert(functions.clear.seconds === Timeout && alarm.Statistic === 'Maximum');
  },
  'notices-undelivered': (_, alarm, { of }) => {
    const topics = of('AWS::SNS::Topic').map(([, { Properties: topic }]) => topic.TopicName);
    assert.deepEqual(
      watchedBy(alarm)
        .map(({ dimensions }) => dimensions.TopicName)
        .sort(),
      topics.sort(),
    );
  },
  'dead-letters': (_, alarm, { of }) => {
    const [id, { Properties: queue }] = of('AWS::SQS::Queue')[0]!;
    assert.deepEqual(watchedBy(alarm)[0]!.dimensions, { QueueName: queue.QueueName });
    for (const [, { Properties: f }] of of('AWS::Lambda::Function'))
      if (String(f.FunctionName).startsWith('energy-auction-'))
        assert.deepEqual(f.DeadLetterConfig.TargetArn, { 'Fn::GetAtt': [id, 'Arn'] });
  },
  'table-throttled': async (t, alarm, { of }) => {
    const dynamodb = new DynamoDBClient({
      region: 'us-east-1',
      maxAttempts: 2,
      credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
    });
    t.after(() => dynamodb.destroy());
    injectFaults(dynamodb, chance(1), { throttled: 1 });
    const tables = {
      ORDERS_TABLE: 'orders-staging',
      INTAKE_TABLE: 'intake-staging',
      AUCTIONS_TABLE: 'auctions-staging',
    };
    const { auctions } = awsStores({ ...tables, INTAKE_SHARDS: '2' }, [], { dynamodb, meter: recordingMeter() });
    await assert.rejects(auctions.find('a'), (error) => error instanceof AuctionError && error.code === 'unavailable');
    const watched = watchedBy(alarm).map(({ name, dimensions }) => `${dimensions.TableName} ${name}`);
    const expected = of('AWS::DynamoDB::Table').flatMap(([, { Properties: table }]) =>
      ['Read', 'Write'].map((way) => `${table.TableName} ${way}ThrottleEvents`),
    );
    assert.deepEqual(watched.sort(), expected.sort());
  },
  'api-errors': async (t) => {
    const { ports } = await openTestHouse(t);
    ports.auctions.list = async () => {
      throw new TypeError('a fault of our own');
    };
    const logged: unknown[] = [];
    const response = await createApp(ports, { log: (entry) => logged.push(entry) }).request('/auctions');
    assert.deepEqual([response.status, logged.length], [500, 1]);
  },
  'api-slow': (_, alarm) => {
    for (const name of ['post-orders', 'api'] as const) assert(alarm.Threshold < functions[name].seconds * 1000);
    assert.deepEqual([alarm.ExtendedStatistic, alarm.EvaluationPeriods], ['p99', 3]);
  },
};

const functionsWatchedBy = (alarm: Properties) => watchedBy(alarm).map(({ dimensions }) => dimensions.FunctionName);
const answering = ['authorize', 'post-orders', 'api', 'keep-time'].map((name) => `energy-auction-${name}-staging`);
/** Between the two every function is watched. */
const working = functionNames
  .map((name) => functionNameOf(name, 'staging'))
  .filter((name) => !answering.includes(name));

for (const [name, happens] of Object.entries(servicesFaults))
  test(`alarm ${name}: it watches what the fault happens to`, async (t) => {
    const alarm = (await alarmsOf('staging')).get(name);
    assert(alarm !== undefined, `there is no alarm ${name}`);
    await happens(t, alarm, await stackOf('staging', 'house'));
  });

test('no alarm is left untried', async () => {
  const tried = [...Object.keys(faults), ...Object.keys(servicesFaults), 'canary-silent'];
  assert.deepEqual(tried.sort(), [...(await alarmsOf('staging')).keys()].sort());
});
