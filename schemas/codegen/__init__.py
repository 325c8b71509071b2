"""What is generated from the schemas, and what guards their compatibility."""
