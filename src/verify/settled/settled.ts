/** A result's decisions as a program, part by part: its best volumes, and the rules that they ask of prices. */

import { Sum } from '../numbers/tolerances.ts';
import type { Ranged } from '../view/shut.ts';
import { addNetwork, addOffers, Draft, type Program } from './program.ts';
import { type PriceRules, priceRules } from './rules.ts';
import { addUnits } from './units.ts';
import { bestVolumes, type Part, partsOf, type Volumes } from './volumes.ts';

export interface SettledPart {
  readonly program: Program;
  readonly part: Part;
  /** Undefined where nothing balances, or where the program is too large to be solved here. */
  readonly volumes: Volumes | undefined;
  readonly rules: PriceRules | undefined;
}

export interface Settled {
  readonly parts: readonly SettledPart[];
  /** Money that the decisions are worth before lots are made of volumes; undefined where that is not known of all parts. */
  readonly worth: Sum | undefined;
}

export function settledOf(view: Ranged): Settled {
  const program = programOf(view, true);
  const parts = partsOf(program).map((part) => settle(view, program, part));
  if (parts.every(({ volumes }) => volumes !== undefined)) return { parts, worth: worthOf(view, parts) };
  // What nothing can be told of by the published prices, as where rules give way, is settled without.
  const whole = programOf(view, false);
  const partAt = new Map(partsOf(whole).flatMap((part) => part.cells.map((cell) => [cell, part] as const)));
  const others = new Set(
    parts.flatMap(({ part, volumes }) => (volumes === undefined ? partAt.get(part.cells[0]!)! : [])),
  );
  const settled = parts.filter(({ part }) => !others.has(partAt.get(part.cells[0]!)!));
  for (const part of others) settled.push(settle(view, whole, part));
  return { parts: settled, worth: settled.every(({ volumes }) => volumes) ? worthOf(view, settled) : undefined };
}

function programOf(view: Ranged, looks: boolean): Program {
  const program = new Draft(view);
  addOffers(view, program, looks);
  addNetwork(view, program);
  addUnits(view, program);
  return program;
}

/**
 * Zones times MTUs of a part that flow-based exchange ties, beyond which it is left to the tests by published prices alone: its rows depend on each
 * other, and the engine's solver finds prices to no better than a millionth in books whose limits are 20,000 (`test/nodal`, nine buses and more).
 */
const mostExchanging = 8;

function isLargeExchange({ regions, periods }: Ranged, { cells }: Part): boolean {
  const exchanging = cells.filter((cell) => regions[cell % periods]!.zones.includes(Math.floor(cell / periods)));
  return exchanging.length > mostExchanging;
}

function settle(view: Ranged, program: Program, part: Part): SettledPart {
  const volumes = isLargeExchange(view, part) ? undefined : bestVolumes(view, program, part);
  return { program, part, volumes, rules: volumes && priceRules(program, part, volumes) };
}

function worthOf({ hours }: Ranged, parts: readonly SettledPart[]): Sum {
  const sum = new Sum();
  for (const { program, part, volumes } of parts) {
    for (const cell of part.cells) sum.add(program.worth[cell]! * hours);
    for (const [c, x] of volumes!.value) {
      const { cost, bend } = program.columns[c]!;
      sum.add(-(cost + (bend * x) / 2) * x * hours);
    }
  }
  return sum;
}
