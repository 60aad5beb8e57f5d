"""
The fault campaign: `make soak SEEDS=1000`.

For every seed a chain is indexed in several runs, by processes of their own, while faults of the
rig strike, the chain moves, processes are killed, disks are full and clocks jump. Then all of it
stops, and one more run must leave the database of a run that met none of it, table by table.

`schedule` draws what happens from the seed, `hazards` does things to a process, `runs` starts
one, `seeds` plays a seed, `campaign` many of them, `__main__` says what came of it.
"""
