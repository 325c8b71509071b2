"""Weights, tokenizers and samplers.

weights.py       loads models and tokenizers; arguments of every training
sampling.py      the sampler interface, and the sampler in this process
served.py        the sampler over an OpenAI-compatible endpoint
vllm_server.py   a phase's own `vllm serve`
sampler.py       opens a model for sampling
triton_cache.py  a file of Triton, compiled when the image is built
"""
