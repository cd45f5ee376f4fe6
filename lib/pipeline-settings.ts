/** What the pipeline is told by context: `-c repository=owner/name` and `-c connection=ARN`, or `-c tokenSecret=NAME`. */

import type { Node } from 'constructs';

export interface PipelineSettings {
  readonly owner: string;
  readonly repository: string;
  /** Of CodeConnections; or else a token under this name in Secrets Manager. One of the two. */
  readonly connectionArn?: string;
  readonly tokenSecret?: string;
  /** Both or neither. */
  readonly slackWorkspace?: string;
  readonly slackChannel?: string;
  /** What the stacks are told besides their environment, as options of the CDK. */
  readonly stackContext: string;
  /** All of it again, as options of the CDK: the pipeline deploys itself with them. */
  readonly context: string;
}

const keys = ['repository', 'connection', 'tokenSecret', 'slackWorkspace', 'slackChannel', 'alarmAddresses'] as const;

/** What these may consist of: they are put into a command. */
const safe = /^[A-Za-z0-9_./:@,+-]+$/;

/** @throws Error naming what is missing or wrong */
export function readPipelineSettings(node: Pick<Node, 'tryGetContext'>): PipelineSettings {
  const given = keys.flatMap((key) => {
    const value: unknown = node.tryGetContext(key);
    if (value === undefined || value === '') return [];
    if (typeof value !== 'string' || !safe.test(value))
      throw new Error(`context ${key}: expected letters, digits and _./:@,+-, found ${JSON.stringify(value)}`);
    return [[key, value] as const];
  });
  const { repository, connection, tokenSecret, slackWorkspace, slackChannel, alarmAddresses } = Object.fromEntries(
    given,
  ) as Partial<Record<(typeof keys)[number], string>>;
  const [owner, name, ...rest] = repository?.split('/') ?? [];
  if (!owner || !name || rest.length > 0) throw new Error('context repository: say -c repository=owner/name');
  if ((connection === undefined) === (tokenSecret === undefined))
    throw new Error('say either -c connection=ARN or -c tokenSecret=NAME, how the pipeline gets at the sources');
  if ((slackWorkspace === undefined) !== (slackChannel === undefined))
    throw new Error('say both -c slackWorkspace=ID and -c slackChannel=ID, or neither');
  return {
    owner,
    repository: name,
    ...(connection !== undefined && { connectionArn: connection }),
    ...(tokenSecret !== undefined && { tokenSecret }),
    ...(slackWorkspace !== undefined && { slackWorkspace }),
    ...(slackChannel !== undefined && { slackChannel }),
    stackContext: alarmAddresses === undefined ? '' : `-c alarmAddresses=${alarmAddresses}`,
    context: given.map(([key, value]) => `-c ${key}=${value}`).join(' '),
  };
}
