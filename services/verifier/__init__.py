"""Does the problem hold? Solved blind first, judged with the key in view afterwards."""
