/**
 * What the stack tells its functions. Both sides import this file: the constructs in `lib/` fill it, the handlers read it, so
 * a variable that the stack forgets fails the type check and not the first night.
 */

/** The dimension `service` of the house's metrics: one for all functions, an alarm does not care which of them had something to say. */
export const metricService = 'house';

/** All of them strings, as environment variables are. */
export interface Environment {
  /** `dev`, `staging` or `prod`. */
  readonly ENVIRONMENT: string;
  readonly ORDERS_TABLE: string;
  readonly INTAKE_TABLE: string;
  readonly AUCTIONS_TABLE: string;
  /** Sealed books, results and settled orders. */
  readonly RESULTS_BUCKET: string;
  /** The same bucket, by the name that settlement of a single order has always known it. */
  readonly LOG_BUCKET: string;
  /** Notices about rejected orders. */
  readonly REJECTED_TOPIC_ARN: string;
  /** Notices about auctions that failed. */
  readonly ERRORS_TOPIC_ARN: string;
  /** Notices about auctions that are settled. */
  readonly NOTICES_TOPIC_ARN: string;
  readonly WORKFLOW_ARN: string;
  /** Ids of the keys that evidence is signed with, with commas between them; the last one signs. */
  readonly SIGNING_KEYS: string;
  /** How many logs the intake of an auction is spread over, so that no partition gets hot at the gate. */
  readonly INTAKE_SHARDS: string;
  /** Clients and their participants. */
  readonly PARTICIPANTS_TABLE: string;
  /** The `iss` of tokens. */
  readonly TOKEN_ISSUER: string;
  /** Where the issuer's keys are. */
  readonly TOKEN_KEYS_URL: string;
  /** The key of the usage plan for calls without a token. */
  readonly PUBLIC_USAGE_KEY: string;
  /** And of the one for calls whose token does not hold. */
  readonly REFUSED_USAGE_KEY: string;
  /** The origin that may read answers in a browser; `*` for any. */
  readonly DASHBOARD_ORIGIN: string;
}

const names: Readonly<Record<keyof Environment, true>> = {
  ENVIRONMENT: true,
  ORDERS_TABLE: true,
  INTAKE_TABLE: true,
  AUCTIONS_TABLE: true,
  RESULTS_BUCKET: true,
  LOG_BUCKET: true,
  REJECTED_TOPIC_ARN: true,
  ERRORS_TOPIC_ARN: true,
  NOTICES_TOPIC_ARN: true,
  WORKFLOW_ARN: true,
  SIGNING_KEYS: true,
  INTAKE_SHARDS: true,
  PARTICIPANTS_TABLE: true,
  TOKEN_ISSUER: true,
  TOKEN_KEYS_URL: true,
  PUBLIC_USAGE_KEY: true,
  REFUSED_USAGE_KEY: true,
  DASHBOARD_ORIGIN: true,
};

/** @throws Error naming every variable that is missing or empty: a fault of the deployment, not of a caller */
export function readEnvironment(variables: Readonly<Record<string, string | undefined>>): Environment {
  const keys = Object.keys(names) as (keyof Environment)[];
  const missing = keys.filter((key) => !variables[key]);
  if (missing.length > 0) throw new Error(`the environment does not say ${missing.join(', ')}`);
  return Object.fromEntries(keys.map((key) => [key, variables[key]])) as unknown as Environment;
}
