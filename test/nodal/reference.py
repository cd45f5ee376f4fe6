"""Network cases of pypower as books of one hour, each with what a DC optimal power flow makes of it.

    python reference.py FOLDER CASE ...

writes FOLDER/CASE.jsonl: in the first line the factors (PTDF) of each branch by bus, then a line for each book without its constraints,
the capacity of each branch, and the reference.

Buses are zones, quadratic costs linear curves or plain steps, loads buys. Every branch may carry a share of what it carries in
the flow without limits; in the book factors say so, in the reference voltage angles, which know no factors. Clarabel, an
interior-point method, solves the reference. Where its prices are one of many, HiGHS looks for the ends of each by the optimal face of
the dual: the prices that explain the optimal volumes.

Powers in MW, prices in currency/MWh. Everything is a function of the case, the form, the share and the lot.
"""

import itertools
import json
import sys
import time
from dataclasses import dataclass

import clarabel
import highspy
import numpy as np
import pypower.api
from pypower.ext2int import ext2int
from pypower.idx_brch import SHIFT
from pypower.idx_bus import GS, PD
from pypower.idx_cost import COST, MODEL, NCOST, POLYNOMIAL
from pypower.idx_gen import GEN_BUS, PMAX, PMIN
from pypower.makeBdc import makeBdc
from pypower.makePTDF import makePTDF
from scipy import sparse

FORMS = ["linear", "steps", "elastic", "capped"]
SHARES = [0.7, 0.8, 0.95, 1.2]
LOTS = [None, 0.1]

LARGE = {
    "118": [(form, None, share) for form in ("linear", "steps") for share in SHARES],
    "300": [("linear", None, 0.7), ("linear", None, 1.2)],
}
"""Of the largest cases these: each takes seconds."""

STEPS = 6
"""Steps of a generator in the form of steps."""
LEAST_SHARE = 0.02
"""Of the largest flow: what a branch may carry at least, also one that carries nothing without limits."""
AT_BOUND = 1e-4
"""MW by which a volume or a flow may be off a bound and yet be at it."""
SLACKS = [1e-5, 1e-4, 1e-3]
"""currency/MWh by which prices may miss what explains a volume, since volumes are known to some decimals: the least that leaves any."""


@dataclass(frozen=True)
class Network:
    buses: int
    loads: np.ndarray  # MW by bus
    generators: list  # (bus, least MW, most MW, marginal cost at 0 MW, its rise by MW)
    flows: sparse.csr_matrix  # MW on each branch by angle
    injections: sparse.csr_matrix  # MW into each bus by angle
    factors: np.ndarray  # PTDF: branch by bus


def network_of(name):
    case = ext2int(getattr(pypower.api, f"case{name}")())
    base, bus, branch, generator, cost = (case[key] for key in ("baseMVA", "bus", "branch", "gen", "gencost"))
    assert np.all(branch[:, SHIFT] == 0), "phase shifters are not in these books"
    assert np.all(cost[:, MODEL] == POLYNOMIAL) and np.all(cost[:, NCOST] == 3), "costs are quadratic"
    injections, flows, _, _ = makeBdc(base, bus, branch)
    return Network(
        buses=len(bus),
        loads=bus[:, PD] + bus[:, GS],
        generators=[
            (int(g[GEN_BUS]), max(0, g[PMIN]), g[PMAX], c[COST + 1], 2 * c[COST])
            for g, c in zip(generator, cost[: len(generator)])
        ],
        flows=sparse.csr_matrix(flows) * base,
        injections=sparse.csr_matrix(injections) * base,
        factors=makePTDF(base, bus, branch),
    )


def zone(bus):
    return f"n{bus + 1}"


def limit(record_id, bus, side, price, power):
    return {"record_id": record_id, "zone": zone(bus), "kind": "limit", "side": side, "period": 1, "price": price, "power": power}


def linear(record_id, bus, points):
    points = [{"price": price, "power": power} for price, power in points]
    return {"record_id": record_id, "zone": zone(bus), "kind": "curve", "period": 1, "shape": "linear", "points": points}


