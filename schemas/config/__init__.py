"""What a person writes: the plan with its policies, and the models file."""
