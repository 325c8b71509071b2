"""`chimera dataset`: inspect and change the dataset."""
