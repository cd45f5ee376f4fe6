/**
 * The functions, one for each thing the house does, each with a role of its own that may do that and nothing else.
 *
 * Reading order: `functions` says what there is, `Functions` makes it, what it may do is in `permissions.ts`.
 */

import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AssetHashType, DockerImage, Duration, Validations } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Code, Function as LambdaFunction, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Environment } from '../src/lambda/environment.ts';
import type { Market } from '../src/market/market.ts';
import { bundle, nodeOptions } from './bundle.ts';
import type { Settings } from './settings.ts';

/**
 * By the name of the file in `src/lambda/`. A function gets a share of a processor by its memory: 1,769 MB are a whole one,
 * which is all that one thread can use. Seconds are those of the task in the workflow file at most, and below the gateway's 29
 * for those behind it. `reserved` is how many run at one time whatever the API has to do, where an account has room for that: as many
 * as there is work for when several auctions end together, pages of a settlement ten at a time.
 */
export const functions = {
  authorize: { memoryMb: 1024, seconds: 10 },
  'post-orders': { memoryMb: 1024, seconds: 28 },
  api: { memoryMb: 1024, seconds: 28 },
  seal: { memoryMb: 1769, seconds: 290, reserved: 4 },
  clear: { memoryMb: 3008, seconds: 890, reserved: 4 },
  verify: { memoryMb: 3008, seconds: 890, reserved: 4 },
  settle: { memoryMb: 1024, seconds: 290, reserved: 20 },
  publish: { memoryMb: 512, seconds: 60, reserved: 4 },
  'notify-failure': { memoryMb: 512, seconds: 60, reserved: 4 },
  diagnose: { memoryMb: 3008, seconds: 890, reserved: 2 },
  'keep-time': { memoryMb: 512, seconds: 58, reserved: 2 },
} as const satisfies Record<string, FunctionSize>;

interface FunctionSize {
  readonly memoryMb: number;
  readonly seconds: number;
  readonly reserved?: number;
}

export type FunctionName = keyof typeof functions;
export const functionNames = Object.keys(functions) as FunctionName[];

export const functionNameOf = (name: AnyFunctionName, environment: string): string =>
  `energy-auction-${name}-${environment}`;

/** Of the house's metrics; an account may hold several environments. */
export const metricNamespace = (environment: string): string => `energy-auction-${environment}`;

export interface FunctionsProps {
  readonly settings: Settings;
  readonly environment: Environment;
  readonly deadLetters: IQueue;
}

export class Functions extends Construct {
  readonly byName: Readonly<Record<FunctionName, LambdaFunction>>;

  constructor(scope: Construct, id: string, props: FunctionsProps) {
    super(scope, id);
    this.byName = Object.fromEntries(
      functionNames.map((name) => [name, makeFunction(this, name, props)]),
    ) as unknown as Record<FunctionName, LambdaFunction>;
  }
}

/** Not of every environment: `lib/canary.ts`. */
export const canary: FunctionSize = { memoryMb: 512, seconds: 290 };
type AnyFunctionName = FunctionName | 'canary';
/** All that there is code for. */
export const bundledNames: readonly AnyFunctionName[] = [...functionNames, 'canary'];

/** A function with a role and a log of its own. */
export function makeFunction(
  within: Construct,
  name: AnyFunctionName,
  { settings, environment, deadLetters }: FunctionsProps,
): LambdaFunction {
  const { memoryMb, seconds, reserved }: FunctionSize = name === 'canary' ? canary : functions[name];
  const { removalPolicy, logRetention, markets } = settings;
  const functionName = functionNameOf(name, settings.environment);
  const scope = new Construct(within, name);
  const logGroup = new LogGroup(scope, 'Log', {
    logGroupName: `/aws/lambda/${functionName}`,
    retention: logRetention,
    removalPolicy,
  });
  // Not the managed policy for functions, which may write to every log of the account.
  const role = new Role(scope, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
  logGroup.grantWrite(role);
  const made = new LambdaFunction(scope, 'Function', {
    functionName,
    runtime: Runtime.NODEJS_24_X,
    architecture: Architecture.ARM_64,
    handler: 'index.handler',
    code: code(name, markets),
    memorySize: memoryMb,
    timeout: Duration.seconds(seconds),
    ...(settings.reservedConcurrency && reserved && { reservedConcurrentExecutions: reserved }),
    environment: {
      ...environment,
      POWERTOOLS_SERVICE_NAME: name,
      POWERTOOLS_METRICS_NAMESPACE: metricNamespace(settings.environment),
      AWS_NODEJS_CONNECTION_REUSE_ENABLED: '1',
      NODE_OPTIONS: nodeOptions,
    },
    role,
    logGroup,
    tracing: Tracing.ACTIVE,
    // What is invoked without waiting for the answer, and failed three times.
    deadLetterQueue: deadLetters,
    retryAttempts: 2,
  });
  Validations.of(role).acknowledge({
    id: 'AwsSolutions-IAM5[Resource::*]',
    reason: 'xray:PutTraceSegments and PutTelemetryRecords know no resources; nothing else in the policy is for all.',
  });
  return made;
}

/**
 * Bundled here, with no container. Template tests switch bundling off, and then the folder of the sources stands in.
 *
 * The command is never run; it makes the bundles of two functions two.
 */
const code = (name: AnyFunctionName, markets: readonly Market[]): Code =>
  Code.fromAsset(sources, {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      image: DockerImage.fromRegistry('none'),
      command: [name],
      local: {
        tryBundle: (folder) => {
          cpSync(join(bundled(markets), name), folder, { recursive: true });
          return true;
        },
      },
    },
  });

const sources = fileURLToPath(new URL('../src/lambda', import.meta.url));

/** All functions, bundled once a process. */
function bundled(markets: readonly Market[]): string {
  if (shelf !== undefined) return shelf;
  const folder = mkdtempSync(join(tmpdir(), 'energy-auction-'));
  process.once('exit', () => rmSync(folder, { recursive: true }));
  bundle(bundledNames, folder, markets);
  shelf = folder;
  return folder;
}
let shelf: string | undefined;
