"""The walk through a proof (docs/proof.md, Why a leaf is closed, and The tree)."""

from decimal import Decimal
from fractions import Fraction

from .curve import Curve
from .model import Model
from .numbers import Refused, of_proof

FIELDS = {
    "decide": {"kind", "decision", "on", "off"},
    "direction": {"kind", "closed"},
    "fixed": {"kind", "at", "on", "off", "rest"},
    "unsupported": {"kind", "at", "core", "off", "on", "scaled"},
    "claimed": {"kind", "at", "core", "off", "on"},
    "bound": {"kind", "at"},
    "infeasible": {"kind", "at"},
}


def fields(value, wanted, optional=frozenset()):
    if not isinstance(value, dict) or not wanted <= set(value) <= wanted | optional:
        raise Refused(f"fields {sorted(value) if isinstance(value, dict) else value!r}, not {sorted(wanted)}")


def check(book, result, proof):
    """What the proof shows: `bound`, `without_claims`, `claims`. Refused where it does not hold. Numbers are Decimals (`numbers.parse`)."""
    fields(proof, {"merit", "auction", "book", "groups"})
    if proof["merit"] != "proof/2":
        raise Refused(f"a proof of {proof['merit']}")
    if not proof["book"] == result["book"] or not proof["auction"] == result["auction"] == book["auction"]:
        raise Refused("a proof of another book, or another auction")
    excluded = {(each.get("participant", ""), each["record_id"]) for each in result.get("excluded", [])}
    orders = [each for each in book["orders"] if (each.get("participant", ""), each["record_id"]) not in excluded]
    model = Model({**book, "orders": orders})
    after = 1
    bound, without, claims = Fraction(0), Fraction(0), []
    for group in proof["groups"]:
        fields(group, {"first", "last", "root", "nodes", "prices"})
        if group["first"] != after or group["last"] < group["first"]:
            raise Refused("groups are not all MTUs in order")
        after = int(group["last"]) + 1
        walk = Walk(model, group)
        bound += walk.bound * model.hours
        more = [claim for claim in walk.claims if claim[1] > walk.bound]
        if any(can_be_shown for _, _, can_be_shown in more):
            raise Refused("it can be shown, and is not")
        claims += [(core, (each - walk.bound) * model.hours) for core, each, _ in more]
        without += max([walk.bound] + [each for _, each, _ in more]) * model.hours
    if after != model.periods + 1:
        raise Refused("groups are not all MTUs")
    published, welfare = Fraction(result["bound"]), Fraction(result["welfare"])
    slack = Fraction(1, 100) + abs(published) / 10**10
    if bound > published + slack:
        raise Refused(f"{float(bound)} is shown, {float(published)} is published")
    if "lot" not in book and bound < welfare - slack:
        raise Refused(f"{float(bound)} is shown, {float(welfare)} is there")
    return {"bound": bound, "without_claims": without, "claims": claims}


