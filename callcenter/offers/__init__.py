"""The stage that keeps the catalog of offers and what was granted of it."""
