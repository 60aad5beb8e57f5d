"""
Studies: what was published about an event, beside what its rows say; and the same of any window.

    files        what a folder of published rows holds, and how it is read
    exits, waves, oracles, income, corrections
                 the figures, each function a methodology: frames in, one row out
    claims       published values as a table, and the verdict on each
    record       a study of published rows: files to verdicts
    event        the same figures of a window, from the facts of the database
    bundle       a study as a folder to read
    command      `perpscope study`
"""
