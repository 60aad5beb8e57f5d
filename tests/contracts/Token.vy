# pragma version ~=0.4.3
"""
@title  An ERC-20 without balances
@notice Anybody may move any amount: it says what a token says and checks nothing.
"""

event Transfer:
    sender: indexed(address)
    receiver: indexed(address)
    amount: uint256

decimals: public(constant(uint8)) = 6
symbol: public(constant(String[8])) = "COIN"


@external
def transfer(to: address, amount: uint256) -> bool:
    log Transfer(sender=msg.sender, receiver=to, amount=amount)
    return True
