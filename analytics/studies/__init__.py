"""
Studies: what was published about an event, beside what its rows say; and the same of any window.

    files            what a folder of published rows holds, and how it is read
    exits, waves, prices, income, corrections
                     figures of published rows: frames in, one row out, a methodology each
    claims           published values as a table, and the verdict on each
    record           from files to verdicts
    forced, levels   the same figures from facts
    event            of any window of the database
    bundle           either of them as a folder to read
    command          `perpscope study`
"""
