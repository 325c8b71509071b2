"""What the factory costs while it works: time and CPU.

factory.py     a factory for benchmarks: the real stack, the simulator with chosen latencies, CPU time by process
four_stage.py  the four-stage job beside the plainest asyncio program: seconds, CPU by process
known_truth.py the whole factory in a hard world beside belief's forecast and the truth
programs.py    tables of programs that do the same work
slots.py       slots of synthesis, 64 in flight: busy share, CPU and memory, with short and with long answers
stage.py       one stage beside the plainest asyncio program: consume → call → produce → commit, 64 in flight
whole_flow.py  the whole flow with models that respond immediately: rows per second, CPU by service
"""
