/**
 * What a month of the house costs: the resources of its templates, times what they are used, times the list prices.
 *
 * How much is used comes from `usage.json`, which the benchmark writes (`npm run bench -- usage`); sizes, counts and schedules come from the
 * templates; how many orders, auctions, clients and readers there are is asked for. A type of resource that the model does not know
 * is an error, not nothing.
 */

import { readFileSync } from 'node:fs';
import { metrics } from '../../src/auction/views/metrics.ts';
import { prices } from './prices.ts';
import {
  functionIn,
  hasBucketKeys,
  metricsIn,
  type Resources,
  resourcesOf,
  retentionDays,
  type Template,
  warmMinutesADay,
  workflowOf,
} from './template.ts';

/** What the adapters ask of AWS: units of DynamoDB, bytes, requests, and milliseconds on a whole processor. */
export const counted = [
  'ms',
  'writeUnits',
  'readUnits',
  'tableBytes',
  's3Puts',
  's3Gets',
  's3Bytes',
  'snsRequests',
] as const;
export type Usage = Record<(typeof counted)[number], number>;
/** Used once, a request or an auction, and for each order besides. */
export interface Line {
  readonly once: Usage;
  readonly perOrder: Usage;
}

/** A day of the house. */
export interface Day {
  readonly orders: number;
  readonly auctions: number;
  readonly ordersPerRequest: number;
  /** Who sends orders; each takes a token an hour. */
  readonly clients: number;
  /** Requests for prices, flows and curves. */
  readonly reads: number;
}

export interface CostLine {
  readonly service: string;
  readonly what: string;
  /** A month of 30 days. */
  readonly quantity: number;
  readonly unit: string;
  readonly dollars: number;
}

const { lines: measured } = JSON.parse(readFileSync(new URL('usage.json', import.meta.url), 'utf8')) as {
  lines: Record<string, Line>;
};

const days = 30;
const GB = 1e9;
/** Of the memory that is a whole processor, on which durations were measured. */
const wholeMb = 1769;

/** What nobody has measured. */
export const assumed = {
  /** Answers of published data, and of 100 receipts. */
  readKb: 4,
  receiptBytes: 300,
  /** A call of a function: its report, what it logs and its metrics; and a line of the access log. */
  logBytesPerCall: 1500,
  logBytesPerRequest: 900,
  /** A tick of the clock that finds nothing to do, and reading a published result. */
  tickMs: 30,
  readMs: 25,
  /** Days that an order lies in the tables: until its gate, a day after it, and until it is deleted. */
  orderDays: 3,
  /** Of the requests to a bucket with a key of its own, those that reach KMS. */
  askedOfBucketKey: 0.01,
  /** Months of results in the bucket. */
  resultMonths: 12,
  /** Of the metrics of one name by code or reason. */
  valuesOfMetric: 4,
  /** Tracing takes one request a second, and of the rest this share. */
  tracedShare: 0.05,
} as const;

/** Types whose resources cost nothing by themselves: what they do is counted elsewhere. */
export const free = new Set([
  'AWS::ApiGateway::Account',
  'AWS::ApiGateway::ApiKey',
  'AWS::ApiGateway::Authorizer',
  'AWS::ApiGateway::Deployment',
  'AWS::ApiGateway::GatewayResponse',
  'AWS::ApiGateway::Method',
  'AWS::ApiGateway::Model',
  'AWS::ApiGateway::RequestValidator',
  'AWS::ApiGateway::Resource',
  'AWS::ApiGateway::Stage',
  'AWS::ApiGateway::UsagePlan',
  'AWS::ApiGateway::UsagePlanKey',
  'AWS::Budgets::Budget', // the first two of an account, without actions
  'AWS::CDK::Metadata',
  'AWS::CloudFront::CachePolicy',
  'AWS::Cognito::UserPoolDomain',
  'AWS::Cognito::UserPoolResourceServer',
  'AWS::Events::Rule', // scheduled rules on the default bus
  'AWS::IAM::Policy',
  'AWS::IAM::Role',
  'AWS::KMS::Alias',
  'AWS::Lambda::Alias',
  'AWS::Lambda::EventInvokeConfig',
  'AWS::Lambda::Permission',
  'AWS::Lambda::Version',
  'AWS::S3::BucketPolicy',
  'AWS::SNS::Subscription', // to functions and queues; mails beyond a thousand a month are 2 a 100,000
  'AWS::SNS::TopicPolicy',
  'AWS::SQS::Queue', // dead letters: a message is a fault
  'AWS::SQS::QueuePolicy',
  'AWS::WAFv2::WebACLAssociation',
  'Custom::S3AutoDeleteObjects',
]);

