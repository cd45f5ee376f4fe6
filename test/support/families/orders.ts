/** Orders with conditions and with relations to each other, drawn into a scene. */

import type { Scene } from './scene.ts';

/** Complex orders of every condition, with and without minima, gradients and scheduled stops. */
export function complexOrders(scene: Scene, count: number): void {
  const { dice } = scene;
  for (let i = 0; i < count; i++) {
    const side = scene.side();
    const condition = dice.pick(
      side === 'sell'
        ? (['minimum-income', 'minimum-profit', undefined] as const)
        : (['maximum-payment', undefined] as const),
    );
    const hasMinima = dice.chance(0.3);
    const steps = Array.from({ length: scene.periods }, (_, t) => t + 1).flatMap((period) => {
      if (dice.chance(0.15)) return [];
      const prices = Array.from({ length: dice.whole(1, 2) }, () => scene.price());
      prices.sort((a, b) => (side === 'sell' ? a - b : b - a));
      return prices.map((price) => ({
        ...{ period, price, power: scene.power() },
        ...(hasMinima && dice.chance(0.5) && { minAcceptance: 0.5 }),
      }));
    });
    const [first] = steps;
    if (first === undefined) continue;
    const money = Number((scene.unit * dice.pick([0, 50, 200, 1000])).toFixed(2));
    const gradient = () => scene.mw(dice.whole(0, 10));
    scene.add({
      ...{ kind: 'complex', side, steps },
      ...(condition !== undefined && { condition, fixedTerm: money }),
      ...(condition === 'minimum-income' && { variableTerm: dice.pick([0, 0, 10]) }),
      ...(condition === 'minimum-income' && dice.chance(0.4) && { scheduledStop: dice.whole(1, scene.periods) }),
      ...(dice.chance(0.5) && { loadGradient: { up: gradient(), down: gradient() } }),
      ...(hasMinima && dice.chance(0.5) && { minPower: [{ period: first.period, power: first.power }] }),
    });
  }
}

/** Loops, exclusive groups and flexible orders. */
export function relatedOrders(scene: Scene, count: number): void {
  const { dice } = scene;
  for (let i = 0; i < count; i++) dice.pick([addLoop, addGroup, addFlexible])(scene);
}

function addLoop(scene: Scene): void {
  const id = `b${scene.orders.length + 1}`;
  const common = { zone: scene.zone(), minAcceptance: scene.dice.pick([1, 0.5, 0]) };
  const partner = `b${scene.orders.length + 2}`;
  scene.block({ ...common, side: 'buy', loopWith: partner });
  scene.block({ ...common, side: 'sell', loopWith: id });
}

function addGroup(scene: Scene): void {
  const common = { zone: scene.zone(), exclusiveGroup: `g${scene.orders.length}` };
  for (let i = scene.dice.whole(1, 3); i > 0; i--) scene.block(common);
}

function addFlexible(scene: Scene): void {
  scene.flexible();
}
