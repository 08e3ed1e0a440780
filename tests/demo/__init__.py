"""Tests of the synthetic customers."""
