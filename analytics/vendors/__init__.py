"""
Our numbers beside those of vendors, with every difference of definition named and measured.

    definition.py  what a vendor's rules are made of
    rules.py       what each vendor does otherwise, as data: one rule a step
    sums.py        the exact sums that rules are made of
    bridge.py      ours, step by step, to theirs
    command.py     `perpscope compare`
"""
