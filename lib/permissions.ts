/**
 * Who may do what: for each function its actions on its resources, by name. Nothing is granted for all resources, and what
 * writes a kind of object can write no other kind.
 */

import { type Grant, Grant as Grants } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { acknowledgeWildcard } from './acknowledged.ts';
import type { FunctionName, Functions } from './functions.ts';
import type { Notices } from './notices.ts';
import type { Signing } from './signing.ts';
import type { Storage } from './storage.ts';

/** Folders of the bucket, by what lies in them. */
type Prefix = 'books' | 'results' | 'orders' | 'checkpoints' | 'networks' | 'answers' | 'diagnoses' | 'exclusions';
type TableName = 'orders' | 'intake' | 'auctions' | 'participants';

const tableActions = {
  read: ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query'],
  put: ['dynamodb:PutItem', 'dynamodb:ConditionCheckItem'],
  update: ['dynamodb:UpdateItem'],
  remove: ['dynamodb:DeleteItem'],
  batch: ['dynamodb:BatchWriteItem'],
} as const;
type TableAccess = keyof typeof tableActions;

interface Duties {
  readonly tables: Partial<Record<TableName, readonly TableAccess[]>>;
  readonly readsObjects?: readonly Prefix[];
  readonly writesObjects?: readonly Prefix[];
  readonly tells?: readonly ('rejected' | 'errors' | 'settled')[];
  readonly runsWorkflow?: boolean;
  /** Signs evidence, or publishes the keys that did. */
  readonly signs?: 'with the key of now' | 'and knows all keys';
}

/** An auction's record and its place in the lists change together. */
const advances = ['read', 'put', 'remove'] as const;
/** What was told is noted in the intake's table, so that nobody hears it twice. */
const notes = ['read', 'batch'] as const;
/** Whoever brings orders in or takes them back: a request commits those of others too, that wait with it. */
const takesOrders = {
  orders: ['read', 'put', 'update'],
  intake: ['read', 'put', 'update', 'remove', 'batch'],
} as const;

/** Who writes an object may read it: where one is already, it must be the same. */
const duties: Readonly<Record<FunctionName, Duties>> = {
  authorize: { tables: { participants: ['read'] } },
  'post-orders': { tables: { auctions: ['read'], ...takesOrders } },
  api: {
    tables: { auctions: advances, ...takesOrders },
    readsObjects: ['books', 'results', 'orders', 'networks', 'answers', 'diagnoses', 'exclusions'],
    writesObjects: ['networks', 'answers', 'exclusions'],
    tells: ['settled'],
    runsWorkflow: true,
    signs: 'and knows all keys',
  },
  seal: {
    tables: { auctions: advances, intake: ['update', ...notes] },
    readsObjects: ['books', 'networks'],
    writesObjects: ['books'],
    tells: ['rejected'],
    signs: 'with the key of now',
  },
  clear: {
    tables: { auctions: advances },
    readsObjects: ['books', 'results', 'orders', 'checkpoints', 'exclusions'],
    writesObjects: ['results', 'orders', 'checkpoints'],
  },
  verify: { tables: { auctions: advances }, readsObjects: ['books', 'results'], signs: 'with the key of now' },
  settle: {
    tables: { auctions: ['read'], intake: notes },
    readsObjects: ['orders'],
    writesObjects: ['orders'],
    tells: ['rejected'],
  },
  publish: { tables: { auctions: advances, intake: notes }, tells: ['settled'] },
  'notify-failure': { tables: { auctions: advances, intake: notes }, tells: ['errors'] },
  diagnose: {
    tables: { auctions: advances, intake: notes },
    readsObjects: ['books', 'diagnoses', 'exclusions'],
    writesObjects: ['diagnoses'],
    tells: ['errors'],
  },
  'keep-time': {
    tables: { auctions: advances, orders: ['read', 'update', 'batch'], intake: ['read', 'put', 'update', 'batch'] },
    readsObjects: ['networks'],
    writesObjects: ['networks'],
    tells: ['errors', 'settled'], // a failure that no step could tell, and what it calls off
    runsWorkflow: true,
  },
};

export interface House {
  readonly storage: Storage;
  readonly signing: Signing;
  readonly notices: Notices;
  readonly workflowArn: string;
  /** Of all executions of the workflow. */
  readonly executionsArn: string;
}

/** A canary is operator and participant in one, and may no more than they may. */
export const canaryDuty: Duties = {
  tables: { auctions: advances, ...takesOrders },
  readsObjects: ['books', 'results', 'networks'],
  writesObjects: ['networks'],
  runsWorkflow: true,
};

export function grantDuties(functions: Functions, house: House): void {
  for (const [name, duty] of Object.entries(duties)) grantDuty(functions.byName[name as FunctionName], duty, house);
}

export function grantDuty(
  grantee: IFunction,
  duty: Duties,
  { storage, signing, notices, workflowArn, executionsArn }: House,
): void {
  const { tables, readsObjects = [], writesObjects = [], tells = [] } = duty;
  const allow = (actions: string[], resourceArns: string[]): Grant =>
    Grants.addToPrincipal({ grantee, actions, resourceArns });
  const objects = (prefixes: readonly Prefix[]) =>
    prefixes.map((prefix) => {
      const arn = storage.bucket.arnForObjects(`${prefix}/*`);
      acknowledgeWildcard(
        grantee.role!,
        arn,
        'Objects get their names as auctions are held; the folder is what is granted.',
      );
      return arn;
    });

  for (const [table, access] of Object.entries(tables))
    allow(
      access.flatMap((each) => tableActions[each]),
      [storage[table as TableName].tableArn],
    );
  // Without leave to list, an object that is not there would look like one that may not be read.
  if (readsObjects.length > 0) allow(['s3:ListBucket'], [storage.bucket.bucketArn]);
  if (readsObjects.length > 0) allow(['s3:GetObject'], objects(readsObjects));
  if (writesObjects.length > 0) allow(['s3:PutObject'], objects(writesObjects));
  for (const topic of tells) allow(['sns:Publish'], [notices[topic].topicArn]);
  if (duty.runsWorkflow) {
    allow(['states:StartExecution', 'states:ListExecutions'], [workflowArn]);
    allow(['states:DescribeExecution', 'states:GetExecutionHistory'], [executionsArn]);
    acknowledgeWildcard(grantee.role!, executionsArn, 'Executions are named by their auctions; only this workflow’s.');
  }
  if (duty.signs !== undefined) {
    const keys = signing.keys.map(({ keyArn }) => keyArn);
    allow(['kms:GetPublicKey'], duty.signs === 'and knows all keys' ? keys : keys.slice(-1));
    allow(['kms:Sign'], keys.slice(-1));
  }
  storage.grantKey(grantee);
}
