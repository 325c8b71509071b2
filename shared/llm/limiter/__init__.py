"""How many calls one endpoint gets concurrently from this process."""
