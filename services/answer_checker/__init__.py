"""Does the solution land on the key, and is the trace sound?"""
