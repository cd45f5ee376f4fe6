"""A book as columns, rows and decisions (docs/proof.md, What trades, and what binds). Money is per hour."""

from .curve import Curve, pieces
from .numbers import Refused, fraction

MINUTES = {"PT15M": 15, "PT30M": 30, "PT60M": 60}


def numbers_of(value):
    """The book with its Decimals as fractions."""
    if isinstance(value, dict):
        return {key: numbers_of(each) for key, each in value.items()}
    if isinstance(value, list):
        return [numbers_of(each) for each in value]
    if isinstance(value, (str, bool)) or value is None:
        return value
    return fraction(value)


class Column:
    def __init__(self, name, cells, cost, least, most):
        self.name, self.cells, self.cost, self.least, self.most = name, cells, cost, least, most
        self.rows = []
        self.other = None  # of a line with losses: the other direction


class Row:
    def __init__(self, name, low, high):
        self.name, self.low, self.high = name, low, high


class Decision:
    def __init__(self, column, least, scalable, group=None):
        self.column, self.least, self.scalable, self.group = column, least, scalable, group
        self.income = None  # of a minimum income: what it must gain by column
        self.stops = []


class Model:
    def __init__(self, book):
        self.book = book = numbers_of(book)
        self.periods = int(book["periods"])
        self.hours = fraction(MINUTES[book["resolution"]]) / 60
        self.zones = {zone: z for z, zone in enumerate(book["zones"])}
        self.low, self.high = book["priceLimits"]["min"], book["priceLimits"]["max"]
        self.columns, self.rows, self.decisions = {}, {}, {}
        self.add_lines()
        self.add_regions()
        self.add_ramps()
        self.add_blocks([order for order in book["orders"] if order["kind"] == "block"])
        for order in book["orders"]:
            if order["kind"] == "flexible":
                self.add_flexible(order)
            if order["kind"] == "complex":
                self.add_complex(order)
        self.add_curves()

    def column(self, name, cells, cost, least, most):
        if name in self.columns:
            raise Refused(f"two columns {name}")
        self.columns[name] = column = Column(name, cells, cost, least, most)
        return column

    def row(self, name, low, high, entries):
        if not entries:
            return None
        if name in self.rows:
            raise Refused(f"two rows {name}")
        self.rows[name] = row = Row(name, low, high)
        for column, factor in entries:
            column.rows.append((row, factor))
        return row

    def cell(self, zone, mtu):
        return self.zones[zone] * self.periods + mtu

    def span(self, order):
        return MINUTES[order.get("resolution", self.book["resolution"])] // MINUTES[self.book["resolution"]]

    def cells(self, order, period):
        span = self.span(order)
        return [self.cell(order["zone"], (int(period) - 1) * span + k) for k in range(span)]

    def add_curves(self):
        found = {}
        for order in self.book["orders"]:
            if order["kind"] in ("limit", "curve"):
                found.setdefault(tuple(self.cells(order, order["period"])), []).extend(pieces(order, self.low, self.high))
        self.curves = [Curve(cells, each, self.low, self.high) for cells, each in found.items()]

    def add_lines(self):
        for line in self.book["lines"]:
            loss, tariff = line.get("loss", 0), line.get("tariff", 0)
            for t in range(self.periods):
                forth, back = at(line["capacity"], t), at(line["reverse"], t)
                ends = self.cell(line["from"], t), self.cell(line["to"], t)

                def flow(kind, ends, least, most):
                    cells = [(ends[0], -1), (ends[1], 1 - loss)]
                    return self.column(f"{kind} {line['id']}/{t + 1}", cells, tariff, least, most)

                if loss == 0 and tariff == 0:
                    flow("flow", ends, -back, forth)
                    continue
                one = flow("flow", ends, max(0, -back), max(0, forth))
                other = flow("back", ends[::-1], max(0, -forth), max(0, back))
                if loss > 0:
                    one.other, other.other = other, one

    def reach(self):
        reach = {}

        def add(cell, power):
            reach[cell] = reach.get(cell, 0) + abs(power)

        for line in self.book["lines"]:
            for t in range(self.periods):
                for zone in (line["from"], line["to"]):
                    add(self.cell(zone, t), at(line["capacity"], t))
                    add(self.cell(zone, t), at(line["reverse"], t))
        for order in self.book["orders"]:
            kind = order["kind"]
            if kind == "limit":
                powers = [(order["period"], order["power"])]
            elif kind == "curve":
                powers = [(order["period"], order["points"][k]["power"]) for k in (0, -1)]
            elif kind == "block":
                powers = profile(order)
            elif kind == "complex":
                powers = [(step["period"], step["power"]) for step in order["steps"]]
            else:
                last = int(order["latest"] + order["duration"])
                powers = [(period, order["power"]) for period in range(int(order["earliest"]), last)]
            for period, power in powers:
                for cell in self.cells(order, period):
                    add(cell, power)
        return reach

    def add_regions(self):
        book = self.book
        named = {zone for each in book["constraints"] for zone in each["ptdf"]}
        lined = {zone for line in book["lines"] for zone in (line["from"], line["to"])}
        region = [zone for zone in book["zones"] if zone in named or zone not in lined] if named else []
        reach = self.reach() if region else {}
        for period in range(1, self.periods + 1 if region else 1):
            of = {zone: reach.get(self.cell(zone, period - 1), 0) for zone in region}
            if book.get("flowBased") == "intuitive":
                exchanged = []
                for a in region:
                    for b in region:
                        if a != b:
                            cells = [(self.cell(a, period - 1), -1), (self.cell(b, period - 1), 1)]
                            name = f"exchange {a}/{b}/{period}"
                            exchanged.append((a, b, self.column(name, cells, 0, 0, sum(of.values()))))
                burden = lambda ptdf: [(c, ptdf.get(a, 0) - ptdf.get(b, 0)) for a, b, c in exchanged]  # noqa: E731
                entries = lambda ptdf: [(c, f) for c, f in burden(ptdf) if f > 0]  # noqa: E731
            else:
                exports = []
                for zone in region:
                    cells = [(self.cell(zone, period - 1), -1)]
                    exports.append((zone, self.column(f"export {zone}/{period}", cells, 0, -of[zone], of[zone])))
                self.row(f"pool {period}", 0, 0, [(column, 1) for _, column in exports])
                entries = lambda ptdf: [(c, ptdf[zone]) for zone, c in exports if ptdf.get(zone, 0) != 0]  # noqa: E731
            for each in book["constraints"]:
                if each["period"] == period:
                    self.row(f"constraint {each['id']}/{period}", None, each["ram"], entries(each["ptdf"]))

    def add_ramps(self):
        def flow(line, t):
            back = self.columns.get(f"back {line}/{t + 1}")
            return [(self.columns[f"flow {line}/{t + 1}"], 1)] + ([] if back is None else [(back, -1)])

        def ramp(kind, name, each, entries):
            for t in range(self.periods):
                most = at(each["ramp"], t)
                if t > 0:
                    earlier = [(column, -factor) for column, factor in entries(t - 1)]
                    self.row(f"{kind} {name}/{t + 1}", -most, most, entries(t) + earlier)
                elif each.get("before") is not None:
                    self.row(f"{kind} {name}/1", each["before"] - most, each["before"] + most, entries(0))

        for line in self.book["lines"]:
            if line.get("ramp") is not None:
                ramp("ramp", line["id"], line, lambda t, line=line: flow(line["id"], t))
        for each in self.book.get("rampSets", []):
            ramp("ramp-set", each["id"], each, lambda t, each=each: [e for line in each["lines"] for e in flow(line, t)])
        network = list(self.columns.values())
        for each in self.book.get("netPositionRamps", []):

            def exported(t, each=each):
                here = self.cell(each["zone"], t)
                return [(column, -mw) for column in network for cell, mw in column.cells if cell == here]

            ramp("position-ramp", each["id"], each, exported)

    def add_blocks(self, blocks):
        by_key = {key(order): order for order in blocks}
        find = lambda order, name: by_key.get((order.get("participant", ""), order.get(name)))  # noqa: E731
        column_of, firsts, groups = {}, [], {}
        for order in blocks:
            partner = find(order, "loopWith")
            if partner is not None and key(partner) in column_of:
                column_of[key(order)] = column_of[key(partner)]
                continue
            legs = [order] if partner is None else [order, partner]
            missing = "loopWith" in order and partner is None
            missing = missing or any("linkedTo" in leg and find(leg, "linkedTo") is None for leg in legs)
            cells = [
                (cell, sign(leg) * power, sign(leg) * power * leg["price"])
                for leg in legs
                for period, power in profile(leg)
                for cell in self.cells(leg, period)
            ]
            column = self.column(
                f"order {slash(order)}", [(c, mw) for c, mw, _ in cells], sum(cost for *_, cost in cells), 0, 0 if missing else 1
            )
            column_of[key(order)] = column
            firsts.append((order, legs, column))
            if "exclusiveGroup" in order:
                name = f"group {order.get('participant', '')}/{order['exclusiveGroup']}"
                groups.setdefault(name, []).append(column)
        for order in blocks:
            parent = find(order, "linkedTo")
            if parent is not None:
                entries = [(column_of[key(order)], 1), (column_of[key(parent)], -1)]
                self.row(f"link {slash(order)}", None, 0, entries)
        group_of = {}
        for name, members in groups.items():
            if len(members) > 1:
                row = self.row(name, None, 1, [(column, 1) for column in members])
                group_of.update({column: row for column in members})
        parents = {key(parent) for parent in (find(order, "linkedTo") for order in blocks) if parent is not None}
        for order, legs, column in firsts:
            linked = any("linkedTo" in leg or key(leg) in parents for leg in legs)
            least = order.get("minAcceptance", 1)
            if not linked and "loopWith" not in order and "exclusiveGroup" not in order and least == 0:
                continue
            row = group_of.get(column)
            scalable = 1 if row is None else 0 if "linkedTo" in order else least
            self.decisions[column.name] = Decision(column, least, scalable, None if linked else row)

    def add_flexible(self, order):
        starts = []
        for start in range(int(order["earliest"]), int(order["latest"]) + 1):
            cells = [cell for k in range(int(order["duration"])) for cell in self.cells(order, start + k)]
            mw = sign(order) * order["power"]
            name = f"start {slash(order)}/{start}"
            column = self.column(name, [(cell, mw) for cell in cells], mw * order["price"] * len(cells), 0, 1)
            self.decisions[name] = Decision(column, 1, 1)
            starts.append((column, 1))
        if len(starts) > 1:
            self.row(f"starts {slash(order)}", None, 1, starts)

    def add_complex(self, order):
        s, span, name = sign(order), self.span(order), slash(order)
        condition = order.get("condition")
        in_welfare = condition in ("minimum-profit", "maximum-payment")
        variable = order.get("variableTerm", 0)
        fixed = order.get("fixedTerm", 0) / self.hours
        steps = []
        for k, step in enumerate(order["steps"], 1):
            least = step.get("minAcceptance", 0) * step["power"]
            cost = (s * step["price"] + (variable if in_welfare else 0)) * span
            cells = self.cells(order, step["period"])
            column = self.column(f"step {name}/{k}", [(cell, s) for cell in cells], cost, 0, step["power"] - least)
            steps.append((step, least, cost, cells, column))
        minima = order.get("minPower", [])
        if condition is None and not minima and not any(least > 0 for _, least, *_ in steps):
            self.add_gradient(order, steps, None)
            return
        cells = [(cell, s * least) for _, least, _, own, _ in steps for cell in own]
        cost = sum(least * cost for _, least, cost, *_ in steps) + (fixed if in_welfare else 0)
        on = self.column(f"order {name}", cells, cost, 0, 1)
        for k, (*_, column) in enumerate(steps, 1):
            if column.most > 0:
                self.row(f"step {name}/{k}", None, 0, [(column, 1), (on, -column.most)])
        for each in minima:
            here = [step for step in steps if step[0]["period"] == each["period"]]
            more = each["power"] - sum(least for _, least, *_ in here)
            if more > 0:
                entries = [(column, 1) for *_, column in here] + [(on, -more)]
                self.row(f"least {name}/{int(each['period'])}", 0, None, entries)
        self.add_gradient(order, steps, on)
        decision = self.decisions[on.name] = Decision(on, 1, 1)
        if condition != "minimum-income":
            return
        held = sum(least for _, least, *_ in steps)
        decision.income = [(on, fixed + variable * span * held - on.cost)]
        decision.income += [(column, variable * span - cost) for _, _, cost, _, column in steps]
        for period in range(1, int(order.get("scheduledStop", 0)) + 1):
            here = [step for step in order["steps"] if step["period"] == period]
            if here:
                best = min(here, key=lambda step: s * step["price"])
                cells = [(cell, s) for cell in self.cells(order, period)]
                stop = self.column(f"stop {name}/{period}", cells, s * best["price"] * span, 0, best["power"])
                self.row(f"stop {name}/{period}", None, best["power"], [(stop, 1), (on, best["power"])])
                decision.stops.append(stop)

    def add_gradient(self, order, steps, on):
        if "loadGradient" not in order:
            return
        up, down = (order["loadGradient"][way] * self.hours for way in ("up", "down"))
        span = self.span(order)
        for period in range(2, self.periods // span + 1):
            entries, held = [], 0
            for at_period, factor in ((period, 1), (period - 1, -1)):
                for step, least, _, _, column in steps:
                    if step["period"] == at_period:
                        entries.append((column, factor))
                        held += factor * least
            name = f"{slash(order)}/{(period - 1) * span + 1}"
            if on is None:
                self.row(f"gradient {name}", -down, up, entries)
            elif entries:
                self.row(f"gradient {name}", None, 0, entries + [(on, held - up)])
                self.row(f"falling {name}", 0, None, entries + [(on, held + down)])


def at(value, t):
    return value[t] if isinstance(value, list) else value


def sign(order):
    return 1 if order["side"] == "sell" else -1


def key(order):
    return order.get("participant", ""), order["record_id"]


def slash(order):
    return "/".join(key(order))


def profile(order):
    if "profile" in order:
        return [(each["period"], each["power"]) for each in order["profile"]]
    return [(period, order["power"]) for period in range(int(order["from"]), int(order["to"]) + 1)]
