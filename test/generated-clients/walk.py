"""
The way of an auction by the generated client: created, orders of all five kinds, gate closure, result. Prints what it has read.

    python walk.py URL OPERATOR-TOKEN DESK-TOKEN      # with the folder of the generated package in PYTHONPATH
"""

import json
import sys
import time
from datetime import datetime, timedelta, timezone

from merit_client import AuthenticatedClient
from merit_client.api.auctions import close_gate, create_auction, find_auction
from merit_client.api.orders import find_order, list_orders, submit_orders
from merit_client.api.results import read_book, read_prices, read_result
from merit_client.models import (
    AuctionRequest,
    AuctionState,
    BlockOrderSubmission,
    ComplexOrderSubmission,
    ComplexOrderSubmissionCondition,
    ComplexStep,
    CurveOrderSubmission,
    CurveOrderSubmissionShape,
    CurvePoint,
    FlexibleOrderSubmission,
    LimitOrderSubmission,
    OrderBatch,
    ProblemDetails,
    Side,
)

url, operator_token, desk_token = sys.argv[1:]
operator = AuthenticatedClient(base_url=url, token=operator_token, raise_on_unexpected_status=True)
desk = AuthenticatedClient(base_url=url, token=desk_token, raise_on_unexpected_status=True)


def ok(answer):
    if answer is None or isinstance(answer, ProblemDetails):
        raise SystemExit(f"not an answer: {answer}")
    return answer


gate_closure = datetime.now(timezone.utc) + timedelta(hours=1)
auction = ok(create_auction.sync(client=operator, body=AuctionRequest(id="walk", periods=4, gate_closure=gate_closure)))

orders = [
    LimitOrderSubmission(record_id="limit", side=Side.BUY, price=50, power=10, period=1),
    CurveOrderSubmission(
        record_id="curve",
        kind="curve",
        shape=CurveOrderSubmissionShape.LINEAR,
        points=[CurvePoint(price=10, power=0), CurvePoint(price=30, power=-20)],
        period=1,
    ),
    BlockOrderSubmission(record_id="block", kind="block", side=Side.BUY, price=40, from_=1, to=2, power=3),
    FlexibleOrderSubmission(
        record_id="flexible", kind="flexible", side=Side.BUY, price=45, power=1, duration=1, earliest=1, latest=4
    ),
    ComplexOrderSubmission(
        record_id="complex",
        kind="complex",
        side=Side.SELL,
        steps=[ComplexStep(period=period, price=5, power=4) for period in (1, 2, 3, 4)],
        fixed_term=10,
        condition=ComplexOrderSubmissionCondition.MINIMUM_INCOME,
    ),
]
receipts = ok(submit_orders.sync(client=desk, auction=auction.id, body=OrderBatch(orders=orders)))
refused = submit_orders.sync(
    client=desk, auction=auction.id, body=LimitOrderSubmission(record_id="dust", side=Side.BUY, price=50, power=1e-9, period=1)
)
page = ok(list_orders.sync(client=desk, auction=auction.id))
ok(close_gate.sync(auction.id, client=operator))
for _ in range(600):
    state = ok(find_auction.sync(auction.id, client=operator)).state
    if state in (AuctionState.SETTLED, AuctionState.FAILED):
        break
    time.sleep(0.1)
result = ok(read_result.sync(auction.id, client=operator))
prices = ok(read_prices.sync(auction.id, client=desk))
book = ok(read_book.sync(auction.id, client=operator))
print(
    json.dumps(
        {
            "receipts": [receipt.record_id for receipt in receipts.receipts],
            "refused": refused.code.value if isinstance(refused, ProblemDetails) else str(refused),
            "listed": sorted(view.order.kind for view in page.orders),
            "state": state.value,
            "status": result.status.value,
            "statuses": {outcome.record_id: outcome.status.value for outcome in result.orders},
            "prices": prices.to_dict()["zones"],
            "book": sorted(type(order).__name__ for order in book.orders),
            "outcome": ok(find_order.sync("limit", client=desk, auction=auction.id)).outcome.to_dict(),
        }
    )
)