def sells_of(index, generator, steps, floor, step):
    """A generator's orders; what it must run at least takes any price."""
    bus, least, most, cost, rise = generator
    least, most = (step * round(mw / step) for mw in (least, most))
    if most <= 0:
        return []
    marginal = lambda mw: round(cost + rise * mw, 6)
    must = [limit(f"must-{index}", bus, "sell", floor, round(least, 6))] if least > 0 else []
    span = most - least
    if span <= 0:
        return must
    if not steps and rise > 0:
        first, last = round(-least, 6), round(-most, 6)
        return [linear(f"gen-{index}", bus, [(marginal(least), first), (marginal(most), last)])]
    ends = [least + step * round(span * k / STEPS / step) for k in range(STEPS + 1)] if rise > 0 else [least, most]
    pairs = list(zip(ends, ends[1:]))
    return must + [
        limit(f"gen-{index}-{k}", bus, "sell", round(marginal((a + b) / 2), 2), round(b - a, 6))
        for k, (a, b) in enumerate(pairs)
        if b > a
    ]


def buy_of(bus, mw, form, limits, step):
    mw = round(step * round(mw / step), 6)
    if mw == 0:
        return []
    if mw < 0:
        return [limit(f"load-{bus + 1}", bus, "sell", 0, -mw)]
    if form == "elastic":
        # Half is bought at nearly any price, the rest falls along a line that is another at each bus.
        half = round(step * round(mw / 2 / step), 6)
        first = 15 + bus % 7
        return [linear(f"load-{bus + 1}", bus, [(first, mw), (first + 40 + bus % 11, half), (limits["max"] / 2, 0)])]
    return [limit(f"load-{bus + 1}", bus, "buy", limits["max"] if form == "capped" else 3000, mw)]


def book_of(name, network, form, share, lot):
    limits = {"min": -500, "max": 4000} if form in ("elastic", "capped") else {"min": -20000, "max": 20000}
    if lot is not None:
        limits["tick"] = 0.01
    step = lot or 1e-3
    orders = [
        order
        for index, generator in enumerate(network.generators)
        for order in sells_of(index, generator, form == "steps", limits["min"], step)
    ] + [order for bus, mw in enumerate(network.loads) for order in buy_of(bus, mw, form, limits, step)]
    book = {
        "merit": "book/1",
        "auction": f"case{name.replace('_', '-')}-{form}",
        "currency": "USD",
        "start": "2025-04-01T00:00:00+02:00",
        "resolution": "PT60M",
        "periods": 1,
        "priceLimits": limits,
        "zones": [zone(bus) for bus in range(network.buses)],
        "lines": [],
        "orders": [rounded(order, limits) for order in orders],
        **({} if lot is None else {"lot": lot}),
    }
    free = solve(network, book, np.full(len(network.factors), np.inf)).flows
    least = LEAST_SHARE * np.max(np.abs(free))
    rams = np.round(np.maximum(share * np.abs(free), least), 3)
    return book, rams


def rounded(order, limits):
    """Prices of a curve on the market's tick."""
    if order["kind"] == "limit" or "tick" not in limits:
        return order
    return {**order, "points": [{**point, "price": round(point["price"], 2)} for point in order["points"]]}


@dataclass(frozen=True)
class Piece:
    """A part of an order: `most` MW from the price `first` at nothing to `last` at all of it."""

    order: str
    bus: int
    sign: int  # +1 sells, -1 buys
    most: float
    first: float
    last: float


def pieces_of(order, limits):
    bus = int(order["zone"][1:]) - 1
    if order["kind"] == "limit":
        sign = 1 if order["side"] == "sell" else -1
        return [Piece(order["record_id"], bus, sign, order["power"], order["price"], order["price"])]
    points = [(point["price"], point["power"]) for point in order["points"]]
    # Left of the first point its power holds, right of the last too: bought or sold at any price.
    points = [(limits["min"], points[0][1]), *points, (limits["max"], points[-1][1])]
    pieces = []
    if points[0][1] < 0:
        pieces.append(Piece(order["record_id"], bus, 1, -points[0][1], limits["min"], limits["min"]))
    if points[-1][1] > 0:
        pieces.append(Piece(order["record_id"], bus, -1, points[-1][1], limits["max"], limits["max"]))
    for (p, q), (p2, q2) in zip(points, points[1:]):
        if q > q2 and q <= 0:
            pieces.append(Piece(order["record_id"], bus, 1, q - q2, p, p2))
        elif q > q2:
            assert q2 >= 0, "no curve of these turns"
            pieces.append(Piece(order["record_id"], bus, -1, q - q2, p2, p))
    return pieces