/**
 * @param templates  of the house and of what watches it
 * @returns lines of a month, the dearest first
 * @throws Error for a resource of a type that is neither priced nor free
 */
export function costOf(templates: readonly Template[], day: Day): CostLine[] {
  const resources = resourcesOf(templates);
  const use = usageOf(day);
  const lines: CostLine[] = [];
  const add: Add = (service, what, quantity, unit, price) => {
    if (quantity > 0) lines.push({ service, what, quantity, unit, dollars: quantity * price });
  };
  const asked = { resources, day, use };
  for (const type of new Set(resources.map(({ Type }) => Type))) {
    const price = priced[type];
    if (price === undefined && !free.has(type)) throw new Error(`nobody has said what ${type} costs`);
    price?.(
      add,
      asked,
      resources.filter(({ Type }) => Type === type),
    );
  }
  return lines.sort((a, b) => b.dollars - a.dollars);
}

interface MonthOfUse {
  /** Calls and milliseconds on a whole processor, by function. */
  readonly calls: Readonly<Record<string, { readonly calls: number; readonly ms: number }>>;
  readonly requests: number;
  readonly reads: number;
  readonly pages: number;
  readonly ticks: number;
  readonly total: Usage;
}

/** An order costs its share of a request, and of the steps of its auction. */
function usageOf({ orders, auctions, ordersPerRequest, reads }: Day): MonthOfUse {
  const requests = Math.ceil(orders / ordersPerRequest) * days;
  const monthly = { orders: orders * days, auctions: auctions * days, reads: reads * days };
  const pages = Math.max(1, Math.ceil(orders / Math.max(1, auctions) / 1000)) * monthly.auctions;
  const asks = requests + monthly.reads;
  const ticks = (24 * 60 + 24) * days + 2 * monthly.auctions;
  const times: Record<string, number> = { authorize: asks, 'post-orders': requests };
  const total = Object.fromEntries(Object.keys(measured.authorize!.once).map((name) => [name, 0])) as Usage;
  const calls: Record<string, { calls: number; ms: number }> = {};
  for (const [name, { once, perOrder }] of Object.entries(measured)) {
    const often = times[name] ?? monthly.auctions;
    const ordersOf = name === 'authorize' ? 0 : monthly.orders;
    for (const each of Object.keys(total) as (keyof Usage)[])
      total[each] += once[each] * often + perOrder[each] * ordersOf;
    calls[name] = { calls: name === 'settle' ? pages : often, ms: once.ms * often + perOrder.ms * ordersOf };
  }
  calls.api = { calls: monthly.reads, ms: monthly.reads * assumed.readMs };
  calls['keep-time'] = { calls: ticks, ms: ticks * assumed.tickMs };
  total.readUnits += 2 * monthly.reads + 4 * ticks;
  total.s3Gets += monthly.reads;
  return { calls, requests, reads: monthly.reads, pages, ticks, total };
}

type Add = (service: string, what: string, quantity: number, unit: string, price: number) => void;
interface Asked {
  readonly resources: Resources;
  readonly day: Day;
  readonly use: MonthOfUse;
}

const isAtEdge = ({ resources }: Asked): boolean =>
  resources.some(({ Type }) => Type === 'AWS::CloudFront::Distribution');
