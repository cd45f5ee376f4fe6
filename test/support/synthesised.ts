/** The stack of an environment as a template, without bundling the functions; it goes through cdk-nag on the way. */

import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Validations } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { featureFlags } from '../../lib/context.ts';
import { addHouse } from '../../lib/house.ts';
import { readSettings, type Settings } from '../../lib/settings.ts';

const { context } = JSON.parse(readFileSync(new URL('../../cdk.json', import.meta.url), 'utf8')) as {
  context: Record<string, unknown>;
};

// biome-ignore lint/suspicious/noExplicitAny: a template is JSON of every shape; the tests say what they expect of it
export type Properties = Record<string, any>;

export interface Resource {
  readonly Type: string;
  readonly Properties: Properties;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
  readonly DependsOn?: readonly string[];
}

export interface Synthesised {
  readonly settings: Settings;
  readonly template: Template;
  readonly resources: Readonly<Record<string, Resource>>;
  /** What the stack warned of. */
  readonly warnings: readonly string[];
  /** The resources of a type, by logical id. */
  of(type: string): [id: string, resource: Resource][];
  /** The one whose property has this value. */
  one(type: string, property: string, value: string): Resource;
}

type Chosen = Readonly<Record<string, unknown>>;
/** The house, with what watches it unless `watching=apart`; or what watches it, apart. */
type Which = 'house' | 'watching';

const made = new Map<string, Promise<Synthesised>>();

/** The same choice is synthesised once a process: it takes the better part of a second. */
export function synthesise(chosen: Chosen, nag = true, which: Which = 'house'): Promise<Synthesised> {
  const key = JSON.stringify([chosen, nag, which]);
  const stack = made.get(key) ?? synthesiseOnce(chosen, nag, which);
  made.set(key, stack);
  return stack;
}

async function synthesiseOnce(chosen: Chosen, nag: boolean, which: Which): Promise<Synthesised> {
  const outdir = await mkdtemp(join(tmpdir(), 'merit-synth-'));
  try {
    const apart = which === 'watching' && { watching: 'apart' };
    const flags = { ...featureFlags(context), 'aws:cdk:bundling-stacks': [] };
    const app = new App({ outdir, context: { ...chosen, ...apart, ...flags } });
    const settings = await readSettings(app.node);
    const { house, watching } = addHouse(app, settings);
    const stack = which === 'house' ? house : watching!;
    if (nag) Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    app.synth();
    const template = Template.fromStack(stack);
    const { Resources: resources } = template.toJSON() as { Resources: Record<string, Resource> };
    const of: Synthesised['of'] = (type) => Object.entries(resources).filter(([, each]) => each.Type === type);
    const one: Synthesised['one'] = (type, property, value) => {
      const found = of(type).filter(
        ([, { Properties }]) => JSON.stringify(Properties[property]) === JSON.stringify(value),
      );
      if (found.length !== 1) throw new Error(`${found.length} resources ${type} have ${property} ${value}`);
      return found[0]![1];
    };
    const warnings = Annotations.fromStack(stack).findWarning('*', Match.anyValue());
    return { settings, template, resources, warnings: warnings.map(({ entry }) => String(entry.data)), of, one };
  } finally {
    await rm(outdir, { recursive: true });
  }
}

/** Text of a CloudFormation value: joins joined, references in angle brackets. */
export function textOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const [[name, inner]] = Object.entries(value) as [[string, unknown]];
  if (name === 'Ref') return `<${inner}>`;
  if (name === 'Fn::GetAtt') return `<${(inner as string[]).join('.')}>`;
  if (name === 'Fn::Join') {
    const [between, parts] = inner as [string, unknown[]];
    return parts.map(textOf).join(between);
  }
  throw new Error(`no text: ${JSON.stringify(value)}`);
}
