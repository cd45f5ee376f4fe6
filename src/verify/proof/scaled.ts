/**
 * What an answer in which all of some decisions are on must be worth at the least, for prices to support it (docs/proof.md).
 *
 * At such prices everybody free is at their best, and nobody who is on loses; so what the free orders and some of these decisions, each
 * scaled to anything between nothing and all, are worth together is no more than the answer's worth, less what the others of them gain.
 */

import { netName, type ProofNode } from '../../market/proof.ts';
import type { Column, Decision, Model, Row } from './building.ts';
import { Curve } from './curve.ts';
import type { Part } from './gains.ts';

/** What scaled volumes come to. */
export interface Scaling {
  /** Money per hour, in the units of a sum of gains. */
  readonly worth: bigint;
  /** Ratio of each of the decisions. */
  readonly ratios: ReadonlyMap<Decision, bigint>;
  /**
   * They use a line with losses in a direction that answers may have closed, where prices may be negative. Of an answer that
   * has it closed they say nothing: its prices may leave a gain there that nobody may take (market rules, 3.1 and INV-17).
   */
  readonly opensClosed: boolean;
}

type Scaled = Extract<ProofNode, { kind: 'unsupported' }>['scaled'];

/**
 * @param isOff  decisions that are off wherever these volumes are asked of
 * @param isClosed  flows that may not be used
 * @throws TypeError when these volumes are not allowed
 */
export function worthOfScaled(
  model: Model,
  part: Part,
  core: readonly Decision[],
  scaled: Scaled,
  isOff: (decision: Decision) => boolean,
  isClosed: (column: Column) => boolean,
): Scaling {
  const { one } = model.scale;
  const values = valuesOf(model, part, scaled);
  checkRatios(model, part, core, values, isOff);
  const left = new Array<bigint>(part.zones * model.periods).fill(0n);
  const used = new Map<Row, bigint>();
  let cost = 0n;
  let opensClosed = false;
  for (const column of part.columns) {
    const x = values.get(column) ?? 0n;
    const most = isClosed(column) ? column.least : column.most;
    if (x < column.least || x > most) throw new TypeError(`scaled volumes: ${column.name} is beyond its limits`);
    if (x === 0n) continue;
    const other = column.opposite;
    if (x > column.least && other !== undefined && model.priceLimits.min < 0n && !isClosed(model.columns.get(other)!))
      opensClosed = true;
    for (const [cell, mw] of column.cells) left[cell]! -= mw * x;
    for (const [row, factor] of column.rows) used.set(row, (used.get(row) ?? 0n) + factor * x);
    cost += column.cost * x;
  }
  for (const row of part.rows.values()) {
    const sum = used.get(row) ?? 0n;
    if ((row.low !== undefined && sum < row.low * one) || (row.high !== undefined && sum > row.high * one))
      throw new TypeError(`scaled volumes: ${row.name} is not kept`);
  }
  cost += costOfCurves(model, part, left, scaled);
  const ratios = new Map(core.map((decision) => [decision, values.get(decision.column) ?? 0n]));
  return { worth: -cost, ratios, opensClosed };
}

function valuesOf(model: Model, part: Part, scaled: Scaled): Map<Column, bigint> {
  const own = new Set(part.columns);
  const values = new Map<Column, bigint>();
  for (const [name, value] of scaled.values) {
    const column = model.columns.get(name);
    if (column === undefined || !own.has(column))
      throw new TypeError(`scaled volumes: the group has no column ${name}`);
    if (values.has(column)) throw new TypeError(`scaled volumes: column ${name} comes twice`);
    values.set(column, model.scale.volume(value));
  }
  return values;
}

/** Who is not of the core is off; who is may have no more than what it has in any answer. */
function checkRatios(
  model: Model,
  part: Part,
  core: readonly Decision[],
  values: ReadonlyMap<Column, bigint>,
  isOff: (decision: Decision) => boolean,
): void {
  const inCore = new Set(core);
  const own = new Set(part.columns);
  const decided = [...model.decisions.values()].filter(({ column }) => own.has(column));
  const wholeGroups = new Map<Row, boolean>();
  for (const decision of decided) {
    const { column, scalable, group, stops } = decision;
    const ratio = values.get(column) ?? 0n;
    if (!inCore.has(decision)) {
      if (ratio !== 0n) throw new TypeError(`scaled volumes: ${column.name} is not among those that are on`);
      continue;
    }
    // What trades while an order is off is not free while it is on.
    for (const stop of stops)
      if ((values.get(stop) ?? 0n) !== 0n)
        throw new TypeError(`scaled volumes: ${stop.name} trades only while it is off`);
    if (ratio <= scalable) continue;
    if (group === undefined || !isWhole(group))
      throw new TypeError(`scaled volumes: ${column.name} may be less than that`);
  }
  function isWhole(group: Row): boolean {
    let whole = wholeGroups.get(group);
    if (whole === undefined) {
      whole = isGroupScaled(model, decided, group, inCore, values, isOff);
      wholeGroups.set(group, whole);
    }
    return whole;
  }
}

/**
 * Is an exclusive group scaled down as a whole? With all its other members off, those that are on share the unit in the way that gains most; so any
 * way to share it, scaled down, gains no more: no member has less of what they have together than its least ratio.
 */
function isGroupScaled(
  { scale }: Model,
  decided: readonly Decision[],
  group: Row,
  inCore: ReadonlySet<Decision>,
  values: ReadonlyMap<Column, bigint>,
  isOff: (decision: Decision) => boolean,
): boolean {
  const members = decided.filter(({ column }) => column.rows.some(([row]) => row === group));
  const on = members.filter((each) => inCore.has(each));
  if (members.some((each) => each.group !== group || !(inCore.has(each) || isOff(each)))) return false;
  const together = on.reduce((sum, { column }) => sum + (values.get(column) ?? 0n), 0n);
  return on.every(({ column, least }) => (values.get(column) ?? 0n) * scale.one >= least * together);
}

/** What the free orders cost that sell what is missing in each cell, and buy what is left. @param left  MW times a whole */
function costOfCurves(model: Model, part: Part, left: bigint[], scaled: Scaled): bigint {
  const { one, volume } = model.scale;
  const nets = new Map<string, bigint>();
  for (const [name, net] of scaled.nets) {
    if (nets.has(name)) throw new TypeError(`scaled volumes: ${name} comes twice`);
    nets.set(name, volume(net));
  }
  let cost = 0n;
  // What longer orders do is told; what those of one MTU do is what they leave.
  const single = new Map(
    part.curves.flatMap((each) => (each.span === 1 ? [[each.zone * model.periods + each.from, each]] : [])),
  );
  for (const curve of part.curves) {
    if (curve.span === 1) continue;
    const name = netName(model.zones[curve.zone]!, curve.from + 1, curve.from + curve.span);
    const net = nets.get(name) ?? 0n;
    nets.delete(name);
    for (let t = curve.from; t < curve.from + curve.span; t++) left[curve.zone * model.periods + t]! -= net * one;
    cost += curve.cost(net * one, one) * BigInt(curve.span);
  }
  const nobody = new Curve(0, 0, 1, [], model.priceLimits);
  for (let z = 0; z < part.zones; z++)
    for (let t = part.first; t < part.after; t++) {
      const cell = z * model.periods + t;
      cost += (single.get(cell) ?? nobody).cost(left[cell]!, one);
    }
  const [unknown] = nets.keys();
  if (unknown !== undefined) throw new TypeError(`scaled volumes: the group has no ${unknown}`);
  return cost;
}
