"""Weights, tokenizers and sampling."""