@dataclass(frozen=True)
class Solution:
    pieces: list
    volumes: np.ndarray  # MW of each piece
    flows: np.ndarray  # MW of each branch
    prices: np.ndarray  # of each bus
    duals: np.ndarray  # of each branch, currency/MWh: with its flow's sign
    welfare: float


MW = 100.0
"""The unit of power inside the programs; prices are left as they are."""


def solve(network, book, rams):
    """max sum of value - cost, s.t. volumes of a bus = B angles, |Bf angles| <= rams, 0 <= volumes <= most"""
    pieces = [piece for order in book["orders"] for piece in pieces_of(order, book["priceLimits"])]
    n, buses, held = len(pieces), network.buses, np.isfinite(rams)
    sign = np.array([piece.sign for piece in pieces])
    most = np.array([piece.most for piece in pieces]) / MW
    first = np.array([piece.first for piece in pieces])
    last = np.array([piece.last for piece in pieces])
    at = sparse.csr_matrix((sign, ([piece.bus for piece in pieces], range(n))), shape=(buses, n))
    # The angle of the first bus is 0: it has no column. Angles are counted so that injections are in units.
    injections, flows = network.injections[:, 1:] / MW, network.flows[:, 1:] / MW
    curvature = np.concatenate([sign * (last - first) / most, np.zeros(buses - 1)])
    cost = np.concatenate([sign * first, np.zeros(buses - 1)])
    none = sparse.csr_matrix((held.sum(), n))
    angles = sparse.csr_matrix((n, buses - 1))
    unit = sparse.identity(n)
    rows = sparse.vstack(
        [
            sparse.hstack([at, -injections]),
            sparse.hstack([unit, angles]),
            sparse.hstack([-unit, angles]),
            sparse.hstack([none, flows[held]]),
            sparse.hstack([none, -flows[held]]),
        ]
    ).tocsc()
    right = np.concatenate([np.zeros(buses), most, np.zeros(n), rams[held] / MW, rams[held] / MW])
    cones = [clarabel.ZeroConeT(buses), clarabel.NonnegativeConeT(len(right) - buses)]
    answer = sharply_solved(sparse.diags(curvature).tocsc(), cost, rows, right, cones, book["auction"])
    x, z = np.array(answer.x), np.array(answer.z)
    volumes = np.clip(x[:n], 0, most) * MW
    duals = np.zeros(len(rams))
    duals[held] = z[buses + 2 * n : buses + 2 * n + held.sum()] - z[buses + 2 * n + held.sum() :]
    value = volumes * (first + (last - first) * volumes / most / MW / 2)
    return Solution(pieces, volumes, flows @ x[n:] * MW, -z[:buses], duals, float(-np.sum(sign * value)))


def sharply_solved(curvature, cost, rows, right, cones, name):
    """Where capacities in series bind together the optimum has no inside: that takes another regularisation than most."""
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_rel, settings.tol_feas = 1e-16, 1e-11
    statuses = []
    for gap, regularisation in itertools.product([1e-9, 1e-7], [settings.static_regularization_constant, 1e-10, 1e-12]):
        settings.tol_gap_abs, settings.static_regularization_constant = gap, regularisation
        answer = clarabel.DefaultSolver(curvature, cost, rows, right, cones, settings).solve()
        statuses.append(str(answer.status))
        if statuses[-1] == "Solved":
            return answer
    raise AssertionError(f"{name}: {statuses}")


def price_ranges(network, book, rams, solution):
    """Lowest and highest price of each bus among all that explain the optimal volumes; None where none within the limits may do."""
    limits = book["priceLimits"]
    if np.min(solution.prices) < limits["min"] - SLACKS[0] or np.max(solution.prices) > limits["max"] + SLACKS[0]:
        return None
    for slack in SLACKS:
        ranges = ranges_within(network, book, rams, solution, slack)
        if ranges is not None:
            return ranges
    raise AssertionError(f"{book['auction']}: no prices explain the volumes")


