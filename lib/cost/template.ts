/** What the model reads off a template: names, sizes, schedules, the way through the workflow. */

// biome-ignore lint/suspicious/noExplicitAny: a template is JSON of every shape
export type Properties = Record<string, any>;
export type Resources = readonly { readonly Type: string; readonly Properties: Properties }[];
export interface Template {
  readonly Resources: Readonly<Record<string, { readonly Type: string; readonly Properties?: Properties }>>;
}

export const resourcesOf = (templates: readonly Template[]): Resources =>
  templates.flatMap(({ Resources }) =>
    Object.values(Resources).map(({ Type, Properties = {} }) => ({ Type, Properties })),
  );

/** `clear` of `energy-auction-clear-prod`; none for functions that the CDK adds for itself. */
export const functionIn = ({ FunctionName }: Properties): string | undefined =>
  /^energy-auction-(.+)-[a-z]+$/.exec(FunctionName ?? '')?.[1];

/** Of all logs, the longest. */
export const retentionDays = (resources: Resources): number =>
  Math.max(0, ...resources.map(({ Properties }) => Number(Properties.RetentionInDays ?? 0)));

/** Whether no bucket asks KMS for each object: it has a key of its own, or one of S3. */
export const hasBucketKeys = (resources: Resources): boolean =>
  resources
    .filter(({ Type }) => Type === 'AWS::S3::Bucket')
    .map(({ Properties }) => Properties.BucketEncryption.ServerSideEncryptionConfiguration[0])
    .every(
      ({ BucketKeyEnabled, ServerSideEncryptionByDefault: { SSEAlgorithm } }) =>
        BucketKeyEnabled === true || SSEAlgorithm === 'AES256',
    );

/** Metrics that an alarm watches: one, or those that its expression is made of. */
export const metricsIn = ({ Metrics }: Properties): number =>
  Metrics?.filter(({ MetricStat }: Properties) => MetricStat !== undefined).length ?? 1;

/** Minutes a day between the actions that make warm and those that let go again; all day where nothing lets go. */
export function warmMinutesADay({ ScheduledActions }: Properties): number {
  const at = new Map<string, number[]>();
  const perDay = new Map<string, number>();
  for (const { ScheduledActionName: name, Schedule } of ScheduledActions) {
    const [, minute, hour] = /^cron\((\S+) (\S+) /.exec(Schedule)!;
    const market = name.replace(/-(warm|cold)$/, '');
    const everyHour = hour === '*';
    perDay.set(market, (everyHour ? 24 : hour!.split(',').length) * minute!.split(',').length);
    at.set(market, [...(at.get(market) ?? []), Number(minute!.split(',')[0]!.split('/')[0])]);
  }
  let minutes = 0;
  for (const [market, [warm, cold]] of at)
    minutes += cold === undefined ? 1440 : ((cold - warm! + 60) % 60) * perDay.get(market)!;
  return Math.min(1440, minutes);
}

/** The transitions of an auction that goes well, and of each page of its settlement. */
export function workflowOf({ DefinitionString }: Properties): { auction: number; page: number; isExpress: boolean } {
  const definition = JSON.parse(DefinitionString) as Machine;
  const map = Object.values(definition.States).find(({ Type }) => Type === 'Map')!;
  return {
    auction: shortest(definition),
    page: 1 + shortest(map.ItemProcessor!),
    isExpress: map.ItemProcessor!.ProcessorConfig.ExecutionType === 'EXPRESS',
  };
}

interface Machine {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}
interface State {
  readonly Type: string;
  readonly Next?: string;
  readonly End?: boolean;
  readonly Default?: string;
  readonly Choices?: readonly { readonly Next: string }[];
  readonly ItemProcessor?: Machine & { readonly ProcessorConfig: { readonly ExecutionType?: string } };
}

/** States from the first to the nearest end that is a success. */
function shortest({ StartAt, States }: Machine): number {
  let reached = new Set([StartAt]);
  for (let states = 1; reached.size > 0; states++) {
    const next = new Set<string>();
    for (const name of reached) {
      const { Type, End, Next, Default, Choices = [] } = States[name]!;
      if (Type === 'Succeed' || End) return states;
      for (const each of [Next, Default, ...Choices.map((choice) => choice.Next)]) if (each) next.add(each);
    }
    reached = next;
  }
  throw new Error('no way through the workflow succeeds');
}
