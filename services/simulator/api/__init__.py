"""The simulator's HTTP side: requests, answers and how they are delivered."""
