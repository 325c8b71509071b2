"""Weights, tokenizers and samplers.

weights.py       loads models and tokenizers; arguments of every training
sampling.py      the sampler interface, and the sampler in this process
served.py        the sampler over an OpenAI-compatible endpoint
sampler.py       opens the sampler of a stage
triton_cache.py  a file of Triton, compiled when the image is built
"""
