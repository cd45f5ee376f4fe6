/** `POST /orders`, alone: the function that has to start fast knows no solver and no archive. */

import { awsStores } from '../adapters/aws/stores.ts';
import { submitRoute, usualBatchLimit } from '../api/intake.ts';
import { routedApp } from '../api/routed-app.ts';
import { readEnvironment } from './environment.ts';
import { appOptions, behindGateway } from './http.ts';
import { deployedMarkets } from './markets.ts';
import { meter } from './meter.ts';
import { observed } from './observed.ts';

const environment = readEnvironment(process.env);
const stores = awsStores(environment, deployedMarkets(), { meter });
const app = routedApp([submitRoute(stores, usualBatchLimit)], appOptions(environment));

export const handler = observed(behindGateway(app));
