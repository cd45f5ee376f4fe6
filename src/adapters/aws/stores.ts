/** The ports that taking orders needs: clock, markets, and auctions and orders over DynamoDB. No other client is loaded. */

import assert from 'node:assert/strict';
import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import type { Clock, Ports } from '../../auction/ports.ts';
import type { Meter } from '../../auction/views/metrics.ts';
import type { Market } from '../../market/market.ts';
import { openAuctionStore } from './auction-store.ts';
import { openDatabase } from './database.ts';
import { type OrderStoreOptions, openOrderStore } from './order-store.ts';

/** What the stores are told by their environment. */
export interface StoresEnvironment {
  readonly ORDERS_TABLE: string;
  readonly INTAKE_TABLE: string;
  readonly AUCTIONS_TABLE: string;
  /** How many logs the intake of an auction is spread over; an auction keeps the number it was made with. */
  readonly INTAKE_SHARDS: string;
}

export interface StoresOptions extends Pick<OrderStoreOptions, 'patienceMs' | 'budgetMs'> {
  readonly dynamodb?: DynamoDBClient;
  readonly clock?: Clock;
  readonly meter: Meter;
}

/** A request to a table takes milliseconds: what takes seconds is lost, and tried again. */
export const patience: DynamoDBClientConfig = {
  maxAttempts: 4,
  requestHandler: { connectionTimeout: 1000, requestTimeout: 3000, throwOnRequestTimeout: true },
};

const systemClock: Clock = { now: () => new Date() };
const mostShards = 64;

export function awsStores(
  environment: StoresEnvironment,
  markets: readonly Market[],
  { dynamodb = new DynamoDBClient(patience), clock = systemClock, meter, ...options }: StoresOptions,
): Pick<Ports, 'clock' | 'markets' | 'auctions' | 'orders' | 'meter'> {
  const shards = Number(environment.INTAKE_SHARDS);
  assert(Number.isInteger(shards) && shards >= 1 && shards <= mostShards, `INTAKE_SHARDS is 1 to ${mostShards}`);
  const database = openDatabase(dynamodb);
  const auctions = openAuctionStore(database, environment.AUCTIONS_TABLE, shards);
  const { ORDERS_TABLE: ordersTable, INTAKE_TABLE: intakeTable } = environment;
  const orders = openOrderStore({ database, ordersTable, intakeTable, auctions, clock, ...options });
  return { clock, markets: new Map(markets.map((market) => [market.market, market])), auctions, orders, meter };
}
