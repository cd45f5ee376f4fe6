"""Limit and curve orders of one zone over one run of MTUs together (docs/proof.md, What trades; market-rules.md, 2.1)."""


class Piece:
    """Bought at `low`, sold at `high`, and evenly less bought and more sold in between."""

    def __init__(self, low, high, buys, sells):
        self.low, self.high, self.buys, self.sells = low, high, buys, sells
        self.power = buys + sells
        # Price at which neither is traded.
        self.zero = low + (high - low) * buys / self.power

    def gain(self, price):
        """What it gains a MWh's hour at its best."""
        if price <= self.low:
            return self.buys * ((self.low + self.zero) / 2 - price)
        if price >= self.high:
            return self.sells * (price - (self.high + self.zero) / 2)
        traded = self.power * abs(price - self.zero) / (self.high - self.low)
        return traded * abs(price - self.zero) / 2

    def supply(self, price):
        """The least and the most of net supply from nothing (all bought) on, at a price."""
        if self.low == self.high:
            return (0 if price <= self.low else self.power), (self.power if price >= self.low else 0)
        at = self.power * min(max(price - self.low, 0), self.high - self.low) / (self.high - self.low)
        return at, at

    def cost(self, power):
        """What so much of net supply from all bought on costs."""
        bought = self.buys * (self.low + self.zero) / 2
        return power * self.low + power * power * (self.high - self.low) / (2 * self.power) - bought


def pieces(order, low, high):
    """The pieces of a limit or curve order; `low` and `high` are the market's price limits."""
    if order["kind"] == "limit":
        price, power = order["price"], order["power"]
        return [Piece(price, price, power, 0) if order["side"] == "buy" else Piece(price, price, 0, power)]
    found = []

    def fall(before, after, start, end):
        if before > after:
            buys = max(before, 0) - max(after, 0)
            found.append(Piece(start, end, buys, before - after - buys))

    points = order["points"]
    fall(0, points[0]["power"], low, low)
    for a, b in zip(points, points[1:]):
        fall(a["power"], b["power"], b["price"] if order["shape"] == "step" else a["price"], b["price"])
    fall(points[-1]["power"], 0, high, high)
    return found


class Curve:
    def __init__(self, cells, found, low, high):
        self.cells, self.pieces, self.low, self.high = cells, found, low, high
        self.buys = sum(piece.buys for piece in found)
        self.sells = sum(piece.sells for piece in found)

    def gain(self, prices):
        """Money per hour in all its MTUs; the price is their mean."""
        mean = sum(prices[cell] for cell in self.cells) / len(self.cells)
        return len(self.cells) * sum(piece.gain(mean) for piece in self.pieces)

    def gain_without_costs(self, prices):
        total = sum(prices[cell] for cell in self.cells)
        return total * self.sells if total > 0 else -total * self.buys

    def cost(self, net):
        """Money per hour and MTU of a net supply by merit; the rest at the market's price limits."""
        missing = max(net - self.sells, 0) + min(net + self.buys, 0)
        wanted = net - missing + self.buys
        cost = missing * (self.high if missing > 0 else self.low)
        # Between two corners supply is a straight line of the price.
        corners = sorted({end for piece in self.pieces for end in (piece.low, piece.high)})
        level = None
        for k, corner in enumerate(corners):
            if sum(piece.supply(corner)[1] for piece in self.pieces) >= wanted:
                level = corner
                if k > 0:
                    before = corners[k - 1]
                    start = sum(piece.supply(before)[1] for piece in self.pieces)
                    end = sum(piece.supply(corner)[0] for piece in self.pieces)
                    if start <= wanted < end:
                        level = before + (corner - before) * (wanted - start) / (end - start)
                break
        rest = wanted - sum(piece.supply(level)[0] for piece in self.pieces) if self.pieces else 0
        for piece in self.pieces:
            least, most = piece.supply(level)
            more = min(rest, most - least)
            rest -= more
            cost += piece.cost(least + more)
        return cost
