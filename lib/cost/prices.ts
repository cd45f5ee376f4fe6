/**
 * List prices of AWS in dollars: us-east-1, without the free tier, discounts and taxes, from the public price page of each service
 * (https://aws.amazon.com/SERVICE/pricing/) as of `asOf`. Prices change and differ between regions: look up yours and change them here.
 */

export const asOf = '2025-11';
export const region = 'us-east-1';

const million = 1e6;

export const prices = {
  apiGatewayRequest: 3.5 / million,
  webAclMonth: 5,
  webAclRuleMonth: 1,
  webAclRequest: 0.6 / million,
  cloudFrontRequest: 1 / million,
  cloudFrontGb: 0.085,
  /** Out of a region to the internet. */
  transferGb: 0.09,
  lambdaRequest: 0.2 / million,
  /** Of arm64. */
  lambdaGbSecond: 0.0000133334,
  /** Provisioned concurrency, arm64. */
  lambdaWarmGbSecond: 0.0000033334,
  dynamoWriteUnit: 0.625 / million,
  dynamoReadUnit: 0.125 / million,
  dynamoGbMonth: 0.25,
  /** Point-in-time recovery. */
  dynamoRecoveryGbMonth: 0.2,
  s3Put: 5 / million,
  s3Get: 0.4 / million,
  s3GbMonth: 0.023,
  snsRequest: 0.5 / million,
  stateTransition: 25 / million,
  expressRequest: 1 / million,
  expressGbSecond: 0.00001667,
  schedule: 1 / million,
  logsGb: 0.5,
  logsGbMonth: 0.03,
  metricMonth: 0.3,
  /** For each metric that an alarm watches. */
  alarmMonth: 0.1,
  compositeAlarmMonth: 0.5,
  dashboardMonth: 3,
  trace: 5 / million,
  keyMonth: 1,
  keyRequest: 0.03 / 10_000,
  /** Cognito, from machine to machine. */
  clientMonth: 6,
  token: 2.25 / 1000,
} as const;
