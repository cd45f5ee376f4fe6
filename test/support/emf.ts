/** The meter of the deployed functions, and what it writes, read as CloudWatch reads it. */

process.env.POWERTOOLS_METRICS_NAMESPACE = 'energy-auction-dev';
process.env.POWERTOOLS_SERVICE_NAME = 'test';
const { meter } = await import('../../src/lambda/meter.ts');

export interface Datum {
  readonly namespace: string;
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  readonly dimensions: Readonly<Record<string, string>>;
}

interface Line {
  readonly _aws: {
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string;
      readonly Dimensions: readonly (readonly string[])[];
      readonly Metrics: readonly { readonly Name: string; readonly Unit: string }[];
    }[];
  };
  readonly [field: string]: unknown;
}

const dataOf = (line: Line): Datum[] =>
  line._aws.CloudWatchMetrics.flatMap(({ Namespace, Dimensions, Metrics }) =>
    Dimensions.flatMap((keys) =>
      Metrics.map(({ Name, Unit }) => ({
        namespace: Namespace,
        name: Name,
        unit: Unit,
        value: Number(line[Name]),
        dimensions: Object.fromEntries(keys.map((key) => [key, String(line[key])])),
      })),
    ),
  );

/** Everything that is written to the log while this works. */
export async function emittedBy(work: (meters: { meter: typeof meter }) => Promise<unknown>): Promise<Datum[]> {
  const data: Datum[] = [];
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = ((text: string | Uint8Array, ...more: []) => {
    if (!String(text).startsWith('{"_aws"')) return write(text, ...more);
    data.push(...dataOf(JSON.parse(String(text)) as Line));
    return true;
  }) as typeof process.stdout.write;
  try {
    await work({ meter });
  } finally {
    process.stdout.write = write;
  }
  return data;
}
