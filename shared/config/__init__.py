"""Settings, connections and the files that a person writes."""
