from benchmarks.memory import long_list

m = long_list(1_000_000)
print(m.records, m.peak, m.memory[-1], m.seconds, flush=True)