/** Of the reads, those that reach the gateway: one for each auction, kind of data and edge, where there is an edge. */
const readsAtGateway = (asked: Asked): number =>
  isAtEdge(asked) ? Math.min(asked.use.reads, asked.day.auctions * days * 3 * 10) : asked.use.reads;

const houseMetrics = Object.values(metrics)
  .filter((metric) => !('only' in metric))
  .reduce((sum, metric) => sum + ('by' in metric ? assumed.valuesOfMetric : 1), 0);

/** By type of resource; `found` are those of the type. */
export const priced: Readonly<Record<string, (add: Add, asked: Asked, found: Resources) => void>> = {
  'AWS::ApiGateway::RestApi': (add, asked) => {
    const { use, day } = asked;
    const reads = readsAtGateway(asked);
    add('API Gateway', 'requests', use.requests + reads, 'requests', prices.apiGatewayRequest);
    const bytes = day.orders * days * assumed.receiptBytes + (isAtEdge(asked) ? 0 : reads * assumed.readKb * 1000);
    add('API Gateway', 'answers', bytes / GB, 'GB', prices.transferGb);
    // Detailed metrics: of the methods that are called, five each.
    add('CloudWatch', 'metrics of the API', (use.requests + reads > 0 ? 4 : 0) * 5, 'metrics', prices.metricMonth);
    const traced = Math.min(use.requests + reads, 86_400 * days);
    add('X-Ray', 'traces', traced + (use.requests + reads - traced) * assumed.tracedShare, 'traces', prices.trace);
  },
  'AWS::CloudFront::Distribution': (add, { use }) => {
    add('CloudFront', 'requests', use.reads, 'requests', prices.cloudFrontRequest);
    add('CloudFront', 'answers', (use.reads * assumed.readKb * 1000) / GB, 'GB', prices.cloudFrontGb);
  },
  'AWS::WAFv2::WebACL': (add, { use }, found) => {
    const rules = found.reduce((sum, { Properties }) => sum + Properties.Rules.length, 0);
    add('WAF', 'web ACLs', found.length, 'web ACLs', prices.webAclMonth);
    add('WAF', 'rules', rules, 'rules', prices.webAclRuleMonth);
    add('WAF', 'requests', use.requests + use.reads, 'requests', prices.webAclRequest);
  },
  'AWS::Lambda::Function': (add, asked, found) => {
    let calls = 0;
    let seconds = 0;
    for (const { Properties } of found) {
      const name = functionIn(Properties);
      const used = name === undefined ? undefined : asked.use.calls[name];
      if (used === undefined) continue;
      const saved = name === 'authorize' || name === 'api' ? asked.use.reads - readsAtGateway(asked) : 0;
      const share = used.calls === 0 ? 0 : (used.calls - saved) / used.calls;
      const slower = Math.max(1, wholeMb / Properties.MemorySize);
      calls += used.calls * share;
      seconds += ((used.ms * share * slower) / 1000) * (Properties.MemorySize / 1024);
    }
    add('Lambda', 'calls', calls, 'calls', prices.lambdaRequest);
    add('Lambda', 'duration', seconds, 'GB-seconds', prices.lambdaGbSecond);
    const bytes =
      calls * assumed.logBytesPerCall + (asked.use.requests + readsAtGateway(asked)) * assumed.logBytesPerRequest;
    add('CloudWatch', 'logs taken in', bytes / GB, 'GB', prices.logsGb);
    const kept = retentionDays(asked.resources) / days;
    add('CloudWatch', 'logs kept', (bytes / GB) * kept, 'GB-months', prices.logsGbMonth);
  },
  'AWS::ApplicationAutoScaling::ScalableTarget': (add, { resources }, found) => {
    const clear = resources.find(({ Properties }) => functionIn(Properties) === 'clear')!;
    const minutes = warmMinutesADay(found[0]!.Properties);
    const seconds = minutes * 60 * days * (clear.Properties.MemorySize / 1024);
    add('Lambda', 'kept warm', seconds, 'GB-seconds', prices.lambdaWarmGbSecond);
  },
  'AWS::DynamoDB::Table': (add, { use, day }, found) => {
    add('DynamoDB', 'writes', use.total.writeUnits, 'units', prices.dynamoWriteUnit);
    add('DynamoDB', 'reads', use.total.readUnits, 'units', prices.dynamoReadUnit);
    const gb = ((use.total.tableBytes / days) * assumed.orderDays) / GB;
    add('DynamoDB', 'storage', gb, 'GB-months', prices.dynamoGbMonth);
    const restored = found.some(
      ({ Properties }) => Properties.PointInTimeRecoverySpecification?.PointInTimeRecoveryEnabled,
    );
    if (restored && day.orders > 0) add('DynamoDB', 'recovery', gb, 'GB-months', prices.dynamoRecoveryGbMonth);
  },
  'AWS::S3::Bucket': (add, { use }) => {
    add('S3', 'writes', use.total.s3Puts, 'requests', prices.s3Put);
    add('S3', 'reads', use.total.s3Gets, 'requests', prices.s3Get);
    add('S3', 'results of a year', (use.total.s3Bytes / GB) * assumed.resultMonths, 'GB-months', prices.s3GbMonth);
  },
  'AWS::SNS::Topic': (add, { use }) => add('SNS', 'notices', use.total.snsRequests, 'requests', prices.snsRequest),
  'AWS::StepFunctions::StateMachine': (add, { use, day }, found) => {
    const { auction, page, isExpress } = workflowOf(found[0]!.Properties);
    const standard = day.auctions * days * auction + (isExpress ? 0 : use.pages * page);
    add('Step Functions', 'transitions', standard, 'transitions', prices.stateTransition);
    if (!isExpress) return;
    add('Step Functions', 'express pages', use.pages, 'requests', prices.expressRequest);
    const gbSeconds = ((use.calls.settle!.ms / 1000) * 64) / 1024;
    add('Step Functions', 'express duration', gbSeconds, 'GB-seconds', prices.expressGbSecond);
  },
  'AWS::Scheduler::Schedule': (add, { day }, found) =>
    add('EventBridge', 'schedules', Math.min(found.length, 2) * day.auctions * days, 'calls', prices.schedule),
  'AWS::Logs::LogGroup': () => {}, // by what the functions and the gateway write into them, above
  'AWS::CloudWatch::Alarm': (add, _, found) => {
    const watched = found.reduce((sum, { Properties }) => sum + metricsIn(Properties), 0);
    add('CloudWatch', 'alarms', watched, 'metrics in alarms', prices.alarmMonth);
    add('CloudWatch', 'metrics of the house', houseMetrics, 'metrics', prices.metricMonth);
  },
  'AWS::CloudWatch::CompositeAlarm': (add, _, found) =>
    add('CloudWatch', 'composite alarms', found.length, 'alarms', prices.compositeAlarmMonth),
  'AWS::CloudWatch::Dashboard': (add, _, found) =>
    add('CloudWatch', 'dashboard', found.length, 'dashboards', prices.dashboardMonth),
  'AWS::KMS::Key': (add, { use, resources }, found) => {
    add('KMS', 'keys', found.length, 'keys', prices.keyMonth);
    const atBuckets = (use.total.s3Puts + use.total.s3Gets) * (hasBucketKeys(resources) ? assumed.askedOfBucketKey : 1);
    add('KMS', 'requests', atBuckets + use.total.snsRequests, 'requests', prices.keyRequest);
  },
  'AWS::Cognito::UserPool': (add, { day }) => {
    add('Cognito', 'clients', day.clients, 'clients', prices.clientMonth);
    add('Cognito', 'tokens', day.clients * 24 * days, 'tokens', prices.token);
  },
};