def ranges_within(network, book, rams, solution, slack):
    limits = book["priceLimits"]
    low, high = np.full(network.buses, float(limits["min"])), np.full(network.buses, float(limits["max"]))
    for piece, mw in zip(solution.pieces, solution.volumes):
        price = piece.first + (piece.last - piece.first) * mw / piece.most
        may_rise = mw > piece.most - AT_BOUND if piece.sign > 0 else mw < AT_BOUND
        may_fall = mw < AT_BOUND if piece.sign > 0 else mw > piece.most - AT_BOUND
        if not may_fall:
            low[piece.bus] = max(low[piece.bus], price - slack)
        if not may_rise:
            high[piece.bus] = min(high[piece.bus], price + slack)
    full = np.flatnonzero(np.abs(np.abs(solution.flows) - rams) < AT_BOUND)
    # Angles earn nothing: B' prices + sum over full branches of their duals = 0, the dual with the sign of the flow.
    burden = sparse.diags(np.sign(solution.flows[full])) @ network.flows[full]
    rows = sparse.hstack([network.injections.T, burden.T]).tocsr()
    scale = sparse.diags(1 / np.maximum(1, abs(rows).max(axis=1).toarray().ravel()))
    prices = range(network.buses)
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.passModel(program((scale @ rows).tocsr(), np.concatenate([low, np.zeros(len(full))]), np.concatenate([high, np.full(len(full), np.inf)])))
    columns = np.arange(network.buses, dtype=np.int32)

    def end(weights, sense):
        solver.changeColsCost(network.buses, columns, weights)
        solver.changeObjectiveSense(sense)
        solver.run()
        status = solver.getModelStatus()
        if status == highspy.HighsModelStatus.kInfeasible:
            return None
        assert status == highspy.HighsModelStatus.kOptimal, f"{book['auction']}: {status}"
        return np.array(solver.getSolution().col_value[: network.buses])

    # A set of prices that is as wide as nothing in a direction chosen by chance is one point.
    direction = np.random.default_rng(7).uniform(0.5, 1, network.buses)
    lowest, highest = (end(direction, sense) for sense in (highspy.ObjSense.kMinimize, highspy.ObjSense.kMaximize))
    if lowest is None or highest is None:
        return None
    if direction @ (highest - lowest) < 1e-3:
        return [[float(min(a, b)), float(max(a, b))] for a, b in zip(lowest, highest)]
    ranges = []
    for bus in prices:
        weights = np.zeros(network.buses)
        weights[bus] = 1
        ranges.append([float(end(weights, sense)[bus]) for sense in (highspy.ObjSense.kMinimize, highspy.ObjSense.kMaximize)])
    return ranges


def program(rows, lower, upper):
    lp = highspy.HighsLp()
    lp.num_row_, lp.num_col_ = rows.shape
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = np.zeros(len(lower)), lower, upper
    lp.row_lower_ = lp.row_upper_ = np.zeros(rows.shape[0])
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = rows.indptr, rows.indices, rows.data
    return lp


def reference_of(network, book, rams):
    start = time.perf_counter()
    solution = solve(network, book, rams)
    seconds = time.perf_counter() - start
    ranges = price_ranges(network, book, rams, solution)
    volumes = {}
    for piece, mw in zip(solution.pieces, solution.volumes):
        volumes[piece.order] = volumes.get(piece.order, 0) - piece.sign * mw
    return {
        "ms": 1000 * seconds,
        "welfare": solution.welfare,
        "prices": solution.prices.tolist(),
        "ranges": ranges,
        "volumes": volumes,
        "flows": solution.flows.tolist(),
        "duals": solution.duals.tolist(),
    }


def main(folder, names):
    for name in names:
        network = network_of(name)
        with open(f"{folder}/{name}.jsonl", "w") as file:
            print(json.dumps(network.factors.tolist()), file=file)
            for form, lot, share in LARGE.get(name, itertools.product(FORMS, LOTS, SHARES)):
                book, rams = book_of(name, network, form, share, lot)
                reference = reference_of(network, book, rams)
                title = f"{form}, {share} of the free flows, {'no lot' if lot is None else f'lots of {lot}'}"
                print(json.dumps({"name": title, "book": book, "capacities": rams.tolist(), "reference": reference}), file=file)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
