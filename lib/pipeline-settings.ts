/**
 * What the pipeline is told by context: `-c repository=owner/name` and `-c connection=ARN`, or `-c tokenSecret=NAME`; and all that
 * the environments may be told (`settings.ts`), which it hands on to them.
 */

import { ContextError, type ContextNode, readContext } from './context.ts';
import { settingKeysOfSeveral } from './settings.ts';

export interface PipelineSettings {
  readonly owner: string;
  readonly repository: string;
  /** Of CodeConnections; or else a token under this name in Secrets Manager. One of the two. */
  readonly connectionArn?: string;
  readonly tokenSecret?: string;
  /** Both or neither. */
  readonly slackWorkspace?: string;
  readonly slackChannel?: string;
  /** What the environments are told besides their name, as options of the CDK. */
  readonly stackContext: string;
  /** All of it again, as options of the CDK: the pipeline deploys itself with them. */
  readonly context: string;
}

const ownKeys = ['repository', 'connection', 'tokenSecret', 'slackWorkspace', 'slackChannel'] as const;

/** What these may consist of: they are put into a command. */
const safe = /^[A-Za-z0-9_./:@,+-]+$/;

/** @throws ContextError naming what is missing, unknown or wrong */
export function readPipelineSettings(node: ContextNode): PipelineSettings {
  const keys = [...ownKeys, ...settingKeysOfSeveral];
  const said = readContext(node, keys, `${ownKeys.join(', ')}, or what environments take (docs/deploy.md)`);
  const optionsOf = (some: readonly (typeof keys)[number][]): string =>
    some.flatMap((key) => (said(key) === undefined ? [] : [`-c ${key}=${safeText(key, said(key)!)}`])).join(' ');
  const context = optionsOf(keys);
  const [repository, connection] = [said('repository'), said('connection')];
  const [tokenSecret, slackWorkspace, slackChannel] = [
    said('tokenSecret'),
    said('slackWorkspace'),
    said('slackChannel'),
  ];
  const [owner, name, ...rest] = repository?.split('/') ?? [];
  if (!owner || !name || rest.length > 0) throw new ContextError('context repository: say -c repository=owner/name');
  if ((connection === undefined) === (tokenSecret === undefined))
    throw new ContextError('say either -c connection=ARN or -c tokenSecret=NAME, how the pipeline gets at the sources');
  if ((slackWorkspace === undefined) !== (slackChannel === undefined))
    throw new ContextError('say both -c slackWorkspace=ID and -c slackChannel=ID, or neither');
  return {
    owner,
    repository: name,
    ...(connection !== undefined && { connectionArn: connection }),
    ...(tokenSecret !== undefined && { tokenSecret }),
    ...(slackWorkspace !== undefined && { slackWorkspace }),
    ...(slackChannel !== undefined && { slackChannel }),
    stackContext: optionsOf(settingKeysOfSeveral),
    context,
  };
}

function safeText(key: string, value: string): string {
  if (safe.test(value)) return value;
  throw new ContextError(
    `context ${key}: expected letters, digits and _./:@,+-, since it becomes part of a command; found ${JSON.stringify(value)}`,
  );
}
