"""
Wallets of buyback programmes that the settings name, made part of declarations.

A declaration with wallets has another digest than without: facts of both are never mixed. The rest
follows from it, as if the wallets had been declared; rows are assumed, on the user's word.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from indexer.chains import Chain
from indexer.choices import chain_named, protocol_named
from indexer.errors import UserError
from indexer.protocols import PROTOCOLS
from indexer.settings import Wallet
from indexer.spec import (
    Account,
    Amount,
    Contract,
    Emitter,
    Event,
    Nonzero,
    Not,
    OfContract,
    OneOf,
    Protocol,
    Token,
    Value,
    When,
    first_block,
)

# An ABI of its own, so that no other reading of the token's transfers sees the wallets'.
RECEIVED = "erc20/Received"

_AMOUNT = Amount("value", Emitter())
_COLUMNS: Mapping[str, Value] = {
    "bought_token": Emitter(),
    "bought_tokens": _AMOUNT,
    "burned_tokens": When(OneOf(OfContract("destination"), ("zero_burn", "dead_burn")), _AMOUNT),
    "destination_kind": OfContract("destination"),
}


@dataclass(frozen=True)
class _Named:
    """A wallet with what its names stand for."""

    wallet: Wallet
    protocol: Protocol
    chain: Chain
    token: Token

    @property
    def place(self) -> tuple[str, int, str, str]:
        return self.protocol.slug, self.chain.chain_id, self.token.address, self.wallet.address


@lru_cache
def declarations(wallets: tuple[Wallet, ...], chain: Chain | None) -> dict[str, Protocol]:
    """
    Return every protocol by slug, with the wallets that the settings name of it.

    Args:
        wallets: as the settings name them; all are checked.
        chain: whose wallets are added, so that those of other chains leave facts of this one as
            they are; None for all.

    Raises:
        UserError: a wallet cannot be read so: its protocol, chain or token is not known, it is
            named twice or declared already.
    """
    named: dict[tuple[str, int, str, str], _Named] = {}
    for number, wallet in enumerate(wallets):
        try:
            found = _named(wallet)
            if found.place in named:
                raise UserError(f"{wallet.address} is named twice: expected once; remove one")
        except UserError as error:
            raise UserError(f"wallets.{number} in the settings: {error}") from error
        named[found.place] = found
    here = [found for found in named.values() if chain in (None, found.chain)]
    return PROTOCOLS | {
        slug: _with_wallets(PROTOCOLS[slug], [one for one in here if one.protocol.slug == slug])
        for slug in dict.fromkeys(one.protocol.slug for one in here)
    }


def _named(wallet: Wallet) -> _Named:
    protocol, chain = protocol_named(wallet.protocol, PROTOCOLS), chain_named(wallet.chain)
    if chain.chain_id < 0:
        raise UserError(
            f"{chain.slug} is no EVM chain and logs no transfers: expected another; correct chain"
        )
    address = wallet.token or _own_token(protocol, chain)
    if wallet.address in _receivers(protocol, chain, address):
        raise UserError(
            f"what {wallet.address} receives is a reading of {protocol.slug} already: expected a "
            "wallet that the declaration does not have; remove it"
        )
    return _Named(wallet, protocol, chain, _token(wallet, protocol, chain, address))


def _own_token(protocol: Protocol, chain: Chain) -> str:
    supplied = {read.abi for read in protocol.reads if read.into == "token_supplies"}
    own = {
        contract.address.lower()
        for contract in protocol.contracts
        if contract.chain == chain and contract.abi in supplied & {"erc20/Token"}
    }
    if len(own) != 1:
        known = f"one of {', '.join(sorted(own))}" if own else "the address of what is bought"
        raise UserError(
            f"{protocol.slug} has not one token of its own on {chain.slug}: expected token = "
            f"{known}; add it"
        )
    return own.pop()


def _receivers(protocol: Protocol, chain: Chain, token: str) -> set[str]:
    return {
        receiver
        for contract in protocol.contracts
        if contract.chain == chain and contract.address.lower() == token
        for receiver in contract.only.get("to", ())
    }


def _token(wallet: Wallet, protocol: Protocol, chain: Chain, address: str) -> Token:
    for known in protocol.tokens:
        if (known.chain, known.address.lower()) == (chain, address):
            if (wallet.symbol, wallet.decimals) != (None, None):
                raise UserError(
                    f"{protocol.slug} declares {known.symbol} with {known.decimals} decimals: "
                    "expected neither symbol nor decimals; remove them"
                )
            return known
    if wallet.symbol is None or wallet.decimals is None:
        raise UserError(
            f"{protocol.slug} does not declare the token {address} on {chain.slug}: expected its "
            "symbol and decimals; add both"
        )
    return Token(chain, address, wallet.symbol, wallet.decimals)


def _with_wallets(protocol: Protocol, named: Sequence[_Named]) -> Protocol:
    event = Event(
        abi=RECEIVED,
        name="Transfer",
        into="buybacks",
        columns=_COLUMNS,
        where=(Nonzero("value"), Not(OneOf("from", _own_pockets(named)))),
        evidence="assumed",
    )
    fresh = {one.token: None for one in named if one.token not in protocol.tokens}
    return replace(
        protocol,
        methodology=" ".join((protocol.methodology, *map(_sentence, named))),
        contracts=(*protocol.contracts, *map(_contract, named)),
        events=(*protocol.events, event),
        tokens=(*protocol.tokens, *fresh),
        accounts=(*protocol.accounts, *map(_account, named)),
    )


def _own_pockets(named: Iterable[_Named]) -> tuple[str, ...]:
    # What a programme moves between its own wallets was not bought.
    pockets = {one.wallet.address for one in named}
    for one in named:
        pockets |= _receivers(one.protocol, one.chain, one.token.address)
    return tuple(sorted(pockets))


def _contract(one: _Named) -> Contract:
    start = one.wallet.since_block
    versions = {contract.version for contract in one.protocol.contracts}
    return Contract(
        chain=one.chain,
        abi=RECEIVED,
        address=one.token.address,
        from_block=first_block(one.protocol, one.chain) or 0 if start is None else start,
        version=versions.pop() if len(versions) == 1 else "1",
        says={"destination": one.wallet.destination},
        only={"to": (one.wallet.address,)},
    )


def _account(one: _Named) -> Account:
    name = f"buyback wallet, {one.wallet.destination}"
    return Account(one.chain, one.wallet.address, name, one.wallet.source)


def _sentence(one: _Named) -> str:
    return (
        f"What {one.wallet.address} receives of {one.token.symbol} on {one.chain.slug} counts as "
        f"bought ({one.wallet.destination}) because the settings say so, rows are assumed; source: "
        f"{one.wallet.source.rstrip('.')}."
    )
