/** Families about networks: ramps, flow-based constraints, nodes, rings with losses, capacities. */

import { Scene } from './scene.ts';

const some = (scene: Scene, least: number, most: number): void => {
  const { dice } = scene;
  for (let i = dice.whole(least, most); i > 0; i--)
    dice.pick([() => scene.limit(), () => scene.limit(), () => scene.curve(), () => scene.block()])();
};

/** Ramps of lines, sets of lines and net positions. */
export function ramps(seed: number): Scene {
  const scene = new Scene(seed, { zones: 2 + (seed % 2), periods: 2 + (seed % 2), mostSteps: 10 });
  const { dice } = scene;
  const ramp = () => scene.mw(dice.whole(0, 5));
  const before = () => (dice.chance(0.3) ? { before: 0 } : {});
  scene.ring(() => (dice.chance(0.6) ? { ramp: ramp(), ...before() } : {}));
  const ids = scene.lines.map(({ id }) => id);
  if (ids.length > 1 && dice.chance(0.3)) scene.more.rampSets = [{ id: 's', lines: ids.slice(0, 2), ramp: ramp() }];
  if (dice.chance(0.3)) scene.more.netPositionRamps = [{ id: 'n', zone: scene.zone(), ramp: ramp(), ...before() }];
  some(scene, 2, 7);
  return scene;
}

/** Constraints with zeros left out, periods without any, and zones that have a line as well. */
export function flowBased(seed: number): Scene {
  const scene = new Scene(seed, { zones: 3 + (seed % 2), periods: 1 + (seed % 2), mostSteps: 10 });
  const { dice, zones } = scene;
  for (let period = 1; period <= scene.periods; period++) {
    for (let k = dice.whole(period === 1 ? 1 : 0, 2); k > 0; k--) {
      // The first zone in all, so that there is one region.
      const named = zones.filter((_, z) => z === 0 || dice.chance(0.6));
      const ptdf = Object.fromEntries(named.map((zone) => [zone, dice.whole(-10, 10) / 10]));
      scene.constraints.push({ id: `k${k}`, period, ptdf, ram: scene.mw(dice.whole(0, 10)) });
    }
  }
  if (dice.chance(0.3)) scene.line(zones[0]!, zones[1]!);
  if (dice.chance(0.2)) scene.more.flowBased = 'intuitive';
  some(scene, 2, 7);
  return scene;
}

/** Nodes in a tree, or in a ring of three branches, maybe with a tail: flows on branches that depend on each other. */
export function nodal(seed: number): Scene {
  const scene = new Scene(seed, { zones: 3 + (seed % 2), mostSteps: 10 });
  const { dice, zones } = scene;
  // Shares of each node's injection on each branch; what is injected leaves at the last node.
  const branches: number[][] = zones.slice(1).map((_, b) => zones.map((_, z) => (z <= b ? 1 : 0)));
  if (dice.chance(0.6)) {
    // Branches A-B, A-C, B-C of reactances that are 10 in all; what goes on from C is on the tail.
    const ab = dice.whole(1, 5);
    const ac = dice.whole(1, 9 - ab);
    const bc = 10 - ab - ac;
    const tenths = (...shares: number[]) => shares.map((share) => share / 10);
    branches.splice(0, 2, tenths(ac, -bc, 0, 0), tenths(ab + bc, bc, 0, 0), tenths(ac, ab + ac, 0, 0));
  }
  branches.forEach((shares, b) => {
    const ram = scene.mw(dice.whole(0, 8));
    for (const [way, sign] of [
      ['p', 1],
      ['m', -1],
    ] as const) {
      const ptdf = Object.fromEntries(zones.map((zone, z) => [zone, shares[z]! === 0 ? 0 : sign * shares[z]!]));
      scene.constraints.push({ id: `br${b}${way}`, period: 1, ptdf, ram });
    }
  });
  for (const zone of zones) if (dice.chance(0.7)) scene.limit({ zone });
  some(scene, 1, 3);
  return scene;
}

/** Three zones in a ring, of which one or two lines lose power, at prices around zero and at the floor. */
export function lossyRing(seed: number): Scene {
  const scene = new Scene(seed, { zones: 3, prices: [-500, -40, -20, 0, 20, 40], mostSteps: 10 });
  scene.ring(() => ({ loss: scene.dice.pick([0, 0, 0.02, 0.1]) }));
  some(scene, 1, 5);
  return scene;
}

/** Lines without capacity, with forced flows, and with other capacities in each period. */
export function capacities(seed: number): Scene {
  const scene = new Scene(seed, { zones: 2 + (seed % 2), periods: 1 + (seed % 3), mostSteps: 10 });
  const { dice } = scene;
  scene.ring(() => {
    const each = Array.from({ length: scene.periods }, () => {
      const low = dice.pick([0, 0, dice.whole(-5, 5)]);
      return [low, low + dice.pick([0, dice.whole(0, 10)])] as const;
    });
    const opposite = each.map(([low]) => (low === 0 ? 0 : scene.mw(-low)));
    return { capacity: each.map(([, high]) => scene.mw(high)), reverse: opposite, loss: dice.pick([0, 0, 0, 0.02]) };
  });
  // Somebody serves what is forced, mostly.
  if (dice.chance(0.8)) {
    for (const zone of scene.zones) {
      for (let period = 1; period <= scene.periods; period++) {
        scene.limit({ zone, period, side: 'sell', price: 150, power: scene.mw(20) });
        scene.limit({ zone, period, side: 'buy', price: -50, power: scene.mw(20) });
      }
    }
  }
  some(scene, 2, 6);
  return scene;
}
