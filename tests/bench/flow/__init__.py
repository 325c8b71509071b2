"""What the factory costs while it works: time and CPU.

factory.py     a factory for benchmarks: the real stack, the simulator with chosen latencies, CPU time by process
four_stage.py  the four-stage job beside the plainest asyncio program: seconds, CPU by process
known_truth.py the whole factory in a hard world beside belief's forecast and the truth
slots.py       slot utilisation of one stage: synthesis, 64 in flight, 200 ms a call
stage.py       overhead of one stage: consume → call → produce → commit, 64 in flight, 50 ms a call
whole_flow.py  the whole flow with models that respond immediately: rows per second, CPU by service
"""
