/** Every route but `POST /orders`, and the answers to addresses and methods that the API does not know. */

import { readFile } from 'node:fs/promises';
import packageJson from '../../package.json' with { type: 'json' };
import { createApp } from '../api/app.ts';
import { readEnvironment } from './environment.ts';
import { deployedHouse } from './house.ts';
import { appOptions, behindGateway, largestAnswer } from './http.ts';
import { traced } from './traced.ts';

const app = createApp(deployedHouse(), {
  version: packageJson.version,
  largestAnswer,
  root: './',
  docsScript: () => readFile(new URL('scalar.js', import.meta.url), 'utf8'),
  ...appOptions(readEnvironment(process.env)),
});

export const handler = traced(behindGateway(app));
