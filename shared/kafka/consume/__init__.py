"""From a poll to a contiguous commit."""
