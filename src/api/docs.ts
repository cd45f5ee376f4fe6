/** What the API says of itself: a landing page, the OpenAPI document, the page to read and try it, the kinds of problem. */

import { Scalar } from '@scalar/hono-api-reference';
import * as z from 'zod';
import { AuctionError } from '../market/errors.ts';
import { type OpenApiDocument, openApiDocument, type TokenSource } from './openapi.ts';
import { type ProblemCode, problemTypes } from './problems.ts';
import { type Route, route } from './route.ts';

export interface DocsOptions {
  readonly version: string;
  /** The script behind `/docs`: it comes from an installed package, so the page works without a network. */
  readonly docsScript?: () => Promise<string>;
  /** How pages and document refer to the API: by `./` where it lies below a path that it does not know, such as a gateway's stage. */
  readonly root?: '/' | './';
  /** In a house with access control. */
  readonly tokens?: TokenSource;
}

const links = {
  '/docs': 'read and try the API',
  '/openapi.json': 'the API as OpenAPI 3.1',
  '/markets': 'the markets',
  '/auctions': 'the auctions, the newest gate first',
  '/executions': 'runs of the auction workflow',
  '/healthz': 'whether the house is up and well',
};

const landing = z
  .strictObject({ name: z.literal('merit'), version: z.string(), links: z.record(z.string(), z.string()) })
  .meta({ id: 'Landing' });

const problemType = z
  .strictObject({ code: z.string(), status: z.int(), title: z.string() })
  .meta({ id: 'ProblemType' });

/** The routes that describe; `others` are the ones that they describe besides themselves. */
export function docsRoutes(
  others: readonly Route[],
  { version, docsScript, root = '/', tokens }: DocsOptions,
): Route[] {
  // Nothing on the page may call out: no fonts, no assistant, no usage figures.
  const page = Scalar({
    url: `${root}openapi.json`,
    cdn: `${root}docs/scalar.js`,
    pageTitle: 'Merit API',
    withDefaultFonts: false,
    telemetry: false,
    agent: { disabled: true },
    showDeveloperTools: 'never',
    hideClientButton: true,
  });
  let document: OpenApiDocument | undefined;
  const routes: Route[] = [
    route({
      id: 'readLanding',
      method: 'get',
      path: '/',
      tag: 'House',
      summary: 'Where to go from here',
      answers: { 200: { description: 'Links, as JSON or as a page', schema: landing } },
      handle: (c) => {
        if (!c.req.header('accept')?.includes('text/html')) return c.json({ name: 'merit', version, links });
        const items = Object.entries(links).map(
          ([path, what]) => `<li><a href="${root}${path.slice(1)}">${path}</a> ${what}`,
        );
        return c.html(`<!doctype html><title>Merit</title><h1>Merit ${version}</h1><ul>${items.join('')}</ul>`);
      },
    }),
    route({
      id: 'readOpenApi',
      method: 'get',
      path: '/openapi.json',
      tag: 'House',
      summary: 'This API as OpenAPI 3.1',
      answers: { 200: { description: 'The document', schema: z.looseObject({ openapi: z.literal('3.1.0') }) } },
      handle: (c) => {
        document ??= openApiDocument([...others, ...routes], { title: 'Merit', version, root }, tokens);
        return c.json(document);
      },
    }),
    route({
      id: 'readDocs',
      method: 'get',
      path: '/docs',
      tag: 'House',
      summary: 'A page to read and try the API',
      answers: { 200: { description: 'The page', type: 'text/html' } },
      handle: async (c) => (await page(c, async () => {})) as Response,
    }),
    route({
      id: 'readDocsScript',
      method: 'get',
      path: '/docs/scalar.js',
      tag: 'House',
      summary: 'The script of that page',
      answers: { 200: { description: 'The script', type: 'text/javascript' } },
      errors: ['not-found'],
      handle: async (c) => {
        if (!docsScript) throw new AuctionError('not-found', 'the page of /docs is not installed; see /openapi.json');
        return c.body(await docsScript(), 200, { 'content-type': 'text/javascript; charset=utf-8' });
      },
    }),
    route({
      id: 'explainProblem',
      method: 'get',
      path: '/problems/{code}',
      tag: 'House',
      summary: 'What a kind of problem means',
      params: z.strictObject({ code: z.string().meta({ examples: ['invalid-order'] }) }),
      answers: { 200: { description: 'Its HTTP status and its title', schema: problemType } },
      errors: ['not-found'],
      handle: (c, { params: { code } }) => {
        if (!Object.hasOwn(problemTypes, code)) throw new AuctionError('not-found', `there is no problem ${code}`);
        return c.json({ code, ...problemTypes[code as ProblemCode] });
      },
    }),
  ];
  return routes;
}
