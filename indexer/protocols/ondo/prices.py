"""What a share is worth: logged by the first oracles, asked of those that followed."""

from indexer.protocols.ondo.flows import FUND, IN_DOLLARS
from indexer.spec import Amount, Call, Event, Fixed, Read, Seconds, Time

PRICES = (
    Event(
        abi="ondo/LegacyOracle",
        name="RWAExternalComparisonCheckPriceSet",
        into="share_prices",
        columns={**IN_DOLLARS, "share_price_tokens": Fixed("newRWAPrice", 18)},
    ),
    Event(
        abi="ondo/Pricer",
        name="PriceAdded",
        into="share_prices",
        columns={
            **IN_DOLLARS,
            "share_price_tokens": Fixed("price", 18),
            "nav_at": Time("timestamp"),
        },
    ),
)

DAILY = tuple(
    Read(
        name=name,
        abi=abi,
        calls=(price, Call("totalSupply", to=FUND)),
        every=Seconds(86_400),
        into="share_prices",
        columns={
            **IN_DOLLARS,
            "share_price_tokens": Fixed(price.function, 18),
            "supply_tokens": Amount("totalSupply", FUND),
        },
    )
    for name, abi, price in (
        ("usdy_price", "ondo/UsdyOracle", Call("getPrice")),
        ("ousg_price", "ondo/Oracle", Call("getAssetPrice", (FUND,))),
    )
)
