"""What two problem statements have in common. Pure; for screening, the dataset's card and the trainer."""
