# pragma version ~=0.4.3
"""
@title  A Chainlink aggregator's answers
@notice Posts any answer of any round; nobody has to agree.
"""

event AnswerUpdated:
    current: indexed(int256)
    roundId: indexed(uint256)
    updatedAt: uint256


@external
def post(answer: int256, round: uint256, updated_at: uint256):
    log AnswerUpdated(current=answer, roundId=round, updatedAt=updated_at)