class Walk:
    def __init__(self, model, group):
        self.model, self.nodes = model, group["nodes"]
        self.check_form(group)
        first, last = int(group["first"]) - 1, int(group["last"])
        self.mtus = range(first, last)
        inside = lambda cell: cell % model.periods in self.mtus  # noqa: E731
        self.curves = [curve for curve in model.curves if inside(curve.cells[0])]
        self.columns = {c.name: c for c in model.columns.values() if inside(c.cells[0][0] if c.cells else 0)}
        self.rows = {row.name: row for column in self.columns.values() for row, _ in column.rows}
        beyond = any(not inside(cell) for curve in self.curves for cell in curve.cells)
        beyond |= any(not inside(cell) for column in self.columns.values() for cell, _ in column.cells)
        others = [column for column in model.columns.values() if column.name not in self.columns]
        beyond |= any(row.name in self.rows for column in others for row, _ in column.rows)
        if beyond:
            raise Refused("something reaches beyond a group")
        self.decisions = {name: each for name, each in model.decisions.items() if name in self.columns}
        self.given, self.known = group["prices"], {}
        self.made, self.closed, self.seen = {}, set(), set()
        self.bounds, self.claims = [], []
        self.go(group["root"])
        if len(self.seen) < len(self.nodes):
            raise Refused("nodes hang loose")
        if not self.bounds:
            raise Refused("nothing is said to be possible")
        self.bound = max(self.bounds)

    def check_form(self, group):
        """Also of what no node asks for: fields, and how far numbers go."""
        for given in group["prices"]:
            fields(given, {"cells", "rows"})
            for price in given["cells"] + [price for _, price in given["rows"]]:
                of_proof(price)
        for node in group["nodes"]:
            if node.get("kind") not in FIELDS:
                raise Refused(f"a node of kind {node.get('kind')}")
            fields(node, FIELDS[node["kind"]], {"weight"} if node["kind"] == "unsupported" else frozenset())
            if node["kind"] == "unsupported":
                fields(node["scaled"], {"values", "nets"})
                for _, value in node["scaled"]["values"] + node["scaled"]["nets"]:
                    of_proof(value)

    def go(self, index):
        if not isinstance(index, (int, Decimal)) or not 0 <= index < len(self.nodes) or index in self.seen:
            raise Refused(f"node {index} is not there, or comes twice")
        self.seen.add(index)
        node = self.nodes[int(index)]
        kind = node["kind"]
        {"bound": self.bound_node}.get(kind, getattr(self, kind, None))(node)

    def bound_at(self, at, costs=True):
        return self.total(*self.prices(at), costs)

    def prices(self, at):
        if at not in self.known:
            if not 0 <= at < len(self.given):
                raise Refused(f"no prices {at}")
            given = self.given[int(at)]
            model, width = self.model, len(self.mtus)
            if len(given["cells"]) != width * len(model.zones):
                raise Refused("prices of other cells")
            cells = {k // width * model.periods + self.mtus[k % width]: of_proof(p) for k, p in enumerate(given["cells"])}
            rows = {}
            for name, price in given["rows"]:
                if name not in self.rows or name in rows:
                    raise Refused(f"row {name} is not there, or comes twice")
                row, rows[name] = self.rows[name], of_proof(price)
                if rows[name] != 0 and (row.high if rows[name] > 0 else row.low) is None:
                    raise Refused(f"row {name} has no limit on that side")
            self.known[at] = cells, rows
        return self.known[at]

    def gain(self, column, cells, rows, costs=True):
        gain = sum(mw * cells[cell] for cell, mw in column.cells) - (column.cost if costs else 0)
        return gain - sum(factor * rows.get(row.name, 0) for row, factor in column.rows)

    def range(self, column):
        """From the least to the most of it here; None where there is nothing in between."""
        decision, least, most = self.decisions.get(column.name), column.least, column.most
        if column in self.closed:
            return least, least
        if decision is None or decision not in self.made:
            return least, most
        if not self.made[decision]:
            return 0, 0
        return (decision.least, most) if decision.least <= most else None

    def total(self, cells, rows, costs=True, change=None):
        """Everybody's gains; `change` is what a unit of a column gains less. None where there is no answer."""
        sums = [curve.gain(cells) if costs else curve.gain_without_costs(cells) for curve in self.curves]
        for column in self.columns.values():
            gain = self.gain(column, cells, rows, costs) - (change or {}).get(column, 0)
            ends = self.range(column)
            if ends is None:
                return None
            sums.append(gain * (ends[1] if gain > 0 else ends[0]))
        for name, price in rows.items():
            if price != 0:
                sums.append(price * (self.rows[name].high if price > 0 else self.rows[name].low))
        return sum(sums)

    def leaf(self, bound):
        if bound is not None:
            self.bounds.append(bound)

    def look(self, name, on, then):
        decision = self.decision(name)
        if decision in self.made:
            raise Refused(f"{name} is made already")
        self.made[decision] = on
        then()
        del self.made[decision]

    def decision(self, name):
        if name not in self.decisions:
            raise Refused(f"no decision {name}")
        return self.decisions[name]

    def decide(self, node):
        self.look(node["decision"], True, lambda: self.go(node["on"]))
        self.look(node["decision"], False, lambda: self.go(node["off"]))

    def direction(self, node):
        names = [name for name, _ in node["closed"]]
        one, other = (self.columns.get(name) for name in names) if len(names) == 2 else (None, None)
        if one is None or other is None or one.other is not other:
            raise Refused(f"{names} are not the directions of a line with losses")
        for column, (_, child) in zip((one, other), node["closed"]):
            if column in self.closed:
                raise Refused(f"{column.name} is closed already")
            self.closed.add(column)
            self.go(child)
            self.closed.remove(column)

    def fixed(self, node):
        sides = [(name, True) for name in node["on"]] + [(name, False) for name in node["off"]]
        for name, on in sides:
            self.look(name, not on, lambda: self.leaf(self.bound_at(node["at"])))
        for name, on in sides:
            if self.decision(name) in self.made:
                raise Refused(f"{name} is fixed twice")
            self.made[self.decision(name)] = on
        self.go(node["rest"])
        for name, _ in sides:
            del self.made[self.decision(name)]

    def without(self, node, then):
        core = [self.decision(name) for name in node["core"]]
        mine = []

        def in_turn(ways, on):
            for name, child in ways:
                self.look(name, on, lambda child=child: self.go(child))
                self.made[self.decision(name)] = not on
                mine.append(self.decision(name))

        in_turn(node["off"], False)
        if any(self.made.get(decision) is not True for decision in core):
            raise Refused("one of the core has no turn")
        in_turn(node["on"], True)
        for decision in self.decisions.values():
            if decision.income is not None and decision not in core and self.made.get(decision) is not False:
                raise Refused(f"nothing says what is with {decision.column.name}")
        then(core)
        for decision in mine:
            del self.made[decision]

    def bound_node(self, node):
        self.leaf(self.bound_at(node["at"]))

    def infeasible(self, node):
        most = self.bound_at(node["at"], costs=False)
        if most is not None and most >= 0:
            raise Refused("prices do not show that nothing balances")

    def claim(self, node, can_be_shown=False):
        bound = self.bound_at(node["at"])
        if bound is not None:
            self.claims.append((node["core"], bound, can_be_shown))

    def claimed(self, node):
        def then(core):
            can_be_shown = all(decision.income is None and decision.scalable == 1 for decision in core)
            self.claim(node, can_be_shown)

        self.without(node, then)

    def unsupported(self, node):
        def then(core):
            worth, ratios, opens = self.worth(core, node["scaled"])
            bound = self.bound_at(node["at"])
            shown = self.with_support(node, worth, ratios, bound)
            if opens and shown != bound:
                self.claim(node)
            else:
                self.leaf(shown)

        self.without(node, then)

    def with_support(self, node, worth, ratios, bound):
        if bound is None:
            return None
        weight = of_proof(node["weight"]) if "weight" in node else 1
        if "weight" in node and not 0 <= weight < 1:
            raise Refused(f"a weight of {node['weight']}")
        change = {}
        for decision, ratio in ratios.items():
            for column, per_unit in decision.income or []:
                change[column] = weight * (1 - ratio) * per_unit
        left = self.total(*self.prices(node["at"]), change=change) - weight * worth
        if weight == 1:
            return None if left < 0 else bound
        return min(bound, left / (1 - weight))

    def worth(self, core, scaled):
        model = self.model
        values = {}
        for name, value in scaled["values"]:
            if name not in self.columns or self.columns[name] in values:
                raise Refused(f"column {name} is not there, or comes twice")
            values[self.columns[name]] = of_proof(value)
        self.check_ratios(core, values)
        left = {z * model.periods + t: Fraction(0) for z in range(len(model.zones)) for t in self.mtus}
        used = {name: Fraction(0) for name in self.rows}
        cost, opens = Fraction(0), False
        for column in self.columns.values():
            x = values.get(column, 0)
            most = column.least if column in self.closed else column.most
            if not column.least <= x <= most:
                raise Refused(f"{column.name} is beyond its limits")
            opens |= column.other is not None and x > column.least and model.low < 0 and column.other not in self.closed
            for cell, mw in column.cells:
                left[cell] -= mw * x
            for row, factor in column.rows:
                used[row.name] += factor * x
            cost += column.cost * x
        for name, row in self.rows.items():
            if (row.low is not None and used[name] < row.low) or (row.high is not None and used[name] > row.high):
                raise Refused(f"{name} is not kept")
        cost += self.cost_of_curves(left, scaled["nets"])
        return -cost, {decision: values.get(decision.column, 0) for decision in core}, opens

    def cost_of_curves(self, left, given):
        model = self.model
        zones = list(model.zones)
        nets = dict(given)
        if len(nets) < len(given):
            raise Refused("a net comes twice")
        cost = Fraction(0)
        for curve in self.curves:
            if len(curve.cells) == 1:
                continue
            zone, t = divmod(curve.cells[0], model.periods)
            net = nets.pop(f"net {zones[zone]}/{t + 1}/{t + len(curve.cells)}", None)
            net = Fraction(0) if net is None else of_proof(net)
            for cell in curve.cells:
                left[cell] -= net
            cost += curve.cost(net) * len(curve.cells)
        if nets:
            raise Refused(f"no curves {list(nets)}")
        single = {curve.cells[0]: curve for curve in self.curves if len(curve.cells) == 1}
        nobody = Curve([], [], model.low, model.high)
        return cost + sum(single.get(cell, nobody).cost(net) for cell, net in left.items())

    def check_ratios(self, core, values):
        for decision in self.decisions.values():
            ratio = values.get(decision.column, 0)
            if decision not in core:
                if ratio != 0:
                    raise Refused(f"{decision.column.name} is not of the core")
                continue
            if any(values.get(stop, 0) != 0 for stop in decision.stops):
                raise Refused("a stop trades while its order is on")
            if ratio > decision.scalable and not self.is_whole(decision.group, core, values):
                raise Refused(f"{decision.column.name} may be less than that")

    def is_whole(self, group, core, values):
        if group is None:
            return False
        members = [each for each in self.decisions.values() if any(row is group for row, _ in each.column.rows)]
        if any(each.group is not group or (each not in core and self.made.get(each) is not False) for each in members):
            return False
        on = [each for each in members if each in core]
        together = sum(values.get(each.column, 0) for each in on)
        return all(values.get(each.column, 0) >= each.least * together for each in on)
