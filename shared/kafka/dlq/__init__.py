"""Dead letters.

dead_letter.py  builds them
replay.py       lists, replays and drops them
"""
